"""What people would say of a battle, predicted from what every judge says of it.

A logistic regression without an intercept, so that sides may be swapped: the log-odds of a vote
for i are the weighted sum of what judges say for i and of differences of style. Weights have a
normal prior of mean 0; its spread is the likeliest one given the votes (type II maximum
likelihood, by Laplace), one spread for judges and one for style. So judges that say nothing get
hardly any weight, and every judge weighs what it tells beside the others.

Columns are brought to one root mean square, so that another scale of a judge changes nothing, and
copies of a judge share the spread of one, so that copies change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.special import expit

from arena.ratings.arrays import Bools, Floats, Ints
from arena.ratings.combined.battles import BattleRows
from arena.ratings.fitting.newton import LocalModel

# Root mean square of each column: that of a judge who always decides, in [-1/2, 1/2].
SIZE = 0.5
# Standard deviations of weights to choose from, of judges and of style, in log-odds.
SPREADS = np.geomspace(0.1, 6.0, 9)
STYLE_SPREADS = np.array([0.03, 0.1, 0.3, 1.0])
# Columns that correlate by more are copies.
COPY = 1.0 - 1e-9
FOLDS = 5
STEPS = 50
TOLERANCE = 1e-9
FLAT = 1e-12


@dataclass(frozen=True, eq=False)
class Battles:
    """Every battle that some judge compared, once, i < j, ordered by key.

    key, group, i, j: as in `BattleRows`. columns: (n, q) what each judge says for i, then
    i's style minus j's, each scaled. size: (q,) what one of a column was before it was scaled.
    judges: how many columns are judges. share, votes: (n,) people's mean share of i and the
    weight of their votes, 0 where there are none.
    """

    key: Ints
    group: Ints
    i: Ints
    j: Ints
    columns: Floats
    size: Floats
    judges: int
    style: tuple[str, ...]
    share: Floats
    votes: Floats


@dataclass(frozen=True, eq=False)
class Predictor:
    """weights: (q,) of the columns in log-odds. covariance: (q, q) of them.

    precision: (q,) of their prior.
    """

    weights: Floats
    covariance: Floats
    precision: Floats

    def shares(self, columns: Floats) -> Floats:
        """(n,) predicted share of i of battles with these columns."""
        return np.asarray(expit(columns @ self.weights))


def battles_of(human: BattleRows, judges: Sequence[BattleRows]) -> Battles:
    """The judged battles and all that is known of them; sources are numbered alike."""
    key, first = np.unique(np.concatenate([judge.key for judge in judges]), return_index=True)
    place = {name: _joined(judges, name)[first] for name in ("group", "i", "j")}
    said = [_column(key, judge.key, judge.outcome - 0.5) for judge in judges]
    names = tuple(sorted(set.intersection(*(set(judge.style) for judge in judges))))
    style = [np.concatenate([judge.style[name] for judge in judges])[first] for name in names]
    seen = [np.isin(key, judge.key) for judge in judges]
    seen += [np.ones(len(key), dtype=bool)] * len(style)
    columns, size = _scaled(np.column_stack([*said, *style]), seen)
    return Battles(
        key=key,
        columns=columns,
        size=size,
        judges=len(judges),
        style=names,
        share=_column(key, human.key, human.outcome),
        votes=_column(key, human.key, human.weight),
        **place,
    )


def _joined(judges: Sequence[BattleRows], name: str) -> Ints:
    return np.concatenate([getattr(judge, name) for judge in judges])


def _column(key: Ints, rows: Ints, values: Floats) -> Floats:
    """(n,) the values at their keys, 0 elsewhere; rows that are not in key are left out."""
    inside = np.isin(rows, key)
    column = np.zeros(len(key))
    column[np.searchsorted(key, rows[inside])] = values[inside]
    return column


def _scaled(columns: Floats, seen: Sequence[Bools]) -> tuple[Floats, Floats]:
    """Columns of one root mean square where they are seen, those of copies divided among them."""
    counts = np.array([max(int(mask.sum()), 1) for mask in seen])
    root = np.sqrt((columns**2).sum(axis=0) / counts)
    size = np.where(root > FLAT, root / SIZE, np.inf)
    scaled = columns / size
    length = np.linalg.norm(scaled, axis=0)
    unit = scaled / np.where(length > 0.0, length, 1.0)
    copies = np.maximum((np.abs(unit.T @ unit) > COPY).sum(axis=0), 1)
    return scaled / np.sqrt(copies), size * np.sqrt(copies)


def fitted(battles: Battles, effect: float) -> Predictor:
    """The predictor by all votes; effect: their design effect."""
    voted = battles.votes > 0.0
    columns, share = battles.columns[voted], battles.share[voted]
    weight = battles.votes[voted] / effect
    style = len(battles.style)
    best, start = None, np.zeros(columns.shape[1])
    for own, other in product(SPREADS, STYLE_SPREADS if style else (1.0,)):
        precision = np.repeat([own**-2.0, other**-2.0], [battles.judges, style])
        start, local = _fit(columns, share, weight, precision, start)
        evidence = -local.value + 0.5 * float(np.log(precision).sum())
        evidence -= 0.5 * float(np.linalg.slogdet(local.hessian)[1])
        if best is None or evidence > best[0]:
            best = evidence, start, local.hessian, precision
    assert best is not None
    return Predictor(best[1], _inverse(best[2]), best[3])


def without_own(
    battles: Battles, predictor: Predictor, effect: float
) -> list[tuple[Ints, Predictor]]:
    """For each fold of prompts the voted battles in it, and the predictor by all other votes.

    predictor: by all votes, whose prior the others take. One prompt alone is its own fold, and
    has nothing else to be predicted from.
    """
    voted = np.flatnonzero(battles.votes > 0.0)
    fold = np.unique(battles.group[voted], return_inverse=True)[1] % FOLDS
    parts = []
    for held in np.unique(fold):
        train = voted[fold != held]
        weights, local = _fit(
            battles.columns[train],
            battles.share[train],
            battles.votes[train] / effect,
            predictor.precision,
            predictor.weights,
        )
        there = replace(predictor, weights=weights, covariance=_inverse(local.hessian))
        parts.append((voted[fold == held], there if train.size else predictor))
    return parts


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _fit(
    columns: Floats, share: Floats, weight: Floats, precision: Floats, start: Floats
) -> tuple[Floats, LocalModel]:
    """The likeliest weights (q,) under a prior, and minus the log-posterior there."""
    x = start
    local = _local(columns, share, weight, precision, x)
    for _ in range(STEPS):
        step = np.linalg.solve(local.hessian, local.gradient)
        there = _local(columns, share, weight, precision, x - step)
        while there.value > local.value + TOLERANCE * (1.0 + abs(local.value)):
            step = step / 2.0
            there = _local(columns, share, weight, precision, x - step)
        x, local = x - step, there
        if np.abs(step).max(initial=0.0) <= TOLERANCE:
            break
    return x, local


def _local(
    columns: Floats, share: Floats, weight: Floats, precision: Floats, x: Floats
) -> LocalModel:
    gap = columns @ x
    p = expit(gap)
    loss = float(weight @ (np.logaddexp(0.0, gap) - share * gap))
    gradient = columns.T @ (weight * (p - share)) + precision * x
    hessian = (columns * (weight * p * (1.0 - p))[:, None]).T @ columns + np.diag(precision)
    return LocalModel(loss + 0.5 * float(precision @ x**2), gradient, hessian)
