"""Ratings by one kind of evidence alone, by all kinds together, and their stated mean.

Whoever asks for the ratings by votes, by judges or by benchmarks gets them from `alone`: the
ranking by that kind, the combined ranking where nothing else is there, a file of battles, the
overall column, the app and the site. So they cannot differ.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil

from arena.leaderboard.board import Policy
from arena.ratings import (
    CombinedResult,
    Comparisons,
    FitOptions,
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
from arena.records import Evidence, Note
from arena.records.errors import TooFewError
from arena.records.names import old_versions

WEIGHTS: Mapping[str, float] = {"human": 0.5, "judge": 0.25, "objective": 0.25}
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


def alone(sources: Mapping[str, Comparisons], policy: Policy) -> Alone:
    """The ratings by one kind of evidence: all its sources together, every comparison the same.

    sources: comparisons by name, at least one. Raises TooFewError where no model can be placed,
    and UndeterminedError where the policy allows no prior and the comparisons do not determine the
    ratings.
    """
    together = concat(list(sources.values()))
    old = old_versions(together.models, policy.in_use)
    left_out = unrated([together], policy.least, replaced=old)
    placed = without(together, left_out)
    assert placed is not None  # whoever is rated has comparisons with others who are
    return Alone(bradley_terry(placed, policy.fit), left_out)


def overall_ratings(
    kinds: Kinds, policy: Policy, main: Evidence, waits: Evidence | None = None
) -> Overall | Note:
    """Benchmarks together with votes and judges; a note that says why where there is no mean.

    kinds: comparisons by source, by kind, of those in `WEIGHTS`. policy: its weights are taken as
    shares of their sum over the kinds that are there. Its fit is of the kind `main`, on which the
    ranking stands; of the others, which know neither its voters nor its styles, only the prior
    and the confidence count. waits: a kind of too little evidence, which has no share yet.
    """
    weights = dict(policy.weights) or WEIGHTS
    there = {kind: part for kind, part in kinds.items() if part}
    if Evidence.OBJECTIVE not in there:
        return Note.of("overall.no_benchmarks")
    if len(there) < 2:
        return Note.of("overall.benchmarks_alone")
    there = {kind: part for kind, part in there.items() if weights.get(kind, 0.0) > 0}
    if Evidence.OBJECTIVE not in there or len(there) < 2:
        return Note.of("overall.weights")
    fit = policy.fit
    own = replace(policy, fit=replace(fit, anchor=None))
    plain = replace(policy, fit=FitOptions(confidence=fit.confidence, prior=fit.prior))
    parts = {}
    for kind, part in there.items():
        if kind is waits:
            continue
        with suppress(TooFewError):  # a kind that places no model yet has no share
            parts[kind] = alone(part, own if kind is main else plain).ratings
    if Evidence.OBJECTIVE not in parts or len(parts) < 2:
        few = tuple(Note.of(f"by.{kind}") for kind in there if kind not in parts)
        return Note.of("overall.too_few", by=few)
    sum_of = sum(weights[kind] for kind in parts)
    shares = {str(kind): weights[kind] / sum_of for kind in parts}
    whole = overall(
        [Part(shares[kind], part, kind is not Evidence.OBJECTIVE) for kind, part in parts.items()],
        "overall",
    )
    if whole is None:
        return Note.of("overall.nobody_in_all", by=tuple(Note.of(f"by.{kind}") for kind in parts))
    return Overall(shares, {str(kind): part for kind, part in parts.items()}, whole)


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


def waiting(kinds: Kinds, policy: Policy, least: int) -> tuple[Note, ...]:
    """Why votes do not count beside judges or benchmarks yet; nothing where they do.

    A ranking that votes anchor is not sharper than the votes, so that a few would spoil one that
    judges can make. They anchor it once there are as many as give every model that votes or judges
    compared `least` on average, and half of these models have `least` by votes alone.

    least: comparisons that a model needs, as the policy was asked for.
    """
    if not has_help(kinds) or policy.method != Method.AUTO:  # whoever names a method gets it
        return ()
    votes = concat(list(kinds[Evidence.HUMAN].values()))
    judged = {model for part in kinds[Evidence.JUDGE].values() for model in part.models}
    everybody = judged.union(votes.models)
    old = old_versions(everybody, policy.in_use)
    models = everybody.difference(old)
    placed: set[str] = set()
    with suppress(TooFewError):
        left_out = unrated([votes], least, replaced=old)
        placed = models.intersection(votes.models) - {one.model for one in left_out}
    count = len(votes) if votes.weight is None else int(votes.weight.sum())
    needed, half = ceil(least * len(models) / 2), ceil(len(models) / 2)
    if count >= needed and len(placed) >= half:
        return ()
    said = {"count": count, "needed": needed, "half": half, "least": least, "placed": len(placed)}
    return (Note.of("ratings.votes_wait", **said),)


def _linked(
    kinds: Kinds, heard: Collection[Evidence], policy: Policy
) -> tuple[Kinds, tuple[Unrated, ...]]:
    """All the evidence among the models that the kinds that are heard can place; and the others."""
    everybody = {m for sources in kinds.values() for part in sources.values() for m in part.models}
    parts = [part for kind in heard for part in kinds[kind].values()]
    left_out = unrated(parts, policy.least, everybody, old_versions(everybody, policy.in_use))
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
    Method.PPI: (Evidence.HUMAN,),  # what judges say of a model without votes places it nowhere
    Method.JOINT: (Evidence.HUMAN, Evidence.JUDGE),
    Method.HUMAN: (Evidence.HUMAN,),
    Method.JUDGE_ONLY: (Evidence.JUDGE,),
}


def together(kinds: Kinds, policy: Policy) -> tuple[CombinedResult, tuple[Unrated, ...]]:
    """The ratings of the models that the method's own evidence can place; and the other models.

    Which method it is depends on the evidence that is left, so it is asked again until all fits.
    """
    kinds, left_out = _linked(kinds, tuple(kinds), policy)
    while True:
        result = combine(
            kinds[Evidence.HUMAN].get("votes"),
            kinds[Evidence.JUDGE],
            kinds[Evidence.OBJECTIVE],
            policy.method,
            policy.fit.shared(),
        )
        heard = _HEARD.get(result.settings.method, (Evidence.OBJECTIVE,))
        kinds, more = _linked(kinds, heard, policy)
        if not more:
            return result, tuple(sorted(left_out, key=lambda one: one.model))
        left_out += more
