"""How far a voter goes along with the others: 1 is as they do, 0 is not at all.

The log-odds of a vote for the left answer are a slope times what the others say of it, one
slope a voter. Honest people's slopes are log-normal. People who do not look at the answers
have slope 0, and some vote against the others on purpose. All shares are fitted at once, so
that the careless do not widen what passes for honest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import log_expit, logsumexp, ndtr

from arena.ratings.arrays import Floats, Ints
from arena.ratings.voter_audit.crowd import Crowd, log_sigmoid

LOG_ROOT = np.log(np.sqrt(2.0 * np.pi))
LOG_SLOPES = np.linspace(-2.5, 2.0, 28)
# Of the bad, most do not look; some turn every vote around.
CARELESS, CONTRARY = 0.9, 0.1
# Priors of the fit, which matter in small crowds: mean and spread of the logarithms of honest
# slopes, and one bad voter in so many.
MEAN, MEAN_SD, SPREAD, SPREAD_SD, BAD = 0.0, 0.5, 0.3, 0.7, 10.0
BLOCK = 1 << 15  # answers that fit into a processor's cache


@dataclass(frozen=True, eq=False)
class Following:
    """slope: (voters,) the mean of each given the votes, as if honest. odds: (voters,)
    logarithm of how much likelier the votes are from a bad voter than from an honest one.
    test: makes (voters,) the probability that an honest voter goes along so little.
    """

    slope: Floats
    odds: Floats
    test: Callable[[], Floats]


@dataclass(frozen=True, eq=False)
class Answers:
    """What voters answered, voter by voter: was it a tie; if not, was the left one better.

    The log-odds of the answer that was given are base + slope * push. first: (voters,) each
    voter's first row. base, push: (n,).
    """

    first: Ints
    base: Floats
    push: Floats

    def sums(self, f: Callable[[Floats, Floats], Floats]) -> Floats:
        """(voters,) sums of f(base, push)."""
        every = np.empty(len(self.base))
        for start in range(0, len(every), BLOCK):
            rows = slice(start, start + BLOCK)
            every[rows] = f(self.base[rows], self.push[rows])
        return np.asarray(np.add.reduceat(every, self.first))


def following(crowd: Crowd) -> Following:
    """How far each voter goes along with the others."""
    answers, slopes = _answers(crowd), np.exp(LOG_SLOPES)
    likely = np.stack([_likely(answers, b) for b in slopes], axis=1)
    none, against = _likely(answers, 0.0), _likely(answers, -1.0)
    bad = np.logaddexp(none + np.log(CARELESS), against + np.log(CONTRARY))
    prior = _fit(likely, bad)
    honest = logsumexp(likely + prior, axis=1)
    posterior = np.exp(likely + prior - honest[:, None])
    return Following(posterior @ slopes, bad - honest, partial(_tail, answers, np.exp(prior)))


def _answers(crowd: Crowd) -> Answers:
    b = crowd.ballots
    voter = np.concatenate([b.voter, b.voter[b.decided]])
    order = np.argsort(voter, kind="stable")
    tie = np.where(b.decided, -1.0, 1.0)
    base = np.concatenate([tie * crowd.tie_odds, np.zeros(len(voter) - len(tie))])
    push = np.concatenate([tie * crowd.tie_push, (crowd.odds * b.said)[b.decided]])
    first = np.searchsorted(voter[order], np.arange(b.voters))
    return Answers(first, base[order], push[order])


def _likely(answers: Answers, slope: float) -> Floats:
    """(voters,) log-likelihood of the answers."""
    return answers.sums(lambda base, push: log_sigmoid(base + slope * push))


def _prior(mean: float, scale: float) -> Floats:
    """(grid,) log-probability of each slope of an honest voter."""
    # The normal density as scipy.stats has it, which takes a second to import.
    apart = (LOG_SLOPES - mean) / scale
    density: Floats = -(apart**2) / 2.0 - LOG_ROOT - np.log(scale)
    return np.asarray(density - logsumexp(density))


def _fit(likely: Floats, bad: Floats) -> Floats:
    """(grid,) log-probability of honest slopes.

    likely: (voters, grid) log-likelihood of each voter's votes at each slope; bad: (voters,).
    """
    top = likely.max(axis=1)
    ratio = np.exp(likely - top[:, None])

    def loss(q: Floats) -> float:
        mean, scale, mix = q
        honest = top + np.log(np.maximum(ratio @ np.exp(_prior(mean, np.exp(scale))), 1e-300))
        both = np.logaddexp(honest + log_expit(-mix), bad + log_expit(mix))
        off = ((mean - MEAN) / MEAN_SD) ** 2 + ((scale - np.log(SPREAD)) / SPREAD_SD) ** 2
        return float(-both.sum() + off / 2.0 - (BAD - 1.0) * log_expit(-mix))

    from scipy.optimize import minimize

    start = np.array([MEAN, np.log(SPREAD), -np.log(BAD)])
    mean, scale, _ = minimize(loss, start, method="Nelder-Mead").x
    return _prior(mean, np.exp(scale))


def _tail(answers: Answers, weights: Floats) -> Floats:
    """(voters,) probability of so small a sum of what pushes to the answers given.

    weights: (grid,) of honest slopes; given the slope the sum is taken for normal.
    """
    sums = answers.sums(lambda _, push: push)
    p = np.zeros(len(sums))
    for slope, weight in zip(np.exp(LOG_SLOPES), weights, strict=True):

        def sway(base: Floats, push: Floats, slope: float = slope) -> Floats:
            return np.asarray(np.tanh((base + slope * push) / 2.0))

        mean = answers.sums(lambda base, push: push * sway(base, push))
        variance = answers.sums(lambda base, push: push**2 * (1.0 - sway(base, push) ** 2))
        p += weight * ndtr((sums - mean) / np.sqrt(np.maximum(variance, 1e-12)))
    return np.minimum(p, 1.0)
