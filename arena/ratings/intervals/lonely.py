"""Models whose comparisons lie in too few groups of rows to say how much their ratings vary.

The scores of a model sum to 0. So where its comparisons are as good as all in one group, that
group alone would make its rating seem certain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.ratings.arrays import Floats, Ints

LEAST_GROUPS = 2.0  # in effect, below which groups cannot say how much a rating varies


@dataclass(frozen=True, eq=False)
class GroupedRows:
    """Comparisons of `models` models. codes: (n,) of the independent groups.

    i, j: (n,) the two models. information: (n,) what each row says of the gap of the two.
    """

    codes: Ints
    i: Ints
    j: Ints
    information: Floats
    models: int

    def telling(self) -> Floats:
        """(m,) in how many groups each model's comparisons lie, in effect.

        That is (Σ a)² / Σ a², where a is what a group adds to the information on the model.
        """
        places = np.tile(self.codes, 2), np.concatenate([self.i, self.j])
        shape = int(self.codes.max()) + 1, self.models
        part = csr_array((np.tile(self.information, 2), places), shape=shape)
        whole, squares = part.sum(axis=0), part.power(2).sum(axis=0)
        found: Floats = np.full(self.models, np.inf)
        np.divide(whole**2, squares, out=found, where=squares > 0)
        return found

    def apart(self, parts: Ints, models: NDArray[np.bool_]) -> "GroupedRows":
        """The rows, of which those of some models go into groups of their own, by `parts`."""
        codes = self.codes.astype(np.int64)
        rows = models[self.i] | models[self.j]
        codes[rows] = codes.max() + 1 + parts[rows]
        return replace(self, codes=np.unique(codes, return_inverse=True)[1])


def covariance_by_groups(
    covariance: Callable[[Ints], Floats],
    rows: GroupedRows,
    finer: Sequence[Callable[[], Ints]],
) -> Floats:
    """(p, p) covariance, in which no model is sure because its comparisons lie in one group.

    The groups of a model that lies in too few are taken apart, if that makes it less sure.

    covariance: of the parameters, ratings first, by the groups of rows. finer: make the groups to
        take them apart into, one after the other.
    """
    found = covariance(rows.codes)
    for make in finer:
        lonely = rows.telling() < LEAST_GROUPS
        if not lonely.any():
            break
        parts = make()
        apart = covariance(rows.apart(parts, lonely).codes)
        lonely &= (np.diagonal(found) < np.diagonal(apart))[: rows.models]
        if lonely.any():
            rows = rows.apart(parts, lonely)
            found = covariance(rows.codes)
    return found
