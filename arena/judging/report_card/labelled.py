"""Pairs that people have labelled, in the shapes in which they are published."""

import math
from dataclasses import dataclass
from pathlib import Path

from arena.files.tabular import TabularRow, listed, rows, wrapped
from arena.judging.report_card.probes import Pair
from arena.records import Prompt, content_key, tidy
from arena.records.errors import InputError, said

_NEEDED = ("question", "answer_a", "answer_b", "label")
# RewardBench: of two answers the better one is named in the column.
_PREFERRED = {"answer_a": ("chosen",), "answer_b": ("rejected",)}
_NAMES: dict[str, tuple[str, ...]] = {
    "question": ("question", "prompt", "instruction", "input"),
    "answer_a": ("answer_a", "response_a", "output_a", "answer_1", "response_1", "output_1"),
    "answer_b": ("answer_b", "response_b", "output_b", "answer_2", "response_2", "output_2"),
    "label": ("label", "winner", "preference"),
}
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
_NUMBERS = (
    "a number does not say which answer it means (0, 1, 2 is A, B, tie in some files, and tie, "
    "A, B in others); write A, B or tie in its place"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pairs that people have labelled, and the suite that they make up. labels: A, B or tie."""

    suite: str
    pairs: tuple[Pair, ...]
    labels: tuple[str, ...]


def read_labelled(path: Path) -> Labelled:
    """CSV, JSON or Parquet with `question, answer_a, answer_b, label`, or as others name them.

    Labels are A, B, tie; `model_a` and the like, as FastChat's files have them; or the name of
    one of the models, where the file names these. In files with `chosen` and `rejected` the
    chosen answer is A.
    """
    pairs, labels = [], []
    columns: dict[tuple[str, ...], dict[str, str]] = {}
    for number, row in enumerate(rows(path), start=1):
        names = tuple(row.fields)
        found = columns.get(names) or columns.setdefault(names, _columns(row))
        question, a, b = (_text(row, found[name]) for name in _NEEDED[:3])
        label = found.get("label")
        labels.append("A" if label is None else _label(row, label))
        language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in question) else "en"
        prompt = Prompt(f"row {number}", (question,), "labelled", language)
        pairs.append(Pair(f"row {number}", prompt, a, b))
    if not pairs:
        raise InputError(f"{path}: no rows in it; it needs the columns {', '.join(_NEEDED)}")
    texts = [[p.prompt.turns, p.answer_a, p.answer_b] for p in pairs]
    return Labelled(f"labels {content_key(texts)}", tuple(pairs), tuple(labels))


def _columns(row: TabularRow) -> dict[str, str]:
    """Which column has what; none has the label where one has the answer that was chosen."""
    present = {str(name).strip().casefold(): name for name in row.fields}
    names = dict(_NAMES)
    if "chosen" in present and "rejected" in present:
        names |= _PREFERRED
        del names["label"]
    found = {}
    for wanted, known in names.items():
        column = next((present[name] for name in known if name in present), None)
        if column is None:
            more = "; ".join(filter(None, [f"has {listed(row.fields)}", wrapped(row.fields)]))
            raise InputError(
                f"{row.path}:1: missing column {wanted!r}; it needs {', '.join(_NEEDED)} (or "
                f"prompt, chosen, rejected) and {more}"
            )
        found[wanted] = column
    return found


def _text(row: TabularRow, column: str) -> str:
    if not isinstance(text := row.fields[column], str):
        raise InputError(f"{row.where}: {column}: {said(text)}; it must be a text")
    return text


def _label(row: TabularRow, column: str) -> str:
    given = row.fields[column]
    word = tidy(given) if isinstance(given, str) else str(given)
    if label := _MEANING.get(word.casefold()):
        return label
    models = ((row.fields.get("model_a"), "A"), (row.fields.get("model_b"), "B"))
    names = {tidy(name): side for name, side in models if isinstance(name, str) and name.strip()}
    if len(names) == 2 and isinstance(given, str) and word in names:
        return names[word]
    rule = _NUMBERS if _is_number(given) else "allowed are A, B, tie"
    raise InputError(f"{row.where}: {column}: {said(given)}; {rule}")


def _is_number(said: object) -> bool:
    try:
        return isinstance(said, int | float | str) and math.isfinite(float(said))
    except (ValueError, OverflowError):
        return False
