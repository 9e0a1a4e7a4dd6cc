"""A fitted model of comparisons: the point estimate, and what its spread is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from arena.ratings.arrays import Floats, Ints, distinct
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.likelihood import fit_counts, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich
from arena.ratings.intervals.lonely import GroupedRows, covariance_by_groups


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

    def rows(self, codes: Ints) -> GroupedRows:
        """The comparisons by the groups with equal codes, with what each of them says."""
        p = win_probability(self.theta)[self.c.i, self.c.j]
        said = p * (1.0 - p) if self.c.row_weight is None else p * (1.0 - p) * self.c.row_weight
        return GroupedRows(codes, self.c.i, self.c.j, said, len(self.theta))

    def covariance(self, codes: Ints | None, finer: Sequence[Callable[[], Ints]] = ()) -> Floats:
        """(p, p) sandwich covariance; codes: (n,) independent groups, None for rows.

        finer: see `covariance_by_groups`.
        """
        if codes is None:
            return self._sandwich(None)
        return covariance_by_groups(self._sandwich, self.rows(codes), finer)

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
