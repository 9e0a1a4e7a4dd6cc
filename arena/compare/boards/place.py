"""One new model onto a board that stays as it is."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from arena.ratings import WEAK_PRIOR, Comparisons, NextPair, bradley_terry
from arena.ratings.arrays import Floats, Ints, totals
from arena.ratings.combined.battles import battle_groups
from arena.ratings.intervals.sandwich import least_share
from arena.ratings.pairing.draws import EXPLORATION
from arena.ratings.scale import MEAN, POINTS_PER_LOG
from arena.records import counted
from arena.records.errors import InputError

STEPS = 100
SETTLED = 1e-10


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model stands on a board. All in Elo points of the board, whose mean is 1000.

    low, high: the interval at `confidence`. own, board: standard errors by the model's own
    comparisons, and by what is not known of its opponents. comparisons, opponents: it rests on.
    prior: standard deviation of the prior that it took because the model won or lost everything.
    rank: its place among all, from 1.
    """

    model: str
    rating: float
    low: float
    high: float
    own: float
    board: float
    comparisons: int
    opponents: int
    rank: int
    models: int
    confidence: float
    prior: float | None = None


def place(pool: Comparisons, own: Comparisons, model: str, confidence: float = 0.95) -> Placement:
    """The rating of one model, with the ratings of the pool held as they are.

    pool: comparisons of the others with each other; rows of `model` in it are left out. own: its
    comparisons with them; opponents that the pool does not have are left out.

    The variance is that of the likelihood's own root, clustered by battle (the same two answers
    to the same prompt), plus gᵀVg: V is the board's covariance, and g how much the rating moves
    with each opponent's. Raises InputError where the model met nobody of the pool.
    """
    others = [name for name in pool.models if name != model]
    board = bradley_terry(pool.among(others), prior="auto")
    assert board.covariance is not None
    theta = (board.ratings - MEAN) / POINTS_PER_LOG
    opponent, outcome, cluster = _met(own, model, board.models)
    undecided = 0.0 < float(outcome.sum()) < len(outcome)
    precision = 0.0 if undecided else (POINTS_PER_LOG / WEAK_PRIOR) ** 2
    strength = _root(outcome, theta[opponent], precision)
    p = 1.0 / (1.0 + np.exp(theta[opponent] - strength))
    weight = p * (1.0 - p)
    information = float(weight.sum()) + precision
    pull = totals(opponent, weight, len(theta)) / information
    groups = int(cluster.max()) + 1
    scores = totals(cluster, outcome - p, groups)
    spread = float(scores @ scores) * groups / max(1, groups - 1)
    # Where the few rows happen to fit too well, that is not believed; see `least_share`.
    meat = max(spread, least_share(groups) * float(weight.sum())) + precision
    variance = meat / information**2
    of_board = float(pull @ board.covariance @ pull) / POINTS_PER_LOG**2
    half = float(t.ppf(0.5 + confidence / 2.0, max(1, groups - 1)))
    half *= POINTS_PER_LOG * math.sqrt(variance + of_board)
    rating = MEAN + POINTS_PER_LOG * strength
    return Placement(
        model=model,
        rating=rating,
        low=rating - half,
        high=rating + half,
        own=POINTS_PER_LOG * math.sqrt(variance),
        board=POINTS_PER_LOG * math.sqrt(of_board),
        comparisons=len(outcome),
        opponents=len(np.unique(opponent)),
        rank=1 + int((board.ratings > rating).sum()),
        models=len(board.models) + 1,
        confidence=confidence,
        prior=None if undecided else WEAK_PRIOR,
    )


def next_opponents(
    pool: Comparisons,
    own: Comparisons | None,
    model: str,
    n: int,
    allowed: Iterable[str],
    seed: int,
) -> list[NextPair]:
    """The next n comparisons of a model that tell most of its rating, each with its propensity.

    own: its comparisons so far. allowed: opponents that it can be compared with. `next_pairs`
    would lower the variance of all ratings; here it is that of one, and the board stays. Of k
    comparisons with an opponent whose rating has variance v, each of information w = p(1 - p),
    the rating gains k w / (1 + k w v): opponents that are near, well known and new come first.
    A tenth of the draws is spread evenly.
    """
    others = [name for name in pool.models if name != model]
    board = bradley_terry(pool.among(others), prior="auto")
    assert board.covariance is not None
    theta = (board.ratings - MEAN) / POINTS_PER_LOG
    free = np.isin(np.array(board.models, dtype=object), list(allowed))
    if n < 1 or not free.any():
        raise InputError(f"there is no model of the board that {model!r} could be compared with")
    times, strength = np.zeros(len(theta)), 0.0
    if own is not None:
        opponent, outcome, _ = _met(own, model, board.models)
        times = totals(opponent, None, len(theta))
        strength = _root(outcome, theta[opponent], (POINTS_PER_LOG / WEAK_PRIOR) ** 2)
    p = 1.0 / (1.0 + np.exp(theta - strength))
    weight, variance = p * (1.0 - p), np.diagonal(board.covariance) / POINTS_PER_LOG**2
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(n):
        now, then = (k * weight / (1.0 + k * weight * variance) for k in (times, times + 1.0))
        gain = np.where(free, then - now, 0.0)
        chance = (1.0 - EXPLORATION) * gain / gain.sum() + EXPLORATION * free / free.sum()
        k = int(rng.choice(len(theta), p=chance / chance.sum()))
        times[k] += 1.0
        sides = (model, board.models[k]) if rng.random() < 0.5 else (board.models[k], model)
        drawn.append(NextPair(*sides, float(chance[k])))
    return drawn


