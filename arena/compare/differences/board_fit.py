"""Two models that hardly met: their difference through all that both were compared with."""

import math

import numpy as np

from arena.compare.differences.advantage import BoardAdvantage, expected_share
from arena.ratings import Comparisons, bradley_terry
from arena.ratings.arrays import Floats, distinct, totals
from arena.ratings.bradley_terry import fit
from arena.ratings.combined.battles import independent_groups
from arena.ratings.fitting.diagnostics import components
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals.sandwich import MOST_FITTED
from arena.ratings.result import Settings
from arena.records import Note
from arena.records.errors import InputError

OWN = 2.0  # the ratings of the two models


def through_board(
    c: Comparisons, a: str, b: str, cluster: str | None = "auto"
) -> tuple[BoardAdvantage, Note | None]:
    """B against A by the ratings of all models, and why a prior was needed, if it was.

    The variance of the difference is var(b) + var(a) - 2 cov(a, b), of the sandwich estimate.
    Of all groups of comparisons few tell much of these two, and two ratings are fitted to those:
    the variance and Student's t allow for that, with the number of groups that tell.
    cluster: as `bradley_terry` takes it.

    Raises InputError where nothing links the two, not even through other models.
    """
    for name in (a, b):
        if name not in c.models:
            raise InputError(f"nothing compares {name!r} with any model")
    c = _part_of(c, a)
    if b not in c.models:
        raise InputError(f"nothing links {a!r} and {b!r}, not even through other models")
    result = bradley_terry(c, prior="auto", cluster=cluster)
    assert result.covariance is not None
    first, second = result.models.index(a), result.models.index(b)
    contrast = np.zeros(len(result.models))
    contrast[first], contrast[second] = -1.0, 1.0
    difference = float(contrast @ result.ratings)
    telling = _telling(c, result.settings, contrast)
    spare = max(telling - OWN, (1.0 - MOST_FITTED) * telling)
    own = np.isin(c.i, (first, second)) | np.isin(c.j, (first, second))
    comparisons = int(own.sum())
    found = BoardAdvantage(
        share=expected_share(difference),
        prompts=comparisons if c.prompt is None else distinct(c.prompt.codes[own]),
        comparisons=comparisons,
        difference=difference,
        error=math.sqrt(float(contrast @ result.covariance @ contrast) * telling / spare),
        freedom=max(1, math.floor(spare)),
    )
    note = None
    if result.undetermined:
        points = result.settings.prior
        note = Note.of("ratings.prior", points=points, why=result.undetermined)
    return found, note


def _telling(c: Comparisons, settings: Settings, contrast: Floats) -> float:
    """How many independent groups of rows the difference stands on, in effect.

    That is (Σ a)² / Σ a², where a is what a group adds to the variance if all is as fitted: the
    degrees of freedom of a variance that is estimated from groups of unequal size.
    """
    fitted = fit(c, settings)
    pull = bread(fitted.hessian, len(c.models)) @ contrast
    gap = fitted.theta[c.i] - fitted.theta[c.j]
    expected = (pull[c.i] - pull[c.j]) ** 2 / (2.0 + np.exp(gap) + np.exp(-gap))
    if c.row_weight is not None:
        expected = expected * c.row_weight
    _, codes = independent_groups(c, settings.cluster)
    part = expected if codes is None else totals(codes, expected, int(codes.max()) + 1)
    return float(part.sum() ** 2 / (part**2).sum())


def _part_of(c: Comparisons, model: str) -> Comparisons:
    """The comparisons of the models that something links to this one."""
    place = c.models.index(model)
    groups = components(c.pair_counts.played)
    own = next(group for group in groups if place in group)
    return c if len(groups) == 1 else c.among(sorted(c.models[k] for k in own))
