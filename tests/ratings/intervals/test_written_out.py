"""Covariances of ratings, against the formula written out with plain arrays."""

import numpy as np
import pytest
from scipy.stats import norm, t

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.likelihood import fit_counts
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
