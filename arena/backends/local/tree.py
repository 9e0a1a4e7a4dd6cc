"""Rows as a tree of what they begin with, so that each beginning is read once.

The rows of a run share instructions, of those many share a question, of those some an answer.
Every place where rows part is a node; what rows have beyond the last one is read in passes of
rows of like length. A node that would save less than another pass costs is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Tokens = tuple[int, ...]

# What a forward pass costs beyond its tokens, in tokens; measured in bench/inference.py.
PASS = 32


@dataclass(frozen=True, slots=True)
class TreeRow:
    """Tokens, at least one; the logits after each of the last `keep` of them are wanted."""

    tokens: Tokens
    keep: int = 1


@dataclass(frozen=True, slots=True)
class PassLimits:
    """What one pass may hold: rows, tokens with padding, rows of logits, and pairs of tokens.

    pairs: of a token and one that it looks back at, which grow with the square of the length.
    """

    rows: int
    tokens: int
    logits: int
    pairs: int = 2**62


@dataclass(frozen=True, slots=True)
class Pass:
    """Rows that are read together, in the order of their lengths.

    depths: rising lengths of what they begin with that are read before, each for all rows of
    the tree that begin so; the rows' own tokens begin at the last one.
    """

    rows: tuple[int, ...]
    depths: tuple[int, ...] = ()


@dataclass(slots=True)
class _Node:
    """Rows that begin with the same `depth` tokens and part there."""

    depth: int
    rows: list[int] = field(default_factory=list)
    nodes: list["_Node"] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return len(self.rows) + len(self.nodes)

    def longest(self, rows: Sequence[TreeRow]) -> int:
        """The tokens of its longest row."""
        own = [len(rows[i].tokens) for i in self.rows]
        return max([*own, *(node.longest(rows) for node in self.nodes)])


def plan(rows: Sequence[TreeRow], limits: PassLimits, *, share: bool) -> list[Pass]:
    """Passes in which all rows are read, those below one node behind each other.

    share: whether what rows begin with is read once; else only like lengths go together.
    """
    order = sorted(range(len(rows)), key=lambda i: (rows[i].tokens, i))
    root = _tree(rows, order) if share else _Node(0, order)
    return list(_passes(rows, root, (), limits))


def computed(rows: Sequence[TreeRow], passes: Sequence[Pass]) -> int:
    """The tokens that the passes compute, padding included."""
    total, read = 0, set[Tokens]()
    for one in passes:
        for low, high in pairwise((0, *one.depths)):
            beginning = rows[one.rows[0]].tokens[:high]
            total += 0 if beginning in read else high - low
            read.add(beginning)
        start = one.depths[-1] if one.depths else 0
        total += len(one.rows) * max(len(rows[i].tokens) - start for i in one.rows)
    return total


def _tree(rows: Sequence[TreeRow], order: Sequence[int]) -> _Node:
    """The tree of rows in lexical order, without the nodes that save little."""
    root = _Node(0)
    path = [root]  # the nodes above the row that came last
    for k, i in enumerate(order):
        after = order[k + 1 : k + 2]
        shared = _shared(rows[i], rows[after[0]]) if after else 0
        below: _Node | int = i
        while path[-1].depth > shared:
            node = path.pop()
            _put(node, below)
            below = node
        if path[-1].depth < shared:
            path.append(_Node(shared))
        _put(path[-1], below)
    _prune(root)
    return root


def _put(node: _Node, below: "_Node | int") -> None:
    if isinstance(below, int):
        node.rows.append(below)
    else:
        node.nodes.append(below)


def _shared(row: TreeRow, other: TreeRow) -> int:
    """How many tokens both begin with, before the first whose logits one of them keeps."""
    most = min(len(row.tokens) - row.keep, len(other.tokens) - other.keep)
    return next((k for k in range(most) if row.tokens[k] != other.tokens[k]), most)


def _prune(node: _Node) -> None:
    """Join to `node` those below it that save less than a pass of their own costs."""
    kept = []
    for below in node.nodes:
        _prune(below)
        if (below.depth - node.depth) * (below.parts - 1) < PASS:
            node.rows += below.rows
            kept += below.nodes
        else:
            kept.append(below)
    node.nodes = kept


def _passes(
    rows: Sequence[TreeRow], node: _Node, above: tuple[int, ...], limits: PassLimits
) -> Iterator[Pass]:
    depths = (*above, node.depth) if node.depth else above
    sizes = {i: len(rows[i].tokens) - node.depth for i in node.rows}
    order = sorted(node.rows, key=lambda i: (sizes[i], i))
    kept = [(sizes[i], rows[i].keep) for i in order]
    for start, end in _like_length(kept, limits, node.depth):
        yield Pass(tuple(order[start:end]), depths)
    for below in sorted(node.nodes, key=lambda below: below.longest(rows)):  # the short ones first
        yield from _passes(rows, below, depths, limits)


def _like_length(
    sizes: Sequence[tuple[int, int]], limits: PassLimits, depth: int
) -> list[tuple[int, int]]:
    """Where rows of rising length are cut, so that padding and passes together cost least.

    sizes: (tokens, logits) of each row. depth: the tokens before them. Returns the (start, end)
    of each pass.
    """
    best, starts = [0], [0]  # the least cost of the first rows, and where their last pass begins
    for end in range(1, len(sizes) + 1):
        width, kept, found = sizes[end - 1][0], 0, []
        for start in range(end - 1, -1, -1):
            kept += sizes[start][1]
            count = end - start
            full = count > limits.rows or width * count > limits.tokens or kept > limits.logits
            full = full or width * (depth + width) * count > limits.pairs
            if count > 1 and full:
                break
            found.append((best[start] + PASS + width * count, start))
        cost, start = min(found)
        best.append(cost)
        starts.append(start)
    cuts, end = [], len(sizes)
    while end:
        cuts.append((starts[end], end))
        end = starts[end]
    return cuts[::-1]
