"""Ranks and their ranges: by hand at the ends, and covering in simulation."""

import numpy as np
import pytest
from scipy.stats import norm

from arena.ratings import bradley_terry
from arena.ratings.intervals.ranks import order, probability_best, rank_ranges
from tests.ratings.simulated import simulate


@pytest.mark.parametrize(
    ("ratings", "ranks"),
    [
        ([1000.0], [1]),
        ([990.0, 1010.0], [2, 1]),
        ([3.0, 1.0, 3.0, 2.0], [1, 4, 1, 3]),
        ([5.0, 5.0, 5.0], [1, 1, 1]),
    ],
)
def test_equal_ratings_share_the_better_rank(ratings: list[float], ranks: list[int]) -> None:
    assert order(np.array(ratings)).tolist() == ranks


def test_without_error_a_range_is_the_rank() -> None:
    ratings = np.array([1010.0, 990.0, 1000.0])
    best, worst = rank_ranges(ratings, np.zeros((3, 3)))
    assert best.tolist() == worst.tolist() == [1, 3, 2]


def test_where_nothing_is_known_every_place_is_open() -> None:
    ratings = np.array([1010.0, 990.0, 1000.0, 1001.0])
    best, worst = rank_ranges(ratings, np.eye(4) * 1e6)
    assert best.tolist() == [1] * 4
    assert worst.tolist() == [4] * 4


def test_ranges_hold_the_rank_and_widen_with_confidence() -> None:
    r = bradley_terry(simulate(8, 500, seed=5))
    assert r.covariance is not None
    at = {level: rank_ranges(r.ratings, r.covariance, level) for level in (0.5, 0.95, 0.999)}
    for best, worst in at.values():
        assert (best <= r.rank).all()
        assert (r.rank <= worst).all()
    for narrow, wide in ((0.5, 0.95), (0.95, 0.999)):
        assert (at[wide][0] <= at[narrow][0]).all()
        assert (at[wide][1] >= at[narrow][1]).all()


def test_models_that_move_together_are_told_apart() -> None:
    """What matters is the error of differences and not that of each rating."""
    ratings = np.array([1010.0, 1000.0, 990.0])
    together = np.full((3, 3), 400.0) + np.eye(3)
    apart = np.eye(3) * 401.0
    assert rank_ranges(ratings, together)[1].tolist() == [1, 2, 3]
    assert rank_ranges(ratings, apart)[1].tolist() == [3, 3, 3]


def test_two_models_are_ranked_apart_beyond_the_normal_quantile() -> None:
    """With two models the largest difference is the only one."""
    for gap, parted in ((2.1, True), (1.8, False)):
        best, worst = rank_ranges(np.array([gap, 0.0]), np.eye(2) * 0.5)
        assert (worst.tolist() == [1, 2]) == parted
        assert (best.tolist() == [1, 2]) == parted


def test_all_true_ranks_are_covered_at_once() -> None:
    """Mogstad and others (2024): with 95 % confidence every rank is inside its range."""
    rng = np.random.default_rng(11)
    truth = np.array([0.0, 0.1, 0.2, 1.0, 1.1, 3.0])
    root = rng.normal(size=(6, 6)) * 0.15
    covariance = root @ root.T + np.eye(6) * 0.02
    true_rank = order(truth)
    draws = rng.multivariate_normal(truth, covariance, size=400)
    covered = 0
    for ratings in draws:
        best, worst = rank_ranges(ratings, covariance)
        covered += bool(((best <= true_rank) & (true_rank <= worst)).all())
    # Three standard errors below the level.
    assert covered / 400 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400)


def test_the_chance_to_be_best_of_two_is_normal() -> None:
    p = probability_best(np.array([0.5, 0.0]), np.diag([0.4, 0.6]))
    assert p.sum() == pytest.approx(1.0)
    assert p[0] == pytest.approx(norm.cdf(0.5), abs=0.03)


def test_the_seed_fixes_the_draws() -> None:
    r = bradley_terry(simulate(6, 300))
    assert r.covariance is not None
    first, again = (probability_best(r.ratings, r.covariance, seed=3) for _ in range(2))
    assert first.tolist() == again.tolist()
    other = probability_best(r.ratings, r.covariance, seed=4)
    assert other == pytest.approx(first, abs=0.06)
