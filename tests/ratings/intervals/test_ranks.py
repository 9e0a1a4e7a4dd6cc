"""Ranks and what the covariance of ratings says of them."""

import numpy as np
import pytest
from scipy.stats import norm

from arena.ratings import bradley_terry
from arena.ratings.intervals.ranks import order, probability_best, rank_ranges
from tests.ratings.simulated import simulate


def test_ranks_by_hand() -> None:
    assert order(np.array([3.0, 1.0, 2.0, 2.0, 9.0])).tolist() == [2, 5, 3, 3, 1]
    assert order(np.array([7.0])).tolist() == [1]


def test_of_two_models_the_better_is_first_as_often_as_a_normal_difference_is_above_0() -> None:
    covariance = np.array([[90.0, -40.0], [-40.0, 60.0]])
    difference = float(np.sqrt(90 + 60 + 2 * 40))
    for gap in (0.0, 5.0, 20.0):
        best = probability_best(np.array([1000.0 + gap, 1000.0]), covariance)
        assert best.sum() == pytest.approx(1.0)
        assert best[0] == pytest.approx(norm.cdf(gap / difference), abs=0.03)


def test_models_alike_are_as_likely_to_be_first() -> None:
    best = probability_best(np.full(5, 1000.0), np.eye(5) * 400)
    assert best == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_without_any_error_ranks_are_certain() -> None:
    ratings = np.array([1100.0, 900.0, 1000.0])
    best, worst = rank_ranges(ratings, np.zeros((3, 3)))
    assert best.tolist() == worst.tolist() == [1, 3, 2]
    assert probability_best(ratings, np.zeros((3, 3))).tolist() == [1.0, 0.0, 0.0]


def test_two_models_are_apart_where_their_difference_is_significant() -> None:
    """With one pair, the simultaneous interval is the ordinary one of 1.96 standard errors."""
    covariance = np.diag([50.0, 50.0])
    for gap, apart in ((21.0, True), (18.0, False)):
        best, worst = rank_ranges(np.array([1000.0 + gap, 1000.0]), covariance)
        assert (best.tolist(), worst.tolist()) == (([1, 2], [1, 2]) if apart else ([1, 1], [2, 2]))


def test_the_order_of_models_is_of_no_account() -> None:
    result = bradley_terry(simulate(models=7, rows=700, seed=2))
    assert result.covariance is not None
    turn = np.random.default_rng(4).permutation(7)
    there = rank_ranges(result.ratings, result.covariance)
    here = rank_ranges(result.ratings[turn], result.covariance[np.ix_(turn, turn)])
    for one, other in zip(there, here, strict=True):
        assert np.abs(one[turn] - other).max() <= 1  # the draws of the quantile are others


def test_a_range_holds_the_rank_and_widens_with_confidence() -> None:
    result = bradley_terry(simulate(models=8, rows=500, seed=3))
    assert result.covariance is not None
    ranks = order(result.ratings)
    before = 0
    for confidence in (0.5, 0.8, 0.95, 0.999):
        best, worst = rank_ranges(result.ratings, result.covariance, confidence)
        assert (best <= ranks).all()
        assert (ranks <= worst).all()
        width = int((worst - best).sum())
        assert width >= before
        before = width
    assert before > 0


def test_all_ranges_together_hold_the_true_ranks_as_often_as_they_say() -> None:
    """Five models 60 points apart, with correlated errors as sandwich covariances have them."""
    rng = np.random.default_rng(8)
    truth = 1000.0 + 60.0 * np.arange(5.0)
    root = rng.normal(size=(5, 5)) * 22
    covariance = root @ root.T + np.eye(5) * 200
    covariance -= covariance.mean(0)
    covariance -= covariance.mean(1, keepdims=True)
    ranks, held = order(truth), 0
    draws = rng.multivariate_normal(truth, covariance, size=300, check_valid="ignore", tol=1e-6)
    for ratings in draws:
        best, worst = rank_ranges(ratings, covariance, 0.9)
        held += bool(((best <= ranks) & (ranks <= worst)).all())
    assert 0.88 <= held / 300 <= 1.0


def test_a_seed_gives_the_same_ranges_again() -> None:
    result = bradley_terry(simulate(models=6, rows=300, seed=5))
    assert result.covariance is not None
    for function in (rank_ranges, probability_best):
        first, again = (function(result.ratings, result.covariance, seed=3) for _ in range(2))
        assert np.array_equal(first, again)
