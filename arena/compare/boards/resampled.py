"""How far two boards may be apart by chance, where they stand on the same prompts in part.

Prompts are drawn with replacement, the same ones for both boards, and both are ranked anew: what
the boards share moves both alike and cancels, as it does in the difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.evidence.gathering import Gathered
from arena.leaderboard.overall import Kinds
from arena.leaderboard.ranking import counted_kinds, ratings_of
from arena.ratings import Comparisons
from arena.ratings.arrays import Floats, Ints
from arena.ratings.combined.battles import AUTO, BATTLE, battle_groups, independent_groups
from arena.ratings.factors import Factor
from arena.records import Evidence
from arena.records.errors import ArenaError
from arena.store import Store

ROUNDS = 100
# Draws in which a model can be rated, of all, from which its error is believed.
ENOUGH = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class CountedEvidence:
    """The comparisons that a board is made of, and how it is made of them."""

    kinds: Kinds
    policy: Policy


def counted_evidence(
    store: Store, policy: Policy, gathered: Gathered, board: Leaderboard
) -> CountedEvidence:
    """What stands behind a board of a store; only the models that it rates."""
    kinds = dict(counted_kinds(store, policy, gathered))
    if policy.evidence is Evidence.COMBINED:
        # Where votes, or judges too, could rate nobody, the board stands on what is left.
        for kind in list(kinds)[: _STANDS_ON.index(board.label)]:
            kinds[kind] = {}
    rated = [row.model for row in board.rows]
    inside = {
        kind: {name: part for name, c in sources.items() if (part := _among(c, rated))}
        for kind, sources in kinds.items()
    }
    return CountedEvidence(inside, replace(policy, min_comparisons=1))


_STANDS_ON = ("human-anchored", "judge-only", "objective-only")


def change_errors(
    old: CountedEvidence,
    new: CountedEvidence,
    models: Sequence[str],
    rounds: int = ROUNDS,
    seed: int = 0,
) -> dict[str, float]:
    """The standard error of each model's change beside the mean of these, in Elo points.

    models: that both boards rate. A model that too few of the draws can rate has none.
    """
    sides, size = _numbered((old, new))
    rng = np.random.default_rng(seed)
    moves = np.full((rounds, len(models)), np.nan)
    for k in range(rounds):
        times = rng.multinomial(size, np.full(size, 1.0 / size))
        before, after = (_redrawn(side, times, models) for side in sides)
        moves[k] = after - before
        moves[k] -= np.nanmean(moves[k]) if np.isfinite(moves[k]).any() else 0.0
    known = np.isfinite(moves).sum(axis=0)
    few = size / max(1, size - 1)  # the variance of a draw of few is too small by so much
    return {
        name: float(np.sqrt(few) * np.nanstd(moves[:, k], ddof=1))
        for k, name in enumerate(models)
        if known[k] >= ENOUGH * rounds
    }


@dataclass(frozen=True, eq=False, slots=True)
class _Side:
    """A board's comparisons; groups: of each row, numbered alike on both boards."""

    evidence: CountedEvidence
    groups: Mapping[tuple[Evidence, str], Ints]


def _numbered(boards: Sequence[CountedEvidence]) -> tuple[list[_Side], int]:
    """The independent groups of rows of all boards, and how many there are."""
    place: dict[str, int] = {}
    by_battle = any(
        independent_groups(c, AUTO)[0] == BATTLE
        for board in boards
        for kind in (Evidence.HUMAN, Evidence.JUDGE)
        for c in board.kinds[kind].values()
    )
    sides = []
    for number, board in enumerate(boards):
        groups = {}
        for kind, sources in board.kinds.items():
            for name, c in sources.items():
                apart = by_battle and kind is not Evidence.OBJECTIVE
                labels, codes = _labels(c, apart, f"{number} {name}")
                numbers = [place.setdefault(label, len(place)) for label in labels]
                groups[kind, name] = np.array(numbers)[codes]
        sides.append(_Side(board, groups))
    return sides, len(place)


def _labels(c: Comparisons, by_battle: bool, own: str) -> tuple[list[str], Ints]:
    """Names of the groups of rows, and the code of each row.

    Rows without a prompt each stand for themselves. own: what no other source is called.
    """
    if c.prompt is None:
        return [f"{own} {row}" for row in range(len(c))], np.arange(len(c))
    if not by_battle:
        return [str(label) for label in c.prompt.labels], c.prompt.codes
    battles = battle_groups(c)
    _, rows = np.unique(battles.codes, return_index=True)
    names = [
        "\n".join((str(c.prompt.labels[c.prompt.codes[row]]), *pair))
        for row in rows.tolist()
        for pair in [sorted((c.models[c.i[row]], c.models[c.j[row]]))]
    ]
    return names, battles.codes


def _redrawn(side: _Side, times: Ints, models: Sequence[str]) -> Floats:
    """(m,) ratings where each group of rows is there so many times; NaN of who has none then."""
    kinds = {
        kind: {
            name: part
            for name, c in sources.items()
            if (part := _repeated(c, side.groups[kind, name], times)) is not None
        }
        for kind, sources in side.evidence.kinds.items()
    }
    try:
        found = ratings_of(kinds, side.evidence.policy)
    except ArenaError:  # by chance nothing was drawn that rates anybody
        found = {}
    return np.array([found.get(name, np.nan) for name in models])


def _repeated(c: Comparisons, groups: Ints, times: Ints) -> Comparisons | None:
    """The rows, each as often as its group was drawn; a group drawn again is another prompt."""
    often = times[groups]
    rows = np.repeat(np.arange(len(c)), often)
    if not rows.size:
        return None
    again = np.arange(len(rows)) - np.repeat(np.cumsum(often) - often, often)
    labels, codes = np.unique(groups[rows] * (times.max() + 1) + again, return_inverse=True)
    prompt = Factor(codes.astype(np.int32), labels.astype(object))
    return replace(c.select(rows), prompt=prompt).observed()


def _among(c: Comparisons, models: Sequence[str]) -> Comparisons | None:
    """The rows between these models; None where there is none."""
    inside = np.isin(np.array(c.models, dtype=object), list(models))
    rows = inside[c.i] & inside[c.j]
    return c.select(rows).observed() if rows.any() else None
