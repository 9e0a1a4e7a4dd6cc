"""Which of the stored verdicts and scores count, and why the others do not."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from arena.leaderboard.evidence.judged import latest
from arena.records import Preference
from arena.store import Store
from arena.store.columns import ScoreColumns, VerdictColumns


class NotCounted(StrEnum):
    """Why a stored judgement does not count; the first of these that is true."""

    LEFT_OUT = "left_out"  # of a judge that the ranking leaves out
    OLDER_CARD = "older_card"
    UNREAD = "unread"
    HALF = "half"  # of a pair whose other order could not be read
    REPLACED = "replaced"  # asked again since, or of a model or judge that is archived


@dataclass(frozen=True, slots=True)
class JudgementCount:
    """How many judgements of a kind count, and how many do not, by the reason."""

    counted: int
    others: Mapping[NotCounted, int]


def current_cards(columns: VerdictColumns | ScoreColumns) -> dict[str, str]:
    """By judge the key of its card as it is now, which is the one that counts."""
    kept = latest(columns, list(range(len(columns.judge))))
    return {judge: columns.judge_key[rows[0]] for judge, rows in kept.items()}


def count_verdicts(store: Store, judges: Collection[str]) -> JudgementCount:
    """The verdicts of a store. judges: that count."""
    columns = store.evidence.verdicts()
    current = current_cards(columns)
    found: Counter[NotCounted | None] = Counter()
    for i, both in enumerate(zip(columns.forward, columns.backward, strict=True)):
        is_whole = Preference.UNPARSED not in both
        for said in both:
            if said is not None:
                why = _why_not(columns, i, said != Preference.UNPARSED, current, judges)
                found[why if why or is_whole else NotCounted.HALF] += 1
    return _told(found, store.verdicts.count())


def count_scores(store: Store, judges: Collection[str]) -> JudgementCount:
    """The scores of a store. judges: that count."""
    columns = store.evidence.scores()
    current = current_cards(columns)
    found = Counter(
        _why_not(columns, i, value is not None, current, judges)
        for i, value in enumerate(columns.value)
    )
    return _told(found, store.scores.count())


def _why_not(
    columns: VerdictColumns | ScoreColumns,
    i: int,
    is_read: bool,
    current: Mapping[str, str],
    judges: Collection[str],
) -> NotCounted | None:
    """Why a row does not count; None where it does."""
    judge = columns.judge[i]
    if judge not in judges:
        return NotCounted.LEFT_OUT
    if columns.judge_key[i] != current[judge]:
        return NotCounted.OLDER_CARD
    return None if is_read else NotCounted.UNREAD


def _told(found: Counter[NotCounted | None], stored: int) -> JudgementCount:
    found[NotCounted.REPLACED] = stored - found.total()
    others = {why: found[why] for why in NotCounted if found[why]}
    return JudgementCount(found[None], others)
