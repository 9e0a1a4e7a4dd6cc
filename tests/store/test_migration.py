"""A database in an earlier form comes into the present one whole, or stays as it was."""

import gzip
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arena.records.errors import StoreError
from arena.store import Store
from arena.store.connection import sqlite3 as driver
from arena.store.schema import STEPS
from arena.store.schema.packing import OF_ROWS, as_text, as_time, moment, packed

EARLIER = Path(__file__).with_name("earlier") / "schema-14.db.gz"
# Opens a database, and is killed by itself after so many steps of SQLite's machine, if it gets
# there. The room that is free is given back however little it is.
OPEN = """
import os, signal, sys
from arena.store import Store, connection
path, last, steps = sys.argv[1], int(sys.argv[2]), 0

def count():
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

connect = connection._connect
def watched(place):
    db = connect(place)
    db.conn.set_progress_handler(count, 10)
    return db

connection._connect, connection.LARGE = watched, 0
Store(path)
print(steps)
"""
ANSWERS = (
    "rowid, key, model, model_key, prompt_key, turns, finish, sample, prompt_tokens, "
    "completion_tokens, seconds, created_at, thinking, first_name, thinking_tokens, room"
)


def earlier(folder: Path) -> Path:
    path = folder / "arena.db"
    path.write_bytes(gzip.decompress(EARLIER.read_bytes()))
    return path


def opened(path: Path, last: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", OPEN, str(path), str(last)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def contents(path: Path) -> dict[str, list[Any]]:
    """All rows of what people, models and judges said, as anybody reads them."""
    with closing(driver.connect(str(path))) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        tables = {"prompts": "key, name, turns, category, created_at", "answers": ANSWERS}
        tables |= dict.fromkeys(("models", "grades", "withdrawals"), "*")
        said = "key, judge, judge_key, prompt_key, text, reason, created_at"
        tables |= {"verdicts": f"{said}, first, second, preference", "scores": f"{said}, answer"}
        tables["votes"] = (
            "id, battle, prompt_key, first, second, winner, voter, language, propensity, seconds, "
            "app_version, created_at, previous, hash"
        )
        return {
            name: conn.execute(f"SELECT {columns} FROM {name} ORDER BY 1").fetchall()
            for name, columns in tables.items()
        }


def steps(path: Path) -> int:
    with closing(driver.connect(str(path))) as conn:
        return int(conn.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0])


def test_every_row_says_what_it_said(tmp_path: Path) -> None:
    path = earlier(tmp_path)
    before, size = contents(path), path.stat().st_size
    assert opened(path, -1).returncode == 0
    assert steps(path) == len(STEPS)
    assert contents(path) == before
    assert path.stat().st_size < size * 0.6
    assert [*Store(path).votes.broken()] == []


def test_that_it_takes_long_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("arena.store.connection.LARGE", 1)
    path = earlier(tmp_path)
    Store(path).close()
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} (1 MB) is brought into the form of this version, once; a large database takes "
        "minutes"
    ]
    Store(path).close()
    assert len(caplog.records) == 1


@pytest.mark.slow
def test_one_that_is_killed_at_any_moment_is_whole(tmp_path: Path) -> None:
    path = earlier(tmp_path)
    before, whole = contents(path), path.read_bytes()
    most = int(opened(path, -1).stdout)
    dice = random.Random(16)
    moments = [*dice.sample(range(1, most - 30), 16), *dice.sample(range(most - 30, most), 4)]
    reached = set()
    for last in sorted(moments):
        for old in tmp_path.glob("arena.db*"):
            old.unlink()
        path.write_bytes(whole)
        assert opened(path, last).returncode == -signal.SIGKILL
        reached.add(steps(path))
        assert contents(path) == before
        store = Store(path)
        assert [*store.votes.broken()] == []
        store.close()
        assert steps(path) == len(STEPS)
        assert contents(path) == before
    assert reached == {14, len(STEPS)}  # some were killed before, and some while room is given back


def test_rows_that_name_what_is_not_there_leave_it_as_it_was(tmp_path: Path) -> None:
    path = earlier(tmp_path)
    with closing(driver.connect(str(path))) as conn, conn:
        conn.execute("DROP TRIGGER votes_no_update")
        conn.execute("UPDATE votes SET first = 'nothing' WHERE id = 7")
    whole = path.read_bytes()
    with pytest.raises(StoreError, match=r"name others that are not there .*left as it was"):
        Store(path)
    assert steps(path) == 14
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("text", "is_digest"),
    [
        ("0f", True),
        ("0" * 64, True),
        ("", True),
        ("0F", False),
        ("0f 0f", False),
        ("é", False),
        ("f" * 31, False),
        ("battle 7", False),
        ("rRE19kFYYhL6wUdXEHpriF5mTZPJlut7", False),
    ],
)
def test_a_digest_is_packed_and_any_text_comes_back(
    store: Store, text: str, is_digest: bool
) -> None:
    db = store._connections.db
    for stored in (packed(text), db.execute("SELECT packed(?)", [text]).fetchone()[0]):
        assert isinstance(stored, bytes) == is_digest
        found = db.execute(f"SELECT {as_text('x')} FROM (SELECT ? AS x)", [stored])
        assert found.fetchone() == (text,)


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("2026-11-27T12:06:46.123Z", True),
        ("2026-11-27T23:59:59.999Z", True),
        ("2024-02-29T00:00:00.000Z", True),
        ("1969-12-31T23:59:59.001Z", True),
        ("2026-11-27T12:06:46Z", False),
        ("2026-11-27T12:06:46.123456Z", False),
        ("2026-11-27T12:06:46.123+00:00", False),
        ("yesterday", False),
    ],
)
def test_a_time_is_packed_and_any_text_comes_back(store: Store, text: str, is_number: bool) -> None:
    stored = moment(text, OF_ROWS)
    assert isinstance(stored, int) == is_number
    sql = f"SELECT {as_time('x', OF_ROWS)} FROM (SELECT ? AS x)"
    assert store._connections.db.execute(sql, [stored]).fetchone() == (text,)
