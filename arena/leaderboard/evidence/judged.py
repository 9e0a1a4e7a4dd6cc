"""From what judges said to comparisons: verdicts, rankings and scores, by the card that counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from arena.judging.report_card.orders import JudgedPair, JudgeReport, read_pairs, report
from arena.leaderboard.evidence.groups import Group, Styles, rows_in
from arena.leaderboard.evidence.lost import LostBattle
from arena.leaderboard.evidence.scored import scores_as_verdicts
from arena.ratings import Comparisons
from arena.records import Note, Preference
from arena.store import Store
from arena.store.columns import (
    CodedVotes,
    RankingColumns,
    ScoreColumns,
    VerdictColumns,
    VoteColumns,
)


def from_judges(
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
    scored = scores_as_verdicts(scores)
    said = pairs, as_verdicts(orders), scored
    labels = _votes_on(store, votes, {key for v in said for key in (*v.answer_a, *v.answer_b)})
    for verdicts in said:
        for judge, kept in latest(verdicts, rows_in(verdicts, group)).items():
            new = [i for i in kept if _answers(verdicts, i) not in compared[judge]]
            read = read_pairs(verdicts, new)
            unread[judge] += len(new) - len(read)
            rows[judge] += _pair_columns(verdicts, read)
            compared[judge] |= {_answers(verdicts, i) for i in new}
            if judge not in reports:
                found = _report(judge, verdicts, labels, kept, group, whole)
                reports[judge] = found.without_orders() if verdicts is scored else found
    for judge in [name for name in rows if rows[name]]:
        rows[judge] += _lost_columns(rows[judge], lost)
    older = sum(
        (earlier(table, rows_in(table, group)) for table in (pairs, orders, scores)),
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
