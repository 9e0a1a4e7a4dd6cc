"""How few votes decide who is first.

The effect of leaving a row out on a difference of two ratings is its score times the
inverse Hessian (Broderick, Giordano, Meager 2020). Rows are left out in the order of that
effect, and the answer is confirmed by an exact fit without them.
"""

from dataclasses import dataclass, replace

import numpy as np

from arena.ratings.arrays import Floats, Ints
from arena.ratings.comparisons import Comparisons, require_comparisons
from arena.ratings.fitting.fitted import HalfFit, fit_half
from arena.ratings.fitting.likelihood import fit_counts, precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.pairs import count_pairs
from arena.ratings.threads import on_one_thread
from arena.records.errors import RatingError

RIVALS = 5
FLAT_PRIOR = 4000.0


@dataclass(frozen=True, eq=False)
class Influence:
    """The fewest rows found whose removal changes the first place (an upper bound).

    first, successor: models before and after. rows: (k,) indices of the rows. voters: whose
    they are and how many of each, most first; empty without a voter column.
    """

    first: str
    successor: str
    rows: Ints
    voters: tuple[tuple[str, int], ...]


@on_one_thread
def influence(c: Comparisons, *, prior: float = FLAT_PRIOR) -> Influence:
    """The smallest set of votes found that holds up the first place.

    prior: a very weak one in Elo points, for fits that removal leaves without a finite answer.
    """
    require_comparisons(c, "influence")
    fitted = fit_half(c, precision_of(len(c.models), prior))
    best_first = np.argsort(-fitted.theta)
    top, rivals = int(best_first[0]), best_first[1 : 1 + RIVALS]
    found = [rows for rival in rivals if (rows := _unseat(fitted, top, int(rival))).size]
    if not found:
        raise RatingError(f"no removal of votes was found that unseats {c.models[top]}.")
    rows = min(found, key=len)
    after = _without(fitted, rows)
    return Influence(c.models[top], c.models[int(np.argmax(after))], rows, _voters(c, rows))


def _unseat(fitted: HalfFit, top: int, rival: int) -> Ints:
    """Rows to leave out so that the rival passes the top, fewest by their effects."""
    c, theta = fitted.c, fitted.theta
    inverse = bread(fitted.hessian, len(theta))
    residual, _ = fitted.row_scores()
    lever = inverse[top] - inverse[rival]
    effect = residual * (lever[c.i] - lever[c.j])
    order = np.argsort(-effect, kind="stable")
    gain = np.cumsum(effect[order])
    enough = int(np.searchsorted(gain, theta[top] - theta[rival])) + 1
    low, high = 0, min(2 * enough, int((effect > 0).sum()))
    if not _passed(fitted, order[:high], top):
        return order[:0]
    while high - low > 1:
        middle = (low + high) // 2
        if _passed(fitted, order[:middle], top):
            high = middle
        else:
            low = middle
    return np.sort(order[:high])


def _passed(fitted: HalfFit, rows: Ints, top: int) -> bool:
    return len(rows) < len(fitted.c) and int(np.argmax(_without(fitted, rows))) != top


def _without(fitted: HalfFit, rows: Ints) -> Floats:
    """(models,) log-strengths by the other rows."""
    c, whole = fitted.c, fitted.c.pair_counts
    weight, importance = (None if w is None else w[rows] for w in (c.weight, c.importance))
    part = count_pairs(len(c.models), c.i[rows], c.j[rows], c.outcome[rows], weight, importance)
    # What rounding leaves of a pair that is left out altogether must not fall below nothing.
    wins, ties = np.maximum(whole.wins - part.wins, 0.0), np.maximum(whole.ties - part.ties, 0.0)
    rest = replace(whole, wins=wins, ties=ties, battles=whole.battles - part.battles)
    return fit_counts(rest, fitted.precision)[0]


def _voters(c: Comparisons, rows: Ints) -> tuple[tuple[str, int], ...]:
    if c.voter is None:
        return ()
    codes, counts = np.unique(c.voter.codes[rows], return_counts=True)
    order = np.lexsort((codes, -counts))
    return tuple((str(c.voter.labels[codes[k]]), int(counts[k])) for k in order)
