"""How far people and judges agree, and how far a judge agrees with itself.

Intervals are clustered by prompt, which is what a new sample would bring: of shares Wilson's at
the effective number of cases, of all else percentiles of a bootstrap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from arena.ratings.arrays import Floats, Ints, totals
from arena.ratings.combined.battles import battle_groups, match
from arena.ratings.comparisons import Comparisons
from arena.ratings.factors import factorise
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.intervals.estimates import ROUNDS, Estimate, resampled, share
from arena.ratings.scale import WEAK_PRIOR
from arena.records.errors import InputError

RATING_ROUNDS = 200
# Which side won: a win is a loss where the sides change places.
SIDES: Mapping[object, object] = MappingProxyType({1.0: -1.0, -1.0: 1.0})


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two sources on the battles that both have seen; the verdicts are win, tie and loss.

    share: of battles with the same verdict. kappa: Cohen's, 1 is perfect, 0 is chance, and the
    same whichever model of a battle is called the first.
    decided: share where neither said tie.
    """

    share: Estimate
    kappa: Estimate
    decided: Estimate


def agreement(
    a: Comparisons, b: Comparisons, *, confidence: float = 0.95, rounds: int = ROUNDS, seed: int = 0
) -> Agreement:
    """Agreement by battle, a majority (or mean) of each source's rows; bootstrap over prompts."""
    models = tuple(sorted({*a.models, *b.models}))
    first, second = match([a.aligned(models), b.aligned(models)], by_prompt=True)
    _, left, right = np.intersect1d(first.key, second.key, return_indices=True)
    if not len(left):
        raise InputError("the two sources have no battle in common.")
    x, y = np.sign(first.outcome[left] - 0.5), np.sign(second.outcome[right] - 0.5)
    groups = first.group[left]
    clear = (x != 0) & (y != 0)
    if not clear.any():
        raise InputError("the two sources decided no battle in common.")
    return Agreement(
        share=share(x == y, groups, confidence=confidence),
        kappa=cohen_kappa(
            x, y, groups, mirror=SIDES, confidence=confidence, rounds=rounds, seed=seed
        ),
        decided=share((x == y)[clear], groups[clear], confidence=confidence),
    )


