"""The sandwich beside plain loops over rows and clusters."""

import numpy as np
import pytest
from scipy.stats import norm, t

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import ConvergenceError
from tests.ratings.simulated import simulate


def scores_by_loop(c: Comparisons, codes: np.ndarray) -> np.ndarray:
    """(clusters, m) sums of residuals, one row at a time."""
    theta = fit_half(c, None).theta
    scores = np.zeros((codes.max() + 1, len(c.models)))
    for row in range(len(c)):
        i, j = c.i[row], c.j[row]
        residual = c.outcome[row] - 1 / (1 + np.exp(theta[j] - theta[i]))
        weight = 1.0 if c.row_weight is None else c.row_weight[row]
        scores[codes[row], i] += weight * residual
        scores[codes[row], j] -= weight * residual
    return scores


def test_cluster_scores_and_their_meat_are_sums_over_rows() -> None:
    c = simulate(5, 200, seed=3, prompts=20)
    assert c.prompt is not None
    by_loop = scores_by_loop(c, c.prompt.codes)
    fitted = fit_half(c, None)
    assert fitted.scores(c.prompt.codes).toarray() == pytest.approx(by_loop)
    assert fitted.meat(c.prompt.codes) == pytest.approx(by_loop.T @ by_loop)


def test_clusters_without_rows_have_no_score() -> None:
    c = simulate(3, 50)
    codes = np.zeros(50, dtype=int)
    scores = sandwich.cluster_scores(codes, c.i, c.j, np.ones(50), 3, clusters=4)
    assert scores.shape == (4, 3)
    assert not scores.toarray()[1:].any()


def test_the_published_interval_is_made_of_these_parts() -> None:
    c = simulate(5, 300, seed=3, prompts=40)
    assert c.prompt is not None
    r = bradley_terry(c, cluster="prompt")
    fitted = fit_half(c, None)
    inverse = bread(fitted.hessian, 5)
    by_loop = scores_by_loop(c, c.prompt.codes)
    meat = by_loop.T @ by_loop * 40 / (40 - 4)
    covariance = POINTS_PER_LOG**2 * inverse @ meat @ inverse
    assert r.covariance == pytest.approx(covariance)
    half = t.ppf(0.975, 39) * np.sqrt(np.diagonal(covariance))
    assert r.ci_high is not None
    assert r.ci_high - r.ratings == pytest.approx(half)
    assert r.settings.clusters == 40


def test_independent_rows_have_normal_intervals() -> None:
    c = simulate(4, 300)
    r = bradley_terry(c, cluster=None, confidence=0.9)
    assert r.covariance is not None
    assert r.ci_low is not None
    half = norm.ppf(0.95) * np.sqrt(np.diagonal(r.covariance))
    assert r.ratings - r.ci_low == pytest.approx(half)


def test_where_the_model_holds_the_sandwich_is_about_the_inverse_hessian() -> None:
    c = simulate(4, 40_000, ties=0.0)
    fitted = fit_half(c, None)
    inverse = bread(fitted.hessian, 4)
    assert fitted.covariance(None) == pytest.approx(inverse, rel=0.05, abs=2e-6)


def test_ties_make_it_smaller_than_the_inverse_hessian() -> None:
    """A tie is half a win each; such rows vary less than a coin."""
    c = simulate(4, 20_000, ties=0.6)
    fitted = fit_half(c, None)
    ratio = np.diagonal(fitted.covariance(None)) / np.diagonal(bread(fitted.hessian, 4))
    assert (ratio < 0.6).all()


@pytest.mark.parametrize(
    ("clusters", "freedom", "factor"),
    [(40, 4.0, 40 / 36), (40, 0.2, 40 / 39), (10, 30.0, 10 / 2.5), (2, 5.0, 2 / 0.5)],
)
def test_inflation_by_hand(clusters: int, freedom: float, factor: float) -> None:
    assert sandwich.inflation(clusters, freedom) == pytest.approx(factor)


@pytest.mark.parametrize(("groups", "share"), [(1, 1.0), (3, 1.0), (30, 0.1), (3000, 0.001)])
def test_what_was_never_seen_may_be_three_in_n(groups: int, share: float) -> None:
    assert sandwich.least_share(groups) == pytest.approx(share)


def test_outcomes_that_never_varied_still_leave_an_interval() -> None:
    """Ties only: residuals are nought, and the meat is what the rule of three allows."""
    c = Comparisons.from_columns("abc" * 10, "bca" * 10, outcome=[0.5] * 30)
    fitted = fit_half(c, None)
    inverse = bread(fitted.hessian, 3)
    covariance = fitted.covariance(None)
    assert covariance == pytest.approx(inverse * 3 / 30)
    assert sandwich.at_least(np.eye(3) * 9, inverse, fitted.information, 30)[0, 0] == 9


def test_a_prior_is_one_more_group() -> None:
    inverse, meat = np.eye(2) * 0.5, np.array([[2.0, -2.0], [-2.0, 2.0]])
    precision = np.array([[1.0, -1.0], [-1.0, 1.0]])
    expected = inverse @ (meat + precision) @ inverse
    assert sandwich.covariance(inverse, meat, precision) == pytest.approx(expected)
    assert meat[0, 0] == 2.0  # it is not changed


def test_a_negative_variance_is_an_error() -> None:
    with pytest.raises(ConvergenceError, match="negative"):
        sandwich.covariance(np.eye(2), -np.eye(2))


def test_quantiles_widen_where_the_variance_is_uncertain() -> None:
    assert sandwich.quantile(0.95) == pytest.approx(norm.ppf(0.975))
    freedom = np.array([0.2, 1.0, 30.0])
    assert sandwich.quantile(0.95, freedom) == pytest.approx(t.ppf(0.975, [1.0, 1.0, 30.0]))
