"""Ratings kept up to date vote by vote, without a refit.

A vote changes the Hessian and the meat by rank one, so ratings and covariance follow in
models² operations. The ratings take a second step with the exact gradient each time, which keeps
them within 1e-6 (log-strength) of the exact fit where each model has some hundreds of votes, and
within 1e-3 where it has forty. Curvature and residuals drift as ratings move, so the fit
is made anew, from the ratings at hand, after every `RELINEARISE` votes; until then the
covariance is off by as much as it changes, a few parts in n votes a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.diagnostics import require_finite
from arena.ratings.fitting.likelihood import fit_counts, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals.sandwich import pair_meat
from arena.ratings.pairs import PairCounts, count_pairs
from arena.ratings.scale import POINTS_PER_LOG, to_points
from arena.records.errors import InputError

RELINEARISE = 32


@dataclass(frozen=True, slots=True)
class _Ballot:
    """A vote since the last exact fit; square: its squared residual when it came."""

    i: int
    j: int
    outcome: float
    square: float


@dataclass(frozen=True, eq=False)
class Online:
    """The state after a number of votes; `after` gives the state after one more.

    theta: (m,) log-strengths, mean 0. inverse, spread: (m, m) inverse Hessian and sandwich
    covariance, log-strength units. counts, meat: of the last exact fit. since: votes after it.
    """

    models: tuple[str, ...]
    counts: PairCounts
    theta: Floats
    inverse: Floats
    meat: Floats
    spread: Floats
    since: tuple[_Ballot, ...] = ()

    @classmethod
    def of(cls, c: Comparisons) -> Self:
        """The exact fit to these comparisons, rows independent, half a win for a tie."""
        require_finite(c.pair_counts.points, c.models)
        return cls._exact(c.models, c.pair_counts, None)

    @property
    def ratings(self) -> Floats:
        """(m,) Elo points, mean 1000."""
        return to_points(self.theta)

    @property
    def covariance(self) -> Floats:
        """(m, m) Elo points squared."""
        return POINTS_PER_LOG**2 * self.spread

    def after(self, i: int, j: int, outcome: float) -> Self:
        """The state after one more comparison of the models with codes i and j.

        outcome: i's share of the win, in [0, 1].
        """
        if i == j or not 0.0 <= outcome <= 1.0:
            raise InputError(f"models {i} and {j} with outcome {outcome} are no comparison.")
        p = 1.0 / (1.0 + np.exp(self.theta[j] - self.theta[i]))
        ballot = _Ballot(i, j, outcome, float((outcome - p) ** 2))
        since = (*self.since, ballot)
        if len(since) == RELINEARISE:
            return self._exact(self.models, _counted(self.counts, since), self.theta)
        weight = p * (1.0 - p)
        moved = self.inverse[:, i] - self.inverse[:, j]
        apart = moved[i] - moved[j]
        shrink = weight / (1.0 + weight * apart)
        pressed = self._pressed(moved)
        own = shrink**2 * (moved @ pressed) + ballot.square * (1.0 - shrink * apart) ** 2
        mixed = np.outer(moved, shrink * (self.inverse @ pressed) - 0.5 * own * moved)
        state = replace(
            self,
            theta=self.theta + (outcome - p) * (1.0 - shrink * apart) * moved,
            inverse=self.inverse - np.outer(shrink * moved, moved),
            spread=self.spread - mixed - mixed.T,
            since=since,
        )
        return replace(state, theta=state.theta + state.inverse @ state._gradient())

    def _pressed(self, vector: Floats) -> Floats:
        """The meat, with the votes since, times a vector."""
        result = self.meat @ vector
        for vote in self.since:
            push = vote.square * (vector[vote.i] - vector[vote.j])
            result[vote.i] += push
            result[vote.j] -= push
        return result

    def _gradient(self) -> Floats:
        """(m,) exact derivative of the log-likelihood."""
        lost = self.counts.points * win_probability(self.theta).T
        gradient: Floats = lost.sum(axis=1) - lost.sum(axis=0)
        for vote in self.since:
            residual = vote.outcome - 1.0 / (1.0 + np.exp(self.theta[vote.j] - self.theta[vote.i]))
            gradient[vote.i] += residual
            gradient[vote.j] -= residual
        return gradient

    @classmethod
    def _exact(cls, models: tuple[str, ...], counts: PairCounts, start: Floats | None) -> Self:
        theta, hessian = fit_counts(counts, start=start)
        inverse, meat = bread(hessian, len(theta)), pair_meat(counts, theta)
        return cls(models, counts, theta, inverse, meat, inverse @ meat @ inverse)


def _counted(counts: PairCounts, votes: Sequence[_Ballot]) -> PairCounts:
    """The counts with a few votes more."""
    i, j = np.array([[vote.i, vote.j] for vote in votes]).T
    more = count_pairs(len(counts.wins), i, j, np.array([vote.outcome for vote in votes]))
    return counts + more
