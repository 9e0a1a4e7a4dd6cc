"""How to rank, as options: what counts, how the engine rates, and how kinds are combined."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from arena.cli.options import split
from arena.records import Cluster, Evidence, Interval, Method, PanelRule, Ties
from arena.records.errors import InputError, UnknownNameError

if TYPE_CHECKING:  # numpy stays out of `arena --help`
    from arena.leaderboard.board import Policy
    from arena.leaderboard.evidence.rules import VoteRules
    from arena.store import Store


class ClusterOption(StrEnum):
    """What `--cluster` takes: the clusters, and none of them."""

    AUTO = Cluster.AUTO
    PROMPT = Cluster.PROMPT
    VOTER = Cluster.VOTER
    BATTLE = Cluster.BATTLE
    SOURCE = Cluster.SOURCE
    NONE = "none"


AllowWeak = Annotated[
    bool,
    typer.Option(
        "--allow-weak-judges",
        help="Let judges count that are left out otherwise, because they follow the order of the "
        "answers, or agree with people no more often than by chance.",
    ),
]
JudgesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--judges",
        metavar="NAMES",
        help="Count the verdicts of these judges only, as in --judges a,b. Without it those under "
        "judges: in arena.yaml count, or all where none is there.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatCounts:
    """The evidence that a ranking stands on; every command that ranks a database has these."""

    heading: ClassVar[str] = "What counts"

    evidence: Annotated[
        Evidence | None,
        typer.Option(
            help="Rank by one kind of evidence alone: human for people's votes, judge for the "
            "verdicts of judge models, objective for benchmarks. combined takes all of it.",
            show_default="combined",
        ),
    ] = None
    allow_weak_judges: AllowWeak = False
    judges: JudgesOption = None

    def applied(self, store: "Store", policy: "Policy") -> "Policy":
        """The policy of a database with what these options change; raises UnknownNameError."""
        names, known = split(self.judges), {judge.name for judge in store.judges.where()}
        for name in names:
            if name not in known:
                raise UnknownNameError("judge", name, known)
        return replace(
            policy,
            evidence=self.evidence or policy.evidence,
            allow_weak_judges=self.allow_weak_judges or policy.allow_weak_judges,
            judges=tuple(names) or policy.judges,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToRate:
    """Options of the rating engine."""

    heading: ClassVar[str] = "How the engine rates"

    confidence: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            max=0.9999,
            help="How sure the intervals are. With 0.95, nineteen of twenty intervals hold the "
            "rating that endless votes would give.",
            show_default="0.95",
        ),
    ] = None
    interval: Annotated[
        Interval,
        typer.Option(
            help="How intervals are made: sandwich uses a formula and takes no time, bootstrap "
            "ranks a thousand resamples of the votes."
        ),
    ] = Interval.SANDWICH
    cluster: Annotated[
        ClusterOption,
        typer.Option(
            help="What comparisons have in common, so that together they tell less than "
            "independent ones. With voter, two votes of one person tell less than votes of two "
            "people. auto takes the prompt where there are more prompts than models, else the "
            "pair of answers (battle)."
        ),
    ] = ClusterOption.AUTO
    ties: Annotated[
        Ties,
        typer.Option(
            help="What a tie counts as: half gives each side half a win, davidson and rao-kupper "
            "are models of how often ties happen."
        ),
    ] = Ties.HALF
    style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Rate the models as if their answers were alike in this: length, headers, lists, "
            "bold or code, as in --style length,lists. With FILE, a column of it.",
        ),
    ] = None
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL=POINTS",
            help="Shift all ratings so that this model has this many points, as in --anchor "
            "gpt-4=1200.",
            show_default="the mean is 1000",
        ),
    ] = None
    prior: Annotated[
        float | None,
        typer.Option(
            min=1,
            metavar="POINTS",
            help="Draw ratings towards their mean, as a model that won everything has no finite "
            "rating. POINTS is the standard deviation that ratings are expected to have; the "
            "smaller it is, the stronger it draws.",
            show_default="400 where votes leave a rating open, else none",
        ),
    ] = None

    def applied(self, policy: "Policy") -> "Policy":
        """The policy with these options of the engine; raises InputError."""
        none = self.cluster is ClusterOption.NONE
        fit = replace(
            policy.fit,
            prior="auto" if self.prior is None else self.prior,
            interval=self.interval,
            ties=self.ties,
            cluster=None if none else Cluster(self.cluster),
            style=tuple(split(self.style)),
            anchor=_anchor(self.anchor),
            confidence=policy.fit.confidence if self.confidence is None else self.confidence,
        )
        return replace(policy, fit=fit)


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToCombine:
    """What is made of several judges, and of several kinds of evidence."""

    heading: ClassVar[str] = "How evidence is combined"

    method: Annotated[
        Method,
        typer.Option(
            help="How judges and benchmarks help people's votes: hierarchical takes them as what "
            "to expect, stacked does so with all judges as one, ppi corrects them by the votes, "
            "joint rates judges and models at once, human takes the votes alone, judge-only the "
            "judges. docs/judging.md explains them."
        ),
    ] = Method.AUTO
    panel: Annotated[
        PanelRule | None,
        typer.Option(
            help="Let all judges together count as one judge, who says what most of them say "
            "(majority), or their mean."
        ),
    ] = None
    min_valid: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="With --panel: leave out the pairs of answers that fewer than N judges compared.",
        ),
    ] = 1
    neutral: Annotated[
        bool,
        typer.Option(
            "--neutral",
            help="Leave out what a judge says of models of its own family, as a Qwen judge says "
            "of Qwen models.",
        ),
    ] = False
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="KIND=SHARE,…",
            help="How much each kind of evidence counts in the overall column, as in --weights "
            "human=0.5,judge=0.25,objective=0.25.",
            show_default="as in the example",
        ),
    ] = None

    def applied(self, policy: "Policy") -> "Policy":
        """The policy with these options; raises InputError."""
        return replace(
            policy,
            method=self.method,
            panel=self.panel,
            min_valid=self.min_valid,
            neutral=self.neutral,
            weights=policy.weights if self.weights is None else _weights(self.weights),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichVotes:
    """Whose votes count, and how many a model needs."""

    heading: ClassVar[str] = "Which votes count"

    min_comparisons: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="List a model with fewer than N comparisons below the table, as not rated yet.",
            show_default="5, or 1 where no model has 5, and in a file",
        ),
    ] = None
    without_flagged: Annotated[
        bool,
        typer.Option(
            "--without-flagged",
            help="Leave out the votes of people whom arena audit votes flags.",
        ),
    ] = False
    keep_leaked: Annotated[
        bool,
        typer.Option(
            "--keep-leaked",
            help="Also count votes on answers that say which model wrote them. They are left out "
            "otherwise, because such a vote was not blind.",
        ),
    ] = False
    cap: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1.0,
            metavar="SHARE",
            help="Let no voter have more than this share of a model's votes: with 0.1, what one "
            "person votes beyond a tenth counts for less.",
            show_default="no limit",
        ),
    ] = None

    @property
    def needs_database(self) -> bool:
        """Whether an option is given that a file of battles cannot follow."""
        return self.without_flagged or self.keep_leaked or self.cap is not None

    def least(self, policy: "Policy") -> "Policy":
        """The policy with the comparisons that a model needs, if any number is asked for."""
        if self.min_comparisons is None:
            return policy
        return replace(policy, min_comparisons=self.min_comparisons)

    def applied(self, store: "Store", policy: "Policy") -> "Policy":
        """The policy with these votes of a database."""
        policy = self.least(policy)
        return replace(policy, rules=self._rules(store, policy))

    def _rules(self, store: "Store", policy: "Policy") -> "VoteRules":
        from arena.leaderboard.vote_audit import vote_report

        rules = policy.rules
        rules = replace(rules, keep_leaked=self.keep_leaked or rules.keep_leaked)
        if self.cap is not None:
            rules = replace(rules, cap=self.cap)
        if self.without_flagged:
            flagged = vote_report(store, replace(policy, rules=rules)).flagged
            rules = replace(rules, without=flagged)
        return rules


def _weights(text: str) -> tuple[tuple[str, float], ...]:
    """`KIND=SHARE,…` as the configuration would have it."""
    from pydantic import ValidationError

    from arena.config import Weights

    given = dict(part.partition("=")[::2] for part in text.split(","))
    absent = dict.fromkeys(Weights.model_fields, 0.0)
    try:
        return tuple(Weights.model_validate(absent | given).model_dump().items())
    except ValidationError as error:
        raise InputError(
            f"--weights {text!r}; it takes human=N,judge=N,objective=N, with N of 0 or more"
        ) from error


def _anchor(text: str | None) -> tuple[str, float] | None:
    """`MODEL=POINTS`; a model's name may hold an equals sign itself."""
    if text is None:
        return None
    model, _, points = text.rpartition("=")
    try:
        rating = float(points)
    except ValueError:
        rating = math.nan
    if not model or not math.isfinite(rating):
        raise InputError(f"--anchor {text!r}; it takes MODEL=POINTS, as in gpt-4=1200")
    return model, rating
