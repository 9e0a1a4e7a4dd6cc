"""A figure of a report card, with its interval and of how many cases it is."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan

from arena.ratings.arrays import Ints
from arena.ratings.factors import factorise
from arena.ratings.intervals.estimates import Estimate, mean, share
from arena.records import Note


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval, of n cases.

    value: None where there is no case. low, high: None where the cases do not tell how far it
    varies. prompts: on how many prompts the cases are, by which the interval is clustered; 0
    where it is not.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    prompts: int = 0

    @property
    def note(self) -> Note:
        """The figure with its interval and the number of its cases."""
        if self.value is None:
            return Note.of("measure.none")
        code = "cases.prompts" if 0 < self.prompts < self.n else "cases"
        count = Note.of(code, n=self.n, prompts=self.prompts)
        if self.low is None:
            return Note.of("measure", value=self.value, count=count)
        interval = {"low": self.low, "high": self.high}
        return Note.of("measure.interval", value=self.value, **interval, count=count)

    def __str__(self) -> str:
        return str(self.note)


def measure(estimate: Estimate, groups: Ints | None = None) -> Measure:
    """An estimate, in which NaN is nothing. groups: the prompts of its cases, as codes."""
    if isnan(estimate.value):
        return Measure()
    low, high = estimate.ends
    prompts = 0 if groups is None else len(set(groups.tolist()))
    return Measure(float(estimate.value), low, high, estimate.items, prompts)


def share_of(hits: Sequence[bool], items: Iterable[Hashable] | None = None) -> Measure:
    """How many of the cases are hits. items: the prompt of each, by which they are clustered."""
    groups = None if items is None else codes(items)
    return measure(share(hits, groups), groups) if hits else Measure()


def mean_of(values: Sequence[float], items: Iterable[Hashable] | None = None) -> Measure:
    """The mean of the cases; see `share_of`."""
    groups = None if items is None else codes(items)
    return measure(mean(values, groups), groups) if values else Measure()


def codes(items: Iterable[Hashable]) -> Ints:
    """The prompts of cases as numbers."""
    return factorise("prompt", list(items)).codes
