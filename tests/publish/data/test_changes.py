import json
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

from arena.leaderboard.board import Row
from arena.publish import publish
from arena.publish.data.changes import FILE, ChangeLog
from arena.publish.data.feed import FILE as FEED
from arena.store import Store
from tests.boards import make_board, make_row

ATOM = "{http://www.w3.org/2005/Atom}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def published(store: Store, folder: Path, *rows: Row) -> ChangeLog:
    publish(store, folder, make_board(*rows), title="T")
    return ChangeLog.model_validate_json((folder / FILE).read_bytes())


def test_the_first_publication_is_all_new(filled: Store, tmp_path: Path) -> None:
    (change,) = published(filled, tmp_path, make_row("a", 1), make_row("b", 2)).changes
    assert (change.came, change.left, change.moves) == (["a", "b"], [], [])
    assert change.updated is not None


def test_who_moved_beyond_the_interval_of_the_difference(filled: Store, tmp_path: Path) -> None:
    """Each interval is 30 points wide to a side, so that of a difference is 30√2, some 42."""
    old = [make_row("far", 2, 1000.0), make_row("near", 1, 1000.0), make_row("gone", 3, 700.0)]
    new = [make_row("far", 1, 1050.0), make_row("near", 2, 950.0), make_row("fresh", 3, 700.0)]
    published(filled, tmp_path, *old)
    latest, first = published(filled, tmp_path, *new).changes
    assert {move.model: round(move.change) for move in latest.moves} == {"far": 50, "near": -50}
    assert {move.model for move in latest.told} == {"far", "near"}
    assert (latest.came, latest.left) == (["fresh"], ["gone"])
    assert [round(move.high - move.low) for move in latest.moves] == [85, 85]
    again = [make_row("far", 1, 1080.0), make_row("near", 2, 920.0), make_row("fresh", 3, 700.0)]
    newest = published(filled, tmp_path, *again).changes[0]
    assert newest.told == []
    assert "No model moved" in str(newest.notes[0])
    assert first.came == ["far", "gone", "near"]


def test_the_same_again_changes_no_file(filled: Store, tmp_path: Path) -> None:
    published(filled, tmp_path, make_row("a", 1), make_row("b", 2))
    published(filled, tmp_path, make_row("a", 1, 1100.0), make_row("b", 2))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    published(filled, tmp_path, make_row("a", 1, 1100.0), make_row("b", 2))
    assert {path: path.read_bytes() for path in before} == before


def test_a_publication_that_ended_early_is_told_once(filled: Store, tmp_path: Path) -> None:
    """The change log takes its place before the ranking does."""
    published(filled, tmp_path, make_row("a", 1), make_row("b", 2))
    ranking = (tmp_path / "leaderboard.json").read_bytes()
    published(filled, tmp_path, make_row("a", 1, 1100.0), make_row("b", 2))
    (tmp_path / "leaderboard.json").write_bytes(ranking)
    log = published(filled, tmp_path, make_row("a", 1, 1100.0), make_row("b", 2))
    assert len(log.changes) == 2


def test_rankings_without_a_model_in_common(filled: Store, tmp_path: Path) -> None:
    published(filled, tmp_path, make_row("a", 1))
    latest = published(filled, tmp_path, make_row("b", 1)).changes[0]
    assert (latest.came, latest.left, latest.moves) == (["b"], ["a"], [])


def test_the_feed_has_an_entry_a_change(filled: Store, tmp_path: Path) -> None:
    published(filled, tmp_path, make_row("a", 1), make_row("<b>&\x00", 2))
    published(filled, tmp_path, make_row("a", 1, 1300.0), make_row("<b>&\x00", 2))
    published(filled, tmp_path, make_row("a", 1), make_row("<b>&\x00", 2))
    published(filled, tmp_path, make_row("a", 1, 1300.0), make_row("<b>&\x00", 2))
    feed = Xml.parse(tmp_path / FEED).getroot()
    entries = feed.findall(f"{ATOM}entry")
    assert (
        len({entry.findtext(f"{ATOM}id") for entry in entries} | {feed.findtext(f"{ATOM}id")}) == 5
    )
    for part in (feed, *entries):
        assert part.findtext(f"{ATOM}title")
        assert (part.findtext(f"{ATOM}id") or "").startswith("urn:uuid:")
        assert datetime.fromisoformat(part.findtext(f"{ATOM}updated") or "").tzinfo is not None
    lists = entries[0].findall(f".//{XHTML}ul")
    assert [part.get("lang") for part in lists] == ["en", "zh"]
    said = ["".join(part.itertext()) for part in lists]
    assert "moved up by 150 points" in said[0]
    assert "上升 150 分" in said[1]
    assert "<b>&" in said[0]


def test_a_change_log_of_somebody_else_is_not_read(filled: Store, tmp_path: Path) -> None:
    published(filled, tmp_path, make_row("a", 1))
    (tmp_path / FILE).write_text(json.dumps({"changes": []}))
    assert len(published(filled, tmp_path, make_row("a", 1)).changes) == 1
