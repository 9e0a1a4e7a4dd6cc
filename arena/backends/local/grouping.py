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
