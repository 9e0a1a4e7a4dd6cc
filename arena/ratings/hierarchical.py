"""Human ratings with a prior that is learned from judges and benchmarks.

The model: log-strengths θ ~ N(Bβ, τ²D + E) up to their mean. The columns of B are each
judge's own ratings, β their scales and E the error of Bβ. D, diagonal, gives the residuals
Student's tails: a model that judges get wrong is set free rather than pulled, and intervals
have those tails as far as the prior made them. β has a weak prior that is the same in all
directions of the judges' span, so that only the span counts: a copy, or another scale, changes
nothing. τ is integrated out on a grid, weighed by its (Laplace) marginal likelihood.

The assumption: judges' ratings are exchangeably wrong over models. Intervals cover on
average over models, not for each; `ppi` needs no such assumption.

The votes' likelihood is tempered by their design effect φ: votes on one battle are not
independent and ties vary less than coin flips, so the Hessian is not their precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve, helmert
from scipy.sparse import csr_array

from arena.ratings import sandwich
from arena.ratings.arrays import Floats, Ints
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitted import fit_half
from arena.ratings.likelihood import fit_counts, local_model, precision_of
from arena.ratings.newton import bread
from arena.ratings.pairs import PairCounts
from arena.ratings.scale import POINTS_PER_LOG

# Standard deviations of the residual, in Elo points; the prior on log τ is flat over them.
GRID = np.geomspace(5.0, 400.0, 14)
# Degrees of freedom of the residuals, and how often their scales are estimated.
TAILS = 4.0
REWEIGHTINGS = 3
RANK_TOLERANCE = 1e-6
# A judge whose ratings differ by less (log-strength) rates all models the same: all are ties.
FLAT = 1e-8


@dataclass(frozen=True, eq=False)
class Column:
    """A judge's (or benchmark's) own ratings, and what their error is made of.

    theta: (m,) log-strengths, mean 0. scores: (groups, m) of its fit, groups numbered alike
    in all columns, so that judges of the same answers share their luck. inverse: (m, m) of
    its Hessian. precision: (m, m) of its prior.
    """

    theta: Floats
    scores: csr_array
    inverse: Floats
    precision: Floats


@dataclass(frozen=True, eq=False)
class Posterior:
    """Human ratings given the votes and the judges.

    theta, covariance: (m,), (m, m) log-strengths with mean 0. weights: (k,) β.
    predicted: (m,) Bβ. tau: posterior mean of τ in Elo points. design_effect: φ.
    freedom: (m,) degrees of freedom of the variances.
    """

    theta: Floats
    covariance: Floats
    weights: Floats
    predicted: Floats
    tau: float
    design_effect: float
    freedom: Floats


def hierarchical(
    human: Comparisons,
    columns: Sequence[Column],
    codes: Ints | None,
    prior: float,
) -> Posterior:
    """The posterior of the human ratings.

    codes: (n,) independent groups of votes. prior: standard deviation in Elo points of what
        judges may predict of a model, and of ratings in the design effect.
    """
    effect = design_effect(human, codes, prior)
    models = len(human.models)
    wide = models * (prior / POINTS_PER_LOG) ** 2
    basis, to_basis = _span(np.column_stack([c.theta for c in columns]))
    none = np.zeros((models, models))
    even = np.ones(models)
    rough = _integrate(human.pair_counts, basis, none, even, effect, wide)
    noise = _error(columns, to_basis @ rough.gamma)
    final = _integrate(human.pair_counts, basis, noise, even, effect, wide)
    for _ in range(REWEIGHTINGS):
        loose = _looseness(final, basis)
        final = _integrate(human.pair_counts, basis, noise, loose, effect, wide)
    return Posterior(
        theta=final.theta,
        covariance=final.covariance,
        weights=to_basis @ final.gamma,
        predicted=basis @ final.gamma,
        tau=final.tau * POINTS_PER_LOG,
        design_effect=effect,
        freedom=_freedom(final.prior_share, models - 1 - basis.shape[1]),
    )


def design_effect(human: Comparisons, codes: Ints | None, prior: float) -> float:
    """φ: mean ratio of the sandwich variance to the Hessian's, over directions of ratings."""
    fitted = fit_half(human, precision_of(len(human.models), prior))
    inverse = bread(fitted.hessian, len(human.models))
    freedom = fitted.freedom(inverse)
    groups = len(human) if codes is None else len(np.unique(codes))
    ratio = float((inverse * fitted.meat(codes)).sum()) / freedom
    return max(ratio * sandwich.inflation(groups, freedom), sandwich.least_share(groups))


def _freedom(prior_share: Floats, residuals: int) -> Floats:
    """(m,) degrees of freedom of the variances (Satterthwaite).

    The prior's share of each was learned from this many residuals together, and its looseness
    from the model's own, which Student's tails take for `TAILS` degrees.
    """
    prior_freedom = 1.0 / (1.0 / max(residuals, 1) + 1.0 / TAILS)
    freedom: Floats = prior_freedom / np.maximum(prior_share, 1e-6) ** 2
    return freedom


@dataclass(frozen=True, eq=False)
class _Mixture:
    theta: Floats
    covariance: Floats
    gamma: Floats
    tau: float
    prior_share: Floats


