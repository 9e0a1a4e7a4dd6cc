"""Answers: each names its writer and its prompt by number, and a text not known takes no room."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from arena.records import Answer
from arena.store.connection import Connections
from arena.store.rows import Rows, encode
from arena.store.schema.driver import Database
from arena.store.schema.numbered import BARE
from arena.store.schema.packing import OF_ROWS, moment, packed

Writer = tuple[str, str, str]  # a model, its key, and the name that keys are made of if it changed
_WRITER = ("model", "model_key", "first_name")
_USED = ("prompt_tokens", "completion_tokens", "seconds", "thinking_tokens", "room", "first_token")
_VALUES = (*BARE, "sample", *_USED)
# What stands for columns that came later, in a row that is taken over.
LATER: dict[str, str | None] = {
    "first_name": "",
    "thinking": "[]",
    "adjustments": "[]",
    **dict.fromkeys(("thinking_tokens", "room", "first_token")),
}
# Takes the key, the writer's number, the prompt's key, `_VALUES`, and the time.
INSERT = f"""
    INSERT INTO answer_rows (digest, writer, prompt, {", ".join(_VALUES)}, created_at)
    VALUES (?, ?, (SELECT id FROM prompts WHERE key = ?),
            {", ".join(f"nullif(?, '{text}')" for text in BARE.values())},
            {", ".join("?" * (len(_USED) + 2))})
    ON CONFLICT(key) DO NOTHING"""


class AnswerRows(Rows[Answer]):
    """The answers of all models, each stored once."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, "answers", Answer, counted="answer_rows")

    def add(self, records: Iterable[Answer], *, durable: bool = True) -> int:
        """As in `Rows`."""
        rows = [encode(record) for record in records]
        if not rows:
            return 0
        with self._connections.transaction(durable) as db:
            return add_rows(db, rows)


def add_rows(db: Database, rows: Iterable[Mapping[str, Any]]) -> int:
    """Store those that are not there yet, in a transaction; return how many were new.

    rows: as the view `answers` has them; columns that came later may be missing.
    """
    now, given = milliseconds(), [{**LATER, **row} for row in rows]
    number = writers(db, (_writer(row) for row in given))
    made = [
        (
            packed(row["key"]),
            number[_writer(row)],
            row["prompt_key"],
            *(row[name] for name in _VALUES),
            _time(row, now),
        )
        for row in given
    ]
    before = db.conn.total_changes
    db.conn.executemany(INSERT, made)
    return int(db.conn.total_changes - before)


def writers(db: Database, wanted: Iterable[Writer]) -> dict[Writer, int]:
    """The numbers of writers, which those that are new get now, in a transaction."""
    sql = f"SELECT {', '.join(_WRITER)}, id FROM writers"
    known = {(model, key, name): number for model, key, name, number in db.execute(sql)}
    new = dict.fromkeys(one for one in wanted if one not in known)
    for one in new:
        known[one] = db.execute(
            f"INSERT INTO writers ({', '.join(_WRITER)}) VALUES (?, ?, ?)", one
        ).lastrowid
    return known


def _writer(row: Mapping[str, Any]) -> Writer:
    return row["model"], row["model_key"], row["first_name"]


def _time(row: Mapping[str, Any], now: int) -> int | str:
    """When a row was stored, which one that is taken over says itself."""
    text = row.get("created_at")
    return now if text is None else moment(text, OF_ROWS)


def milliseconds() -> int:
    """The time as answers have it."""
    return round(time.time() * 1000)
