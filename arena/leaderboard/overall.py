"""Ratings by one kind of evidence alone, by all kinds together, and their stated mean.

Whoever asks for the ratings by votes, by judges or by benchmarks gets them from `alone`: the
ranking by that kind, the combined ranking where nothing else is there, a file of battles, the
overall column, the app and the site. So they cannot differ.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from arena.errors import TooFewError
from arena.leaderboard.board import Fit
from arena.ratings import (
    CombinedResult,
    Comparisons,
    Method,
    Part,
    RatingResult,
    Unrated,
    bradley_terry,
    combine,
    concat,
    overall,
    unrated,
    without,
)
from arena.records import Evidence
from arena.store.versions import old_versions

WEIGHTS = {"human": 0.5, "judge": 0.25, "objective": 0.25}
# What of a `Fit` is not a setting of the engine.
_POLICY = (
    "method",
    "panel",
    "min_valid",
    "neutral",
    "weights",
    "rules",
    "min_comparisons",
    "judges",
    "ways",
)
# Comparisons by source, by kind of evidence.
Kinds = Mapping[Evidence, Mapping[str, Comparisons]]


@dataclass(frozen=True, slots=True)
class Alone:
    """Ratings by one kind of evidence alone. unrated: the models that it does not place yet."""

    ratings: RatingResult
    unrated: tuple[Unrated, ...]


@dataclass(frozen=True, slots=True)
class Overall:
    """weights: by kind of evidence, summing to 1. parts: the ratings by each kind alone.

    whole: their mean over the models that all kinds rate.
    """

    weights: dict[str, float]
    parts: dict[str, RatingResult]
    whole: RatingResult


def alone(sources: Mapping[str, Comparisons], fit: Fit) -> Alone:
    """The ratings by one kind of evidence: all its sources together, every comparison the same.

    sources: comparisons by name, at least one. Raises TooFewError where no model can be placed,
    and UndeterminedError where `fit` allows no prior and the comparisons do not determine the
    ratings.
    """
    options = {name: value for name, value in asdict(fit).items() if name not in _POLICY}
    together = concat(list(sources.values()))
    left_out = unrated([together], fit.least, replaced=old_versions(together.models))
    placed = without(together, left_out)
    assert placed is not None  # whoever is rated has comparisons with others who are
    return Alone(bradley_terry(placed, **options), left_out)


def overall_ratings(
    kinds: Mapping[str, Mapping[str, Comparisons]],
    weights: Mapping[str, float],
    fit: Fit,
    main: str,
) -> Overall | None:
    """Benchmarks together with votes and judges; None where either side is not there.

    kinds: comparisons by source, by kind, of those in `WEIGHTS`. weights: taken as shares of
    their sum over the kinds that are there. fit: of the kind `main`, on which the ranking
    stands; of the others, which know neither its voters nor its styles, only the prior and the
    confidence.
    """
    there = {kind: part for kind, part in kinds.items() if part and weights.get(kind, 0.0) > 0}
    if "objective" not in there or len(there) < 2:
        return None
    own = replace(fit, anchor=None)
    plain = Fit(confidence=fit.confidence, prior=fit.prior, min_comparisons=fit.min_comparisons)
    parts = {}
    for kind, part in there.items():
        with suppress(TooFewError):  # a kind that places no model yet has no share
            parts[kind] = alone(part, own if kind == main else plain).ratings
    if "objective" not in parts or len(parts) < 2:
        return None
    sum_of = sum(weights[kind] for kind in parts)
    shares = {kind: weights[kind] / sum_of for kind in parts}
    whole = overall(
        [Part(shares[kind], part, kind != "objective") for kind, part in parts.items()], "overall"
    )
    return None if whole is None else Overall(shares, parts, whole)


def pooled(objective: Mapping[str, Comparisons]) -> dict[str, Comparisons]:
    """All benchmarks as one source, every item counting the same: few items rate no model."""
    if len(objective) < 2:
        return dict(objective)
    parts = [replace(part, source=None) for part in objective.values()]
    return {f"{len(parts)} benchmarks": concat(parts)}


def has_help(kinds: Kinds) -> bool:
    """Whether judges or benchmarks stand beside people's votes."""
    others = kinds[Evidence.JUDGE], kinds[Evidence.OBJECTIVE]
    return bool(kinds[Evidence.HUMAN]) and any(others)


def _linked(
    kinds: Kinds, heard: Collection[Evidence], fit: Fit
) -> tuple[Kinds, tuple[Unrated, ...]]:
    """All the evidence among the models that the kinds that are heard can place; and the others."""
    everybody = {m for sources in kinds.values() for part in sources.values() for m in part.models}
    parts = [part for kind in heard for part in kinds[kind].values()]
    left_out = unrated(parts, fit.least, everybody, old_versions(everybody))
    linked = {
        kind: {
            name: placed
            for name, part in sources.items()
            if (placed := without(part, left_out)) is not None
        }
        for kind, sources in kinds.items()
    }
    return linked, left_out


# The kinds of evidence that a way to combine them hears; the others change no rating.
_HEARD: Mapping[str, tuple[Evidence, ...]] = {
    Method.HIERARCHICAL: (Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE),
    Method.STACKED: (Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE),
    Method.PPI: (Evidence.HUMAN, Evidence.JUDGE),
    Method.JOINT: (Evidence.HUMAN, Evidence.JUDGE),
    Method.HUMAN: (Evidence.HUMAN,),
    Method.JUDGE_ONLY: (Evidence.JUDGE,),
}


def together(kinds: Kinds, fit: Fit) -> tuple[CombinedResult, tuple[Unrated, ...]]:
    """The ratings of the models that the method's own evidence can place; and the other models.

    Which method it is depends on the evidence that is left, so it is asked again until all fits.
    """
    kinds, left_out = _linked(kinds, tuple(kinds), fit)
    while True:
        result = combine(
            kinds[Evidence.HUMAN].get("votes"),
            kinds[Evidence.JUDGE],
            kinds[Evidence.OBJECTIVE],
            method=fit.method,
            cluster=fit.cluster,
            confidence=fit.confidence,
            anchor=fit.anchor,
            prior=None if isinstance(fit.prior, str) else fit.prior,
        )
        heard = _HEARD.get(result.settings.method, (Evidence.OBJECTIVE,))
        kinds, more = _linked(kinds, heard, fit)
        if not more:
            return result, tuple(sorted(left_out, key=lambda one: one.model))
        left_out += more
