"""From stored rows to comparisons: what each source has to say about pairs of models."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from random import Random
from typing import Any

import numpy as np

from arena.benchmarks.items.dimensions import dimension_of
from arena.benchmarks.scores import BenchmarkScore, Objective, Ways, objective
from arena.judging.report_card.orders import JudgedPair, JudgeReport, read_pairs, report
from arena.leaderboard.board import NO_FACTS, ModelFacts
from arena.leaderboard.evidence.counted_votes import counted_votes, vote_comparisons
from arena.leaderboard.evidence.groups import GROUPINGS, Group, Styles, rows_in, votes_in
from arena.leaderboard.evidence.lost import LostBattle, lost_battles
from arena.leaderboard.evidence.rules import ALL, VoteRules
from arena.leaderboard.facts import model_facts
from arena.ratings import STYLE_NAMES, Comparisons, capped, concat, next_pairs
from arena.records import Note, Preference, Prompt
from arena.records.errors import InputError
from arena.store import Store
from arena.store.columns import (
    CodedVotes,
    RankingColumns,
    ScoreColumns,
    VerdictColumns,
    VoteColumns,
)

ROUNDING = 1e-9
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
    judges, decisions, reports, notes = _judges(store, votes, group, styles, lost, whole, unread)
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


Battle = tuple[str, str, str]


def battles_worth_judging(
    store: Store,
    prompts: Sequence[Prompt],
    models: Sequence[str],
    n: int,
    judges: Sequence[str] = (),
    *,
    both_orders: bool = True,
) -> frozenset[Battle]:
    """Up to n battles that are not judged, of the pairs that would tell most about the ranking.

    Those come first that were begun: in one order of both, or by some of the judges, so that a
    run that was killed is taken up. models, judges: all there are, if none are named. Each
    battle is a prompt's key and two models in sorted order, as `judging.Wanted` takes them.
    """
    names = sorted(models or {model.name for model in store.models()})
    gathered = gather(store)
    verdicts = store.evidence.verdicts()
    sources = [gathered.human, *gathered.judges.values(), *gathered.objective.values()]
    wanted = [prompt.key for prompt in prompts]
    judged, begun = _seen(verdicts, judges, both_orders=both_orders)
    here = [(p, a, b) for p, a, b in begun if p in set(wanted) and {a, b} <= set(names)]
    battles, seen, left = set(here[:n]), judged | set(begun), n - len(here)
    known = [c for c in sources if c is not None]
    for a, b in _pairs_to_compare(known, names, left, len(verdicts.judge)) if left > 0 else ():
        shared = {prompt for prompt, _, _ in store.evidence.shared_prompts(a, b)}
        free = [(p, a, b) for p in wanted if p in shared and (p, a, b) not in seen | battles]
        battles |= set(free[:1])
    return frozenset(battles)


def _seen(
    verdicts: VerdictColumns, judges: Sequence[str], *, both_orders: bool
) -> tuple[set[Battle], list[Battle]]:
    """The battles that all of `judges` have judged whole, and those that are only begun."""
    by: defaultdict[Battle, set[str]] = defaultdict(set)
    halves: set[Battle] = set()
    for i, judge in enumerate(verdicts.judge):
        if not judges or judge in judges:
            low, high = sorted((verdicts.model_a[i], verdicts.model_b[i]))
            battle = verdicts.prompt[i], low, high
            by[battle].add(judge)
            if both_orders and verdicts.backward[i] is None:
                halves.add(battle)
    judged = {b for b, seen in by.items() if b not in halves and seen >= set(judges)}
    return judged, [battle for battle in by if battle not in judged]


def _pairs_to_compare(
    known: Sequence[Comparisons], models: Sequence[str], n: int, seed: int
) -> list[tuple[str, str]]:
    """n pairs in sorted order: the most telling ones, or any where nothing is known yet."""
    if len(models) < 2:
        return []
    try:
        drawn = next_pairs(concat(known).among(models), n, seed=seed)
        return [(min(p.model_a, p.model_b), max(p.model_a, p.model_b)) for p in drawn]
    except InputError:
        return Random(seed).choices(list(combinations(models, 2)), k=n)


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


def _judges(
    store: Store,
    votes: CodedVotes,
    group: Group | None,
    styles: Styles,
    lost: Sequence[LostBattle],
    whole: Mapping[str, JudgeReport],
    unread: Counter[str],
) -> tuple[dict[str, Comparisons], dict[str, Comparisons], dict[str, JudgeReport], list[Note]]:
    """Each judge's comparisons, the same as decisions, its report, and what was left out.

    Its verdicts come first, then its rankings and last its scores, each only for pairs that it
    has not compared so far. lost: battles that count as lost for every judge, without its word.
    unread: takes the number of pairs that could not be read.
    """
    rows: defaultdict[str, list[_Row]] = defaultdict(list)
    compared: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
    reports: dict[str, JudgeReport] = {}
    orders, scores = store.evidence.rankings(), store.evidence.scores()
    pairs = store.evidence.verdicts()
    both = pairs, as_verdicts(orders)
    labels = _votes_on(store, votes, {key for v in both for key in (*v.answer_a, *v.answer_b)})
    for verdicts in both:
        for judge, kept in latest(verdicts, rows_in(verdicts, group)).items():
            new = [i for i in kept if _answers(verdicts, i) not in compared[judge]]
            read = read_pairs(verdicts, new)
            unread[judge] += len(new) - len(read)
            rows[judge] += _pair_columns(verdicts, read)
            compared[judge] |= {_answers(verdicts, i) for i in new}
            if judge not in reports:
                reports[judge] = _report(judge, verdicts, labels, kept, group, whole)
    for judge, kept in latest(scores, rows_in(scores, group)).items():
        rows[judge] += _score_columns(scores, kept, compared[judge])
    for judge in [name for name in rows if rows[name]]:
        rows[judge] += _lost_columns(rows[judge], lost)
    older = sum(
        (earlier(said, rows_in(said, group)) for said in (pairs, orders, scores)),
        Counter[str](),
    )
    notes = [
        Note.of("judge.older_card", count=count, judge=judge)
        for judge, count in sorted(older.items())
    ]
    comparisons = {
        judge: _from_rows(rows[judge], judge, styles) for judge in sorted(rows) if rows[judge]
    }
    decisions = {
        judge: replace(c, outcome=np.array([row[-1] for row in rows[judge]]))
        for judge, c in comparisons.items()
    }
    return comparisons, decisions, reports, notes


def _votes_on(store: Store, votes: CodedVotes, answers: set[str]) -> VoteColumns:
    """The votes on pairs of these answers, which are given by their keys."""
    numbers = store.evidence.answer_numbers(answers) if len(votes) and answers else []
    voted = votes.take(np.isin(votes.answer_a, numbers) & np.isin(votes.answer_b, numbers))
    keys = store.evidence.answer_keys({*voted.answer_a.tolist(), *voted.answer_b.tolist()})

    def known(values: Any) -> list[float | None]:
        if values is None:
            return [None] * len(voted)
        return [None if np.isnan(value) else value for value in values.tolist()]

    return VoteColumns(
        model_a=list(voted.model_a),
        model_b=list(voted.model_b),
        winner=list(voted.winner),
        prompt=list(voted.prompt),
        voter=list(voted.voter),
        propensity=known(voted.propensity),
        category=list(voted.category),
        language=list(voted.language),
        answer_a=[keys[number] for number in voted.answer_a.tolist()],
        answer_b=[keys[number] for number in voted.answer_b.tolist()],
        seconds=known(voted.seconds),
    )


def _report(
    judge: str,
    verdicts: VerdictColumns,
    labels: VoteColumns,
    rows: list[int],
    group: Group | None,
    known: Mapping[str, JudgeReport],
) -> JudgeReport:
    """A judge's report card on a group. rows: its verdicts there. known: reports on all prompts.

    A judge that is too weak on all prompts is so on each part of them, of which few verdicts tell
    little: then the report is that on all.
    """
    if group is None:
        return report(judge, verdicts, rows, labels)
    whole = known.get(judge)
    if whole is None:
        every = latest(verdicts, list(range(len(verdicts.judge))))[judge]
        whole = report(judge, verdicts, every, labels)
    return whole if whole.objection else report(judge, verdicts, rows, labels, group.note)


def as_verdicts(rankings: RankingColumns) -> VerdictColumns:
    """Each pair of a ranking as a verdict, the two readings of the pair in one entry."""
    both: dict[tuple[str, ...], dict[str, tuple[int, str]]] = {}
    for row, (answers, ranks) in enumerate(zip(rankings.answers, rankings.ranks, strict=True)):
        for i, j in combinations(range(len(answers)), 2):
            verdict = _order(ranks[i], ranks[j]) if ranks else Preference.UNPARSED
            pair = (rankings.judge_key[row], *sorted((answers[i], answers[j])))
            both.setdefault(pair, {})[answers[i]] = row, verdict
    columns: dict[str, list[Any]] = {name: [] for name in VerdictColumns.__dataclass_fields__}
    for (_, low, high), readings in both.items():
        first = low if low in readings else high
        second = high if first == low else low
        row, forward = readings[first]
        model_of = dict(zip(rankings.answers[row], rankings.models[row], strict=True))
        entry = {
            **{name: getattr(rankings, name)[row] for name in _SHARED},
            "model_a": model_of[first],
            "model_b": model_of[second],
            "answer_a": first,
            "answer_b": second,
            "forward": forward,
            "backward": readings[second][1] if second in readings else None,
            "forward_slight": 0,
        }
        for name, column in columns.items():
            column.append(entry.get(name))
    return VerdictColumns(**columns)


_SHARED = ("judge", "judge_key", "prompt", "category", "language")


def _order(first: int, second: int) -> Preference:
    if first == second:
        return Preference.TIE
    return Preference.A if first < second else Preference.B


def _answers(verdicts: VerdictColumns, i: int) -> frozenset[str]:
    return frozenset((verdicts.answer_a[i], verdicts.answer_b[i]))


# Model, model, outcome, prompt, the keys of both answers, and the outcome as it was decided.
_Row = tuple[str, str, float, str, str, str, float]


def _pair_columns(verdicts: VerdictColumns, pairs: Iterable[JudgedPair]) -> list[_Row]:
    return [
        (
            verdicts.model_a[p.index],
            verdicts.model_b[p.index],
            p.preference,
            verdicts.prompt[p.index],
            verdicts.answer_a[p.index],
            verdicts.answer_b[p.index],
            p.decision,
        )
        for p in pairs
    ]


def _lost_columns(rows: list[_Row], lost: Sequence[LostBattle]) -> list[_Row]:
    """What is lost to the models that a judge has judged, and to no others."""
    judged = {model for row in rows for model in row[:2]}
    return [
        (winner, loser, 1.0, prompt, key, key, 1.0)
        for loser, prompt, winner, key in lost
        if winner in judged
    ]


def _score_columns(
    scores: ScoreColumns, rows: Iterable[int], compared: set[frozenset[str]]
) -> list[_Row]:
    """Pairs of one prompt's scores: the higher wins, and those that are close enough tie."""
    together: defaultdict[tuple[str, int, int], list[int]] = defaultdict(list)
    for i in rows:
        if scores.value[i] is not None:
            together[scores.prompt[i], scores.turn[i], scores.sample[i]].append(i)
    columns = []
    for (prompt, _, _), here in together.items():
        for i, j in combinations(here, 2):
            pair = frozenset((scores.answer[i], scores.answer[j]))
            if pair not in compared and scores.model[i] != scores.model[j]:
                difference = (scores.value[i] or 0.0) - (scores.value[j] or 0.0)
                close = abs(difference) <= scores.tie[i] + ROUNDING
                outcome = 0.5 if close else float(difference > 0)
                answers = scores.answer[i], scores.answer[j]
                models = scores.model[i], scores.model[j]
                columns.append((*models, outcome, prompt, *answers, outcome))
    return columns


