"""How many more votes would tell two neighbours of a ranking apart."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.likelihood import fit_counts, precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.scale import WEAK_PRIOR


@dataclass(frozen=True, slots=True)
class Settling:
    """The two neighbours that the fewest votes would part. rank: of the better one, from 1.

    votes: comparisons of the two with each other, if their difference stays as it is.
    """

    rank: int
    votes: int


def settling(
    c: Comparisons, *, confidence: float = 0.95, prior: float = WEAK_PRIOR
) -> Settling | None:
    """The next thing that votes would settle, None where all neighbours are apart.

    The standard error of a difference d must shrink to d / z. A comparison of the two with win
    probability p adds p(1 - p) to its information.
    """
    models = len(c.models)
    theta, hessian = fit_counts(c.pair_counts, precision_of(models, prior))
    covariance = bread(hessian, models)
    order = np.argsort(-theta, kind="stable")
    upper, lower = order[:-1], order[1:]
    gap = theta[upper] - theta[lower]
    variance = np.diagonal(covariance)
    error = variance[upper] + variance[lower] - 2.0 * covariance[upper, lower]
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    with np.errstate(divide="ignore"):
        wanted = (z / gap) ** 2 - 1.0 / error
    p = 1.0 / (1.0 + np.exp(-gap))
    votes = wanted / (p * (1.0 - p))
    votes[(votes <= 0.0) | ~np.isfinite(votes)] = np.inf
    k = int(np.argmin(votes))
    return Settling(k + 1, int(np.ceil(votes[k]))) if np.isfinite(votes[k]) else None
