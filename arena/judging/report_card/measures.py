"""A figure of a report card, with its interval and of how many cases it is."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan

from arena.ratings.arrays import Ints
from arena.ratings.factors import factorise
from arena.ratings.intervals.estimates import Estimate, mean, share


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

    def __str__(self) -> str:
        if self.value is None:
            return "no case"
        count = f"n = {self.n:,}"
        if 0 < self.prompts < self.n:
            count += f" on {self.prompts:,} prompt{'s' if self.prompts > 1 else ''}"
        interval = "" if self.low is None else f"{self.low:.1%} to {self.high:.1%}, "
        return f"{self.value:.1%} ({interval}{count})"


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
