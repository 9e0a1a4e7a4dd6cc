"""Sandwich covariance: honest where ties, repeats or the model make the Hessian wrong.

The bread is the inverse Hessian, the meat the covariance of the score between independent
groups of rows. A prior counts as one more group, with its own precision as meat, so that
the result tends to the posterior covariance where the data are few.
"""

import numpy as np
from scipy.linalg.blas import dgemm
from scipy.sparse import csr_array
from scipy.special import ndtri, stdtrit

from arena.ratings.arrays import Floats, Ints
from arena.ratings.fitting.likelihood import win_probability
from arena.ratings.fitting.newton import UNDETERMINED
from arena.ratings.pairs import PairCounts
from arena.records.errors import ConvergenceError

# At most this share of the clusters' residual variance is taken to be fitted away.
MOST_FITTED = 0.75
TINY = 1e-12
# From this share of cells that are not 0 on, a product of whole blocks is the faster one.
FULL = 0.1
BLOCK = 4096  # clusters that are written out at once


def pair_meat(counts: PairCounts, theta: Floats) -> Floats:
    """(m, m) meat where every row is independent of the others."""
    p = win_probability(theta)
    square = counts.square_wins * p.T**2
    variance = square + square.T - 2.0 * counts.square_ties * p * p.T
    meat = -variance
    np.fill_diagonal(meat, variance.sum(axis=1))
    return meat


def cluster_scores(
    codes: Ints,
    i: Ints,
    j: Ints,
    residual: Floats,
    models: int,
    extra: Floats | None = None,
    clusters: int | None = None,
) -> csr_array:
    """(clusters, models + q) score of each cluster, sparse.

    residual: (n,) derivative of a row's log-likelihood by theta_i - theta_j; extra: (n, q)
    derivatives by the parameters that are not ratings. clusters: how many there are, where
    it is more than these codes say.
    """
    count = int(codes.max()) + 1 if clusters is None else clusters
    q = 0 if extra is None else extra.shape[1]
    values = [residual, -residual, *(() if extra is None else extra.T)]
    columns = [i, j, *(np.full(len(i), models + k) for k in range(q))]
    places = (np.tile(codes, 2 + q), np.concatenate(columns))
    return csr_array((np.concatenate(values), places), shape=(count, models + q))


def cluster_meat(scores: csr_array) -> Floats:
    """(p, p) meat where the clusters are independent; scores: (clusters, p)."""
    clusters, size = scores.shape
    if scores.nnz < FULL * clusters * size:
        return np.asarray((scores.T @ scores).toarray())
    meat = np.zeros((size, size), order="F")
    for start in range(0, clusters, BLOCK):
        block = scores[start : start + BLOCK].toarray()
        meat = dgemm(1.0, block.T, block.T, 1.0, meat, trans_b=1, overwrite_c=1)
    return np.ascontiguousarray(meat)


def inflation(clusters: int, freedom: float) -> float:
    """Factor for a meat of residuals, which are too small by the parameters fitted to them.

    freedom: how many parameters the data determine. Capped where they are as many as the
    clusters, which then say little of the spread.
    """
    return clusters / (clusters - min(max(freedom, 1.0), MOST_FITTED * clusters))


def at_least(meat: Floats, inverse: Floats, information: Floats, groups: float) -> Floats:
    """The meat, not less than what outcomes that never varied would still allow.

    Where none of n groups showed any variance, its share of a coin flip's may yet be 3 / n
    (the rule of three: the 95 % bound on the rate of what was not seen in n trials).

    information: (p, p) Hessian without the prior's part; inverse: that of the whole.
    """
    floor = least_share(groups)
    share = float((inverse * meat).sum()) / max(float((inverse * information).sum()), TINY)
    return meat if share >= floor else meat + (floor - share) * information


def least_share(groups: float) -> float:
    """The rule of three: see `at_least`."""
    return min(1.0, 3.0 / groups)


def covariance(bread: Floats, meat: Floats, precision: Floats | None = None) -> Floats:
    """(p, p) sandwich of a fit; precision: (m, m) of the prior on the ratings, if any."""
    filling = meat.copy()
    if precision is not None:
        models = len(precision)
        filling[:models, :models] += precision
    result: Floats = _symmetric_product(bread, filling)
    if (np.diagonal(result) < 0.0).any():  # only rounding in a near-singular Hessian does this
        raise ConvergenceError("A variance is negative: ", *UNDETERMINED)
    return result


def _symmetric_product(outer: Floats, inner: Floats) -> Floats:
    """outer @ inner @ outer of symmetric matrices.

    By SciPy's BLAS, as the factorisations before it: NumPy's has threads of its own, and two
    sets of them wait for each other's cores.
    """
    half = dgemm(1.0, inner.T, outer.T)  # transposed, they are in the order that BLAS reads
    return np.asarray(dgemm(1.0, outer.T, half))


def quantile(confidence: float, freedom: Floats | int | None = None) -> Floats:
    """Half-width of a central interval in standard errors.

    freedom: degrees of freedom of the variance, one or one a parameter, taken to be at least
        1; None is known.
    """
    tail = 0.5 + confidence / 2.0
    return np.asarray(ndtri(tail) if freedom is None else stdtrit(np.maximum(freedom, 1), tail))
