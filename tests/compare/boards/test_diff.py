"""Two states of a board, from databases and from published sites."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.compare.boards.diff import PublishedBoard, diff_boards, read_board
from arena.compare.boards.settings import setting_note
from arena.leaderboard.board import Policy
from arena.leaderboard.unranked import ranked_or_not
from arena.publish import publish_ranking
from arena.records import Winner
from arena.records.errors import InputError
from arena.store import Store
from tests.compare.stores import answered_store, vote


def voted(path: Path, share: int, models: tuple[str, ...] = ("old", "new", "third")) -> Store:
    """`new` wins so many of eight against each other model; they are even."""
    store = answered_store(path, 80, models)
    for other in models:
        if other != "new":
            vote(store, lambda k: [Winner.MODEL_A if k % 8 < share else Winner.MODEL_B],
                 ("new", other))  # fmt: skip
    return store


def board_of(ratings: dict[str, float], half: float = 19.6) -> PublishedBoard:
    return PublishedBoard(
        "here",
        {name: (r, r - half, r + half) for name, r in ratings.items()},
        {name: k + 1 for k, name in enumerate(sorted(ratings, key=lambda n: -ratings[n]))},
        {"label": "judge-only"},
        0.95,
    )


def test_a_change_has_both_boards_errors() -> None:
    found = diff_boards(board_of({"a": 1000.0, "b": 1000.0}), board_of({"a": 1030.0, "b": 970.0}))
    a = next(one for one in found.changes if one.model == "a")
    assert a.change == pytest.approx(30.0)
    assert (a.high - a.low) / 2 == pytest.approx(19.6 * 2**0.5, rel=1e-3)
    assert a.is_told
    assert found.settings == ()


def test_a_newcomer_moves_nobody() -> None:
    found = diff_boards(
        board_of({"a": 1010.0, "b": 990.0}), board_of({"a": 910.0, "b": 890.0, "c": 1200.0})
    )
    assert [one.change for one in found.changes] == pytest.approx([0.0, 0.0])
    assert not any(one.is_told for one in found.changes)
    assert (found.came, found.left) == (("c",), ())
    assert [(one.old_rank, one.new_rank) for one in found.changes] == [(1, 2), (2, 3)]


def test_a_site_and_its_database_are_the_same_board(tmp_path: Path) -> None:
    store = voted(tmp_path / "arena.db", 6)
    board, _ = ranked_or_not(store, Policy())
    publish_ranking(store, tmp_path / "site", board, Policy())
    site, database = read_board(tmp_path / "site"), read_board(tmp_path / "arena.db")
    assert site.ratings == database.ratings
    assert all(one.change == 0.0 for one in diff_boards(site, database).changes)


def test_the_command_names_who_moved_and_what_else_changed(tmp_path: Path) -> None:
    voted(tmp_path / "a.db", 3).close()
    voted(tmp_path / "b.db", 7, ("old", "new", "third", "fourth")).close()
    args = ["diff", str(tmp_path / "a.db"), str(tmp_path / "b.db")]
    found = json.loads(CliRunner().invoke(app, [*args, "--format", "json"]).stdout)
    assert found["changes"][0]["model"] == "new"
    assert found["changes"][0]["low"] > 0
    assert found["came"] == ["fourth"]
    assert ["comparisons of votes", "160", "240"] in found["settings"]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0
    assert "Came: fourth." in done.stderr
    assert "Comparisons (People's votes): 160 → 240." in done.stderr
    assert "does not tell which votes" not in done.stderr


def test_of_a_publication_it_is_said_that_what_is_shared_is_not_known(tmp_path: Path) -> None:
    store = voted(tmp_path / "arena.db", 6)
    board, _ = ranked_or_not(store, Policy())
    publish_ranking(store, tmp_path / "site", board, Policy())
    args = ["diff", str(tmp_path / "site"), str(tmp_path / "arena.db")]
    done = CliRunner().invoke(app, args)
    assert "does not tell which votes" in " ".join(done.stderr.split())
    found = json.loads(CliRunner().invoke(app, [*args, "--format", "json"]).stdout)
    assert found["is_paired"] is False


def test_what_is_no_board_is_said(tmp_path: Path) -> None:
    (tmp_path / "leaderboard.json").write_text('{"models": 3}')
    with pytest.raises(InputError, match="not a leaderboard"):
        read_board(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_board(tmp_path / "nothing")
    with pytest.raises(InputError, match="no model in common"):
        diff_boards(board_of({"a": 1.0}), board_of({"b": 1.0}))


@pytest.mark.parametrize(
    ("change", "english", "chinese"),
    [
        (
            ("method", "bradley-terry", "ppi"),
            "Method: Bradley–Terry → prediction-powered",
            "方法：B",
        ),
        (("prior", "None", "400.0"), "Spread of the prior: none → 400 points.", "：无 → 400 分。"),
        (("prior", "", "wide"), "Spread of the prior: none → wide.", "先验的标准差：无 → wide。"),
        (("clusters", "20", "21"), "Clusters of the intervals: 20 → 21.", "区间的聚类数："),
        (
            ("style", "[]", "length, bold"),
            "Style held equal: none → length, bold",
            "长度、粗体",
        ),
        (("comparisons of votes", "1", "2"), "Comparisons (People's votes): 1", "（人类投票）：1"),
        (
            ("judge j", "ab", "cd"),
            "Card of the judge j: ab → cd.",
            "裁判 j 的裁判卡",
        ),
        (
            ("a later one", "1", "2"),
            "a later one: 1 → 2.",
            "a later one：1",
        ),
    ],
)
def test_a_setting_that_changed_is_told_in_words(
    change: tuple[str, str, str], english: str, chinese: str
) -> None:
    note = setting_note(*change)
    assert english in note.text("en")
    assert chinese in note.text("zh")
