"""Battles: rows about the same two answers as one observation, numbered alike in all sources."""

from typing import Any

import numpy as np
import pytest
from scipy.special import logit

from arena.ratings import Comparisons
from arena.ratings.combined.battles import (
    battle_groups,
    independent_groups,
    match,
    one_per_battle,
    rows_of_battles,
    scale_free,
)
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


def of(rows: list[tuple[str, str, float, str]], **columns: Any) -> Comparisons:
    a, b, outcome, prompt = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, prompt=prompt, **columns)


BOTH_ORDERS = [
    ("a", "b", 1.0, "p"),
    ("b", "a", 1.0, "p"),  # the judge changed its mind with the order
    ("a", "b", 1.0, "q"),
    ("b", "a", 0.0, "q"),
    ("b", "c", 0.0, "q"),
]


def test_both_orders_of_a_battle_are_one_row() -> None:
    c = one_per_battle(of(BOTH_ORDERS))
    found = {
        (c.models[i], c.models[j], c.prompt.labels[p]): y  # type: ignore[union-attr]
        for i, j, y, p in zip(c.i, c.j, c.outcome, c.prompt.codes, strict=True)  # type: ignore[union-attr]
    }
    assert found == {("a", "b", "p"): 0.5, ("a", "b", "q"): 1.0, ("b", "c", "q"): 0.0}
    assert c.weight is None


def test_weights_say_how_much_each_row_of_a_battle_counts() -> None:
    c = one_per_battle(of(BOTH_ORDERS[:2], weight=[3.0, 1.0]))
    assert c.outcome.tolist() == [0.75]


def test_rows_of_a_battle_weigh_one_together() -> None:
    c = rows_of_battles(of(BOTH_ORDERS))
    assert c.weight is not None
    assert c.weight.tolist() == [0.5, 0.5, 0.5, 0.5, 1.0]
    assert c.i.tolist() == of(BOTH_ORDERS).i.tolist()  # who stood first is kept


def test_without_prompts_every_row_is_a_battle() -> None:
    c = simulate(3, 40)
    assert len(one_per_battle(c)) == 40
    assert rows_of_battles(c).weight is None


def test_a_judges_temperature_is_its_own_affair() -> None:
    p = np.array([0.9, 0.4, 0.55, 0.2])
    doubled = 1 / (1 + np.exp(-2 * logit(p)))
    assert scale_free(doubled) == pytest.approx(scale_free(p))
    assert np.sqrt(np.mean(logit(scale_free(p)) ** 2)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "outcome", [[0.0, 0.5, 1.0], [0.5, 0.5], [0.2, 1.0]], ids=["hard", "ties only", "mixed"]
)
def test_outcomes_that_are_no_odds_stay_as_they_are(outcome: list[float]) -> None:
    assert scale_free(np.array(outcome)).tolist() == outcome


def test_sources_number_the_same_battle_alike() -> None:
    human = of([("a", "b", 1.0, "p"), ("a", "c", 1.0, "q")])
    judge = of([("c", "a", 1.0, "q"), ("b", "a", 0.0, "p"), ("b", "c", 0.5, "r")])
    first, second = match([human.aligned(judge.models), judge], by_prompt=True)
    shared = np.intersect1d(first.key, second.key)
    assert len(shared) == 2
    for key in shared:
        one, other = (np.flatnonzero(part.key == key)[0] for part in (first, second))
        assert first.i[one] == second.i[other]
        assert first.group[one] == second.group[other]
    # q: the vote says a, the judge says c; both are told as the share of the first by name.
    outcomes = {part.outcome[np.flatnonzero(part.i == 0)].sum() for part in (first, second)}
    assert outcomes == {2.0, 1.0}


def test_groups_are_prompts_or_the_battles_themselves() -> None:
    c = of([("a", "b", 1.0, "p"), ("a", "c", 1.0, "p"), ("a", "b", 0.0, "q")])
    (by_prompt,) = match([c], by_prompt=True)
    (by_battle,) = match([c], by_prompt=False)
    assert len(set(by_prompt.group.tolist())) == 2
    assert len(set(by_battle.group.tolist())) == 3
    assert (by_battle.group == by_battle.key).all()


def test_matching_needs_prompts() -> None:
    with pytest.raises(InputError, match="need a prompt column"):
        match([simulate(3, 30)], by_prompt=True)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"prompt": list(range(10)) * 2}, "prompt"),
        ({"prompt": ["p", "q"] * 10}, "battle"),
        ({"voter": list(range(20))}, "voter"),
        ({"voter": ["ann", "bob"] * 10}, None),
        ({"prompt": ["p"] * 20, "voter": list(range(20))}, "battle"),
        ({}, None),
    ],
    ids=["many prompts", "few prompts", "many voters", "few voters", "prompts first", "neither"],
)
def test_what_is_independent_is_chosen_by_what_there_is(
    columns: dict[str, list[Any]], name: str | None
) -> None:
    a, b = ["a", "b", "c", "d"] * 5, ["b", "c", "d", "a"] * 5
    c = Comparisons.from_columns(a, b, outcome=[1.0, 0.0] * 10, **columns)
    found, codes = independent_groups(c, "auto")
    assert found == name
    assert (codes is None) == (name is None)


def test_one_battle_alone_tells_nothing_of_groups() -> None:
    c = of([("a", "b", 1.0, "p"), ("b", "a", 1.0, "p")])
    assert independent_groups(c, "auto") == (None, None)


def test_unknown_and_missing_groups_are_named() -> None:
    c = simulate(3, 30)
    with pytest.raises(InputError, match=r"cluster is 'day'; allowed are auto, prompt"):
        independent_groups(c, "day")
    with pytest.raises(InputError, match="no 'voter' column"):
        independent_groups(c, "voter")


def test_the_order_of_the_two_answers_does_not_part_a_battle() -> None:
    assert len(set(battle_groups(of(BOTH_ORDERS)).codes.tolist())) == 3
