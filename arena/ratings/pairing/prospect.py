"""What the next votes are expected to settle, before anybody has cast them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import NormalDist

import numpy as np
from scipy.special import ndtr

from arena.ratings.arrays import Floats, Ints
from arena.ratings.comparisons import Comparisons
from arena.ratings.pairing.draws import EXPLORATION, believed, draws, pairs_of
from arena.ratings.scale import POINTS_PER_LOG, WEAK_PRIOR
from arena.ratings.threads import on_one_thread

VOTES = 100
LEAST = 1e-9
LEAST_SPREAD = 10.0  # Elo points


@dataclass(frozen=True, slots=True)
class Prospect:
    """What so many votes more are expected to do.

    open: neighbours of the ranking that are not told apart now. settled: how many of them are
    expected to be told apart then. rank, chance: the likeliest of them, the places `rank` and
    `rank` + 1, counted from 1.
    """

    votes: int
    open: int
    settled: float
    rank: int
    chance: float


@on_one_thread
def prospect(
    c: Comparisons,
    votes: int = VOTES,
    *,
    confidence: float = 0.95,
    prior: float = WEAK_PRIOR,
    seed: int = 0,
    allowed: Iterable[tuple[str, str]] | None = None,
) -> Prospect | None:
    """What the next votes settle if they are on the pairs that `next_pairs` draws.

    None where all neighbours are told apart. With d the difference of two neighbours, s² its
    variance now and v its variance then, the new votes are as one more estimate of variance
    w = 1 / (1/v - 1/s²), and the two together are told apart where they lie further from 0 than
    z √v. Where the true difference lies is believed as models spread: few votes make differences
    look larger than they are, so the belief has a prior whose spread is estimated, too.
    """
    theta, inverse = believed(c, prior)
    possible, rng = pairs_of(c.models, allowed), np.random.default_rng(seed)
    steps = draws(theta, inverse, EXPLORATION, possible, rng)
    *_, last = islice(steps, votes)
    order = np.argsort(-theta, kind="stable")
    gap, now = _gaps(theta, inverse, order)
    _, then = _gaps(theta, last.inverse, order)
    true, doubt = _gaps(*believed(c, _spread(theta, inverse)), order)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    is_open = gap <= z * np.sqrt(now)
    if not is_open.any():
        return None
    new = then * np.maximum(1.0 / then - 1.0 / now, LEAST)  # the weight of the new votes
    mean = (1.0 - new) * gap + new * true
    moved = new * np.sqrt(doubt + _dispersion(c, theta) * then / new)
    limit = z * np.sqrt(then)
    chance = is_open * (ndtr((mean - limit) / moved) + ndtr((-mean - limit) / moved))
    likeliest = int(np.argmax(chance))
    return Prospect(
        votes, int(is_open.sum()), float(chance.sum()), likeliest + 1, float(chance[likeliest])
    )


def _gaps(theta: Floats, inverse: Floats, order: Ints) -> tuple[Floats, Floats]:
    """(m - 1,) the difference of each two neighbours, and its variance."""
    upper, lower = order[:-1], order[1:]
    variance = np.diagonal(inverse)
    apart = variance[upper] + variance[lower] - 2.0 * inverse[upper, lower]
    return theta[upper] - theta[lower], apart


def _dispersion(c: Comparisons, theta: Floats) -> float:
    """How much votes vary beside coin flips with the same chances: less where many are ties."""
    p = 1.0 / (1.0 + np.exp(theta[c.j] - theta[c.i]))
    weight = np.ones(len(c)) if c.weight is None else c.weight
    return float((weight @ (c.outcome - p) ** 2) / (weight @ (p * (1.0 - p))))


def _spread(theta: Floats, inverse: Floats) -> float:
    """How far models spread, in Elo points: the variance of their ratings without their errors'."""
    freedom = len(theta) - 1
    beyond = (float(theta @ theta) - float(np.trace(inverse))) / freedom
    return max(LEAST_SPREAD, POINTS_PER_LOG * math.sqrt(max(0.0, beyond)))
