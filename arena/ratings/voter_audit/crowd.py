"""What everybody else says of the pair that a vote is about.

Votes are read from the left: +1 where the model shown first won, -1 where the other did,
0 a tie. A voter is compared with the other voters on the same battle (the same two answers
to the same prompt) and, where they are few, with what ratings predict that were fitted
without this voter.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit, logit

from arena.ratings.arrays import Bools, Floats, Ints, Objects, totals
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.scale import WEAK_PRIOR

# A forecast from ratings counts as much as so many others' votes on the battle.
FORECAST = 5.0
LEAST_TRUST = 1e-3
# Everybody's share of ties counts as much as so many of a voter's own votes.
TIES = 3.0


@dataclass(frozen=True, eq=False)
class Ballots:
    """Votes with a voter column, in the order of voting; arrays of n have a row a vote.

    voter, battle: (n,) codes without gaps. own: (n,) codes of a voter's votes on one battle;
    first: (k,) the first row of each. said: (n,) -1, 0 or 1, from the left. forward: (n,) 1
    where the left model is the first of the two by name, else -1.
    """

    c: Comparisons
    voter: Ints
    battle: Ints
    own: Ints
    first: Ints
    said: Ints
    forward: Ints

    @cached_property
    def decided(self) -> Bools:
        """(n,) where the voter took a side."""
        decided: Bools = self.said != 0
        return decided

    @cached_property
    def voters(self) -> int:
        """How many there are."""
        return int(self.voter.max()) + 1

    @cached_property
    def votes(self) -> Floats:
        """(voters,) how many each cast."""
        return totals(self.voter, None, self.voters)

    @cached_property
    def names(self) -> Objects:
        """(voters,) what they are called."""
        return self.c.group("voter").compact().labels

    @cached_property
    def meetings(self) -> tuple[Ints, Ints]:
        """Of each voter with each model met: (k,) voter times models plus model, sorted.

        And (2n,) their codes, first of the votes by the left model, then by the right.
        """
        models = np.int64(len(self.c.models))
        cells = np.concatenate([self.voter * models + side for side in (self.c.i, self.c.j)])
        cells, codes = np.unique(cells, return_inverse=True)
        return cells, codes.astype(np.int32)

    def by_voter(self, values: Floats) -> Floats:
        """(voters,) sums of values (n,) over each voter's votes."""
        return totals(self.voter, values, self.voters)


@dataclass(frozen=True, eq=False)
class Crowd:
    """Votes beside what others say; every array has a row a vote.

    odds: (n,) log-odds that an honest voter who takes a side takes the left one. tie_odds:
    (n,) log-odds of a tie as often as the voter says so; tie_push: (n,) what this battle adds
    to them.
    """

    ballots: Ballots
    odds: Floats
    tie_odds: Floats
    tie_push: Floats


def log_sigmoid(odds: Floats) -> Floats:
    """(n,) logarithm of the probability, to rounding beside 1; quicker than scipy's by far."""
    return np.asarray(np.minimum(odds, 0.0) - np.log(1.0 + np.exp(-np.abs(odds))))


def ballots(c: Comparisons) -> Ballots:
    """The votes; raises InputError without a voter column."""
    voter = c.group("voter").compact().codes
    battle = _battles(c)
    cells = battle * (np.int64(voter.max()) + 1) + voter
    _, first, own = np.unique(cells, return_index=True, return_inverse=True)
    said = np.sign(c.outcome - 0.5).astype(np.int8)
    forward = np.where(c.i < c.j, 1, -1).astype(np.int8)
    return Ballots(c, voter, battle, own.astype(np.int32), first, said, forward)


