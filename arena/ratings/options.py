"""How to rate: what `bradley_terry` and `combine` may be asked, bundled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal, TypedDict, TypeVar

from arena.records import Cluster, Interval, Ties
from arena.records.errors import InputError

E = TypeVar("E", bound=StrEnum)
Prior = float | Literal["auto"] | None


@dataclass(frozen=True, slots=True)
class CombineOptions:
    """What every way of rating may be asked.

    cluster: whose groups are independent of each other: "prompt", "voter", "source",
        "battle" (the same two answers to the same prompt), None (every row), or "auto":
        prompts where they outnumber models, else battles, else voters who outnumber models.
    confidence: coverage of each interval, in (0, 1).
    prior: standard deviation in Elo points of a normal prior on ratings around their mean.
        `bradley_terry` and `combine` say what "auto" and None stand for.
    seed: of everything that is drawn by chance.
    anchor: (model, rating) that fixes the origin instead of mean 1000. Intervals stay those
        of the distance to the mean: they do not take in the anchor's own error.
    """

    cluster: str | None = Cluster.AUTO
    confidence: float = 0.95
    prior: Prior = None
    seed: int = 0
    anchor: tuple[str, float] | None = None

    def shared(self) -> "CombineOptions":
        """Without what only `bradley_terry` takes."""
        return CombineOptions(self.cluster, self.confidence, self.prior, self.seed, self.anchor)


@dataclass(frozen=True, slots=True)
class FitOptions(CombineOptions):
    """What `bradley_terry` may be asked beside what every way of rating may be.

    ties: "half" (half a win for each side), "davidson" or "rao-kupper" (models of ties).
    interval: "sandwich", "bootstrap" (percentiles of `rounds` resamples) or None.
    rounds: how many resamples a bootstrap draws, at least 2.
    style: names of covariate columns to hold equal. Each is scaled by its root mean square,
        not centred; the result has the effects as coefficients, and ratings without them.

    Raises InputError for a word that is not among these.
    """

    ties: str = Ties.HALF
    interval: str | None = Interval.SANDWICH
    rounds: int = 1000
    style: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        interval = None if self.interval is None else choice(Interval, self.interval, "interval")
        object.__setattr__(self, "ties", choice(Ties, self.ties, "ties"))
        object.__setattr__(self, "interval", interval)


class CombineChanges(TypedDict, total=False):
    """The options of `CombineOptions`, given one by one."""

    cluster: str | None
    confidence: float
    prior: Prior
    seed: int
    anchor: tuple[str, float] | None


class FitChanges(CombineChanges, total=False):
    """The options of `FitOptions`, given one by one; style may be one name, or a list of them."""

    ties: str
    interval: str | None
    rounds: int
    style: str | Sequence[str] | None


def changed(options: FitOptions | None, changes: FitChanges) -> FitOptions:
    """The options, or the usual ones, with some of them changed."""
    given: dict[str, Any] = {**changes}
    if "style" in given:
        style = given["style"] or ()
        given["style"] = (style,) if isinstance(style, str) else tuple(style)
    return replace(options or FitOptions(), **given)


def choice(allowed: type[E], value: str, name: str) -> E:
    """The member of that value; an error that names the allowed ones."""
    try:
        return allowed(value)
    except ValueError:
        known = ", ".join(repr(str(member)) for member in allowed)
        raise InputError(f"{name} is {value!r}; allowed are {known}.") from None