def cohen_kappa(
    a: Sequence[object] | Floats,
    b: Sequence[object] | Floats,
    groups: Ints | None = None,
    *,
    mirror: Mapping[object, object] | None = None,
    confidence: float = 0.95,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Cohen's κ of two raters' labels of the same items; NaN where both gave one label only.

    groups: (n,) codes of items that go together; None is each its own.
    mirror: what each label becomes where the two sides of an item change places, as "A" and "B"
        do; labels that are not named stay. With it every item counts in both ways, half each, so
        that κ does not depend on which side is called which.
    """
    if len(a) != len(b):
        raise InputError(f"two raters gave {len(a)} and {len(b)} labels; they must pair up.")
    found, other = _mirrored([*a, *b], mirror)
    x, y = np.split(found, 2)
    size = len(other)

    def kappa(rows: Floats) -> float:
        table = totals(x * size + y, rows, size * size).reshape(size, size)
        table = table + table[np.ix_(other, other)]
        table /= table.sum()
        chance = float(table.sum(axis=0) @ table.sum(axis=1))
        return float("nan") if chance == 1.0 else (float(np.trace(table)) - chance) / (1 - chance)

    return resampled(kappa, _each(groups, len(a)), confidence, rounds, seed)


def krippendorff_alpha(
    items: Sequence[object] | Ints,
    labels: Sequence[object],
    groups: Ints | None = None,
    *,
    mirror: Mapping[object, object] | None = None,
    confidence: float = 0.95,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Krippendorff's α for nominal labels, any number of raters an item.

    items, labels: (n,) one row per rating. groups: (number of items,) in the order in which
    items first appear; None is each its own. Items with one rating say nothing. mirror: as for
    `cohen_kappa`.
    """
    unit = factorise("item", items)
    label, other = _mirrored(labels, mirror)
    size, count = len(other), len(unit.labels)
    table = totals(unit.codes * np.int64(size) + label, None, size * count)
    table = table.reshape(count, size)
    raters = table.sum(axis=1)
    paired = raters >= 2
    if not paired.any():
        raise InputError("no item has two ratings, so there is no agreement to measure.")
    table = np.where(paired[:, None], table, 0.0)
    # Pairs of different labels within an item, each rating weighed alike.
    apart = (raters**2 - (table**2).sum(axis=1)) / np.maximum(raters - 1.0, 1.0) * paired

    def alpha(rows: Floats) -> float:
        share = rows @ table
        share = (share + share[other]) / 2.0
        total = share.sum()
        expected = (total**2 - (share**2).sum()) / (total - 1.0)
        return float("nan") if expected == 0.0 else 1.0 - float(rows @ apart) / float(expected)

    return resampled(alpha, _each(groups, count), confidence, rounds, seed)


def _mirrored(
    labels: Sequence[object] | Floats, mirror: Mapping[object, object] | None
) -> tuple[Ints, Ints]:
    """The codes (n,) of the labels, and the code (size,) of what each becomes in the mirror."""
    images = mirror or {}
    every = [*labels, *(images.get(label, label) for label in labels)]
    factor = factorise("label", every)
    place = {label: code for code, label in enumerate(factor.labels.tolist())}
    other = np.array([place[images.get(label, label)] for label in place])
    return factor.codes[: len(labels)], other


def rank_correlation(
    a: Comparisons,
    b: Comparisons,
    *,
    method: str = "spearman",
    confidence: float = 0.95,
    rounds: int = RATING_ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Correlation of two sources' rankings of the models that both compared.

    method: "spearman" or "kendall". Both are rated anew for every resample of prompts.
    """
    if method not in ("spearman", "kendall"):
        raise InputError(f"method is {method!r}; allowed are 'spearman', 'kendall'.")
    models = tuple(sorted({*a.models, *b.models}))
    shared = np.array([name in a.models and name in b.models for name in models])
    if shared.sum() < 3:
        raise InputError("a rank correlation needs at least 3 models in common.")
    sources = [a.aligned(models), b.aligned(models)]
    first, second = match(sources, by_prompt=True)
    groups = np.concatenate([first.group, second.group])
    precision = precision_of(len(models), WEAK_PRIOR)
    names = np.array(models)
    cut = len(first.key)

    def correlation(rows: Floats) -> float:
        ratings = []
        for battles, weight in ((first, rows[:cut]), (second, rows[cut:])):
            kept = weight > 0
            c = Comparisons(
                models,
                battles.i[kept],
                battles.j[kept],
                battles.outcome[kept],
                weight=weight[kept] * battles.weight[kept],
            )
            ratings.append(fit_half(c, precision).theta[shared])
        from scipy.stats import kendalltau, rankdata  # takes a second to import

        if method == "kendall":
            return float(kendalltau(*ratings).statistic)
        return float(np.corrcoef(rankdata(ratings[0]), rankdata(ratings[1]))[0, 1])

    estimate = resampled(correlation, groups, confidence, rounds, seed)
    return Estimate(estimate.value, estimate.ci_low, estimate.ci_high, len(names[shared]))


def position_bias(c: Comparisons, confidence: float = 0.95) -> Estimate:
    """How often the first slot was preferred where either was; 0.5 is no bias."""
    decided = c.outcome != 0.5
    if not decided.any():
        raise InputError("every comparison is a tie, so there is no preference to measure.")
    groups = None if c.prompt is None else c.prompt.codes[decided]
    return share(c.outcome[decided] > 0.5, groups, confidence=confidence)


def flip_rate(c: Comparisons, confidence: float = 0.95) -> Estimate:
    """Share of battles judged in both orders whose verdict changes with the order."""
    battle = battle_groups(c).codes
    size = int(battle.max()) + 1
    forward = c.i < c.j
    for_first = np.where(forward, c.outcome, 1.0 - c.outcome) - 0.5
    seen = [totals(battle[side], None, size) for side in (forward, ~forward)]
    said = [
        np.sign(np.round(totals(battle[side], for_first[side], size), 12))
        for side in (forward, ~forward)
    ]
    both = (seen[0] > 0) & (seen[1] > 0)
    if not both.any():
        raise InputError("no battle was judged in both orders.")
    prompts = np.empty(size, dtype=np.intp)
    prompts[battle] = c.group("prompt").codes
    return share((said[0] != said[1])[both], prompts[both], confidence=confidence)


def _each(groups: Ints | None, items: int) -> Ints:
    return np.arange(items) if groups is None else groups
