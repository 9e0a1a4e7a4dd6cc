"""Which pair to show or judge next.

A comparison of models i and j with win probability p adds p(1 - p)(e_i - e_j)(e_i - e_j)ᵀ
to the information. Its gain is the drop in the total variance of the ratings around their mean,
and so of all their differences. Rules that aim at the order of models, of neighbours, or at the
first few were tried beside it: see `bench/pairing.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.comparisons import Comparisons, require_comparisons
from arena.ratings.fitting.likelihood import fit_counts, precision_of, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.scale import WEAK_PRIOR
from arena.ratings.threads import on_one_thread
from arena.records.errors import InputError

EXPLORATION = 0.1


@dataclass(frozen=True, slots=True)
class NextPair:
    """A pair drawn for comparison; propensity: the probability it was drawn with."""

    model_a: str
    model_b: str
    propensity: float


@on_one_thread
def next_pairs(
    c: Comparisons,
    n: int,
    *,
    exploration: float = EXPLORATION,
    prior: float = WEAK_PRIOR,
    seed: int = 0,
    allowed: Iterable[tuple[str, str]] | None = None,
) -> list[NextPair]:
    """n pairs, each drawn by how much it would lower the ratings' variance.

    exploration: share of the draws spread evenly over all pairs, in
    (0, 1], so that every pair has a chance and propensities stay away from 0. prior: weak, in
    Elo points, for models with few comparisons. Sides are drawn at random. allowed: pairs that
    can be shown; all of them unless given, which includes pairs of which one model answered
    nothing.
    """
    require_comparisons(c, "next_pairs")
    if n < 1:
        raise InputError(f"n is {n}; allowed is 1 or more.")
    if not 0.0 < exploration <= 1.0:
        raise InputError(f"exploration is {exploration}; allowed is above 0, up to 1.")
    possible = pairs_of(c.models, allowed)
    theta, inverse = believed(c, prior)
    rng = np.random.default_rng(seed)
    chosen = []
    for step in draws(theta, inverse, exploration, possible, rng):
        sides = (step.i, step.j) if rng.random() < 0.5 else (step.j, step.i)
        chosen.append(NextPair(c.models[sides[0]], c.models[sides[1]], step.chance))
        if len(chosen) == n:
            break
    return chosen


def believed(c: Comparisons, prior: float = WEAK_PRIOR) -> tuple[Floats, Floats]:
    """Log-strengths (m,) with mean 0, and their covariance (m, m), under a normal prior.

    prior: its standard deviation in Elo points.
    """
    theta, hessian = fit_counts(c.pair_counts, precision_of(len(c.models), prior))
    return theta, bread(hessian, len(theta))


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """A pair i < j, the probability with which it was drawn, and the covariance after it."""

    i: int
    j: int
    chance: float
    inverse: Floats


def draws(
    theta: Floats,
    inverse: Floats,
    exploration: float,
    possible: Floats,
    rng: np.random.Generator,
    wanted: Floats | None = None,
) -> Iterator[Step]:
    """Pairs without end, each drawn as if those before it had been compared.

    theta: (m,) log-strengths; inverse: (m, m) their covariance V, centred; possible: (m, m) 1 for
    each pair i < j that may be drawn, else 0. wanted: (m, m) W where tr(W V) is to be lowered in
    place of tr V: what a unit of each difference's variance costs, as the Laplacian of a graph.
    """
    square = inverse @ (inverse if wanted is None else wanted @ inverse)
    p = win_probability(theta)
    while True:
        chance = _chances(theta, inverse, square, exploration, possible)
        flat = int(rng.choice(chance.size, p=chance.ravel()))
        i, j = divmod(flat, len(theta))
        inverse, square = after_one_more(inverse, square, i, j, float(p[i, j]))
        yield Step(i, j, float(chance[i, j]), inverse)


def information_gain(theta: Floats, inverse: Floats, square: Floats) -> Floats:
    """(m, m) drop in tr(W V) by one comparison of each pair; W is 1 for the total variance.

    theta: (m,) log-strengths; inverse: (m, m) their covariance V, centred; square: (m, m) V W V.
    """
    p = win_probability(theta)
    weight = p * p.T
    variance = np.diagonal(inverse)
    apart = variance[:, None] + variance - 2.0 * inverse
    size = np.diagonal(square)
    moved = size[:, None] + size - 2.0 * square
    gain: Floats = weight * moved / (1.0 + weight * apart)
    return gain


def pairs_of(models: Sequence[str], allowed: Iterable[tuple[str, str]] | None) -> Floats:
    """(m, m) 1 for each pair i < j that may be drawn, else 0."""
    if allowed is None:
        return np.triu(np.ones((len(models), len(models))), 1)
    place = {name: k for k, name in enumerate(models)}
    codes = [sorted((place[a], place[b])) for a, b in allowed if a in place and b in place]
    if not codes:
        raise InputError("none of the allowed pairs is between the models compared.")
    possible = np.zeros((len(models), len(models)))
    i, j = np.array(codes).T
    possible[i, j] = 1.0
    return possible


def _chances(
    theta: Floats, inverse: Floats, square: Floats, exploration: float, even: Floats
) -> Floats:
    """(m, m) probability of each pair i < j; even: 1 where a pair may be drawn."""
    gain = np.maximum(information_gain(theta, inverse, square), 0.0) * even
    total = float(gain.sum())
    if total <= 0.0:  # nothing that is wanted can be learned from the pairs that are possible
        gain, total = even, float(even.sum())
    chance: Floats = (1.0 - exploration) * gain / total + exploration * even / even.sum()
    chance /= chance.sum()
    return chance


def after_one_more(
    inverse: Floats, square: Floats, i: int, j: int, p: float
) -> tuple[Floats, Floats]:
    """V and V W V after one more comparison of i and j (Sherman and Morrison)."""
    weight = p * (1.0 - p)
    moved = inverse[:, i] - inverse[:, j]
    again = square[:, i] - square[:, j]
    scale = weight / (1.0 + weight * float(moved[i] - moved[j]))
    outer, cross = np.outer(moved, moved), np.outer(again, moved)
    lost: Floats = scale * (cross + cross.T - scale * float(again[i] - again[j]) * outer)
    return inverse - scale * outer, square - lost
