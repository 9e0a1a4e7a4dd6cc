"""What everybody else says of the pair that a vote is about.

Votes are read from the left: +1 where the model shown first won, -1 where the other did,
0 a tie. A voter is compared with the other voters on the same battle (the same two answers
to the same prompt) and, where they are few, with what ratings predict that were fitted
without this voter.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from arena.ratings.arrays import Bools, Floats, Ints, totals
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


@dataclass(frozen=True, eq=False)
class Crowd:
    """Votes beside what others say; every array has a row a vote.

    voter, battle: (n,) codes without gaps. said: (n,) -1, 0 or 1, from the left. forward: (n,)
    1 where the left model is the first of the two by name, else -1. odds: (n,) log-odds that
    an honest voter who takes a side takes the left one.
    """

    c: Comparisons
    voter: Ints
    battle: Ints
    said: Ints
    forward: Ints
    odds: Floats

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
    def sides(self) -> tuple[Ints, Ints]:
        """(n,) codes of the models on the left, and on the right."""
        return self.c.i, self.c.j

    def by_voter(self, values: Floats) -> Floats:
        """(voters,) sums of values (n,) over the votes that took a side."""
        return totals(self.voter, np.where(self.decided, values, 0.0), self.voters)


def crowd(c: Comparisons, trust: Floats | None = None) -> Crowd:
    """Each vote of comparisons with a voter column, beside what the others say.

    trust: (voters,) how much each voter's word counts for the others, in [0, 1].
    """
    voter = c.group("voter").compact().codes
    weight = np.ones(len(c)) if trust is None else np.maximum(trust, LEAST_TRUST)[voter]
    battle = _battles(c)
    said = np.sign(c.outcome - 0.5).astype(np.int8)
    forward = np.where(c.i < c.j, 1, -1)
    others = forward * _others(c, voter, battle, forward * said, weight)
    return Crowd(c, voter, battle, said, forward, _odds(others, said, weight))


def _battles(c: Comparisons) -> Ints:
    """(n,) codes of battles; of pairs of models where the prompts are not known."""
    if c.prompt is not None:
        return battle_groups(c).codes
    cells = np.minimum(c.i, c.j).astype(np.int64) * len(c.models) + np.maximum(c.i, c.j)
    return factorise("pair", cells.tolist()).codes


def _others(c: Comparisons, voter: Ints, battle: Ints, votes: Ints, weight: Floats) -> Floats:
    """(n,) mean of what the others said for the first by name, with the forecast among them."""
    cells = battle.astype(np.int64) * (int(voter.max()) + 1) + voter
    own = np.unique(cells, return_inverse=True)[1]
    counted = _all_but(battle, own, weight)
    sums = _all_but(battle, own, weight * votes)
    forecast = _forecast(c, voter, weight)
    mean: Floats = (sums + FORECAST * forecast) / (counted + FORECAST)
    return mean


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
    """(n,) log-odds of the left answer: a logistic regression of the votes that took a side.

    On what the others say, and a constant: people as a whole may lean to one side.
    """
    decided = said != 0
    x, y, w = others[decided], said[decided].astype(float), weight[decided]

    def loss(b: Floats) -> tuple[float, Floats]:
        odds = y * (b[0] + b[1] * x)
        push = -w * y * expit(-odds)
        value = -(w * log_expit(odds)).sum() + 0.5 * b @ b
        return float(value), np.array([push.sum(), push @ x]) + b

    b = minimize(loss, np.zeros(2), jac=True, method="BFGS").x
    return np.asarray(b[0] + b[1] * others)
