"""A model's own luck: how much of what its comparisons say depends on which sample was drawn."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from arena.ratings.arrays import Floats, Ints

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Luck:
    """The share of the variance of a model's outcomes that comes from its own sampling.

    share: a ratio of unbiased means, so that it may fall below 0 where there is no luck. low,
    high: 95 % interval, clustered by prompt.
    """

    share: float
    low: float
    high: float


def own_luck(i: Ints, j: Ints, prompt: Ints, sample: Ints, outcome: Floats) -> dict[int, Luck]:
    """The luck of each model that was sampled and compared often enough.

    i, j, prompt, sample: (n,) codes from 0; sample k of i was compared with sample k of j, and
    each such comparison stands there once. outcome: (n,) the share that went to i.

    Within a prompt the outcomes against two opponents move together from sample to sample by
    the model's own luck alone: the opponents' luck and the judge's noise are apart. So the luck
    is the mean covariance of outcomes against different opponents, within prompts; the whole is
    the variance of an outcome around the mean of its pair. Models with fewer than two opponents,
    samples or prompts are left out: there their luck cannot be told from the rest.
    """
    models, codes = np.unique(np.concatenate([i, j]), return_inverse=True)
    first, second = codes.reshape(2, -1)
    shape = (prompt.max(initial=-1) + 1, sample.max(initial=-1) + 1, len(models))
    found = {}
    for code, model in enumerate(models):
        table = np.full(shape, np.nan)
        for side, other, share in ((first, second, outcome), (second, first, 1 - outcome)):
            rows = side == code
            table[prompt[rows], sample[rows], other[rows]] = share[rows]
        if luck := _luck_of(table):
            found[int(model)] = luck
    return found


def _luck_of(table: Floats) -> Luck | None:
    """The luck of one model. table: (prompts, samples, models), NaN where nothing is known."""
    known = np.isfinite(table)
    prompts = known.any(axis=(1, 2)).sum()
    means = np.where(known, table, 0).sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)
    parts = [part for one in table - means if (part := _of_prompt(one))]
    own, whole = np.array(parts).reshape(-1, 2).T
    if len(parts) < 2 or not whole.sum():
        return None
    own = own * (prompts - 1) / prompts  # the pairs' means are of the same prompts
    share = float(own.sum() / whole.sum())
    error = float((own - share * whole).std(ddof=1)) / sqrt(len(parts)) / float(whole.mean())
    return Luck(share, share - _Z * error, share + _Z * error)


def _of_prompt(apart: Floats) -> tuple[float, float] | None:
    """Own luck and whole variance in one prompt. apart: (samples, opponents), from the means."""
    samples = np.isfinite(apart).any(axis=1)
    known = np.isfinite(apart[samples]).all(axis=0)
    block = apart[samples][:, known]
    drawn, opponents = block.shape
    if drawn < 2 or opponents < 2:
        return None
    within = block - block.mean(axis=0)
    crossed = (within.sum(axis=1) ** 2 - (within**2).sum(axis=1)).sum()
    own = crossed / (drawn - 1) / (opponents * (opponents - 1))
    return float(own), float((block**2).mean())
