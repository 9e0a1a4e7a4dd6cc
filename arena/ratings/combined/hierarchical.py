"""Human ratings with a prior that is learned from judges and benchmarks.

The model: log-strengths θ ~ N(Bβ, τ²D + E) up to their mean. The columns of B are each
judge's own ratings, β their scales and E the error of Bβ. D, diagonal, gives the residuals
Student's tails: a model that judges get wrong is set free rather than pulled, and intervals
have those tails as far as the prior made them. τ is integrated out on a grid, weighed by its
(Laplace) marginal likelihood.

β has a weak prior in the direction that the judges share most, and a tighter one in the others,
the tighter the less of their ratings lies in it; how much tighter is learned from the votes. So
many judges are not worse than the best of them, one judge's verdicts may come under two names,
and a copy, or another scale, changes nothing.

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
from scipy.special import logsumexp, softmax

from arena.ratings.arrays import Floats, Ints
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import fit_counts, local_model, precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich
from arena.ratings.pairs import PairCounts
from arena.ratings.scale import POINTS_PER_LOG

# Standard deviations of the residual, in Elo points; the prior on log τ is flat over them.
GRID = np.geomspace(5.0, 400.0, 14)
FLAT_TAU = np.zeros(len(GRID))
# Degrees of freedom of the residuals, and how often their scales are estimated.
TAILS = 4.0
REWEIGHTINGS = 3
RANK_TOLERANCE = 1e-6
# How far judges may be weighed apart from what they share, beside how far they may together.
APART = np.array([1.0, 0.3, 0.1, 0.03])
# Judges whose ratings correlate by more are copies; one has at least this share of signal.
COPY = 1.0 - 1e-9
LEAST_SIGNAL = 0.01
# A judge whose ratings differ by less (log-strength) rates all models the same: all are ties.
FLAT = 1e-8


@dataclass(frozen=True, eq=False)
class PriorColumn:
    """A judge's (or benchmark's) own ratings, and what their error is made of.

    theta: (m,) log-strengths, mean 0. scores: (groups, m) of its fit, groups numbered alike
    in all columns, so that judges of the same answers share their luck. inverse: (m, m) of
    its Hessian. precision: (m, m) of its prior. doubt: (m, m) covariance of an error beside
    these, as of what was fitted to make the column; None is none.
    """

    theta: Floats
    scores: csr_array
    inverse: Floats
    precision: Floats
    doubt: Floats | None = None


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
    columns: Sequence[PriorColumn],
    codes: Ints | None,
    prior: float,
) -> Posterior:
    """The posterior of the human ratings.

    codes: (n,) independent groups of votes. prior: standard deviation in Elo points of what
        judges may predict of a model, and of ratings in the design effect.
    """
    return posterior(human.pair_counts, design_effect(human, codes, prior), columns, prior)


def posterior(
    counts: PairCounts,
    effect: float,
    columns: Sequence[PriorColumn],
    prior: float,
    expected: Floats = FLAT_TAU,
) -> Posterior:
    """The posterior of the ratings behind these pair counts.

    effect: the votes' design effect. prior: as for `hierarchical`. expected: (len(GRID),) log
        of how likely each τ of `GRID` is before any vote, up to a constant.
    """
    votes = _tempered(counts, effect)
    models = len(votes.battles)
    span = _span(columns)
    prior_ = _Prior(
        basis=span.directions,
        noise=np.zeros((models, models)),
        loose=np.ones(models),
        wide=models * (prior / POINTS_PER_LOG) ** 2,
        expected=expected,
    )
    scale = span.scale(_apart(votes, prior_, span))
    basis, to_basis = span.directions * scale, span.back * scale
    prior_ = replace(prior_, basis=basis)
    rough = _integrate(votes, prior_)
    prior_ = replace(prior_, noise=_error(columns, to_basis @ rough.gamma))
    final = _integrate(votes, prior_)
    for _ in range(REWEIGHTINGS):
        final = _integrate(votes, replace(prior_, loose=_looseness(final, basis)))
    return Posterior(
        theta=final.theta,
        covariance=final.covariance,
        weights=to_basis @ final.gamma,
        predicted=basis @ final.gamma,
        tau=final.tau * POINTS_PER_LOG,
        design_effect=effect,
        freedom=_freedom(final, models - 1 - basis.shape[1]),
    )


def design_effect(human: Comparisons, codes: Ints | None, prior: float) -> float:
    """φ: mean ratio of the sandwich variance to the Hessian's, over directions of ratings."""
    fitted = fit_half(human, precision_of(len(human.models), prior))
    inverse = bread(fitted.hessian, len(human.models))
    groups = len(human) if codes is None else len(np.unique(codes))
    return effect_of(inverse, fitted.meat(codes), fitted.freedom(inverse), groups)


