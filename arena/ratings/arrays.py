"""Names for the array types that the rating engine passes around."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.signedinteger[Any]]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]


def totals(codes: Ints, values: Floats | None, size: int) -> Floats:
    """(size,) sum of the values of each code; the number of rows where values is None."""
    return np.bincount(codes, values, minlength=size).astype(np.float64, copy=False)


def distinct(codes: Ints) -> int:
    """How many codes there are; to count them is much quicker than to sort or hash them."""
    return int(np.count_nonzero(np.bincount(codes)))
