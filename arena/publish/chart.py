"""Where a rating lies on the chart: one axis for all rows, in per cent of its width."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from arena.leaderboard.board import Row

_TICKS = 6
_LEAST_WIDTH = 20.0
_MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Axis:
    """low, high: the ends, in Elo points. ticks: round numbers between them."""

    low: float
    high: float
    ticks: tuple[int, ...]

    def place(self, value: float) -> float:
        """Per cent from the left, two decimals; what lies outside is at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(100 * share, 2)


def axis_of(rows: Sequence[Row]) -> Axis:
    """The axis that holds every interval."""
    ends = [value for row in rows for value in (row.rating, row.ci_low, row.ci_high)]
    return axis_over([*ends, *(row.predicted for row in rows if row.predicted is not None)])


def axis_over(values: Sequence[float]) -> Axis:
    """The axis that holds all these values."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    middle = (min(finite) + max(finite)) / 2
    width = max(max(finite) - min(finite), _LEAST_WIDTH) * (1 + 2 * _MARGIN)
    low, high = middle - width / 2, middle + width / 2
    step = _step(width)
    ticks = range(math.ceil(low / step), math.floor(high / step) + 1)
    return Axis(low, high, tuple(step * tick for tick in ticks))


def _step(width: float) -> int:
    """The least of 1, 2, 5, 10, 20, 50, … that makes no more than _TICKS steps."""
    steps: Iterator[int] = (lead * 10**power for power in count() for lead in (1, 2, 5))
    return next(step for step in steps if step * _TICKS >= width)
