"""From the store's evidence to one ranking, with what it stands on said beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from arena.leaderboard.board import Leaderboard, Mark, Policy, Row
from arena.leaderboard.overall import (
    Alone,
    Kinds,
    Overall,
    alone,
    has_help,
    overall_ratings,
    pooled,
    together,
    waiting,
)
from arena.ratings import (
    CombinedResult,
    Comparisons,
    Method,
    RatingResult,
    RatingRow,
    Unrated,
    without,
)
from arena.records import Evidence, Note, alike
from arena.records.errors import GateError, InputError, NoEvidenceError, TooFewError

if TYPE_CHECKING:  # a file of battles is ranked without judges, benchmarks and a database
    from arena.leaderboard.evidence.gathering import Gathered
    from arena.leaderboard.evidence.groups import Group
    from arena.store import Store

_DEFAULT = Policy()
# Methods whose intervals hold on average over models, and not for each of them.
_ON_AVERAGE = (Method.HIERARCHICAL, Method.STACKED)


def ranking(store: Store, policy: Policy, group: Group | None = None) -> Leaderboard:
    """Rank the models of a store as its policy says; raises what `leaderboard` does."""
    return leaderboard(store, policy, group=group)


def leaderboard(
    store: Store,
    policy: Policy = _DEFAULT,
    *,
    evidence: Evidence | None = None,
    allow_weak_judges: bool | None = None,
    group: Group | None = None,
    gathered: Gathered | None = None,
) -> Leaderboard:
    """Rank the models of a store by one kind of evidence, or by all of it.

    policy: how. evidence, allow_weak_judges: in place of the policy's own.
    group: the part of the prompts or benchmarks to rank by; all where there is none.
    gathered: the store's evidence where it has been read already, with `policy.fit.style`.

    Raises InputError where there is no such evidence or no model has enough of it, GateError
    where only judges that are too weak to rank by are left, RatingError where the ratings are
    not determined.
    """
    from arena.leaderboard.evidence.gathering import gather

    policy = replace(
        policy,
        evidence=policy.evidence if evidence is None else evidence,
        allow_weak_judges=(
            policy.allow_weak_judges if allow_weak_judges is None else allow_weak_judges
        ),
        in_use=store.in_use(),
    )
    found = gathered or gather(store, group, policy.fit.style, policy.rules, policy.ways)
    return _with_enough(lambda how: _ranked(store, how, group, found, policy.least), policy)


def counted_kinds(store: Store, policy: Policy, gathered: Gathered) -> Kinds:
    """The comparisons that the ranking is made of, by kind and source.

    gathered: the store's evidence. Judges that do not count are left out, and so are votes while
    they are too few to anchor a ranking beside judges.
    """
    from arena.leaderboard.evidence.counted_judges import chosen_judges, counted_judges

    gathered = chosen_judges(gathered, policy.judges)
    judges, _ = counted_judges(store, gathered, policy)
    kinds = _kinds(replace(gathered, objective=pooled(gathered.objective)), judges)
    few = policy.evidence is Evidence.COMBINED and waiting(kinds, policy, policy.least)
    return kinds | {Evidence.HUMAN: {}} if few else kinds


def ratings_of(kinds: Kinds, policy: Policy) -> dict[str, float]:
    """By model, the ratings that a ranking by these comparisons has, without their intervals."""
    if _is_helped(kinds, policy):
        result: RatingResult = together(kinds, policy)[0]
    else:
        plain = replace(policy, fit=replace(policy.fit, interval=None))
        result = alone(_sources(kinds, policy.evidence)[1], plain).ratings
    return dict(zip(result.models, result.ratings.tolist(), strict=True))


def _is_helped(kinds: Kinds, policy: Policy) -> bool:
    """Whether several kinds of evidence make one ranking."""
    is_combined = policy.evidence is Evidence.COMBINED
    return is_combined and (has_help(kinds) or policy.method != Method.AUTO)


def _with_enough(rank: Callable[[Policy], Leaderboard], policy: Policy) -> Leaderboard:
    """The ranking of the models with enough comparisons; where none has them, of all that met."""
    try:
        board = rank(replace(policy, min_comparisons=policy.least))
    except TooFewError:
        if policy.min_comparisons is not None:
            raise
        board = rank(replace(policy, min_comparisons=1))
        said = Note.of("ratings.nobody_has_enough", least=policy.least)
        board = replace(board, notes=(*board.notes, said))
    return _names_told(board)


def _ranked(
    store: Store, policy: Policy, group: Group | None, gathered: Gathered, anchor: int
) -> Leaderboard:
    """The ranking as the policy says. anchor: the votes that a model needs for votes to count."""
    from arena.leaderboard.evidence.counted_judges import (
        chosen_judges,
        counted_judges,
        fit_judges,
        one_order,
    )
    from arena.leaderboard.evidence.designs import star_notes
    from arena.store.versions import replaced

    gathered = chosen_judges(gathered, policy.judges)
    judges, notes = counted_judges(store, gathered, policy)
    gathered = replace(gathered, objective=pooled(gathered.objective))
    kinds, evidence = _kinds(gathered, judges), policy.evidence
    marks = one_order(gathered, judges)
    stars = star_notes(kinds, evidence)
    is_combined = evidence is Evidence.COMBINED
    if policy.method != Method.AUTO and not is_combined:
        raise InputError(f"--method goes with --evidence combined, not {evidence}")
    if not any(_sources(kinds, evidence)[1].values()):
        raise _nothing(store, gathered, evidence, group)
    few = waiting(kinds, policy, anchor) if is_combined else ()
    try:
        board, stands_on = _placed(kinds | {Evidence.HUMAN: {}} if few else kinds, policy)
    except TooFewError as error:
        raise _without_judges(error, notes) from error
    columns: dict[str, Any] = {}
    missing: tuple[Note, ...] = ()
    if is_combined:
        found = overall_ratings(kinds, policy, stands_on, Evidence.HUMAN if few else None)
        columns, missing = _overall(store, gathered, found)
    return replace(
        board,
        unrated=_unrated(board, policy, gathered),
        evidence=evidence,
        notes=(*few, *notes, *gathered.notes, *board.notes, *missing, *stars),
        marks=(*board.marks, *marks),
        marked=(*board.marked, *(mark.note for mark in marks)),
        group=group.title if group else "",
        benchmarks=gathered.benchmarks,
        dimensions=gathered.dimensions,
        reports=tuple(gathered.reports.values()),
        judges=fit_judges(gathered, policy.allow_weak_judges),
        facts=gathered.facts,
        replaced=replaced(store),
        **columns,
    )


def _without_judges(error: TooFewError, notes: Sequence[Note]) -> TooFewError:
    """The error; where judges that were left out could have helped, it says so."""
    left_out = [note for note in notes if note.code == "judge.left_out"]
    if not left_out:
        return error
    way_on = Note.of("sentences", first=left_out[0], second=Note.of("judge.override"))
    said = Note.of("sentence", said=error.note)
    return TooFewError(Note.of("sentences", first=said, second=way_on))


def _unrated(board: Leaderboard, policy: Policy, gathered: Gathered) -> tuple[Unrated, ...]:
    """The models that are not placed yet: compared too seldom, or with answers and not at all."""
    compared = {one.model: one for one in board.unrated if one.comparisons}
    waiting = set[str]()
    if policy.evidence is not Evidence.OBJECTIVE:
        waiting |= gathered.answered
    if policy.evidence in (Evidence.OBJECTIVE, Evidence.COMBINED):
        waiting |= {score.model for score in gathered.benchmarks}
    new = waiting - {row.model for row in board.rows} - compared.keys()
    found = [*compared.values(), *(Unrated(name, 0, policy.least, True) for name in new)]
    return tuple(sorted(found, key=lambda one: one.model))


def _placed(kinds: Kinds, policy: Policy) -> tuple[Leaderboard, Evidence]:
    """The ranking by a kind of evidence, and what it stands on.

    Where votes, and then judges, are too few to rate any model, the next kind makes the combined
    ranking, and the ranking says so.
    """
    evidence = policy.evidence
    stands_on, sources = _sources(kinds, evidence)
    try:
        if _is_helped(kinds, policy):
            return _combined(kinds, policy), stands_on
        return replace(_alone(sources, policy), label=_LABELS[stands_on]), stands_on
    except TooFewError:
        rest: Kinds = {kind: {} if kind is stands_on else kinds[kind] for kind in kinds}
        if evidence is not Evidence.COMBINED or not any(rest.values()):
            raise
        board, instead = _placed(rest, replace(policy, method=Method.AUTO))
        count = sum(map(len, sources.values()))
        by = Note.of(f"by.{stands_on}")
        said = Note.of("ratings.too_few_of_kind", by=by, count=count)
        return replace(board, notes=(said, *board.notes)), instead


def _overall(
    store: Store, gathered: Gathered, found: Overall | Note
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The fields of a leaderboard that show all kinds of evidence in one column.

    Where benchmarks were run and there is something beside them, but no such column, a note says
    why there is none.
    """
    if isinstance(found, Note):
        if not gathered.benchmarks:
            return {}, ()
        counts = store.counts()
        has_others = any(counts[name] for name in ("votes", "verdicts", "scores"))
        return {}, (found,) if has_others else ()
    return {
        "overall": tuple(_row(row, None) for row in found.whole.as_rows()),
        "weights": tuple(found.weights.items()),
        "parts": {
            kind: tuple(_row(row, None) for row in part.as_rows())
            for kind, part in found.parts.items()
        },
    }, ()


