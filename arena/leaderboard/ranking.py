"""From the store's evidence to one ranking, with what it stands on said beside it."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from arena.errors import GateError, InputError, NoEvidenceError, TooFewError
from arena.judging.report_card.orders import JudgeReport
from arena.leaderboard.board import Fit, Leaderboard, Mark, Policy, Row
from arena.leaderboard.evidence.gathering import Gathered, gather, groups
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.overall import (
    WEIGHTS,
    Alone,
    Kinds,
    alone,
    has_help,
    overall_ratings,
    pooled,
    together,
)
from arena.ratings import (
    CombinedResult,
    Comparisons,
    Method,
    Panel,
    RatingResult,
    RatingRow,
    panel,
    without,
)
from arena.ratings.combined.panel import PanelRule
from arena.records import Evidence, Note
from arena.store import Store

_DEFAULT = Fit()


def ranking(store: Store, policy: Policy, group: Group | None = None) -> Leaderboard:
    """Rank the models of a store as its policy says; raises what `leaderboard` does."""
    return leaderboard(
        store,
        evidence=policy.evidence,
        group=group,
        fit=policy.fit,
        allow_weak_judges=policy.allow_weak_judges,
    )


def leaderboard(
    store: Store,
    *,
    evidence: Evidence = Evidence.COMBINED,
    group: Group | None = None,
    fit: Fit = _DEFAULT,
    allow_weak_judges: bool = False,
    gathered: Gathered | None = None,
) -> Leaderboard:
    """Rank the models of a store by one kind of evidence, or by all of it.

    gathered: the store's evidence where it has been read already, with `fit.style`.

    Raises InputError where there is no such evidence or no model has enough of it, GateError
    where only judges that are too weak to rank by are left, RatingError where the ratings are
    not determined.
    """
    gathered = gathered or gather(store, group, fit.style, fit.rules, fit.ways)
    rank = partial(_ranked, store, evidence, group, allow_weak_judges, gathered)
    try:
        return rank(replace(fit, min_comparisons=fit.least))
    except TooFewError:
        if fit.min_comparisons is not None:
            raise
        board = rank(replace(fit, min_comparisons=1))
        said = Note.of("ratings.nobody_has_enough", least=fit.least)
        return replace(board, notes=(*board.notes, said))


def _ranked(
    store: Store,
    evidence: Evidence,
    group: Group | None,
    allow_weak_judges: bool,
    gathered: Gathered,
    fit: Fit,
) -> Leaderboard:
    gathered = chosen_judges(gathered, fit.judges)
    judges, notes = _gate(gathered, evidence, allow_weak_judges)
    if fit.panel == PanelRule.MAJORITY:
        judges = {name: gathered.decisions[name] for name in judges}
    if fit.neutral:
        judges = _neutral(store, judges)
    if fit.panel is not None and judges:
        together = panel(judges, by=fit.panel, min_valid=fit.min_valid)
        if len(judges) > 1:
            notes.append(describe_panel(len(judges), together, fit.min_valid))
        judges = {f"panel of {len(judges)}": together.comparisons}
    gathered = replace(gathered, objective=pooled(gathered.objective))
    kinds = _kinds(gathered, judges)
    one_order = _one_order(gathered, judges)
    is_combined = evidence is Evidence.COMBINED
    if fit.method != _DEFAULT.method and not is_combined:
        raise InputError(f"--method goes with --evidence combined, not {evidence}")
    if not any(_sources(kinds, evidence)[1].values()):
        raise _nothing(store, gathered, evidence, group)
    board, stands_on = _placed(kinds, evidence, fit)
    return replace(
        board,
        evidence=evidence,
        notes=(*notes, *gathered.notes, *board.notes),
        marks=(*board.marks, *one_order),
        marked=(*board.marked, *(mark.note for mark in one_order)),
        group=group.value if group else "",
        benchmarks=gathered.benchmarks,
        dimensions=gathered.dimensions,
        reports=tuple(gathered.reports.values()),
        facts=gathered.facts,
        **(_overall(gathered, judges, fit, stands_on) if is_combined else {}),
    )


def _placed(kinds: Kinds, evidence: Evidence, fit: Fit) -> tuple[Leaderboard, Evidence]:
    """The ranking by a kind of evidence, and what it stands on.

    Where votes, and then judges, are too few to rate any model, the next kind makes the combined
    ranking, and the ranking says so.
    """
    stands_on, sources = _sources(kinds, evidence)
    try:
        if evidence is Evidence.COMBINED and (has_help(kinds) or fit.method != _DEFAULT.method):
            return _combined(kinds, fit), stands_on
        return replace(_alone(sources, fit), label=_LABELS[stands_on]), stands_on
    except TooFewError:
        rest: Kinds = {kind: {} if kind is stands_on else kinds[kind] for kind in kinds}
        if evidence is not Evidence.COMBINED or not any(rest.values()):
            raise
        board, instead = _placed(rest, evidence, replace(fit, method=_DEFAULT.method))
        count = sum(map(len, sources.values()))
        by = Note.of(f"by.{stands_on}")
        said = Note.of("ratings.too_few_of_kind", by=by, count=count)
        return replace(board, notes=(said, *board.notes)), instead


def _overall(
    gathered: Gathered, judges: Mapping[str, Comparisons], fit: Fit, stands_on: Evidence
) -> dict[str, Any]:
    """The fields of a leaderboard that show all kinds of evidence in one column."""
    kinds = {str(kind): sources for kind, sources in _kinds(gathered, judges).items()}
    found = overall_ratings(kinds, dict(fit.weights) or WEIGHTS, fit, str(stands_on))
    if found is None:
        return {}
    return {
        "overall": tuple(_row(row, None) for row in found.whole.as_rows()),
        "weights": tuple(found.weights.items()),
        "parts": {
            kind: tuple(_row(row, None) for row in part.as_rows())
            for kind, part in found.parts.items()
        },
    }


def leaderboards(store: Store, by: str, rank: Callable[[Group], Leaderboard]) -> list[Leaderboard]:
    """A ranking for each category or language, those without evidence left out.

    rank: ranks one group. Raises GateError where only weak judges have any, InputError where
    no group has evidence.
    """
    boards, refused = [], None
    for group in groups(store, by):
        try:
            boards.append(rank(group))
        except GateError as error:
            refused = refused or error
        except InputError:
            continue
    if not boards:
        raise refused or InputError(f"{store.path} has nothing that compares models by {by}")
    return boards


def views(
    store: Store, board: Leaderboard, allow_weak_judges: bool, fit: Fit = _DEFAULT
) -> list[Leaderboard]:
    """The same models by each single kind of evidence that there is, for comparison.

    Beside a ranking whose intervals hold only on average over models stands one that takes
    nothing for granted. fit: as it was for `board`.
    """
    fit = replace(fit, method=_DEFAULT.method)
    wanted = [
        (evidence, fit)
        for evidence in (Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE)
        if not _is_view(board, evidence)
    ]
    if board.settings.method == Method.HIERARCHICAL:
        wanted.insert(0, (Evidence.COMBINED, replace(fit, method=Method.PPI)))
    others = []
    for evidence, how in wanted:
        with suppress(InputError, GateError):
            others.append(
                leaderboard(store, evidence=evidence, fit=how, allow_weak_judges=allow_weak_judges)
            )
    return others


def _is_view(board: Leaderboard, evidence: Evidence) -> bool:
    """Whether a ranking already is the one by that kind of evidence alone."""
    if board.evidence is not Evidence.COMBINED:
        return board.evidence is evidence
    helped = board.settings.method in (Method.HIERARCHICAL, Method.PPI, Method.JOINT)
    return board.label == _LABELS[evidence] and not helped


def rank_comparisons(comparisons: Comparisons, fit: Fit = _DEFAULT) -> Leaderboard:
    """Rank comparisons that come from elsewhere, all of one source."""
    return _alone({"file": comparisons}, replace(fit, min_comparisons=fit.min_comparisons or 1))


def _alone(sources: Mapping[str, Comparisons], fit: Fit) -> Leaderboard:
    """The ranking by one kind of evidence alone."""
    found: Alone = alone(sources, fit)
    placed = {name: without(part, found.unrated) for name, part in sources.items()}
    return replace(
        _board(found.ratings),
        counts={name: len(part) for name, part in placed.items() if part is not None},
        unrated=found.unrated,
        min_comparisons=fit.least,
    )


def chosen_judges(gathered: Gathered, names: Sequence[str]) -> Gathered:
    """The evidence with the verdicts of these judges alone; all of it where none is named."""
    others = sorted(set(gathered.judges) - set(names)) if names else []
    if not others:
        return gathered
    note = Note.of("judge.not_chosen", others=tuple(others), chosen=tuple(names))
    return replace(
        gathered,
        judges={name: part for name, part in gathered.judges.items() if name in names},
        reports={name: one for name, one in gathered.reports.items() if name in names},
        notes=(*gathered.notes, note),
    )


def _gate(
    gathered: Gathered, evidence: Evidence, allow_weak: bool
) -> tuple[dict[str, Comparisons], list[Note]]:
    """The judges fit to rank by, and a note for each other one, let in or left out."""
    if evidence not in (Evidence.JUDGE, Evidence.COMBINED):
        return {}, []
    fit, notes = {}, []
    for judge, comparisons in gathered.judges.items():
        report = gathered.reports.get(judge)
        objection = report.objection if report else None
        if objection is None or allow_weak:
            fit[judge] = comparisons
        if objection is not None:
            notes.append(Note.of(f"judge.{'let_in' if allow_weak else 'left_out'}", why=objection))
        if report and report.doubt:
            notes.append(Note.of("sentence", said=report.doubt))
        if report and report.one_order:
            notes.append(_in_one_order(report))
    others = evidence is Evidence.COMBINED and (gathered.human or gathered.objective)
    if gathered.judges and not fit and not others:
        raise GateError(notes[0], Note.of("judge.override"))
    return fit, notes


def _one_order(gathered: Gathered, judges: Mapping[str, Comparisons]) -> list[Mark]:
    """At each judge that counts by its own name: how many pairs it saw in one order."""
    reports = gathered.reports.items()
    return [Mark(name, _in_one_order(r)) for name, r in reports if r.one_order and name in judges]


def _in_one_order(report: JudgeReport) -> Note:
    return Note.of("judge.one_order", pairs=report.one_order, judge=report.judge)


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


def _neutral(store: Store, judges: Mapping[str, Comparisons]) -> dict[str, Comparisons]:
    """Each judge's comparisons without those of models of its own family."""
    models = store.models()
    families = {judge.name: json.loads(judge.card).get("family") for judge in store.judges.where()}
    kept = {}
    for name, comparisons in judges.items():
        others = [m.name for m in models if m.family is None or m.family != families.get(name)]
        with suppress(InputError):  # nothing is left of a judge that saw its own family only
            kept[name] = comparisons.among(sorted(others))
    return kept


