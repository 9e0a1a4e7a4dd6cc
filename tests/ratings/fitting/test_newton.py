"""Newton's method and the inverse Hessian among ratings with mean 0."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import pinvh

from arena.ratings.fitting.newton import LocalModel, bread, centred, minimise
from arena.records.errors import ConvergenceError


def laplacian(models: int, seed: int = 0) -> np.ndarray:
    """A Hessian of ratings: weights of pairs, with rows that sum to nothing."""
    weight = np.triu(np.random.default_rng(seed).uniform(0.5, 2.0, (models, models)), 1)
    weight += weight.T
    return np.diag(weight.sum(axis=1)) - weight


def quadratic(hessian: np.ndarray, optimum: np.ndarray) -> Callable[[np.ndarray], LocalModel]:
    def evaluate(x: np.ndarray) -> LocalModel:
        off = x - optimum
        return LocalModel(0.5 * float(off @ hessian @ off), hessian @ off, hessian)

    return evaluate


def test_a_quadratic_loss_is_minimised_and_ratings_have_mean_nought() -> None:
    hessian, optimum = laplacian(5), np.array([2.0, -1.0, 0.5, 3.0, 0.0])
    x, here = minimise(quadratic(hessian, optimum), np.zeros(5), np.ones(5), 5)
    assert x == pytest.approx(optimum - optimum.mean())
    assert here.value == pytest.approx(0.0, abs=1e-12)


def test_extra_parameters_are_not_centred() -> None:
    hessian = np.zeros((5, 5))
    hessian[:4, :4], hessian[4, 4] = laplacian(4), 2.0
    optimum = np.array([1.0, -1.0, 0.5, -0.5, 7.0])
    x, _ = minimise(quadratic(hessian, optimum), np.zeros(5), np.ones(5), 4)
    assert x == pytest.approx(optimum)


def test_a_step_that_overshoots_is_halved() -> None:
    """log cosh has a Newton step that diverges from any start beyond 1.09."""

    def evaluate(x: np.ndarray) -> LocalModel:
        gap = x[0] - x[1] - 1.0
        slope = np.tanh(gap)
        curve = 1.0 - slope**2 + 1e-6
        return LocalModel(
            float(np.logaddexp(gap, -gap)),
            np.array([slope, -slope]),
            curve * np.array([[1.0, -1.0], [-1.0, 1.0]]),
        )

    x, _ = minimise(evaluate, np.array([3.0, -3.0]), np.ones(2), 2)
    assert x == pytest.approx([0.5, -0.5], abs=1e-9)


def test_an_optimum_at_infinity_is_an_error() -> None:
    """-log sigmoid falls for ever: gradients vanish but steps do not."""

    def evaluate(x: np.ndarray) -> LocalModel:
        gap = x[0] - x[1]
        p = 1.0 / (1.0 + np.exp(gap))
        return LocalModel(
            float(np.logaddexp(0.0, -gap)),
            np.array([-p, p]),
            p * (1 - p) * np.array([[1.0, -1.0], [-1.0, 1.0]]),
        )

    with pytest.raises(ConvergenceError, match="Ask for a prior"):
        minimise(evaluate, np.zeros(2), np.ones(2), 2)


def test_a_singular_hessian_is_an_error() -> None:
    apart = np.zeros((4, 4))
    apart[:2, :2] = apart[2:, 2:] = [[1.0, -1.0], [-1.0, 1.0]]
    with pytest.raises(ConvergenceError, match="The Hessian is singular"):
        bread(apart, 4)


@pytest.mark.parametrize("models", [2, 3, 8])
def test_the_inverse_is_the_pseudo_inverse(models: int) -> None:
    hessian = laplacian(models, seed=models)
    assert bread(hessian, models) == pytest.approx(pinvh(hessian), abs=1e-12)


def test_the_inverse_stays_exact_over_many_orders_of_magnitude() -> None:
    """A chain of models whose pairs met 1 to 10^10 times: variances are sums along the chain."""
    weights = 10.0 ** np.arange(0, 11, 2)
    models = len(weights) + 1
    hessian = np.zeros((models, models))
    for k, weight in enumerate(weights):
        hessian[k : k + 2, k : k + 2] += weight * np.array([[1.0, -1.0], [-1.0, 1.0]])
    inverse = bread(hessian, models)
    for k, weight in enumerate(weights):
        step = np.zeros(models)
        step[k], step[k + 1] = 1.0, -1.0
        assert step @ inverse @ step == pytest.approx(1.0 / weight, rel=1e-5)
    ends = np.zeros(models)
    ends[0], ends[-1] = 1.0, -1.0
    assert ends @ inverse @ ends == pytest.approx((1.0 / weights).sum(), rel=1e-12)


def test_centring_takes_out_the_mean_over_models_only() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 5))
    matrix = matrix + matrix.T
    result = centred(matrix, 3)
    assert result[:3].mean(axis=0) == pytest.approx(np.zeros(5))
    assert result[:, :3].mean(axis=1) == pytest.approx(np.zeros(5))
    assert result[3:, 3:] == pytest.approx(matrix[3:, 3:])
    assert centred(result, 3) == pytest.approx(result)
