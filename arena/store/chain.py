"""A table as a chain: each row holds a digest of its content and of the row before."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from arena.store.connection import Connections
from arena.store.schema.driver import Database
from arena.store.schema.packing import GENESIS


def last_link(db: Database, table: str) -> str:
    """The hash that the next row of a table follows."""
    found = db.execute(f"SELECT hash FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
    return str(found[0]) if found else GENESIS


def linked(row: dict[str, Any], previous: str) -> dict[str, Any]:
    """A row as it is stored after the one whose hash is `previous`."""
    row = row | {"previous": previous}
    return row | {"hash": _digest(row)}


def broken(connections: Connections, table: str) -> Iterator[int]:
    """The ids of a table's rows whose content or place does not fit the chain."""
    previous = GENESIS
    for row in connections.db.query(f"SELECT * FROM {table} ORDER BY id"):
        identifier, stored = int(row.pop("id")), row.pop("hash")
        row.pop("rowid", None)  # which views have
        if row["previous"] != previous or _digest(row) != stored:
            yield identifier
        previous = str(stored)


def _digest(row: dict[str, Any]) -> str:
    return sha256(json.dumps(row, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
