"""Columns of names as integer codes, and columns of numbers as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from arena.ratings.arrays import Bools, Floats, Ints
from arena.records.errors import InputError


@dataclass(frozen=True, eq=False)
class Factor:
    """A column of names: codes (n,) are indices into labels (k,), which are distinct."""

    codes: Ints
    labels: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Bools | Ints) -> Self:
        return type(self)(self.codes[rows], self.labels)

    def compact(self) -> Self:
        """The same column without labels that no row uses."""
        used, codes = np.unique(self.codes, return_inverse=True)
        return type(self)(codes.astype(np.int32), self.labels[used])


def factorise(name: str, values: Iterable[Any]) -> Factor:
    """Codes of a column; a missing value is an error that names its row."""
    # A pandas column brings a fast factorize; pandas itself is not imported here.
    fast = getattr(values, "factorize", None)
    try:
        codes, labels = fast() if fast is not None else _factorise_rows(values)
    except TypeError:  # a list or a dict cannot be looked up
        raise InputError(f"{name} holds values that are neither text nor numbers.") from None
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        raise InputError(f"row {missing[0] + 1}: {name} is empty.")
    return Factor(codes.astype(np.int32), np.fromiter(labels, dtype=object, count=len(labels)))


def named(factor: Factor) -> Factor:
    """The same column with text for labels: 1 and "1" are one name."""
    place: dict[Any, int] = {}
    codes = [place.setdefault(str(label), len(place)) for label in factor.labels]
    labels = np.array(list(place), dtype=object)
    return Factor(np.array(codes, dtype=np.int32)[factor.codes], labels)


def union(factors: Sequence[Factor]) -> tuple[NDArray[np.object_], list[Ints]]:
    """The sorted labels of all the columns, and each column coded against them."""
    distinct = {label for factor in factors for label in factor.labels}
    if len({type(label) for label in distinct}) < 2:
        labels = sorted(distinct)
    else:  # groups may mix numbers and text, which do not compare with each other
        labels = sorted(distinct, key=lambda label: (type(label).__name__, label))
    place = {label: code for code, label in enumerate(labels)}
    codes = [
        np.array([place[label] for label in factor.labels], dtype=np.int32)[factor.codes]
        for factor in factors
    ]
    return np.array(labels, dtype=object), codes


def numbers(name: str, values: Iterable[Any]) -> Floats:
    """A column of numbers; a value that is none is an error that names its row."""
    column = values if hasattr(values, "__array__") else list(values)
    try:
        return np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        row, value = next((k, v) for k, v in enumerate(column, 1) if not _is_number(v))
        raise InputError(f"row {row}: {name} is {value!r}, which is not a number.") from None


def _factorise_rows(values: Iterable[Any]) -> tuple[NDArray[np.int32], list[Any]]:
    place: dict[Any, int] = {}
    codes = [
        # A missing value of a data frame is None, or NaN, which differs from itself.
        -1 if value is None or value != value else place.setdefault(value, len(place))
        for value in values
    ]
    return np.array(codes, dtype=np.int32), list(place)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
