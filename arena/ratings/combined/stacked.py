"""Votes with many judges as one: what people would say of every battle, predicted and rated.

A predictor of a battle's outcome (`prediction`) is fitted to the votes and asked about all judged
battles. The ratings of its predictions are one judge, which the hierarchical model takes as its
prior; the error of its weights is part of the error of that judge. Three things differ from
`hierarchical` with the judges apart:

- *Judges are weighed by battles*, not by models: a few hundred votes tell more about how a judge
  goes with people than some twenty ratings do.
- *Luck is taken out of the votes*: how much better an answer is than its model's usual one, as the
  judges see it, is known for each battle with votes. λ times it is subtracted from the outcome, as
  in prediction-powered inference; λ minimises the variance, and is 0 where judges see no luck.
  Within a pair of models luck is 0 on average over all judged battles, so this favours nobody if
  the battles of a pair that have votes are a random part of its judged ones. Predictions for a
  vote come from votes on other prompts.
- *The residual's spread τ* has a prior: log-normal around 30 points with a factor of 2.5. By
  all votes of the two real sets in bench/RESULTS.md it is 10 and 52 points; a few hundred votes
  hardly tell it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from arena.ratings.arrays import Floats, Ints, distinct, totals
from arena.ratings.combined.battles import match, numbered
from arena.ratings.combined.hierarchical import (
    FLAT_TAU,
    GRID,
    Posterior,
    PriorColumn,
    design_effect,
    effect_of,
    posterior,
)
from arena.ratings.combined.ppi import power_of
from arena.ratings.combined.prediction import (
    Battles,
    Predictor,
    battles_of,
    fitted,
    without_own,
)
from arena.ratings.comparisons import Comparisons
from arena.ratings.factors import Factor
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import fit_counts, precision_of, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.intervals import sandwich
from arena.ratings.pairs import PairCounts

# Median of τ in Elo points, and standard deviation of its logarithm.
USUAL_TAU, TAU_FACTOR = 30.0, 0.9
EXPECTED_TAU = -0.5 * (np.log(GRID / USUAL_TAU) / TAU_FACTOR) ** 2


@dataclass(frozen=True)
class StackingParts:
    """Which parts are on beside the stacking itself; all are, but in benchmarks.

    luck: it is taken out of the votes. doubt: the error of the weights widens intervals.
    spread: τ has a prior.
    """

    luck: bool = True
    doubt: bool = True
    spread: bool = True


ALL = StackingParts()


@dataclass(frozen=True, eq=False)
class Stacked:
    """posterior: of the ratings; its first weight is the scale of the stacked judge.

    judges: (k,) weights of what they say in [-1/2, 1/2], in log-odds. style: weights by
    covariate, in log-odds of one. power: λ.
    """

    posterior: Posterior
    judges: Floats
    style: dict[str, float]
    power: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """What votes and judges on the same battles say together.

    one: the judges as one, a row a judged battle with the predicted share. effect: the votes'
    design effect. number: (n,) of each vote's battle in `battles`, -1 where nobody judged it.
    """

    battles: Battles
    predictor: Predictor
    one: Comparisons
    effect: float
    number: Ints


# Own ratings of judges and benchmarks, as the hierarchical model takes them.
Columns = Callable[[Comparisons], Sequence[PriorColumn]]


def predict(
    human: Comparisons, judges: Sequence[Comparisons], codes: Ints | None, prior: float
) -> Prediction:
    """Many judges as one; judges have one row a battle. codes, prior: as for `stacked`."""
    sources = [human, *judges]
    labels, _, numbers = numbered(sources)
    rows = match(sources, by_prompt=True)
    battles = battles_of(rows[0], rows[1:])
    effect = design_effect(human, codes, prior)
    predictor = fitted(battles, effect)
    one = Comparisons(
        human.models,
        battles.i,
        battles.j,
        predictor.shares(battles.columns),
        prompt=Factor(battles.group.astype(np.int32), labels),
    )
    there = np.minimum(np.searchsorted(battles.key, numbers[0]), len(battles.key) - 1)
    number = np.where(battles.key[there] == numbers[0], there, -1)
    return Prediction(battles, predictor, one, effect, number)


def stacked(
    prediction: Prediction,
    human: Comparisons,
    columns: Columns,
    codes: Ints | None,
    prior: float,
    parts: StackingParts = ALL,
) -> Stacked:
    """The posterior of the human ratings with the judges as one.

    columns: rates the stacked judge and all else that informs the prior, the judge first.
    codes: (n,) independent groups of votes. prior: standard deviation in Elo points, as for
        `hierarchical`.
    """
    first, *others = columns(prediction.one)
    if parts.doubt:
        first = replace(first, doubt=_doubt(prediction, first))
    counts, effect, power = human.pair_counts, prediction.effect, 0.0
    if parts.luck:
        counts, effect, power = _without_luck(prediction, human, codes, prior)
    expected = EXPECTED_TAU if parts.spread else FLAT_TAU
    battles, predictor = prediction.battles, prediction.predictor
    weights = predictor.weights / battles.size
    return Stacked(
        posterior(counts, effect, [first, *others], prior, expected),
        weights[: battles.judges],
        dict(zip(battles.style, weights[battles.judges :].tolist(), strict=True)),
        power,
    )


def _doubt(prediction: Prediction, column: PriorColumn) -> Floats:
    """(m, m) covariance of the stacked judge's ratings by the error of the weights."""
    battles, one = prediction.battles, prediction.one
    pull = (one.outcome * (1.0 - one.outcome))[:, None] * battles.columns
    models = len(column.theta)
    push = np.column_stack(
        [totals(one.i, each, models) - totals(one.j, each, models) for each in pull.T]
    )
    moved = column.inverse @ push
    doubt: Floats = moved @ prediction.predictor.covariance @ moved.T
    return doubt