@dataclass(frozen=True, slots=True)
class GroupedRankings:
    """A ranking for each group that has one. left_out: why the others have none."""

    boards: list[Leaderboard]
    left_out: tuple[Note, ...]


def grouped_rankings(store: Store, by: str, policy: Policy) -> GroupedRankings:
    """A ranking as the policy says for each category, language, capability or benchmark.

    Raises GateError where only weak judges have any evidence, InputError where no group has any.
    """
    from arena.leaderboard.evidence.gathering import gather, groups

    how = (policy.fit.style, policy.rules, policy.ways)
    found = groups(store, by, policy.ways)
    reports = gather(store, None, *how).reports if found else {}
    boards: list[Leaderboard] = []
    refused: list[GateError] = []
    left_out: list[Note] = []
    without: list[str] = []
    for group in found:
        gathered = gather(store, group, *how, whole=reports)
        try:
            boards.append(leaderboard(store, policy, group=group, gathered=gathered))
        except NoEvidenceError:
            without.append(group.title)
        except GateError as error:
            refused.append(error)
            left_out.append(Note.of("group.left_out", group=group.note, why=error.reason))
        except InputError as error:
            left_out.append(Note.of("group.left_out", group=group.note, why=error.note))
    if not boards and refused:
        raise refused[0]
    if without:
        left_out.append(Note.of("group.without_evidence", names=tuple(without)))
    if not boards:
        where = {"path": str(store.path), "by": by}
        if left_out:
            raise InputError(Note.of("group.nothing_compares.why", **where, why=tuple(left_out)))
        raise InputError(Note.of("group.nothing_compares", **where))
    return GroupedRankings(boards, tuple(left_out))


