"""The page of benchmarks: tables, a radar, preference beside them, needles, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from arena.benchmarks.contamination import warning
from arena.benchmarks.needle import NeedleMap, needle_maps
from arena.benchmarks.prompt_sensitivity import PromptReport, prompt_reports
from arena.benchmarks.scores import BenchmarkScore, item_values
from arena.leaderboard.board import Leaderboard
from arena.leaderboard.contrasts import Mover, movers
from arena.leaderboard.formats import every_way, ranked
from arena.publish.scatter import Scatter, scatter
from arena.records import Note
from arena.store import Store

RADIUS = 100.0
MOST_SHAPES = 6
LEAST_AXES = 3
MOST_CELLS = 3000  # with intervals: with more, a page would be heavy


@dataclass(frozen=True, slots=True)
class BenchmarkLine:
    """A benchmark asked in one way, or a capability: its scores by model."""

    name: str
    dimension: str
    metric: str
    scores: Mapping[str, BenchmarkScore]


@dataclass(frozen=True, slots=True)
class Spoke:
    """An axis of the radar, its end and where its name stands, from the centre."""

    name: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One model on the radar: the corners as SVG writes them."""

    model: str
    corners: str


@dataclass(frozen=True, slots=True)
class BenchmarkTable:
    """Chat models or base models, which are not to be compared with each other.

    models: in the order of the ranking.
    """

    base: bool
    models: tuple[str, ...]
    benchmarks: tuple[BenchmarkLine, ...]
    dimensions: tuple[BenchmarkLine, ...]
    spokes: tuple[Spoke, ...]
    shapes: tuple[Shape, ...]

    @property
    def brief(self) -> bool:
        """Whether there are too many scores for one page to tell the interval of each."""
        return len(self.models) * len(self.benchmarks) > MOST_CELLS


@dataclass(frozen=True, slots=True)
class BenchmarksView:
    """All that the page needs; `tables` is empty where there are no outcomes."""

    tables: tuple[BenchmarkTable, ...]
    scatter: Scatter | None
    movers: tuple[Mover, ...]
    needles: tuple[NeedleMap, ...]
    prompts: tuple[PromptReport, ...]
    warnings: tuple[Note, ...]


def benchmarks_view(store: Store, board: Leaderboard) -> BenchmarksView:
    """Gather it from a ranking and the outcomes that the store has."""
    values = item_values(store.evidence.outcomes()) if board.benchmarks else []
    base = {model.name for model in store.models() if model.base}
    named = {score.model for score in board.benchmarks}
    order = [row.model for row in ranked(board)]
    models = [m for m in order if m in named] + sorted(named - set(order))
    groups = [[m for m in models if (m in base) is is_base] for is_base in (False, True)]
    told = [mover for mover in movers(board) if mover.parts or mover.gaps]
    return BenchmarksView(
        tuple(_table(board, group, k == 1) for k, group in enumerate(groups) if group),
        scatter(board),
        tuple(told),
        tuple(needle_maps(values)),
        tuple(prompt_reports(values)),
        tuple(note for check in store.checks.where() if (note := warning(check))),
    )


def _table(board: Leaderboard, models: Sequence[str], base: bool) -> BenchmarkTable:
    ways = every_way(board)
    dimensions = _lines(board.dimensions, models)
    axes = [line for line in dimensions if all(model in line.scores for model in models)]
    enough = len(axes) >= LEAST_AXES
    return BenchmarkTable(
        base,
        tuple(models),
        tuple(sorted(_lines(ways, models), key=lambda line: line.dimension)),
        tuple(dimensions),
        tuple(_spokes([line.name for line in axes])) if enough else (),
        tuple(_shape(model, axes) for model in models[:MOST_SHAPES]) if enough else (),
    )


def _lines(scores: Sequence[BenchmarkScore], models: Sequence[str]) -> list[BenchmarkLine]:
    found: dict[str, dict[str, BenchmarkScore]] = {}
    for score in scores:
        if score.model in models:
            found.setdefault(score.title, {})[score.model] = score
    return [
        BenchmarkLine(name, first.dimension, first.metric, here)
        for name, here in found.items()
        for first in [next(iter(here.values()))]
    ]


def _spokes(names: Sequence[str]) -> list[Spoke]:
    spokes = []
    for k, name in enumerate(names):
        x, y = _place(k, len(names), 1.0)
        anchor = "middle" if abs(x) < RADIUS / 10 else "start" if x > 0 else "end"
        spokes.append(Spoke(name, x, y, anchor))
    return spokes


def _shape(model: str, axes: Sequence[BenchmarkLine]) -> Shape:
    places = [_place(k, len(axes), line.scores[model].mean) for k, line in enumerate(axes)]
    return Shape(model, " ".join(f"{x},{y}" for x, y in places))


def _place(k: int, count: int, share: float) -> tuple[float, float]:
    angle = 2 * pi * k / count
    return round(RADIUS * share * sin(angle), 1), round(-RADIUS * share * cos(angle), 1)
