"""How far a voter goes along with the others: 1 is as they do, 0 is not at all.

The log-odds of a vote for the left answer are a slope times what the others say of it, one
slope a voter. Honest people's slopes are log-normal. People who do not look at the answers
have slope 0, and some vote against the others on purpose. All shares are fitted at once, so
that the careless do not widen what passes for honest.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logsumexp
from scipy.stats import norm

from arena.ratings.arrays import Floats
from arena.ratings.crowd import Crowd

LOG_SLOPES = np.linspace(-2.5, 2.0, 28)
# Of the bad, most do not look; some turn every vote around.
CARELESS, CONTRARY = 0.9, 0.1
# Priors of the fit, which matter in small crowds: mean and spread of the logarithms of honest
# slopes, and one bad voter in so many.
MEAN, MEAN_SD, SPREAD, SPREAD_SD, BAD = 0.0, 0.5, 0.3, 0.7, 10.0


@dataclass(frozen=True, eq=False)
class Following:
    """slope: (voters,) the mean of each given the votes, as if honest. p: (voters,) probability
    that an honest voter goes along so little. odds: (voters,) logarithm of how much likelier
    the votes are from a bad voter than from an honest one.
    """

    slope: Floats
    p: Floats
    odds: Floats


def following(crowd: Crowd) -> Following:
    """How far each voter goes along with the others."""
    slopes = np.exp(LOG_SLOPES)
    likely = np.stack([_likely(crowd, b) for b in slopes], axis=1)
    none, against = _likely(crowd, 0.0), _likely(crowd, -1.0)
    bad = np.logaddexp(none + np.log(CARELESS), against + np.log(CONTRARY))
    prior = _fit(likely, bad)
    honest = logsumexp(likely + prior, axis=1)
    posterior = np.exp(likely + prior - honest[:, None])
    return Following(posterior @ slopes, _tail(crowd, np.exp(prior)), bad - honest)


def _likely(crowd: Crowd, slope: float) -> Floats:
    """(voters,) log-likelihood of the sides taken, and of ties."""
    tie = np.where(crowd.decided, -1.0, 1.0) * (crowd.tie_odds + slope * crowd.tie_push)
    return crowd.by_voter(
        np.where(crowd.decided, log_expit(slope * crowd.odds * crowd.said), 0.0) + log_expit(tie)
    )


def _prior(mean: float, scale: float) -> Floats:
    """(grid,) log-probability of each slope of an honest voter."""
    density: Floats = norm.logpdf(LOG_SLOPES, mean, scale)
    return np.asarray(density - logsumexp(density))


def _fit(likely: Floats, bad: Floats) -> Floats:
    """(grid,) log-probability of honest slopes.

    likely: (voters, grid) log-likelihood of each voter's votes at each slope; bad: (voters,).
    """

    def loss(q: Floats) -> float:
        mean, scale, mix = q
        honest = logsumexp(likely + _prior(mean, np.exp(scale)), axis=1)
        both = np.logaddexp(honest + log_expit(-mix), bad + log_expit(mix))
        off = ((mean - MEAN) / MEAN_SD) ** 2 + ((scale - np.log(SPREAD)) / SPREAD_SD) ** 2
        return float(-both.sum() + off / 2.0 - (BAD - 1.0) * log_expit(-mix))

    start = np.array([MEAN, np.log(SPREAD), -np.log(BAD)])
    mean, scale, _ = minimize(loss, start, method="Nelder-Mead").x
    return _prior(mean, np.exp(scale))


def _tail(crowd: Crowd, weights: Floats) -> Floats:
    """(voters,) probability of so small a sum of odds on the side taken.

    weights: (grid,) of honest slopes; given the slope the sum is taken for normal.
    """
    tied = np.where(crowd.decided, -1.0, 1.0)
    sums = crowd.by_voter(crowd.odds * crowd.said + crowd.tie_push * tied)
    p = np.zeros(crowd.voters)
    for slope, weight in zip(np.exp(LOG_SLOPES), weights, strict=True):
        parts = [
            (np.where(crowd.decided, crowd.odds, 0.0), expit(slope * crowd.odds)),
            (crowd.tie_push, expit(crowd.tie_odds + slope * crowd.tie_push)),
        ]
        mean = sum(crowd.by_voter(x * (2.0 * chance - 1.0)) for x, chance in parts)
        variance = sum(crowd.by_voter(4.0 * x**2 * chance * (1.0 - chance)) for x, chance in parts)
        p += weight * norm.cdf((sums - mean) / np.sqrt(np.maximum(variance, 1e-12)))
    return np.minimum(p, 1.0)
