"""Pairs that people have labelled, in the shapes in which they are published."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from arena.files.tabular import TabularRow, listed, rows, wrapped
from arena.judging.report_card.probes import Pair
from arena.records import Prompt, content_key, tidy
from arena.records.errors import InputError, said

_NEEDED = ("question", "answer_a", "answer_b", "label")
# Names of columns, in small letters and without what parts their words.
_NAMES: dict[str, tuple[str, ...]] = {
    "question": ("question", "prompt", "instruction", "input"),
    "answer_a": ("answera", "responsea", "outputa", "answer1", "response1", "output1"),
    "answer_b": ("answerb", "responseb", "outputb", "answer2", "response2", "output2"),
    "label": ("label", "winner", "preference"),
}
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
# RewardBench: of two answers the better one is named by its column.
_PREFERRED = {"answer_a": ("chosen",), "answer_b": ("rejected",)}
# PandaLM: a column for each person.
_PERSON = re.compile(r"annotator\d+")
_LABELS = {
    "A": (
        "a",
        "model_a",
        "answer_a",
        "response_a",
        "assistant_a",
        "output_1",
        "response_1",
        "left",
        *("[[a]]", "a>b", "model a", "answer a", "response a", "assistant a"),
    ),
    "B": (
        "b",
        "model_b",
        "answer_b",
        "response_b",
        "assistant_b",
        "output_2",
        "response_2",
        "right",
        *("[[b]]", "b>a", "a<b", "model b", "answer b", "response b", "assistant b"),
    ),
    "tie": (
        "tie",
        "draw",
        "平局",
        "[[c]]",
        "[[tie]]",
        "a=b",
        "tie (inconsistent)",
        "tie (bothbad)",
        "bothbad",
        "both_bad",
        "both bad",
    ),
}
_MEANING = {word: label for label, words in _LABELS.items() for word in words}
_NUMBERED = {"1": "A", "2": "B"}
_NUMBERS = (
    "a number does not say which answer it means (0, 1, 2 is A, B, tie in some files, and tie, "
    "A, B in others); write A, B or tie in its place"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pairs that people have labelled, and the suite that they make up.

    people: by pair, what each person said: A, B or tie.
    """

    suite: str
    pairs: tuple[Pair, ...]
    people: tuple[tuple[str, ...], ...]


