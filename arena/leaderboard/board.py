"""A ranking as it is shown, and how it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

from arena.config import LEAST_COMPARISONS, Config, JudgeRun
from arena.leaderboard.evidence.rules import ALL, VoteRules
from arena.ratings import STYLE_NAMES, Coefficient, FitOptions, Method, Settings, Source, Unrated
from arena.records import Evidence, Note

if TYPE_CHECKING:  # a file of battles is ranked without judges, benchmarks and a database
    from arena.benchmarks.scores import BenchmarkScore
    from arena.judging.report_card.orders import JudgeReport
    from arena.store import Store


class Origin(StrEnum):
    """Where a ranking policy is written: in arena.yaml, in the last run's, or nowhere."""

    FILE = "file"
    RUN = "run"
    DEFAULT = "default"


USUAL_FIT = FitOptions(prior="auto")


@dataclass(frozen=True, slots=True)
class Policy:
    """How a database is ranked: the same in the app, on the command line and on the site.

    Which evidence counts, and what is made of it; how the rating engine goes about it is in
    `fit`.

    evidence: what is shown unless another kind is asked for. allow_weak_judges: whether judges
    count that the gate objects to. fit: options of `arena.ratings.bradley_terry`, which says
    what they mean; its prior "auto" takes one only where the data does not determine the ratings.
    origin: where this is written. method: of `arena.ratings.combine`; goes with all the evidence
    together. panel: judges count as one, by `majority` or `mean`, where at least `min_valid` of
    them compared. neutral: a judge has no say on models of its own family. weights: of votes,
    judges and benchmarks in the overall column, by kind; see `overall.WEIGHTS`. rules: which
    votes count. min_comparisons: a model with fewer is not rated yet; None stands for
    LEAST_COMPARISONS, or 1 where no model has as many, and in a file. judges: whose verdicts
    count, by name; all where none is named. ways: by benchmark or group of them, the ways of
    asking whose scores stand for it, the first that there is; see `scores.objective`. in_use: the
    versions of models that are in use, as the store has them. license: of what is published.
    """

    title: str = "Arena"
    evidence: Evidence = Evidence.COMBINED
    allow_weak_judges: bool = False
    fit: FitOptions = USUAL_FIT
    origin: Origin = Origin.DEFAULT
    method: str = Method.AUTO
    panel: str | None = None
    min_valid: int = 1
    neutral: bool = False
    weights: tuple[tuple[str, float], ...] = ()
    rules: VoteRules = ALL
    min_comparisons: int | None = None
    judges: tuple[str, ...] = ()
    ways: tuple[tuple[str, tuple[str, ...]], ...] = ()
    license: str = ""
    in_use: tuple[str, ...] = ()

    @property
    def least(self) -> int:
        """The comparisons that a model needs where models have as many."""
        return self.min_comparisons or LEAST_COMPARISONS

    @classmethod
    def configured(cls, config: Config, origin: Origin = Origin.FILE) -> Self:
        """As `title:`, `rank:`, `judges:` and `benchmarks:` of arena.yaml have it."""
        rank = config.rank
        return cls(
            title=config.title,
            evidence=rank.evidence,
            allow_weak_judges=rank.allow_weak_judges,
            fit=FitOptions(confidence=rank.confidence, prior="auto"),
            origin=origin,
            weights=tuple(rank.weights.model_dump().items()),
            rules=VoteRules(rank.keep_leaked, cap=rank.cap, lose=rank.no_answer == "lose"),
            min_comparisons=rank.min_comparisons,
            judges=_names(config.judges),
            ways=_ways(config),
            license=config.license,
        )


# What of a configuration decides a ranking.
DECISIVE = {"title", "license", "rank", "judges", "benchmarks"}


def policy_of(store: Store, config: Config) -> Policy:
    """The policy of a database: what arena.yaml says, else what its last run was told.

    config: as `arena.config.load_config` gives it. One that sets nothing of what decides
    a ranking, such as that of an app that only shows one, says nothing of it.
    """
    if config.model_fields_set & DECISIVE:
        return Policy.configured(config)
    kept = store.policy()
    if kept is None:
        return Policy()
    return Policy.configured(Config.model_validate_json(kept), Origin.RUN)


def keep_policy(store: Store, config: Config) -> None:
    """Let the ranking of this database be as a run's configuration says, wherever it is shown."""
    store.keep_policy(config.model_dump_json(include=DECISIVE))


def _ways(config: Config) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """How benchmarks are asked; where there are none, nothing that asks them is imported."""
    if not config.benchmarks:
        return ()
    from arena.benchmarks.runs import ways_of

    return ways_of(config.benchmarks)


