"""The figures at the top of the page: how much there is of each kind, and how much of it counts."""

from collections.abc import Iterable
from dataclasses import dataclass

from arena.leaderboard.board import Leaderboard
from arena.leaderboard.evidence.gathering import latest
from arena.records import Preference
from arena.store import Store
from arena.store.columns import ScoreColumns, VerdictColumns


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of a kind count; beside: how many more are stored, and count for nobody."""

    kind: str
    number: int
    beside: int = 0


def figures(store: Store, board: Leaderboard) -> list[Figure]:
    """What stands at the top, in this order; scores only where there are any.

    A verdict or a score counts where it could be read and is by the judge's card as it is now.
    """
    stored = store.counts()
    counted = {
        "votes": int(board.counts.get("votes", stored["votes"])),
        "verdicts": _readable_verdicts(store.evidence.verdicts()),
        "scores": _readable_scores(store.evidence.scores()),
    }
    kinds = ("prompts", "answers", "votes", "verdicts", "scores", "outcomes")
    found = [Figure(kind, counted.get(kind, stored[kind])) for kind in kinds]
    return [
        Figure("models", len(board.rows)),
        *(
            Figure(one.kind, one.number, stored[one.kind] - one.number)
            for one in found
            if stored[one.kind] or one.kind != "scores"
        ),
    ]


def _readable_verdicts(verdicts: VerdictColumns) -> int:
    return sum(
        said not in (None, Preference.UNPARSED)
        for i in _of_latest_cards(verdicts, len(verdicts.judge))
        for said in (verdicts.forward[i], verdicts.backward[i])
    )


def _readable_scores(scores: ScoreColumns) -> int:
    rows = _of_latest_cards(scores, len(scores.judge))
    return sum(scores.value[i] is not None for i in rows)


def _of_latest_cards(columns: VerdictColumns | ScoreColumns, rows: int) -> Iterable[int]:
    kept = latest(columns, list(range(rows)))
    return (i for here in kept.values() for i in here)
