"""Files of text as people have them: which encoding one is in, told by its bytes."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from arena.records.errors import InputError

CHUNK = 2**20
LARGEST_TEXT = 2**26  # bytes of a file that is read whole; rows of tables are read one by one
GZIP = b"\x1f\x8b"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_FOREIGN = (
    (b"PAR1", "a Parquet file; its name must end in .parquet"),
    (b"PK\x03\x04", "a zip archive, as Excel's .xlsx is; save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save it as CSV UTF-8"),
    (b"SQLite format 3\0", "a SQLite database and not a file of text"),
    (b"%PDF", "a PDF and not a file of text"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the file; git lfs pull gets it"),
    (b"<!DOCTYPE html", "a web page and no data; was the download refused?"),
    (b"<!doctype html", "a web page and no data; was the download refused?"),
    (b"<html", "a web page and no data; was the download refused?"),
)
UTF8 = (
    "save it as UTF-8 (in Excel: CSV UTF-8), or convert it from the encoding it was written in "
    "with iconv -f ENCODING -t UTF-8; ENCODING is GB18030 for Chinese, CP1252 for western Europe, "
    "SHIFT_JIS for Japanese"
)
# The commonest characters of Chinese text, and those of column names. They make up about half
# of any text, and a twelfth of what Korean or Japanese bytes look like when read as Chinese.
_COMMON = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
    "过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
    "她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间"
    "由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
    "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变"
    "四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社"
    "便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北"
    "答案选项模型语言类别胜者提示对错号序内容正确参考"
)


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass over a file's bytes tells of its text.

    encoding: as `open` takes it. quotes: whether a double quote is in it. lone_returns: whether a
    line ends in CR alone.
    """

    encoding: str
    quotes: bool
    lone_returns: bool


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked where gzip packed them; an InputError where it cannot be read."""
    if path.is_dir():
        raise InputError(f"{path}: a folder, and a file is needed here")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if not path.is_file():
        raise InputError(f"{path}: not a file on the disk; save it to a file first")
    try:
        with path.open("rb") as plain:
            packed = plain.peek(2)[:2] == GZIP
            if packed:
                with gzip.open(plain) as stream:
                    yield stream  # type: ignore[misc]  # it is one in all but name
            else:
                yield plain
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not whole gzip data ({error}); was it cut off?") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


@contextmanager
def open_text(path: Path, encoding: str, newline: str | None = None) -> Iterator[IO[str]]:
    """A file's text in an encoding that `look` found. newline: as `open` takes it."""
    with open_bytes(path) as stream:
        yield io.TextIOWrapper(stream, encoding=encoding, newline=newline)


def look(path: Path) -> Look:
    """How a file's text is encoded, where that is certain; else an InputError with the way out."""
    with open_bytes(path) as stream:
        head = stream.read(CHUNK)
        stream.seek(0)
        encoding = _by_mark(path, head)
        decoder = codecs.getincrementaldecoder(encoding)()
        quotes = lone_returns = False
        lines, before = 1, b""
        try:
            while chunk := stream.read(CHUNK):
                text = decoder.decode(chunk)
                if "\0" in text:
                    line = lines + text[: text.index("\0")].count("\n")
                    raise InputError(
                        f"{path}:{line}: a NUL byte, which text has none of; "
                        "is the file damaged, or no text at all?"
                    )
                lines += text.count("\n")
                quotes = quotes or '"' in text
                ends = chunk.count(b"\r\n") + (before == b"\r" and chunk[:1] == b"\n")
                lone_returns = lone_returns or chunk.count(b"\r") - (chunk[-1:] == b"\r") > ends
                before = chunk[-1:]
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            return Look(_otherwise(path, encoding, error), quotes=True, lone_returns=True)
    return Look(encoding, quotes, lone_returns or before == b"\r")


def read_text(path: Path) -> str:
    """A file's whole text, or one sentence on why it cannot be read."""
    with open_bytes(path) as stream:
        size = len(stream.read(LARGEST_TEXT + 1))
    if size > LARGEST_TEXT:
        raise InputError(f"{path}: larger than {LARGEST_TEXT // 2**20} MiB, and it is read whole")
    with open_text(path, look(path).encoding) as stream:
        return stream.read()


def _by_mark(path: Path, head: bytes) -> str:
    """By the first bytes: a byte order mark, or the NULs that ASCII has in UTF-16."""
    for mark, what in _FOREIGN:
        if head.startswith(mark):
            raise InputError(f"{path}: {what}")
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[::2].count(0), head[1::2].count(0)
    most, least = max(even, odd), min(even, odd)
    if most > 3 and most * 10 >= len(head) and least * 100 <= most:
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _otherwise(path: Path, encoding: str, error: UnicodeDecodeError) -> str:
    """What it is in if not in this encoding: GB18030 where it reads as Chinese, else refused."""
    if encoding != "utf-8":
        name = encoding.upper().removesuffix("-SIG").removesuffix("-LE").removesuffix("-BE")
        raise InputError(
            f"{path}: it begins as {name} and does not go on so ({error.reason}); {UTF8}"
        ) from error
    with open_bytes(path) as stream:
        data = stream.read()
    try:
        if reads_as_chinese(data.decode("gb18030")):
            return "gb18030"
    except UnicodeDecodeError:
        pass
    lines = enumerate(data.split(b"\n"), start=1)
    line = next((n for n, part in lines if not _is_utf8(part)), 1)
    raise InputError(f"{path}:{line}: not UTF-8; {UTF8}") from error


def reads_as_chinese(text: str) -> bool:
    """Whether text read as GB18030 makes sense: bytes of another encoding give rare characters."""
    foreign = [c for c in text if c > "\x7f"]
    chinese = [c for c in foreign if "\u4e00" <= c <= "\u9fff"]
    common = [c for c in chinese if c in _COMMON]
    kana = any("\u3040" <= c <= "\u30ff" for c in foreign)  # bytes of Japanese keep them
    strange = sum("\ue000" <= c <= "\uf8ff" or "\u0400" <= c <= "\u04ff" for c in foreign)
    return (
        not kana
        and strange * 50 <= len(foreign)
        and len(set(common)) >= 4
        and len(common) * 10 >= len(chinese) * 3
        and len(chinese) * 2 >= len(foreign)
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
