"""Votes counted by pair of models, so that a fit costs no pass over them."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from arena.files.tabular import Column
from arena.ratings import Comparisons
from arena.records import Note, Winner
from arena.records.errors import InputError
from arena.store.columns import TallyColumns

# What the first model gets: none, half, all.
HALVES: Mapping[str, int] = {
    Winner.MODEL_B: 0,
    Winner.TIE: 1,
    Winner.BOTH_BAD: 1,
    Winner.MODEL_A: 2,
}


class Tallies:
    """Models keep the places in which they came."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._counts = np.zeros((0, 0, len(set(HALVES.values()))))

    @property
    def votes(self) -> int:
        """How many there are."""
        return int(self._counts.sum())

    def add(self, new: TallyColumns) -> None:
        """Count some more."""
        self._count(new, 1)

    def subtract(self, old: TallyColumns) -> None:
        """Count some no longer, which were counted or are about to be."""
        self._count(old, -1)

    def _count(self, new: TallyColumns, sign: int) -> None:
        first, second = (self._placed(side) for side in (new.model_a, new.model_b))
        halves = np.array([HALVES[label] for label in new.winner.labels], np.intp)
        known, models = len(self._counts), len(self._place)
        self._counts = np.pad(self._counts, [(0, models - known), (0, models - known), (0, 0)])
        shape = self._counts.shape
        cells = np.ravel_multi_index((first, second, halves[new.winner.codes]), shape)
        counted = np.bincount(cells, new.votes, self._counts.size)
        self._counts += sign * counted.reshape(shape)

    def _placed(self, side: Column) -> NDArray[np.intp]:
        """(n,) the places of models, of which the new ones get one."""
        side = side.in_order()
        places = [self._place.setdefault(name, len(self._place)) for name in side.labels]
        return np.array(places, np.intp)[side.codes]

    def comparisons(self, models: Iterable[str] | None = None) -> Comparisons:
        """The votes between these models, or all of them; raises InputError where none are."""
        first, second, halves = np.nonzero(self._counts)
        if not len(first):
            raise InputError(Note.of("votes.none"))
        counted = Comparisons(
            tuple(self._place),
            first,
            second,
            halves / 2.0,
            weight=self._counts[first, second, halves],
        )
        return counted.among(sorted(self._place if models is None else models))
