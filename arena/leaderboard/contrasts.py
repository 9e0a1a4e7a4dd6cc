"""What people prefer beside what benchmarks measure: where the two part, and what moves a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, inf, sqrt, tanh

import numpy as np
from scipy.special import ndtri

from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.board import Leaderboard, Row

LEAST_MODELS = 4
MOST_GAPS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """One model: its two ratings, in Elo points.

    x_half, y_half: half of their intervals. gap: how far y lies above the line. off: whether
    that is more than both errors explain at the ranking's confidence.
    """

    model: str
    x: float
    y: float
    x_half: float
    y_half: float
    gap: float
    off: bool


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two ratings against each other over the models that both have.

    kind: of the evidence that y is by, `human` or `judge`. correlation: Spearman's, with the
    interval of Bonett and Wright (2000). slope, intercept: Deming's line, which takes both
    errors into account (Deming 1943); None where it has no direction.
    """

    kind: str
    points: tuple[Point, ...]
    correlation: float
    low: float
    high: float
    slope: float | None
    intercept: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A benchmark on which a model is above (or below) the mean of the models, by `points`."""

    benchmark: str
    points: float


@dataclass(frozen=True, slots=True)
class Mover:
    """What moves one model.

    parts: by kind of evidence, how many Elo points it adds to the overall rating of 1000.
    gaps: the benchmarks on which it is furthest from the others for its error, those only
    that the error does not explain; differences are shares in [-1, 1].
    """

    model: str
    parts: tuple[tuple[str, float], ...]
    gaps: tuple[Gap, ...]


def contrast(board: Leaderboard) -> Contrast | None:
    """Benchmarks against people's votes, or against judges where nobody voted."""
    kind = next((kind for kind in ("human", "judge") if kind in board.parts), "")
    measured, preferred = board.parts.get("objective", ()), board.parts.get(kind, ())
    return compare(measured, preferred, kind, board.confidence)


def compare(
    across: Sequence[Row], upwards: Sequence[Row], kind: str, confidence: float = 0.95
) -> Contrast | None:
    """Two ratings of the same models; None where fewer than four models differ.

    across, upwards: what becomes x and y. kind: of the evidence that `upwards` is by.
    """
    known = {row.model: row for row in across}
    both = [(known[row.model], row) for row in upwards if row.model in known]
    if len(both) < LEAST_MODELS:
        return None
    models, z = [row.model for row, _ in both], float(ndtri((1 + confidence) / 2))
    x, x_error = _ratings([row for row, _ in both], z)
    y, y_error = _ratings([row for _, row in both], z)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    line = _deming(x, y, x_error, y_error)
    from scipy.stats import spearmanr  # takes a second to import

    rho = float(spearmanr(x, y).statistic)
    low, high = _interval(rho, len(models), z)
    slope, intercept = line or (0.0, float(y.mean()))
    gap = y - intercept - slope * x
    off = np.abs(gap) > z * np.hypot(y_error, slope * x_error)
    columns = [column.tolist() for column in (x, y, z * x_error, z * y_error, gap, off)]
    points = tuple(Point(*values) for values in zip(models, *columns, strict=True))
    return Contrast(kind, points, rho, low, high, *(line or (None, None)))


def movers(board: Leaderboard) -> tuple[Mover, ...]:
    """For each model of a ranking what the kinds of evidence and the benchmarks do to it."""
    by_benchmark: dict[str, list[BenchmarkScore]] = {}
    for score in board.benchmarks:
        if score.primary:
            by_benchmark.setdefault(score.benchmark, []).append(score)
    shares = dict(board.weights)
    found = []
    for row in board.rows:
        parts = tuple(
            (kind, shares[kind] * (other.rating - 1000.0))
            for kind, rows in board.parts.items()
            for other in rows
            if other.model == row.model
        )
        found.append(Mover(row.model, parts, _gaps(row.model, by_benchmark)))
    return tuple(found)


def _ratings(rows: Sequence[Row], z: float) -> tuple[np.ndarray, np.ndarray]:
    """Ratings and standard errors, (models,) each."""
    ratings = np.array([row.rating for row in rows])
    return ratings, np.array([(row.ci_high - row.ci_low) / (2 * z) for row in rows])


def _deming(
    x: np.ndarray, y: np.ndarray, x_error: np.ndarray, y_error: np.ndarray
) -> tuple[float, float] | None:
    """Slope and intercept, for the mean ratio of the two error variances."""
    (sxx, sxy), (_, syy) = np.cov(x, y)
    noise = float(np.mean(x_error**2))
    ratio = float(np.mean(y_error**2)) / noise if noise else inf
    if sxy == 0 or not np.isfinite(ratio) or ratio == 0:
        return None
    lean = syy - ratio * sxx
    slope = float((lean + sqrt(lean**2 + 4 * ratio * sxy**2)) / (2 * sxy))
    return slope, float(y.mean() - slope * x.mean())


def _interval(rho: float, models: int, z: float) -> tuple[float, float]:
    if abs(rho) >= 1.0:
        return rho, rho
    half = z * sqrt((1 + rho**2 / 2) / (models - 3))
    return tanh(atanh(rho) - half), tanh(atanh(rho) + half)


def _gaps(model: str, by_benchmark: dict[str, list[BenchmarkScore]]) -> tuple[Gap, ...]:
    told = []
    for name, scores in by_benchmark.items():
        own = next((score for score in scores if score.model == model), None)
        if own is None or own.low is None or own.high is None or len(scores) < 2:
            continue
        mean = sum(score.mean for score in scores) / len(scores)
        if not own.low <= mean <= own.high:
            gap = own.mean - mean
            told.append((abs(gap) / (own.high - own.low), Gap(name, gap)))
    return tuple(gap for _, gap in sorted(told, key=lambda found: -found[0])[:MOST_GAPS])
