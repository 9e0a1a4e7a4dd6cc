"""Two models on the same prompts: the mean over prompts, each prompt weighing the same.

What was said of one prompt (by several judges, voters, samples, in both orders) is one
observation. So the interval is of prompts drawn at random, however often each was judged.
"""

from dataclasses import dataclass

import numpy as np

from arena.compare.differences.advantage import PREFERENCE, ScoreAdvantage
from arena.ratings import Comparisons
from arena.ratings.arrays import Floats, Ints, distinct, totals
from arena.ratings.intervals.sandwich import least_share
from arena.records.errors import InputError

# From so many voters on, the interval allows for other voters as well as for other prompts.
ENOUGH_VOTERS = 10


@dataclass(frozen=True, eq=False, slots=True)
class Paired:
    """Comparisons of two models with each other.

    names: (g,) keys of the prompts. prompt: (n,) codes of them. share: (n,) the part of the win
    that went to B, in [0, 1]. weight: (n,) of each row within its prompt, > 0. voter: (n,) codes,
    None where nobody is named. scale: as in `Advantage`.
    """

    names: tuple[str, ...]
    prompt: Ints
    share: Floats
    weight: Floats
    voter: Ints | None = None
    scale: float = PREFERENCE

    def __len__(self) -> int:
        return len(self.share)

    @property
    def inner(self) -> Floats:
        """(n,) each row's part of its prompt's mean."""
        part: Floats = self.weight / totals(self.prompt, self.weight, len(self.names))[self.prompt]
        return part

    @property
    def means(self) -> Floats:
        """(g,) B's share of the win on each prompt."""
        return totals(self.prompt, self.inner * self.share, len(self.names))

    @property
    def times(self) -> Ints:
        """(g,) how many rows each prompt has."""
        return np.bincount(self.prompt, minlength=len(self.names))

    def among(self, names: set[str]) -> "Paired | None":
        """The rows on these prompts; None where there is none."""
        kept = np.array([name in names for name in self.names], dtype=bool)
        rows = kept[self.prompt]
        if not rows.any():
            return None
        code = np.cumsum(kept) - 1
        return Paired(
            tuple(name for name in self.names if name in names),
            code[self.prompt[rows]],
            self.share[rows],
            self.weight[rows],
            None if self.voter is None else self.voter[rows],
            self.scale,
        )


def between(c: Comparisons, a: str, b: str) -> Paired | None:
    """The comparisons of `a` and `b` with each other; None where there is none.

    Rows without a prompt each stand for themselves. Rows of one prompt count by their weight.
    """
    if a not in c.models or b not in c.models:
        return None
    first, second = c.models.index(a), c.models.index(b)
    is_first, is_second = (c.i == first) & (c.j == second), (c.i == second) & (c.j == first)
    rows = np.flatnonzero(is_first | is_second)
    if not rows.size:
        return None
    share = np.where(is_second, c.outcome, 1.0 - c.outcome)[rows]
    if c.prompt is None:
        prompt, names = np.arange(len(rows)), tuple(map(str, range(len(rows))))
    else:
        factor = c.prompt[rows].compact()
        prompt, names = factor.codes, tuple(map(str, factor.labels))
    weight = np.ones(len(rows)) if c.row_weight is None else c.row_weight[rows]
    voter = None if c.voter is None else c.voter[rows].compact().codes
    return Paired(names, prompt, share, weight, voter)


def advantage(paired: Paired) -> ScoreAdvantage:
    """B's share of the win, the mean over prompts, and how much that tells.

    Raises InputError where there is one prompt only, which says nothing of others.
    """
    groups = len(paired.names)
    if groups < 2:
        raise InputError(
            "both models are compared on one prompt only, which says nothing of others"
        )
    means = paired.means
    share = float(means.mean())
    clusters = groups
    variance = float(((means - share) ** 2).sum()) / (groups * (groups - 1))
    if paired.voter is not None and (voters := distinct(paired.voter)) >= ENOUGH_VOTERS:
        both = _two_way(paired, share)
        if both > variance:
            variance, clusters = both, min(groups, voters)
    return ScoreAdvantage(
        share=share,
        prompts=groups,
        comparisons=len(paired),
        scale=paired.scale,
        count=effective(share, variance, groups),
        freedom=clusters - 1,
    )


def effective(share: float, variance: float, groups: int) -> float:
    """How many independent prompts, each won or lost, would tell as much.

    share: in [0, 1]. variance: of that share. groups: how many prompts there are.
    A variance that happens to be next to nothing is not believed: see `least_share`.
    """
    coin = share * (1.0 - share) / groups
    if coin <= 0.0:
        return float(groups)
    return groups / max(variance / coin, least_share(groups))


def _two_way(paired: Paired, share: float) -> float:
    """The variance where prompts and voters are drawn (Cameron, Gelbach and Miller 2011)."""
    assert paired.voter is not None
    groups, voters = len(paired.names), distinct(paired.voter)
    part = paired.inner * (paired.share - share) / groups
    cell = paired.prompt.astype(np.int64) * (int(paired.voter.max()) + 1) + paired.voter
    cells = np.unique(cell, return_inverse=True)[1]
    found = 0.0
    for sign, codes, count in (
        (1, paired.prompt, groups),
        (1, paired.voter, voters),
        (-1, cells, 0),
    ):
        sums = totals(codes, part, int(codes.max()) + 1)
        few = count / (count - 1) if count > 1 else 1.0
        found += sign * few * float(sums @ sums)
    return found
