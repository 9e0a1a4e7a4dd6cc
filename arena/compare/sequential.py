"""Intervals that hold at every moment, so that judging may stop as soon as the answer is sure.

The betting martingale of Waudby-Smith and Ramdas (2024): whoever bets on a mean above `limit`
and gains without end is right, for if the mean were `limit` the stake would be a fair game, and by
Ville's inequality it reaches 1/α at any time with probability at most α. The stakes are mixed over
a fixed grid, so that nothing depends on the order within what has been seen, nor on a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from arena.compare.differences.advantage import PREFERENCE
from arena.compare.question import Decision, Question
from arena.ratings.arrays import Floats
from arena.records.errors import InputError

# The part of what can be lost that each bet stakes on every value.
STAKES = np.geomspace(0.005, 0.95, 32)
GRID = 500  # ends of intervals are rounded outwards to this many parts of 1


@dataclass(frozen=True, slots=True)
class SureSoFar:
    """Where a sequence of prompts stands.

    seen: how many values. share: their mean, None before the first. low, high: an interval that
    holds the true mean at all moments together with the confidence of the question.
    decision: what may be said by now.
    """

    seen: int
    share: float | None
    low: float
    high: float
    decision: Decision


def log_capital(values: Sequence[float] | Floats, limit: float) -> Floats:
    """(n,) logarithm of the capital after each value, of bets that the mean is above `limit`.

    values: (n,) in [0, 1], exchangeable given their mean; limit: in (0, 1). Capital starts at 1.
    Bets on a mean below are those on 1 minus the values above 1 minus the limit.
    """
    x = np.asarray(values, dtype=float)
    if x.size and not (x.min() >= 0.0 and x.max() <= 1.0):
        raise InputError("a sequential comparison takes shares between 0 and 1")
    gains = np.log1p(STAKES[None, :] * (x[:, None] / limit - 1.0))
    found: Floats = logsumexp(np.cumsum(gains, axis=0), axis=1) - np.log(len(STAKES))
    return found


def confidence_sequence(
    values: Sequence[float] | Floats, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """(n,) low and (n,) high ends after each value, which all hold together.

    values: (n,) in [0, 1]. Each side has half of 1 - confidence. Ends are running ones: an
    interval never grows.
    """
    x = np.asarray(values, dtype=float)
    needed = float(np.log(2.0 / (1.0 - confidence)))
    return _running_low(x, needed), 1.0 - _running_low(1.0 - x, needed)


def _running_low(x: Floats, needed: float) -> Floats:
    """(n,) the largest mean on the grid that has been ruled out from below by each moment."""
    low = np.zeros(len(x))
    for limit in np.arange(1, GRID) / GRID:
        ruled_out = np.flatnonzero(log_capital(x, limit) >= needed)
        if not ruled_out.size:  # what a smaller mean was not ruled out by rules out no larger one
            break
        low[ruled_out[0] :] = limit
    return low


def standing(
    values: Sequence[float] | Floats, question: Question, scale: float = PREFERENCE
) -> SureSoFar:
    """What the values so far, one a prompt and in the order of a random draw, allow to say.

    The decision is the first that was reached: it stays, whatever follows. Each of "ship" and
    "do not" is wrong with at most the question's error, at any stopping time.
    scale: as in `Advantage`.
    """
    x = np.asarray(values, dtype=float)
    if not x.size:
        return SureSoFar(0, None, 0.0, 1.0, Decision.CANNOT_TELL)
    low, high = confidence_sequence(x, question.confidence)
    _, decision = stopped_at(x, question, scale)
    return SureSoFar(len(x), float(x.mean()), float(low[-1]), float(high[-1]), decision)


def stopped_at(
    values: Floats, question: Question, scale: float = PREFERENCE
) -> tuple[int, Decision]:
    """After how many values a decision was reached, and which; all of them where none was."""
    limit, needed = question.limit(scale), -np.log(question.error)
    up = log_capital(values, limit) >= needed
    down = log_capital(1.0 - values, 1.0 - limit) >= needed
    either = np.flatnonzero(up | down)
    if not either.size:
        return len(values), Decision.CANNOT_TELL
    first = int(either[0])
    return first + 1, Decision.SHIP if up[first] else Decision.DO_NOT
