"""The stated mean of several rankings: each kind of evidence with its weight."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from arena.ratings.bradley_terry import wald
from arena.ratings.newton import centred
from arena.ratings.result import RatingResult
from arena.ratings.scale import POINTS_PER_LOG, to_log, to_points


def overall(parts: Sequence[tuple[float, RatingResult]], name: str) -> RatingResult | None:
    """Weighted mean of ratings over the models that all parts have; None where none do.

    parts: weights, which sum to 1, with ratings in Elo points. name: the method's. Errors of
    different parts are taken as independent; settings are the first part's.
    """
    models = tuple(
        model for model in parts[0][1].models if all(model in r.models for _, r in parts[1:])
    )
    if not models:
        return None
    theta, covariance = np.zeros(len(models)), np.zeros((len(models), len(models)))
    count = np.zeros(len(models))
    for weight, result in parts:
        rows = np.array([result.models.index(model) for model in models])
        theta += weight * to_log(result.ratings[rows])
        if result.covariance is not None:
            inside = centred(result.covariance[np.ix_(rows, rows)], len(models))
            covariance += weight**2 * inside / POINTS_PER_LOG**2
        count += result.comparisons[rows]
    settings = replace(parts[0][1].settings, method=name)
    spread = wald(theta, covariance, settings.confidence)
    half = POINTS_PER_LOG * (spread.high - theta)
    ratings = to_points(theta)
    return RatingResult(
        models,
        ratings,
        count,
        settings,
        ci_low=ratings - half,
        ci_high=ratings + half,
        covariance=POINTS_PER_LOG**2 * covariance,
    )
