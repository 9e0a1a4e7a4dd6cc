"""Ranks, and what the joint covariance of ratings says about them.

Ranges come from simultaneous confidence intervals of all pairwise differences (Mogstad,
Romano, Shaikh, Wilhelm 2024, "Inference for ranks"): with the stated confidence every
model's true rank is inside its range.
"""

import numpy as np
from scipy.linalg import eigh

from arena.ratings.arrays import Floats, Ints
from arena.ratings.threads import on_one_thread

DRAWS = 2000


def order(ratings: Floats) -> Ints:
    """(m,) rank of each rating, 1 for the highest; equal ratings share the better rank."""
    ahead = np.searchsorted(np.sort(-ratings), -ratings, side="left")
    return (ahead + 1).astype(np.int32)


@on_one_thread
def rank_ranges(
    ratings: Floats, covariance: Floats, confidence: float = 0.95, seed: int = 0
) -> tuple[Ints, Ints]:
    """Best and worst rank of each model, (m,) each, simultaneously at `confidence`."""
    variance = np.diagonal(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance - 2.0 * covariance, 0.0))
    critical = _critical(covariance, spread, confidence, seed)
    above = (ratings[:, None] - ratings) > critical * spread
    best = 1 + above.sum(axis=0)
    worst = len(ratings) - above.sum(axis=1)
    return best.astype(np.int32), worst.astype(np.int32)


@on_one_thread
def probability_best(ratings: Floats, covariance: Floats, seed: int = 0) -> Floats:
    """(m,) share of draws from N(ratings, covariance) in which each model comes first."""
    first = np.argmax(ratings + _draws(covariance, seed), axis=1)
    return np.bincount(first, minlength=len(ratings)) / DRAWS


def _critical(covariance: Floats, spread: Floats, confidence: float, seed: int) -> float:
    """Quantile of the largest standardised difference between two models."""
    draws = _draws(covariance, seed).astype(np.float32)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    scale = scale.astype(np.float32)
    largest = np.zeros(len(draws), dtype=np.float32)
    for k in range(1, len(spread)):
        gap = np.abs(draws[:, :k] - draws[:, k : k + 1])
        gap *= scale[k, :k]
        np.maximum(largest, gap.max(axis=1), out=largest)
    return float(np.quantile(largest, confidence))


def _draws(covariance: Floats, seed: int) -> Floats:
    """(DRAWS, m) deviations from N(0, covariance), which may be singular."""
    values, vectors = eigh(covariance)
    # The symmetric root, which is the same whatever signs and order a machine gives the vectors.
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    normal = np.random.default_rng(seed).standard_normal((DRAWS, len(values)))
    draws: Floats = normal @ root
    return draws
