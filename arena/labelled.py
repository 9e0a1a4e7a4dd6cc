"""Pairs that people have labelled, in the shapes in which they are published."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import InputError
from arena.interchange.battles import place_of, read_table
from arena.judging.probes import Pair
from arena.records import Prompt, content_key

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
    ),
    "tie": ("tie", "tie (inconsistent)", "tie (bothbad)", "bothbad", "both_bad", "both bad"),
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
    """CSV, JSONL or Parquet with `question, answer_a, answer_b, label`, or as others name them.

    Labels are A, B, tie; `model_a` and the like, as FastChat's files have them; or the name of
    one of the models, where the file names these. In files with `chosen` and `rejected` the
    chosen answer is A.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path}: empty; it needs the columns {', '.join(_NEEDED)}")
    frame = read_table(path, ())
    columns = _columns(path, [str(name) for name in frame.columns])
    pairs, labels = [], []
    for i, row in enumerate(frame.to_dict("records")):
        try:
            question, a, b = (_text(columns[name], row) for name in _NEEDED[:3])
            label = columns.get("label")
            labels.append("A" if label is None else _label(label, row))
        except _RowError as error:
            raise InputError(f"{place_of(path, i)}: {error}") from None
        language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in question) else "en"
        prompt = Prompt(f"row {i + 1}", (question,), "labelled", language)
        pairs.append(Pair(f"row {i + 1}", prompt, a, b))
    texts = [[p.prompt.turns, p.answer_a, p.answer_b] for p in pairs]
    return Labelled(f"labels {content_key(texts)}", tuple(pairs), tuple(labels))


def _columns(path: Path, present: Sequence[str]) -> dict[str, str]:
    """Which column has what; none has the label where one has the answer that was chosen."""
    names = dict(_NAMES)
    if "chosen" in present and "rejected" in present:
        names |= _PREFERRED
        del names["label"]
    found = {}
    for wanted, known in names.items():
        column = next((name for name in known if name in present), None)
        if column is None:
            raise InputError(
                f"{path}:1: missing column {wanted!r}; it needs {', '.join(_NEEDED)} (or prompt, "
                f"chosen, rejected) and has {', '.join(present)}"
            )
        found[wanted] = column
    return found


class _RowError(Exception):
    """What is wrong with a row; where it is takes a pass over the file, and is found once."""


def _text(column: str, row: Mapping[str, Any]) -> str:
    if not isinstance(said := row[column], str):
        raise _RowError(f"{column}: {said!r}; it must be a text")
    return said


def _label(column: str, row: Mapping[str, Any]) -> str:
    said = row[column]
    word = str(said).strip()
    if label := _MEANING.get(word.lower()):
        return label
    models = {row.get("model_a"): "A", row.get("model_b"): "B"}
    if len(models) == 2 and isinstance(said, str) and word in models:
        return models[word]
    rule = _NUMBERS if _is_number(said) else "allowed are A, B, tie"
    raise _RowError(f"{column}: {said!r}; {rule}")


def _is_number(said: object) -> bool:
    try:
        return isinstance(said, int | float | str) and math.isfinite(float(said))
    except ValueError:
        return False
