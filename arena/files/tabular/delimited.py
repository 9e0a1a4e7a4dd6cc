"""CSV as people have it: parted by commas, semicolons or tabs, told by the header."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.files.encodings import open_text
from arena.records.errors import InputError

LONGEST_FIELD = 2**27
_MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_HEAD = 2**16
_QUOTED = re.compile(r'"[^"]*"')
_SEP = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
_AROUND = " \t\r\n\ufeff\u200b\xa0\u3000"


@dataclass(frozen=True, slots=True)
class Header:
    """The first row. names: of the columns in order, empty where a column has none.

    delimiter: what parts columns. skip: lines before it that are of no row. padded: whether a
    blank follows each delimiter. first: whether it is on the first line.
    """

    names: tuple[str, ...]
    delimiter: str
    skip: int
    padded: bool
    first: bool

    @property
    def bare(self) -> list[int]:
        """Columns without a name that must be empty; pandas writes row numbers into a first."""
        return [k for k, name in enumerate(self.names) if k and not name]


def read_rows(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows below the header, each with the line on which it begins."""
    header = read_header(path, encoding)
    for line, record in read_records(path, encoding, header):
        yield line, {name: cell for name, cell in zip(header.names, record, strict=True) if name}


def read_header(path: Path, encoding: str) -> Header:
    """The names of the columns and what parts them."""
    with open_text(path, encoding, newline="") as stream:
        head = stream.read(_HEAD)
    lines = re.split(r"\r\n|\n|\r", head)
    skip, first = 0, next((line for line in lines if line.strip()), "")
    if mark := _SEP.fullmatch(first):  # what Excel writes into a first line
        delimiter, skip = mark[1], 1 + lines.index(first)
        head = "\n".join(lines[skip:])
    else:
        delimiter = _delimiter(path, head, first)
    with _records(path, encoding, delimiter, skip, padded=False) as found:
        line, cells = next(((at, record) for at, record in found if any(record)), (1, []))
    padded = len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])
    if padded:
        with _records(path, encoding, delimiter, skip, padded=True) as found:
            line, cells = next((at, record) for at, record in found if any(record))
    names = tuple(cell.strip(_AROUND) for cell in cells)
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise InputError(f"{path}:{line}: the column {twice[0]!r} is there twice")
    return Header(names, delimiter, skip, padded, line == 1)


def read_records(path: Path, encoding: str, header: Header) -> Iterator[tuple[int, list[str]]]:
    """Rows as lists as long as the header, without those that hold nothing."""
    count, bare = len(header.names), header.bare
    with _records(path, encoding, header.delimiter, header.skip, padded=header.padded) as found:
        next((record for _, record in found if any(record)), None)
        for line, record in found:
            if len(record) != count or not record[0] or bare:
                if not any(map(str.strip, record)):
                    continue
                _refuse_stray(path, line, record, header)
                record = (record + [""] * count)[:count]
            yield line, record


def _refuse_stray(path: Path, line: int, record: list[str], header: Header) -> None:
    """Values outside the columns, or too few of them."""
    count, named = len(header.names), max(k for k, n in enumerate(header.names, 1) if n)
    outside = [cell for cell in record[count:] if cell.strip()]
    if outside or len(record) < named:
        mark = _MARKS.get(header.delimiter, repr(header.delimiter))
        raise InputError(
            f"{path}:{line}: {len(record)} values, and the header has {named} names; "
            f"a text with a {mark} in it needs quotes"
        )
    for k in header.bare:
        if k < len(record) and record[k].strip():
            raise InputError(f"{path}:{line}: {record[k][:60]!r} is in a column without a name")


@contextmanager
def _records(
    path: Path, encoding: str, delimiter: str, skip: int, *, padded: bool
) -> Iterator[Iterator[tuple[int, list[str]]]]:
    csv.field_size_limit(LONGEST_FIELD)
    with open_text(path, encoding, newline="") as stream:
        for _ in range(skip):
            next(stream)
        yield _numbered(path, stream, delimiter, skip, padded)


def _numbered(
    path: Path, stream: Any, delimiter: str, skip: int, padded: bool
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream, delimiter=delimiter, strict=True, skipinitialspace=padded)
    line = skip + 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + skip + 1
    except csv.Error as error:
        raise InputError(f"{path}:{line}: not CSV: {error}; is a quote open?") from error


def _delimiter(path: Path, head: str, first: str) -> str:
    """The only mark that is in the header, or the only one by which all rows are as long."""
    bare = _QUOTED.sub("", first)
    found = [mark for mark in _MARKS if mark in bare]
    if len(found) < 2:
        return found[0] if found else ","
    fits = [mark for mark in found if _fits(head, mark)]
    if len(fits) == 1 or "," in fits:
        return "," if "," in fits else fits[0]
    names = " and ".join(f"{_MARKS[mark]}s" for mark in found)
    raise InputError(
        f"{path}:1: the header has {names}, and it is not certain which of them part its columns; "
        "save it with commas, and names that hold one in quotes"
    )


def _fits(head: str, mark: str) -> bool:
    try:
        rows = [row for row in csv.reader(head.splitlines(keepends=True), delimiter=mark) if row]
    except csv.Error:
        return False
    whole = rows[:20] if len(head) < _HEAD else rows[:-1][:20]
    return len(whole) > 1 and len({len(row) for row in whole}) == 1 and len(whole[0]) > 1
