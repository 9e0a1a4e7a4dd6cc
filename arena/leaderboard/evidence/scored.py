"""Scores as verdicts on pairs of answers, and how much a reward model's difference tells.

A reward is a number on a scale of the model's own. In a Bradley–Terry model the difference of two
answers' rewards is that of their models plus noise with a logistic distribution. The scale of that
noise, s, is fitted to the differences of all prompts; then logistic((r_A − r_B) / s) is the
preference for A, and neither the unit of the rewards nor their origin is in it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import exp, pi, sqrt

import numpy as np

from arena.records import Preference
from arena.store.columns import ScoreColumns, VerdictColumns

ROUNDING = 1e-9
# The standard deviation of a logistic distribution of scale 1.
_LOGISTIC = pi / sqrt(3)


def scores_as_verdicts(scores: ScoreColumns) -> VerdictColumns:
    """Each two scores of one prompt's answers as a verdict in one order, the later ones last.

    The higher wins; those no further apart than the card's `tie` tie. Rewards have odds as well.
    """
    pairs = sorted(_pairs(scores), key=max)
    scales = _scales(scores, pairs)
    first, second = [i for i, _ in pairs], [j for _, j in pairs]
    odds = [_odds(scores, i, j, scales.get(scores.judge_key[i], 0.0)) for i, j in pairs]
    count = len(pairs)
    return VerdictColumns(
        judge=[scores.judge[i] for i in first],
        judge_key=[scores.judge_key[i] for i in first],
        model_a=[scores.model[i] for i in first],
        model_b=[scores.model[j] for j in second],
        answer_a=[scores.answer[i] for i in first],
        answer_b=[scores.answer[j] for j in second],
        prompt=[scores.prompt[i] for i in first],
        category=[scores.category[i] for i in first],
        language=[scores.language[i] for i in first],
        forward=[_verdict(scores, i, j) for i, j in pairs],
        forward_p_first=[p for p, _ in odds],
        forward_p_second=[q for _, q in odds],
        forward_slight=[0] * count,
        backward=[None] * count,
        backward_p_first=[None] * count,
        backward_p_second=[None] * count,
        backward_slight=[None] * count,
    )


def scale_of(differences: Sequence[float], pairs: Sequence[object]) -> float:
    """The scale s of the noise in differences of rewards, in their own unit, at least 0.

    differences: (n,), the first model's reward less the second's. pairs: (n,), which two models
    that is. From the variance about each pair's mean, pooled, which is (s·π/√3)². Zero, and with
    it every pair decided, where no two models differ now more and now less.
    """
    values = np.asarray(differences, dtype=float)
    codes = np.unique([str(pair) for pair in pairs], return_inverse=True)[1]
    counts = np.bincount(codes)
    free = len(values) - len(counts)
    if free <= 0:
        return 0.0
    means = np.bincount(codes, values) / counts
    spread = float(np.sum((values - means[codes]) ** 2) / free)
    return sqrt(spread) / _LOGISTIC


def _pairs(scores: ScoreColumns) -> Iterator[tuple[int, int]]:
    """Rows of answers to one prompt by two models, whose names are in order."""
    together: defaultdict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    for i, key in enumerate(scores.judge_key):
        together[key, scores.prompt[i], scores.turn[i], scores.sample[i]].append(i)
    for here in together.values():
        for i, j in combinations(here, 2):
            if scores.model[i] != scores.model[j]:
                yield (i, j) if scores.model[i] < scores.model[j] else (j, i)


def _scales(scores: ScoreColumns, pairs: Sequence[tuple[int, int]]) -> dict[str, float]:
    """The scale of each reward model, by the key of its card."""
    found: defaultdict[str, tuple[list[float], list[object]]] = defaultdict(lambda: ([], []))
    for i, j in pairs:
        difference = _difference(scores, i, j)
        if scores.is_reward[i] and difference is not None:
            differences, models = found[scores.judge_key[i]]
            differences.append(difference)
            models.append((scores.model[i], scores.model[j]))
    return {key: scale_of(*columns) for key, columns in found.items()}


def _difference(scores: ScoreColumns, i: int, j: int) -> float | None:
    left, right = scores.value[i], scores.value[j]
    return None if left is None or right is None else left - right


def _verdict(scores: ScoreColumns, i: int, j: int) -> Preference:
    difference = _difference(scores, i, j)
    if difference is None:
        return Preference.UNPARSED
    if abs(difference) <= scores.tie[i] + ROUNDING:
        return Preference.TIE
    return Preference.A if difference > 0 else Preference.B


def _odds(
    scores: ScoreColumns, i: int, j: int, scale: float
) -> tuple[float, float] | tuple[None, None]:
    difference = _difference(scores, i, j)
    if difference is None or not scale:
        return None, None
    less = exp(-abs(difference) / scale)
    likely, unlikely = 1 / (1 + less), less / (1 + less)
    return (likely, unlikely) if difference >= 0 else (unlikely, likely)
