"""The likelihood on pair counts, beside one that goes through the rows and knows no shortcut."""

import numpy as np
import pytest
from scipy.optimize import minimize

from arena.ratings import Comparisons
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import (
    fit_counts,
    local_model,
    precision_of,
    prior_precision,
    win_probability,
    with_prior,
)
from arena.ratings.fitting.newton import bread
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


def loss_by_rows(c: Comparisons, theta: np.ndarray) -> float:
    """Minus the log-likelihood, row by row: a tie is half a win and half a loss."""
    total = 0.0
    for row in range(len(c)):
        gap = theta[c.i[row]] - theta[c.j[row]]
        weight = 1.0 if c.row_weight is None else c.row_weight[row]
        win = -np.logaddexp(0.0, -gap)
        loss = -np.logaddexp(0.0, gap)
        total -= weight * (c.outcome[row] * win + (1.0 - c.outcome[row]) * loss)
    return total


def weighted(rows: int = 80, seed: int = 4) -> Comparisons:
    """Comparisons with soft outcomes, weights and propensities."""
    rng = np.random.default_rng(seed)
    base = simulate(4, rows, seed=seed)
    return Comparisons(
        base.models,
        base.i,
        base.j,
        rng.random(rows),
        weight=rng.integers(1, 5, rows).astype(float),
        propensity=rng.uniform(0.1, 1.0, rows),
    )


@pytest.mark.parametrize("c", [simulate(4, 120), weighted()], ids=["hard", "soft and weighted"])
def test_the_loss_on_counts_is_that_of_the_rows(c: Comparisons) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        theta = rng.normal(size=4)
        assert local_model(c.pair_counts, theta).value == pytest.approx(loss_by_rows(c, theta))


@pytest.mark.parametrize("c", [simulate(4, 120), weighted()], ids=["hard", "soft and weighted"])
def test_the_fit_is_what_a_general_optimiser_finds(c: Comparisons) -> None:
    found = minimize(lambda x: loss_by_rows(c, np.append(0.0, x)), np.zeros(3), tol=1e-12).x
    expected = np.append(0.0, found)
    theta, _ = fit_counts(c.pair_counts)
    assert theta == pytest.approx(expected - expected.mean(), abs=1e-5)
    assert theta.mean() == pytest.approx(0.0, abs=1e-14)


def test_the_fit_with_a_prior_is_the_mode_of_the_posterior() -> None:
    c = simulate(4, 40, seed=2)
    precision = precision_of(4, 200.0)
    mean = np.array([0.5, -0.5, 0.2, -0.2])

    def posterior(x: np.ndarray) -> float:
        theta = x - x.mean()
        return loss_by_rows(c, theta) + 0.5 * float((theta - mean) @ precision @ (theta - mean))

    found = minimize(posterior, np.zeros(4), tol=1e-13).x
    theta, hessian = fit_counts(c.pair_counts, precision, mean)
    assert theta == pytest.approx(found - found.mean(), abs=1e-5)
    plain = local_model(c.pair_counts, theta).hessian
    assert hessian == pytest.approx(plain + precision)


def test_where_the_fit_starts_does_not_matter() -> None:
    counts = simulate(5, 200).pair_counts
    first, _ = fit_counts(counts)
    for start in (np.zeros(5), np.array([3.0, -3.0, 2.0, -2.0, 0.0])):
        assert fit_counts(counts, start=start)[0] == pytest.approx(first, abs=1e-10)


def test_win_probabilities_of_a_pair_sum_to_one_and_never_overflow() -> None:
    theta = np.array([-2000.0, -1.0, 0.0, 0.5, 2000.0])
    p = win_probability(theta)
    assert p + p.T == pytest.approx(np.ones((5, 5)))
    assert p[4, 0] == 1.0
    assert p[0, 4] == 0.0
    assert p[3, 2] == pytest.approx(1 / (1 + np.exp(-0.5)))


def test_the_prior_is_on_ratings_around_their_mean() -> None:
    precision = precision_of(3, 100.0)
    deviation = 100.0 / POINTS_PER_LOG
    # A common shift costs nothing. A deviation of one standard deviation costs one half.
    assert precision @ np.ones(3) == pytest.approx(np.zeros(3))
    offset = np.array([1.0, -1.0, 0.0]) * deviation / np.sqrt(2.0)
    assert 0.5 * offset @ precision @ offset == pytest.approx(0.5)
    assert prior_precision(3, None) is None
    assert prior_precision(3, 100.0) == pytest.approx(precision)


@pytest.mark.parametrize("prior", [0.0, -1.0, np.inf, np.nan])
def test_a_prior_that_is_no_deviation_is_refused(prior: float) -> None:
    with pytest.raises(InputError, match="standard deviation in Elo points, above 0"):
        precision_of(3, prior)


def test_without_a_prior_the_loss_is_handed_on() -> None:
    local = local_model(simulate(3, 30).pair_counts, np.zeros(3))
    assert with_prior(local, np.zeros(3), None) is local


def test_a_prior_leaves_extra_parameters_alone() -> None:
    c = simulate(3, 60)
    local = local_model(c.pair_counts, np.array([0.1, 0.2, -0.3]))
    pulled = with_prior(local, np.array([0.1, 0.2]), precision_of(2, 100.0))
    assert pulled.gradient[2] == local.gradient[2]
    assert pulled.hessian[2].tolist() == local.hessian[2].tolist()


def test_row_scores_sum_to_nothing_at_the_fit_and_give_the_meat() -> None:
    c = simulate(5, 300, seed=9)
    fitted = fit_half(c, None)
    residual, extra = fitted.row_scores()
    assert extra is None
    pushed = np.bincount(c.i, residual, minlength=5) - np.bincount(c.j, residual, minlength=5)
    assert pushed == pytest.approx(np.zeros(5), abs=1e-9)
    rows = np.zeros((len(c), 5))
    rows[np.arange(len(c)), c.i] = residual
    rows[np.arange(len(c)), c.j] = -residual
    assert fitted.independent_meat() == pytest.approx(rows.T @ rows)
    # Where every row is a cluster of its own, clusters say the same.
    assert fitted.meat(np.arange(len(c))) == pytest.approx(rows.T @ rows)


def test_the_data_determine_all_ratings_but_their_origin() -> None:
    plain = fit_half(simulate(5, 300), None)
    assert plain.freedom(bread(plain.hessian, 5)) == pytest.approx(4.0)
    drawn = fit_half(simulate(5, 300), precision_of(5, 50.0))
    assert drawn.freedom(bread(drawn.hessian, 5)) < 4.0
    assert drawn.information == pytest.approx(drawn.hessian - precision_of(5, 50.0))