def _from_rows(rows: list[_Row], source: str, styles: Styles) -> Comparisons:
    a, b, outcome, prompt, answer_a, answer_b, _ = zip(*rows, strict=True)
    return Comparisons.from_columns(
        a,
        b,
        outcome=outcome,
        prompt=prompt,
        source=[source] * len(rows),
        style=styles.differences(answer_a, answer_b),
    )


Said = VerdictColumns | RankingColumns | ScoreColumns


def latest(columns: Said, rows: Sequence[int]) -> dict[str, list[int]]:
    """Rows by judge, of its latest card."""
    newest = {columns.judge[i]: columns.judge_key[i] for i in rows}
    kept: defaultdict[str, list[int]] = defaultdict(list)
    for i in rows:
        if columns.judge_key[i] == newest[columns.judge[i]]:
            kept[columns.judge[i]].append(i)
    return dict(kept)


def earlier(columns: Said, rows: Sequence[int]) -> Counter[str]:
    """By judge, what it said by earlier cards: verdicts in both orders of a pair are two."""
    kept = {i for here in latest(columns, rows).values() for i in here}
    found: Counter[str] = Counter()
    for i in set(rows) - kept:
        both = isinstance(columns, VerdictColumns) and columns.backward[i] is not None
        found[columns.judge[i]] += 1 + both
    return found
