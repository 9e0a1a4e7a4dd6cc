"""Files as rows of fields, each row read or refused by itself."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.files.encodings import look, open_text
from arena.files.tabular import json_rows, json_value, listed, rows
from arena.files.tabular.rows import kind_of
from arena.interchange.exchange.entries import Entries, Entry, Refused
from arena.records import tidy
from arena.records.errors import InputError
from arena.records.errors import said as shown

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
SHEETS = (".csv", ".tsv")
DEEPEST = 6  # folders below the one that is named


@dataclass(frozen=True, slots=True)
class Hints:
    """What the command line adds to the files.

    prompts: a file of the questions that others name by id. baseline: the model that judgments
    leave unnamed. judge: whose verdicts rows are that name nobody. votes: whether all rows are of
    people, whatever they say. within: the set that ids without a question belong to.
    """

    prompts: Path | None = None
    baseline: str | None = None
    judge: str | None = None
    votes: bool = False
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """A row, read strictly. Every method raises ValueError that names the field and its value."""

    row: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return self.row.get(name) is not None

    def need(self, name: str) -> Any:
        """A value that must be there."""
        if self.row.get(name) is None:
            raise ValueError(f"it has no {name!r}; it has {listed(self.row)}")
        return self.row[name]

    def text(self, name: str, default: str | None = None) -> str:
        """A text, which may be empty."""
        if default is not None and self.row.get(name) is None:
            return default
        value = self.need(name)
        if not isinstance(value, str):
            raise ValueError(f"{name}: {shown(value)}; it must be a text")
        return value

    def label(self, name: str, default: str | None = None) -> str:
        """A name or an id: a text that is not blank, or a whole number."""
        if default is not None and self.row.get(name) is None:
            return default
        value = self.need(name)
        if isinstance(value, float) and value.is_integer():  # pandas writes ids so
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not tidy(value):
            raise ValueError(f"{name}: {shown(value)}; it must be a name or a number")
        return tidy(value)

    def number(self, name: str) -> float | None:
        """A finite number, None where there is none."""
        value = self.row.get(name)
        if value is None or value != value or value == "":
            return None
        try:
            found = math.nan if isinstance(value, bool | list | dict) else float(value)
        except (ValueError, OverflowError, TypeError):
            found = math.nan
        if not math.isfinite(found):
            raise ValueError(f"{name}: {shown(value)}; it must be a number")
        return found

    def items(self, name: str) -> list[Any]:
        """A list that is not empty; JSON of one where the file is a table of texts."""
        value = self.need(name)
        if isinstance(value, str):
            value = parsed(name, value)
        if not isinstance(value, list) or not value:
            raise ValueError(f"{name}: {shown(value)}; it must be a list")
        return value

    def part(self, name: str) -> "Fields":
        """An object within the row."""
        return fields_of(name, self.need(name))

    def parts(self, name: str) -> list["Fields"]:
        """A list of objects."""
        return [fields_of(f"{name}[{k}]", one) for k, one in enumerate(self.items(name))]


def fields_of(name: str, value: object) -> Fields:
    """An object as fields. Raises ValueError where it is none."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: {shown(value)}; it must be an object")
    return Fields(value)


def parsed(name: str, text: str) -> Any:
    """JSON in a cell."""
    try:
        return json_value(text, name)
    except InputError as error:
        raise ValueError(f"{error}, and it must be JSON: {shown(text)}") from error


def entries_of(path: Path, convert: Callable[[Fields], Iterable[Entry]]) -> Entries:
    """What the rows of a file say; a row that raises ValueError is refused with that reason."""
    for where, row in rows_of(path):
        if isinstance(row, str):
            yield where, Refused(row)
            continue
        try:
            found = list(convert(Fields(row)))
        except ValueError as error:
            found = [Refused(" ".join(str(error).split()))]
        for entry in found:
            yield where, entry


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """The rows of a file with their places; of a line that is not JSON, the reason alone."""
    if kind_of(path) != "json":
        for row in rows(path):
            yield row.where, row.fields
        return
    encoding = look(path).encoding
    if not _is_lines(path, encoding):
        for number, found in json_rows(path):
            yield f"{path}:{number}", found
        return
    with open_text(path, encoding) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield f"{path}:{number}", _row(line)


def _is_lines(path: Path, encoding: str) -> bool:
    """Whether the first line that is not blank is an object by itself."""
    with open_text(path, encoding) as stream:
        first = next((line for line in stream if line.strip()), "")
    return isinstance(_row(first), dict)


def _row(line: str) -> dict[str, Any] | str:
    try:
        value = json_value(line, "")
    except InputError as error:
        return str(error).removeprefix(": ")
    return value if isinstance(value, dict) else f"{shown(line.strip())} is not an object"


def files_in(path: Path) -> list[Path]:
    """The file, or the files of data below a folder, in the order of their names."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and file.name.lower().removesuffix(".gz").endswith(SUFFIXES)
        and len(file.relative_to(path).parts) <= DEEPEST
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


@dataclass(frozen=True, slots=True)
class Peek:
    """A path and the first row of each of its files, by which a format is recognised."""

    path: Path
    files: tuple[Path, ...]
    _firsts: dict[Path, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> "Peek":
        """The file or the folder; it must be there."""
        return cls(path, tuple(files_in(path)))

    def first(self, file: Path) -> Mapping[str, Any]:
        """The first row; empty where it cannot be read."""
        if file not in self._firsts:
            try:
                found = next((row for _, row in rows_of(file)), {})
            except InputError:
                found = {}
            self._firsts[file] = found if isinstance(found, dict) else {}
        return self._firsts[file]

    def having(self, *names: str) -> list[Path]:
        """The files whose first row has all these fields."""
        return [file for file in self.files if set(names) <= self.first(file).keys()]


def as_json(value: object) -> str:
    """A value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)
