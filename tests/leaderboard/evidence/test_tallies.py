"""Votes counted by pair give the comparisons that the votes themselves give."""

import numpy as np
import pytest

from arena.leaderboard.evidence.tallies import Tallies
from arena.ratings import Comparisons
from arena.records.errors import InputError
from arena.store.columns import TallyColumns

BEFORE = [("b", "a", "model_a", 3), ("a", "b", "tie", 2)]
AFTER = [("b", "a", "model_a", 1), ("c", "b", "both_bad", 4), ("a", "c", "model_b", 1)]


def columns(rows: list[tuple[str, str, str, int]]) -> TallyColumns:
    a, b, winner, votes = zip(*rows, strict=True)
    return TallyColumns.of(a, b, winner, votes)


def test_what_comes_later_is_added_and_new_models_have_a_place() -> None:
    tallies = Tallies()
    tallies.add(columns(BEFORE))
    tallies.add(columns(AFTER))
    a, b, winner, weight = zip(*BEFORE, *AFTER, strict=True)
    expected = Comparisons.from_columns(a, b, winner, weight=weight)
    found = tallies.comparisons()
    assert tallies.votes == 11
    assert found.models == expected.models
    assert np.array_equal(found.pair_counts.points, expected.pair_counts.points)
    assert np.array_equal(found.pair_counts.played, expected.pair_counts.played)


def test_votes_between_some_models_alone() -> None:
    tallies = Tallies()
    tallies.add(columns(BEFORE + AFTER))
    found = tallies.comparisons({"c", "b"})
    assert found.models == ("b", "c")
    assert found.pair_counts.points.tolist() == [[0, 2], [2, 0]]


def test_no_votes_are_refused() -> None:
    with pytest.raises(InputError, match="no votes"):
        Tallies().comparisons()
    tallies = Tallies()
    tallies.add(columns(BEFORE))
    with pytest.raises(InputError, match="no comparisons"):
        tallies.comparisons({"a", "c"})
