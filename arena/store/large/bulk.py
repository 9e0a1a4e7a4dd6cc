"""Many rows at once, in constant memory: one transaction, and indexes that are made at its end."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from arena.store.answers import Writer, milliseconds, writers
from arena.store.connection import Connections
from arena.store.schema.driver import Database
from arena.store.schema.numbered import BARE

CACHE_MB = 32
# Indexes that are made anew are read as a whole, which few new rows are not worth.
FEW = 50_000
_GROWING = ("answer_rows", "vote_rows")
_TEXTS = ("turns", "finish", "thinking")
# Numbers that are the same in each row stand in the statement: binding them takes half of the time.
_INSERT = f"""
    INSERT INTO answer_rows (digest, writer, prompt, turns, finish, thinking, sample, prompt_tokens,
                             completion_tokens, seconds, created_at)
    VALUES (?, ?, ?, {", ".join(f"nullif(?, '{BARE[name]}')" for name in _TEXTS)},
            0, 0, 0, 0.0, {{now}})
    ON CONFLICT(key) DO NOTHING"""


@dataclass(frozen=True, slots=True)
class NewAnswers:
    """Answers as columns of equal length, without usage; see `records.Answer`.

    turns, finish, thinking: as JSON, as `Rows` writes them.
    """

    key: list[str]
    writer: list[Writer]
    prompt_key: list[str]
    turns: Sequence[str]
    finish: Sequence[str]
    thinking: Sequence[str]


def add_answers(connections: Connections, new: NewAnswers) -> Sequence[int]:
    """Store those that are not there yet, and return their numbers; call it in a transaction."""
    db = connections.db
    number = writers(db, new.writer)
    last = db.execute("SELECT coalesce(max(id), 0) FROM answer_rows").fetchone()[0]
    before = db.conn.total_changes
    asked = dict.fromkeys(new.prompt_key)
    sql = "SELECT key, id FROM prompts WHERE key IN (SELECT value FROM json_each(?))"
    asked |= db.execute(sql, [json.dumps([*asked])]).fetchall()
    rows = zip(
        map(bytes.fromhex, new.key),
        map(number.__getitem__, new.writer),
        map(asked.__getitem__, new.prompt_key),
        new.turns,
        new.finish,
        new.thinking,
        strict=True,
    )
    db.conn.executemany(_INSERT.format(now=milliseconds()), rows)
    if db.conn.total_changes - before == len(new.key):  # numbers are given in order
        return range(last + 1, last + 1 + len(new.key))
    sql = "SELECT key, id FROM answer_rows WHERE key IN (SELECT value FROM json_each(?))"
    known = dict(db.execute(sql, [json.dumps(new.key)]).fetchall())
    return [known[key] for key in new.key]


@contextmanager
def filling(connections: Connections, rows: int) -> Iterator[bool]:
    """A transaction for a file of so many rows of votes; yields whether they are the first.

    Whoever fills stores what a row refers to before the row, in the same transaction, so that
    SQLite need not look each of them up: at random places that takes longer than all the rest.
    """
    db = connections.db
    size = db.execute("PRAGMA cache_size").fetchone()[0]
    db.execute(f"PRAGMA cache_size = -{CACHE_MB * 1024}")
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        with connections.transaction():
            stored = db.execute("SELECT coalesce(max(id), 0) FROM vote_rows").fetchone()[0]
            is_large = rows > FEW and rows > stored // 4
            dropped = _drop_indexes(db, unique=not stored) if is_large else []
            yield not stored
            if dropped:  # what grew row by row has room in between
                db.execute("REINDEX answer_rows")
            for sql in dropped:
                db.execute(sql)
    finally:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA cache_size = {size}")


def _drop_indexes(db: Database, unique: bool) -> list[str]:
    """Drop the indexes of the tables that grow; return the SQL that makes them again.

    unique: whether also those that refuse a second row of the same.
    """
    kind = "CREATE %" if unique else "CREATE INDEX%"
    marks = ", ".join("?" * len(_GROWING))
    found = db.execute(
        "SELECT name, sql FROM sqlite_master "
        f"WHERE type = 'index' AND sql LIKE ? AND tbl_name IN ({marks})",
        [kind, *_GROWING],
    ).fetchall()
    for name, _ in found:
        db.execute(f'DROP INDEX "{name}"')
    return [str(sql) for _, sql in found]