def views(store: Store, board: Leaderboard, policy: Policy = _DEFAULT) -> list[Leaderboard]:
    """The same models by each single kind of evidence that there is, for comparison.

    Beside a ranking whose intervals hold only on average over models stands one that takes
    nothing for granted. policy: as it was for `board`.
    """
    policy = replace(policy, method=Method.AUTO)
    wanted = [
        replace(policy, evidence=evidence)
        for evidence in (Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE)
        if not _is_view(board, evidence)
    ]
    if board.settings.method in _ON_AVERAGE:
        wanted.insert(0, replace(policy, evidence=Evidence.COMBINED, method=Method.PPI))
    others = []
    for how in wanted:
        with suppress(InputError, GateError):
            others.append(leaderboard(store, how))
    return others


def _is_view(board: Leaderboard, evidence: Evidence) -> bool:
    """Whether a ranking already is the one by that kind of evidence alone."""
    if board.evidence is not Evidence.COMBINED:
        return board.evidence is evidence
    helped = board.settings.method in (*_ON_AVERAGE, Method.PPI, Method.JOINT)
    return board.label == _LABELS[evidence] and not helped


def rank_comparisons(comparisons: Comparisons, policy: Policy = _DEFAULT) -> Leaderboard:
    """Rank comparisons that come from elsewhere, all of one source."""
    least = replace(policy, min_comparisons=policy.min_comparisons or 1)
    return _names_told(_alone({"file": comparisons}, least))


