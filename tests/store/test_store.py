import multiprocessing
import os
import socket
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from arena.generation.answering import generate
from arena.records import (
    Answer,
    BackendKind,
    Check,
    Completion,
    Decoding,
    Failure,
    Likelihood,
    Model,
    Outcome,
    Prompt,
    Usage,
    Vote,
    Winner,
    Withdrawal,
)
from arena.records.errors import ModelConflictError, StoreError
from arena.store import Store
from arena.store.connection import sqlite3 as driver

MODEL = Model("m", BackendKind.FAKE, "echo", decoding=Decoding(temperature=0.5))
PROMPT = Prompt("p", ("Hi?", "And?"), "writing", "zh", ("a", "b"), "core")
ANSWER = Answer("m", MODEL.key, PROMPT.key, ("Hello", "你好"), ("stop", "length"), Usage(3, 4, 0.5))


@pytest.fixture
def filled(store: Store) -> Store:
    store.put_prompts([PROMPT])
    store.put_model(MODEL)
    store.answers.add([ANSWER, replace(ANSWER, sample=1)])
    return store


def vote(battle: str, winner: Winner = Winner.TIE) -> Vote:
    return Vote(
        battle, PROMPT.key, ANSWER.key, replace(ANSWER, sample=1).key, winner, "v", "en", 0.25, 3.0
    )


def test_records_come_back_as_they_went_in(filled: Store) -> None:
    assert list(filled.prompts.where()) == [PROMPT]
    assert filled.models() == [MODEL]
    assert filled.answers.get([ANSWER.key, "other"]) == {ANSWER.key: ANSWER}
    filled.votes.cast(vote("b"))
    assert list(filled.votes.where(battle="b")) == [vote("b")]


def test_adding_the_same_row_again_changes_nothing(filled: Store) -> None:
    assert filled.answers.add([ANSWER, replace(ANSWER, sample=2)]) == 1
    assert filled.answers.count() == 3
    assert filled.answers.present([ANSWER.key, "other"]) == {ANSWER.key}


def test_present_takes_more_keys_than_sqlite_takes_variables(filled: Store) -> None:
    keys = [f"k{i}" for i in range(40_000)]
    assert filled.answers.present([*keys, ANSWER.key]) == {ANSWER.key}


def test_a_batch_is_stored_whole_or_not_at_all(filled: Store) -> None:
    stray = replace(ANSWER, prompt_key="nowhere", sample=7)
    with pytest.raises(driver.IntegrityError):
        filled.answers.add([replace(ANSWER, sample=5), stray])
    assert filled.answers.count() == 2


def test_a_models_name_stands_for_one_model(filled: Store) -> None:
    filled.put_model(replace(MODEL, base_url="http://elsewhere/v1", timeout=1.0))
    with pytest.raises(ModelConflictError, match=r"temperature was 0\.5, is 0\.9"):
        filled.put_model(replace(MODEL, decoding=Decoding(temperature=0.9)))
    assert filled.models() == [MODEL]


def test_a_name_under_which_nothing_is_stored_is_free(store: Store) -> None:
    other = replace(MODEL, decoding=Decoding(temperature=0.9))
    store.put_model(MODEL)
    store.check_model(other)
    store.put_model(other)
    assert store.models() == [other]
    store.add_failures([Failure("answers", "key", "rejected", "no")])
    store.put_model(MODEL)
    assert store.models() == [MODEL]


@pytest.mark.parametrize("table", ["completions", "likelihoods", "outcomes", "checks"])
def test_a_row_of_any_kind_takes_the_name(store: Store, table: str) -> None:
    store.put_model(MODEL)
    rows = {
        "completions": Completion("k", "m", MODEL.key, "text", "stop", Usage()),
        "likelihoods": Likelihood("k", "m", MODEL.key, -1.0, False, 2, False, Usage()),
        "outcomes": Outcome("m", MODEL.key, "b", "1", "item", "acc", 1.0, "text"),
        "checks": Check("m", "b", "copied", 0.5, None, None, 3),
    }
    getattr(store, table).add([rows[table]])
    with pytest.raises(ModelConflictError):
        store.put_model(replace(MODEL, decoding=Decoding(temperature=0.9)))


@pytest.mark.parametrize(
    ("owner", "taken"),
    [
        ("elsewhere:1:run", True),
        (f"{socket.gethostname()}:{os.getpid()}:run", False),
        (f"{socket.gethostname()}:{2**22 + 7}:died", False),
        ("batch:1234", False),
    ],
    ids=["another-machine", "this-process", "ended", "batch"],
)
def test_a_name_is_not_free_while_another_process_may_work_under_it(
    store: Store, owner: str, taken: bool
) -> None:
    other = replace(MODEL, decoding=Decoding(temperature=0.9))
    store.put_model(MODEL)
    store.leases.claim(owner, ["key"], "answers")
    if taken:
        with pytest.raises(ModelConflictError):
            store.put_model(other)
        store.leases.release(owner)
    store.put_model(other)
    assert store.models() == [other]


def test_a_run_is_seen_by_others_before_it_takes_a_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = []
    put = store.put_model

    def put_model(model: Model) -> None:
        claimed.append(Store(store.path).leases.claim("other", [key], "answers"))
        put(model)

    key = Answer("m", MODEL.key, PROMPT.key, ("",), ("stop",)).key
    monkeypatch.setattr(store, "put_model", put_model)
    generate(store, MODEL, [PROMPT])
    assert claimed == [set()]  # this run has claimed it already
    assert [answer.key for answer in store.answers.where()] == [key]


