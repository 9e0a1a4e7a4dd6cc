"""Bootstrap draws of ratings, from pair counts or from clusters of rows.

Resampling n rows is drawn as independent Poisson counts: given their total they are
multinomial, and ratings do not depend on the total.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.random import Generator
from scipy.sparse import coo_array, csc_array

from arena.ratings.arrays import Floats, Ints
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.diagnostics import strong_components
from arena.ratings.fitting.likelihood import win_probability
from arena.ratings.fitting.newton import bread
from arena.records import setting
from arena.records.errors import RatingError

BLOCKS = 8
STEPS = 50
# Log-strength: a step of 0.02 Elo points; what is left to go is a tenth of it or less.
SETTLED = 1e-4

Resampler = Callable[[Generator, int], Iterator[Floats]]


def resample(
    c: Comparisons,
    clusters: Ints | None,
    theta: Floats,
    hessian: Floats,
    precision: Floats | None,
    rounds: int,
    seed: int,
) -> Floats:
    """(rounds, m) ratings of resampled comparisons, log-strengths with mean 0.

    clusters: (n,) codes of groups that are resampled as a whole; None resamples rows.
    theta, hessian: the fit to all rows. precision: (m, m) of the prior; its mean is drawn
    anew in each round, as if it were one more piece of data.
    """
    draw = _by_pair(c) if clusters is None and _is_plain(c) else _by_group(c, clusters)
    inverse = bread(hessian, len(theta))
    sizes = [len(part) for part in np.array_split(np.arange(rounds), BLOCKS)]
    seeds = np.random.SeedSequence(seed).spawn(BLOCKS)

    def block(which: int) -> list[Floats]:
        rng = np.random.default_rng(seeds[which])
        return [
            _refit(points, theta, inverse, precision, rng) for points in draw(rng, sizes[which])
        ]

    # The blocks, not the threads, fix the random numbers: any machine draws the same.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.array([row for part in pool.map(block, range(BLOCKS)) for row in part])


def _is_plain(c: Comparisons) -> bool:
    return c.pair_counts.is_hard and c.importance is None


def _by_pair(c: Comparisons) -> Resampler:
    """Poisson counts of the wins and ties of each pair."""
    counts = c.pair_counts
    won = np.nonzero(counts.wins)
    tied = np.nonzero(np.triu(counts.ties))

    def draw(rng: Generator, rounds: int) -> Iterator[Floats]:
        for _ in range(rounds):
            points = np.zeros_like(counts.wins)
            points[won] = rng.poisson(counts.wins[won])
            halves = 0.5 * rng.poisson(counts.ties[tied])
            points[tied] += halves
            points.T[tied] += halves
            yield points

    return draw


def _by_group(c: Comparisons, clusters: Ints | None) -> Resampler:
    """Poisson counts of clusters, or of single rows."""
    size = len(c.models)
    group = np.arange(len(c)) if clusters is None else clusters
    # Rows of weight w are w rows; clusters are drawn once, whatever their weight.
    rate = c.weight if clusters is None and c.weight is not None else np.ones(group.max() + 1)
    weight = np.ones(len(c)) if c.row_weight is None else c.row_weight
    weight = weight / rate if clusters is None else weight
    i, j = c.i.astype(np.int64), c.j.astype(np.int64)
    cells = coo_array(
        (
            np.concatenate([weight * c.outcome, weight * (1.0 - c.outcome)]),
            (np.concatenate([i * size + j, j * size + i]), np.tile(group, 2)),
        ),
        shape=(size * size, len(rate)),
    ).tocsc()
    order = _by_content(cells, rate)
    cells, rate = cells[:, order].tocsr(), rate[order]

    def draw(rng: Generator, rounds: int) -> Iterator[Floats]:
        for _ in range(rounds):
            yield (cells @ rng.poisson(rate).astype(np.float64)).reshape(size, size)

    return draw


def _by_content(cells: csc_array, rate: Floats) -> Ints:
    """An order of the groups that does not depend on that of the rows.

    Groups with the same content fall together, and of these it does not matter which is which.
    """
    mix = np.random.default_rng(0).random(cells.shape[0])
    order: Ints = np.lexsort((cells.T @ mix, rate))
    return order


def _refit(
    points: Floats, theta: Floats, inverse: Floats, precision: Floats | None, rng: Generator
) -> Floats:
    """Ratings of one resample: the chord method, renewed by Newton where it is slow."""
    pull = None if precision is None else precision @ _prior_mean(precision, rng)
    x, last = theta.copy(), np.inf
    for _ in range(STEPS):
        lost = points * win_probability(x).T
        gradient = lost.sum(axis=1) - lost.sum(axis=0)
        if pull is not None and precision is not None:
            gradient += pull - precision @ x
        step = inverse @ gradient
        move = float(np.abs(step).max())
        x += step
        if move <= SETTLED:
            return x
        if move > 0.3 * last:
            _require_connected(points, precision)
            inverse = _newton(points, x, precision)
        last = move
    raise RatingError(f"a bootstrap resample did not converge in {STEPS} steps; ask for a prior.")


def _newton(points: Floats, x: Floats, precision: Floats | None) -> Floats:
    p = win_probability(x)
    hessian = -(points + points.T) * p * p.T
    np.fill_diagonal(hessian, 0.0)
    np.fill_diagonal(hessian, -hessian.sum(axis=1))
    return bread(hessian if precision is None else hessian + precision, len(x))


def _prior_mean(precision: Floats, rng: Generator) -> Floats:
    """A draw from the prior, which is the same for all models but for their mean."""
    models = len(precision)
    deviation = float(np.sqrt((1.0 - 1.0 / models) / precision[0, 0]))
    draw: Floats = rng.standard_normal(models) * deviation
    draw -= draw.mean()
    return draw


def _require_connected(points: Floats, precision: Floats | None) -> None:
    if precision is None and len(strong_components(points)) > 1:
        raise RatingError(
            "a bootstrap resample has models that never lost or never won, so its ratings are "
            "infinite; use ",
            setting("interval", "sandwich"),
            ", or ask for a prior, such as ",
            setting("prior", 400),
            ".",
        )