def read_labelled(path: Path) -> Labelled:
    """CSV, JSON or Parquet with `question, answer_a, answer_b, label`, or as others name them.

    Labels are A, B, tie; `model_a` and the like, as FastChat's files have them; 1 and 2 where the
    answers have these numbers, as in LLMBar; or the name of one of the models, where the file names
    these. PandaLM has a column for each person, in which 0 is a tie. In files with `chosen` and
    `rejected` the chosen answer is A; where these are lists, as in RewardBench 2, each chosen
    answer makes a pair with each rejected one. An `instruction` with its `input` is one question.
    """
    pairs: list[Pair] = []
    people: list[tuple[str, ...]] = []
    columns: dict[tuple[str, ...], _Columns] = {}
    for number, row in enumerate(rows(path), start=1):
        names = tuple(row.fields)
        found = columns.get(names) or columns.setdefault(names, _Columns.of(row))
        labels = tuple(_label(row, column, found.numbers) for column in found.labels) or ("A",)
        for pair in _pairs(row, found, f"row {number}"):
            pairs.append(pair)
            people.append(labels)
    if not pairs:
        raise InputError(f"{path}: no rows in it; it needs the columns {', '.join(_NEEDED)}")
    texts = [[p.prompt.turns, p.answer_a, p.answer_b] for p in pairs]
    return Labelled(f"labels {content_key(texts)}", tuple(pairs), tuple(people))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns of a row have what.

    question: one, or an instruction and what it is about. labels: of each person; none where A is
    the better answer. numbers: what numbers mean as labels, if anything.
    """

    question: tuple[str, ...]
    answers: tuple[str, str]
    labels: tuple[str, ...]
    numbers: Mapping[str, str]

    @classmethod
    def of(cls, row: TabularRow) -> Self:
        """The columns by their names; raises InputError where one is missing."""
        present = {_BETWEEN_WORDS.sub("", str(name)).casefold(): name for name in row.fields}
        persons = tuple(name for plain, name in present.items() if _PERSON.fullmatch(plain))
        names = dict(_NAMES)
        if "chosen" in present and "rejected" in present:
            names |= _PREFERRED
        if persons or names["answer_a"] is _PREFERRED["answer_a"]:
            del names["label"]
        plain = {wanted: _present(row, present, wanted, known) for wanted, known in names.items()}
        of = {wanted: present[name] for wanted, name in plain.items()}
        has_input = plain["question"] == "instruction" and "input" in present
        numbers = _NUMBERED if plain["answer_a"].endswith("1") else {}
        return cls(
            (of["question"], *([present["input"]] if has_input else [])),
            (of["answer_a"], of["answer_b"]),
            persons or tuple(of[name] for name in ("label",) if name in of),
            numbers | {"0": "tie"} if persons else numbers,
        )


def _present(
    row: TabularRow, present: Mapping[str, str], wanted: str, known: tuple[str, ...]
) -> str:
    """The first of the known names that the row has."""
    name = next((name for name in known if name in present), None)
    if name is None:
        more = "; ".join(filter(None, [f"has {listed(row.fields)}", wrapped(row.fields)]))
        raise InputError(
            f"{row.path}:1: missing column {wanted!r}; it needs {', '.join(_NEEDED)} (or "
            f"prompt, chosen, rejected) and {more}"
        )
    return name


def _pairs(row: TabularRow, columns: _Columns, name: str) -> Iterator[Pair]:
    """The pair of a row, or all pairs of its chosen and its rejected answers."""
    question = _question(row, columns.question)
    language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in question) else "en"
    prompt = Prompt(name, (question,), "labelled", language)
    read = _texts if not columns.labels else _one_text
    first, second = (read(row, column) for column in columns.answers)
    several = len(first) * len(second) > 1
    for i, a in enumerate(first, start=1):
        for j, b in enumerate(second, start=1):
            yield Pair(f"{name}: {i}, {j}" if several else name, prompt, a, b)


def _question(row: TabularRow, columns: tuple[str, ...]) -> str:
    """An instruction, and below it what it is about, where there is anything."""
    texts = [_text(row, columns[0])]
    for column in columns[1:]:
        about = row.fields[column]
        if about and about == about:  # a spreadsheet's empty cell may be NaN
            texts.append(_text(row, column))
    return "\n\n".join(texts)


def _texts(row: TabularRow, column: str) -> list[str]:
    """A text, or a list of them."""
    found = row.fields[column]
    if isinstance(found, list) and found and all(isinstance(one, str) for one in found):
        return found
    return _one_text(row, column)


def _one_text(row: TabularRow, column: str) -> list[str]:
    return [_text(row, column)]


def _text(row: TabularRow, column: str) -> str:
    if not isinstance(text := row.fields[column], str):
        raise InputError(f"{row.where}: {column}: {said(text)}; it must be a text")
    return text


def _label(row: TabularRow, column: str, numbers: Mapping[str, str]) -> str:
    given = row.fields[column]
    word = tidy(given) if isinstance(given, str) else str(given)
    if label := _MEANING.get(word.casefold()) or numbers.get(word.removesuffix(".0")):
        return label
    models = ((row.fields.get("model_a"), "A"), (row.fields.get("model_b"), "B"))
    names = {tidy(name): side for name, side in models if isinstance(name, str) and name.strip()}
    if len(names) == 2 and isinstance(given, str) and word in names:
        return names[word]
    rule = "allowed are A, B, tie"
    if _is_number(given):
        rule = f"allowed are {', '.join(numbers)}, A, B, tie" if numbers else _NUMBERS
    raise InputError(f"{row.where}: {column}: {said(given)}; {rule}")


def _is_number(said: object) -> bool:
    try:
        return isinstance(said, int | float | str) and math.isfinite(float(said))
    except (ValueError, OverflowError):
        return False
