"""The items of a data set: read from a table, their shape recognised from the columns."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NoReturn

from arena.errors import InputError
from arena.tabular import listed, rows

LANGUAGES = ("en", "zh")  # that there are templates for; a text in another is told by its letters
COLUMNS = {
    "question": ("question", "prompt", "input", "问题", "题目", "题干"),
    "answer": ("answer", "answers", "target", "gold", "label", "答案", "正确答案", "参考答案"),
    "choices": ("choices", "options", "选项"),
    "name": ("id", "name", "编号", "序号"),
    "language": ("language", "语言"),
    "reworded": ("reworded", "改写"),
}
SHAPES = (
    "question, A, B, …, answer (multiple choice: 问题, A, B, …, 答案) "
    "or question, answer (问题, 答案)"
)
_OPTION = re.compile(r"(?:选项|option[ _]?)?([A-Z])", re.IGNORECASE)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Item:
    """A question with the answers that are right.

    name: unique in its set. choices: the options, empty where the answer is open; `answers`
    is then any of the texts that count, else the one option that does. language: `en` or `zh`.
    reworded: the question in other words, to compare with.
    """

    name: str
    question: str
    answers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    language: str = "en"
    reworded: str = ""

    @property
    def gold(self) -> int:
        """The position of the right choice."""
        return self.choices.index(self.answers[0])

    def rotated(self, by: int) -> "Item":
        """The same with every option moved `by` places towards the end."""
        count = len(self.choices)
        moved = tuple(self.choices[(k - by) % count] for k in range(count))
        return replace(self, choices=moved)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which column holds what. options: the columns of the options, in order of their letters."""

    question: str
    answer: str
    options: tuple[str, ...] = ()
    choices: str | None = None
    name: str | None = None
    language: str | None = None
    reworded: str | None = None


def read_items(path: Path) -> list[Item]:
    """All items of a file; a bad row is an InputError that names its line, field and value."""
    items: list[Item] = []
    lines: dict[str, int] = {}
    shapes: dict[tuple[str, ...], _Shape] = {}
    for line, row in _rows(path):
        columns = tuple(row)
        if columns not in shapes:
            shapes[columns] = _recognise(path, 1 if _is_csv(path) else line, columns)
        shape = shapes[columns]
        item = _item(path, line, row, shape, len(items) + 1)
        if item.name in lines:
            _refuse(
                path, line, shape.name or "id", item.name, f"line {lines[item.name]} has it too"
            )
        if items and bool(item.choices) != bool(items[0].choices):
            has, others = ("options", "none") if item.choices else ("no options", "some")
            raise InputError(f"{path}:{line}: it has {has}, and the first row has {others}")
        lines[item.name] = line
        items.append(item)
    if not items:
        raise InputError(f"{path}: no rows in it; it needs the columns {SHAPES}")
    return items


def item_of(row: Mapping[str, Any], name: str) -> Item | None:
    """An item from a row that somebody else's set has, None where its shape is not known."""
    try:
        return _item(Path(name), 1, row, _recognise(Path(name), 1, tuple(row)), 1)
    except InputError:
        return None


def language_of(text: str) -> str:
    """`zh` where a text has Chinese characters, else `en`."""
    return "zh" if _CHINESE.search(text) else "en"


def _recognise(path: Path, line: int, columns: Sequence[str]) -> _Shape:
    known: dict[str, str] = {}
    for name in columns:
        if known.setdefault(name.strip().casefold(), name) != name:
            raise InputError(f"{path}:{line}: the column {name!r} is there twice")

    def find(field: str) -> str | None:
        return next((known[name] for name in COLUMNS[field] if name in known), None)

    question, answer = find("question"), find("answer")
    for field, column in (("question", question), ("answer", answer)):
        if column is None:
            commas = "; commas part the columns" if len(columns) == 1 and _is_csv(path) else ""
            raise InputError(
                f"{path}:{line}: no column for the {field} ({' or '.join(COLUMNS[field])}); "
                f"it has {listed(columns)}{commas}. Allowed are {SHAPES}"
            )
    assert question is not None
    assert answer is not None
    letters = {
        match[1].upper(): column
        for name, column in known.items()
        if name not in COLUMNS["choices"] and (match := _OPTION.fullmatch(name))
    }
    options = tuple(letters[x] for x in ascii_uppercase[: len(letters)] if x in letters)
    if len(options) != len(letters) or len(options) == 1:
        raise InputError(
            f"{path}:{line}: the options are the columns {', '.join(sorted(letters))}; "
            "they must be A, B and so on, without a gap, and at least two"
        )
    choices = None if options else find("choices")
    return _Shape(
        question, answer, options, choices, find("name"), find("language"), find("reworded")
    )


