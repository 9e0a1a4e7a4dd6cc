"""The figures at the top of the page: how much there is of each kind, and how much of it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arena.leaderboard.board import Leaderboard
from arena.leaderboard.evidence.counted_judgements import (
    NotCounted,
    count_scores,
    count_verdicts,
)
from arena.records import Evidence
from arena.store import Store


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of a kind count.

    beside: how many more are stored, and count for nobody; of models, those that are not rated.
    reasons: how many of those for which reason, where reasons are told.
    """

    kind: str
    number: int
    beside: int = 0
    reasons: Mapping[NotCounted, int] = field(default_factory=dict)


def figures(store: Store, board: Leaderboard) -> list[Figure]:
    """What stands at the top, in this order; scores only where there are any.

    A verdict or a score counts where it could be read, is by the judge's card as it is now, and
    the judge is one that the ranking takes.
    """
    stored = store.counts()
    rated = {row.model for row in board.rows}
    known = {model.name for model in store.models()} | {one.model for one in board.unrated}
    judged = {
        "verdicts": count_verdicts(store, board.judges),
        "scores": count_scores(store, board.judges),
    }
    # Judges or benchmarks may make the combined ranking without the votes.
    without = 0 if board.evidence is Evidence.COMBINED else stored["votes"]
    votes = int(board.counts.get("votes", without))
    found = [Figure("models", len(rated), len(known - rated))]
    found += [Figure(kind, stored[kind]) for kind in ("prompts", "answers")]
    found.append(Figure("votes", votes, stored["votes"] - votes))
    found += [
        Figure(kind, count.counted, sum(count.others.values()), count.others)
        for kind, count in judged.items()
        if stored[kind] or kind != "scores"
    ]
    return [*found, Figure("outcomes", stored["outcomes"])]