def _luck(prediction: Prediction, prior: float) -> Floats:
    """(battles,) how much more often i wins the voted battles than its rating says, to judges."""
    battles = prediction.battles
    luck = np.zeros(len(battles.key))
    precision = precision_of(len(prediction.one.models), prior)
    for voted, predictor in without_own(battles, prediction.predictor, prediction.effect):
        one = replace(prediction.one, outcome=predictor.shares(battles.columns))
        expected = win_probability(fit_half(one, precision).theta)
        luck[voted] = (one.outcome - expected[one.i, one.j])[voted]
    return luck


def _without_luck(
    prediction: Prediction, human: Comparisons, codes: Ints | None, prior: float
) -> tuple[PairCounts, float, float]:
    """The votes' pair counts without the luck of their battles, their design effect, and λ."""
    models = len(human.models)
    number, luck = prediction.number, np.append(_luck(prediction, prior), 0.0)
    extra = np.where(human.i < human.j, -1.0, 1.0) * luck[number]
    precision = precision_of(models, prior)
    power = 0.0
    for _ in range(2):
        counts = _counts(human, human.outcome + power * extra)
        theta, hessian = fit_counts(counts, precision)
        inverse = bread(hessian, models)
        expected = win_probability(theta)[human.i, human.j]
        own, help_ = (
            _scores(human, codes, residual) for residual in (human.outcome - expected, extra)
        )
        power = power_of(own @ inverse, help_ @ inverse)
    counts = _counts(human, human.outcome + power * extra)
    theta, hessian = fit_counts(counts, precision)
    inverse = bread(hessian, models)
    residual = human.outcome + power * extra - win_probability(theta)[human.i, human.j]
    meat = sandwich.cluster_meat(_scores(human, codes, residual))
    groups = len(human) if codes is None else distinct(codes)
    freedom = float((inverse * (hessian - precision)).sum())
    return counts, effect_of(inverse, meat, freedom, groups), power


def _scores(human: Comparisons, codes: Ints | None, residual: Floats) -> csr_array:
    """(groups, m) score of the votes' groups; without groups a row of weight w is w rows."""
    weight = np.ones(len(human)) if human.weight is None else human.weight
    scaled = residual * (np.sqrt(weight) if codes is None else weight)
    if human.importance is not None:
        scaled = scaled * human.importance
    rows = np.arange(len(human)) if codes is None else codes
    return sandwich.cluster_scores(rows, human.i, human.j, scaled, len(human.models))


def _counts(human: Comparisons, outcome: Floats) -> PairCounts:
    """Pair counts of outcomes that may lie outside [0, 1]; the number played stays."""
    models = len(human.models)
    weight = np.ones(len(human)) if human.row_weight is None else human.row_weight
    wins = np.zeros((models, models))
    np.add.at(wins, (human.i, human.j), weight * outcome)
    np.add.at(wins, (human.j, human.i), weight * (1.0 - outcome))
    none = np.zeros_like(wins)
    return PairCounts(wins, none, none, none, human.pair_counts.battles, is_hard=False)
