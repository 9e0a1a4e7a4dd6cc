"""The items of a data set: read from a table, their shape recognised from the columns."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from math import isinf
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NoReturn

from arena.benchmarks.items.options import (
    Options,
    RowError,
    base_of,
    in_cell,
    number_in,
    options_of,
    right_option,
    without_letters,
)
from arena.benchmarks.replies.plain import boxes
from arena.files.tabular import listed, rows, wrapped
from arena.records.errors import InputError

LANGUAGES = ("en", "zh")  # that there are templates for; a text in another is told by its letters
COLUMNS = {
    "question": (
        *("question", "prompt", "input", "problem", "question_stem", "ctx"),
        *("问题", "题目", "题干"),
    ),
    "answer": (
        *("answer", "answers", "target", "gold", "label", "answerkey", "answer_idx"),
        *("answer_index", "答案", "正确答案", "参考答案"),
    ),
    "position": ("answerkey", "answer_idx", "answer_index"),
    "choices": ("choices", "options", "endings", "选项"),
    "name": ("id", "name", "编号", "序号"),
    "language": ("language", "语言"),
    "reworded": ("reworded", "改写"),
}
SHAPES = (
    "question, A, B, …, answer (multiple choice: 问题, A, B, …, 答案) "
    "or question, answer (问题, 答案)"
)
FROM_0 = ("endings",)  # lists whose answers are known to be counted from 0, as texts too
_NUMBERED = re.compile(r"(?:option|opt|choice|ending|选项)[ _]?\d+")
_OPTION = re.compile(
    r"(?:选项|(?:option|choice|opt)[ _]?|op(?=[A-J]$))?\(?([A-Z])(?:[).]|选项|项)?", re.IGNORECASE
)
_WHOLE = re.compile(r"(\d+)\.0+")
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
    """Which column holds what.

    options: the columns of the options, in order of their letters. position: a second column
    that tells which option is right.
    """

    question: str
    answer: str
    options: tuple[str, ...] = ()
    choices: str | None = None
    position: str | None = None
    name: str | None = None
    language: str | None = None
    reworded: str | None = None


def read_items(path: Path) -> list[Item]:
    """All items of a file; a bad row is an InputError that names its line, field and value."""
    items: list[Item] = []
    positions = _Positions(path)
    lines: dict[str, int] = {}
    shapes: dict[tuple[str, ...], _Shape] = {}
    for line, row in _rows(path):
        columns = tuple(row)
        if columns not in shapes:
            shapes[columns] = _recognise(path, 1 if _is_csv(path) else line, columns, wrapped(row))
        shape = _with_answer(shapes[columns], row)
        item = _item(path, line, row, shape, len(items) + 1, positions)
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
    positions.resolve(items)
    return items


def file_version(path: Path) -> str:
    """The version of a data file as a benchmark: a digest of its bytes."""
    with path.open("rb") as stream:
        return file_digest(stream, "blake2b").hexdigest()[:12]


def item_of(row: Mapping[str, Any], name: str) -> Item | None:
    """An item from a row that somebody else's set has, None where its shape is not known."""
    try:
        positions = _Positions(Path(name))
        items = [_item(Path(name), 1, row, _recognise(Path(name), 1, tuple(row)), 1, positions)]
        positions.resolve(items)
        return items[0]
    except InputError:
        return None


def language_of(text: str) -> str:
    """`zh` where a text has Chinese characters, else `en`."""
    return "zh" if _CHINESE.search(text) else "en"