def _item(path: Path, line: int, row: Mapping[str, Any], shape: _Shape, number: int) -> Item:
    question = _text(path, line, row, shape.question)
    language = str(row.get(shape.language) or "").strip()[:2].lower() if shape.language else ""
    name = _name(row.get(shape.name)) if shape.name else ""
    choices = _choices(path, line, row, shape)
    wanted = row.get(shape.answer)
    if choices:
        answers: tuple[str, ...] = (_right(path, line, shape.answer, wanted, choices),)
    elif isinstance(wanted, list) and wanted and all(str(x).strip() for x in wanted):
        answers = tuple(str(x).strip() for x in wanted)
    else:
        answers = (_text(path, line, row, shape.answer),)
    return Item(
        name.strip() or str(number),
        question,
        answers,
        choices,
        language if language in LANGUAGES else language_of(question),
        str(row.get(shape.reworded) or "").strip() if shape.reworded else "",
    )


def _name(value: object) -> str:
    """An item's name; a number that pandas made 1.0 is 1 again."""
    is_whole = isinstance(value, float) and value.is_integer()
    return "" if value is None else str(int(value) if is_whole else value)  # type: ignore[call-overload]


def _choices(path: Path, line: int, row: Mapping[str, Any], shape: _Shape) -> tuple[str, ...]:
    if shape.choices:
        found = row.get(shape.choices)
        if not isinstance(found, list) or len(found) < 2:
            _refuse(path, line, shape.choices, found, "it must be a list of two options or more")
        texts = [str(option).strip() for option in found]
        columns = [shape.choices] * len(texts)
    else:
        texts = [str(row.get(column) or "").strip() for column in shape.options]
        while texts and not texts[-1]:  # a question with fewer options leaves the last ones empty
            texts.pop()
        columns = list(shape.options)
        if shape.options and len(texts) < 2:
            column = shape.options[len(texts)]
            _refuse(path, line, column, "", "a question needs at least two options")
    if len(texts) > len(ascii_uppercase):
        _refuse(path, line, columns[0], len(texts), "there are letters for 26 options")
    for k, text in enumerate(texts):
        if not text:
            _refuse(path, line, columns[k], "", "an option before the last one is empty")
        if text in texts[:k]:
            _refuse(path, line, columns[k], text, "two options are the same")
    return tuple(texts)


def _right(path: Path, line: int, column: str, wanted: object, choices: tuple[str, ...]) -> str:
    """The right option: by its letter, by its text, or by its position, from 0, as a number."""
    letters = ascii_uppercase[: len(choices)]
    if isinstance(wanted, int) and not isinstance(wanted, bool) and 0 <= wanted < len(choices):
        return choices[wanted]
    text = str("" if wanted is None else wanted).strip()
    letter = unicodedata.normalize("NFKC", text).strip("().。、 ").upper()
    if len(letter) != 1 or letter not in letters:
        if text in choices:
            return text
        place = " or its position from 0" if isinstance(wanted, int) else ""
        rule = f"allowed are {', '.join(letters)} or an option's text{place}"
        _refuse(path, line, column, text, rule)
    by_letter = choices[letters.index(letter)]
    if text in choices and text != by_letter:
        rule = f"it is one option's letter and another's text; write its letter as ({letter})"
        _refuse(path, line, column, text, rule)
    return by_letter


def _text(path: Path, line: int, row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    text = "" if value is None else str(value).strip()
    if not text or isinstance(value, dict | list):
        _refuse(path, line, column, value, "it must be a text")
    return text


def _refuse(path: Path, line: int, column: str, value: object, rule: str) -> NoReturn:
    said = value if value is None or isinstance(value, str) else str(value)
    raise InputError(f"{path}:{line}: {column}: {(said or '')[:60]!r}; {rule}")


def _is_csv(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith((".csv", ".tsv"))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with the line on which each begins, one at a time; NaN is a cell that is empty."""
    for row in rows(path):
        yield row.line, {key: None if cell != cell else cell for key, cell in row.fields.items()}
