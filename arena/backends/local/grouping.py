"""Which rows of a work list are computed together."""

from collections.abc import Hashable, Iterator, Sequence


def like_length(
    order: Sequence[int], sizes: Sequence[int], kinds: Sequence[Hashable], rows: int, tokens: int
) -> Iterator[list[int]]:
    """Positions in their order, in batches of one kind with at most so many rows and tokens.

    sizes: (n,), tokens of each position; a row takes as many as the longest of its batch.
    """
    batch: list[int] = []
    longest = 0
    for i in order:
        longest = max(longest, sizes[i])
        full = len(batch) == rows or longest * (len(batch) + 1) > tokens
        if batch and (full or kinds[i] != kinds[batch[0]]):
            yield batch
            batch, longest = [], sizes[i]
        batch.append(i)
    if batch:
        yield batch


def prefix_groups(ids: Sequence[tuple[int, ...]], most: int) -> Iterator[list[int]]:
    """Split rows into groups of at most `most`, so that shared beginnings save most tokens.

    A group of n rows that share p tokens saves (n − 1)·p; in lexical order, a row joins the
    group before it unless that would save less.
    """
    group: list[int] = []
    shared = 0
    for i in sorted(range(len(ids)), key=lambda i: ids[i]):
        if group:
            common = _common(ids[group[0]], ids[i])
            # The first of a group shares with the last the least, since rows are sorted.
            if len(group) < most and len(group) * common >= (len(group) - 1) * shared:
                group.append(i)
                shared = common
                continue
            yield group
        group, shared = [i], 0
    if group:
        yield group


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with, leaving at least one of its own to each."""
    most = max(0, min(len(left), len(right)) - 1)
    return next((k for k in range(most) if left[k] != right[k]), most)