def _looseness(mixture: _Mixture, basis: Floats) -> Floats:
    """(m,) expected variance of each model's residual, in τ², under Student's tails."""
    residual = mixture.theta - basis @ mixture.gamma
    square = (residual**2 + np.diagonal(mixture.covariance)) / mixture.tau**2
    loose: Floats = (TAILS + square) / (TAILS + 1.0)
    return loose


def _integrate(
    counts: PairCounts,
    basis: Floats,
    noise: Floats,
    loose: Floats,
    effect: float,
    wide: float,
) -> _Mixture:
    """Posterior means and covariance over the grid of τ; wide: prior variance of each γ."""
    taus = GRID / POINTS_PER_LOG
    points, logs, start = [], [], np.zeros(len(basis))
    for tau in taus[::-1]:
        point, log = _conditional(counts, basis, noise, loose, effect, wide, tau, start)
        start = point.theta
        points.append(point)
        logs.append(log)
    share = np.exp(np.array(logs) - max(logs))
    share /= share.sum()
    theta = sum((w * p.theta for w, p in zip(share, points, strict=True)), np.zeros(len(basis)))
    covariance = sum(
        (
            w * (p.covariance + np.outer(p.theta - theta, p.theta - theta))
            for w, p in zip(share, points, strict=True)
        ),
        np.zeros_like(noise),
    )
    gamma = sum((w * p.gamma for w, p in zip(share, points, strict=True)), np.zeros(basis.shape[1]))
    tau = float(sum(w * p.tau for w, p in zip(share, points, strict=True)))
    prior_share = sum((w * p.prior_share for w, p in zip(share, points, strict=True)), 0 * theta)
    return _Mixture(theta, covariance, gamma, tau, prior_share)


def _conditional(
    counts: PairCounts,
    basis: Floats,
    noise: Floats,
    loose: Floats,
    effect: float,
    wide: float,
    tau: float,
    start: Floats,
) -> tuple[_Mixture, float]:
    """Posterior given τ, and its log marginal likelihood; γ is integrated out exactly."""
    models = len(basis)
    residual = tau**2 * loose
    spread = noise + np.diag(residual)
    contrast = _contrasts(models)
    factor = cho_factor(contrast.T @ spread @ contrast, lower=True)
    full = contrast @ cho_solve(factor, contrast.T)
    # The weak prior on γ takes all but a little of its span out of the precision.
    pulled = full @ basis
    inner = basis.T @ pulled + np.eye(basis.shape[1]) / wide
    precision = full - pulled @ np.linalg.solve(inner, pulled.T) if basis.size else full
    tempered = _tempered(counts, effect)
    theta, hessian = fit_counts(tempered, precision, start=start)
    reduced = contrast.T @ hessian @ contrast
    covariance = contrast @ np.linalg.solve(reduced, contrast.T)
    gamma = np.linalg.solve(inner, pulled.T @ theta) if basis.size else np.zeros(0)
    log = -local_model(tempered, theta).value - 0.5 * float(theta @ precision @ theta)
    log -= float(np.log(np.diagonal(factor[0])).sum()) + 0.5 * _log_determinant(reduced)
    log -= 0.5 * _log_determinant(inner) if basis.size else 0.0
    # The rest of the posterior variance is the votes', and of the prior's the columns' own error.
    by_prior = np.einsum("ij,jk,ki->i", covariance, precision, covariance, optimize=True)
    share = by_prior / np.diagonal(covariance) * residual / np.diagonal(spread)
    return _Mixture(theta, covariance, gamma, tau, share), log


def _error(columns: Sequence[Column], weights: Floats) -> Floats:
    """(m, m) covariance of the weighted sum of the columns, errors shared by group."""
    pairs = list(zip(columns, weights, strict=True))
    shocks = sum(c.scores @ (w * c.inverse) for c, w in pairs)
    prior = sum(w * c.inverse for c, w in pairs)
    error: Floats = shocks.T @ shocks + prior @ columns[0].precision @ prior
    return error


def _span(columns: Floats) -> tuple[Floats, Floats]:
    """An orthonormal basis (m, r) of the judges' ratings, and the (k, r) way back to β.

    Copies and multiples of a judge add no direction. At most a third of the directions of
    m models is given to judges, the ones that they share most.
    """
    centred = columns - columns.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0)
    used = norms > FLAT
    if not used.any():
        return np.zeros((len(columns), 0)), np.zeros((columns.shape[1], 0))
    left, size, right = np.linalg.svd(centred[:, used] / norms[used], full_matrices=False)
    rank = min(int((size > RANK_TOLERANCE * size[0]).sum()), max(1, (len(columns) - 1) // 3))
    back = np.zeros((columns.shape[1], rank))
    back[used] = right[:rank].T / size[:rank] / norms[used][:, None]
    return left[:, :rank], back


def _contrasts(models: int) -> Floats:
    """(m, m - 1) orthonormal directions in which ratings differ."""
    contrasts: Floats = helmert(models).T
    return contrasts


def _tempered(counts: PairCounts, effect: float) -> PairCounts:
    return replace(counts, wins=counts.wins / effect, ties=counts.ties / effect)


def _log_determinant(matrix: Floats) -> float:
    return float(np.linalg.slogdet(matrix)[1])