def rank_votes(votes: Comparisons, policy: Policy = _DEFAULT) -> Leaderboard:
    """Rank votes of a store, or some of them, as `leaderboard` ranks by votes alone."""
    return _with_enough(lambda how: _alone({"votes": votes}, how), policy)


def _names_told(board: Leaderboard) -> Leaderboard:
    """The ranking with a note on names that differ in case or spaces alone, if there are any."""
    everybody = [row.model for row in board.rows] + [one.model for one in board.unrated]
    return replace(board, notes=(*board.notes, *alike(everybody)))


def _alone(sources: Mapping[str, Comparisons], policy: Policy) -> Leaderboard:
    """The ranking by one kind of evidence alone."""
    found: Alone = alone(sources, policy)
    placed = {name: without(part, found.unrated) for name, part in sources.items()}
    return replace(
        _board(found.ratings),
        counts={name: len(part) for name, part in placed.items() if part is not None},
        unrated=found.unrated,
        min_comparisons=policy.least,
    )


def _kinds(
    gathered: Gathered, judges: Mapping[str, Comparisons]
) -> dict[Evidence, dict[str, Comparisons]]:
    """The comparisons that count, by kind of evidence and by source."""
    return {
        Evidence.HUMAN: {"votes": gathered.human} if gathered.human is not None else {},
        Evidence.JUDGE: dict(judges),
        Evidence.OBJECTIVE: gathered.objective,
    }


def _sources(kinds: Kinds, evidence: Evidence) -> tuple[Evidence, Mapping[str, Comparisons]]:
    """What a ranking stands on. Combined falls back from votes to judges to benchmarks."""
    if evidence is not Evidence.COMBINED:
        return evidence, kinds[evidence]
    for kind, sources in kinds.items():
        if sources:
            return kind, sources
    return evidence, {}


def _combined(kinds: Kinds, policy: Policy) -> Leaderboard:
    """The human-preference ratings, helped by what the judges and benchmarks say."""
    for name in ("interval", "ties", "style"):
        if getattr(policy.fit, name) != getattr(_DEFAULT.fit, name):
            raise InputError(
                f"--{name} goes with one kind of evidence, not with the combined ranking: "
                "add --evidence human, judge or objective"
            )
    result, left_out = together(kinds, policy)
    counts = {
        "votes" if source.kind == "human" else source.name: source.comparisons
        for source in result.sources
        if source.kind == "human" or source.weight is not None
    }
    apart = _apart(result)
    named = tuple(
        Note.of(f"ratings.away.{_side(gap)}", model=model, points=abs(gap)) for model, gap in apart
    )
    listed = Note.of("ratings.away", models=named)
    board = _board(result, *_cautions(result), *([listed] if apart else []))
    return replace(
        board,
        label=str(result.label),
        counts=counts,
        sources=result.sources,
        unrated=left_out,
        min_comparisons=policy.least,
        marks=tuple(
            Mark(model, Note.of(f"ratings.model_{_side(gap)}", points=abs(gap)))
            for model, gap in apart
        ),
        marked=(listed,) if apart else (),
    )


def _cautions(result: CombinedResult) -> list[Note]:
    """What must be known of ratings that judges helped to make."""
    if result.settings.method not in _ON_AVERAGE or result.predicted is None:
        return []
    return [Note.of("ratings.on_average")]


USUAL = 2.0  # standard deviations of ratings about what is predicted