def test_a_database_is_empty_while_no_table_has_a_row(store: Store) -> None:
    assert store.is_empty()
    store.add_failures([Failure("answers", "key", "rejected", "no")])
    assert not store.is_empty()


def test_addresses_and_names_of_keys_are_not_stored(store: Store) -> None:
    store.put_model(replace(MODEL, base_url="http://secret-host/v1", api_key_env="SECRET_ENV"))
    content = b"".join(p.read_bytes() for p in store.path.parent.iterdir() if p.is_file())
    assert b"secret-host" not in content
    assert b"SECRET_ENV" not in content


def test_a_battle_is_voted_on_once(filled: Store) -> None:
    filled.votes.cast(vote("b", Winner.MODEL_A))
    with pytest.raises(StoreError, match="voted on already"):
        filled.votes.cast(vote("b", Winner.MODEL_B))
    assert [v.winner for v in filled.votes.where()] == [Winner.MODEL_A]


@pytest.mark.parametrize(
    "table", ["answers", "answer_rows", "votes", "vote_rows", "voters", "verdicts", "scores"]
)
def test_what_was_said_cannot_be_changed_or_removed(filled: Store, table: str) -> None:
    filled.votes.cast(vote("b"))
    conn = driver.connect(str(filled.path))
    rows = conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    if rows:
        with pytest.raises(driver.IntegrityError, match="append-only"):
            conn.execute(f"DELETE FROM {table}")
        with pytest.raises(driver.IntegrityError, match="append-only"):
            conn.execute(f"UPDATE {table} SET rowid = rowid + 1")
    triggers = conn.execute(
        "SELECT count(*) FROM sqlite_master WHERE tbl_name = ? AND type = 'trigger'", [table]
    ).fetchone()[0]
    conn.close()
    assert triggers == 2


def test_an_edit_of_a_vote_behind_our_back_shows(filled: Store) -> None:
    for name in "abc":
        filled.votes.cast(vote(name))
    assert list(filled.votes.broken()) == []
    conn = driver.connect(str(filled.path))
    conn.execute("DROP TRIGGER vote_rows_no_update")
    conn.execute("UPDATE vote_rows SET winner = 0 WHERE id = 2")
    conn.commit()
    conn.close()
    assert list(filled.votes.broken()) == [2]


def test_failures_are_counted_by_kind(store: Store) -> None:
    store.add_failures([Failure("answer", "k", "TransientError", f"m{i}") for i in range(3)])
    (count,) = store.failure_counts()
    assert (count.stage, count.kind, count.count, count.message) == (
        "answer",
        "TransientError",
        3,
        "m2",
    )


def cast_many(path: str, who: int) -> None:
    store = Store(path)
    for i in range(25):
        store.votes.cast(vote(f"{who}-{i}"))


def test_processes_and_threads_write_at_once_and_the_chain_holds(filled: Store) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=cast_many, args=(str(filled.path), w)) for w in range(2)]
    threads = [threading.Thread(target=cast_many, args=(str(filled.path), w)) for w in (2, 3)]
    for worker in [*processes, *threads]:
        worker.start()
    for worker in [*processes, *threads]:
        worker.join()
    assert [p.exitcode for p in processes] == [0, 0]
    assert filled.votes.count() == 100
    assert list(filled.votes.broken()) == []


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be one" * 30])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"x\.db"):
        Store(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE recipes (id)")
    conn.commit()
    conn.close()
    with pytest.raises(StoreError, match=r"not an arena's .*recipes"):
        Store(path)
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    conn.close()


def test_votes_of_a_database_from_before_anything_could_be_taken_back(filled: Store) -> None:
    """What m011 added is taken away again; opening the file brings it back, and changes no vote."""
    filled.votes.cast(vote("b"))
    before, columns = [*filled.votes.where()], filled.evidence.votes()
    filled.close()
    with driver.connect(str(filled.path)) as conn:
        for drop in ("VIEW standing_votes", "VIEW standing_grades", "TABLE withdrawals"):
            conn.execute(f"DROP {drop}")
        conn.execute("DROP TABLE reports")
        conn.execute("ALTER TABLE talks DROP COLUMN attempts")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm011_voting'")
    conn.close()
    again = Store(filled.path)
    assert [*again.votes.where()] == before
    assert again.evidence.votes() == columns
    assert not list(again.votes.broken())
    assert again.withdrawals.take_back(Withdrawal("b", "v"), 60)
    assert not again.evidence.votes().voter


def test_a_newer_database_is_refused(store: Store) -> None:
    conn = driver.connect(str(store.path))
    conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('arena', 'm999_future', '')"
    )
    conn.commit()
    conn.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(store.path)


def test_places_where_no_database_can_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database"):
        Store(tmp_path / "none.db", create=False)
    with pytest.raises(StoreError, match="a folder"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="does not exist"):
        Store(tmp_path / "no" / "where.db")


def test_wal_only_where_sqlite_is_safe(store: Store) -> None:
    store.close()
    conn = driver.connect(str(store.path))
    mode = conn.execute("PRAGMA journal_mode").fetchone()[0]
    conn.close()
    assert (mode == "wal") == (driver.sqlite_version_info >= (3, 51, 3))
