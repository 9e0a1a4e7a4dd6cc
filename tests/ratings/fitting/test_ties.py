"""Models with a probability of their own for ties, beside a fit that goes through the rows."""

import numpy as np
import pytest
from scipy.optimize import minimize

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.fitting.ties import TERMS, Terms, davidson_terms, fit_ties, rao_kupper_terms
from arena.records.errors import ConvergenceError, InputError, RatingError
from tests.ratings.simulated import simulate

MODELS = ("davidson", "rao-kupper")


def chances(model: str, gap: float, extra: float) -> tuple[float, float, float]:
    """Win, tie and loss as the papers define them."""
    if model == "davidson":
        win, tie, loss = np.exp(gap / 2), np.exp(extra), np.exp(-gap / 2)
        whole = win + tie + loss
        return win / whole, tie / whole, loss / whole
    win = 1 / (1 + np.exp(extra - gap))
    loss = 1 / (1 + np.exp(extra + gap))
    return win, 1 - win - loss, loss


def loss_by_rows(c: Comparisons, x: np.ndarray, model: str) -> float:
    total = 0.0
    for row in range(len(c)):
        p = chances(model, x[c.i[row]] - x[c.j[row]], x[-1])
        weight = 1.0 if c.row_weight is None else c.row_weight[row]
        total -= weight * np.log(p[2 - round(2 * c.outcome[row])])
    return total


@pytest.mark.parametrize("model", MODELS)
def test_terms_are_the_papers_probabilities(model: str) -> None:
    gaps = np.array([[0.0, 1.3], [-1.3, 0.0]])
    terms: Terms = TERMS[model](gaps, 0.4)
    p = np.exp(terms.log_p)
    assert p.sum(axis=0) == pytest.approx(np.ones((2, 2)))
    for i in range(2):
        for j in range(2):
            assert p[:, i, j] == pytest.approx(chances(model, gaps[i, j], 0.4))
    # Seen from the other side a win is a loss, and a tie stays one.
    assert p[0] == pytest.approx(p[2].T)
    assert p[1] == pytest.approx(p[1].T)


@pytest.mark.parametrize("terms", [davidson_terms, rao_kupper_terms])
def test_derivatives_are_those_of_the_probabilities(terms) -> None:  # type: ignore[no-untyped-def]
    gap, extra, h = np.array([[0.7]]), 0.6, 1e-6
    here = terms(gap, extra)
    by_gap = (terms(gap + h, extra).log_p - terms(gap - h, extra).log_p) / (2 * h)
    by_tie = (terms(gap, extra + h).log_p - terms(gap, extra - h).log_p) / (2 * h)
    assert here.by_gap == pytest.approx(by_gap, abs=1e-8)
    assert here.by_tie == pytest.approx(by_tie, abs=1e-8)
    slope = (terms(gap + h, extra).by_gap - terms(gap - h, extra).by_gap) / (2 * h)
    mixed = (terms(gap, extra + h).by_gap - terms(gap, extra - h).by_gap) / (2 * h)
    assert here.gap_gap == pytest.approx(-slope, abs=1e-7)
    assert here.gap_tie == pytest.approx(-mixed, abs=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_the_fit_is_what_a_general_optimiser_finds(model: str) -> None:
    c = simulate(4, 250, ties=0.3, seed=3)

    def loss(x: np.ndarray) -> float:
        theta = np.append(0.0, x[:3])
        return loss_by_rows(c, np.append(theta, np.exp(x[3])), model)

    found = minimize(loss, np.zeros(4), tol=1e-11).x
    theta = np.append(0.0, found[:3])
    fitted = fit_ties(c, model, None)
    assert fitted.theta == pytest.approx(theta - theta.mean(), abs=2e-5)
    assert fitted.parameters[-1] == pytest.approx(np.exp(found[3]), abs=2e-5)


@pytest.mark.parametrize("model", MODELS)
def test_row_scores_sum_to_nothing_at_the_fit_and_give_the_meat(model: str) -> None:
    c = simulate(4, 300, seed=8)
    fitted = fit_ties(c, model, None)
    residual, extra = fitted.row_scores()
    assert extra is not None
    rows = np.zeros((len(c), 5))
    rows[np.arange(len(c)), c.i] = residual
    rows[np.arange(len(c)), c.j] = -residual
    rows[:, 4] = extra[:, 0]
    assert rows.sum(axis=0) == pytest.approx(np.zeros(5), abs=1e-8)
    assert fitted.independent_meat() == pytest.approx(rows.T @ rows)


@pytest.mark.parametrize("model", MODELS)
def test_weights_are_copies(model: str) -> None:
    c = simulate(4, 120, seed=5)
    copied = c.select(np.repeat(np.arange(len(c)), 3))
    weighted = Comparisons(c.models, c.i, c.j, c.outcome, weight=np.full(len(c), 3.0))
    one, other = fit_ties(copied, model, None), fit_ties(weighted, model, None)
    assert other.parameters == pytest.approx(one.parameters, abs=1e-9)
    assert other.hessian == pytest.approx(one.hessian)


@pytest.mark.parametrize("model", MODELS)
def test_a_prior_draws_ratings_together_and_leaves_the_tie_parameter_free(model: str) -> None:
    c = simulate(4, 200, seed=6)
    plain, drawn = fit_ties(c, model, None), fit_ties(c, model, precision_of(4, 20.0))
    assert np.ptp(drawn.theta) < 0.5 * np.ptp(plain.theta)
    # Of models that are nearly alike ties are a share of all comparisons.
    flat = fit_ties(c, model, precision_of(4, 1e-3))
    share = (c.outcome == 0.5).mean()
    assert chances(model, 0.0, flat.parameters[-1])[1] == pytest.approx(share, abs=1e-4)


def test_few_ties_change_little_beside_half_wins() -> None:
    c = simulate(5, 3000, ties=0.02, seed=1)
    half, davidson = bradley_terry(c), bradley_terry(c, ties="davidson")
    assert davidson.ratings == pytest.approx(half.ratings, abs=8.0)
    assert davidson.coefficients[0].name == "log ν"


@pytest.mark.parametrize("model", MODELS)
def test_ties_alone_are_an_error(model: str) -> None:
    c = Comparisons.from_columns("aab", "bcc", outcome=[0.5] * 3)
    with pytest.raises(RatingError, match="every comparison is a tie"):
        fit_ties(c, model, None)


def test_a_style_column_does_not_go_with_a_tie_model() -> None:
    c = simulate(4, 100)
    with_style = Comparisons(c.models, c.i, c.j, c.outcome, style={"x": np.ones(len(c))})
    with pytest.raises(InputError, match="half"):
        bradley_terry(with_style, ties="davidson", style="x")


def test_what_no_parameter_explains_does_not_settle() -> None:
    """With one win and ties otherwise, the better the winner is the fewer ties are to explain."""
    c = Comparisons.from_columns("a" * 6, "b" * 6, ["model_a"] * 3 + ["tie"] * 3)
    with pytest.raises(ConvergenceError):
        fit_ties(c, "davidson", None)
