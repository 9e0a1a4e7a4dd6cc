"""OpenCompass's answers to a set, item by item: as it marked them, or marked here by their gold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from arena.benchmarks.replies.scoring import ReplyScore
from arena.files.tabular import listed
from arena.interchange.remark import RepliesToItem, accepted, beside, own_marks
from arena.interchange.results import AGREES, ItemResult, item_name
from arena.records import content_key
from arena.records.errors import InputError

TOOL = "OpenCompass"
METRIC = "acc"
_VERDICTS = ("cascade_correct", "correct", "is_correct")
_GOLDS = ("answer", "answers", "references", "refr", "gold")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Marked:
    """A set's results. by: who marked them and how."""

    items: tuple[ItemResult, ...]
    by: str


@dataclass(frozen=True, slots=True)
class PredictedItem:
    """One item as a prediction file has it. replies: several where it was asked several times.

    golds: the answers that count; empty where the file tells none. label: whether the reply is
    the likeliest of given options and not written.
    """

    prompt: Any
    replies: tuple[str, ...]
    golds: tuple[str, ...]
    label: bool = False


def entries(place: object, rows: Sequence[Row]) -> list[PredictedItem] | str:
    """Rows of a prediction file, repeats of the same items folded; or why they cannot be read."""
    golds = [row.get("gold") for row in rows]
    falsy = "0" if any(isinstance(g, int) for g in golds) else None  # it leaves out a gold of 0
    found = []
    for number, row in enumerate(rows):
        if "prediction" not in row:
            raise InputError(
                f"{place}: item {number}: it has no 'prediction'; it has {listed(row)}"
            )
        prompt = row.get("origin_prompt", row.get("testing input"))
        if isinstance(prompt, list) and prompt and isinstance(prompt[0], list):
            return "its items are conversations of several turns"
        said = row.get("pred_label", row["prediction"])
        replies = said if isinstance(said, list) else [said]
        texts = [reply.get("prediction") if isinstance(reply, dict) else reply for reply in replies]
        texts = ["" if text is None else text for text in texts]  # a request that failed
        if not all(isinstance(text, str | int | float) for text in texts):
            return "its predictions are no texts"
        label = "pred_label" in row or any(str(key).startswith("label: ") for key in row)
        gold = row.get("gold", falsy)
        found.append(PredictedItem(prompt, tuple(map(str, texts)), accepted(gold), label))
    return _folded(found)


def mark(
    found: Sequence[PredictedItem], details: Sequence[Row] | None, said: float | None
) -> Marked | str:
    """Results by item, or why there are none.

    details: what the evaluator dumped, one an item. said: the set's own score in percent.
    """
    if details is not None and found and len(details) != len(found):
        details = None
    if not found:
        found = [_entry_of(detail) for detail in details or ()]
    if details is not None and all(_verdict(detail) is not None for detail in details):
        marks = [ReplyScore(_verdict(detail) or 0.0) for detail in details]
        return _marked_there(found, marks)
    if found and all(entry.label for entry in found):
        marks = [ReplyScore(float(entry.replies[0] in entry.golds)) for entry in found]
        return Marked(_items(found, marks), f"{TOOL}, the likeliest option")
    if details is not None and (same := _same(details, said)):
        return _marked_there(found, same)
    return _marked_here(found)


def _marked_here(found: Sequence[PredictedItem]) -> Marked | str:
    """By the metric that fits the golds, as with data of one's own."""
    ours = own_marks([RepliesToItem(entry.replies, entry.golds) for entry in found])
    if isinstance(ours, str):
        return ours
    marks, metric = ours
    return Marked(_items(found, marks), f"here, {metric}")


def _marked_there(found: Sequence[PredictedItem], marks: Sequence[ReplyScore]) -> Marked:
    """By its evaluator, with our own marks beside them."""
    written = [RepliesToItem(entry.replies, entry.golds) for entry in found]
    return Marked(beside(_items(found, marks), written, METRIC), TOOL)


def _items(
    found: Sequence[PredictedItem], marks: Sequence[ReplyScore | None]
) -> tuple[ItemResult, ...]:
    return tuple(
        ItemResult(
            item_name(index, entry.golds),
            None if one is None else one.value,
            "\n\n".join(entry.replies),
            "" if one is None else one.why,
            content_key(entry.prompt, entry.golds),
        )
        for index, (entry, one) in enumerate(zip(found, marks, strict=True))
    )


def _folded(found: list[PredictedItem]) -> list[PredictedItem]:
    """A set that was asked n times over, its items one after the other, as one with n replies."""
    asked = [(entry.prompt, entry.golds) for entry in found]
    count = next(
        (
            n
            for n in range(1, len(found) // 2 + 1)
            if asked[n] == asked[0] and asked == asked[:n] * (len(found) // n)
        ),
        len(found),
    )
    if not found or found[0].prompt is None:
        return found
    return [
        replace(entry, replies=tuple(reply for one in found[k::count] for reply in one.replies))
        for k, entry in enumerate(found[:count])
    ]


def _verdict(detail: Row) -> float | None:
    """What the evaluator found: right, wrong, or the share of several replies that are right."""
    for name in _VERDICTS:
        said = detail.get(name)
        several = said if isinstance(said, list) else [said]
        if several and all(isinstance(one, bool | int | float) for one in several):
            return sum(map(float, several)) / len(several)
    return None


def _same(details: Sequence[Row], said: float | None) -> list[ReplyScore]:
    """Equality of the extracted answer and the reference, where that is how the set was marked."""
    if said is None or not all("predictions" in d and "references" in d for d in details):
        return []
    marks = [ReplyScore(float(str(d["predictions"]) == str(d["references"]))) for d in details]
    agrees = marks and abs(sum(m.value for m in marks) / len(marks) - said / 100) < AGREES
    return marks if agrees else []


def _entry_of(detail: Row) -> PredictedItem:
    """An item of which only the evaluator's detail is there."""
    said = next(
        (detail[k] for k in ("origin_prediction", "pred", "predictions") if k in detail), ""
    )
    replies = said if isinstance(said, list) else [said]
    golds = next((detail[name] for name in _GOLDS if name in detail), None)
    return PredictedItem(detail.get("prompt"), tuple(map(str, replies)), accepted(golds))
