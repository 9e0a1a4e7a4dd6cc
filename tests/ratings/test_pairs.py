"""Pair counts and codes of names, against counting by hand."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.errors import InputError
from arena.ratings import Comparisons, concat
from arena.ratings.factors import factorise, named, numbers, union
from arena.ratings.pairs import LARGEST, count_pairs

ROWS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from("abcd"),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        st.sampled_from([1.0, 2.0, 0.5]),
    ).filter(lambda row: row[0] != row[1]),
    min_size=1,
    max_size=30,
)


def of(rows: list[tuple[str, str, float, float]]) -> Comparisons:
    a, b, outcome, weight = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, weight=weight)


@given(ROWS)
@settings(max_examples=80, deadline=None)
def test_points_and_games_are_those_counted_by_hand(
    rows: list[tuple[str, str, float, float]],
) -> None:
    c = of(rows)
    points: Counter[tuple[str, str]] = Counter()
    games: Counter[frozenset[str]] = Counter()
    played: Counter[str] = Counter()
    for a, b, outcome, weight in rows:
        points[a, b] += weight * outcome
        points[b, a] += weight * (1 - outcome)
        games[frozenset((a, b))] += weight
        played[a] += weight
        played[b] += weight
    counts = c.pair_counts
    for i, one in enumerate(c.models):
        assert counts.battles[i] == pytest.approx(played[one])
        for j, other in enumerate(c.models):
            if i != j:
                assert counts.points[i, j] == pytest.approx(points[one, other])
                assert counts.played[i, j] == pytest.approx(games[frozenset((one, other))])
    assert counts.is_hard == all(outcome != 0.25 for _, _, outcome, _ in rows)


@given(ROWS, ROWS)
@settings(max_examples=40, deadline=None)
def test_counts_of_two_parts_add_up(
    first: list[tuple[str, str, float, float]], second: list[tuple[str, str, float, float]]
) -> None:
    everybody = tuple("abcd")
    parts = [of(rows).aligned(everybody) for rows in (first, second)]
    together = concat(parts).aligned(everybody).pair_counts
    summed = parts[0].pair_counts + parts[1].pair_counts
    for name in ("points", "played", "square_wins", "square_ties", "battles"):
        assert getattr(summed, name) == pytest.approx(getattr(together, name))
    assert summed.is_hard == together.is_hard


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_the_other_side_and_new_names_turn_the_tables_and_no_more(
    rows: list[tuple[str, str, float, float]],
) -> None:
    c = of(rows)
    assert c.swapped().pair_counts.points == pytest.approx(c.pair_counts.points)
    names = {name: f"z{9 - k}" for k, name in enumerate(c.models)}
    other = c.relabel(names)
    place = [other.models.index(names[name]) for name in c.models]
    assert other.pair_counts.points[np.ix_(place, place)] == pytest.approx(c.pair_counts.points)
    back = {new: old for old, new in names.items()}
    again = other.relabel(back)
    assert again.models == c.models
    assert np.array_equal(again.i, c.i)


def test_importance_is_squared_in_what_variances_are_made_of() -> None:
    c = Comparisons.from_columns(["a", "a"], ["b", "b"], outcome=[1.0, 0.5], propensity=[0.5, 0.25])
    assert c.importance is not None
    assert c.importance.tolist() == pytest.approx([2 / 3, 4 / 3])  # inverses 2 and 4, mean 1
    counts = c.pair_counts
    assert counts.wins[0, 1] == pytest.approx(2 / 3)
    assert counts.ties[0, 1] == counts.ties[1, 0] == pytest.approx(4 / 3)
    assert counts.square_wins[0, 1] == pytest.approx((2 / 3) ** 2 + (4 / 3) ** 2 / 4)
    assert counts.square_ties[0, 1] == pytest.approx((4 / 3) ** 2 / 4)
    assert counts.battles.tolist() == [2.0, 2.0]  # comparisons are counted as they are


def test_more_models_than_can_be_counted_are_refused() -> None:
    with pytest.raises(InputError, match=f"{LARGEST + 1} models are too many to count pairs of"):
        count_pairs(LARGEST + 1, np.array([0]), np.array([1]), np.array([1.0]))


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", "b"], ["b", "a"]),
        ([3, 1, 3], [3, 1]),
        (iter(["x", "x"]), ["x"]),
        (np.array(["q", "r"]), ["q", "r"]),
    ],
)
def test_codes_look_their_values_up(values: Any, labels: list[Any]) -> None:
    kept = list(values)
    found = factorise("model_a", iter(kept) if not isinstance(values, np.ndarray) else values)
    assert found.labels.tolist() == labels
    assert [found.labels[code] for code in found.codes] == kept
    assert len(found) == len(kept)


def test_a_number_and_its_text_are_one_name_and_two_groups() -> None:
    factor = factorise("model_a", [1, "1", 2])
    assert named(factor).labels.tolist() == ["1", "2"]
    assert named(factor).codes.tolist() == [0, 0, 1]
    assert len(factor.labels) == 3


def test_columns_are_coded_against_all_their_labels_in_one_order() -> None:
    first, second = factorise("p", ["b", 2, "a"]), factorise("p", ["a", 1])
    labels, codes = union([first, second])
    assert labels.tolist() == [1, 2, "a", "b"]
    assert [[labels[k] for k in one] for one in codes] == [["b", 2, "a"], ["a", 1]]
    again, _ = union([second, first])
    assert again.tolist() == labels.tolist()


def test_labels_that_no_row_uses_are_dropped_on_request() -> None:
    factor = factorise("p", ["a", "b", "c"])[np.array([2, 0])]
    compact = factor.compact()
    assert compact.labels.tolist() == ["a", "c"]
    assert [compact.labels[k] for k in compact.codes] == ["c", "a"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "x"], "row 2: weight is 'x', which is not a number."),
        ([1.0, None, [2]], "row 2: weight is None, which is not a number."),
    ],
)
def test_what_is_no_number_is_named_with_its_row(values: list[Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        numbers("weight", values)
    assert str(error.value) == said


def test_text_that_is_a_number_is_one() -> None:
    assert numbers("weight", ["1", " 2.5 ", 3]).tolist() == [1.0, 2.5, 3.0]
