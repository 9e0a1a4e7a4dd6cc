"""The Bradley–Terry likelihood on pair counts, with half a win for a tie."""

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.fitting.newton import LocalModel, minimise
from arena.ratings.pairs import PairCounts
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import InputError


def win_probability(theta: Floats) -> Floats:
    """(m, m) probability that the row's model beats the column's; theta: (m,) log-strengths."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(theta - theta[:, None]))


def prior_precision(models: int, prior: float | None) -> Floats | None:
    """(m, m) precision of ratings that are normal around their mean.

    prior: standard deviation in Elo points; None is no prior.
    """
    return None if prior is None else precision_of(models, prior)


def precision_of(models: int, prior: float) -> Floats:
    """(m, m) precision of a normal prior whose standard deviation is in Elo points."""
    if not 0.0 < prior < np.inf:
        raise InputError(f"prior is {prior}; it is a standard deviation in Elo points, above 0.")
    precision: Floats = (np.eye(models) - 1.0 / models) * (POINTS_PER_LOG / prior) ** 2
    return precision


def local_model(counts: PairCounts, theta: Floats) -> LocalModel:
    """Minus the log-likelihood at theta (m,), with gradient and Hessian."""
    p = win_probability(theta)
    smallest = np.finfo(float).tiny
    value = -float((counts.points * np.log(np.maximum(p, smallest))).sum())
    gradient = (counts.played * p - counts.points).sum(axis=1)
    hessian = -counts.played * p * p.T
    np.fill_diagonal(hessian, -hessian.sum(axis=1))
    return LocalModel(value, gradient, hessian)


def with_prior(local: LocalModel, offset: Floats, precision: Floats | None) -> LocalModel:
    """The loss with a normal prior on the first parameters; offset: (m,) from its mean."""
    if precision is None:
        return local
    models = len(offset)
    pull = precision @ offset
    gradient, hessian = local.gradient.copy(), local.hessian.copy()
    gradient[:models] += pull
    hessian[:models, :models] += precision
    return LocalModel(local.value + 0.5 * float(offset @ pull), gradient, hessian)


def fit_counts(
    counts: PairCounts,
    precision: Floats | None = None,
    mean: Floats | None = None,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """The most likely log-strengths (m,), mean 0, and the Hessian (m, m) there.

    precision, mean: (m, m) and (m,) of a normal prior, in log-strength units.
    """
    centre = np.zeros(len(counts.battles)) if mean is None else mean
    evidence = counts.played.sum(axis=1)
    if precision is not None:
        evidence = evidence + np.diagonal(precision)

    def evaluate(theta: Floats) -> LocalModel:
        return with_prior(local_model(counts, theta), theta - centre, precision)

    first = _guess(counts) if start is None else start
    theta, local = minimise(evaluate, first, evidence, len(evidence))
    return theta, local.hessian


def _guess(counts: PairCounts) -> Floats:
    """Log-odds of each model's share of points, one point smoothed in each direction."""
    won, lost = counts.points.sum(axis=1), counts.points.sum(axis=0)
    guess: Floats = np.log((won + 1.0) / (lost + 1.0))
    guess -= guess.mean()
    return guess