def describe_panel(judges: int, found: Panel, min_valid: int = 1) -> Note:
    """How far a panel's judges are apart."""
    compared = len(found.comparisons)
    values = {"judges": judges, "battles": found.battles, "compared": compared, "least": min_valid}
    whole = Note.of("panel", **values)
    if found.unanimous is None or found.alpha is None:
        return Note.of("panel.apart", panel=whole)
    agree, (low, high) = found.unanimous, found.alpha.ends
    spread = {} if low is None else {"alpha_low": low, "alpha_high": high}
    return Note.of(
        "panel.agree.interval" if spread else "panel.agree",
        panel=whole,
        share=agree.value,
        low=agree.ci_low,
        high=agree.ci_high,
        alpha=found.alpha.value,
        **spread,
    )


def _combined(kinds: Kinds, fit: Fit) -> Leaderboard:
    """The human-preference ratings, helped by what the judges and benchmarks say."""
    for name in ("interval", "ties", "style"):
        if getattr(fit, name) != getattr(_DEFAULT, name):
            raise InputError(
                f"--{name} goes with one kind of evidence, not with the combined ranking: "
                "add --evidence human, judge or objective"
            )
    result, left_out = together(kinds, fit)
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
        min_comparisons=fit.least,
        marks=tuple(
            Mark(model, Note.of(f"ratings.model_{_side(gap)}", points=abs(gap)))
            for model, gap in apart
        ),
        marked=(listed,) if apart else (),
    )