def crowd(b: Ballots, trust: Floats | None = None) -> Crowd:
    """Each vote beside what the others say.

    trust: (voters,) how much each voter's word counts for the others, in [0, 1].
    """
    weight = np.ones(len(b.said)) if trust is None else np.maximum(trust, LEAST_TRUST)[b.voter]
    counted = _all_but(b, weight)
    sums = _all_but(b, weight * (b.forward * b.said))
    forecast = _forecast(b, weight)
    others = b.forward * (sums + FORECAST * forecast) / (counted + FORECAST)
    rate = _tie_rate(b)
    excess = _all_but(b, weight * (~b.decided - rate)) / (counted + TIES)
    tie_odds = logit(rate)
    odds, tie_push = _odds(others, b, weight), _tie_push(excess, tie_odds, b, weight)
    return Crowd(b, odds, tie_odds, tie_push)


def _battles(c: Comparisons) -> Ints:
    """(n,) codes of battles; of pairs of models where the prompts are not known."""
    models = np.int64(len(c.models))
    pair = np.minimum(c.i, c.j) * models + np.maximum(c.i, c.j)
    cells = pair if c.prompt is None else c.prompt.codes * models**2 + pair
    return np.asarray(np.unique(cells, return_inverse=True)[1].astype(np.int32))


def _tie_rate(b: Ballots) -> Floats:
    """(n,) how often the row's voter says tie, drawn towards everybody's rate."""
    tied = (~b.decided).astype(float)
    everybody = (tied.sum() + 0.5) / (len(tied) + 1.0)
    return np.asarray((b.by_voter(tied) + TIES * everybody) / (b.votes + TIES))[b.voter]


def _all_but(b: Ballots, values: Floats) -> Floats:
    """(n,) the sum of values over the row's battle without its voter's own part."""
    whole = totals(b.battle, values, int(b.battle.max()) + 1)[b.battle]
    return np.asarray(whole - totals(b.own, values, len(b.first))[b.own])


def _forecast(b: Ballots, weight: Floats) -> Floats:
    """(n,) what ratings without the voter's own votes predict for the first by name: -1 to 1.

    Leaving a voter out moves the ratings by one Newton step: the inverse Hessian times the
    voter's score.
    """
    c = b.c
    whole = weight if c.weight is None else weight * c.weight
    fitted = fit_half(replace(c, weight=whole), precision_of(len(c.models), WEAK_PRIOR))
    moved = np.asarray(fitted.scores(b.voter) @ bread(fitted.hessian, len(c.models)))
    first, second = np.minimum(c.i, c.j), np.maximum(c.i, c.j)
    gap = fitted.theta[first] - fitted.theta[second]
    gap += moved[b.voter, second] - moved[b.voter, first]
    return np.asarray(np.tanh(gap / 2.0))


def _odds(others: Floats, b: Ballots, weight: Floats) -> Floats:
    """(n,) log-odds of the left answer, from what the others say.

    People as a whole may lean to one side.
    """
    rows = b.decided
    fit = _logistic(others[rows], b.said[rows].astype(float), 0.0, weight[rows])
    return np.asarray(fit[0] + fit[1] * others)


def _tie_push(excess: Floats, tie_odds: Floats, b: Ballots, weight: Floats) -> Floats:
    """(n,) what is added to the log-odds of a tie where others tie more than they are used to."""
    fit = _logistic(excess, np.where(b.decided, -1.0, 1.0), tie_odds, weight)
    return np.asarray(fit[1] * excess)


def _logistic(x: Floats, y: Floats, offset: Floats | float, weight: Floats) -> Floats:
    """(2,) constant and slope of the log-odds of y = 1, not -1, with a standard normal prior."""

    def loss(b: Floats) -> tuple[float, Floats]:
        odds = y * (offset + b[0] + b[1] * x)
        push = -weight * y * expit(-odds)
        value = -(weight * log_sigmoid(odds)).sum() + 0.5 * b @ b
        return float(value), np.array([push.sum(), push @ x]) + b

    from scipy.optimize import minimize

    return np.asarray(minimize(loss, np.zeros(2), jac=True, method="BFGS").x)
