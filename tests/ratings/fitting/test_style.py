"""Style control beside a fit that goes through the rows; and what is counted in an answer."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from arena.ratings import (
    STYLE_NAMES,
    Comparisons,
    Style,
    bradley_terry,
    style_differences,
    style_of,
)
from arena.ratings.fitting import style as module
from arena.ratings.fitting.style import fit_style
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


def styled(rows: int = 400, seed: int = 0, *, weights: bool = False) -> Comparisons:
    rng = np.random.default_rng(seed)
    base = simulate(4, rows, seed=seed)
    style = {"length": rng.normal(0.2, 3.0, rows), "lists": rng.integers(-2, 3, rows) * 1.0}
    weight = rng.integers(1, 4, rows).astype(float) if weights else None
    propensity = rng.uniform(0.2, 1.0, rows) if weights else None
    return replace(base, style=style, weight=weight, propensity=propensity)


def loss_by_rows(c: Comparisons, x: np.ndarray, names: list[str]) -> float:
    columns = np.stack([c.style[name] for name in names])
    weight = np.ones(len(c)) if c.weight is None else c.weight
    root = np.sqrt((columns**2 * weight).sum(axis=1) / weight.sum())
    models = len(c.models)
    gap = x[c.i] - x[c.j] + x[models:] @ (columns / root[:, None])
    rows = c.outcome * np.logaddexp(0, -gap) + (1 - c.outcome) * np.logaddexp(0, gap)
    return float((rows * (1.0 if c.row_weight is None else c.row_weight)).sum())


@pytest.mark.parametrize("weights", [False, True])
def test_the_fit_is_what_a_general_optimiser_finds(weights: bool) -> None:
    c, names = styled(weights=weights), ["length", "lists"]
    found = minimize(lambda x: loss_by_rows(c, np.append(0.0, x), names), np.zeros(5), tol=1e-12).x
    theta = np.append(0.0, found[:3])
    fitted = fit_style(c, names, None)
    assert fitted.theta == pytest.approx(theta - theta.mean(), abs=1e-5)
    assert fitted.parameters[4:] == pytest.approx(found[3:], abs=1e-5)
    assert fitted.extras == ("length", "lists")


@pytest.mark.parametrize("weights", [False, True])
def test_the_meat_is_that_of_the_rows(weights: bool) -> None:
    c = styled(weights=weights)
    fitted = fit_style(c, ["length"], None)
    residual, extra = fitted.row_scores()
    rows = np.zeros((len(c), 5))
    rows[np.arange(len(c)), c.i] = residual
    rows[np.arange(len(c)), c.j] = -residual
    rows[:, 4] = extra[:, 0]
    assert rows.sum(axis=0) == pytest.approx(np.zeros(5), abs=1e-7)
    # A row of weight w is w rows, so its square counts w times and not w² times.
    per_row = rows if c.weight is None else rows / np.sqrt(c.weight)[:, None]
    assert fitted.independent_meat() == pytest.approx(per_row.T @ per_row)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    c = styled(700)
    whole = fit_style(c, ["length", "lists"], None)
    monkeypatch.setattr(module, "STYLE_BLOCK", 64)
    monkeypatch.setattr(module, "FACTORS", 8)
    parts = fit_style(c, ["length", "lists"], None)
    assert parts.parameters == pytest.approx(whole.parameters, abs=1e-10)
    assert parts.independent_meat() == pytest.approx(whole.independent_meat())


def test_the_scale_of_a_column_changes_nothing() -> None:
    c = styled()
    longer = replace(c, style={"length": c.style["length"] * 1000.0})
    one, other = bradley_terry(c, style="length"), bradley_terry(longer, style="length")
    assert other.ratings == pytest.approx(one.ratings, abs=1e-7)
    assert other.coefficients[0].value == pytest.approx(one.coefficients[0].value)
    assert other.without_style == pytest.approx(bradley_terry(c).ratings)


def test_a_column_that_says_nothing_moves_nothing() -> None:
    """A covariate that is independent of outcomes has an effect within its own error."""
    c = styled(4000, seed=2)
    r = bradley_terry(c, style=["length", "lists"])
    for effect in r.coefficients:
        assert effect.ci_low is not None
        assert effect.ci_high is not None
        assert effect.ci_low < effect.value < effect.ci_high
        assert abs(effect.value) < 3 * (effect.ci_high - effect.ci_low)
    assert r.ratings == pytest.approx(bradley_terry(c).ratings, abs=6.0)


@pytest.mark.parametrize(
    ("name", "column", "sentence"),
    [
        ("x", np.zeros(400), "'x' is zero in every row"),
        ("y", np.full(400, np.nan), "y is nan"),
    ],
)
def test_columns_that_cannot_be_used_are_named(
    name: str, column: np.ndarray, sentence: str
) -> None:
    c = replace(styled(), style={name: column})
    with pytest.raises(InputError, match=sentence):
        bradley_terry(c, style=name)


def test_an_unknown_column_names_those_that_are_there() -> None:
    with pytest.raises(InputError, match=r"no style column named 'size'.*length, lists"):
        bradley_terry(styled(), style="size")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0, 0)),
        ("plain words", (0, 0, 0, 0)),
        ("# One\n## Two\n#Three\n####### Seven", (2, 0, 0, 0)),
        ("- a\n* b\n+ c\n1. d\n2) e\n-f", (0, 5, 0, 0)),
        ("**a** and __b__ but ** c ** and *d*", (0, 0, 2, 0)),
        ("`x` and `y z` and `` ", (0, 0, 0, 2)),
        ("```\n# not a header\n- no item\n**no**\n```\n# yes", (1, 0, 0, 1)),
        ("~~~python\nx\n~~~", (0, 0, 0, 1)),
        ("```\nnever closed\n# x", (0, 0, 0, 1)),
        ("标题\n# 标题\n- 条目", (1, 1, 0, 0)),
    ],
)
def test_what_is_counted_in_an_answer(text: str, counts: tuple[int, int, int, int]) -> None:
    """Headers, items of lists, bold parts and code; and the length in characters."""
    assert style_of(text) == Style(len(text), *counts)


def test_differences_are_relative_and_change_sign_with_the_sides() -> None:
    a, b = ["aaa", "**x**", ""], ["a", "", ""]
    found = style_differences(a, b)
    assert tuple(found) == STYLE_NAMES
    assert found["length"] == pytest.approx([0.5, 1.0, 0.0])
    assert found["bold"] == pytest.approx([0.0, 1.0, 0.0])
    swapped = style_differences(b, a)
    for name in STYLE_NAMES:
        assert swapped[name] == pytest.approx(-found[name])
