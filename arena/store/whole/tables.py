"""The tables of a database as rows, and rows of another database taken in, each once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from arena.records import Answer, Prompt, content_key
from arena.records.errors import ArenaError, InputError, ModelConflictError
from arena.store import answers, votes
from arena.store.chain import last_link, linked
from arena.store.connection import Connections, sqlite3
from arena.store.rows import chunks, decode
from arena.store.schema import STEPS

# In the order in which rows may name others. Work in progress is left out: what is open to
# judge, claims, batches, failures; so are flags and leaks, which an audit makes anew.
CARRIED = (
    "prompts", "models", "judges", "answers", "unanswered", "verdicts", "scores", "rankings",
    "completions", "likelihoods", "markings", "checks", "outcomes", "probes", "votes", "remarks",
    "grades", "withdrawals", "reports", "archived", "withheld", "policies",
    "in_use",
)  # fmt: skip
VOTERS = ("votes", "grades", "withdrawals", "reports")
COMMENTS = ("remarks", "reports")
_CHAINED = ("votes", "withdrawals")
_DERIVED = ("id", "rowid", "told", "previous", "hash")
# What tells that a row is there already.
_IDENTITY = {
    "models": ("name",),
    "votes": ("battle",),
    "withdrawals": ("subject",),
    "archived": ("kind", "name"),
    "withheld": ("kind", "name"),
    "policies": ("settings",),
    "in_use": ("name", "created_at"),
}
# What a digest of a table is made of, where a key does not say all.
_TOLD = _IDENTITY | {
    "models": ("name", "key"),
    "prompts": ("key", "category", "language"),
    "outcomes": ("key", "value"),
}
# What a ranking is made of.
_EVIDENCE = (
    "answers", "verdicts", "scores", "rankings", "outcomes", "votes", "grades", "withdrawals",
)  # fmt: skip
# What two rows of the same identity must both say, where databases are merged.
_SAID = {
    "answers": ("turns",),
    "verdicts": ("preference",),
    "scores": ("value",),
    "rankings": ("ranks",),
    "completions": ("text",),
    "likelihoods": ("tokens", "greedy"),
    "outcomes": ("value",),
    "probes": ("preference",),
    "votes": ("first", "second", "winner"),
    "grades": ("value",),
}
_BY_NUMBER = {"answers": answers.add_rows, "votes": votes.add_rows}
# Of a column that a view makes of another only its values have a type, which is text.
KINDS = {"TEXT": str, "INTEGER": int, "REAL": float}
SCHEMA = STEPS[-1].__name__


@dataclass(frozen=True, slots=True)
class WholeTables:
    """A database's tables, by name."""

    connections: Connections

    def columns(self, table: str) -> dict[str, type]:
        """The columns that are carried, with the type of their values."""
        found = self.connections.db.execute(f"PRAGMA table_info({table})").fetchall()
        names = {str(row[1]): KINDS.get(str(row[2]), str) for row in found}
        return {name: kind for name, kind in names.items() if name not in _DERIVED}

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """All rows, in the order in which they were stored."""
        names = ", ".join(f'"{name}"' for name in self.columns(table))
        yield from self.connections.db.query(f"SELECT {names} FROM {table} ORDER BY rowid")

    def newest(self) -> str | None:
        """When the latest row of evidence was stored, UTC; None where there is none."""
        found = []
        for table in _EVIDENCE:
            sql = f"SELECT created_at FROM {table} ORDER BY rowid DESC LIMIT 1"
            found += [datetime.fromisoformat(row[0]) for row in self.connections.db.execute(sql)]
        if not found:
            return None
        return f"{max(found).astimezone(UTC).replace(tzinfo=None).isoformat('T', 'seconds')}Z"

    def digests(self) -> dict[str, tuple[int, str]]:
        """By table its number of rows, and a SHA-256 that differs where a row does."""
        return {table: self._digest(table) for table in CARRIED}

    def _digest(self, table: str) -> tuple[int, str]:
        if table in _CHAINED:
            count = self.connections.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            return int(count), last_link(self.connections.db, table)
        names = ", ".join(_TOLD.get(table, ("key",)))
        digest, count = sha256(), 0
        sql = f"SELECT {names} FROM {table} ORDER BY {names}"
        for count, row in enumerate(self.connections.db.execute(sql), start=1):  # noqa: B007
            digest.update(repr(row).encode())
        return count, digest.hexdigest()

    def add(
        self,
        table: str,
        rows: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        agreeing: bool = False,
    ) -> tuple[int, int]:
        """Store rows, each given with its place; returns how many are new, and were there.

        agreeing: those that are there must say the same. Raises InputError where a row is not
        one of the table, names one that is not there, or says something else than one that is.
        """
        kinds, said = self.columns(table), _SAID.get(table, ()) if agreeing else ()
        new = there = 0
        for chunk in _some(rows):
            values = [(where, _checked(table, row, kinds, where)) for where, row in chunk]
            fresh = list(self._fresh(table, values, said))
            there += len(values) - len(fresh)
            new += len(fresh)
            self._insert(table, fresh)
        return new, there

    def _fresh(
        self, table: str, rows: list[tuple[str, dict[str, Any]]], said: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Those that are not there yet, each once."""
        names = _IDENTITY.get(table, ("key",))
        said = ("key",) if table == "models" else said
        stored = self._stored(table, names, said, [row[names[-1]] for _, row in rows])
        for where, row in rows:
            identity = tuple(row[name] for name in names)
            if identity not in stored:
                stored[identity] = tuple(row.get(name) for name in said)
                yield where, row
            elif others := [
                (name, old, row.get(name))
                for name, old in zip(said, stored[identity], strict=True)
                if old != row.get(name)
            ]:
                raise _contradiction(table, where, row, *others[0])

    def _stored(
        self, table: str, names: tuple[str, ...], said: tuple[str, ...], last: list[Any]
    ) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        listed = ", ".join(f'"{name}"' for name in (*names, *said))
        found = {}
        for part in chunks(last):
            marks = ", ".join("?" * len(part))
            test = f"{names[-1]} IN ({marks})"
            if table == "votes":  # what is stored of a battle has an index
                marks = ", ".join(["packed(?)"] * len(part))
                test = f"rowid IN (SELECT id FROM vote_rows WHERE battle IN ({marks}))"
            sql = f"SELECT {listed} FROM {table} WHERE {test}"
            for row in self.connections.db.execute(sql, part).fetchall():
                found[tuple(row[: len(names)])] = tuple(row[len(names) :])
        return found

    def _insert(self, table: str, rows: list[tuple[str, dict[str, Any]]]) -> None:
        with self.connections.transaction() as db:
            previous, store = (
                last_link(db, table) if table in _CHAINED else "",
                _BY_NUMBER.get(table),
            )
            for where, row in rows:
                if table in _CHAINED:
                    row = linked(row, previous)
                    previous = str(row["hash"])
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join(f":{name}" for name in row)
                try:
                    if store is None:
                        db.conn.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)
                    else:
                        store(db, [row])
                except sqlite3.IntegrityError as error:
                    raise InputError(f"{where}: the {table} table refuses it: {error}") from error


def _contradiction(
    table: str, where: str, row: Mapping[str, Any], column: str, old: Any, new: Any
) -> ArenaError:
    if table == "models":
        return ModelConflictError(
            f"{where}: the model name {row['name']!r} is already stored with other settings"
        )
    return InputError(
        f"{where}: {column} is {new!r:.60}, and the same row has {old!r:.60} here: the two "
        "databases contradict each other, and nothing of this one was taken"
    )


def with_voter(table: str, row: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """A row with its voter changed, and with the key that is made of the voter."""
    row = row | {"voter": change(row["voter"])}
    if table == "reports":
        row["key"] = content_key("report", row["answer"], row["voter"])
    return row


def _checked(
    table: str, row: Mapping[str, Any], kinds: Mapping[str, type], where: str
) -> dict[str, Any]:
    """A row with all its columns, of the right types. Columns that came later may be missing."""
    if unknown := sorted(set(row) - set(kinds)):
        raise InputError(
            f"{where}: {unknown[0]!r} is no column of {table}; was it written by a newer version?"
        )
    for name, value in row.items():
        kind = kinds[name]
        fits = isinstance(value, (int, float) if kind is float else kind)
        if value is not None and (not fits or isinstance(value, bool)):
            raise InputError(f"{where}: {name}: {value!r:.60}; it must be of type {kind.__name__}")
    values = {name: row.get(name) for name in kinds} if table in _CHAINED else dict(row)
    if table in ("prompts", "answers"):
        _check_key(Prompt if table == "prompts" else Answer, values, where)
    for name in _IDENTITY.get(table, ("key",)):
        if values.get(name) is None:
            raise InputError(f"{where}: it has no {name!r}")
    return values


def _check_key(record: type[Prompt] | type[Answer], row: dict[str, Any], where: str) -> None:
    """A key is the digest of what the row holds; another would mix up rows."""
    try:
        key = decode(record, {**answers.LATER, **row}).key
    except (KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
        raise InputError(f"{where}: it is no {record.__name__.lower()} ({error})") from error
    if key != row.get("key"):
        raise InputError(f"{where}: its key is not the digest of what it holds; it was changed")


def _some(
    rows: Iterable[tuple[str, Mapping[str, Any]]], most: int = 500
) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    part: list[tuple[str, Mapping[str, Any]]] = []
    for row in rows:
        part.append(row)
        if len(part) == most:
            yield part
            part = []
    if part:
        yield part
