"""What a fit hands back: ratings, how sure they are, and how they were made."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from arena.ratings.arrays import Floats, Ints
from arena.ratings.intervals.ranks import order, probability_best, rank_ranges
from arena.records import Note
from arena.records.errors import InputError


@dataclass(frozen=True)
class Settings:
    """How ratings were made; every published number carries this.

    cluster: the column whose groups are independent of each other; None is every row.
    clusters: how many such groups there were.
    prior: standard deviation in Elo points of the normal prior on ratings around their mean.
    anchor: the model and the rating that fix the origin; None is mean 1000.
    weighting: "propensity" where rows were weighted by the inverse of their propensity.
    """

    method: str
    ties: str = "half"
    interval: str | None = None
    cluster: str | None = None
    clusters: int | None = None
    rounds: int | None = None
    confidence: float = 0.95
    prior: float | None = None
    style: tuple[str, ...] = ()
    weighting: str | None = None
    seed: int = 0
    anchor: tuple[str, float] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.confidence < 1.0:
            raise InputError(f"confidence is {self.confidence}; allowed is between 0 and 1.")
        if self.anchor is not None and not _is_anchor(self.anchor):
            raise InputError(f"anchor is {self.anchor!r}; it is a pair: a model and its rating.")
        if self.anchor is not None and not math.isfinite(self.anchor[1]):
            raise InputError(f"the anchor's rating is {self.anchor[1]}; it must be finite.")


def _is_anchor(value: object) -> bool:
    match value:
        case (str(), int() | float() | np.floating() | np.integer()):
            return True
    return False


@dataclass(frozen=True)
class Coefficient:
    """A parameter that is not a rating, in natural log-odds, with its interval."""

    name: str
    value: float
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True)
class RatingRow:
    """One line of a leaderboard; see `RatingResult` for the units."""

    model: str
    rating: float
    ci_low: float | None
    ci_high: float | None
    rank: int
    rank_low: int | None
    rank_high: int | None
    comparisons: int | float
    p_best: float | None


@dataclass(frozen=True, eq=False)
class RatingResult:
    """Ratings of models; all arrays are in the order of `models`, which is sorted by name.

    ratings: (m,) Elo points, mean 1000 (or as anchored).
    ci_low, ci_high: (m,) Elo points, each covering with probability settings.confidence;
        None where no interval was asked for.
    covariance: (m, m) Elo points squared, of ratings around their mean; None likewise.
    comparisons: (m,) number (weight) of comparisons that a model took part in.
    coefficients: style effects and tie parameters.
    without_style: (m,) ratings of the same rows without the style covariates.
    undetermined: why the data alone does not determine the ratings, where a prior was taken for
        that reason.
    """

    models: tuple[str, ...]
    ratings: Floats
    comparisons: Floats
    settings: Settings
    ci_low: Floats | None = None
    ci_high: Floats | None = None
    covariance: Floats | None = None
    coefficients: tuple[Coefficient, ...] = ()
    without_style: Floats | None = None
    undetermined: Note | None = None

    @cached_property
    def rank(self) -> Ints:
        """(m,) 1 for the highest rating; equal ratings share the better rank."""
        return order(self.ratings)

    @cached_property
    def rank_low(self) -> Ints | None:
        """(m,) best rank that the evidence allows, simultaneously over models."""
        return None if self._ranges is None else self._ranges[0]

    @cached_property
    def rank_high(self) -> Ints | None:
        """(m,) worst rank that the evidence allows, simultaneously over models."""
        return None if self._ranges is None else self._ranges[1]

    @cached_property
    def p_best(self) -> Floats | None:
        """(m,) probability that the model is the best one; sums to 1."""
        if self.covariance is None:
            return None
        return probability_best(self.ratings, self.covariance, self.settings.seed)

    def as_rows(self) -> list[RatingRow]:
        """Leaderboard lines, the best first; models with equal ratings by name."""
        best_first = np.lexsort((np.arange(len(self.models)), -self.ratings))
        return [self._row(int(k)) for k in best_first]

    def _row(self, k: int) -> RatingRow:
        count = float(self.comparisons[k])
        return RatingRow(
            model=self.models[k],
            rating=float(self.ratings[k]),
            ci_low=None if self.ci_low is None else float(self.ci_low[k]),
            ci_high=None if self.ci_high is None else float(self.ci_high[k]),
            rank=int(self.rank[k]),
            rank_low=None if self.rank_low is None else int(self.rank_low[k]),
            rank_high=None if self.rank_high is None else int(self.rank_high[k]),
            comparisons=int(count) if count.is_integer() else count,
            p_best=None if self.p_best is None else float(self.p_best[k]),
        )

    @cached_property
    def _ranges(self) -> tuple[Ints, Ints] | None:
        if self.covariance is None:
            return None
        settings = self.settings
        return rank_ranges(self.ratings, self.covariance, settings.confidence, settings.seed)
