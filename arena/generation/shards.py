"""Equal parts of one run, each done by a process that knows nothing of the others."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from arena.records.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts of a work list, of like size. part: from 1. of: how many there are."""

    part: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2/3` is the second of three."""
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise InputError(f"--shard {text!r}; it takes PART/PARTS, as in 1/3, 2/3 and 3/3")
        return cls(int(found[1]), int(found[2]))

    def take(self, items: Sequence[T]) -> list[T]:
        """Every so many-th of the items; all parts together have each of them once."""
        return list(items[self.part - 1 :: self.of])

    def places(self, names: Sequence[Hashable]) -> list[int]:
        """The positions of this part's names; a name that is there twice is in one part whole."""
        own = set(self.take(list(dict.fromkeys(names))))
        return [i for i, name in enumerate(names) if name in own]
