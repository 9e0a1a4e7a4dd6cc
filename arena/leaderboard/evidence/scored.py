"""Scores as verdicts on pairs of answers, and how much a reward model's difference tells.

A reward is a number on a scale of the model's own. In a Bradley–Terry model the difference of two
answers' rewards is that of their models plus noise with a logistic distribution. The scale of that
noise, s, is fitted to the differences of all prompts; then logistic((r_A − r_B) / s) is the
preference for A, and neither the unit of the rewards nor their origin is in it.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from math import isnan, pi, sqrt
from typing import Any

import numpy as np

from arena.ratings.arrays import Floats, Ints
from arena.records import Preference
from arena.store.columns import ScoreColumns, VerdictColumns

ROUNDING = 1e-9
# The standard deviation of a logistic distribution of scale 1.
_LOGISTIC = pi / sqrt(3)


def scores_as_verdicts(scores: ScoreColumns) -> VerdictColumns:
    """Each two scores of one prompt's answers as a verdict in one order, the later ones last.

    The higher wins; those no further apart than the card's `tie` tie. Rewards have odds as well.
    """
    pairs = _pairs(scores)
    values = np.array([np.nan if value is None else value for value in scores.value], dtype=float)
    i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
    differences = values[i] - values[j]
    p_first, p_second = _odds(scores, pairs, differences)
    none: list[None] = [None] * len(pairs)
    return VerdictColumns(
        **_of(scores, i, judge="judge", judge_key="judge_key", model_a="model", answer_a="answer"),
        **_of(scores, j, model_b="model", answer_b="answer"),
        **_of(scores, i, prompt="prompt", category="category", language="language"),
        forward=_verdicts(differences, np.array(scores.tie, dtype=float)[i]),
        forward_p_first=p_first,
        forward_p_second=p_second,
        forward_slight=[0] * len(pairs),
        backward=[*none],
        backward_p_first=[*none],
        backward_p_second=[*none],
        backward_slight=[*none],
    )


def scale_of(differences: Floats, pairs: Ints) -> float:
    """The scale s of the noise in differences of rewards, in their own unit, at least 0.

    differences: (n,), the first model's reward less the second's. pairs: (n,), codes of the two
    models. The variance about each pair's mean, pooled, is (s·π/√3)². Zero, by which every pair is
    decided, where no two models met twice, or they always differ by the same.
    """
    counts = np.bincount(pairs)
    met = counts > 0
    free = len(differences) - np.count_nonzero(met)
    if free <= 0:
        return 0.0
    means = np.bincount(pairs, differences) / np.maximum(counts, 1)
    return sqrt(float(np.sum((differences - means[pairs]) ** 2)) / free) / _LOGISTIC


def _pairs(scores: ScoreColumns) -> list[tuple[int, int]]:
    """Rows of answers to one prompt by two models, in the order in which they were scored."""
    together: defaultdict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    asked = zip(scores.judge_key, scores.prompt, scores.turn, scores.sample, strict=True)
    for i, what in enumerate(asked):
        together[what].append(i)
    model = scores.model
    found = [
        (i, j)
        for here in together.values()
        for i, j in combinations(here, 2)
        if model[i] != model[j]
    ]
    return sorted(found, key=max)


def _of(scores: ScoreColumns, rows: Ints, **named: str) -> dict[str, Any]:
    """Columns of scores at these rows, each under its name among verdicts."""
    at = rows.tolist()
    columns = {name: getattr(scores, column) for name, column in named.items()}
    return {name: [column[i] for i in at] for name, column in columns.items()}


def _verdicts(differences: Floats, ties: Floats) -> list[str]:
    order = np.where(np.abs(differences) <= ties + ROUNDING, 0, np.sign(differences))
    said: dict[float, str] = {0: Preference.TIE, 1: Preference.A, -1: Preference.B}
    return [said.get(side, Preference.UNPARSED) for side in order.tolist()]  # NaN is no side


def _odds(
    scores: ScoreColumns, pairs: Sequence[tuple[int, int]], differences: Floats
) -> tuple[list[float | None], list[float | None]]:
    """The probabilities of both sides where the judge is a reward model; None of others."""
    p_first, p_second = np.full((2, len(pairs)), np.nan)
    judged: defaultdict[str, list[int]] = defaultdict(list)
    for k, (i, _) in enumerate(pairs):
        if scores.is_reward[i]:
            judged[scores.judge_key[i]].append(k)
    for rows in judged.values():
        scale = _scale(scores, [pairs[k] for k in rows], differences[rows])
        if scale:
            p_first[rows] = _logistic(differences[rows] / scale)
            p_second[rows] = _logistic(-differences[rows] / scale)
    return _known(p_first), _known(p_second)


def _scale(scores: ScoreColumns, pairs: Sequence[tuple[int, int]], differences: Floats) -> float:
    """The scale of one judge's differences, those of two models all taken the same way round."""
    codes: dict[tuple[str, str], int] = {}
    met, sides = [], []
    for i, j in pairs:
        a, b = scores.model[i], scores.model[j]
        met.append(codes.setdefault((min(a, b), max(a, b)), len(codes)))
        sides.append(1.0 if a < b else -1.0)
    read = ~np.isnan(differences)
    return scale_of((differences * sides)[read], np.array(met)[read])


def _logistic(z: Floats) -> Floats:
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def _known(values: Floats) -> list[float | None]:
    return [None if isnan(value) else value for value in values.tolist()]
