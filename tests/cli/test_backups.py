"""`arena backup` and `arena restore`."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.interchange.sample import load_sample
from arena.leaderboard.board import Policy
from arena.leaderboard.formats import to_json
from arena.leaderboard.ranking import ranking
from arena.records import Prompt, Vote, Winner
from arena.store import Store
from bench.voters import Server, Tally, Voter
from tests.boards import fill, varied_prompts

Arena = Callable[..., tuple[str, int]]


@pytest.fixture
def voted(store: Store) -> Store:
    """Votes of twelve people."""
    fill(store, ("a", "b"), varied_prompts(), "something")
    keys = {(answer.prompt_key, answer.model): answer.key for answer in store.answers.where()}
    store.votes.cast_all(
        Vote(f"{key}{k}", key, keys[key, "a"], keys[key, "b"], Winner.MODEL_A, f"v{k}")
        for key in {key for key, _ in keys}
        for k in range(12)
    )
    return store


@pytest.fixture
def sample(store: Store) -> Store:
    load_sample(store)
    return store


def test_what_comes_back_is_what_was_there(sample: Store, arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "arena.db.secret").write_text("s" * 40)
    said, code = arena("backup kept.db")
    assert code == 0, said
    assert "and the secret beside it" in said
    assert f"{sample.counts()['verdicts']} verdicts" in said
    said, code = arena("restore kept.db --db other.db")
    assert code == 0, said
    other = Store(tmp_path / "other.db")
    assert list(other.answers.where()) == list(sample.answers.where())
    policy = Policy(allow_weak_judges=True)
    assert to_json(ranking(other, policy)) == to_json(ranking(sample, policy))
    secret = tmp_path / "other.db.secret"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("s" * 40, 0o600)


def test_rows_keep_their_numbers(sample: Store, arena: Arena, tmp_path: Path) -> None:
    """What is kept of the votes names answers by them."""
    with sqlite3.connect(sample.path) as raw:
        raw.execute("DROP TRIGGER answer_rows_no_delete")
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DELETE FROM answer_rows WHERE id IN (SELECT id FROM answer_rows LIMIT 3)")
        numbers = raw.execute("SELECT rowid, key FROM answers ORDER BY rowid").fetchall()
    raw.close()
    arena("backup kept.db")
    with sqlite3.connect(tmp_path / "kept.db") as copy:
        assert copy.execute("SELECT rowid, key FROM answers ORDER BY rowid").fetchall() == numbers
    copy.close()


@pytest.mark.parametrize("name", ["kept.db", "arena.db"])
def test_a_backup_writes_over_nothing(
    sample: Store, arena: Arena, tmp_path: Path, name: str
) -> None:
    (tmp_path / "kept.db").write_text("my own")
    before = (tmp_path / name).read_bytes()
    said, code = arena(f"backup {name}")
    assert code == 2
    assert f"{name}: there is a file already" in said
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_a_restore_writes_over_nothing(
    sample: Store, arena: Arena, tmp_path: Path, ending: str
) -> None:
    """Not even beside what another database left: SQLite would read it into this one."""
    arena("backup kept.db")
    (tmp_path / f"other.db{ending}").write_bytes(b"left")
    said, code = arena("restore kept.db --db other.db")
    assert code == 2
    assert f"other.db{ending} is there already" in said
    assert sorted(p.name for p in tmp_path.glob("*other*")) == [f"other.db{ending}"]


def test_another_secret_stays(sample: Store, arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "arena.db.secret").write_text("s" * 40)
    arena("backup kept.db")
    (tmp_path / "other.db.secret").write_text("t" * 40)
    said, code = arena("restore kept.db --db other.db")
    assert code == 2
    assert "other.db.secret: another secret is there" in said
    assert (tmp_path / "other.db.secret").read_text() == "t" * 40
    assert not (tmp_path / "other.db").exists()


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    path.write_bytes(content)


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6000])


def of_something_else(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    other.close()


def no_database(path: Path) -> None:
    path.write_text("not a database")


def with_a_changed_vote(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TRIGGER vote_rows_no_update")
        raw.execute("UPDATE vote_rows SET winner = (winner + 1) % 4 WHERE id = 2")
    raw.close()


@pytest.mark.parametrize(
    "harm", [damaged, shortened, of_something_else, no_database, with_a_changed_vote, Path.unlink]
)
def test_a_bad_backup_is_refused(
    voted: Store, arena: Arena, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    arena("backup kept.db")
    harm(tmp_path / "kept.db")
    said, code = arena("restore kept.db --db other.db")
    assert (code, said.count("\n")) == (2, 1), said
    assert "kept.db" in said
    assert [*tmp_path.glob("*other*"), *tmp_path.glob(".arena-*")] == []


def test_a_folder_that_is_not_there_is_made_for_a_copy_alone(
    sample: Store, arena: Arena, tmp_path: Path
) -> None:
    assert arena("backup backups/kept.db")[1] == 0
    assert (tmp_path / "backups" / "kept.db").is_file()
    said, code = arena("restore backups/kept.db --db nowhere/other.db")
    assert (code, "does not exist" in said) == (2, True)


def test_a_backup_is_read_where_nothing_may_be_written(
    sample: Store, arena: Arena, tmp_path: Path
) -> None:
    folder = tmp_path / "medium"
    folder.mkdir()
    arena(f"backup {folder / 'kept.db'}")
    there = sorted(os.listdir(folder))
    said, code = arena(f"restore {folder / 'kept.db'} --db other.db")
    assert code == 0, said
    assert sorted(os.listdir(folder)) == there == ["kept.db"]


@pytest.mark.slow
def test_backups_of_an_app_that_people_vote_in(tmp_path: Path) -> None:
    """Every vote that was acknowledged before a backup began is in it, and its chain holds."""
    db = tmp_path / "arena.db"
    store = Store(db)
    prompts = [Prompt(f"p{k}", (f"Question {k}?",)) for k in range(400)]  # more than are voted on
    fill(store, ("one", "two", "three", "four"), prompts, "something")
    store.close()
    server = Server(db)
    try:
        backups = asyncio.run(_vote_and_copy(server, tmp_path))
    finally:
        server.stop()
    counts = []
    for path, acknowledged in backups:
        subprocess.run(_arena("restore", str(path), "--db", f"{path}.back"), check=True)
        back = Store(Path(f"{path}.back"), create=False)
        assert set(acknowledged) <= {vote.battle for vote in back.votes.where()}
        assert list(back.votes.broken()) == []
        assert Path(f"{path}.back.secret").read_text() == Path(f"{db}.secret").read_text()
        counts.append(back.votes.count())
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


async def _vote_and_copy(server: Server, folder: Path) -> list[tuple[Path, list[str]]]:
    """Two people vote while four backups are made; each backup, and what it must have."""
    await server.ready()
    tally, voted, found = Tally(), asyncio.Queue[None](), []

    async def take_part(number: int) -> None:
        async with Voter(server, number) as voter:
            await voter.open()
            token = await voter.first_pair()
            while True:
                token = await voter.vote(token, tally)
                voted.put_nowait(None)

    async with asyncio.TaskGroup() as people:
        tasks = [people.create_task(take_part(number)) for number in range(2)]
        for number in range(4):
            for _ in range(5):
                await voted.get()
            acknowledged = list(tally.acknowledged)
            path = folder / f"kept-{number}.db"
            command = _arena("backup", str(path), "--db", str(server.db))
            process = await asyncio.create_subprocess_exec(*command)
            assert await process.wait() == 0
            found.append((path, acknowledged))
        for task in tasks:
            task.cancel()
    return found


def _arena(*words: str) -> list[str]:
    return [sys.executable, "-c", "from arena.cli import main; main()", *words]
