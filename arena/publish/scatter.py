"""Preference beside benchmarks, one point a model, with names that do not overprint each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from arena.leaderboard.board import Leaderboard
from arena.leaderboard.contrasts import Contrast, Point, contrast
from arena.publish.chart import Axis, axis_over

MOST_NAMES = 8
# In per cent of the plot, which is 22rem high, and about 20rem wide on a phone.
_LINE = 4.8
_LETTER = 2.6
_RIGHT = 70.0


@dataclass(frozen=True, slots=True)
class Name:
    """Where a model's name stands, in per cent from the left and the top; left: of its point."""

    model: str
    x: float
    y: float
    left: bool

    @property
    def width(self) -> float:
        """How wide it is at most, on a phone."""
        return _LETTER * (len(self.model) + 2)

    @property
    def ends(self) -> tuple[float, float]:
        """From where to where it reaches."""
        return (self.x - self.width, self.x) if self.left else (self.x, self.x + self.width)

    @property
    def is_long(self) -> bool:
        """Whether a phone has no room for it but in smaller letters."""
        low, high = self.ends
        return low < 0 or high > 100

    def is_clear_of(self, other: "Name") -> bool:
        """Whether the two do not overprint each other."""
        (low, high), (other_low, other_high) = self.ends, other.ends
        return round(abs(self.y - other.y), 2) >= _LINE or high <= other_low or other_high <= low


@dataclass(frozen=True, slots=True)
class Scatter:
    """Preference (up) against benchmarks (right), and the ends of the line between them.

    names: of the models off the line, or of all where they are few.
    """

    found: Contrast
    x: Axis
    y: Axis
    ends: tuple[float, float, float, float] | None
    names: tuple[Name, ...]


def scatter(board: Leaderboard) -> Scatter | None:
    """The plot of a ranking; None where too few models have both ratings."""
    found = contrast(board)
    if found is None:
        return None
    x = axis_over([p.x + side * p.x_half for p in found.points for side in (-1, 1)])
    y = axis_over([p.y + side * p.y_half for p in found.points for side in (-1, 1)])
    few = len(found.points) <= MOST_NAMES
    named = [point for point in found.points if few or point.off]
    return Scatter(found, x, y, _ends(found, x, y), placed(named, x, y))


def placed(points: Sequence[Point], x: Axis, y: Axis) -> tuple[Name, ...]:
    """A name a point, each as high as its point or as little below as the names above it allow."""
    names: list[Name] = []
    for point in sorted(points, key=lambda one: (-one.y, one.model)):
        across, down = x.place(point.x), 100 - y.place(point.y)
        name = Name(point.model, across, down, left=False)
        if across > _RIGHT or (name.is_long and across > 50):
            name = replace(name, left=True)
        for above in sorted(names, key=lambda one: one.y):
            if not name.is_clear_of(above):
                name = replace(name, y=above.y + _LINE)
        names.append(name)
    return tuple(names)


def _ends(found: Contrast, x: Axis, y: Axis) -> tuple[float, float, float, float] | None:
    """Where the line enters and leaves the plot, in per cent from its left and its top."""
    if found.slope is None or found.intercept is None:
        return None
    slope, at = found.slope, found.intercept
    crossings = sorted((edge - at) / slope for edge in (y.low, y.high))
    left, right = max(x.low, crossings[0]), min(x.high, crossings[1])
    if left >= right:
        return None
    low, high = (100 - y.place(at + slope * value) for value in (left, right))
    return x.place(left), low, x.place(right), high
