"""Quality beside what it takes: which models nobody beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.leaderboard.board import Leaderboard, ModelFacts, Row

# What is weighed against the rating: fields of `ModelFacts`.
COST, SECONDS = "cost_per_1000", "seconds"
# Where the most is more than so many times the least, equal steps on an axis are equal factors.
WIDE = 20.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """One model: its rating, what it takes, and whether it is on the efficient front."""

    row: Row
    takes: float
    efficient: bool


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """Models by what they take, the least first. what: the field of `ModelFacts` it is."""

    what: str
    points: tuple[Weighed, ...]

    @property
    def front(self) -> list[Weighed]:
        """The models that no other beats in both, by what they take."""
        return [point for point in self.points if point.efficient]

    @property
    def by_factors(self) -> bool:
        """Whether its axis is better drawn in logarithms."""
        least, most = self.points[0].takes, self.points[-1].takes
        return least > 0 and most > WIDE * least


def tradeoff(board: Leaderboard, what: str) -> Tradeoff | None:
    """The rating of each model against what it takes; None where fewer than two are known."""
    known = [
        (row, takes)
        for row in board.rows
        if (takes := getattr(board.facts.get(row.model, ModelFacts()), what)) is not None
    ]
    if len(known) < 2:
        return None
    known.sort(key=lambda one: (one[1], -one[0].rating, one[0].model))
    points = [Weighed(row, takes, _is_efficient(row, takes, known)) for row, takes in known]
    return Tradeoff(what, tuple(points))


def _is_efficient(row: Row, takes: float, known: Sequence[tuple[Row, float]]) -> bool:
    """Whether no other is at least as good for at most as much, and better in one of the two."""
    return not any(
        other.rating >= row.rating and less <= takes and (other.rating > row.rating or less < takes)
        for other, less in known
    )
