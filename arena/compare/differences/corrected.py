"""Judges on many prompts, put right by people's votes on some of them.

Prediction-powered inference for a mean (Angelopoulos, Duchi and Zrnic 2023, "PPI++"): a judge
that errs in any way changes how wide the interval is, and not what it is an interval of.
"""

import numpy as np

from arena.compare.differences.advantage import ScoreAdvantage
from arena.compare.differences.paired import Paired, effective
from arena.ratings.arrays import Floats

# Fewer prompts with both do not tell how far judges can be believed.
LEAST_SHARED = 20


def corrected(people: Paired, judges: Paired) -> ScoreAdvantage | None:
    """People's share of the win for B, with judges as a control variate.

    people, judges: the same two models; prompts are matched by their keys. None where fewer than
    `LEAST_SHARED` prompts have both, or where judges saw no prompt more than people.

    With y and f what people and judges say of a prompt, the estimate is
    mean(y) + λ (mean of f over all that judges saw - mean of f where people voted, too), with the
    λ in [0, 1] that makes its variance least.
    """
    said = dict(zip(people.names, people.means, strict=True))
    judged = dict(zip(judges.names, judges.means, strict=True))
    both = sorted(set(said) & set(judged))
    if len(both) < LEAST_SHARED or len(both) == len(judged):
        return None
    y, f = (np.array([values[key] for key in both]) for values in (said, judged))
    alone = np.array([said[key] for key in sorted(set(said) - set(judged))])
    more = np.array([judged[key] for key in sorted(set(judged) - set(said))])
    n, total = len(said), len(judged)
    apart = 1.0 / total - 1.0 / len(both)
    # The variance is quadratic in λ: each prompt adds its own part.
    straight = len(both) / n * apart * float(np.cov(y, f)[0, 1])
    square = len(both) * apart**2 * _variance(f) + len(more) / total**2 * _variance(more)
    best = float(np.clip(-straight / square, 0.0, 1.0)) if square > 0.0 else 0.0
    mean_of_all = sum(judged.values()) / total
    share = sum(said.values()) / n + best * (mean_of_all - float(f.mean()))
    variance = len(both) * _variance(y / n + best * apart * f)
    variance += (
        len(alone) * _variance(alone) / n**2 + len(more) * best**2 * _variance(more) / total**2
    )
    share = float(np.clip(share, 0.0, 1.0))
    return ScoreAdvantage(
        share=share,
        prompts=len(set(said) | set(judged)),
        comparisons=len(people) + len(judges),
        count=effective(share, variance, len(set(said) | set(judged))),
        freedom=len(both) - 1,
    )


def _variance(values: Floats) -> float:
    """The sample variance; 0 of fewer than two values, which add nothing that is known."""
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
