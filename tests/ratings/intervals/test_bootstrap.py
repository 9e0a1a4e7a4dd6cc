"""Bootstrap draws: what they are draws of, and what they do not depend on."""

from dataclasses import replace

import numpy as np
import pytest

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import fit_counts, precision_of
from arena.ratings.intervals import bootstrap
from arena.ratings.intervals.bootstrap import resample
from arena.records.errors import InputError, RatingError
from tests.ratings.simulated import simulate


def draws(c: Comparisons, clusters: np.ndarray | None = None, **options: float) -> np.ndarray:
    prior = options.get("prior")
    precision = None if prior is None else precision_of(len(c.models), prior)
    theta, hessian = fit_counts(c.pair_counts, precision)
    rounds, seed = int(options.get("rounds", 200)), int(options.get("seed", 0))
    return resample(c, clusters, theta, hessian, precision, rounds, seed)


def test_draws_are_ratings_with_mean_nought_around_the_fit() -> None:
    c = simulate(5, 800)
    found = draws(c, rounds=400)
    assert found.shape == (400, 5)
    assert found.mean(axis=1) == pytest.approx(np.zeros(400), abs=1e-9)
    error = found.std(axis=0) / np.sqrt(400)
    assert (np.abs(found.mean(axis=0) - fit_half(c, None).theta) < 5 * error).all()


def test_machines_with_more_cores_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    c = simulate(4, 300)
    few = draws(c, rounds=30)
    monkeypatch.setattr(bootstrap.os, "cpu_count", lambda: 64)
    assert draws(c, rounds=30).tolist() == few.tolist()


def test_the_seed_fixes_the_draws() -> None:
    c = simulate(4, 300)
    assert draws(c, rounds=20, seed=1).tolist() == draws(c, rounds=20, seed=1).tolist()
    assert draws(c, rounds=20, seed=1).tolist() != draws(c, rounds=20, seed=2).tolist()


def test_each_draw_is_the_exact_fit_of_its_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chord method stops near the optimum; the distance left is far below any interval."""
    c = simulate(4, 200)
    seen = []
    plain = bootstrap._refit

    def kept(points: np.ndarray, *rest: object) -> np.ndarray:
        found: np.ndarray = plain(points, *rest)  # type: ignore[arg-type]
        seen.append((points.copy(), found))
        return found

    monkeypatch.setattr(bootstrap, "_refit", kept)
    draws(c, rounds=16)
    counts = c.pair_counts
    for points, found in seen:
        whole = replace(counts, wins=points, ties=np.zeros_like(points))
        exact, _ = fit_counts(whole)
        assert found == pytest.approx(exact, abs=2e-4)


def test_clusters_that_repeat_rows_are_drawn_as_a_whole() -> None:
    """Every row four times in its own cluster is as wide as the rows alone."""
    c = simulate(4, 250, seed=2)
    four = c.select(np.repeat(np.arange(250), 4))
    clusters = np.repeat(np.arange(250), 4)
    alone = draws(c, np.arange(250), rounds=400).std(axis=0)
    assert draws(four, clusters, rounds=400).std(axis=0) == pytest.approx(alone, rel=0.15)
    apart = draws(four, rounds=400).std(axis=0)
    assert apart == pytest.approx(alone / 2, rel=0.15)


def test_weights_of_rows_are_copies() -> None:
    c = simulate(4, 150, seed=2)
    heavy = Comparisons(c.models, c.i, c.j, c.outcome, weight=np.full(150, 4.0))
    four = c.select(np.repeat(np.arange(150), 4))
    one, other = (draws(x, rounds=400).std(axis=0) for x in (heavy, four))
    assert one == pytest.approx(other, rel=0.15)


def test_the_prior_is_drawn_as_data_are() -> None:
    """Where there are hardly any data the draws are those of the prior."""
    c = Comparisons.from_columns("ab", "bc", outcome=[0.5, 0.5], weight=[1e-3, 1e-3])
    found = draws(c, np.arange(2), rounds=2000, prior=100.0)
    expected = np.sqrt(np.diagonal(np.linalg.pinv(precision_of(3, 100.0))))
    assert found.std(axis=0) == pytest.approx(expected, rel=0.08)


def test_a_resample_without_finite_ratings_says_what_to_do() -> None:
    c = Comparisons.from_columns("ab" * 2, "ba" * 2, ["model_a", "model_a"] * 2)
    with pytest.raises(RatingError, match="never lost or never won") as refused:
        bradley_terry(c, interval="bootstrap", cluster=None, rounds=100)
    assert "prior" in str(refused.value)
    assert "sandwich" in str(refused.value)
    r = bradley_terry(c, interval="bootstrap", cluster=None, rounds=100, prior=400.0)
    assert np.isfinite(r.ratings).all()


def test_a_bootstrap_of_one_round_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2"):
        bradley_terry(simulate(), interval="bootstrap", rounds=1)
