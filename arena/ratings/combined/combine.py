"""One ranking of people's votes, judges' verdicts and benchmarks' results.

The estimand is always the human-preference rating. Every result says which evidence it
stands on: how many comparisons of each source, how each was weighed, and a label.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Unpack

import numpy as np

from arena.ratings.arrays import Ints
from arena.ratings.bradley_terry import bradley_terry, rate, wald
from arena.ratings.combined.battles import (
    AUTO,
    BATTLE,
    independent_groups,
    match,
    one_per_battle,
    rows_of_battles,
)
from arena.ratings.combined.combined_result import CombinedResult, Label, Source
from arena.ratings.combined.hierarchical import PriorColumn, hierarchical
from arena.ratings.combined.joint import joint
from arena.ratings.combined.ppi import ppi
from arena.ratings.combined.stacked import predict, stacked
from arena.ratings.comparisons import Comparisons, concat, require_comparisons
from arena.ratings.factors import union
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.options import CombineChanges, CombineOptions, choice
from arena.ratings.result import RatingResult, Settings
from arena.ratings.scale import MEAN, WEAK_PRIOR, to_points
from arena.ratings.threads import on_one_thread
from arena.records import Method
from arena.records.errors import InputError

# Below this many models a spread of residuals cannot be learned.
FEWEST_MODELS = 8


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What was given, over the same models."""

    models: tuple[str, ...]
    human: Comparisons | None
    judges: Mapping[str, Comparisons]
    objective: Mapping[str, Comparisons]
    settings: Settings
    asked: float | None

    @property
    def prior(self) -> float:
        """The prior of methods that combine."""
        return WEAK_PRIOR if self.asked is None else self.asked

    @cached_property
    def single(self) -> dict[str, Comparisons]:
        """Judges with one observation per battle."""
        return {name: one_per_battle(c) for name, c in self.judges.items()}


@on_one_thread
def combine(
    human: Comparisons | None = None,
    judges: Mapping[str, Comparisons] | None = None,
    objective: Mapping[str, Comparisons] | None = None,
    method: str = Method.AUTO,
    options: CombineOptions | None = None,
    **changes: Unpack[CombineChanges],
) -> CombinedResult:
    """Human-preference ratings from all the evidence, in Elo points, mean 1000.

    human: people's votes. judges, objective: comparisons by the name of the judge or benchmark.
    method: "hierarchical" (default with votes, judges or benchmarks, and 8 models), "stacked",
        "ppi", "joint", "human", "judge-only" (default without votes), or "auto".
    options: how to rate; see `CombineOptions`. Its clusters are those of votes: judges and
        benchmarks always take "auto".
    changes: options given one by one, as in `combine(votes, judges, seed=1)`.

    Where the prior is None or "auto", methods that combine take one of 400 points, and ratings
    by one kind of evidence alone take it only where that evidence does not determine them, as
    `bradley_terry` with prior="auto".
    """
    asked = replace(options or CombineOptions(), **changes)
    prior = None if isinstance(asked.prior, str) else asked.prior
    settings = Settings(
        method=choice(Method, method, "method"),
        interval="sandwich",
        cluster=asked.cluster,
        confidence=asked.confidence,
        prior=WEAK_PRIOR if prior is None else prior,
        seed=asked.seed,
        anchor=asked.anchor,
    )
    evidence = _aligned(human, judges or {}, objective or {}, settings, prior)
    if evidence.human is None and not evidence.judges and settings.method == Method.AUTO:
        return _objective_only(evidence)
    chosen = _method(evidence)
    return METHODS[chosen](replace(evidence, settings=replace(settings, method=chosen)))


def _aligned(
    human: Comparisons | None,
    judges: Mapping[str, Comparisons],
    objective: Mapping[str, Comparisons],
    settings: Settings,
    prior: float | None,
) -> _Evidence:
    for kind, given in (("judges", judges), ("objective", objective)):
        if not isinstance(given, Mapping):
            raise InputError(f"{kind} is {type(given).__name__}; it maps names to Comparisons.")
    # Sources are taken in the order of their names, so that theirs does not matter.
    parts = [*([human] if human is not None else []), *judges.values(), *objective.values()]
    for part in parts:
        require_comparisons(part, "combine")
    if not parts:
        raise InputError("there is no evidence: give votes, judges or objective results.")
    models = tuple(sorted({name for part in parts for name in part.models}))
    return _Evidence(
        models,
        None if human is None else human.aligned(models),
        {name: judges[name].aligned(models) for name in sorted(judges)},
        {name: objective[name].aligned(models) for name in sorted(objective)},
        settings,
        prior,
    )


def _method(evidence: _Evidence) -> Method:
    asked = Method(evidence.settings.method)
    if asked == Method.AUTO:
        return _best_method(evidence)
    if evidence.human is None and asked not in (Method.JUDGE_ONLY, Method.JOINT):
        raise InputError(f"method={str(asked)!r} needs votes; without them leave it out.")
    if not evidence.judges and asked == Method.JUDGE_ONLY:
        raise InputError("method='judge-only' needs a judge's verdicts.")
    return asked


