"""Models with more than ratings: ties of their own, and style; against scipy's minimiser."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from arena.errors import InputError, RatingError
from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.fitted import Fitted, fit_half
from arena.ratings.fitting.style import fit_style, style_differences, style_of
from arena.ratings.fitting.ties import davidson_terms, fit_ties, rao_kupper_terms
from arena.ratings.scale import to_log
from tests.ratings.simulated import simulate

Loss = Callable[[Comparisons, np.ndarray], float]


def davidson(c: Comparisons, x: np.ndarray) -> float:
    """Davidson 1970: win, tie and loss as e^(d/2), ν and e^(-d/2), row by row."""
    d, log_nu = x[c.i] - x[c.j], x[-1]
    each = np.stack([-d / 2, np.full_like(d, log_nu), d / 2])  # loss, tie, win
    whole = np.logaddexp.reduce(each, axis=0)
    return float((whole - each[(2 * c.outcome).astype(int), np.arange(len(c))]).sum())


def rao_kupper(c: Comparisons, x: np.ndarray) -> float:
    """Rao and Kupper 1967: with π = e^x and θ = e^κ, P(i wins) = π_i / (π_i + θ π_j)."""
    if x[-1] <= 0:
        return np.inf
    pi, theta = np.exp(x[:-1]), np.exp(x[-1])
    i, j = pi[c.i], pi[c.j]
    win, loss = i / (i + theta * j), j / (j + theta * i)
    p = np.select([c.outcome == 1, c.outcome == 0], [win, loss], 1 - win - loss)
    return float(-np.log(p).sum())


@pytest.mark.parametrize(("model", "loss"), [("davidson", davidson), ("rao-kupper", rao_kupper)])
@pytest.mark.parametrize("seed", range(3))
def test_a_model_of_ties_is_fitted_as_scipy_fits_it(model: str, loss: Loss, seed: int) -> None:
    c = simulate(models=4, rows=250, ties=0.3, seed=seed)
    start = np.array([0.0, 0.0, 0.0, 0.0, 0.5])
    patience = {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-8, "fatol": 1e-10}
    found = minimize(lambda x: loss(c, x), start, method="Nelder-Mead", options=patience)
    ours = bradley_terry(c, ties=model)
    assert to_log(ours.ratings) == pytest.approx(found.x[:4] - found.x[:4].mean(), abs=1e-4)
    (tie,) = ours.coefficients
    assert tie.value == pytest.approx(found.x[-1], abs=1e-4)
    fitted = fit_ties(c, model, None)
    assert loss(c, fitted.parameters) == pytest.approx(found.fun, abs=1e-6)


@pytest.mark.parametrize("terms", [davidson_terms, rao_kupper_terms])
def test_win_tie_and_loss_are_all_that_can_happen(terms: Callable[..., object]) -> None:
    d = np.linspace(-6, 6, 41).reshape(1, -1)
    for tie in (0.05, 0.7, 3.0):
        here = terms(d, tie)
        p = np.exp(here.log_p)
        assert p.sum(axis=0) == pytest.approx(np.ones_like(d))
        assert p[0, :, ::-1] == pytest.approx(p[2])  # the other side sees the other outcome
        # The mean score is 0 at the truth, and its variance is the information.
        for name in ("by_gap", "by_tie"):
            assert (p * getattr(here, name)).sum(axis=0) == pytest.approx(np.zeros_like(d))
        for name, (one, other) in {
            "gap_gap": ("by_gap", "by_gap"),
            "gap_tie": ("by_gap", "by_tie"),
            "tie_tie": ("by_tie", "by_tie"),
        }.items():
            product = (p * getattr(here, one) * getattr(here, other)).sum(axis=0)
            assert (p * getattr(here, name)).sum(axis=0) == pytest.approx(product)


@pytest.mark.parametrize("model", ["davidson", "rao-kupper"])
def test_more_ties_are_a_larger_tie_parameter(model: str) -> None:
    values = [
        bradley_terry(simulate(models=3, rows=500, ties=share), ties=model).coefficients[0].value
        for share in (0.05, 0.2, 0.5, 0.8)
    ]
    assert values == sorted(values)


@pytest.mark.parametrize("model", ["davidson", "rao-kupper"])
@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        ([1.0, 0.0, 1.0, 0.0], RatingError, "there are no ties for ties='{}' to learn from"),
        ([0.5, 0.5, 0.5, 0.5], RatingError, "every comparison is a tie, so the tie parameter is"),
        ([0.5, 0.25, 0.0, 1.0], InputError, "ties='{}' needs outcomes of 0, one half and 1"),
    ],
)
def test_a_model_of_ties_says_what_it_lacks(
    model: str, outcome: list[float], error: type[Exception], said: str
) -> None:
    c = Comparisons.from_columns(list("abab"), list("baba"), outcome=outcome)
    with pytest.raises(error) as caught:
        bradley_terry(c, ties=model, prior=400)
    assert str(caught.value).startswith(said.format(model))


def styled(seed: int = 0, effect: float = 0.8, rows: int = 400) -> Comparisons:
    """Answers of which the longer one is liked, whoever wrote it."""
    c = simulate(models=4, rows=rows, ties=0.0, seed=seed)
    rng = np.random.default_rng(seed)
    length = rng.normal(size=rows)
    theta = np.linspace(-1, 1, 4)
    p = 1 / (1 + np.exp(-(theta[c.i] - theta[c.j] + effect * length)))
    return replace(c, outcome=(rng.random(rows) < p).astype(float), style={"length": length})


@pytest.mark.parametrize("seed", range(3))
def test_style_is_fitted_as_scipy_fits_it(seed: int) -> None:
    c = styled(seed)
    length = c.style["length"] / np.sqrt(np.mean(c.style["length"] ** 2))

    def loss(x: np.ndarray) -> float:
        gap = x[c.i] - x[c.j] + x[-1] * length
        return float(np.logaddexp(0, gap).sum() - c.outcome @ gap)

    found = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7})
    ours = bradley_terry(c, style="length")
    assert to_log(ours.ratings) == pytest.approx(found.x[:4] - found.x[:4].mean(), abs=1e-4)
    assert ours.coefficients[0].value == pytest.approx(found.x[-1], abs=1e-4)


def test_style_twice_as_large_is_the_same_style() -> None:
    c = styled()
    grown = replace(c, style={"length": 2000 * c.style["length"]})
    one, other = (bradley_terry(x, style="length") for x in (c, grown))
    assert other.ratings == pytest.approx(one.ratings)
    assert other.coefficients[0].value == pytest.approx(one.coefficients[0].value)


def test_the_other_side_has_the_other_style() -> None:
    c = styled(2)
    one, other = (bradley_terry(x, style="length") for x in (c, c.swapped()))
    assert other.ratings == pytest.approx(one.ratings)
    assert other.coefficients[0].value == pytest.approx(one.coefficients[0].value)
    assert other.ci_low == pytest.approx(one.ci_low)


def test_style_that_does_nothing_changes_next_to_nothing() -> None:
    c = styled(1, effect=0.0, rows=4000)
    held = bradley_terry(c, style="length")
    effect = held.coefficients[0]
    assert effect.ci_low is not None
    assert effect.ci_high is not None
    assert effect.ci_low < 0 < effect.ci_high
    assert held.ratings == pytest.approx(bradley_terry(c).ratings, abs=3)
    assert held.without_style == pytest.approx(bradley_terry(c).ratings)


@pytest.mark.parametrize(
    "make", [lambda c: fit_half(c, None), lambda c: fit_style(c, ["length"], None)]
)
def test_independent_rows_are_clusters_of_one_row(make: Callable[[Comparisons], Fitted]) -> None:
    """The quick way by pair counts, and the way row by row."""
    c = styled(3)
    fitted = make(c)
    by_rows = fitted.meat(np.arange(len(c)))
    assert fitted.independent_meat() == pytest.approx(by_rows)


@pytest.mark.parametrize("model", ["davidson", "rao-kupper"])
def test_independent_rows_of_a_tie_model_are_clusters_of_one_row(model: str) -> None:
    c = simulate(models=4, rows=200, ties=0.3)
    fitted = fit_ties(c, model, None)
    assert fitted.independent_meat() == pytest.approx(fitted.meat(np.arange(len(c))))


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0, 0, 0)),
        ("plain text", (10, 0, 0, 0, 0)),
        ("# One\n\n## Two\nno # three", (None, 2, 0, 0, 0)),
        ("#hashtag\n####### seven", (None, 0, 0, 0, 0)),
        ("- a\n* b\n+ c\n1. d\n2) e\n-f\n- ", (None, 0, 5, 0, 0)),
        ("**bold** and __bold__, not ** this ** nor **this", (None, 0, 0, 2, 0)),
        ("`code` and `more`, not ` this", (None, 0, 0, 0, 2)),
        ("```\n# no header\n- no item\n**no bold**\n```\n- item", (None, 0, 1, 0, 1)),
        ("```\nnever closed\n# still code", (None, 0, 0, 0, 1)),
        ("~~~py\nx\n~~~\n`y`", (None, 0, 0, 0, 2)),
        ("标题\n# 一\n- 二", (None, 1, 1, 0, 0)),
    ],
)
def test_what_is_counted_of_a_text(text: str, counts: tuple[int | None, ...]) -> None:
    found = style_of(text)
    assert found.length == len(text)
    assert (found.headers, found.lists, found.bold, found.code) == counts[1:]


def test_differences_of_style_are_relative() -> None:
    found = style_differences(["aaa", "# x", ""], ["a", "", ""])
    assert found["length"].tolist() == [0.5, 1.0, 0.0]
    assert found["headers"].tolist() == [0.0, 1.0, 0.0]
    back = style_differences(["a", "", ""], ["aaa", "# x", ""])
    for name, column in found.items():
        assert (-back[name]).tolist() == column.tolist()