def _cautions(result: CombinedResult) -> list[Note]:
    """What must be known of ratings that judges helped to make."""
    if result.settings.method != Method.HIERARCHICAL or result.predicted is None:
        return []
    return [Note.of("ratings.on_average")]


def _apart(result: CombinedResult) -> list[tuple[str, float]]:
    """Models whose prediction lies outside their interval, and how far votes put them off it.

    In Elo points, above it where positive; the farthest first.
    """
    if result.settings.method != Method.HIERARCHICAL or result.predicted is None:
        return []
    assert result.ci_low is not None
    assert result.ci_high is not None
    gap = result.ratings - result.predicted
    odd = (result.predicted < result.ci_low) | (result.predicted > result.ci_high)
    order = sorted(odd.nonzero()[0], key=lambda k: -abs(gap[k]))
    return [(result.models[k], float(gap[k])) for k in order]


def _side(gap: float) -> str:
    return "above" if gap > 0 else "below"


def _alike(models: Sequence[str]) -> Note | None:
    """Which names differ only in the case of their letters."""
    same: defaultdict[str, list[str]] = defaultdict(list)
    for model in models:
        same[model.casefold()].append(model)
    alike = tuple("/".join(names) for names in same.values() if len(names) > 1)
    return Note.of("ratings.alike", names=alike) if alike else None


