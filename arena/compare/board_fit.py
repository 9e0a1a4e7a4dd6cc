"""Two models that hardly met: their difference through all that both were compared with."""

import math

import numpy as np

from arena.compare.advantage import BoardAdvantage, expected_share
from arena.errors import InputError
from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting.diagnostics import components
from arena.records import Note


def through_board(
    c: Comparisons, a: str, b: str, cluster: str | None = "auto"
) -> tuple[BoardAdvantage, Note | None]:
    """B against A by the ratings of all models, and why a prior was needed, if it was.

    The variance of the difference is var(b) + var(a) - 2 cov(a, b), of the sandwich estimate.
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
    clusters = result.settings.clusters
    found = BoardAdvantage(
        share=expected_share(difference),
        prompts=clusters if clusters is not None else len(c),
        comparisons=int((np.isin(c.i, (first, second)) | np.isin(c.j, (first, second))).sum()),
        difference=difference,
        error=math.sqrt(float(contrast @ result.covariance @ contrast)),
        freedom=None if clusters is None else clusters - 1,
    )
    note = None
    if result.undetermined:
        points = result.settings.prior
        note = Note.of("ratings.prior", points=points, why=result.undetermined)
    return found, note


def _part_of(c: Comparisons, model: str) -> Comparisons:
    """The comparisons of the models that something links to this one."""
    place = c.models.index(model)
    groups = components(c.pair_counts.played)
    own = next(group for group in groups if place in group)
    return c if len(groups) == 1 else c.among(sorted(c.models[k] for k in own))
