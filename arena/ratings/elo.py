"""Online Elo ratings: what they were after each comparison, in order."""

import math

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.comparisons import Comparisons, require_comparisons
from arena.ratings.result import RatingResult, Settings
from arena.ratings.scale import MEAN, POINTS_PER_LOG
from arena.records.errors import InputError

# In log-odds: beyond it an exponential would overflow, and the probability is 0 as it is.
LARGEST_GAP = 700.0


def elo(
    c: Comparisons,
    *,
    k: float = 4.0,
    seed: int = 0,
    permutations: int = 1,
    confidence: float = 0.95,
) -> RatingResult:
    """Elo ratings in vote order, or averaged over `permutations` resampled orders.

    k: most points that one comparison can move a rating by. One permutation is the order
    of the rows, without an interval. With more, each is a resample of the rows with
    replacement in random order; the interval is made of the percentiles of the ratings
    after each, so it holds both the chance of the order and of the sample.
    """
    require_comparisons(c, "elo")
    if not 0.0 < k < math.inf:
        raise InputError(f"k is {k}; it is a number of Elo points above 0.")
    if permutations < 1:
        raise InputError(f"permutations is {permutations}; allowed is 1 or more.")
    settings = Settings(method="elo", seed=seed, confidence=confidence)
    battles = c.pair_counts.battles
    if permutations == 1:
        return RatingResult(c.models, _in_order(c, k), battles, settings)
    rng = np.random.default_rng(seed)
    draws = _resampled(c, k, rng.integers(len(c), size=(len(c), permutations)))
    tail = 0.5 - confidence / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0, method="weibull")
    return RatingResult(
        c.models,
        draws.mean(axis=0),
        battles,
        settings,
        ci_low=low,
        ci_high=high,
        covariance=np.cov(draws, rowvar=False),
    )


def _in_order(c: Comparisons, k: float) -> Floats:
    rating = [MEAN] * len(c.models)
    step = k if c.row_weight is None else (k * c.row_weight).tolist()
    rows = zip(c.i.tolist(), c.j.tolist(), c.outcome.tolist(), strict=True)
    for row, (i, j, outcome) in enumerate(rows):
        gap = (rating[j] - rating[i]) / POINTS_PER_LOG
        expected = 1.0 / (1.0 + math.exp(min(gap, LARGEST_GAP)))
        move = (step[row] if isinstance(step, list) else step) * (outcome - expected)
        rating[i] += move
        rating[j] -= move
    return np.array(rating)


def _resampled(c: Comparisons, k: float, orders: np.ndarray) -> Floats:
    """(permutations, m) final ratings; orders: (n, permutations) row of each step."""
    lanes = np.arange(orders.shape[1])
    rating = np.full((len(lanes), len(c.models)), MEAN)
    for rows in orders:
        i, j = c.i[rows], c.j[rows]
        gap = (rating[lanes, j] - rating[lanes, i]) / POINTS_PER_LOG
        step = k if c.row_weight is None else k * c.row_weight[rows]
        move = step * (c.outcome[rows] - 1.0 / (1.0 + np.exp(np.minimum(gap, LARGEST_GAP))))
        rating[lanes, i] += move
        rating[lanes, j] -= move
    return rating
