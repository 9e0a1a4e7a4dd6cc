"""The optimum and its curvature, against scipy's own minimiser and against finite differences."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.likelihood import (
    fit_counts,
    local_model,
    precision_of,
    prior_precision,
    win_probability,
)
from arena.ratings.fitting.newton import bread, centred
from arena.ratings.scale import POINTS_PER_LOG, to_log, to_points
from tests.ratings.simulated import simulate


def loss(c: Comparisons, theta: np.ndarray, prior: float | None) -> float:
    """Minus the log-likelihood written out row by row, with a normal prior around the mean."""
    gap = theta[c.i] - theta[c.j]
    weight = np.ones(len(c)) if c.weight is None else c.weight
    value = -weight @ (c.outcome * -np.logaddexp(0, -gap) + (1 - c.outcome) * -np.logaddexp(0, gap))
    if prior is not None:
        value += 0.5 * ((theta - theta.mean()) ** 2).sum() * (POINTS_PER_LOG / prior) ** 2
    return float(value)


@pytest.mark.parametrize("prior", [None, 40.0, 400.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_scipys(prior: float | None, weighted: bool, seed: int) -> None:
    c = simulate(models=5, rows=200, seed=seed)
    if weighted:
        weight = np.random.default_rng(seed).uniform(0.2, 3.0, len(c))
        c = Comparisons(c.models, c.i, c.j, c.outcome, weight=weight)
    found = minimize(
        lambda theta: loss(c, theta, prior), np.zeros(5), method="BFGS", options={"gtol": 1e-7}
    )
    ours = to_log(bradley_terry(c, prior=prior).ratings)
    assert ours == pytest.approx(found.x - found.x.mean(), abs=1e-5)


def test_the_loss_its_gradient_and_its_hessian_belong_together() -> None:
    c = simulate(models=4, rows=90, seed=2)
    theta = np.array([0.4, -0.3, 0.1, -0.2])
    here = local_model(c.pair_counts, theta)
    assert here.value == pytest.approx(loss(c, theta, None))
    numeric = approx_fprime(theta, lambda x: local_model(c.pair_counts, x).value, 1e-6)
    assert here.gradient == pytest.approx(numeric, abs=1e-4)
    rows = [
        approx_fprime(theta, lambda x, k=k: local_model(c.pair_counts, x).gradient[k], 1e-6)
        for k in range(4)
    ]
    assert here.hessian == pytest.approx(np.array(rows), abs=1e-4)


def test_the_inverse_is_the_pseudo_inverse_where_that_is_exact() -> None:
    c = simulate(models=6, rows=400, seed=1)
    _, hessian = fit_counts(c.pair_counts)
    assert bread(hessian, 6) == pytest.approx(np.linalg.pinv(hessian), abs=1e-10)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_weights_that_all_grow_leave_ratings_and_divide_variances(scale: float) -> None:
    c = simulate(models=5, rows=300, seed=4)
    grown = Comparisons(c.models, c.i, c.j, c.outcome, weight=np.full(len(c), scale))
    theta, hessian = fit_counts(c.pair_counts)
    again, curved = fit_counts(grown.pair_counts)
    assert again == pytest.approx(theta, abs=1e-9)
    assert bread(curved, 5) * scale == pytest.approx(bread(hessian, 5), rel=1e-8)


def test_a_prior_draws_ratings_together_the_more_the_narrower_it_is() -> None:
    c = simulate(models=6, rows=200, seed=6)
    spreads = [np.ptp(bradley_terry(c, prior=prior).ratings) for prior in (20, 100, 500, 5000)]
    assert spreads == sorted(spreads)
    assert np.ptp(bradley_terry(c).ratings) == pytest.approx(spreads[-1], rel=0.01)
    assert prior_precision(6, None) is None


def test_a_prior_knows_no_origin() -> None:
    """It is on ratings around their mean, so that moving all of them costs nothing."""
    precision = precision_of(4, 300.0)
    assert precision @ np.ones(4) == pytest.approx(np.zeros(4))
    theta = np.array([0.3, -0.1, 0.5, -0.7])
    size = ((theta - theta.mean()) ** 2).sum() * (POINTS_PER_LOG / 300.0) ** 2
    assert theta @ precision @ theta == pytest.approx(size)


def test_win_probabilities_are_logistic_and_sum_to_one() -> None:
    theta = np.array([0.0, np.log(3.0), 800.0])
    p = win_probability(theta)
    assert p[1, 0] == pytest.approx(0.75)
    assert p + p.T == pytest.approx(np.ones((3, 3)))
    assert (p[2, 0], p[0, 2]) == (1.0, 0.0)


def test_points_and_log_strengths_are_each_others_inverse() -> None:
    theta = np.array([0.7, -0.2, -0.5])
    assert to_log(to_points(theta)) == pytest.approx(theta)
    points = to_points(np.array([np.log(10.0), 0.0]))
    assert points.tolist() == pytest.approx([1200.0, 800.0])  # ten to one is 400 points


def test_centring_takes_the_mean_out_of_models_and_leaves_the_rest() -> None:
    matrix = np.random.default_rng(0).normal(size=(5, 5))
    matrix += matrix.T
    found = centred(matrix, 3)
    assert found[:3].sum(axis=0) == pytest.approx(np.zeros(5))
    assert found[:, :3].sum(axis=1) == pytest.approx(np.zeros(5))
    assert found[3:, 3:] == pytest.approx(matrix[3:, 3:])
    assert centred(found, 3) == pytest.approx(found)