def _best_method(evidence: _Evidence) -> Method:
    if evidence.human is None:
        return Method.JUDGE_ONLY
    if len(evidence.models) >= FEWEST_MODELS and (evidence.judges or evidence.objective):
        return Method.HIERARCHICAL
    prompts = [c.prompt for c in (evidence.human, *evidence.judges.values())]
    if evidence.judges and all(prompt is not None for prompt in prompts):
        return Method.PPI
    return Method.HUMAN


def _alone(c: Comparisons, evidence: _Evidence, cluster: str | None = AUTO) -> RatingResult:
    """Ratings by one kind of evidence alone, over the models that it compared."""
    s = evidence.settings
    return bradley_terry(
        c.observed(),
        cluster=cluster,
        confidence=s.confidence,
        prior="auto" if evidence.asked is None else evidence.asked,
        seed=s.seed,
        anchor=s.anchor,
    )


def _human(evidence: _Evidence) -> CombinedResult:
    plain = _alone(_votes(evidence), evidence, evidence.settings.cluster)
    settings = replace(plain.settings, method=Method.HUMAN)
    return _from(plain, settings, Label.HUMAN_ANCHORED, _sources(evidence))


def _judge_only(evidence: _Evidence) -> CombinedResult:
    """Every row of every judge weighs the same."""
    plain = _alone(concat(list(evidence.judges.values())), evidence)
    settings = replace(plain.settings, method=Method.JUDGE_ONLY)
    weights = dict.fromkeys(evidence.judges, 1.0)
    return _from(plain, settings, Label.JUDGE_ONLY, _sources(evidence, weights))


def _hierarchical(evidence: _Evidence) -> CombinedResult:
    votes = _votes(evidence)
    if not evidence.judges and not evidence.objective:
        return _human(evidence)
    s = evidence.settings
    name, codes = independent_groups(votes, s.cluster)
    posterior = hierarchical(votes, _columns(evidence), codes, evidence.prior)
    names = [*evidence.judges, *evidence.objective]
    weights = dict(zip(names, posterior.weights.tolist(), strict=True))
    settings = replace(s, cluster=name, clusters=_count(codes))
    spread = wald(posterior.theta, posterior.covariance, s.confidence, posterior.freedom)
    rated = rate(votes, posterior.theta, spread, settings)
    return _from(
        rated,
        settings,
        Label.HUMAN_ANCHORED,
        _sources(evidence, weights),
        parameters=(("tau", posterior.tau), ("design effect", posterior.design_effect)),
        predicted=to_points(posterior.predicted) - MEAN + rated.ratings.mean(),
    )


def _stacked(evidence: _Evidence) -> CombinedResult:
    votes = _votes(evidence)
    if not evidence.judges:
        settings = replace(evidence.settings, method=Method.HIERARCHICAL)
        return _hierarchical(replace(evidence, settings=settings))
    s = evidence.settings
    name, codes = independent_groups(votes, s.cluster)
    prediction = predict(votes, list(evidence.single.values()), codes, evidence.prior)

    def columns(one: Comparisons) -> list[PriorColumn]:
        return _rated([one, *evidence.objective.values()], evidence)

    found = stacked(prediction, votes, columns, codes, evidence.prior)
    posterior = found.posterior
    names = [*evidence.judges, *evidence.objective]
    weights = [*found.judges.tolist(), *posterior.weights[1:].tolist()]
    settings = replace(s, cluster=name, clusters=_count(codes))
    spread = wald(posterior.theta, posterior.covariance, s.confidence, posterior.freedom)
    rated = rate(votes, posterior.theta, spread, settings)
    return _from(
        rated,
        settings,
        Label.HUMAN_ANCHORED,
        _sources(evidence, dict(zip(names, weights, strict=True))),
        parameters=(
            ("tau", posterior.tau),
            ("design effect", posterior.design_effect),
            ("power", found.power),
            *((f"style {name}", weight) for name, weight in found.style.items()),
        ),
        predicted=to_points(posterior.predicted) - MEAN + rated.ratings.mean(),
    )


def _ppi(evidence: _Evidence) -> CombinedResult:
    votes = _votes(evidence)
    if not evidence.judges:
        return _human(evidence)
    s = evidence.settings
    asked, _ = independent_groups(votes, s.cluster)
    # What judges share with people is prompts or battles, never voters.
    name = BATTLE if asked == BATTLE else "prompt"
    battles = match([votes, *evidence.single.values()], by_prompt=name != BATTLE)
    powered = ppi(battles[0], battles[1:], len(evidence.models), s.prior)
    settings = replace(s, method=Method.PPI, cluster=name, clusters=powered.groups)
    spread = wald(powered.theta, powered.covariance, s.confidence, powered.groups - 1)
    weights = dict(zip(evidence.judges, powered.weights.tolist(), strict=True))
    return _from(
        rate(votes, powered.theta, spread, settings),
        settings,
        Label.HUMAN_ANCHORED,
        _sources(evidence, weights),
        parameters=(("power", powered.power),),
    )