def _names(judges: Sequence[JudgeRun]) -> tuple[str, ...]:
    """The names of judges; a card that is given as a file is known by that file's name."""
    names = (Path(run.judge).stem if run.judge.endswith(".yaml") else run.judge for run in judges)
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class Row:
    """One model's place.

    rating, ci_low, ci_high: Elo points, mean 1000 over models. rank, rank_low, rank_high:
    from 1 (best). comparisons: pairs that the model took part in. p_best: probability that
    it is the best. predicted: what judges and benchmarks alone say of it on people's scale,
    where they helped the votes.
    """

    model: str
    rating: float
    ci_low: float
    ci_high: float
    rank: int
    rank_low: int
    rank_high: int
    comparisons: int | float
    p_best: float
    predicted: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a reader weighs beside quality. What is not known is None, and never 0.

    input_price, output_price: US dollars for a million tokens. cost_per_1000: dollars that 1,000
    answers would cost at these, replies that were no answers included. first_token: median seconds
    until an answer's first token, thinking included. seconds: median of an answer; where several
    were written at once, its share of their time. tokens_per_second: of one
    answer, median. tokens, thinking_tokens, answer_tokens: written for an answer, mean.
    luck: share of the variance of what judges said of it that comes from which of its samples was
    drawn, with its 95 % interval. no_answer: share of the replies that were no answers.
    context_length: tokens.
    """

    organization: str | None = None
    license: str | None = None
    released: str | None = None
    context_length: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    cost_per_1000: float | None = None
    first_token: float | None = None
    seconds: float | None = None
    tokens_per_second: float | None = None
    tokens: float | None = None
    thinking_tokens: float | None = None
    answer_tokens: float | None = None
    luck: float | None = None
    luck_low: float | None = None
    luck_high: float | None = None
    no_answer: float | None = None


NO_FACTS: Mapping[str, ModelFacts] = {}


# Ways to combine the evidence that count the votes of a model, and nothing else.
_OF_VOTES = (Method.HIERARCHICAL, Method.STACKED, Method.PPI)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a page says at one model or one source, instead of above the ranking.

    subject: the name of a model, or of a source among `Leaderboard.counts`.
    """

    subject: str
    note: Note


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A ranking and what it stands on.

    label: `human-anchored`, `judge-only`, `objective-only`, or `as given` for a file of
    battles. settings: of the fit. counts: comparisons by source. notes: what must be
    shown wherever the ranking is. marks: what concerns one model or source. marked: the notes
    that say the same in running text, which pages with marks leave out. effects: of style, and
    of ties, in log-odds. sources: what a combined ranking made of each. group: the category or
    language that it is restricted to, empty for all. dimensions: means of benchmarks by
    capability. overall: the weighted mean of `parts`, the ratings by each kind of evidence;
    weights: of the kinds, which sum to 1. unrated: the models that the evidence does not place
    yet; min_comparisons: how many comparisons a model needs. judges: those that were chosen and
    are fit to rank by, whatever kind of evidence this ranking is by. facts: what is known of each
    model beside its rating, where all prompts are ranked. replaced: the models that another
    version took the place of, each with the one in use.
    """

    evidence: Evidence
    label: str
    settings: Settings
    rows: tuple[Row, ...]
    counts: dict[str, int]
    notes: tuple[Note, ...] = ()
    effects: tuple[Coefficient, ...] = ()
    sources: tuple[Source, ...] = ()
    group: str = ""
    benchmarks: tuple[BenchmarkScore, ...] = ()
    dimensions: tuple[BenchmarkScore, ...] = ()
    reports: tuple[JudgeReport, ...] = ()
    overall: tuple[Row, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    parts: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    marked: tuple[Note, ...] = ()
    unrated: tuple[Unrated, ...] = ()
    min_comparisons: int = 1
    judges: tuple[str, ...] = ()
    facts: Mapping[str, ModelFacts] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, int]:
        """By model its rank as public boards give it, by the upper end of its interval.

        One more than the number of models whose whole interval lies above its own.
        """
        return {
            row.model: 1 + sum(other.ci_low > row.ci_high for other in self.rows)
            for row in self.rows
        }

    @property
    def counted(self) -> str:
        """What `Row.comparisons` counts: "votes" where judges help them, else "comparisons"."""
        return "votes" if self.settings.method in _OF_VOTES else "comparisons"

    @property
    def placed_by(self) -> str:
        """What a model needs enough of to be rated, and `Unrated.comparisons` counts."""
        by_votes = self.settings.method in (Method.PPI, Method.HUMAN)
        return "votes" if by_votes else "comparisons"

    @property
    def general(self) -> tuple[Note, ...]:
        """The notes that no mark stands for."""
        return tuple(note for note in self.notes if note not in self.marked)

    def marks_of(self, subject: str) -> tuple[Note, ...]:
        """The notes at one model or source."""
        return tuple(mark.note for mark in self.marks if mark.subject == subject)

    @property
    def method(self) -> Note:
        """How it was made."""
        return describe(self.settings)

    @property
    def weighting(self) -> Note | None:
        """What the overall column is, with its weights; None where there is no such column."""
        shares = tuple(
            Note.of("overall.share", kind=Note.of(f"kind.{kind}"), share=share)
            for kind, share in self.weights
        )
        return Note.of("overall.is", shares=shares) if shares else None

    @property
    def confidence(self) -> float:
        """What share of the intervals covers the truth, if all is as assumed."""
        return self.settings.confidence


def describe(settings: Settings) -> Note:
    """How a fit was made: its method, and each setting that is not left out."""
    parts = [Note.of(f"method.{settings.method}"), Note.of(f"method.ties.{settings.ties}")]
    if settings.interval:
        kind = Note.of(f"interval.{settings.interval}")
        interval = Note.of("method.interval", confidence=settings.confidence, kind=kind)
        if settings.cluster:
            cluster = Note.of(f"cluster.{settings.cluster}")
            interval = Note("method.interval.clustered", (*interval.values, ("cluster", cluster)))
        parts.append(interval)
    if settings.weighting:
        parts.append(Note.of("method.weighting", by=settings.weighting))
    if settings.prior:
        parts.append(Note.of("method.prior", points=settings.prior))
    if settings.style:
        names = tuple(_style(name) for name in settings.style)
        parts.append(Note.of("method.style", names=names))
    if settings.anchor:
        model, rating = settings.anchor
        parts.append(Note.of("method.anchor", model=model, rating=rating))
    return Note.of("method", parts=tuple(parts))


def _style(name: str) -> Note | str:
    """A style by its name; a column of a file of battles has its own."""
    return Note.of(f"style.{name}") if name in STYLE_NAMES else name
