"""A star: every model is compared with one baseline, and with nobody else.

What it costs is told by the variance of a difference of two ratings. Of n comparisons with the
baseline, won with probability p, a rating has variance 1 / (n p(1 - p)), and two others differ
with the sum of theirs. As many comparisons spread over all pairs have the covariance of the
inverse information.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.likelihood import win_probability
from arena.ratings.fitting.newton import bread

# A share of the win beyond which a comparison says little: 0.36 of what an even one does.
LOPSIDED = 0.9


@dataclass(frozen=True, slots=True)
class StarDesign:
    """What a baseline costs.

    silent: how many of the `others` win or lose more than nine in ten against it. wider: how many
    times as wide an interval of a difference is as by all pairs with as many comparisons, by the
    root mean square over all pairs of models. best: the model that is least wide as the baseline,
    and by how much.
    """

    baseline: str
    others: int
    silent: int
    wider: float
    best: str
    best_wider: float

    @property
    def is_lopsided(self) -> bool:
        """Whether most comparisons with it say little."""
        return 2 * self.silent > self.others


def baseline_of(c: Comparisons) -> str | None:
    """The one model that all comparisons are with; None where there is none, or two models only."""
    met = c.pair_counts.played > 0
    centres = np.flatnonzero(met.sum() == 2 * met.sum(axis=1))
    return c.models[int(centres[0])] if len(c.models) > 2 and len(centres) == 1 else None


def star(models: Sequence[str], theta: Floats, baseline: str) -> StarDesign:
    """What this baseline costs, and the best one.

    theta: (m,) log-strengths, of three models or more. One of which nothing is known is taken to
    be like the mean.
    """
    at = models.index(baseline)
    p = win_probability(theta)
    widths = [math.sqrt(_star_variance(p, k) / _variance_of_all_pairs(p)) for k in range(len(p))]
    best = int(np.argmin(widths))
    against = np.delete(p[at], at)
    silent = int((np.maximum(against, 1.0 - against) > LOPSIDED).sum())
    return StarDesign(baseline, len(against), silent, widths[at], models[best], widths[best])


def _star_variance(p: Floats, at: int) -> float:
    """The mean variance of a difference, where each other model has one comparison with `at`."""
    own = 1.0 / np.delete(p[at] * p[:, at], at)
    models = len(p)
    # Each other model is in one pair with the baseline, and in m - 2 with the others.
    return float(own.sum() * (models - 1) / (models * (models - 1) / 2))


def _variance_of_all_pairs(p: Floats) -> float:
    """As `_star_variance`, where m - 1 comparisons are spread over all pairs."""
    models = len(p)
    information = -(2.0 / models) * p * p.T
    np.fill_diagonal(information, 0.0)
    np.fill_diagonal(information, -information.sum(axis=1))
    covariance = bread(information, models)
    # The sum of (e_i - e_j)ᵀ V (e_i - e_j) over all pairs is m tr V, for a centred V.
    return float(models * np.trace(covariance) / (models * (models - 1) / 2))
