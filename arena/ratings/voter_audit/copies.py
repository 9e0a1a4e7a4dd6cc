"""Voters whose votes are those of another voter."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, logit

from arena.ratings.arrays import Floats, Ints, totals
from arena.ratings.voter_audit.crowd import Crowd
from arena.ratings.voter_audit.nulls import Counts

SHARED = 5  # battles that two voters must share to be compared
BLOCK = 256
# What sets a voter apart from others is drawn towards nothing by as many battles as this.
OWN = 20.0


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

    Expected is what each would say given the others' votes and how often the voter ties;
    and that some agree with everybody more, or less, than that.
    """
    parts = list(zip(*_blocks(crowd), strict=True))
    if not parts:
        none = np.zeros(0)
        return Shared(none.astype(int), none.astype(int), Counts(none, none, none))
    later, earlier, n, k, p = map(np.concatenate, parts)
    odds = logit(p) + sum(
        _own(one, k, n, p, later, earlier, crowd.ballots.voters) for one in (later, earlier)
    )
    return Shared(later, earlier, Counts(k, n, expit(odds)))


def _own(
    one: Ints, k: Floats, n: Floats, p: Floats, later: Ints, earlier: Ints, voters: int
) -> Floats:
    """(pairs,) by how much that one of the two agrees with others more than expected.

    In log-odds, from that voter's other pairs.
    """
    agreed, expected, met = (
        (totals(later, v, voters) + totals(earlier, v, voters))[one] - v for v in (k, n * p, n)
    )
    even = OWN / 2.0
    return np.asarray(logit((agreed + even) / (met + OWN)) - logit((expected + even) / (met + OWN)))


def _blocks(crowd: Crowd) -> Iterator[tuple[Ints, Ints, Floats, Floats, Floats]]:
    """Codes of both voters, battles shared, agreed on, and the share expected: by blocks."""
    b = crowd.ballots
    rows = b.first
    voter, battle = b.voter[rows], b.battle[rows]
    met, when = (_table(voter, battle, v) for v in (np.ones(len(rows)), rows.astype(float) + 1.0))
    labels = np.concatenate([battle * np.int64(3) + label for label in range(3)])
    said = (b.forward * b.said)[rows] + 1
    same = _table(voter, battle * np.int64(3) + said, np.ones(len(rows)), 3 * met.shape[1])
    would = _table(np.tile(voter, 3), labels, _chances(crowd, rows).ravel(), 3 * met.shape[1])
    products = (met, met), (when, met), (met, when), (same, same), (would, same), (same, would)
    for start in range(0, b.voters, BLOCK):
        block = slice(start, start + BLOCK)
        n = (met[block] @ met.T).tocoo()
        kept = (n.data >= SHARED) & (n.row + start < n.col)
        if not kept.any():
            continue
        cell = n.row[kept], n.col[kept]
        both, ahead, behind, agreed, would_u, would_v = (
            _at((one[block] @ other.T).tocsr(), *cell) for one, other in products
        )
        u, v = cell[0] + start, cell[1]
        first = np.where(ahead > behind, u, v)
        yield first, u + v - first, both, agreed, (would_u + would_v) / (2.0 * both)


def _at(table: csr_array, row: Ints, column: Ints) -> Floats:
    table.sort_indices()  # else each look-up goes through its whole row
    return np.asarray(table[row, column]).ravel()


def _table(voter: Ints, column: Ints, values: Floats, width: int | None = None) -> csr_array:
    shape = (int(voter.max()) + 1, width or int(column.max()) + 1)
    return csr_array((values, (voter, column)), shape)


def _chances(crowd: Crowd, rows: Ints) -> Floats:
    """(3, rows) probability that the voter says second, tie, first (by name)."""
    tie = expit(crowd.tie_odds + crowd.tie_push)[rows]
    first = expit((crowd.ballots.forward * crowd.odds)[rows]) * (1.0 - tie)
    return np.stack([1.0 - tie - first, tie, first])
