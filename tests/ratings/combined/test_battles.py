"""Battles: the same two answers to the same prompt, against dictionaries of rows."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings import Comparisons
from arena.ratings.combined.battles import (
    battle_groups,
    independent_groups,
    match,
    one_per_battle,
    rows_of_battles,
    scale_free,
)

Row = tuple[str, str, float, str, float]
ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from("abc"),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.sampled_from("pqr"),
        st.sampled_from([1.0, 3.0]),
    ).filter(lambda row: row[0] != row[1]),
    min_size=1,
    max_size=25,
)


def of(rows: list[Row]) -> Comparisons:
    a, b, outcome, prompt, weight = zip(*rows, strict=True)
    c = Comparisons.from_columns(a, b, outcome=outcome, prompt=prompt, weight=weight)
    return c.aligned(tuple("abc"))


def by_battle(rows: list[Row]) -> dict[tuple[str, str, str], list[tuple[float, float]]]:
    """The shares of the first model by name, and weights, of each battle."""
    found = defaultdict(list)
    for a, b, outcome, prompt, weight in rows:
        low, high = sorted((a, b))
        found[prompt, low, high].append((outcome if a == low else 1 - outcome, weight))
    return found


@given(ROWS)
@settings(max_examples=80, deadline=None)
def test_each_battle_is_one_row_with_the_mean_of_its_rows(rows: list[Row]) -> None:
    c = one_per_battle(of(rows))
    expected = {
        battle: sum(s * w for s, w in said) / sum(w for _, w in said)
        for battle, said in by_battle(rows).items()
    }
    assert c.prompt is not None
    found = {
        (str(c.prompt.labels[c.prompt.codes[k]]), c.models[c.i[k]], c.models[c.j[k]]): c.outcome[k]
        for k in range(len(c))
    }
    assert len(c) == len(found) == len(expected)
    for battle, mean in expected.items():
        assert found[battle] == pytest.approx(mean)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_the_rows_of_a_battle_weigh_one_together(rows: list[Row]) -> None:
    c = rows_of_battles(of(rows))
    assert c.weight is not None
    weights: defaultdict[int, float] = defaultdict(float)
    for code, weight in zip(battle_groups(c).codes.tolist(), c.weight.tolist(), strict=True):
        weights[code] += weight
    assert list(weights.values()) == pytest.approx([1.0] * len(by_battle(rows)))
    assert len(c) == len(rows)


@given(ROWS, ROWS)
@settings(max_examples=60, deadline=None)
def test_sources_meet_on_the_battles_that_they_share(first: list[Row], second: list[Row]) -> None:
    parts = match([of(first), of(second)], by_prompt=True)
    shared = set(by_battle(first)) & set(by_battle(second))
    assert len(set(parts[0].key.tolist()) & set(parts[1].key.tolist())) == len(shared)
    for part, rows in zip(parts, (first, second), strict=True):
        assert len(part.key) == len(by_battle(rows))
        assert (part.i < part.j).all()
        assert part.weight.sum() == pytest.approx(sum(row[4] for row in rows))
        assert len(set(part.group.tolist())) == len({row[3] for row in rows})
    apart = match([of(first), of(second)], by_prompt=False)
    for part in apart:
        assert np.array_equal(part.group, part.key)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 7.0])
def test_how_sure_a_judge_talks_is_of_no_account(factor: float) -> None:
    odds = np.array([0.3, -1.2, 2.0, 0.1])
    share = 1 / (1 + np.exp(-odds))
    louder = 1 / (1 + np.exp(-factor * odds))
    assert scale_free(louder) == pytest.approx(scale_free(share))
    found = np.log(scale_free(share) / (1 - scale_free(share)))
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1.0)


@pytest.mark.parametrize("outcome", [[0.0, 0.7], [1.0, 0.2], [0.5, 0.5]])
def test_hard_outcomes_have_no_scale(outcome: list[float]) -> None:
    assert scale_free(np.array(outcome)).tolist() == outcome


def columns(prompts: int, voters: int, rows: int = 40) -> Comparisons:
    return Comparisons.from_columns(
        ["a"] * rows,
        ["b" if k % 2 else "c" for k in range(rows)],
        outcome=[0.5] * rows,
        prompt=[k % prompts for k in range(rows)] if prompts else None,
        voter=[k % voters for k in range(rows)] if voters else None,
    )


@pytest.mark.parametrize(
    ("prompts", "voters", "name", "groups"),
    [
        (20, 0, "prompt", 20),
        (3, 0, "battle", 6),  # no more prompts than models
        (0, 20, "voter", 20),
        (0, 3, None, None),
        (0, 0, None, None),
        (20, 2, "prompt", 20),
    ],
)
def test_groups_that_are_taken_to_be_independent(
    prompts: int, voters: int, name: str | None, groups: int | None
) -> None:
    found, codes = independent_groups(columns(prompts, voters), "auto")
    assert found == name
    assert (None if codes is None else len(set(codes.tolist()))) == groups


def test_one_group_alone_says_nothing_of_the_spread() -> None:
    one = Comparisons.from_columns(["a"] * 3, ["b"] * 3, outcome=[1, 0, 1], prompt=["p"] * 3)
    assert independent_groups(one, "auto") == (None, None)
    name, codes = independent_groups(one, "battle")
    assert (name, len(set(codes.tolist()))) == ("battle", 1)
