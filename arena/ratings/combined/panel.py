"""Several judges as one: what most of them say, or the mean, battle by battle."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from arena.ratings.agreement import SIDES, krippendorff_alpha
from arena.ratings.combined.battles import match
from arena.ratings.comparisons import Comparisons
from arena.ratings.factors import Factor, union
from arena.ratings.intervals.estimates import Estimate
from arena.ratings.intervals.estimates import share as share_of
from arena.records import PanelRule
from arena.records.errors import InputError


@dataclass(frozen=True, eq=False)
class Panel:
    """What several judges say together, and how far apart they are.

    comparisons: one row a battle that enough judges compared. battles: that any compared.
    unanimous: share of those that several compared where all take one side (or none does).
    alpha: Krippendorff's, of win, tie and loss. Both None where no two judges met.
    """

    comparisons: Comparisons
    battles: int
    unanimous: Estimate | None
    alpha: Estimate | None


def panel(
    judges: Mapping[str, Comparisons], *, by: str = PanelRule.MAJORITY, min_valid: int = 1
) -> Panel:
    """One outcome for each battle that at least `min_valid` judges compared.

    by: "majority" (an even split is a tie) or "mean". Every judge needs a prompt column.
    """
    if by not in list(PanelRule):
        allowed = ", ".join(repr(str(rule)) for rule in PanelRule)
        raise InputError(f"panel by {by!r}; allowed are {allowed}.")
    if not 1 <= min_valid <= len(judges):
        raise InputError(f"min_valid is {min_valid}; allowed is 1 to {len(judges)}, the judges.")
    models = tuple(sorted({name for c in judges.values() for name in c.models}))
    sources = [c.aligned(models) for c in judges.values()]
    labels, _ = union([c.group("prompt") for c in sources])
    parts = match(sources, by_prompt=True)
    key = np.concatenate([part.key for part in parts])
    outcome = np.concatenate([part.outcome for part in parts])
    battle, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    group = np.concatenate([part.group for part in parts])[first]
    side = np.sign(np.round(outcome - 0.5, 12))
    value = side / 2.0 + 0.5 if by == PanelRule.MAJORITY else outcome
    count = np.bincount(inverse)
    share = np.bincount(inverse, value) / count
    if by == PanelRule.MAJORITY:
        share = np.sign(np.round(share - 0.5, 12)) / 2.0 + 0.5
    valid = count >= min_valid
    if not valid.any():
        raise InputError(f"no battle was compared by {min_valid} judges.")
    columns = [np.concatenate([getattr(part, name) for part in parts])[first] for name in "ij"]
    together = Comparisons(
        models,
        columns[0][valid],
        columns[1][valid],
        np.clip(share, 0.0, 1.0)[valid],
        prompt=Factor(group.astype(np.int32), labels)[valid],
    )
    several = count >= 2
    if not several.any():
        return Panel(together, len(battle), None, None)
    spread = np.abs(np.bincount(inverse, side)) == count
    spread |= np.bincount(inverse, np.abs(side)) == 0.0
    return Panel(
        together,
        len(battle),
        share_of(spread[several], group[several]),
        krippendorff_alpha(
            inverse, list(side), group[np.argsort(_first_seen(inverse))], mirror=SIDES
        ),
    )


def _first_seen(inverse: np.ndarray) -> np.ndarray:
    """For each battle, its place in the order in which battles first appear."""
    _, first = np.unique(inverse, return_index=True)
    place = np.empty(len(first), dtype=int)
    place[np.argsort(first)] = np.arange(len(first))
    return place
