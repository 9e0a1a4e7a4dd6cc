"""The stated mean of several rankings: each kind of evidence with its weight."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.bradley_terry import wald
from arena.ratings.fitting.newton import centred
from arena.ratings.result import RatingResult
from arena.ratings.scale import POINTS_PER_LOG, to_log, to_points


@dataclass(frozen=True)
class Part:
    """Ratings by one kind of evidence. weight: its share; those of all parts sum to 1.

    about_battles: whether they are about the same battles as other such parts, as votes and
    verdicts are, so that their errors go together.
    """

    weight: float
    ratings: RatingResult
    about_battles: bool


def overall(parts: Sequence[Part], name: str) -> RatingResult | None:
    """Weighted mean of ratings over the models that all parts have; None where none do.

    parts: ratings in Elo points. name: the method's. Settings are the first part's. It is not
    known how far the errors of parts about the same battles go together: the interval allows
    for the most. Errors of other parts are independent.
    """
    results = [part.ratings for part in parts]
    models = tuple(
        model for model in results[0].models if all(model in r.models for r in results[1:])
    )
    if not models:
        return None
    places = [np.array([r.models.index(model) for model in models]) for r in results]
    chosen = list(zip(parts, places, strict=True))
    theta = np.sum([p.weight * to_log(p.ratings.ratings[rows]) for p, rows in chosen], axis=0)
    covariance = _covariance(parts, places) / POINTS_PER_LOG**2
    settings = replace(results[0].settings, method=name, anchor=None)
    half = POINTS_PER_LOG * (wald(theta, covariance, settings.confidence).high - theta)
    ratings = to_points(theta)
    return RatingResult(
        models,
        ratings,
        np.sum([p.ratings.comparisons[rows] for p, rows in chosen], axis=0),
        settings,
        ci_low=ratings - half,
        ci_high=ratings + half,
        covariance=POINTS_PER_LOG**2 * covariance,
    )


def _covariance(parts: Sequence[Part], places: Sequence[np.ndarray]) -> Floats:
    """(m, m) of the weighted mean, Elo points squared; places: of the m models in each part."""
    models = len(places[0])
    together, apart = [], np.zeros((models, models))
    for part, rows in zip(parts, places, strict=True):
        covariance = part.ratings.covariance
        if covariance is None:
            continue
        own = part.weight**2 * centred(covariance[np.ix_(rows, rows)], models)
        if part.about_battles:
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
