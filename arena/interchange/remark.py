"""What our own rules make of replies that another tool has marked, or has not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from arena.benchmarks.items.reading import final_answer
from arena.benchmarks.replies.scoring import METRICS, ReplyScore, mark_choice, metric_for
from arena.interchange.results import ItemResult

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FEWEST_OPTIONS = 4
_LETTER, _SEVERAL = re.compile(r"\(?([A-Z])\)?"), re.compile("[A-J]{2,}")
# Metrics of other tools that ask what ours ask: whether the answer is the one that is wanted.
_RIGHT_OR_WRONG = re.compile(r"(?:mean_)?(?:acc|accuracy|em|exact_match)")
COMPARED = ("number", "contains", "letter")


@dataclass(frozen=True, slots=True)
class RepliesToItem:
    """Replies to one item, several where it was asked several times, and the answers that count."""

    replies: tuple[str, ...]
    golds: tuple[str, ...]


def accepted(gold: object) -> tuple[str, ...]:
    """The answers that count; of a worked solution what it ends with."""
    if isinstance(gold, list):
        return tuple(text for one in gold for text in accepted(one))
    text = final_answer(str(gold)) if isinstance(gold, str | int | float) else ""
    return (text,) if text else ()


def own_marks(items: Sequence[RepliesToItem]) -> tuple[list[ReplyScore | None], str] | str:
    """A mark for each item, None without a gold, and by which metric; or why there are none."""
    known = [one for one in items if one.golds]
    if not known:
        return "its items have no gold that is a text or a number, and no verdicts of its evaluator"
    firsts = [one.golds[0] for one in known]
    letters = [match[1] for gold in firsts if (match := _LETTER.fullmatch(gold))]
    if len(letters) == len(firsts):
        metric, count = "letter", max(FEWEST_OPTIONS, max(map(LETTERS.index, letters)) + 1)
    elif all(_LETTER.fullmatch(gold) or _SEVERAL.fullmatch(gold) for gold in firsts):
        return "several letters are right at once, and its evaluator's verdicts are not here"
    else:
        metric, count = metric_for(firsts), 0
    return [_mean(one, metric, count) if one.golds else None for one in items], metric


def beside(
    results: Sequence[ItemResult], items: Sequence[RepliesToItem], metric: str
) -> tuple[ItemResult, ...]:
    """Another tool's results with our own marks beside them, where both say right or wrong."""
    is_comparable = _RIGHT_OR_WRONG.fullmatch(metric) and all(
        result.value in (None, 0.0, 1.0) for result in results
    )
    ours = own_marks(items) if is_comparable else ""
    if isinstance(ours, str) or ours[1] not in COMPARED:
        return tuple(results)
    marks, _ = ours
    return tuple(
        result if mark is None or result.value is None else replace(result, ours=mark.value)
        for result, mark in zip(results, marks, strict=True)
    )


def _mean(one: RepliesToItem, metric: str, options: int) -> ReplyScore:
    marks = [_mark(reply, one.golds, metric, options) for reply in one.replies or ("",)]
    value = sum(mark.value for mark in marks) / len(marks)
    return ReplyScore(value, "" if any(mark.found for mark in marks) else marks[0].why)


def _mark(reply: str, golds: Sequence[str], metric: str, options: int) -> ReplyScore:
    if metric != "letter":
        return METRICS[metric](reply, golds)
    # The options' texts are not in the file, and no reply names an empty one.
    return mark_choice(reply, [""] * options, LETTERS.index(golds[0].strip("()")))
