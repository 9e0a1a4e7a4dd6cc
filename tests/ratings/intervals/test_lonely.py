"""Which rows say how much ratings vary."""

import numpy as np
import pytest

from arena.ratings import Comparisons, bradley_terry, combine, concat
from arena.ratings.bradley_terry import fit
from arena.ratings.fitting.likelihood import win_probability
from arena.ratings.result import Settings

OTHERS = 20  # prompts on which three models are compared
FIT = Settings(method="bradley-terry", ties="half", confidence=0.95)


def met(prompts: list[str]) -> Comparisons:
    """Three models compared at random, and a new one on these prompts, which wins all but one."""
    rng = np.random.default_rng(3)
    rows = []
    for k in range(6 * OTHERS):
        a, b = rng.choice(["a", "b", "c"], 2, replace=False)
        rows.append((str(a), str(b), ["model_a", "model_b"][rng.integers(2)], f"p{k % OTHERS}"))
    for k, prompt in enumerate(prompts):
        rows.append(("new", "abc"[k % 3], "model_a" if k else "model_b", prompt))
    a, b, winner, prompt = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, winner, prompt=prompt)


def width(c: Comparisons, cluster: str | None = "prompt") -> float:
    found = bradley_terry(c, cluster=cluster)
    assert found.ci_low is not None
    assert found.ci_high is not None
    return float((found.ci_high - found.ci_low)[found.models.index("new")])


@pytest.mark.parametrize("prompts", [["p3"] * 6, ["p3"] * 5 + ["p4"]])
def test_a_model_that_was_met_on_one_prompt_is_not_certain(prompts: list[str]) -> None:
    c = met(prompts)
    assert width(c) > 0.6 * width(c, None)


@pytest.mark.parametrize("method", ["human", "ppi", "joint"])
def test_nor_is_it_beside_judges_who_met_it_there_as_well(method: str) -> None:
    def error(prompts: list[str]) -> float:
        votes = met(prompts)
        found = combine(votes, {"judge": concat([votes, met(prompts)])}, method=method)
        assert found.covariance is not None
        new = found.models.index("new")
        return float(found.covariance[new, new]) ** 0.5

    assert error(["p3"] * 12) > 0.6 * error([f"p{k}" for k in range(12)])


def test_votes_cast_twice_do_not_narrow_the_interval_of_a_lonely_model() -> None:
    c = met(["p3"] * 6)
    twice = concat([c, c])
    assert width(twice) == pytest.approx(width(c), rel=0.05)


def test_groups_that_tell_enough_are_not_taken_apart() -> None:
    c = met([f"p{k}" for k in range(6)])
    fitted = fit(c, FIT)
    assert c.prompt is not None
    codes, rows = c.prompt.codes, np.arange(len(c))
    assert (fitted.rows(codes).telling() > 2).all()
    assert np.array_equal(fitted.covariance(codes, [lambda: rows]), fitted.covariance(codes))


def test_groups_count_by_the_information_in_them() -> None:
    c = met(["p0", "p0", "p0", "p1"])
    fitted = fit(c, FIT)
    assert c.prompt is not None
    new = c.models.index("new")
    p = win_probability(fitted.theta)[new]
    rows = np.flatnonzero((c.i == new) | (c.j == new))
    other = np.where(c.i[rows] == new, c.j[rows], c.i[rows])
    info = p[other] * (1 - p[other])
    parts = np.array([info[:3].sum(), info[3:].sum()])
    expected = parts.sum() ** 2 / (parts**2).sum()
    assert fitted.rows(c.prompt.codes).telling()[new] == pytest.approx(expected)
