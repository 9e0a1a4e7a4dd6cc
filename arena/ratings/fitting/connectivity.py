"""Which models a ranking can place: those that enough comparisons link to each other."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from arena.ratings.arrays import Bools, Floats, totals
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.diagnostics import components
from arena.records import Note
from arena.records.errors import TooFewError

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Unrated:
    """A model that a ranking does not place yet.

    comparisons: that it took part in. apart: nothing links it to the models that are rated, not
    even through others. lacks: how many comparisons with rated models it needs to be rated, at
    least 1.
    """

    model: str
    comparisons: int | float
    lacks: int
    apart: bool


def unrated(
    parts: Sequence[Comparisons],
    least: int,
    others: Iterable[str] = (),
    replaced: Collection[str] = (),
) -> tuple[Unrated, ...]:
    """The models that comparisons from one or several sources do not place, in order of name.

    The models that are placed are the largest set of which everyone is linked to everyone else,
    through others if need be, and has at least `least` comparisons with the others of the set.

    least: at least 1. others: models that may have no comparison at all. replaced: models that a
    later version took the place of; of sets that never met, the one with most other models is
    taken. Raises TooFewError where there is no such set.
    """
    models = tuple(sorted({name for part in parts for name in part.models}.union(others)))
    met = sum((_met(part.aligned(models)) for part in parts), np.zeros((len(models), len(models))))
    current = np.array([name not in replaced for name in models], dtype=bool)
    main = _main_part(met, current)
    kept = main.copy()
    while (few := kept & (met[:, kept].sum(axis=1) < least)).any():
        kept = _main_part(met, current, kept & ~few)
    played = met.sum(axis=1)
    if not kept.any():
        raise TooFewError(_too_few(models, played, least))
    counted = np.where(main, met[:, kept].sum(axis=1), played)
    return tuple(
        Unrated(
            models[k],
            _number(float(played[k])),
            max(1, ceil(least - counted[k])),
            not main[k],
        )
        for k in np.flatnonzero(~kept)
    )


def without(c: Comparisons, left_out: Collection[Unrated]) -> Comparisons | None:
    """The comparisons among the models that are rated; None where there is none."""
    names = {one.model for one in left_out}
    if names.isdisjoint(c.models):
        return c
    is_in = np.array([name not in names for name in c.models])
    rows = is_in[c.i] & is_in[c.j]
    return c.select(rows).observed() if rows.any() else None


def _met(c: Comparisons) -> Floats:
    """(m, m) symmetric number (weight) of comparisons of each pair."""
    size = len(c.models)
    cell = c.i.astype(np.int64) * size + c.j
    met = totals(cell, c.weight, size * size).reshape(size, size)
    whole: Floats = met + met.T
    return whole


def _main_part(met: Floats, current: Bools, among: Bools | None = None) -> Bools:
    """(m,) the group of `among` that comparisons link and that has most `current` models.

    Of equals, the largest and then the most compared.
    """
    places = np.arange(len(met)) if among is None else np.flatnonzero(among)
    chosen = np.zeros(len(met), dtype=bool)
    if places.size:
        within = met[np.ix_(places, places)]
        groups = components(within)
        counts = [(current[places[g]].sum(), len(g), within[g].sum()) for g in groups]
        chosen[places[groups[max(range(len(groups)), key=counts.__getitem__)]]] = True
    return chosen


def _number(count: float) -> int | float:
    return int(count) if count.is_integer() else count


def _too_few(models: Sequence[str], played: Floats, least: int) -> Note:
    order = np.argsort(-played, kind="stable")[:SHOWN]
    most = (Note.of("ratings.compared", model=models[k], count=float(played[k])) for k in order)
    return Note.of("ratings.too_few", least=least, most=tuple(most))