def _apart(result: CombinedResult) -> list[tuple[str, float]]:
    """Models whose prediction lies outside their interval, and how far votes put them off it.

    In Elo points, above it where positive; the farthest first. Where predictions are worth little
    they miss most models, which says nothing of one: it has to be missed by more than is usual.
    """
    if result.settings.method not in _ON_AVERAGE or result.predicted is None:
        return []
    assert result.ci_low is not None
    assert result.ci_high is not None
    gap = result.ratings - result.predicted
    odd = (result.predicted < result.ci_low) | (result.predicted > result.ci_high)
    odd &= abs(gap) > USUAL * dict(result.parameters).get("tau", 0.0)
    order = sorted(odd.nonzero()[0], key=lambda k: -abs(gap[k]))
    return [(result.models[k], float(gap[k])) for k in order]


def _side(gap: float) -> str:
    return "above" if gap > 0 else "below"


# Where what is said of models is stored, by kind of evidence.
_TABLES = {
    Evidence.HUMAN: ("votes",),
    Evidence.JUDGE: ("verdicts", "scores", "rankings"),
    Evidence.OBJECTIVE: ("outcomes",),
}
_TABLES[Evidence.COMBINED] = tuple(chain.from_iterable(_TABLES.values()))
_LABELS = {
    Evidence.HUMAN: "human-anchored",
    Evidence.JUDGE: "judge-only",
    Evidence.OBJECTIVE: "objective-only",
}


def _board(result: RatingResult, *notes: Note) -> Leaderboard:
    if result.undetermined:
        points = result.settings.prior
        notes = (Note.of("ratings.prior", points=points, why=result.undetermined), *notes)
    predicted: dict[str, float] = {}
    if isinstance(result, CombinedResult) and result.predicted is not None:
        predicted = dict(zip(result.models, result.predicted.tolist(), strict=True))
    return Leaderboard(
        evidence=Evidence.HUMAN,
        label="as given",
        settings=result.settings,
        rows=tuple(_row(row, predicted.get(row.model)) for row in result.as_rows()),
        counts={},
        notes=notes,
        effects=result.coefficients,
    )


def _row(row: RatingRow, predicted: float | None) -> Row:
    """A line with its interval; leaderboards never ask for a fit without one."""
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.rank_low is not None
    assert row.rank_high is not None
    assert row.p_best is not None
    return Row(**asdict(row), predicted=predicted)


def _nothing(
    store: Store, gathered: Gathered, evidence: Evidence, group: Group | None
) -> InputError:
    from arena.store.archive import Archivable

    others = [note for note in gathered.notes if note.code == "judge.not_chosen"]
    if others and not gathered.judges and evidence in (Evidence.JUDGE, Evidence.COMBINED):
        none = Note("judge.none_chosen", others[0].values)
        return NoEvidenceError(none) if evidence is Evidence.JUDGE else InputError(none)
    aside = sorted(store.archive.names(Archivable.MODEL))
    if aside and group is None and any(store.counts()[table] for table in _TABLES[evidence]):
        return NoEvidenceError(Note.of("evidence.archived", models=tuple(aside)))
    measured = sorted({score.model for score in gathered.benchmarks})
    if measured and evidence in (Evidence.OBJECTIVE, Evidence.COMBINED):
        # Visitors of the app read this sentence too, so it does not name the file.
        code = "ratings.nothing_compares" if len(measured) > 1 else "ratings.one_model"
        return InputError(Note.of(code, models=tuple(measured)))
    unread = [one for name, one in gathered.reports.items() if name not in gathered.judges]
    if group is not None and (pairs := sum(gathered.unread.values())):
        names = tuple(name for name, count in gathered.unread.items() if count)
        said = Note.of("evidence.none.half_read", pairs=pairs, judges=names)
        return InputError(Note.of("evidence.none.in_group", group=group.note, said=said))
    if group is None and unread and evidence in (Evidence.JUDGE, Evidence.COMBINED):
        judges, replies = tuple(one.judge for one in unread), sum(one.unparsed.n for one in unread)
        return InputError(Note.of("judge.nothing_read", judges=judges, replies=replies))
    said = Note.of(f"evidence.none.{evidence}", path=str(store.path))
    if group is not None:
        said = Note.of("evidence.none.in_group", group=group.note, said=said)
    return NoEvidenceError(said)
