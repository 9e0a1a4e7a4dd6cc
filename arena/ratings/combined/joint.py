"""One likelihood for people and judges: shared ratings, and how good each judge is.

A judge k prefers its first answer with log-odds α_k (θ_i - θ_j) + δ_k: α is its
discrimination (0: random; people have 1), δ its bias for the first slot (Crowd-BT, Chen
et al. 2013, with a bias). Judges are assumed right on average about every model, and their
verdicts independent given the ratings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from arena.ratings.arrays import Floats, Ints, totals
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich
from arena.ratings.intervals.lonely import GroupedRows, covariance_by_groups
from arena.records.errors import ConvergenceError

ITERATIONS = 500
TOLERANCE = 1e-9
# Normal priors on α around 1 and δ around 0, for a judge that hardly shares evidence.
SPREAD_OF_DISCRIMINATION = 1.0
SPREAD_OF_BIAS = 1.0


@dataclass(frozen=True, eq=False)
class Joint:
    """theta, covariance: (m,), (m, m), mean 0; discrimination, bias: (k,) of the judges."""

    theta: Floats
    covariance: Floats
    discrimination: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of all sources; source 0 is people, or none where there are no votes."""

    i: Ints
    j: Ints
    outcome: Floats
    weight: Floats
    source: Ints
    group: Ints
    sources: int


def joint(
    human: Comparisons | None,
    judges: Sequence[Comparisons],
    groups: Sequence[Ints],
    precision: Floats,
) -> Joint:
    """The joint fit; precision: (m, m) of the prior on ratings. groups: of each source's rows.

    Without votes the first judge's scale is taken as given.
    """
    sources = [human, *judges] if human is not None else list(judges)
    rows = _rows(sources, groups)
    models, extra = len(precision), 2 * rows.sources
    x = np.concatenate([np.zeros(models), np.ones(rows.sources), np.zeros(rows.sources)])
    free = np.ones(models + extra, dtype=bool)
    # People define the scale, and their order of slots is random.
    free[models] = False
    free[models + rows.sources] = human is None
    for _ in range(ITERATIONS):
        gradient, hessian = _local(rows, x, models, precision)
        step = np.zeros_like(x)
        step[free] = _scoring_step(hessian[np.ix_(free, free)], gradient[free], models)
        step *= min(1.0, 1.0 / float(np.abs(step).max() + 1e-300))
        x = x - step
        x[:models] -= x[:models].mean()
        if np.abs(step).max() <= TOLERANCE:
            return _finished(rows, x, models, precision, free, human is not None)
    raise ConvergenceError("the joint fit did not converge; use method='hierarchical'.")


def _rows(sources: Sequence[Comparisons], groups: Sequence[Ints]) -> _Rows:
    size = [len(c) for c in sources]
    weights = [np.ones(len(c)) if c.row_weight is None else c.row_weight for c in sources]
    return _Rows(
        i=np.concatenate([c.i for c in sources]),
        j=np.concatenate([c.j for c in sources]),
        outcome=np.concatenate([c.outcome for c in sources]),
        weight=np.concatenate(weights),
        source=np.repeat(np.arange(len(sources)), size),
        group=np.concatenate(list(groups)),
        sources=len(sources),
    )


def _battles(rows: _Rows, models: int) -> Ints:
    """(n,) codes of the same two models within a group."""
    cell = rows.group.astype(np.int64) * models + np.minimum(rows.i, rows.j)
    return np.unique(cell * models + np.maximum(rows.i, rows.j), return_inverse=True)[1]


def _derivatives(rows: _Rows, x: Floats, models: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Per row: discrimination, gap of ratings, weighted residual and curvature."""
    scale = x[models : models + rows.sources][rows.source]
    gap = x[rows.i] - x[rows.j]
    p = expit(scale * gap + x[models + rows.sources :][rows.source])
    return scale, gap, rows.weight * (rows.outcome - p), rows.weight * p * (1.0 - p)


def _local(rows: _Rows, x: Floats, models: int, precision: Floats) -> tuple[Floats, Floats]:
    """Gradient and expected Hessian (Fisher information) of minus the log-posterior."""
    scale, gap, residual, curve = _derivatives(rows, x, models)
    k = rows.sources
    pull = scale * residual
    gradient = np.concatenate(
        [
            totals(rows.j, pull, models) - totals(rows.i, pull, models),
            -totals(rows.source, gap * residual, k),
            -totals(rows.source, residual, k),
        ]
    )
    table = totals(rows.i * np.int64(models) + rows.j, curve * scale**2, models**2)
    square = table.reshape(models, models) + table.reshape(models, models).T
    ratings = np.diag(square.sum(axis=1)) - square
    border = []
    for factor in (gap, np.ones_like(gap)):
        value = curve * scale * factor
        up = totals(rows.source * np.int64(models) + rows.i, value, k * models)
        down = totals(rows.source * np.int64(models) + rows.j, value, k * models)
        border.append((up - down).reshape(k, models))
    edge = np.vstack(border)
    own = np.block(
        [
            [
                np.diag(totals(rows.source, curve * gap**2, k)),
                np.diag(totals(rows.source, curve * gap, k)),
            ],
            [np.diag(totals(rows.source, curve * gap, k)), np.diag(totals(rows.source, curve, k))],
        ]
    )
    hessian = np.block([[ratings, edge.T], [edge, own]])
    return _with_priors(gradient, hessian, x, models, k, precision)


def _with_priors(
    gradient: Floats, hessian: Floats, x: Floats, models: int, k: int, precision: Floats
) -> tuple[Floats, Floats]:
    gradient[:models] += precision @ x[:models]
    hessian[:models, :models] += precision
    inverse = np.repeat([SPREAD_OF_DISCRIMINATION**-2, SPREAD_OF_BIAS**-2], k)
    centre = np.repeat([1.0, 0.0], k)
    gradient[models:] += inverse * (x[models:] - centre)
    hessian[models:, models:] += np.diag(inverse)
    return gradient, hessian


def _scoring_step(hessian: Floats, gradient: Floats, models: int) -> Floats:
    step: Floats = bread(hessian, models) @ gradient
    return step


def _finished(
    rows: _Rows, x: Floats, models: int, precision: Floats, free: np.ndarray, voted: bool
) -> Joint:
    scale, gap, residual, curve = _derivatives(rows, x, models)
    member = rows.source[:, None] == np.arange(rows.sources)
    extra = np.hstack([member * (residual * gap)[:, None], member * residual[:, None]])
    kept = free[models:]
    _, hessian = _local(rows, x, models, precision)
    inverse = bread(hessian[np.ix_(free, free)], models)

    def covariance(codes: Ints) -> Floats:
        scores = sandwich.cluster_scores(
            codes, rows.i, rows.j, scale * residual, models, extra[:, kept]
        )
        return sandwich.covariance(inverse, sandwich.cluster_meat(scores), precision)

    grouped = GroupedRows(
        np.unique(rows.group, return_inverse=True)[1], rows.i, rows.j, scale**2 * curve, models
    )
    finer = lambda: _battles(rows, models), lambda: np.arange(len(rows.i))
    found = covariance_by_groups(covariance, grouped, finer)[:models, :models]
    first = int(voted)
    k = rows.sources
    return Joint(x[:models], found, x[models + first : models + k], x[models + k + first :])
