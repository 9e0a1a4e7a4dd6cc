"""Models and judges put aside, and models renamed; no row of what they said is lost."""

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from arena.records import Check, Outcome
from arena.records.errors import StoreError, UnknownNameError
from arena.records.names import apart
from arena.store.connection import Connections
from arena.store.rows import decode, encode
from arena.store.schema.driver import Database


class Archivable(StrEnum):
    """What can be put aside."""

    MODEL = "model"
    JUDGE = "judge"


_NAMES = {
    Archivable.MODEL: "SELECT name FROM models",
    Archivable.JUDGE: "SELECT name FROM judges",
}
_COLUMNS = (
    ("unanswered", "model"),
    ("completions", "model"),
    ("likelihoods", "model"),
    ("outcomes", "model"),
    ("checks", "model"),
    ("talks", "first_model"),
    ("talks", "second_model"),
)


class Archive:
    """What is left out of rankings, votes and pages until it is restored."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def names(self, kind: Archivable) -> set[str]:
        """What is put aside now."""
        sql = "SELECT name FROM archived WHERE kind = ?"
        return {str(row[0]) for row in self._connections.db.execute(sql, [kind]).fetchall()}

    def put(self, kind: Archivable, name: str) -> None:
        """Put one aside; raises UnknownNameError where nothing is stored of it."""
        self._check(kind, name)
        with self._connections.transaction() as db:
            sql = "INSERT INTO archived (kind, name) VALUES (?, ?) ON CONFLICT DO NOTHING"
            db.execute(sql, [kind, name])

    def restore(self, kind: Archivable, name: str) -> None:
        """Let one count again; raises UnknownNameError where it is not put aside."""
        if name not in (known := self.names(kind)):
            raise UnknownNameError(f"archived {kind}", name, known)
        with self._connections.transaction() as db:
            db.execute("DELETE FROM archived WHERE kind = ? AND name = ?", [kind, name])

    def rename(self, old: str, new: str) -> dict[str, str]:
        """Give a model another name; its rows keep their keys, so nothing is asked again.

        Its versions go with it: with `echo` also `echo@2`. Returns the new name by each old one.
        Raises UnknownNameError for a model that is not stored, StoreError for a name in use.
        """
        known = self._check(Archivable.MODEL, old)
        names = {old: new}
        if apart(new)[1] == 1:
            family = ((name, *apart(name)) for name in known)
            names |= {name: f"{new}@{n}" for name, stem, n in family if stem == old and n > 1}
        if taken := sorted(set(names.values()).intersection(known)):
            raise StoreError(f"there is a model named {taken[0]!r} already; take another name")
        with self._connections.transaction() as db:
            db.execute("PRAGMA defer_foreign_keys = ON")
            for before, now in names.items():
                _rename(db, before, now)
            used = [row[0] for row in db.execute("SELECT name FROM in_use ORDER BY id DESC")]
            if (last := next((name for name in used if name in names), None)) is not None:
                db.execute("INSERT INTO in_use (name) VALUES (?)", [names[last]])
        return names

    def forget(self, name: str) -> None:
        """Delete a model of which nothing else is stored."""
        with self._connections.transaction() as db:
            db.execute("DELETE FROM models WHERE name = ?", [name])
            db.execute("DELETE FROM archived WHERE kind = 'model' AND name = ?", [name])

    def _check(self, kind: Archivable, name: str) -> Sequence[str]:
        known = [str(row[0]) for row in self._connections.db.execute(_NAMES[kind]).fetchall()]
        if name not in known:
            raise UnknownNameError(f"stored {kind}", name, set(known))
        return known


def _rename(db: Database, old: str, new: str) -> None:
    (text,) = db.execute("SELECT spec FROM models WHERE name = ?", [old]).fetchone()
    spec = json.loads(text)
    spec |= {"name": new, "first_name": spec.get("first_name") or old}
    db.execute(
        "UPDATE models SET name = ?, spec = ? WHERE name = ?",
        [new, json.dumps(spec, ensure_ascii=False), old],
    )
    db.execute(
        "UPDATE writers SET model = ?1, "
        "first_name = CASE first_name WHEN '' THEN ?2 ELSE first_name END WHERE model = ?2",
        [new, old],
    )
    checks = [decode(Check, row) for row in db.query("SELECT * FROM checks")]
    for table, column in _COLUMNS:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [new, old])
    for check in checks:
        if check.model == old:  # the key of a check is made of the name
            key = encode(replace(check, model=new))["key"]
            db.execute("UPDATE checks SET key = ? WHERE key = ?", [key, check.key])
    _rekey_outcomes(db, new)
    for table in ("withheld", "archived"):
        sql = f"UPDATE {table} SET name = ? WHERE kind = 'model' AND name = ?"
        db.execute(sql, [new, old])


def _rekey_outcomes(db: Database, new: str) -> None:
    """The key of an outcome is made of the name, so a later run finds it by the new one.

    One that an earlier version stored anew after a renaming has that key already.
    """
    rows = list(db.query("SELECT * FROM outcomes WHERE model = ?", [new]))
    keys = [(decode(Outcome, row).key, row["key"]) for row in rows]
    db.conn.executemany("UPDATE OR IGNORE outcomes SET key = ? WHERE key = ?", keys)
