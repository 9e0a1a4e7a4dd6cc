"""Voters whose votes are those of another voter."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from arena.ratings.arrays import Floats, Ints, totals
from arena.ratings.crowd import Crowd
from arena.ratings.nulls import Counts

SHARED = 5  # battles that two voters must share to be compared
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Shared:
    """Pairs of voters with battles in common; all (pairs,).

    later, earlier: their codes, by whose votes on these battles came first on the whole.
    counts: of the battles on which they said the same; as many were to be expected.
    """

    later: Ints
    earlier: Ints
    counts: Counts


def shared(crowd: Crowd) -> Shared:
    """All pairs of voters with enough battles in common.

    Two voters agree by chance as often as their own shares of left, right and tie make them,
    and beyond it as far as everybody does.
    """
    rows = _first_votes(crowd)
    parts = list(_blocks(crowd, rows))
    later, earlier, n, k = (np.concatenate(column) for column in zip(*parts, strict=True))
    shares = np.stack([_share(crowd, rows, label) for label in (-1, 0, 1)], axis=1)
    chance = (shares[later] * shares[earlier]).sum(axis=1)
    room = float((n * (1.0 - chance)).sum())
    kappa = float(k.sum() - (n * chance).sum()) / room if room > 0.0 else 0.0
    return Shared(later, earlier, Counts(k, n, chance + max(kappa, 0.0) * (1.0 - chance)))


def _first_votes(crowd: Crowd) -> Ints:
    """Rows of each voter's first vote on each battle."""
    cells = crowd.battle.astype(np.int64) * crowd.voters + crowd.voter
    return np.unique(cells, return_index=True)[1]


def _share(crowd: Crowd, rows: Ints, label: int) -> Floats:
    here = (crowd.forward * crowd.said)[rows] == label
    return np.asarray(
        (totals(crowd.voter[rows], here.astype(float), crowd.voters) + 1.0 / 3.0)
        / (totals(crowd.voter[rows], None, crowd.voters) + 1.0)
    )


def _blocks(crowd: Crowd, rows: Ints) -> Iterator[tuple[Ints, Ints, Floats, Floats]]:
    """Codes of both voters, battles shared and agreed on, a block of voters at a time."""
    voter, battle = crowd.voter[rows], crowd.battle[rows]
    said = (crowd.forward * crowd.said)[rows].astype(np.int64) + 1
    shape = crowd.voters, int(crowd.battle.max()) + 1
    met = csr_array((np.ones(len(rows)), (voter, battle)), shape)
    when = csr_array((rows + 1.0, (voter, battle)), shape)
    same = csr_array((np.ones(len(rows)), (voter, battle * 3 + said)), (shape[0], shape[1] * 3))
    turned_met, turned_when, turned_same = met.T.tocsr(), when.T.tocsr(), same.T.tocsr()
    for start in range(0, crowd.voters, BLOCK):
        block = slice(start, start + BLOCK)
        n = (met[block] @ turned_met).tocoo()
        kept = (n.data >= SHARED) & (n.row + start < n.col)
        u, v, n = n.row[kept], n.col[kept], n.data[kept]
        k = np.asarray((same[block] @ turned_same)[u, v]).ravel()
        ahead = np.asarray((when[block] @ turned_met)[u, v]).ravel()
        behind = np.asarray((met[block] @ turned_when)[u, v]).ravel()
        first = np.where(ahead > behind, u + start, v)
        yield first, u + start + v - first, n, k
