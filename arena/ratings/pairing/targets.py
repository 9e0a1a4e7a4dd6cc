"""Which differences between ratings the next comparisons are to tell.

A target is a weighted graph over models: the weight of two models is what a unit of the variance
of their difference costs. Where the order is what matters, that is the slope of the expected
loss by the variance: with d the difference, s its standard error, and a loss of |d| where the
two are put the wrong way round, the expected loss is s φ(d/s) - |d| Φ(-|d|/s), and its slope by
s² is φ(d/s) / 2s.
"""

import math
from enum import StrEnum

import numpy as np

from arena.ratings.arrays import Floats


class Target(StrEnum):
    """All ratings alike; the order of all models; that of neighbours; who is in the first few."""

    TOTAL = "total"
    ORDER = "order"
    NEIGHBOURS = "neighbours"
    TOP = "top"


USUAL = Target.TOTAL
TOP = 5


def weights(theta: Floats, inverse: Floats, target: Target, top: int = TOP) -> Floats:
    """(m, m) the graph's Laplacian W: tr(W V) is the cost of what is not known.

    theta: (m,) log-strengths; inverse: (m, m) their covariance V. top: how many are the first few.
    """
    models = len(theta)
    if target is Target.TOTAL:
        return np.eye(models) - 1.0 / models
    variance = np.diagonal(inverse)
    apart = np.maximum(variance[:, None] + variance - 2.0 * inverse, np.finfo(float).tiny)
    error = np.sqrt(apart)
    z = (theta[:, None] - theta) / error
    open_ = np.exp(-0.5 * z**2) / (2.0 * math.sqrt(2.0 * math.pi) * error)
    place = np.empty(models, dtype=int)
    place[np.argsort(-theta, kind="stable")] = np.arange(models)
    distance = np.abs(place[:, None] - place)
    if target is Target.NEIGHBOURS:
        open_ = open_ * (distance == 1)
    if target is Target.TOP:
        first = place < min(top, models - 1)
        open_ = open_ * (first[:, None] != first)
    np.fill_diagonal(open_, 0.0)
    laplacian: Floats = np.diag(open_.sum(axis=1)) - open_
    return laplacian
