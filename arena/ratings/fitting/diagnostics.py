"""Whether comparisons determine finite ratings, and what is in the way where they do not.

Ratings are finite exactly where every split of the models into two groups has a point won
in each direction (Ford 1957): the graph "took a point off" is strongly connected.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from arena.ratings.arrays import Floats
from arena.records import Note, setting
from arena.records.errors import DisconnectedError, SeparatedError, UndeterminedError

SHOWN = 5
REMEDY = Note.of("ratings.remedy", setting=setting("prior", 400))


def components(points: Floats) -> list[list[int]]:
    """Groups of models that never met a model of another group, the largest first."""
    return _groups(points, strong=False)


def strong_components(points: Floats) -> list[list[int]]:
    """Groups within which everyone took points off everyone, through others if need be."""
    return _groups(points, strong=True)


def never_lost(points: Floats) -> list[int]:
    """Models that gave no point away."""
    return [int(k) for k in np.flatnonzero(points.sum(axis=0) == 0)]


def never_won(points: Floats) -> list[int]:
    """Models that took no point."""
    return [int(k) for k in np.flatnonzero(points.sum(axis=1) == 0)]


def undetermined(points: Floats, models: Sequence[str]) -> UndeterminedError | None:
    """Why ratings are not finite, None where they are; points: (m, m) taken by the row's model."""
    if _has_hub(points) or len(strong_components(points)) == 1:
        return None
    parts = components(points)
    if len(parts) > 1:
        listed = tuple(_listed(part, models) for part in parts[:SHOWN])
        return DisconnectedError(
            Note.of("ratings.apart", count=len(parts), parts=listed),
            Note.of("ratings.apart.remedy", prior=REMEDY),
        )
    remedy = Note.of("ratings.separated.remedy", prior=REMEDY)
    return SeparatedError(_separation(points, models), remedy)


def require_finite(points: Floats, models: Sequence[str]) -> None:
    """Raise what `undetermined` finds."""
    if problem := undetermined(points, models):
        raise problem


def _has_hub(points: Floats) -> bool:
    """Whether some model took points off all others and gave points to all of them."""
    beat = points > 0.0
    np.fill_diagonal(beat, True)
    return bool((beat.all(axis=0) & beat.all(axis=1)).any())


def _separation(points: Floats, models: Sequence[str]) -> Note:
    unlike = {
        "ratings.never_lost": never_lost(points),
        "ratings.never_won": never_won(points),
    }
    found = {code: group for code, group in unlike.items() if group}
    found = found or {"ratings.unbeaten": _unbeaten(points)}
    parts = tuple(Note.of(code, models=_listed(group, models)) for code, group in found.items())
    return Note.of("ratings.separated", parts=parts)


def _unbeaten(points: Floats) -> list[int]:
    """A strong component that gave no point to models outside."""
    for group in strong_components(points):
        given = points[:, group].sum(axis=1)
        given[group] = 0.0
        if not given.any():
            return group
    raise AssertionError("a finite graph has a source component")


def _groups(edges: Floats, *, strong: bool) -> list[list[int]]:
    kind = "strong" if strong else "weak"
    count, label = connected_components(csr_array(edges), directed=True, connection=kind)
    groups = [[int(k) for k in np.flatnonzero(label == part)] for part in range(count)]
    return sorted(groups, key=lambda group: (-len(group), group))


def _listed(group: Sequence[int], models: Sequence[str]) -> Note:
    names = tuple(models[k] for k in group[:SHOWN])
    more = len(group) - SHOWN
    return Note.of("models.more" if more > 0 else "models", names=names, count=more)
