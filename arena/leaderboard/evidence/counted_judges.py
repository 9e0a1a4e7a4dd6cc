"""Which judges count in a ranking: those asked for and fit to rank by, alone or as a panel."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from arena.judging.report_card.orders import JudgeReport
from arena.leaderboard.board import Mark, Policy
from arena.leaderboard.evidence.gathering import Gathered
from arena.ratings import Comparisons, Panel, PanelRule, panel
from arena.records import Evidence, Note
from arena.records.errors import GateError, InputError
from arena.store import Store


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


def is_fit(gathered: Gathered, judge: str, allow_weak: bool) -> bool:
    """Whether the gate lets a judge's comparisons make a ranking."""
    report = gathered.reports.get(judge)
    return allow_weak or report is None or report.objection is None


def fit_judges(gathered: Gathered, allow_weak: bool) -> tuple[str, ...]:
    """The judges that the gate lets in, by name."""
    return tuple(name for name in gathered.judges if is_fit(gathered, name, allow_weak))


def counted_judges(
    store: Store, gathered: Gathered, policy: Policy
) -> tuple[dict[str, Comparisons], list[Note]]:
    """The comparisons of the judges that count, by name, and what must be said of the others.

    gathered: with the judges that are asked for. Raises GateError where only judges that are too
    weak to rank by are left, and nothing else.
    """
    judges, notes = _gate(gathered, policy.evidence, policy.allow_weak_judges)
    if policy.panel == PanelRule.MAJORITY:
        judges = {name: gathered.decisions[name] for name in judges}
    if policy.neutral:
        judges = _neutral(store, judges)
    if policy.panel is not None and judges:
        together = panel(judges, by=policy.panel, min_valid=policy.min_valid)
        if len(judges) > 1:
            notes.append(describe_panel(len(judges), together, policy.min_valid))
        judges = {f"panel of {len(judges)}": together.comparisons}
    return judges, notes


def one_order(gathered: Gathered, judges: Mapping[str, Comparisons]) -> list[Mark]:
    """At each judge that counts by its own name: how many pairs it saw in one order."""
    reports = gathered.reports.items()
    return [Mark(name, _in_one_order(r)) for name, r in reports if r.one_order and name in judges]


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
        if is_fit(gathered, judge, allow_weak):
            fit[judge] = comparisons
        if objection is not None:
            notes.append(Note.of(f"judge.{'let_in' if allow_weak else 'left_out'}", why=objection))
        if report and report.doubt:
            notes.append(Note.of("sentence", said=report.doubt))
        if count := gathered.unread.get(judge):
            what = "judge.unscored" if report and report.alone else "judge.unread"
            notes.append(Note.of(what, pairs=count, judge=judge))
        if report and report.one_order:
            notes.append(_in_one_order(report))
        if report and report.alone:
            notes.append(Note.of("judge.alone", judge=report.judge))
    others = evidence is Evidence.COMBINED and (gathered.human or gathered.objective)
    if gathered.judges and not fit and not others:
        raise GateError(notes[0], Note.of("judge.override"))
    return fit, notes


def _in_one_order(report: JudgeReport) -> Note:
    return Note.of("judge.one_order", pairs=report.one_order, judge=report.judge)


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