_LABELS = {
    Evidence.HUMAN: "human-anchored",
    Evidence.JUDGE: "judge-only",
    Evidence.OBJECTIVE: "objective-only",
}


def _board(result: RatingResult, *notes: Note) -> Leaderboard:
    if result.undetermined:
        points = result.settings.prior
        notes = (Note.of("ratings.prior", points=points, why=result.undetermined), *notes)
    if alike := _alike(result.models):
        notes = (*notes, alike)
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
    measured = sorted({score.model for score in gathered.benchmarks})
    if measured and evidence in (Evidence.OBJECTIVE, Evidence.COMBINED):
        # Visitors of the app read this sentence too, so it does not name the file.
        code = "ratings.nothing_compares" if len(measured) > 1 else "ratings.one_model"
        return InputError(Note.of(code, models=tuple(measured)))
    unread = [one for name, one in gathered.reports.items() if name not in gathered.judges]
    if unread and evidence in (Evidence.JUDGE, Evidence.COMBINED):
        judges, replies = tuple(one.judge for one in unread), sum(one.unparsed.n for one in unread)
        return InputError(Note.of("judge.nothing_read", judges=judges, replies=replies))
    what = {
        Evidence.HUMAN: "votes; people cast them in the app: arena app",
        Evidence.JUDGE: "verdicts; a judge makes them: arena judge --judge NAME",
        Evidence.OBJECTIVE: "outcomes; benchmarks make them: arena bench --tasks short_answer",
        Evidence.COMBINED: "votes, verdicts or outcomes yet",
    }[evidence]
    where = f" for {group.by} {group.value}" if group else ""
    return NoEvidenceError(f"{store.path} has no {what}{where}")
