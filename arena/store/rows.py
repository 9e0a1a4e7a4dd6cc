"""Records to rows and back: one mapping for every table."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar, get_origin, get_type_hints

from arena.records import Usage
from arena.store.connection import Connections

_VARIABLES = 500


class Record(Protocol):
    """A frozen dataclass of plain fields, tuples of text, enums and one `Usage`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


R = TypeVar("R", bound=Record)


class StoredReply(NamedTuple):
    """What a judge wrote, how it ended, and what was sent otherwise; see `Verdict`."""

    text: str
    finish: str
    adjustments: tuple[tuple[str, str], ...]


class Rows(Generic[R]):
    """A table of one kind of record, keyed by content: adding what is there changes nothing."""

    def __init__(
        self,
        connections: Connections,
        table: str,
        record: type[R],
        *,
        view: str = "",
        counted: str = "",
    ) -> None:
        """view: where rows are read, if some of the table count no longer.

        counted: where there are as many rows, and sooner told.
        """
        self._connections = connections
        self.table = table
        self._view = view or table
        self._counted = counted or self._view
        self._record = record

    def add(self, records: Iterable[R], *, durable: bool = True) -> int:
        """Store in one transaction (see there for `durable`); return how many were new."""
        rows = [encode(record) for record in records]
        if not rows:
            return 0
        columns = ", ".join(f'"{name}"' for name in rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        sql = f"INSERT INTO {self.table} ({columns}) VALUES ({marks}) ON CONFLICT(key) DO NOTHING"
        with self._connections.transaction(durable) as db:
            before = db.conn.total_changes
            db.conn.executemany(sql, rows)
            return int(db.conn.total_changes - before)

    def put(self, records: Iterable[R]) -> None:
        """Store in one transaction; a row of the same key makes way and the new one is the latest.

        For what is derived from other rows, and may be derived again.
        """
        rows = [encode(record) for record in records]
        if rows:
            columns = ", ".join(f'"{name}"' for name in rows[0])
            marks = ", ".join(f":{name}" for name in rows[0])
            sql = f"INSERT OR REPLACE INTO {self.table} ({columns}) VALUES ({marks})"
            with self._connections.transaction() as db:
                db.conn.executemany(sql, rows)

    def remove(self, keys: Iterable[str]) -> None:
        """Delete rows by key; a table of what was said refuses it."""
        with self._connections.transaction() as db:
            rows = [(key,) for key in keys]
            db.conn.executemany(f"DELETE FROM {self.table} WHERE key = ?", rows)

    def remove_older(self, seconds: int) -> None:
        """Delete rows that were stored so long ago; see `remove`."""
        with self._connections.transaction() as db:
            db.conn.execute(f"DELETE FROM {self.table} WHERE created_at < {ago(seconds)}")

    def present(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that are stored."""
        return {
            row[0]
            for part in chunks(list(keys))
            for row in self._connections.db.execute(
                f"SELECT key FROM {self._view} WHERE key IN ({', '.join('?' * len(part))})", part
            ).fetchall()
        }

    def numbers(self, keys: Iterable[str]) -> dict[str, int]:
        """The numbers that rows have in this database, by key; unknown keys have none."""
        return {
            str(key): int(number)
            for part in chunks(list(keys))
            for key, number in self._connections.db.execute(
                f"SELECT key, rowid FROM {self._view} WHERE key IN ({', '.join('?' * len(part))})",
                part,
            ).fetchall()
        }

    def where(self, **equal: str | int) -> Iterator[R]:
        """Rows whose columns equal these values, in the order in which they were stored."""
        test, values = self._test(equal)
        sql = f"SELECT * FROM {self._view}{test} ORDER BY rowid"
        for row in self._connections.db.query(sql, values):
            yield decode(self._record, row)

    def recent(self, seconds: int, **equal: str | int) -> Iterator[R]:
        """As `where`, of the rows that were stored less than so many seconds ago."""
        test, values = self._test(equal)
        test = f"{test} AND" if test else " WHERE"
        sql = f"SELECT * FROM {self._view}{test} created_at >= {ago(seconds)} ORDER BY rowid"
        for row in self._connections.db.query(sql, values):
            yield decode(self._record, row)

    def get(self, keys: Iterable[str]) -> dict[str, R]:
        """Records by key; keys that are not stored are left out."""
        found: dict[str, R] = {}
        for part in chunks(list(keys)):
            sql = f"SELECT * FROM {self._view} WHERE key IN ({', '.join('?' * len(part))})"
            for row in self._connections.db.query(sql, part):
                found[str(row["key"])] = decode(self._record, row)
        return found

    def replies(self, requests: Iterable[str]) -> dict[str, StoredReply]:
        """The latest reply that each request got; those without are left out."""
        found: dict[str, StoredReply] = {}
        for part in chunks(list(requests)):
            sql = (
                "SELECT request, text, finish, adjustments, max(rowid) "
                f"FROM {self._view} WHERE (text != '' OR "
                f"finish != '') AND request IN ({', '.join('?' * len(part))}) GROUP BY request"
            )
            for request, text, finish, told, _ in self._connections.db.execute(sql, part):
                adjusted = tuple((name, instead) for name, instead in json.loads(told))
                found[str(request)] = StoredReply(str(text), str(finish), adjusted)
        return found

    def usages(self, **equal: str | int) -> list[Usage]:
        """What each row with these values took; those that were free, as read anew, left out."""
        test, values = self._test(equal)
        sql = f"SELECT prompt_tokens, completion_tokens, seconds FROM {self._view}{test}"
        rows = self._connections.db.execute(sql, values).fetchall()
        return [Usage(*row) for row in rows if any(row)]

    def mean_usage(self, **equal: str | int) -> Usage | None:
        """What a row with these values took on average; None where none took anything."""
        found = self.usages(**equal)
        whole, n = sum(found, Usage()), len(found)
        read, written = whole.prompt_tokens, whole.completion_tokens
        return Usage(round(read / n), round(written / n), whole.seconds / n) if n else None

    def distinct(self, column: str) -> list[str]:
        """The different values of a column, in ascending order."""
        sql = f'SELECT DISTINCT "{column}" FROM {self._view} ORDER BY 1'
        return [str(value) for (value,) in self._connections.db.execute(sql).fetchall()]

    def count(self, **equal: str | int) -> int:
        """How many rows have these values."""
        test, values = self._test(equal)
        sql = f"SELECT count(*) FROM {self._view if equal else self._counted}{test}"
        return int(self._connections.db.execute(sql, values).fetchone()[0])

    def _test(self, equal: dict[str, str | int]) -> tuple[str, list[str | int]]:
        tests = " AND ".join(map(self._equals, equal))
        return (f" WHERE {tests}" if equal else ""), list(equal.values())

    def _equals(self, column: str) -> str:
        """SQL that a column has the value of a mark."""
        return f'"{column}" = ?'


def encode(record: Record) -> dict[str, Any]:
    """A flat row: tuples as JSON, enums as their values, usage as three columns, and the key."""
    row: dict[str, Any] = {}
    for name in _hints(type(record)):
        value = getattr(record, name)
        if isinstance(value, Usage):
            row |= asdict(value)
        elif isinstance(value, tuple):
            row[name] = json.dumps(value, ensure_ascii=False)
        else:
            row[name] = str(value) if isinstance(value, StrEnum) else value
    if hasattr(record, "key"):
        row["key"] = record.key
    return row


def decode(record: type[R], row: dict[str, Any]) -> R:
    """The inverse of `encode`; columns that are no field are passed over."""
    return record(**{name: _value(hint, name, row) for name, hint in _hints(record).items()})


def _value(hint: Any, name: str, row: dict[str, Any]) -> Any:
    if hint is Usage:
        return Usage(**{field.name: row[field.name] for field in fields(Usage)})
    value = row[name]
    if get_origin(hint) is tuple:
        return tuple(tuple(v) if isinstance(v, list) else v for v in json.loads(value))
    if hint is bool:
        return bool(value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, StrEnum) else value


@cache
def _hints(record: type) -> dict[str, Any]:
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record)}


def ago(seconds: int) -> str:
    """SQL of the time so many seconds ago, as the column created_at has it."""
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{seconds:d} seconds')"


def chunks(keys: Sequence[str]) -> Iterator[list[str]]:
    """Parts of as many keys as one statement takes."""
    for start in range(0, len(keys), _VARIABLES):
        yield list(keys[start : start + _VARIABLES])
