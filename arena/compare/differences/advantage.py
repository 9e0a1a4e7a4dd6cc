"""How much better one model is than another, with its uncertainty.

Everything is said of B against A: the share of the win that B takes, 0.5 where they are even.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from scipy.stats import t

from arena.ratings.intervals.estimates import score_interval
from arena.ratings.scale import POINTS_PER_LOG

EVEN = 0.5
PREFERENCE = 50.0
ACCURACY = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Advantage(ABC):
    """B's share of the win over A, in (0, 1), and what it is made of.

    prompts: independent units that it stands on, such as prompts. comparisons: rows behind it.
    scale: points that lie between even and a whole win: 50 points of win rate, or 100 points
    of accuracy in a benchmark, where an item counts as 0.5 plus half the difference.
    """

    share: float
    prompts: int
    comparisons: int
    scale: float = PREFERENCE

    @abstractmethod
    def interval(self, confidence: float) -> tuple[float, float]:
        """The two-sided interval of the share."""

    @abstractmethod
    def certainty(self, limit: float) -> float:
        """The highest confidence at which a one-sided interval of the share lies above `limit`.

        It is 1 minus the p-value of the test that the share is `limit` or less.
        """

    @property
    def p_value(self) -> float:
        """Two-sided, of no difference."""
        certainty = self.certainty(EVEN)
        return min(1.0, 2.0 * min(certainty, 1.0 - certainty))

    def points(self, share: float) -> float:
        """A share as points of difference: of win rate from 50 %, or of accuracy."""
        return 2.0 * self.scale * (share - EVEN)

    def points_interval(self, confidence: float) -> tuple[float, float]:
        """The interval of the difference in points."""
        low, high = self.interval(confidence)
        return self.points(low), self.points(high)


def elo_of(share: float) -> float | None:
    """Elo points of a share of the win; None at 0 and 1, where they are infinite."""
    if not 0.0 < share < 1.0:
        return None
    return POINTS_PER_LOG * math.log(share / (1.0 - share))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreAdvantage(Advantage):
    """The mean over prompts, by Wilson's score method.

    count: the number of independent yes-or-no prompts that would tell as much, > 0.
    freedom: degrees of freedom of the variance behind it, at least 1.
    """

    count: float
    freedom: int

    def interval(self, confidence: float) -> tuple[float, float]:
        """See `Advantage`."""
        z = float(t.ppf(0.5 + confidence / 2.0, self.freedom))
        return score_interval(self.share, self.count, z)

    def certainty(self, limit: float) -> float:
        """See `Advantage`; the inverse of `interval`."""
        if not 0.0 < limit < 1.0:
            return 1.0 if limit <= 0.0 else 0.0
        error = math.sqrt(limit * (1.0 - limit) / self.count)
        return float(t.cdf((self.share - limit) / error, self.freedom))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardAdvantage(Advantage):
    """The difference of two ratings, by their joint covariance.

    difference, error: Elo points, B minus A, and its standard error. freedom: as in
    `ScoreAdvantage`; None where the variance is taken to be known.
    """

    difference: float
    error: float
    freedom: int | None

    def elo_interval(self, confidence: float) -> tuple[float, float]:
        """The interval of the difference in Elo points."""
        half = float(t.ppf(0.5 + confidence / 2.0, self._freedom)) * self.error
        return self.difference - half, self.difference + half

    def interval(self, confidence: float) -> tuple[float, float]:
        """See `Advantage`."""
        low, high = self.elo_interval(confidence)
        return expected_share(low), expected_share(high)

    def certainty(self, limit: float) -> float:
        """See `Advantage`."""
        points = elo_of(limit)
        if points is None:
            return 1.0 if limit <= 0.0 else 0.0
        beyond = self.difference - points
        if self.error == 0.0:  # both are the same in everything that was compared
            return 0.5 + 0.5 * math.copysign(1.0, beyond) if beyond else 0.5
        return float(t.cdf(beyond / self.error, self._freedom))

    @property
    def _freedom(self) -> float:
        return math.inf if self.freedom is None else max(1, self.freedom)


def expected_share(points: float) -> float:
    """The share of the win that a lead of so many Elo points is expected to give."""
    return 1.0 / (1.0 + math.exp(-points / POINTS_PER_LOG))