def _joint(evidence: _Evidence) -> CombinedResult:
    s = evidence.settings
    if not evidence.judges:
        return _human(evidence)
    originals = _originals(evidence.judges)
    heard = sorted(set(originals.values()), key=list(originals).index)
    judges = [rows_of_battles(evidence.judges[name]) for name in heard]
    sources = judges if evidence.human is None else [evidence.human, *judges]
    name, groups = _shared_groups(sources)
    precision = precision_of(len(evidence.models), evidence.prior)
    fitted = joint(evidence.human, judges, groups, precision)
    settings = replace(s, cluster=name)
    spread = wald(fitted.theta, fitted.covariance, s.confidence)
    discrimination = dict(zip(heard, fitted.discrimination.tolist(), strict=True))
    bias = dict(zip(heard, fitted.bias.tolist(), strict=True))
    weights = {name: discrimination[original] for name, original in originals.items()}
    biases = {name: bias[original] for name, original in originals.items()}
    label = Label.JUDGE_ONLY if evidence.human is None else Label.HUMAN_ANCHORED
    return _from(
        rate(concat(sources), fitted.theta, spread, settings),
        settings,
        label,
        _sources(evidence, weights, biases),
    )


def _originals(judges: Mapping[str, Comparisons]) -> dict[str, str]:
    """For each judge the first one that says the same of the same battles: itself, or a copy's."""
    if any(c.prompt is None for c in judges.values()):
        return {name: name for name in judges}
    _, codes = union([c.group("prompt") for c in judges.values()])
    said = {}
    for (name, c), code in zip(judges.items(), codes, strict=True):
        rows = np.array([code, c.i, c.j, c.outcome])
        said[name] = rows[:, np.lexsort(rows)]
    return {
        name: next(other for other in judges if np.array_equal(said[other], rows))
        for name, rows in said.items()
    }


def _objective_only(evidence: _Evidence) -> CombinedResult:
    plain = _alone(concat(list(evidence.objective.values())), evidence)
    return _from(plain, plain.settings, Label.OBJECTIVE_ONLY, _sources(evidence))


METHODS: Mapping[Method, Callable[[_Evidence], CombinedResult]] = MappingProxyType(
    {
        Method.HIERARCHICAL: _hierarchical,
        Method.STACKED: _stacked,
        Method.PPI: _ppi,
        Method.JOINT: _joint,
        Method.HUMAN: _human,
        Method.JUDGE_ONLY: _judge_only,
    }
)


def _from(
    plain: RatingResult,
    settings: Settings,
    label: Label,
    sources: tuple[Source, ...],
    **others: Any,
) -> CombinedResult:
    base = {column.name: getattr(plain, column.name) for column in fields(RatingResult)}
    return CombinedResult(**{**base, "settings": settings}, label=label, sources=sources, **others)


def _votes(evidence: _Evidence) -> Comparisons:
    if evidence.human is None:
        raise InputError("this method needs votes.")
    return evidence.human


def _columns(evidence: _Evidence) -> list[PriorColumn]:
    """Own ratings of judges and benchmarks; a model that one never saw is rated as average."""
    return _rated([*evidence.single.values(), *evidence.objective.values()], evidence)


def _rated(sources: Sequence[Comparisons], evidence: _Evidence) -> list[PriorColumn]:
    models = len(evidence.models)
    precision = precision_of(models, evidence.prior)
    _, groups = _shared_groups(sources)
    count = max(int(codes.max()) for codes in groups) + 1
    columns = []
    for c, codes in zip(sources, groups, strict=True):
        fitted = fit_half(c, precision)
        inverse = bread(fitted.hessian, models)
        columns.append(PriorColumn(fitted.theta, fitted.scores(codes, count), inverse, precision))
    return columns


def _shared_groups(
    sources: Sequence[Comparisons],
) -> tuple[str | None, list[Ints]]:
    """Groups of rows numbered alike over sources that answer the same prompts."""
    if any(c.prompt is None for c in sources):
        ends = np.cumsum([len(c) for c in sources])
        return None, np.split(np.arange(ends[-1]), ends[:-1])
    together = concat([replace(c, source=None) for c in sources])
    name, codes = independent_groups(together, AUTO)
    if codes is None:
        codes = np.arange(len(together))
    return name, np.split(codes, np.cumsum([len(c) for c in sources])[:-1])


def _sources(
    evidence: _Evidence,
    weights: Mapping[str, float] | None = None,
    biases: Mapping[str, float] | None = None,
) -> tuple[Source, ...]:
    given = [("human", "human", evidence.human)] if evidence.human is not None else []
    given += [(name, "judge", c) for name, c in evidence.judges.items()]
    given += [(name, "objective", c) for name, c in evidence.objective.items()]
    weights, biases = weights or {}, biases or {}
    return tuple(
        Source(name, kind, len(c), weights.get(name), biases.get(name)) for name, kind, c in given
    )


def _count(codes: Ints | None) -> int | None:
    return None if codes is None else len(np.unique(codes))
