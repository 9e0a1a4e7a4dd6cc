"""What everybody else says of the pair that a vote is about.

Votes are read from the left: +1 where the model shown first won, -1 where the other did,
0 a tie. A voter is compared with the other voters on the same battle (the same two answers
to the same prompt) and, where they are few, with what ratings predict that were fitted
without this voter.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from arena.ratings.arrays import Bools, Floats, Ints, Objects, totals
from arena.ratings.battles import battle_groups
from arena.ratings.comparisons import Comparisons
from arena.ratings.factors import factorise
from arena.ratings.fitted import fit_half
from arena.ratings.likelihood import precision_of
from arena.ratings.newton import bread
from arena.ratings.scale import WEAK_PRIOR

# A forecast from ratings counts as much as so many others' votes on the battle.
FORECAST = 5.0
LEAST_TRUST = 1e-3
# Everybody's share of ties counts as much as so many of a voter's own votes.
TIES = 3.0


@dataclass(frozen=True, eq=False)
class Crowd:
    """Votes beside what others say; every array has a row a vote.

    voter, battle: (n,) codes without gaps. said: (n,) -1, 0 or 1, from the left. forward: (n,)
    1 where the left model is the first of the two by name, else -1. odds: (n,) log-odds that
    an honest voter who takes a side takes the left one. tie_odds: (n,) log-odds of a tie as
    often as the voter says so; tie_push: (n,) what this battle adds to them.
    """

    c: Comparisons
    voter: Ints
    battle: Ints
    said: Ints
    forward: Ints
    odds: Floats
    tie_odds: Floats
    tie_push: Floats

    @property
    def decided(self) -> Bools:
        """(n,) where the voter took a side."""
        decided: Bools = self.said != 0
        return decided

    @property
    def voters(self) -> int:
        """How many there are."""
        return int(self.voter.max()) + 1

    @property
    def names(self) -> Objects:
        """(voters,) what they are called."""
        return self.c.group("voter").compact().labels

    def by_voter(self, values: Floats) -> Floats:
        """(voters,) sums of values (n,) over each voter's votes."""
        return totals(self.voter, values, self.voters)


def crowd(c: Comparisons, trust: Floats | None = None) -> Crowd:
    """Each vote of comparisons with a voter column, beside what the others say.

    trust: (voters,) how much each voter's word counts for the others, in [0, 1].
    """
    voter = c.group("voter").compact().codes
    weight = np.ones(len(c)) if trust is None else np.maximum(trust, LEAST_TRUST)[voter]
    battle = _battles(c)
    said = np.sign(c.outcome - 0.5).astype(np.int8)
    forward = np.where(c.i < c.j, 1, -1)
    cells = battle.astype(np.int64) * (int(voter.max()) + 1) + voter
    own = np.unique(cells, return_inverse=True)[1]
    counted = _all_but(battle, own, weight)
    sums = _all_but(battle, own, weight * forward * said)
    forecast = _forecast(c, voter, weight)
    others = forward * (sums + FORECAST * forecast) / (counted + FORECAST)
    rate = _tie_rate(voter, said)
    excess = _all_but(battle, own, weight * ((said == 0) - rate)) / (counted + TIES)
    tie_odds = logit(rate)
    return Crowd(
        c,
        voter,
        battle,
        said,
        forward,
        _odds(others, said, weight),
        tie_odds,
        _tie_push(excess, tie_odds, said, weight),
    )


def _battles(c: Comparisons) -> Ints:
    """(n,) codes of battles; of pairs of models where the prompts are not known."""
    if c.prompt is not None:
        return battle_groups(c).codes
    cells = np.minimum(c.i, c.j).astype(np.int64) * len(c.models) + np.maximum(c.i, c.j)
    return factorise("pair", cells.tolist()).codes


def _tie_rate(voter: Ints, said: Ints) -> Floats:
    """(n,) how often the row's voter says tie, drawn towards everybody's rate."""
    tied, voters = (said == 0).astype(float), int(voter.max()) + 1
    everybody = (tied.sum() + 0.5) / (len(tied) + 1.0)
    own = totals(voter, tied, voters) + TIES * everybody
    return np.asarray(own / (totals(voter, None, voters) + TIES))[voter]


def _all_but(group: Ints, own: Ints, values: Floats) -> Floats:
    """(n,) the sum of values over the row's group without its own part."""
    whole = totals(group, values, int(group.max()) + 1)[group]
    return np.asarray(whole - totals(own, values, int(own.max()) + 1)[own])


def _forecast(c: Comparisons, voter: Ints, weight: Floats) -> Floats:
    """(n,) what ratings without the voter's own votes predict for the first by name: -1 to 1.

    Leaving a voter out moves the ratings by one Newton step: the inverse Hessian times the
    voter's score.
    """
    whole = weight if c.weight is None else weight * c.weight
    fitted = fit_half(replace(c, weight=whole), precision_of(len(c.models), WEAK_PRIOR))
    moved = np.asarray(fitted.scores(voter) @ bread(fitted.hessian, len(c.models)))
    first, second = np.minimum(c.i, c.j), np.maximum(c.i, c.j)
    gap = fitted.theta[first] - fitted.theta[second] - moved[voter, first] + moved[voter, second]
    return np.asarray(np.tanh(gap / 2.0))


def _odds(others: Floats, said: Ints, weight: Floats) -> Floats:
    """(n,) log-odds of the left answer, from what the others say.

    People as a whole may lean to one side.
    """
    decided = said != 0
    b = _logistic(others[decided], said[decided].astype(float), 0.0, weight[decided])
    return np.asarray(b[0] + b[1] * others)


def _tie_push(excess: Floats, tie_odds: Floats, said: Ints, weight: Floats) -> Floats:
    """(n,) what is added to the log-odds of a tie where others tie more than they are used to."""
    b = _logistic(excess, np.where(said == 0, 1.0, -1.0), tie_odds, weight)
    return np.asarray(b[1] * excess)


def _logistic(x: Floats, y: Floats, offset: Floats | float, weight: Floats) -> Floats:
    """(2,) constant and slope of the log-odds of y = 1, not -1, with a standard normal prior."""

    def loss(b: Floats) -> tuple[float, Floats]:
        odds = y * (offset + b[0] + b[1] * x)
        push = -weight * y * expit(-odds)
        value = -(weight * log_expit(odds)).sum() + 0.5 * b @ b
        return float(value), np.array([push.sum(), push @ x]) + b

    return np.asarray(minimize(loss, np.zeros(2), jac=True, method="BFGS").x)