def _nothing_compares(model: str) -> str:
    return (
        f"nothing of this kind of evidence compares {model!r} with any model of the board; "
        "--evidence takes another kind: human, judge or objective"
    )


def _met(own: Comparisons, model: str, models: tuple[str, ...]) -> tuple[Ints, Floats, Ints]:
    """Opponents as codes among `models`, the model's shares of the win, codes of battles."""
    if model not in own.models:
        raise InputError(_nothing_compares(model))
    code = own.models.index(model)
    codes = {name: k for k, name in enumerate(models)}
    other = np.where(own.i == code, own.j, own.i)
    place_of = np.array([codes.get(name, -1) for name in own.models])
    rows = ((own.i == code) | (own.j == code)) & (place_of[other] >= 0)
    if not rows.any():
        raise InputError(_nothing_compares(model))
    outcome = np.where(own.i == code, own.outcome, 1.0 - own.outcome)[rows]
    kept = own.select(rows)
    battles = np.arange(len(kept)) if kept.prompt is None else battle_groups(kept).codes
    return place_of[other[rows]], outcome, np.unique(battles, return_inverse=True)[1]


def _root(outcome: Floats, against: Floats, precision: float) -> float:
    """The log-strength at which as much is won as is expected; precision: of a prior at 0."""
    strength = 0.0
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(against - strength))
        slope = float((p * (1.0 - p)).sum()) + precision
        step = (float((outcome - p).sum()) - precision * strength) / slope
        strength += max(-1.0, min(1.0, step))
        if abs(step) < SETTLED:
            break
    return strength


@dataclass(frozen=True, slots=True)
class PredictedOther:
    """How the prediction does on a model whose votes are known. All in Elo points."""

    model: str
    predicted: float
    known: float


@dataclass(frozen=True, slots=True)
class Predicted:
    """What people would say of a model, by a judge. All in Elo points of people's board.

    low, high: an interval of jackknife+ (Barber and others 2021). left_out: each calibrated model
    predicted by the others.
    """

    model: str
    rating: float
    low: float
    high: float
    left_out: tuple[PredictedOther, ...]


def predicted(
    people: Comparisons, judge: Comparisons, model: str, confidence: float = 0.95
) -> Predicted:
    """Predict people's rating of a model from a judge's, by the models that both have rated.

    The interval holds with at least 1 - 2 (1 - confidence) for any models drawn alike, and close
    to `confidence` in practice. Raises InputError for fewer than 10 models with both.
    """
    mine = [name for name in people.models if name != model]
    votes = bradley_terry(people.among(mine), prior="auto", interval=None)
    said = bradley_terry(judge, prior="auto", interval=None)
    by_judge = dict(zip(said.models, said.ratings.tolist(), strict=True))
    if model not in by_judge:
        raise InputError(f"the judge has not compared {model!r} with any model")
    shared = [k for k, name in enumerate(votes.models) if name in by_judge]
    if len(shared) < 10:
        raise InputError(
            f"people and the judge have both rated {counted(len(shared), 'model')}; a prediction "
            "takes 10"
        )
    known = votes.ratings[shared]
    x = np.array([by_judge[votes.models[k]] for k in shared])
    own, guesses, residuals, rows = by_judge[model], [], [], []
    for k in range(len(x)):
        kept = np.arange(len(x)) != k
        slope, level = np.polyfit(x[kept], known[kept], 1)
        guess = float(slope * x[k] + level)
        rows.append(PredictedOther(votes.models[shared[k]], guess, float(known[k])))
        residuals.append(abs(guess - float(known[k])))
        guesses.append(float(slope * own + level))
    slope, level = np.polyfit(x, known, 1)
    low, high = _jackknife_plus(np.array(guesses), np.array(residuals), confidence)
    return Predicted(model, float(slope * own + level), low, high, tuple(rows))


def _jackknife_plus(guesses: Floats, residuals: Floats, confidence: float) -> tuple[float, float]:
    """Infinite where there are too few models for the level."""
    n = len(guesses)
    place_of = math.ceil(confidence * (n + 1))
    if place_of > n:
        return -math.inf, math.inf
    upper = np.sort(guesses + residuals)[place_of - 1]
    lower = np.sort(guesses - residuals)[n - place_of]
    return float(lower), float(upper)
