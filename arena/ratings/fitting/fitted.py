"""A fitted model of comparisons: the point estimate, and what its spread is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.ratings.arrays import Floats, Ints, distinct
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.likelihood import fit_counts, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich

LEAST_GROUPS = 2.0  # in effect, below which groups cannot say how much a rating varies


@dataclass(frozen=True, eq=False)
class Fitted(ABC):
    """Parameters (p,): m log-strengths with mean 0, then the extras by name.

    hessian: (p, p) of minus the log-likelihood, with the prior's precision (m, m) if any.
    """

    c: Comparisons
    parameters: Floats
    hessian: Floats
    precision: Floats | None = None
    extras: tuple[str, ...] = ()

    @property
    def theta(self) -> Floats:
        """(m,) log-strengths, mean 0."""
        return self.parameters[: len(self.c.models)]

    @abstractmethod
    def independent_meat(self) -> Floats:
        """(p, p) meat where every row is independent of the others."""

    @abstractmethod
    def row_scores(self) -> tuple[Floats, Floats | None]:
        """Weighted derivatives of each row's log-likelihood.

        (n,) by the difference of the two ratings, and (n, extras) by the extras.
        """

    def meat(self, codes: Ints | None) -> Floats:
        """(p, p) meat where the groups of rows with equal codes are independent."""
        if codes is None:
            return self.independent_meat()
        return sandwich.cluster_meat(self.scores(codes))

    def scores(self, codes: Ints, clusters: int | None = None) -> csr_array:
        """(clusters, p) score of each group of rows with equal codes."""
        residual, extra = self.row_scores()
        models = len(self.c.models)
        return sandwich.cluster_scores(codes, self.c.i, self.c.j, residual, models, extra, clusters)

    def telling(self, codes: Ints) -> Floats:
        """(m,) in how many groups of rows with equal codes each model's comparisons lie, in effect.

        That is (Σ a)² / Σ a², where a is what a group adds to the information on the model.
        """
        p = win_probability(self.theta)[self.c.i, self.c.j]
        row = p * (1.0 - p) if self.c.row_weight is None else p * (1.0 - p) * self.c.row_weight
        places = np.tile(codes, 2), np.concatenate([self.c.i, self.c.j])
        shape = int(codes.max()) + 1, len(self.theta)
        part = csr_array((np.tile(row, 2), places), shape=shape)
        whole, squares = part.sum(axis=0), part.power(2).sum(axis=0)
        found: Floats = np.full_like(whole, np.inf)
        np.divide(whole**2, squares, out=found, where=squares > 0)
        return found

    def covariance(self, codes: Ints | None, finer: Sequence[Callable[[], Ints]] = ()) -> Floats:
        """(p, p) sandwich covariance; codes: (n,) independent groups, None for rows.

        The scores of a model sum to 0. So where its comparisons are as good as all in one group,
        that group alone would make the rating seem certain; then they are taken apart, if that
        makes it less so. finer: make the groups to take them apart into, one after the other.
        """
        found = self._sandwich(codes)
        if codes is None:
            return found
        for make in finer:
            lonely = self.telling(codes) < LEAST_GROUPS
            if not lonely.any():
                break
            parts = make()
            apart = self._apart(codes, parts, lonely)
            sure = np.diagonal(found) < np.diagonal(self._sandwich(apart))
            lonely &= sure[: len(lonely)]
            if lonely.any():
                codes = self._apart(codes, parts, lonely)
                found = self._sandwich(codes)
        return found

    def _apart(self, codes: Ints, parts: Ints, models: NDArray[np.bool_]) -> Ints:
        """The groups, of which the rows of some models go into groups of their own."""
        apart = codes.astype(np.int64)
        rows = models[self.c.i] | models[self.c.j]
        apart[rows] = apart.max() + 1 + parts[rows]
        return np.unique(apart, return_inverse=True)[1]

    def _sandwich(self, codes: Ints | None) -> Floats:
        inverse = bread(self.hessian, len(self.c.models))
        meat = self.meat(codes)
        groups = self.c.pair_counts.battles.sum() / 2
        if codes is not None:
            groups = distinct(codes)
            meat *= sandwich.inflation(groups, self.freedom(inverse))
        meat = sandwich.at_least(meat, inverse, self.information, groups)
        return sandwich.covariance(inverse, meat, self.precision)

    @cached_property
    def information(self) -> Floats:
        """(p, p) what the data say: the Hessian without the prior's part."""
        information = self.hessian.copy()
        if self.precision is not None:
            models = len(self.precision)
            information[:models, :models] -= self.precision
        return information

    def freedom(self, inverse: Floats) -> float:
        """How many parameters the data determine; inverse: the Hessian's, ratings centred."""
        return float((inverse * self.information).sum())


@dataclass(frozen=True, eq=False)
class HalfFit(Fitted):
    """Bradley–Terry with half a win for a tie, on pair counts."""

    def row_scores(self) -> tuple[Floats, Floats | None]:
        """See `Fitted`: outcome minus its expectation."""
        cell = self.c.i.astype(np.int64) * len(self.theta) + self.c.j
        residual: Floats = self.c.outcome - win_probability(self.theta).ravel()[cell]
        return (residual if self.c.row_weight is None else residual * self.c.row_weight), None

    def independent_meat(self) -> Floats:
        """See `Fitted`: from pair counts, without a look at the rows."""
        return sandwich.pair_meat(self.c.pair_counts, self.theta)


def fit_half(c: Comparisons, precision: Floats | None) -> HalfFit:
    """The most likely ratings with half a win for a tie; precision: (m, m) of the prior."""
    theta, hessian = fit_counts(c.pair_counts, precision)
    return HalfFit(c, theta, hessian, precision)
