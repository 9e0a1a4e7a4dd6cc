"""A whole database as a folder: one file a table, and a manifest with the digest of each.

Voters are numbered unless their hashes are asked for, and what they wrote is left out unless it is
asked for. Keys stay, so a database that is read back asks no model anew, and votes count once.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from arena.interchange.exchange.intake import Count
from arena.interchange.exchange.outgoing import Written, folder, write_parquet
from arena.interchange.exchange.reading import Fields, Peek, fields_of, rows_of
from arena.interchange.exchange.source import Outgoing
from arena.records.errors import InputError
from arena.records.errors import said as shown
from arena.store import Store
from arena.store.schema import NAMES
from arena.store.whole.tables import CARRIED, COMMENTS, SCHEMA, VOTERS, with_voter

MANIFEST = "manifest.json"
NAME = "arena-store"
VERSION = 1
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class TableFile:
    """One line of the manifest."""

    table: str
    path: Path
    rows: int
    sha256: str


def recognise(peek: Peek) -> str:
    """By its manifest."""
    there = [file for file in peek.files if file.name == MANIFEST]
    return "a manifest" if any(peek.first(file).get("format") == NAME for file in there) else ""


def write(source: Outgoing, place: Path) -> Written:
    """The tables and the manifest; as Parquet if `source.parquet`."""
    if source.redact:
        raise InputError(
            "--redact does not go with store, whose keys are digests of the texts; the other "
            "formats take it"
        )
    written = Written(place)
    with folder(place) as partial:
        files = []
        for table in CARRIED:
            name = f"{table}.{'parquet' if source.parquet else 'jsonl'}"
            count = _write(source, table, partial / name)
            written.counts[table] = count
            digest = digest_of(partial / name)
            files.append({"table": table, "file": name, "rows": count, "sha256": digest})
        manifest = {
            "format": NAME,
            "version": VERSION,
            "schema": SCHEMA,
            "voters": "hashes" if source.voters else "numbers",
            "comments": source.comments,
            "files": files,
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
        (partial / MANIFEST).write_text(text, encoding="utf-8")
    return written


def _write(source: Outgoing, table: str, path: Path) -> int:
    rows = _rows(source, table)
    if source.parquet:
        return write_parquet(path, rows, source.store.whole.columns(table))
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for count, row in enumerate(rows, start=1):  # noqa: B007
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _rows(source: Outgoing, table: str) -> Iterator[dict[str, Any]]:
    for row in source.store.whole.rows(table):
        if table in VOTERS and not source.voters:
            row = with_voter(table, row, source.voter)
        if table in COMMENTS and not source.comments:
            row = row | {"comment": ""}
        yield row


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fill(store: Store, path: Path) -> dict[str, Count]:
    """Take a folder's tables into a database, all or nothing; what is there already stays.

    Raises InputError where a file is not as the manifest says.
    """
    files = _manifest(path)
    with store.together():
        found = {}
        for one in files:
            rows = ((where, _object(where, row)) for where, row in rows_of(one.path))
            new, there = store.whole.add(one.table, rows)
            if new + there != one.rows:
                raise InputError(f"{one.path}: {new + there} rows, and {MANIFEST} says {one.rows}")
            found[one.table] = Count(new, there)
        return found


def _object(where: str, row: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(row, str):
        raise InputError(f"{where}: {row}")
    return row


def _manifest(path: Path) -> list[TableFile]:
    """The files that the manifest names, which are whole; in the order in which rows need them."""
    home = path if path.is_dir() else path.parent
    place = home / MANIFEST
    if not place.is_file():
        raise InputError(f"{path}: no {MANIFEST} in it, as arena export store writes it")
    found = [row for _, row in rows_of(place)]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise InputError(f"{place}: it must be one object of JSON")
    try:
        files = _files(Fields(found[0]), home)
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error
    for one in files:
        if not one.path.is_file():
            raise InputError(f"{one.path}: {MANIFEST} names it, and it is not there")
        if digest_of(one.path) != one.sha256:
            raise InputError(f"{one.path}: its digest is not the one in {MANIFEST}; it was changed")
    return sorted(files, key=lambda one: CARRIED.index(one.table))


def _files(manifest: Fields, home: Path) -> list[TableFile]:
    if manifest.text("format") != NAME:
        raise ValueError(f"format: {shown(manifest.row['format'])}; it must be {NAME}")
    if (version := manifest.number("version")) != VERSION:
        raise ValueError(f"version: {version}; this package reads version {VERSION}")
    if (schema := manifest.text("schema")) not in NAMES:
        raise ValueError(f"schema: {shown(schema)}; a newer package wrote it, so upgrade this one")
    found = [_file(fields_of("files", one), home) for one in manifest.items("files")]
    tables = [one.table for one in found]
    if twice := next((name for name in tables if tables.count(name) > 1), None):
        raise ValueError(f"files: {twice} is there twice")
    return found


def _file(row: Fields, home: Path) -> TableFile:
    table, name = row.text("table"), row.text("file")
    if table not in CARRIED:
        raise ValueError(f"table: {shown(table)}; allowed are {', '.join(CARRIED)}")
    if Path(name).name != name:
        raise ValueError(f"file: {shown(name)}; it must be the name of a file in this folder")
    return TableFile(table, home / name, int(row.number("rows") or 0), row.text("sha256"))
