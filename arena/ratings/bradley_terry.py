"""Bradley–Terry ratings of comparisons, with intervals."""

from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np

from arena.ratings.arrays import Floats, distinct
from arena.ratings.combined.battles import battle_groups, independent_groups
from arena.ratings.comparisons import Comparisons, require_comparisons
from arena.ratings.fitting.diagnostics import undetermined
from arena.ratings.fitting.fitted import Fitted, HalfFit, fit_half
from arena.ratings.fitting.likelihood import prior_precision
from arena.ratings.fitting.style import StyleFit, fit_style
from arena.ratings.fitting.ties import fit_ties
from arena.ratings.intervals import sandwich
from arena.ratings.intervals.bootstrap import resample
from arena.ratings.options import FitChanges, FitOptions, Prior, changed
from arena.ratings.result import Coefficient, RatingResult, Settings
from arena.ratings.scale import MEAN, POINTS_PER_LOG, WEAK_PRIOR, to_points
from arena.ratings.threads import on_one_thread
from arena.records import Interval, Note, Ties, setting
from arena.records.errors import InputError


@dataclass(frozen=True, eq=False)
class Spread:
    """How far parameters may be off: covariance (p, p), low and high (p,), in log-odds."""

    covariance: Floats
    low: Floats
    high: Floats


@on_one_thread
def bradley_terry(
    c: Comparisons, options: FitOptions | None = None, **changes: Unpack[FitChanges]
) -> RatingResult:
    """Maximum-likelihood ratings in Elo points, mean 1000.

    c: who met whom, and who won.
    options: how to rate; see `FitOptions`.
    changes: options given one by one, as in `bradley_terry(c, ties="davidson", prior=400)`;
        those of `FitOptions`, in whose place they stand.

    A prior makes ratings finite where models are undefeated or parts never met. "auto" takes one
    of 400 points there and none elsewhere, and the result says why. None raises DisconnectedError
    or SeparatedError there.
    """
    require_comparisons(c, "bradley_terry")
    asked = changed(options, changes)
    settings = _settings(
        c,
        Settings(
            method="bradley-terry",
            ties=asked.ties,
            interval=asked.interval,
            cluster=asked.cluster,
            rounds=asked.rounds,
            confidence=asked.confidence,
            style=asked.style,
            seed=asked.seed,
            anchor=asked.anchor,
        ),
    )
    taken, reason = _prior(c, asked.prior)
    settings = replace(settings, prior=taken)
    fitted = fit(c, settings)
    spread = None if asked.interval is None else _spread(fitted, settings)
    result = rate(c, fitted.theta, spread, settings)
    return replace(
        result,
        coefficients=_coefficients(fitted, spread),
        without_style=to_points(fitted.without) if isinstance(fitted, StyleFit) else None,
        undetermined=reason,
    )


def _prior(c: Comparisons, asked: Prior) -> tuple[float | None, Note | None]:
    """The prior's standard deviation, if any; and why, where it is the data that need it."""
    if isinstance(asked, float | int):
        return asked, None
    problem = undetermined(c.pair_counts.points, c.models)
    if problem is None:
        return None, None
    if asked is None:
        raise problem
    return WEAK_PRIOR, problem.reason


def fit(c: Comparisons, settings: Settings) -> Fitted:
    """The point estimate that the settings ask for."""
    precision = prior_precision(len(c.models), settings.prior)
    if settings.style and settings.ties != Ties.HALF:
        raise InputError(
            "style control goes with ", setting("ties", "half"), f", not {str(settings.ties)!r}."
        )
    if settings.style:
        return fit_style(c, settings.style, precision)
    if settings.ties != Ties.HALF:
        return fit_ties(c, settings.ties, precision)
    return fit_half(c, precision)


def _spread(fitted: Fitted, settings: Settings) -> Spread:
    c = fitted.c
    _, codes = independent_groups(c, settings.cluster)
    if settings.interval == Interval.BOOTSTRAP:
        if not isinstance(fitted, HalfFit):
            raise InputError(
                setting("interval", "bootstrap"),
                " goes with ",
                setting("ties", "half"),
                " and no style control.",
            )
        draws = resample(
            c,
            codes,
            fitted.theta,
            fitted.hessian,
            fitted.precision,
            settings.rounds or 0,
            settings.seed,
        )
        return _percentiles(draws, fitted.theta, settings.confidence)
    finer = lambda: battle_groups(c).codes, lambda: np.arange(len(c))
    covariance = fitted.covariance(codes, finer)
    freedom = None if settings.clusters is None else settings.clusters - 1
    return wald(fitted.parameters, covariance, settings.confidence, freedom)


def _coefficients(fitted: Fitted, spread: Spread | None) -> tuple[Coefficient, ...]:
    first = len(fitted.theta)
    return tuple(
        Coefficient(
            name,
            float(fitted.parameters[k]),
            None if spread is None else float(spread.low[k]),
            None if spread is None else float(spread.high[k]),
        )
        for k, name in enumerate(fitted.extras, first)
    )


def rate(c: Comparisons, theta: Floats, spread: Spread | None, settings: Settings) -> RatingResult:
    """The result in Elo points of log-strengths (m,), mean 0, and their spread."""
    ratings = to_points(theta)
    shift = 0.0
    if settings.anchor is not None:
        shift = settings.anchor[1] - ratings[_position(c, settings.anchor[0])]
    result = RatingResult(c.models, ratings + shift, c.pair_counts.battles, settings)
    if spread is None:
        return result
    models = len(theta)
    return replace(
        result,
        ci_low=MEAN + shift + POINTS_PER_LOG * spread.low[:models],
        ci_high=MEAN + shift + POINTS_PER_LOG * spread.high[:models],
        covariance=POINTS_PER_LOG**2 * spread.covariance[:models, :models],
    )


def wald(
    theta: Floats, covariance: Floats, confidence: float, freedom: Floats | int | None = None
) -> Spread:
    """The spread of a normal estimate; Student's t where the variance has few degrees."""
    half = sandwich.quantile(confidence, freedom) * np.sqrt(np.diagonal(covariance))
    return Spread(covariance, theta - half, theta + half)


def _percentiles(draws: Floats, theta: Floats, confidence: float) -> Spread:
    tail = 0.5 - confidence / 2.0
    # The default method would leave too little in the tails of a finite number of draws.
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0, method="weibull")
    covariance = np.atleast_2d(np.cov(draws, rowvar=False))
    return Spread(covariance, np.minimum(low, theta), np.maximum(high, theta))


def _settings(c: Comparisons, asked: Settings) -> Settings:
    """The settings as they apply to these comparisons; errors for what cannot be."""
    if asked.anchor is not None:
        _position(c, asked.anchor[0])
    is_bootstrap = asked.interval == Interval.BOOTSTRAP
    if is_bootstrap and asked.rounds is not None and asked.rounds < 2:
        raise InputError(f"rounds is {asked.rounds}; a bootstrap needs at least 2.")
    name, codes = independent_groups(c, asked.cluster)
    clusters = None if codes is None else distinct(codes)
    if clusters is not None and clusters < 2 and asked.interval is not None:
        raise InputError(f"all rows have the same {name}; use cluster=None for an interval.")
    return replace(
        asked,
        cluster=name,
        clusters=clusters,
        rounds=asked.rounds if is_bootstrap else None,
        weighting=None if c.propensity is None else "propensity",
    )


def _position(c: Comparisons, model: str) -> int:
    if model not in c.models:
        raise InputError(f"the anchor {model!r} is not among the models compared.")
    return c.models.index(model)
