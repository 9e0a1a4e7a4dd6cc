"""From stored rows to comparisons: what each source has to say about pairs of models."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arena.benchmarks.items.dimensions import dimension_of
from arena.benchmarks.scores import BenchmarkScore, Objective, Ways, objective
from arena.judging.report_card.orders import JudgeReport
from arena.leaderboard.board import NO_FACTS, ModelFacts
from arena.leaderboard.evidence.counted_votes import counted_votes, vote_comparisons
from arena.leaderboard.evidence.groups import GROUPINGS, Group, Styles, votes_in
from arena.leaderboard.evidence.judged import from_judges
from arena.leaderboard.evidence.lost import lost_battles
from arena.leaderboard.evidence.rules import ALL, VoteRules
from arena.leaderboard.facts import model_facts
from arena.ratings import STYLE_NAMES, Comparisons, capped
from arena.records import Note
from arena.records.errors import InputError
from arena.store import Store
from arena.store.columns import (
    CodedVotes,
)

NOT_KNOWN: Mapping[str, JudgeReport] = {}


@dataclass(frozen=True, slots=True)
class Gathered:
    """All evidence of a store as comparisons, by source.

    decisions: the judges' comparisons with each pair decided as their verdicts say, whatever the
    odds of these; what a panel's majority counts. notes: what was left out, and why. answered: the
    models that have answers, compared or not. facts: of each model beside its rating; none where
    only a group was asked for. unread: by judge, how many pairs do not count because an order of
    them could not be read.
    """

    human: Comparisons | None
    judges: dict[str, Comparisons]
    decisions: dict[str, Comparisons]
    objective: dict[str, Comparisons]
    reports: dict[str, JudgeReport]
    benchmarks: tuple[BenchmarkScore, ...]
    dimensions: tuple[BenchmarkScore, ...]
    notes: tuple[Note, ...]
    answered: frozenset[str]
    facts: Mapping[str, ModelFacts]
    unread: Mapping[str, int] = field(default_factory=dict)

    @property
    def comparisons(self) -> list[Comparisons]:
        """Those of every source, whoever made them."""
        human = [] if self.human is None else [self.human]
        return [*human, *self.judges.values(), *self.objective.values()]


def gather(
    store: Store,
    group: Group | None = None,
    style: Sequence[str] = (),
    rules: VoteRules = ALL,
    ways: Ways = (),
    *,
    whole: Mapping[str, JudgeReport] = NOT_KNOWN,
) -> Gathered:
    """Read the store. Categories and languages are of prompts, so they leave benchmarks out.

    style: which counts of `arena.ratings.Style` the comparisons of answers are to carry.
    ways: of asking benchmarks; see `scores.objective`. whole: the judges' reports on all prompts,
    where a group is asked for and they have been made already.
    """
    if unknown := set(style) - set(STYLE_NAMES):
        raise InputError(f"--style {sorted(unknown)[0]!r}; allowed are {', '.join(STYLE_NAMES)}")
    texts = {a.key: "\n".join(a.turns) for a in store.answers.where()} if style else {}
    votes, left_out = counted_votes(store, rules)
    results = _objective(store, group, ways)
    styles = Styles(texts, tuple(style))
    lost = lost_battles(store, group) if rules.lose else []
    if lost:
        left_out.append(Note.of("answers.lost", count=len({row[:2] for row in lost})))
    unread = Counter[str]()
    judges, decisions, reports, notes = from_judges(
        store, votes, group, styles, lost, whole, unread
    )
    return Gathered(
        human=_votes(store, votes, group, styles, rules.cap),
        judges=judges,
        decisions=decisions,
        objective=results.comparisons,
        reports=reports,
        benchmarks=results.scores,
        dimensions=results.dimensions,
        notes=(*left_out, *notes, *results.notes),
        answered=_answered(store, group),
        facts=model_facts(store) if group is None else NO_FACTS,
        unread=unread,
    )


def _answered(store: Store, group: Group | None) -> frozenset[str]:
    """The models with an answer that can be read, to any prompt of a group."""
    if group is None:
        return frozenset(store.evidence.who_answered())
    places = store.evidence.what_was_answered()
    return frozenset(model for model, *place in places if group.has_prompt(*place))


def groups(store: Store, by: str, ways: Ways = ()) -> list[Group]:
    """What the prompts and benchmarks of a store can be grouped by.

    ways: of asking benchmarks. One that was asked in several ways is a group for each of them,
    first for the way that stands for it.
    """
    if by not in GROUPINGS:
        raise InputError(f"--by {by!r}; allowed are {', '.join(GROUPINGS)}")
    scores = objective(store.evidence.outcomes(), ways).scores
    if by == "benchmark":
        asked = {(s.benchmark, s.variant): s for s in sorted(scores, key=lambda s: s.primary)}
        several = Counter(benchmark for benchmark, _ in asked)
        order = sorted(asked.values(), key=lambda s: (s.benchmark, not s.primary, s.variant))
        return [
            Group(by, s.benchmark, s.variant if several[s.benchmark] > 1 else None) for s in order
        ]
    if by == "dimension":
        values = {dimension_of(category) for category in store.prompts.distinct("category")}
        values |= {score.dimension for score in scores}
    else:
        values = set(store.prompts.distinct(by))
    return [Group(by, value) for value in sorted(values - {""})]


def _objective(store: Store, group: Group | None, ways: Ways) -> Objective:
    """What benchmarks say, of one group if it holds any."""
    found = objective(store.evidence.outcomes(), ways)
    if group is None:
        return found
    if group.way is not None:
        return _asked_so(store, group, group.way)
    scores = tuple(s for s in found.scores if group.has_benchmark(s.benchmark, s.dimension))
    names = {score.benchmark for score in scores}
    return Objective(
        scores,
        {name: part for name, part in found.comparisons.items() if name in names},
        tuple(d for d in found.dimensions if group.has_benchmark("", d.dimension)),
        found.notes if names else (),
    )


def _asked_so(store: Store, group: Group, way: str) -> Objective:
    """What one way of asking a benchmark says, whichever way stands for it elsewhere."""
    found = objective(store.evidence.outcomes(), ((group.value, (way,)),))
    scores = tuple(s for s in found.scores if s.benchmark == group.value and s.variant == way)
    comparisons = {n: part for n, part in found.comparisons.items() if n == group.value}
    return Objective(scores, comparisons, (), ())


def _votes(
    store: Store, votes: CodedVotes, group: Group | None, styles: Styles, cap: float | None
) -> Comparisons | None:
    votes = votes_in(votes, group)
    if not len(votes):
        return None
    style = None
    if styles.names:
        sides = votes.answer_a.tolist(), votes.answer_b.tolist()
        keys = store.evidence.answer_keys({*sides[0], *sides[1]})
        style = styles.differences(*([keys[number] for number in side] for side in sides))
    comparisons = vote_comparisons(votes, style)
    return comparisons if cap is None else capped(comparisons, cap)
