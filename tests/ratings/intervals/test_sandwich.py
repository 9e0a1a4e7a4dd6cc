"""Covariances of ratings, against the formula written out with plain arrays."""

import numpy as np
import pytest
from scipy.stats import norm, t

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.likelihood import fit_counts, win_probability
from arena.ratings.intervals import sandwich
from arena.ratings.scale import POINTS_PER_LOG
from tests.ratings.simulated import simulate


def design(c: Comparisons) -> np.ndarray:
    """(n, m) 1 for the first model of a row and -1 for the second."""
    rows = np.zeros((len(c), len(c.models)))
    rows[np.arange(len(c)), c.i] = 1.0
    rows[np.arange(len(c)), c.j] = -1.0
    return rows


def written_out(c: Comparisons, codes: np.ndarray, clusters: int | None) -> np.ndarray:
    """Inverse Hessian, scores of clusters, inverse Hessian; in Elo points squared.

    clusters: how many, where residuals are made larger for the parameters fitted to them.
    """
    theta, _ = fit_counts(c.pair_counts)
    x = design(c)
    p = 1 / (1 + np.exp(-(x @ theta)))
    inverse = np.linalg.pinv(x.T @ ((p * (1 - p))[:, None] * x))
    scores = (c.outcome - p)[:, None] * x
    sums = np.array([scores[codes == code].sum(axis=0) for code in np.unique(codes)])
    meat = sums.T @ sums
    if clusters is not None:
        meat *= clusters / (clusters - (len(c.models) - 1))
    covariance: np.ndarray = POINTS_PER_LOG**2 * inverse @ meat @ inverse
    return covariance


@pytest.mark.parametrize("seed", range(3))
def test_rows_by_themselves(seed: int) -> None:
    c = simulate(models=5, rows=300, seed=seed)
    found = bradley_terry(c, cluster=None)
    assert found.covariance == pytest.approx(written_out(c, np.arange(300), None), rel=1e-6)
    assert found.ci_high is not None
    half = norm.ppf(0.975) * np.sqrt(np.diagonal(found.covariance))
    assert found.ci_high - found.ratings == pytest.approx(half)


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_a_prompt_together(seed: int) -> None:
    c = simulate(models=4, rows=300, seed=seed, prompts=40)
    found = bradley_terry(c, cluster="prompt")
    assert c.prompt is not None
    expected = written_out(c, c.prompt.codes, found.settings.clusters)
    assert found.covariance == pytest.approx(expected, rel=1e-6)
    assert found.ci_high is not None
    half = t.ppf(0.975, 39) * np.sqrt(np.diagonal(found.covariance))
    assert found.ci_high - found.ratings == pytest.approx(half)


def test_pair_counts_know_the_variance_of_every_row() -> None:
    c = simulate(models=4, rows=200, seed=5)
    c = Comparisons(c.models, c.i, c.j, np.random.default_rng(5).random(200))
    theta, _ = fit_counts(c.pair_counts)
    x, p = design(c), win_probability(theta)[c.i, c.j]
    expected = x.T @ (((c.outcome - p) ** 2)[:, None] * x)
    assert sandwich.pair_meat(c.pair_counts, theta) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("clusters", "freedom", "factor"),
    [
        (10, 4.0, 10 / 6),
        (100, 1.0, 100 / 99),
        (100, 0.2, 100 / 99),  # at least one parameter is fitted
        (4, 9.0, 4.0),  # at most three quarters of the spread are taken to be fitted away
    ],
)
def test_residuals_are_too_small_by_what_was_fitted(
    clusters: int, freedom: float, factor: float
) -> None:
    assert sandwich.inflation(clusters, freedom) == pytest.approx(factor)


def test_groups_that_never_varied_may_yet_vary_by_the_rule_of_three() -> None:
    information = np.array([[2.0, -2.0], [-2.0, 2.0]])
    inverse = np.linalg.pinv(information)
    nothing = np.zeros((2, 2))
    assert sandwich.at_least(nothing, inverse, information, 30) == pytest.approx(0.1 * information)
    assert sandwich.at_least(nothing, inverse, information, 2) == pytest.approx(information)
    enough = 0.2 * information
    assert sandwich.at_least(enough, inverse, information, 30) is enough


def test_a_prior_is_evidence_of_its_own() -> None:
    """Where data say nothing the covariance is the prior's."""
    precision = np.diag([4.0, 2.0])
    bread = np.linalg.inv(precision)
    found = sandwich.covariance(bread, np.zeros((2, 2)), precision)
    assert found == pytest.approx(bread)


def test_quantiles_are_normal_and_students() -> None:
    assert sandwich.quantile(0.95) == pytest.approx(1.959964)
    assert sandwich.quantile(0.95, 4) == pytest.approx(2.776445)
    assert sandwich.quantile(0.95, 0) == pytest.approx(float(t.ppf(0.975, 1)))
    assert sandwich.quantile(0.9, np.array([3, 1e9])) == pytest.approx(
        [float(t.ppf(0.95, 3)), 1.644854]
    )


def test_scores_of_clusters_are_sums_of_those_of_rows() -> None:
    codes = np.array([2, 0, 2])
    i, j = np.array([0, 1, 0]), np.array([1, 2, 2])
    residual, extra = np.array([0.5, -0.25, 1.0]), np.array([[1.0], [2.0], [4.0]])
    found = sandwich.cluster_scores(codes, i, j, residual, 3, extra).toarray()
    assert found.tolist() == [
        [0.0, -0.25, 0.25, 2.0],
        [0.0, 0.0, 0.0, 0.0],
        [1.5, -0.5, -1.0, 5.0],
    ]
    assert sandwich.cluster_scores(codes, i, j, residual, 3, clusters=5).shape == (5, 3)
    scores = sandwich.cluster_scores(codes, i, j, residual, 3)
    dense = scores.toarray()
    assert sandwich.cluster_meat(scores) == pytest.approx(dense.T @ dense)


@pytest.mark.parametrize(("cluster", "covers"), [("voter", True), (None, False)])
def test_intervals_cover_where_voters_differ_and_their_votes_are_put_together(
    cluster: str | None, covers: bool
) -> None:
    """Voters whose taste leans to one model or the other, twenty votes each."""
    voters, each, lean = 40, 20, 1.2
    held = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        taste = rng.normal(0.0, lean, voters)
        p = 1 / (1 + np.exp(-np.repeat(taste, each)))
        outcome = (rng.random(voters * each) < p).astype(float)
        c = Comparisons.from_columns(
            ["a"] * len(outcome), ["b"] * len(outcome), outcome=outcome,
            voter=np.repeat(np.arange(voters), each).tolist(),
        )  # fmt: skip
        found = bradley_terry(c, cluster=cluster, prior="auto")
        assert found.ci_low is not None
        assert found.ci_high is not None
        held += bool(found.ci_low[0] <= 1000.0 <= found.ci_high[0])
    assert (held / 150 > 0.88) == covers
