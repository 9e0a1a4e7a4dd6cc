"""Battles: the same two answers to the same prompt, whoever compared them.

Rows of one source about one battle are one observation: a judge asked in both orders has
said one thing, not two. Battles are where people and judges meet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import expit, logit

from arena.ratings.arrays import Floats, Ints, Objects, distinct, totals
from arena.ratings.comparisons import GROUPS, Comparisons
from arena.ratings.factors import Factor, union
from arena.records import Cluster
from arena.records.errors import InputError

AUTO, BATTLE = Cluster.AUTO, Cluster.BATTLE
CLUSTERS = (AUTO, *GROUPS, BATTLE)


@dataclass(frozen=True, eq=False)
class BattleRows:
    """One row per battle of one source, i < j.

    key: (n,) the battle, numbered alike in every source. group: (n,) the independent group
    (prompt, or the battle itself). outcome: (n,) mean share of i in [0, 1].
    weight: (n,) rows behind it. style: covariates by name, (n,) each, i's minus j's.
    """

    key: Ints
    group: Ints
    i: Ints
    j: Ints
    outcome: Floats
    weight: Floats
    style: Mapping[str, Floats] = field(default_factory=dict)


def one_per_battle(c: Comparisons) -> Comparisons:
    """The rows of each battle put together into one of weight 1, and soft judges on one scale.

    Without a prompt column every row is its own battle.
    """
    outcome = scale_free(c.outcome)
    if c.prompt is None:
        return replace(c, outcome=outcome, weight=None)
    first, second = np.minimum(c.i, c.j), np.maximum(c.i, c.j)
    share = np.where(c.i == first, outcome, 1.0 - outcome)
    key, inverse = _numbered(c.prompt.codes, first, second, len(c.models))
    rows = np.zeros(len(key), dtype=np.int64)
    rows[inverse] = np.arange(len(c))
    weight = np.ones(len(c)) if c.weight is None else c.weight
    mean = _mean(share, weight, inverse, len(key))
    return Comparisons(
        c.models,
        first[rows],
        second[rows],
        mean,
        prompt=c.prompt[rows],
        propensity=None if c.propensity is None else c.propensity[rows],
        style=_style(c, weight, inverse, len(key)),
    )


def rows_of_battles(c: Comparisons) -> Comparisons:
    """The rows as they are, in their order of slots, those of each battle of weight 1 together.

    Soft judges are on one scale. Without a prompt column every row is its own battle.
    """
    outcome = scale_free(c.outcome)
    if c.prompt is None:
        return replace(c, outcome=outcome, weight=None)
    battle = battle_groups(c).codes
    weight = np.ones(len(c)) if c.weight is None else c.weight
    share = weight / totals(battle, weight, int(battle.max()) + 1)[battle]
    return replace(c, outcome=outcome, weight=share)


def scale_free(outcome: Floats) -> Floats:
    """Soft outcomes with their log-odds brought to root mean square 1; hard ones as they are.

    A judge's temperature is its own affair: log-odds doubled are the same evidence.
    """
    if outcome.min() <= 0.0 or outcome.max() >= 1.0 or (outcome == 0.5).all():
        return outcome
    odds = logit(outcome)
    scaled: Floats = expit(odds / np.sqrt(np.mean(odds**2)))
    return scaled


def match(sources: Sequence[Comparisons], *, by_prompt: bool) -> list[BattleRows]:
    """The battles of several sources over the same models, numbered alike.

    Independent groups are prompts, or battles where by_prompt is false.
    """
    _, codes, numbers = numbered(sources)
    return [
        _collapse(c, number, number if not by_prompt else code)
        for c, code, number in zip(sources, codes, numbers, strict=True)
    ]


def numbered(sources: Sequence[Comparisons]) -> tuple[Objects, list[Ints], list[Ints]]:
    """All prompts, and each row's prompt and battle, numbered alike in all sources."""
    labels, codes = union([_prompt(c) for c in sources])
    models = len(sources[0].models)
    parts = [(np.minimum(c.i, c.j), np.maximum(c.i, c.j)) for c in sources]
    cells = [
        (code.astype(np.int64) * models + i) * models + j
        for code, (i, j) in zip(codes, parts, strict=True)
    ]
    _, inverse = np.unique(np.concatenate(cells), return_inverse=True)
    return labels, codes, np.split(inverse, np.cumsum([len(c) for c in sources])[:-1])


def _collapse(c: Comparisons, key: Ints, group: Ints) -> BattleRows:
    first, second = np.minimum(c.i, c.j), np.maximum(c.i, c.j)
    share = np.where(c.i == first, c.outcome, 1.0 - c.outcome)
    weight = np.ones(len(c)) if c.row_weight is None else c.row_weight
    distinct, rows, inverse = np.unique(key, return_index=True, return_inverse=True)
    return BattleRows(
        distinct,
        group[rows],
        first[rows],
        second[rows],
        _mean(share, weight, inverse, len(distinct)),
        totals(inverse, weight, len(distinct)),
        _style(c, weight, inverse, len(distinct)),
    )


def independent_groups(c: Comparisons, cluster: str | None) -> tuple[str | None, Ints | None]:
    """Name and codes (n,) of the groups of rows that are independent of each other.

    cluster: "prompt", "voter", "source", "battle", None (every row is its own), or "auto":
    prompts where they outnumber models, else battles, else voters who outnumber models;
    rows where all would be one group, about which clusters can say nothing.
    """
    if cluster == AUTO:
        cluster = _automatic(c)
        if cluster == BATTLE and distinct(battle_groups(c).codes) < 2:
            cluster = None
    if cluster is None:
        return None, None
    if cluster not in CLUSTERS:
        raise InputError(f"cluster is {cluster!r}; allowed are {', '.join(CLUSTERS)} and None.")
    factor = battle_groups(c) if cluster == BATTLE else c.group(cluster)
    return cluster, factor.codes


def _automatic(c: Comparisons) -> str | None:
    # Fewer groups than models cannot say how the ratings vary together.
    if c.prompt is not None:
        return "prompt" if distinct(c.prompt.codes) > len(c.models) else BATTLE
    if c.voter is not None and distinct(c.voter.codes) > len(c.models):
        return "voter"
    return None


def battle_groups(c: Comparisons) -> Factor:
    """Rows about the same two answers to the same prompt as one group."""
    prompt = _prompt(c)
    first, second = np.minimum(c.i, c.j), np.maximum(c.i, c.j)
    key, inverse = _numbered(prompt.codes, first, second, len(c.models))
    return Factor(inverse.astype(np.int32), key.astype(object))


def _numbered(prompt: Ints, first: Ints, second: Ints, models: int) -> tuple[Ints, Ints]:
    cell = (prompt.astype(np.int64) * models + first) * models + second
    key, inverse = np.unique(cell, return_inverse=True)
    return key, inverse


def _mean(share: Floats, weight: Floats, codes: Ints, size: int) -> Floats:
    mean: Floats = totals(codes, share * weight, size) / totals(codes, weight, size)
    # Rounding must not push a mean of ones past one.
    return np.clip(mean, 0.0, 1.0)


def _style(c: Comparisons, weight: Floats, codes: Ints, size: int) -> dict[str, Floats]:
    """Covariates of each battle, the lower code's minus the higher one's."""
    part = np.where(c.i < c.j, weight, -weight) / totals(codes, weight, size)[codes]
    return {name: totals(codes, column * part, size) for name, column in c.style.items()}


def _prompt(c: Comparisons) -> Factor:
    if c.prompt is None:
        raise InputError("the comparisons need a prompt column to be matched by battle.")
    return c.prompt