def effect_of(inverse: Floats, meat: Floats, freedom: float, groups: int) -> float:
    """φ of a fit: see `design_effect`.

    inverse: (m, m) of the Hessian. meat: (m, m) of the score over `groups` independent groups.
    freedom: how many parameters the votes determine.
    """
    ratio = float((inverse * meat).sum()) / freedom
    return max(ratio * sandwich.inflation(groups, freedom), sandwich.least_share(groups))


@dataclass(frozen=True, eq=False)
class _Range:
    """Where judges' ratings lie: (m, r) orthonormal directions, the most shared one first.

    back: (k, r) from coordinates to β. size: (r,) how much of the ratings lies in each, the
    first 1.
    """

    directions: Floats
    back: Floats
    size: Floats

    def scale(self, apart: float) -> Floats:
        """(r,) how far a prior reaches in each direction, the first 1."""
        scale = apart * self.size
        scale[:1] = 1.0
        return scale


@dataclass(frozen=True, eq=False)
class _Prior:
    """θ ~ N(basis γ, noise + τ² diag(loose)), γ ~ N(0, wide); expected: see `posterior`."""

    basis: Floats
    noise: Floats
    loose: Floats
    wide: float
    expected: Floats


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Posterior means over τ.

    prior_share, residual_share: (m,) how much of each variance the prior makes, and how much
    of it the residual. evidence: the log marginal likelihood.
    """

    theta: Floats
    covariance: Floats
    gamma: Floats
    tau: float
    prior_share: Floats
    residual_share: Floats
    evidence: float


def _freedom(mixture: _Mixture, residuals: int) -> Floats:
    """(m,) degrees of freedom of the variances (Satterthwaite).

    The prior's share of each was learned from this many residuals together, and the looseness
    of the model's own residual is what Student's tails take for `TAILS` degrees.
    """
    doubt = mixture.prior_share**2 / max(residuals, 1) + mixture.residual_share**2 / TAILS
    return np.asarray(1.0 / np.maximum(doubt, 1e-12))


def _apart(votes: PairCounts, prior: _Prior, span: _Range) -> float:
    """How far judges may be weighed apart: root mean square over `APART`, by evidence."""
    if len(span.size) < 2:
        return 1.0
    priors = [replace(prior, basis=span.directions * span.scale(apart)) for apart in APART]
    share = softmax([_integrate(votes, each).evidence for each in priors])
    return float(np.sqrt(share @ APART**2))


def _looseness(mixture: _Mixture, basis: Floats) -> Floats:
    """(m,) expected variance of each model's residual, in τ², under Student's tails."""
    residual = mixture.theta - basis @ mixture.gamma
    square = (residual**2 + np.diagonal(mixture.covariance)) / mixture.tau**2
    loose: Floats = (TAILS + square) / (TAILS + 1.0)
    return loose


def _integrate(votes: PairCounts, prior: _Prior) -> _Mixture:
    """The posterior over the grid of τ."""
    points: list[_Mixture] = []
    start = np.zeros(len(prior.basis))
    for tau in GRID[::-1] / POINTS_PER_LOG:
        points.append(_conditional(votes, prior, tau, start))
        start = points[-1].theta
    logs = np.array([point.evidence for point in points]) + prior.expected[::-1]
    share = softmax(logs)

    def mean(name: str) -> Floats:
        return np.tensordot(share, np.array([getattr(point, name) for point in points]), 1)

    theta = mean("theta")
    apart = np.array([point.theta - theta for point in points])
    return _Mixture(
        theta=theta,
        covariance=mean("covariance") + apart.T @ (share[:, None] * apart),
        gamma=mean("gamma"),
        tau=float(mean("tau")),
        prior_share=mean("prior_share"),
        residual_share=mean("residual_share"),
        evidence=float(logsumexp(logs)),
    )


def _conditional(votes: PairCounts, prior: _Prior, tau: float, start: Floats) -> _Mixture:
    """The posterior given τ; γ is integrated out exactly."""
    basis = prior.basis
    models, rank = basis.shape
    residual = tau**2 * prior.loose
    spread = prior.noise + np.diag(residual)
    contrast = _contrasts(models)
    factor = cho_factor(contrast.T @ spread @ contrast, lower=True)
    full = contrast @ cho_solve(factor, contrast.T)
    # The weak prior on γ takes all but a little of its span out of the precision.
    pulled = full @ basis
    inner = basis.T @ pulled + np.eye(rank) / prior.wide
    precision = full - pulled @ np.linalg.solve(inner, pulled.T)
    theta, hessian = fit_counts(votes, precision, start=start)
    reduced = contrast.T @ hessian @ contrast
    covariance = contrast @ np.linalg.solve(reduced, contrast.T)
    log = -local_model(votes, theta).value - 0.5 * float(theta @ precision @ theta)
    log -= float(np.log(np.diagonal(factor[0])).sum()) + 0.5 * _log_determinant(reduced)
    log -= 0.5 * _log_determinant(inner)
    # The rest of the posterior variance is the votes', and of the prior's the columns' own error.
    by_prior = np.einsum("ij,jk,ki->i", covariance, precision, covariance, optimize=True)
    share = by_prior / np.diagonal(covariance)
    own = share * residual / np.diagonal(spread)
    gamma = np.linalg.solve(inner, pulled.T @ theta)
    return _Mixture(theta, covariance, gamma, tau, share, own, log)


def _error(columns: Sequence[PriorColumn], weights: Floats) -> Floats:
    """(m, m) covariance of the weighted sum of the columns, errors shared by group."""
    pairs = list(zip(columns, weights, strict=True))
    shocks = sum(c.scores @ (w * c.inverse) for c, w in pairs)
    prior = sum(w * c.inverse for c, w in pairs)
    error: Floats = shocks.T @ shocks + prior @ columns[0].precision @ prior
    for column, weight in pairs:
        if column.doubt is not None:
            error = error + weight**2 * column.doubt
    return error


def _span(columns: Sequence[PriorColumn]) -> _Range:
    """The span of the judges' ratings, each brought to one scale and weighed by its signal.

    Copies and multiples of a judge weigh as one. At most a third of the directions of m models
    is given to judges, the ones that they share most.
    """
    ratings = np.column_stack([c.theta - c.theta.mean() for c in columns])
    models, judges = ratings.shape
    norms = np.linalg.norm(ratings, axis=0)
    used = np.flatnonzero(norms > FLAT)
    if not used.size:
        return _Range(np.zeros((models, 0)), np.zeros((judges, 0)), np.zeros(0))
    unit = ratings[:, used] / norms[used]
    error = np.array([np.trace(_error([columns[int(k)]], np.ones(1))) for k in used])
    signal = np.clip(1.0 - error / norms[used] ** 2, LEAST_SIGNAL, 1.0)
    weight = np.sqrt(signal / (np.abs(unit.T @ unit) > COPY).sum(axis=0))
    left, size, right = np.linalg.svd(unit * weight, full_matrices=False)
    rank = min(int((size > RANK_TOLERANCE * size[0]).sum()), max(1, (models - 1) // 3))
    back = np.zeros((judges, rank))
    back[used] = right[:rank].T / size[:rank] * (weight / norms[used])[:, None]
    return _Range(left[:, :rank], back, size[:rank] / size[0])


def _contrasts(models: int) -> Floats:
    """(m, m - 1) orthonormal directions in which ratings differ."""
    contrasts: Floats = helmert(models).T
    return contrasts


def _tempered(counts: PairCounts, effect: float) -> PairCounts:
    return replace(counts, wins=counts.wins / effect, ties=counts.ties / effect)


def _log_determinant(matrix: Floats) -> float:
    return float(np.linalg.slogdet(matrix)[1])
