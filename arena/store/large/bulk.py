"""Many rows at once, in constant memory: one transaction, and indexes that are made at its end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from sqlite_utils import Database

from arena.store.connection import Connections

CACHE_MB = 128
# Indexes that are made anew are read as a whole, which few new rows are not worth.
FEW = 50_000
_GROWING = ("answers", "votes")


@dataclass(frozen=True, slots=True)
class NewAnswers:
    """Answers as columns of equal length, without usage; see `records.Answer`."""

    key: list[str]
    model: list[str]
    model_key: list[str]
    prompt_key: list[str]
    turns: list[tuple[str, ...]]
    thinking: list[tuple[str, ...]]
    finish: list[tuple[str, ...]]
    first_name: list[str]


def add_answers(connections: Connections, new: NewAnswers) -> None:
    """Store those that are not there yet; to be called inside a transaction."""
    rows = zip(
        new.key,
        new.model,
        new.model_key,
        new.prompt_key,
        map(_as_json, new.turns),
        map(_as_json, new.thinking),
        map(_as_json, new.finish),
        new.first_name,
        strict=True,
    )
    connections.db.conn.executemany(
        "INSERT INTO answers (key, model, model_key, prompt_key, turns, thinking, finish, "
        "first_name, sample, prompt_tokens, completion_tokens, seconds) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0.0) ON CONFLICT(key) DO NOTHING",
        rows,
    )


@contextmanager
def filling(connections: Connections, rows: int) -> Iterator[None]:
    """A transaction for a file of so many rows of votes.

    Whoever fills stores what a row refers to before the row, in the same transaction, so that
    SQLite need not look each of them up: at random places that takes longer than all the rest.
    """
    db = connections.db
    size = db.execute("PRAGMA cache_size").fetchone()[0]
    db.execute(f"PRAGMA cache_size = -{CACHE_MB * 1024}")
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        with connections.transaction():
            stored = db.execute("SELECT coalesce(max(id), 0) FROM votes").fetchone()[0]
            dropped = _drop_indexes(db) if rows > FEW and rows > stored // 4 else []
            yield
            for sql in dropped:
                db.execute(sql)
    finally:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA cache_size = {size}")


def _drop_indexes(db: Database) -> list[str]:
    """Drop the indexes of the tables that grow; return the SQL that makes them again."""
    marks = ", ".join("?" * len(_GROWING))
    found = db.execute(
        "SELECT name, sql FROM sqlite_master "
        f"WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",
        list(_GROWING),
    ).fetchall()
    for name, _ in found:
        db.execute(f'DROP INDEX "{name}"')
    return [str(sql) for _, sql in found]


def _as_json(texts: tuple[str, ...]) -> str:
    """As `rows.encode` writes them; those that say nothing are many, and written once."""
    return _short(texts) if sum(map(len, texts)) < 16 else json.dumps(texts, ensure_ascii=False)


@cache
def _short(texts: tuple[str, ...]) -> str:
    return json.dumps(texts, ensure_ascii=False)
