"""Prediction-powered ratings: votes, plus what judges say where there are no votes.

PPI++ (Angelopoulos, Duchi, Zrnic 2023) on the Bradley–Terry score: the votes' score, plus
λ times the difference between a prediction's mean score on all battles and on the battles
with votes. Right whatever the judges are worth, if the battles with votes are a random
sample of all; λ minimises the variance of the ratings, and is 0 for a useless judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from arena.ratings.arrays import Floats, Ints, distinct
from arena.ratings.combined.battles import BattleRows
from arena.ratings.fitting.likelihood import fit_counts, prior_precision, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich
from arena.ratings.intervals.lonely import GroupedRows, covariance_by_groups
from arena.ratings.pairs import PairCounts

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Powered:
    """theta, covariance: (m,), (m, m) log-strengths with mean 0. groups: independent ones.

    weights: (k,) of the judges in the stacked prediction. power: λ in [0, 1].
    """

    theta: Floats
    covariance: Floats
    weights: Floats
    power: float
    groups: int


@dataclass(frozen=True, eq=False)
class _Prediction:
    """Battles with a stacked prediction (n,) of i's share, and whether they have votes."""

    battles: BattleRows
    share: Floats
    votes: Floats


def ppi(
    human: BattleRows, judges: Sequence[BattleRows], models: int, prior: float | None
) -> Powered:
    """Prediction-powered ratings from battles numbered alike in all sources."""
    precision = prior_precision(models, prior)
    prediction, weights = _stacked(human, judges)
    theta, hessian = fit_counts(_points(human, prediction, 0.0, models), precision)
    groups = human.group, prediction.battles.group
    own, help_ = _scores(human, prediction, theta, *groups)
    inverse = bread(hessian, models)
    power = power_of(own @ inverse, help_ @ inverse)
    for _ in range(2):
        counts = _points(human, prediction, power, models)
        theta, hessian = fit_counts(counts, precision)
    inverse = bread(hessian, models)
    information = hessian if precision is None else hessian - precision
    freedom = float((inverse * information).sum())

    def covariance(codes: Ints) -> Floats:
        """By the groups of the battles with votes, and then of all those with predictions."""
        votes, others = np.split(codes, [len(human.key)])
        own, help_ = _scores(human, prediction, theta, votes, others)
        count = distinct(votes)
        meat = sandwich.cluster_meat(own + power * help_) * sandwich.inflation(count, freedom)
        meat = sandwich.at_least(meat, inverse, information, count)
        return sandwich.covariance(inverse, meat, precision)

    battles = np.concatenate([human.key, prediction.battles.key])
    rows = _rows(human, prediction.battles, theta)
    found = covariance_by_groups(covariance, rows, [lambda: battles])
    return Powered(theta, found, weights, power, distinct(human.group))


def _rows(human: BattleRows, others: BattleRows, theta: Floats) -> GroupedRows:
    """The battles with votes, which alone say anything, and then those with predictions."""
    p = win_probability(theta)[human.i, human.j]
    said = np.concatenate([human.weight * p * (1.0 - p), np.zeros(len(others.key))])
    group, i, j = (
        np.concatenate([getattr(human, name), getattr(others, name)])
        for name in ("group", "i", "j")
    )
    return GroupedRows(group, i, j, said, len(theta))


def _stacked(human: BattleRows, judges: Sequence[BattleRows]) -> tuple[_Prediction, Floats]:
    """One prediction for each judged battle, fitted to the votes of other groups."""
    union = _union(judges)
    features = np.zeros((len(union.key), len(judges)))
    for k, judge in enumerate(judges):
        features[np.searchsorted(union.key, judge.key), k] = judge.outcome - 0.5
    votes, share = np.zeros(len(union.key)), np.zeros(len(union.key))
    voted = np.isin(human.key, union.key)
    rows = np.searchsorted(union.key, human.key[voted])
    votes[rows], share[rows] = human.weight[voted], human.outcome[voted] - 0.5
    # Groups, not battles, go into folds together.
    fold = np.unique(union.group, return_inverse=True)[1] % FOLDS
    fits = np.stack(
        [
            _least_squares(features, share, np.where(fold == held, 0.0, votes))
            for held in range(FOLDS)
        ]
    )
    inside = np.einsum("nk,nk->n", features, fits[fold])
    predicted = np.where(votes > 0, inside, features @ fits.mean(axis=0))
    return _Prediction(union, np.clip(0.5 + predicted, 0.0, 1.0), votes), fits.mean(axis=0)


def _union(judges: Sequence[BattleRows]) -> BattleRows:
    """Every battle that some judge has seen, once, ordered by key."""
    columns = {
        name: np.concatenate([getattr(judge, name) for judge in judges])
        for name in ("key", "group", "i", "j", "outcome", "weight")
    }
    _, first = np.unique(columns["key"], return_index=True)
    key, group, i, j, outcome, weight = (column[first] for column in columns.values())
    return BattleRows(key, group, i, j, outcome, weight)


def _least_squares(features: Floats, share: Floats, weight: Floats) -> Floats:
    """(k,) coefficients without an intercept, so that sides may be swapped."""
    root = np.sqrt(weight)
    solution = np.linalg.lstsq(features * root[:, None], share * root)[0]
    return np.asarray(solution, dtype=np.float64)


def _rectifier(prediction: _Prediction) -> Floats:
    """(n,) weight of each prediction: its part in all battles minus that among the voted."""
    votes = prediction.votes
    rectifier: Floats = -votes
    rectifier += float(votes.sum()) / len(votes)
    return rectifier


def _points(human: BattleRows, prediction: _Prediction, power: float, models: int) -> PairCounts:
    """Pair counts whose Bradley–Terry score is the prediction-powered one.

    Single counts may be negative; the number played is not, so the loss stays convex.
    """
    points = np.zeros((models, models))
    extra = power * _rectifier(prediction)
    for battles, weight, share in (
        (human, human.weight, human.outcome),
        (prediction.battles, extra, prediction.share),
    ):
        np.add.at(points, (battles.i, battles.j), weight * share)
        np.add.at(points, (battles.j, battles.i), weight * (1.0 - share))
    none = np.zeros_like(points)
    return PairCounts(points, none, none, none, (points + points.T).sum(axis=1), is_hard=False)


def _scores(
    human: BattleRows, prediction: _Prediction, theta: Floats, votes: Ints, others: Ints
) -> tuple[csr_array, csr_array]:
    """Scores by group, (g, m) each: of the votes, and of the predictions at λ = 1.

    votes, others: (n,) the groups of the battles of both.
    """
    p = win_probability(theta)
    battles = prediction.battles
    groups = int(max(votes.max(), others.max())) + 1
    own = human.weight * (human.outcome - p[human.i, human.j])
    help_ = _rectifier(prediction) * (prediction.share - p[battles.i, battles.j])
    return (
        sandwich.cluster_scores(votes, human.i, human.j, own, len(theta), clusters=groups),
        sandwich.cluster_scores(others, battles.i, battles.j, help_, len(theta), clusters=groups),
    )


def power_of(own: Floats, help_: Floats) -> float:
    """λ in [0, 1] with the least total variance of own + λ help."""
    scale = float((help_**2).sum())
    return 0.0 if scale == 0.0 else float(np.clip(-(own * help_).sum() / scale, 0.0, 1.0))
