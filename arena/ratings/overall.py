"""The stated mean of several rankings: each kind of evidence with its weight."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.bradley_terry import wald
from arena.ratings.evidence import CombinedResult, Label
from arena.ratings.newton import centred
from arena.ratings.result import RatingResult
from arena.ratings.scale import POINTS_PER_LOG, to_log, to_points

Part = tuple[float, RatingResult]


def overall(parts: Sequence[Part], name: str) -> RatingResult | None:
    """Weighted mean of ratings over the models that all parts have; None where none do.

    parts: weights, which sum to 1, with ratings in Elo points. name: the method's. Settings
    are the first part's. Votes and verdicts are about the same battles, so their errors go
    together, and it is not known how far: the interval allows for the most. Errors of
    benchmarks are independent, but of a ranking that they informed.
    """
    models = tuple(
        model for model in parts[0][1].models if all(model in r.models for _, r in parts[1:])
    )
    if not models:
        return None
    places = [np.array([r.models.index(model) for model in models]) for _, r in parts]
    chosen = list(zip(parts, places, strict=True))
    theta = np.sum([w * to_log(r.ratings[rows]) for (w, r), rows in chosen], axis=0)
    covariance = _covariance(parts, places) / POINTS_PER_LOG**2
    settings = replace(parts[0][1].settings, method=name, anchor=None)
    half = POINTS_PER_LOG * (wald(theta, covariance, settings.confidence).high - theta)
    ratings = to_points(theta)
    return RatingResult(
        models,
        ratings,
        np.sum([r.comparisons[rows] for (_, r), rows in chosen], axis=0),
        settings,
        ci_low=ratings - half,
        ci_high=ratings + half,
        covariance=POINTS_PER_LOG**2 * covariance,
    )


def _covariance(parts: Sequence[Part], places: Sequence[np.ndarray]) -> Floats:
    """(m, m) of the weighted mean, Elo points squared; places: of the m models in each part."""
    models = len(places[0])
    together, apart = [], np.zeros((models, models))
    informed = any(_is_informed(result) for _, result in parts)
    for (weight, result), rows in zip(parts, places, strict=True):
        if result.covariance is None:
            continue
        own = weight**2 * centred(result.covariance[np.ix_(rows, rows)], models)
        if informed or _is_subjective(result):
            together.append(own)
        else:
            apart += own
    return apart + _largest(together)


def _largest(parts: Sequence[Floats]) -> Floats | float:
    """What the covariance of a sum is at most, whatever the correlation of its terms.

    (Σ x)(Σ x)ᵀ ≤ Σ xxᵀ / p for any shares p that sum to 1 (Cauchy and Schwarz); these are in
    proportion to the terms' standard deviations.
    """
    sizes = [float(np.sqrt(np.trace(part))) for part in parts]
    whole = sum(sizes)
    return sum(part * (whole / size) for part, size in zip(parts, sizes, strict=True) if size > 0)


def _is_subjective(result: RatingResult) -> bool:
    return isinstance(result, CombinedResult) and result.label != Label.OBJECTIVE_ONLY


def _is_informed(result: RatingResult) -> bool:
    """Whether benchmarks had a say in votes' or judges' ratings."""
    return isinstance(result, CombinedResult) and any(
        source.kind == "objective" and source.weight is not None for source in result.sources
    )
