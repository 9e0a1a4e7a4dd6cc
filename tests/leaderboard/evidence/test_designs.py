"""What is said of a design in which every model met one baseline alone."""

from pathlib import Path

import pytest

from arena.leaderboard.board import Policy
from arena.leaderboard.evidence.designs import baseline_note
from arena.leaderboard.ranking import leaderboard
from arena.records import Evidence, Winner
from arena.store import Store
from tests.compare.stores import answered_store, vote

NAMES = ("weak", "a", "b", "c")


@pytest.fixture
def against_weak(tmp_path: Path) -> Store:
    """Everybody beats `weak` in 39 of 40, and met nobody else."""
    store = answered_store(tmp_path / "arena.db", 40, NAMES)
    for name in NAMES[1:]:
        vote(store, lambda k: [Winner.MODEL_B if k else Winner.MODEL_A], ("weak", name))
    return store


def test_a_ranking_by_one_baseline_says_what_that_costs(against_weak: Store) -> None:
    for evidence in (Evidence.HUMAN, Evidence.COMBINED):
        board = leaderboard(against_weak, Policy(), evidence=evidence)
        (note,) = [one for one in board.notes if one.code.startswith("design")]
        said = str(note)
        assert "votes compare every model with weak alone" in said
        assert "3 of the other 3 models win or lose more than nine in ten" in said
        assert "as the baseline it would be about" in said
        assert "基准模型" in note.text("zh")
    vote(against_weak, lambda k: [Winner.TIE], ("a", "b"))
    board = leaderboard(against_weak, Policy(), evidence=Evidence.HUMAN)
    assert not [one for one in board.notes if one.code.startswith("design")]


def test_before_a_run_all_that_is_stored_tells(against_weak: Store, tmp_path: Path) -> None:
    weak, good = (baseline_note(against_weak, (), name) for name in ("weak", "a"))
    assert weak is not None
    assert good is not None
    assert weak.code == "design.lopsided"
    assert good.code == "design.wider"
    assert dict(weak.values)["best"] in NAMES[1:]
    assert dict(good.values)["wider"] < dict(dict(weak.values)["said"].values)["wider"]
    assert baseline_note(against_weak, ("a",), "b") is None
    fresh = answered_store(tmp_path / "fresh.db", 4, NAMES)
    assert "about 1.2 times as wide" in str(baseline_note(fresh, (), "a"))
