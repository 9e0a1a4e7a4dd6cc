"""A ranking as it is shown, and how it was asked for."""

from dataclasses import dataclass, field
from typing import Any, Literal

from arena.config import RankSettings
from arena.judging.report import JudgeReport
from arena.objective import BenchmarkScore
from arena.ratings import Coefficient, Settings, Source
from arena.records import Evidence
from arena.votes import ALL, VoteRules

Prior = float | Literal["auto"] | None


@dataclass(frozen=True, slots=True)
class Fit:
    """How to rate: arguments of `arena.ratings.bradley_terry`, which says what they mean.

    prior: `auto` takes a stated one only where the data does not determine the ratings.
    method: of `arena.ratings.combine`; goes with all the evidence together. panel: judges
    count as one, by `majority` or `mean`, where at least `min_valid` of them compared.
    neutral: a judge has no say on models of its own family. weights: of votes, judges and
    benchmarks in the overall column, by kind; see `overall.WEIGHTS`. rules: which votes count.
    """

    confidence: float = 0.95
    prior: Prior = "auto"
    interval: str = "sandwich"
    ties: str = "half"
    cluster: str | None = "auto"
    style: tuple[str, ...] = ()
    anchor: tuple[str, float] | None = None
    method: str = "auto"
    panel: str | None = None
    min_valid: int = 1
    neutral: bool = False
    weights: tuple[tuple[str, float], ...] = ()
    rules: VoteRules = ALL

    @classmethod
    def configured(cls, rank: RankSettings, **others: Any) -> "Fit":
        """As `rank:` of arena.yaml has it, but for `others`."""
        weights = tuple(rank.weights.model_dump().items())
        rules = VoteRules(keep_leaked=rank.keep_leaked, cap=rank.cap)
        settled: dict[str, Any] = {
            "confidence": rank.confidence,
            "weights": weights,
            "rules": rules,
        }
        return cls(**settled | others)


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
class Mark:
    """What a page says at one model or one source, instead of above the ranking.

    subject: the name of a model, or of a source among `Leaderboard.counts`.
    """

    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A ranking and what it stands on.

    label: `human-anchored`, `judge-only`, `objective-only`, or `as given` for a file of
    battles. settings: of the fit. counts: comparisons by source. notes: sentences that must
    be shown wherever the ranking is. marks: what concerns one model or source. marked: the notes
    that say the same in running text, which pages with marks leave out. effects: of style, and
    of ties, in log-odds. sources: what a combined ranking made of each. group: the category or
    language that it is restricted to, empty for all. dimensions: means of benchmarks by
    capability. overall: the weighted mean of `parts`, the ratings by each kind of evidence;
    weights: of the kinds, which sum to 1.
    """

    evidence: Evidence
    label: str
    settings: Settings
    rows: tuple[Row, ...]
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
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
    marked: tuple[str, ...] = ()

    @property
    def general(self) -> tuple[str, ...]:
        """The notes that no mark stands for."""
        return tuple(note for note in self.notes if note not in self.marked)

    def marks_of(self, subject: str) -> tuple[str, ...]:
        """The sentences at one model or source."""
        return tuple(mark.sentence for mark in self.marks if mark.subject == subject)

    @property
    def method(self) -> str:
        """The settings in words."""
        return describe(self.settings)

    @property
    def confidence(self) -> float:
        """What share of the intervals covers the truth, if all is as assumed."""
        return self.settings.confidence


def describe(settings: Settings) -> str:
    """A fit's settings in words."""
    parts = [_METHODS.get(settings.method, settings.method), f"ties: {settings.ties}"]
    if settings.interval:
        cluster = f" clustered by {settings.cluster}" if settings.cluster else ""
        parts.append(f"{settings.confidence:.0%} {settings.interval} intervals{cluster}")
    if settings.weighting:
        parts.append(f"weighted by inverse {settings.weighting}")
    if settings.prior:
        parts.append(f"normal prior with a standard deviation of {settings.prior:.0f} points")
    if settings.style:
        parts.append(f"style held equal: {', '.join(settings.style)}")
    if settings.anchor:
        parts.append("{} fixed at {:g}".format(*settings.anchor))
    return ", ".join(parts)


_METHODS = {
    "bradley-terry": "Bradley–Terry",
    "human": "Bradley–Terry on votes",
    "hierarchical": "votes with a prior learned from judges and benchmarks (hierarchical)",
    "ppi": "prediction-powered Bradley–Terry (PPI++)",
    "joint": "one Bradley–Terry model of all raters (joint)",
}
