"""What the next votes are expected to settle, before anybody has cast them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import NormalDist

import numpy as np
from scipy.special import ndtr

from arena.ratings.arrays import Floats, Ints
from arena.ratings.comparisons import Comparisons
from arena.ratings.pairing.draws import EXPLORATION, believed, draws, pairs_of
from arena.ratings.pairing.targets import USUAL, Target, weights
from arena.ratings.scale import WEAK_PRIOR
from arena.ratings.threads import on_one_thread

VOTES = 100


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
    target: Target = USUAL,
    confidence: float = 0.95,
    prior: float = WEAK_PRIOR,
    seed: int = 0,
    allowed: Iterable[tuple[str, str]] | None = None,
) -> Prospect | None:
    """What the next votes settle if they are on the pairs that `next_pairs` draws.

    None where all neighbours are told apart. With d the difference of two neighbours, s² its
    variance now and v its variance then, the estimate then is normal around d with variance
    s² - v, and the two are told apart where it lies further from 0 than z √v.
    """
    theta, inverse = believed(c, prior)
    steps = draws(
        theta, inverse, weights(theta, inverse, target), EXPLORATION,
        pairs_of(c.models, allowed), np.random.default_rng(seed),
    )  # fmt: skip
    *_, last = islice(steps, votes)
    order = np.argsort(-theta, kind="stable")
    gap = theta[order[:-1]] - theta[order[1:]]
    now, then = (_apart(v, order) for v in (inverse, last.inverse))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    is_open = gap <= z * np.sqrt(now)
    if not is_open.any():
        return None
    moved = np.sqrt(np.maximum(now - then, np.finfo(float).tiny))
    limit = z * np.sqrt(then)
    chance = is_open * (ndtr((gap - limit) / moved) + ndtr((-gap - limit) / moved))
    likeliest = int(np.argmax(chance))
    return Prospect(
        votes, int(is_open.sum()), float(chance.sum()), likeliest + 1, float(chance[likeliest])
    )


def _apart(inverse: Floats, order: Ints) -> Floats:
    """(m - 1,) the variance of the difference of each two neighbours."""
    upper, lower = order[:-1], order[1:]
    variance = np.diagonal(inverse)
    apart: Floats = variance[upper] + variance[lower] - 2.0 * inverse[upper, lower]
    return apart
