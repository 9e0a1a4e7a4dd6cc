"""From the store's evidence to one ranking, with what it stands on said beside it."""

from dataclasses import dataclass

from arena.records import Evidence


@dataclass(frozen=True, slots=True)
class Row:
    """One model's place.

    rating, ci_low, ci_high: Elo points, mean 1000 over models. rank, rank_low, rank_high:
    from 1 (best). comparisons: pairs that the model took part in.
    """

    model: str
    rating: float
    ci_low: float
    ci_high: float
    rank: int
    rank_low: int
    rank_high: int
    comparisons: int


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A ranking and what it stands on.

    label: `human-anchored`, `judge-only` or `objective-only`. counts: comparisons by source.
    notes: sentences that must be shown wherever the ranking is. group: the category or
    language that it is restricted to, empty for all.
    """

    evidence: Evidence
    label: str
    method: str
    confidence: float
    rows: tuple[Row, ...]
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
    group: str = ""
