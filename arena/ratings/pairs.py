"""Pair counts: all that a fit without per-row covariates needs of the comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from arena.ratings.arrays import Floats, Ints, totals
from arena.records.errors import InputError

BLOCK = 131_072
# 3 * LARGEST**2 cells are numbered with 32 bits.
LARGEST = 26_754


@dataclass(frozen=True, eq=False)
class PairCounts:
    """What every pair of models did, as matrices over models.

    wins: (m, m) weighted wins of the row's model over the column's; a soft outcome y gives
        y to one side and 1 - y to the other.
    ties: (m, m) symmetric weighted ties (outcomes of exactly one half).
    square_wins, square_ties: (m, m) the sums of y² and of y(1 - y), y being the row's share,
        with importance squared: what the variance of a pair's score is made of.
    battles: (m,) weight of the comparisons that a model took part in.
    is_hard: every outcome is 0, one half or 1.
    """

    wins: Floats
    ties: Floats
    square_wins: Floats
    square_ties: Floats
    battles: Floats
    is_hard: bool

    def __add__(self, other: "PairCounts") -> "PairCounts":
        return PairCounts(
            wins=self.wins + other.wins,
            ties=self.ties + other.ties,
            square_wins=self.square_wins + other.square_wins,
            square_ties=self.square_ties + other.square_ties,
            battles=self.battles + other.battles,
            is_hard=self.is_hard and other.is_hard,
        )

    @cached_property
    def points(self) -> Floats:
        """(m, m) wins, with half a win for a tie."""
        return self.wins + 0.5 * self.ties

    @cached_property
    def played(self) -> Floats:
        """(m, m) symmetric weight of comparisons of each pair."""
        return self.wins + self.wins.T + self.ties


def count_pairs(
    size: int,
    i: Ints,
    j: Ints,
    outcome: Floats,
    weight: Floats | None = None,
    importance: Floats | None = None,
) -> PairCounts:
    """Count comparisons between `size` models; see `Comparisons` for the columns."""
    if size > LARGEST:
        raise InputError(f"{size} models are too many to count pairs of; {LARGEST} are allowed.")
    scales = [weight]
    if importance is not None:
        scaled = importance if weight is None else weight * importance
        scales += [scaled, scaled * importance]
    cells = _count_cells(size, i, j, outcome, scales)
    if cells is None:
        return _count_soft(size, i, j, outcome, weight, importance)
    plain, (wins, ties), (square_wins, square_ties) = cells[0], cells[len(cells) // 2], cells[-1]
    return PairCounts(
        wins=wins,
        ties=ties,
        square_wins=square_wins + square_ties / 4,
        square_ties=square_ties / 4,
        battles=(plain[0] + plain[0].T + plain[1]).sum(axis=1),
        is_hard=True,
    )


def _count_cells(
    size: int, i: Ints, j: Ints, outcome: Floats, scales: Sequence[Floats | None]
) -> list[tuple[Floats, Floats]] | None:
    """Wins and ties under each weighting; None where an outcome is not 0, one half or 1."""
    counts = np.zeros((len(scales), 3 * size * size))
    # Blocks of rows fit the processor's cache, which doubles the speed.
    for start in range(0, len(i), BLOCK):
        rows = slice(start, start + BLOCK)
        doubled = outcome[rows] * 2
        cell = doubled.astype(np.int32)
        if not (cell == doubled).all():
            return None
        cell += i[rows].astype(np.int32, copy=False) * np.int32(3 * size)
        cell += j[rows].astype(np.int32, copy=False) * np.int32(3)
        for count, scale in zip(counts, scales, strict=True):
            count += totals(cell, None if scale is None else scale[rows], len(count))
    tables = counts.reshape(-1, size, size, 3)
    return [
        (np.add(table[:, :, 2], table[:, :, 0].T), np.add(table[:, :, 1], table[:, :, 1].T))
        for table in tables
    ]


def _count_soft(
    size: int,
    i: Ints,
    j: Ints,
    outcome: Floats,
    weight: Floats | None,
    importance: Floats | None,
) -> PairCounts:
    cell = i.astype(np.int64) * size + j
    count = np.ones(len(cell)) if weight is None else weight
    scale = np.ones(len(cell)) if importance is None else importance

    def total(values: Floats) -> Floats:
        return totals(cell, values, size * size).reshape(size, size)

    single = count * scale
    square = single * scale
    is_tie = outcome == 0.5
    ties = total(single * is_tie)
    square_ties = total(square * outcome * (1.0 - outcome))
    played = total(count)
    return PairCounts(
        wins=total(single * outcome * ~is_tie) + total(single * (1.0 - outcome) * ~is_tie).T,
        ties=ties + ties.T,
        square_wins=total(square * outcome**2) + total(square * (1.0 - outcome) ** 2).T,
        square_ties=square_ties + square_ties.T,
        battles=(played + played.T).sum(axis=1),
        is_hard=False,
    )
