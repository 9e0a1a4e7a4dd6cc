"""Files that are written whole or not at all, with a count of what is in them."""

import csv
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from arena.files.spreadsheets import harmless
from arena.records.errors import InputError

_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
PARQUET_ROWS = 2000


@dataclass(slots=True)
class Written:
    """What was written to a place. counts: by kind; left_out: by kind, and why it was not."""

    place: Path
    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def leave_out(self, count: int, what: str, why: str) -> None:
        """Say of rows that this format cannot hold them."""
        if count:
            self.left_out[what, why] += count


def file_name(name: str) -> str:
    """A model's or judge's name as a file's, without what divides folders."""
    return _UNFIT.sub("--", name).strip(". ") or "unnamed"


@contextmanager
def made(place: Path) -> Iterator[None]:
    """A folder that is there; one that was made for nothing is removed.

    Raises InputError where it cannot be made.
    """
    missing = [one for one in (place, *place.parents) if not one.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place}: the folder cannot be made ({error.strerror})") from error
    try:
        yield
    finally:
        for one in missing:
            if not any(one.iterdir()):
                one.rmdir()


@contextmanager
def folder(place: Path) -> Iterator[Path]:
    """A folder to write into that is named `place` when all is written."""
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{place}: there is something already; name a new folder")
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if place.is_dir():
            place.rmdir()
        partial.rename(place)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def one_file(place: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    """A file to write that is named `place` when all is written."""
    if not place.name.lower().endswith(tuple(suffixes)):
        raise InputError(f"{place}: its name must end in {' or '.join(suffixes)}")
    if place.is_dir():
        raise InputError(f"{place}: a folder, and a file is needed here")
    partial = place.with_name(f".{place.stem}.partial{place.suffix}")
    try:
        yield partial
        os.replace(partial, place)
    finally:
        partial.unlink(missing_ok=True)


class Lines:
    """Files below a folder, to which rows are written as lines or as items of a list."""

    def __init__(self, place: Path, stack: ExitStack, *, in_lists: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._place, self._stack, self._in_lists = place, stack, in_lists
        self._streams: dict[str, IO[str]] = {}

    def __call__(self, name: str, row: Mapping[str, Any], what: str) -> None:
        """Write a row to a file. what: the kind of row, under which it is counted."""
        new = name not in self._streams
        if new:
            path = self._place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("w", encoding="utf-8", newline="\n")
            self._streams[name] = self._stack.enter_context(stream)
        before, after = (("[\n" if new else ",\n"), "") if self._in_lists else ("", "\n")
        self._streams[name].write(before + json.dumps(row, ensure_ascii=False) + after)
        self.counts[what] += 1

    def end(self) -> None:
        """Close the lists."""
        for stream in self._streams.values():
            stream.write("\n]\n" if self._in_lists else "")


@contextmanager
def lines_of_folder(place: Path, *, in_lists: bool = False) -> Iterator[Lines]:
    """Writes rows to files below a new folder. in_lists: each file is a JSON list of its rows."""
    with folder(place) as partial, ExitStack() as stack:
        lines = Lines(partial, stack, in_lists=in_lists)
        yield lines
        lines.end()


def write_rows(
    place: Path, rows: Iterable[Mapping[str, Any]], names: Sequence[str], suffixes: Sequence[str]
) -> int:
    """Rows as JSON, lines of JSON, CSV or Parquet, by the file's name; returns how many.

    names: of the columns. In CSV lists and objects are JSON, and no cell is a formula.
    """
    with one_file(place, suffixes) as partial:
        name = place.name.lower()
        if name.endswith(".parquet"):
            return _parquet(partial, rows, names)
        with partial.open("w", encoding="utf-8", newline="") as stream:
            if name.endswith(".csv"):
                return _csv(stream, rows, names)
            return _json(stream, rows, in_list=name.endswith(".json"))


def _json(stream: IO[str], rows: Iterable[Mapping[str, Any]], *, in_list: bool) -> int:
    count = 0
    if in_list:
        stream.write("[")
    for count, row in enumerate(rows, start=1):
        stream.write(("," if count > 1 and in_list else "") + ("\n" if in_list else ""))
        stream.write(json.dumps(row, ensure_ascii=False) + ("" if in_list else "\n"))
    if in_list:
        stream.write("\n]\n")
    return count


def _csv(stream: IO[str], rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> int:
    count = 0
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    for count, row in enumerate(rows, start=1):  # noqa: B007
        cells = (row.get(name) for name in names)
        writer.writerow(
            [
                harmless(json.dumps(c, ensure_ascii=False) if isinstance(c, list | dict) else c)
                for c in cells
            ]
        )
    return count


def write_parquet(
    place: Path, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, type]
) -> int:
    """Rows of plain values, a group at a time; returns how many. columns: with their types."""
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    return _groups(place, rows, schema)


def _parquet(place: Path, rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> int:
    """Rows of plain values and of conversations; a list of turns is JSON, as in CSV."""
    import pyarrow as pa

    kinds = {
        "talk": pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
        "turn": pa.int64(),
        "propensity": pa.float64(),
        "seconds": pa.float64(),
    }
    kind = {
        name: kinds["talk" if "conversation" in name else name]
        for name in names
        if "conversation" in name or name in kinds
    }
    schema = pa.schema([(name, kind.get(name, pa.string())) for name in names])
    plain = (
        {
            name: json.dumps(row[name], ensure_ascii=False)
            if name not in kind and isinstance(row.get(name), list | dict)
            else row.get(name)
            for name in names
        }
        for row in rows
    )
    return _groups(place, plain, schema)


def _groups(place: Path, rows: Iterable[Mapping[str, Any]], schema: Any) -> int:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    count, rows = 0, iter(rows)
    with ParquetWriter(place, schema) as writer:
        while group := list(islice(rows, PARQUET_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count
