"""Pair counts and columns of names, beside plain loops."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings import Comparisons
from arena.ratings import pairs as module
from arena.ratings.factors import Factor, factorise, named, numbers, union
from arena.ratings.pairs import LARGEST, PairCounts, count_pairs
from arena.records.errors import InputError

HARD = st.sampled_from([0.0, 0.5, 1.0])
SOFT = st.floats(0.0, 1.0, allow_nan=False)


@st.composite
def columns(draw: st.DrawFn, outcome: st.SearchStrategy[float]) -> dict[str, Any]:
    rows = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), outcome), min_size=1))
    i = np.array([a for a, _, _ in rows])
    j = (i + np.array([step for _, step, _ in rows])) % 4
    size = len(rows)
    weight = draw(st.none() | st.lists(st.floats(0.5, 4.0), min_size=size, max_size=size))
    scale = draw(st.none() | st.lists(st.floats(0.25, 2.0), min_size=size, max_size=size))
    return {
        "i": i,
        "j": j,
        "outcome": np.array([y for _, _, y in rows]),
        "weight": None if weight is None else np.array(weight),
        "importance": None if scale is None else np.array(scale),
    }


def by_loop(given_: dict[str, Any]) -> dict[str, np.ndarray]:
    names = ("wins", "ties", "square_wins", "square_ties")
    table = {name: np.zeros((4, 4)) for name in names} | {"battles": np.zeros(4)}
    for row in range(len(given_["i"])):
        i, j, y = (given_[name][row] for name in ("i", "j", "outcome"))
        w = 1.0 if given_["weight"] is None else given_["weight"][row]
        s = 1.0 if given_["importance"] is None else given_["importance"][row]
        table["battles"][[i, j]] += w
        if y == 0.5:
            table["ties"][i, j] += w * s
            table["ties"][j, i] += w * s
        else:
            table["wins"][i, j] += w * s * y
            table["wins"][j, i] += w * s * (1 - y)
        table["square_wins"][i, j] += w * s**2 * y**2
        table["square_wins"][j, i] += w * s**2 * (1 - y) ** 2
        table["square_ties"][i, j] += w * s**2 * y * (1 - y)
        table["square_ties"][j, i] += w * s**2 * y * (1 - y)
    return table


@settings(deadline=None, max_examples=60)
@given(columns(HARD) | columns(SOFT))
def test_counts_are_sums_over_rows(given_: dict[str, Any]) -> None:
    counts = count_pairs(4, **given_)
    for name, table in by_loop(given_).items():
        assert getattr(counts, name) == pytest.approx(table, abs=1e-9), name
    assert counts.is_hard == bool(np.isin(given_["outcome"], [0.0, 0.5, 1.0]).all())
    assert counts.points == pytest.approx(counts.wins + counts.ties / 2)
    assert counts.played == pytest.approx(counts.played.T)


@settings(deadline=None, max_examples=30)
@given(columns(SOFT), columns(HARD))
def test_counts_of_parts_add_up(one: dict[str, Any], other: dict[str, Any]) -> None:
    both = {}
    for name in one:
        parts = [
            np.ones(len(part["i"])) if part[name] is None else part[name] for part in (one, other)
        ]
        both[name] = np.concatenate(parts)
    whole, parts_ = count_pairs(4, **both), count_pairs(4, **one) + count_pairs(4, **other)
    for name in ("wins", "ties", "square_wins", "square_ties", "battles"):
        assert getattr(parts_, name) == pytest.approx(getattr(whole, name), abs=1e-9)
    assert parts_.is_hard == whole.is_hard


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    i = rng.integers(4, size=500)
    given_ = {"i": i, "j": (i + 1) % 4, "outcome": rng.integers(0, 3, 500) / 2}
    whole = count_pairs(4, **given_)
    monkeypatch.setattr(module, "BLOCK", 7)
    parts = count_pairs(4, **given_)
    assert isinstance(parts, PairCounts)
    assert parts.wins.tolist() == whole.wins.tolist()
    assert parts.ties.tolist() == whole.ties.tolist()


def test_more_models_than_can_be_numbered_are_refused() -> None:
    with pytest.raises(InputError, match=f"{LARGEST} are allowed"):
        count_pairs(LARGEST + 1, np.array([0]), np.array([1]), np.array([1.0]))
    # The last cell of as many as are allowed is still a number of 32 bits.
    assert np.iinfo(np.int32).max >= 3 * LARGEST**2 - 1


# Columns of names.


def test_names_become_codes_in_the_order_of_their_first_row() -> None:
    found = factorise("voter", ["ann", "bob", "ann", 3, "3"])
    assert found.labels.tolist() == ["ann", "bob", 3, "3"]
    assert found.codes.tolist() == [0, 1, 0, 2, 3]
    assert len(found) == 5
    # As text, 3 and "3" are one name.
    assert named(found).labels.tolist() == ["ann", "bob", "3"]
    assert named(found).codes.tolist() == [0, 1, 0, 2, 2]


def test_a_part_of_a_column_can_leave_labels_behind() -> None:
    part = factorise("voter", ["ann", "bob", "cid"])[np.array([2, 0])]
    assert part.labels.tolist() == ["ann", "bob", "cid"]
    compact = part.compact()
    assert compact.labels[compact.codes].tolist() == ["cid", "ann"]
    assert sorted(compact.labels.tolist()) == ["ann", "cid"]


def test_the_union_of_columns_is_sorted_and_takes_any_mixture() -> None:
    one, other = factorise("x", ["b", "a", 2]), factorise("x", [1, "b"])
    labels, (first, second) = union([one, other])
    assert labels.tolist() == [1, 2, "a", "b"]
    assert labels[first].tolist() == ["b", "a", 2]
    assert labels[second].tolist() == [1, "b"]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_name_is_named_by_its_row(missing: Any) -> None:
    with pytest.raises(InputError, match="row 2: voter is empty"):
        factorise("voter", ["ann", missing])


def test_names_that_cannot_be_looked_up_are_refused() -> None:
    with pytest.raises(InputError, match="prompt holds values that are neither"):
        factorise("prompt", [["a"], ["b"]])


def test_a_pandas_column_gives_the_same_codes() -> None:
    pandas = pytest.importorskip("pandas")
    values = ["b", "a", "b", "c"]
    fast, slow = factorise("x", pandas.Series(values)), factorise("x", values)
    assert fast.codes.tolist() == slow.codes.tolist()
    assert fast.labels.tolist() == slow.labels.tolist()
    with pytest.raises(InputError, match="row 1: x is empty"):
        factorise("x", pandas.Series([None, "a"]))


def test_what_is_no_number_is_named_by_row_and_value() -> None:
    assert numbers("weight", ["1.5", 2, True]).tolist() == [1.5, 2.0, 1.0]
    with pytest.raises(InputError, match="row 2: weight is 'heavy', which is not a number"):
        numbers("weight", [1.0, "heavy"])


def test_a_factor_is_what_comparisons_group_by() -> None:
    c = Comparisons.from_columns("ab", "ba", ["model_a", "tie"], prompt=["p", "q"])
    assert isinstance(c.prompt, Factor)
    assert c.group("prompt").labels.tolist() == ["p", "q"]
    with pytest.raises(InputError, match="'day' is not a group column"):
        c.group("day")
