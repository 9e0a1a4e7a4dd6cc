"""Whether one number a model is enough: observed and predicted win rates, and a test."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from arena.ratings.arrays import Floats
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.likelihood import win_probability
from arena.ratings.result import RatingResult
from arena.ratings.scale import to_log
from arena.records.errors import InputError


@dataclass(frozen=True, eq=False)
class WinMatrix:
    """Win rates of the row's model over the column's, (m, m), ties as half.

    observed: NaN where a pair never met. predicted: of the ratings. played: comparisons.
    """

    models: tuple[str, ...]
    observed: Floats
    predicted: Floats
    played: Floats


@dataclass(frozen=True)
class GoodnessOfFit:
    """Test that ratings explain every pair's win rate.

    statistic: sum of squared standardised deviations. degrees: pairs that met, less the
    ratings fitted. p_value: small where one number a model is not enough (A beats B beats C
    beats A). dispersion: statistic / degrees, 1 where ratings are enough.
    worst: the pair whose win rate is furthest off, and by how many standard errors.
    """

    statistic: float
    degrees: int
    p_value: float
    dispersion: float
    worst: tuple[str, str]
    worst_deviation: float


def win_matrix(c: Comparisons, result: RatingResult) -> WinMatrix:
    """Observed and predicted win rates; result: ratings of the same models."""
    if result.models != c.models:
        raise InputError("the ratings are of other models than the comparisons.")
    played = c.pair_counts.played
    observed = np.divide(
        c.pair_counts.points, played, out=np.full_like(played, np.nan), where=played > 0
    )
    return WinMatrix(c.models, observed, win_probability(to_log(result.ratings)), played)


def goodness_of_fit(c: Comparisons, result: RatingResult) -> GoodnessOfFit:
    """Chi-square test of pair win rates against the ratings.

    A pair's score is measured against the variance that its own comparisons show under the
    ratings, pooled over pairs so that ties (which vary less than coin flips) are right.
    Comparisons count as independent. Pairs with an expected score below 1 either way still
    count, so read a p-value from sparse pairs with care.
    """
    rates = win_matrix(c, result)
    counts, p = c.pair_counts, rates.predicted
    square = counts.square_wins * p.T**2
    spread = square + square.T - 2.0 * counts.square_ties * p * p.T
    expected = counts.played * p * p.T
    # The share of coin-flip variance that outcomes have; ties make it less than 1.
    share = spread.sum() / expected.sum()
    if share <= 0.0:
        raise InputError("every comparison is a tie: there is no chance to measure the fit by.")
    upper = np.triu(counts.played > 0, 1)
    degrees = int(upper.sum()) - (len(c.models) - 1)
    if degrees < 1:
        raise InputError("too few pairs met to test the fit: every pair rate is fitted exactly.")
    gap = (counts.points - counts.played * p)[upper]
    deviation = gap / np.sqrt(share * expected[upper])
    statistic = float((deviation**2).sum())
    place = int(np.argmax(np.abs(deviation)))
    i, j = (int(axis[place]) for axis in np.nonzero(upper))
    return GoodnessOfFit(
        statistic,
        degrees,
        float(chdtrc(degrees, statistic)),
        statistic / degrees,
        (c.models[i], c.models[j]),
        float(deviation[place]),
    )
