"""Several judges as one."""

import pytest

from arena.ratings import Comparisons, panel
from arena.records.errors import InputError


def judge(*rows: tuple[str, str, str, float]) -> Comparisons:
    prompt, a, b, outcome = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, prompt=prompt)


ONE = judge(("p", "x", "y", 0.9), ("q", "x", "y", 1.0), ("q", "y", "z", 0.5))
TWO = judge(("p", "y", "x", 0.4), ("q", "x", "y", 0.0), ("q", "y", "z", 0.5))
THREE = judge(("p", "x", "y", 0.2), ("r", "x", "z", 1.0))
JUDGES = {"one": ONE, "two": TWO, "three": THREE}


def outcomes(found: Comparisons) -> dict[tuple[str, str, str], float]:
    assert found.prompt is not None
    prompts = found.prompt.labels[found.prompt.codes]
    return {
        (str(prompt), found.models[i], found.models[j]): outcome
        for prompt, i, j, outcome in zip(prompts, found.i, found.j, found.outcome, strict=True)
    }


def test_most_judges_decide_and_an_even_split_is_a_tie() -> None:
    found = panel(JUDGES)
    assert outcomes(found.comparisons) == {
        ("p", "x", "y"): 1.0,  # 0.9 and 0.6 against 0.2
        ("q", "x", "y"): 0.5,
        ("q", "y", "z"): 0.5,
        ("r", "x", "z"): 1.0,
    }
    assert found.battles == 4
    assert found.unanimous is not None
    assert found.unanimous.value == pytest.approx(1 / 3)


def test_the_mean_keeps_how_sure_they_are() -> None:
    found = outcomes(panel(JUDGES, by="mean").comparisons)
    assert found["p", "x", "y"] == pytest.approx((0.9 + 0.6 + 0.2) / 3)
    assert found["q", "x", "y"] == 0.5


def test_a_battle_needs_enough_judges() -> None:
    assert set(outcomes(panel(JUDGES, min_valid=3).comparisons)) == {("p", "x", "y")}
    with pytest.raises(InputError, match="1 to 3, the judges"):
        panel(JUDGES, min_valid=4)
    with pytest.raises(InputError, match="'majority', 'mean'"):
        panel(JUDGES, by="median")
    with pytest.raises(InputError, match="no battle was compared by 2"):
        panel({"three": THREE, "other": judge(("s", "x", "y", 1.0))}, min_valid=2)


def test_judges_that_never_met_have_no_agreement() -> None:
    found = panel({"three": THREE, "other": judge(("s", "x", "y", 1.0))})
    assert (found.unanimous, found.alpha, len(found.comparisons)) == (None, None, 3)


def test_copies_of_a_judge_agree() -> None:
    found = panel({"one": ONE, "copy": ONE})
    assert found.unanimous is not None
    assert found.alpha is not None
    assert (found.unanimous.value, found.alpha.value) == (1.0, 1.0)
