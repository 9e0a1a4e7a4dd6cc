"""What a score owes to the prompt: paired differences, and the spread over several prompts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from arena.benchmarks.scores import ItemValue, MeanScore, mark
from arena.ratings.intervals.estimates import paired_difference
from arena.records.errors import InputError


@dataclass(frozen=True, slots=True)
class Effect:
    """One way of asking. score: mean over items, as `mark` has it.

    difference: to the first way, over the same items, in [-1, 1]; low, high: its interval, as
    `paired_difference` has it, None for the first way itself and where it is not known.
    """

    variant: str
    score: MeanScore
    difference: float = 0.0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class VariantSpread:
    """How far apart prompts put one model.

    range: from the lowest score to the highest. deviation: standard deviation of the scores
    over prompts without the noise of the items: the square root of the variance component of a
    two-way layout, prompts by items (Searle, Casella and McCulloch, Variance Components, 4.3).
    items: those that every prompt asked.
    """

    range: float
    deviation: float
    items: int


@dataclass(frozen=True, slots=True)
class PromptReport:
    """One model on one benchmark under several prompts."""

    benchmark: str
    model: str
    effects: tuple[Effect, ...]
    spread: VariantSpread


def prompt_reports(values: Iterable[ItemValue]) -> list[PromptReport]:
    """A report for each model and benchmark that was asked in several ways."""
    together: defaultdict[tuple[str, str], dict[str, dict[str, float]]] = defaultdict(dict)
    for value in values:
        here = together[value.benchmark, value.model].setdefault(value.variant, {})
        here[value.item] = value.value
    reports = []
    for (benchmark, model), by_variant in together.items():
        if len(by_variant) > 1 and set.intersection(*map(set, by_variant.values())):
            effects, spread = prompt_effects(by_variant)
            reports.append(PromptReport(benchmark, model, tuple(effects), spread))
    return reports


def prompt_effects(
    values: Mapping[str, Mapping[str, float]], confidence: float = 0.95
) -> tuple[list[Effect], VariantSpread]:
    """Compare ways of asking over the items that all of them asked.

    values: by variant, then by item. Raises InputError where they share no item.
    """
    shared = sorted(set.intersection(*(set(here) for here in values.values())))
    if not shared:
        raise InputError("the prompts have no item in common, so they cannot be compared")
    table = np.array([[here[item] for item in shared] for here in values.values()])
    effects = []
    for k, (variant, row) in enumerate(zip(values, table, strict=True)):
        found = paired_difference(row, table[0], confidence=confidence)
        ends = found.ends if k else (None, None)
        effects.append(Effect(variant, mark(row.tolist()), found.value, *ends))
    return effects, _spread(table)


def _spread(table: np.ndarray) -> VariantSpread:
    """table: (prompts, items)."""
    prompts, items = table.shape
    means = table.mean(1)
    deviation = 0.0
    if prompts > 1 and items > 1:
        residual = table - means[:, None] - table.mean(0) + table.mean()
        noise = (residual**2).sum() / ((prompts - 1) * (items - 1))
        between = items * means.var(ddof=1)
        deviation = float(np.sqrt(max(0.0, between - noise) / items))
    return VariantSpread(float(np.ptp(means)), deviation, items)
