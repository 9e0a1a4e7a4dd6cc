"""A file as rows, one at a time, each with the place where it begins."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.files.encodings import look
from arena.files.tabular import delimited, objects, parquet
from arena.records.errors import SHOWN, InputError

JSON = (".jsonl", ".ndjson", ".json")
TEXT = (".csv", ".tsv", ".txt")
FORMATS = (".csv", ".tsv", *JSON, ".parquet")


@dataclass(frozen=True, slots=True)
class TabularRow:
    """One row. line: on which it begins, from 1; of Parquet its number. fields: by column.

    Fields of CSV are texts as they stand there; those of JSON and Parquet are Python's values.
    """

    path: Path
    line: int
    fields: dict[str, Any]

    @property
    def where(self) -> str:
        """The place for messages: `file:line`; Parquet has rows, not lines."""
        between = ": row " if kind_of(self.path) == "parquet" else ":"
        return f"{self.path}{between}{self.line}"


def kind_of(path: Path) -> str:
    """`csv`, `json` or `parquet`, by the file's name alone, in letters of either case."""
    name = path.name.lower().removesuffix(".gz")
    suffix = next((s for s in (*FORMATS, *TEXT) if name.endswith(s)), None)
    if suffix is None and path.is_dir():
        raise InputError(f"{path}: a folder, and a file is needed here")
    if suffix is None:
        raise InputError(f"{path}: not one of the formats {', '.join(FORMATS)}")
    return "json" if suffix in JSON else "csv" if suffix in TEXT else "parquet"


def rows(path: Path) -> Iterator[TabularRow]:
    """All rows of a file that is CSV, JSON lines, a JSON list or Parquet, in constant memory.

    A JSON list is read whole. Raises InputError with file and line where it is none of these.
    """
    kind = kind_of(path)
    if kind == "parquet":
        found = parquet.read_rows(path)
    else:
        seen = look(path)
        if kind == "json" or objects.begins(path, seen.encoding):
            found = objects.read_rows(path, seen.encoding)
        else:
            found = delimited.read_rows(path, seen.encoding)
    return (TabularRow(path, line, fields) for line, fields in found)


def json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON, whatever its name, with the line on which each begins."""
    return objects.read_rows(path, look(path).encoding)


def place_of(path: Path, number: int) -> str:
    """The place of a row counted from 0, for messages."""
    return next((row.where for n, row in enumerate(rows(path)) if n == number), str(path))


def listed(names: Iterable[object], most: int = 40) -> str:
    """Names of columns as messages list them, on one line."""
    shown = [" ".join(str(name).split())[:SHOWN] for name in names]
    return ", ".join([*shown[:most], *(["…"] if len(shown) > most else [])]) or "none"


def wrapped(fields: Mapping[str, Any]) -> str:
    """What would help where a file's only object holds the rows; empty if it does not."""
    for name, value in fields.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            return (
                f"its list {name!r} may hold the rows: jq .{name} FILE > rows.json takes them out"
            )
        if isinstance(value, dict) and value and all(str(key).isdigit() for key in value):
            return 'it holds columns; pandas writes rows by to_json(FILE, orient="records")'
    return ""