def _recognise(path: Path, line: int, columns: Sequence[str], hint: str = "") -> _Shape:
    """hint: what would help where the columns are those of no table."""
    known: dict[str, str] = {}
    for name in columns:
        plain = unicodedata.normalize("NFKC", name).strip().casefold()
        if known.setdefault(plain, name) != name:
            raise InputError(f"{path}:{line}: the column {name!r} is there twice")

    def find(field: str) -> str | None:
        return next((known[name] for name in COLUMNS[field] if name in known), None)

    question, answer = find("question"), find("answer")
    if question == known.get("problem"):  # as competition problems have it
        answer = answer or known.get("solution")
    for field, column in (("question", question), ("answer", answer)):
        if column is None:
            commas = "; commas part the columns" if len(columns) == 1 and _is_csv(path) else ""
            raise InputError(
                f"{path}:{line}: no column for the {field} ({' or '.join(COLUMNS[field])}); "
                f"it has {listed(columns)}{commas}. Allowed are {SHAPES}"
                + (f"; {hint}" if hint else "")
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
    if not options and not choices and (odd := next(filter(_NUMBERED.fullmatch, known), None)):
        raise InputError(
            f"{path}:{line}: the column {known[odd]!r} is an option without a letter; "
            "name the options A, B and so on"
        )
    position = find("position") if options or choices else None
    return _Shape(
        question,
        answer,
        options,
        choices,
        None if position == answer else position,
        find("name"),
        find("language"),
        find("reworded"),
    )


def _with_answer(shape: _Shape, row: Mapping[str, Any]) -> _Shape:
    """The shape with the first of its answer columns that has a value in this row."""
    has_options = shape.options or shape.choices  # which tell whether it can be an answer
    if not has_options or not _is_empty(row.get(shape.answer)):
        return shape
    known = {unicodedata.normalize("NFKC", name).strip().casefold(): name for name in row}
    there = (known[name] for name in COLUMNS["answer"] if name in known)
    answer = next((name for name in there if not _is_empty(row[name])), shape.answer)
    return replace(
        shape, answer=answer, position=None if answer == shape.position else shape.position
    )


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


class _Positions:
    """Right options that are told by numbers; the whole file tells whether they count from 0."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[int, tuple[int, str, int]] = {}
        self._as_text: tuple[int, str, str] | None = None

    def note(self, place: int, line: int, column: str, number: int) -> None:
        """An item's place, and the number that tells its right option."""
        self._found[place] = (line, column, number)

    def note_text(self, line: int, column: str, text: str) -> None:
        """A number that was taken for an option's text."""
        self._as_text = self._as_text or (line, column, text)

    def resolve(self, items: list[Item]) -> None:
        """Give those items their right options; raises InputError where that cannot be told."""
        if not self._found:
            return
        line, column, number = next(iter(self._found.values()))
        if self._as_text:
            rule = f"it is an option's text, and line {line} has a position; write letters"
            _refuse(self._path, *self._as_text, rule)
        told = [(n, len(items[place].choices)) for place, (_, _, n) in self._found.items()]
        base = 0 if column in FROM_0 else base_of(told)
        if base is None:
            fits = all(0 < n < count for n, count in told)
            why = "it may count from 0 or from 1" if fits else "numbers here fit no one count"
            rule = f"{why}; write the letters of the right options (A, B, …)"
            _refuse(self._path, line, column, str(number), rule)
        for place, (at, name, n) in self._found.items():
            choices = items[place].choices
            if not 0 <= n - base < len(choices):
                _refuse(self._path, at, name, str(n), f"there are {len(choices)} options")
            items[place] = replace(items[place], answers=(choices[n - base],))


def _item(
    path: Path,
    line: int,
    row: Mapping[str, Any],
    shape: _Shape,
    number: int,
    positions: _Positions,
) -> Item:
    question = _text(path, line, row, shape.question)
    language = str(row.get(shape.language) or "").strip()[:2].lower() if shape.language else ""
    name = _name(row.get(shape.name)) if shape.name else ""
    options = _choices(path, line, row, shape)
    if options.texts:
        answers = _right(path, line, row, shape, options, number - 1, positions)
    else:
        answers = _accepted(path, line, row, shape.answer)
    return Item(
        name.strip() or str(number),
        question,
        answers,
        options.texts,
        language if language in LANGUAGES else language_of(question),
        str(row.get(shape.reworded) or "").strip() if shape.reworded else "",
    )


def _accepted(path: Path, line: int, row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """The answers that count; of a worked solution what it ends with."""
    try:
        wanted: Any = in_cell(row.get(column))
    except RowError as error:
        _refuse(path, line, column, error.value, error.rule)
    if isinstance(wanted, Mapping) and isinstance(wanted.get("text"), list):  # as SQuAD has it
        wanted = list(dict.fromkeys(map(str, wanted["text"])))
    if isinstance(wanted, Mapping) and isinstance(wanted.get("aliases"), list):
        wanted = list(dict.fromkeys([wanted.get("value") or "", *wanted["aliases"]]))
        wanted = [one for one in wanted if one]
    is_list = isinstance(wanted, list) and bool(wanted)
    if is_list and isinstance(row.get(column), str):  # in a cell, [1, 2] may be an answer itself
        is_list = all(isinstance(one, str) for one in wanted)
    if is_list and all(isinstance(x, str | int | float) and str(x).strip() for x in wanted):
        return tuple(final_answer(_written(one)) for one in wanted)
    return (final_answer(_text(path, line, row, column)),)


def final_answer(solution: str) -> str:
    """What stands after #### in a solution, or in its last box; else all of it."""
    last = solution.rpartition("####")[2].strip() if "####" in solution else ""
    if last and "\n" not in last:
        return last
    return boxed[-1][2].strip() if (boxed := boxes(solution)) else solution.strip()


def _name(value: object) -> str:
    """An item's name; a number that pandas made 1.0 is 1 again."""
    name = "" if value is None else _written(value).strip()
    return whole[1] if (whole := _WHOLE.fullmatch(name)) else name


def _written(value: object) -> str:
    """A value as text; a whole number that was stored as 1990.0 is 1990."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value)  # type: ignore[call-overload]


def _choices(path: Path, line: int, row: Mapping[str, Any], shape: _Shape) -> Options:
    if shape.choices:
        try:
            options = options_of(row.get(shape.choices))
        except RowError as error:
            _refuse(path, line, shape.choices, error.value, error.rule)
        columns = [shape.choices] * len(options.texts)
    else:
        texts = [str(row.get(column) or "").strip() for column in shape.options]
        while texts and not texts[-1]:  # a question with fewer options leaves the last ones empty
            texts.pop()
        columns = list(shape.options)
        if shape.options and len(texts) < 2:
            column = shape.options[len(texts)]
            _refuse(path, line, column, "", "a question needs at least two options")
        options = Options(without_letters(tuple(texts)))
    if len(options.texts) > len(ascii_uppercase):
        _refuse(path, line, columns[0], len(options.texts), "there are letters for 26 options")
    for k, text in enumerate(options.texts):
        if not text:
            _refuse(path, line, columns[k], "", "an option before the last one is empty")
        if text in options.texts[:k]:
            _refuse(path, line, columns[k], text, "two options are the same")
    return options


def _right(
    path: Path,
    line: int,
    row: Mapping[str, Any],
    shape: _Shape,
    options: Options,
    place: int,
    positions: _Positions,
) -> tuple[str, ...]:
    """The right option, in which all columns agree that tell it; none yet where a number does."""
    told: dict[str, int] = {}
    numbers: dict[str, int] = {}
    errors: dict[str, RowError] = {}
    for column in filter(None, (shape.answer, shape.position)):
        wanted = row.get(column)
        try:
            found = right_option(wanted, options)
        except RowError as error:
            errors[column] = error
            continue
        number = number_in(wanted)
        if found is None and number is not None:
            numbers[column] = number
        elif found is not None:
            told[column] = found
            if number is not None and isinstance(wanted, str) and not options.labels:
                positions.note_text(line, column, wanted)
    if not told and not numbers:
        column, wrong = next(iter(errors.items()))
        _refuse(path, line, column, wrong.value, wrong.rule)
    if len(set(told.values())) > 1:
        rule = f"{shape.position} tells another option ({row.get(shape.position or '')})"
        _refuse(path, line, shape.answer, row.get(shape.answer), rule)
    if not told:
        column, number = next(iter(numbers.items()))
        positions.note(place, line, shape.choices if shape.choices in FROM_0 else column, number)
    return tuple(options.texts[k] for k in list(told.values())[:1])


def _text(path: Path, line: int, row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    text = "" if value is None else _written(value).strip()
    is_endless = isinstance(value, float) and isinf(value)
    if not text or is_endless or isinstance(value, dict | list):
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
