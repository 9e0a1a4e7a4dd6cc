"""JSON as rows: one object a line, several lines an object, or a list of objects."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from arena.files.encodings import open_text
from arena.records.errors import InputError

Found = Iterator[tuple[int, dict[str, Any]]]
_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = "half a character (a \\ud8… without its other)"
_LIST = re.compile(r"\[\s*(\{|$)")


def begins(path: Path, encoding: str) -> bool:
    """Whether the text begins as a JSON object or a list of objects does."""
    with open_text(path, encoding) as stream:
        head = stream.read(4096).lstrip()
    return head[:1] == "{" or _LIST.match(head) is not None


def read_rows(path: Path, encoding: str) -> Found:
    """The objects of a file, each with the line on which it begins."""
    with open_text(path, encoding) as stream:
        yield from _rows(stream, str(path))


def parse(text: str, place: str) -> Found:
    """The objects of a text, as `read_rows` has those of a file. place: what errors call it."""
    return _rows(io.StringIO(text.removeprefix("\ufeff"), newline=None), place)


def value_of(text: str, place: str) -> Any:
    """The one JSON value of a text; an InputError that begins with `place` where it is none."""
    try:
        return _loads(text)
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error


def _rows(stream: IO[str], place: str) -> Found:
    """By the first line that is not blank: an object by itself, or the beginning of more."""
    before, first = 0, ""
    for first in stream:
        before += 1
        if first.strip():
            break
    if not first.strip():
        return
    if not first.lstrip().startswith("["):
        try:
            value = _loads(first)
        except ValueError:
            pass
        else:
            yield before, _object(value, f"{place}:{before}", first)
            yield from _lines(stream, place, before)
            return
    text = "\n" * (before - 1) + first + stream.read()
    yield from _listed(text, place) if first.lstrip()[0] == "[" else _spread(text, place)


def _lines(stream: IO[str], place: str, before: int) -> Found:
    for number, read in enumerate(stream, start=before + 1):
        line = read.removeprefix("\ufeff")  # of files that were put together
        if line.strip():
            where = f"{place}:{number}"
            yield number, _object(value_of(line, where), where, line)


def _spread(text: str, place: str) -> Found:
    """Objects over several lines each, one after the other."""
    cursor = _Cursor(text, place)
    while not cursor.at_end:
        yield cursor.take()


def _listed(text: str, place: str) -> Found:
    """A list of objects, and nothing after it."""
    cursor = _Cursor(text, place)
    cursor.step("[")
    if not cursor.step("]"):
        yield cursor.take()
        while cursor.step(","):
            yield cursor.take()
        if not cursor.step("]"):
            raise InputError(f"{cursor.where}: not JSON: the list is not closed; was it cut off?")
    if not cursor.at_end:
        raise InputError(f"{cursor.where}: something stands after the end of the list")


class _Cursor:
    """A place in a text of several JSON values, which knows its line."""

    def __init__(self, text: str, place: str) -> None:
        self._text, self._place = text, place
        self._decoder = json.JSONDecoder(object_pairs_hook=_once)
        self._at = self._counted = 0
        self._line = 1
        self._skip(0)

    @property
    def where(self) -> str:
        return f"{self._place}:{self._line}"

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def step(self, mark: str) -> bool:
        """Go past a mark, if it is here."""
        is_here = self._text.startswith(mark, self._at)
        if is_here:
            self._skip(self._at + 1)
        return is_here

    def take(self) -> tuple[int, dict[str, Any]]:
        """The object that begins here, and its line."""
        at, line, where = self._at, self._line, self.where
        try:
            value, end = self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            # Of an object that ends too early the fault shows at its end, or where the next begins.
            begin = self._text.rfind("\n", 0, error.pos) + 1
            rest = self._text[begin : begin + 1]
            there = where if rest in ("", "{") else f"{self._place}:{error.lineno}"
            raise InputError(f"{there}: not JSON: {error.msg}; was it cut off?") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: {_reason(error)}") from error
        text = self._text[at:end]
        if not _is_whole(text, value):
            raise InputError(f"{where}: {_HALF}")
        self._skip(end)
        return line, _object(value, where, text)

    def _skip(self, at: int) -> None:
        found = _BLANK.match(self._text, at)
        self._at = found.end() if found else at
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at


def _loads(text: str) -> Any:
    """A value that can be kept. Raises ValueError with the reason alone."""
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ValueError(_reason(error)) from error
    if not _is_whole(text, value):
        raise ValueError(_HALF)
    return value


class _TwiceError(ValueError):
    """A name in an object has two different values."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs. Raises _TwiceError where it is not certain which value counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if value != found[name]:
                raise _TwiceError(f"{name!r} stands in it twice, with two different values")
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, _TwiceError):
        return str(error)
    if isinstance(error, RecursionError):
        return "not JSON: it is nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg}"
    return "not JSON: a number has too many digits"


def _is_whole(text: str, value: object) -> bool:
    """Whether a value read from a text holds no half of a surrogate pair, which nothing stores."""
    if "\\u" not in text or _SURROGATE.search(text) is None:
        return True
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(value: object, where: str, text: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: {text.strip()[:40]!r} is not an object")
    return value
