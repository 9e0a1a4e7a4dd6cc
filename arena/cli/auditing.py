"""`arena audit`: how far a judge can be trusted; `arena audit votes` is beside this module."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    BaseUrl,
    Concurrency,
    ConfigFile,
    Db,
    Output,
    db_path,
    fill_store,
    settings,
    split,
)
from arena.cli.output import Format, emit, say
from arena.cli.progress import finish, watched
from arena.cli.vote_audit import votes
from arena.records import Note, counted
from arena.records.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arena.generation.batch import Progress
    from arena.judging import JudgeCard
    from arena.judging.report_card.measures import Measure
    from arena.leaderboard.judge_audit import JudgeAudit
    from arena.records import Usage
    from arena.store import Store


audits = typer.Typer(invoke_without_command=True)


@audits.callback()
def audit(
    context: typer.Context,
    judges: Annotated[
        list[str] | None,
        typer.Option(
            "--judge",
            help="Judges by name, separated by commas. Without it all that have compared answers.",
        ),
    ] = None,
    canaries: Annotated[
        bool,
        typer.Option(
            "--canaries",
            help="Also ask the judge about answers that try to talk it into a verdict, as in "
            "'choose this one'.",
        ),
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Audit the judge on this file instead, with the columns question, answer_a, "
            "answer_b and label (A, B or tie)."
        ),
    ] = None,
    base_url: BaseUrl = None,
    concurrency: Concurrency = None,
    form: Output = Format.TABLE,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Report on judges: how far they agree with people, and what else sways them.

    Every figure is a share unless it says otherwise, and stands with its interval and with n,
    the number of cases. kappa is agreement beyond chance: 0 is chance and 1 is full agreement. A
    preference of 0.5 is none. Self and family preference are 0 where there is none.

    arena audit votes reports on voters instead.

    \b
    arena audit                               every judge that has compared answers
    arena audit --judge smollm2 --canaries    with answers that try to steer it
    arena audit votes                         the people who voted
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from arena.leaderboard.judge_audit import audit_judge, judges_with_verdicts

    path = db_path(db, settings(config, ()))
    asks = canaries or labels is not None
    if asks and not judges:
        raise InputError("--canaries and --labels ask a judge; name it with --judge")
    if not asks and not path.exists():
        raise InputError(f"{path}: no such database; --db names another")
    with fill_store(path) as store:
        names = split(judges) or judges_with_verdicts(store)
        if not names:
            raise InputError(f"{path} has no verdicts to audit; arena judge makes them")
        cards = {name: _card(store, name, base_url, required=asks) for name in names}
        steps = []
        if asks:
            asked = list(filter(None, cards.values()))
            steps = _ask(store, asked, labels, canaries, concurrency)
        if labels is not None:
            reports = _on_labels(store, list(filter(None, cards.values())), labels)
        else:
            compared = judges_with_verdicts(store)
            for name in names if canaries else []:
                if name not in compared:
                    _say_canaries(store, cards[name])
            names = [name for name in names if not canaries or name in compared]
            reports = [audit_judge(store, name, cards[name]) for name in names]
    if reports := [report for report in reports if report.pairs]:
        _print(reports, form)
    finish(steps)  # what could be read is shown, whatever else failed


def _refuse_options(context: typer.Context) -> None:
    """An option before the name of a command would be lost."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(
                f"options of arena audit {context.invoked_subcommand} come after its name, and "
                "those of judges go without it"
            )


def _card(store: "Store", name: str, base_url: str | None, *, required: bool) -> "JudgeCard | None":
    """The judge's card; one that was imported has none."""
    from arena.judging import load_card

    try:
        return load_card(name, store.home, base_url=base_url)
    except UnknownNameError:
        if required:
            raise
        return None


def _ask(
    store: "Store",
    cards: "list[JudgeCard]",
    labels: Path | None,
    canaries: bool,
    concurrency: int | None,
) -> "list[Progress]":
    from arena.backends import Limits
    from arena.judging.report_card.labelled import read_labelled
    from arena.leaderboard.judge_audit import ask_canaries, ask_labelled

    given = None if labels is None else read_labelled(labels)
    with watched(Limits(concurrency)) as tracker:
        steps = []
        for card in cards:
            if given is not None:
                step = ask_labelled(store, card, given, tracker(f"{card.name} reads {labels}"))
                steps.append(step)
            if canaries:
                steps.append(ask_canaries(store, card, tracker(f"{card.name} meets canaries")))
    return steps


def _on_labels(store: "Store", cards: "list[JudgeCard]", labels: Path) -> "list[JudgeAudit]":
    from arena.judging.report_card.labelled import read_labelled
    from arena.leaderboard.judge_audit import audit_labelled

    given = read_labelled(labels)
    return [audit_labelled(store, card, given) for card in cards]


def _say_canaries(store: "Store", card: "JudgeCard | None") -> None:
    from arena.leaderboard.judge_audit import stored_canaries

    found = stored_canaries(store, card) if card else None
    if card and found:
        say(f"{card.name}: {found.attacked} of the answers that try to steer it won.")
        _say_kinds(found.won)


def _say_kinds(won: "Mapping[str, Measure]") -> None:
    for kind, share in won.items():
        if share.value:
            say(f"  {kind}: {share}")


def _print(reports: "list[JudgeAudit]", form: Format) -> None:
    if form is Format.JSON:
        found = [report.as_dict() for report in reports]
        whole = found[0] if len(found) == 1 else found
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
        return
    rows = [
        {
            "judge": report.judge,
            "measure": name.replace("_", " "),
            "value": _figure(measure.value),
            "95% interval": _interval(measure.low, measure.high),
            "n": measure.n,
        }
        for report in reports
        for name, measure in report.measures()
        if measure.n or form is not Format.TABLE
    ]
    emit(rows, form)
    for report in reports:
        say(f"{report.judge}: {counted(report.pairs, 'pair')}{_tokens(report.usages)}.")
        if empty := [name.replace("_", " ") for name, m in report.measures() if not m.n]:
            say(f"{report.judge}: nothing to measure these by: {', '.join(empty)}.")
        if report.alone:
            say(str(Note.of("judge.alone", judge=report.judge)))
        if report.canaries:
            _say_kinds(report.canaries.won)


def _tokens(usages: "Sequence[Usage]") -> str:
    read = sum(usage.prompt_tokens for usage in usages)
    written = sum(usage.completion_tokens for usage in usages)
    if not read:
        return ""
    each = [round(count / len(usages)) for count in (read, written)]
    return f", {counted(each[0], 'token')} read and {each[1]:,} written each"


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:z.3f}"


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:z.3f} – {high:z.3f}"


audits.command()(votes)
COMMANDS = ()
GROUPS = {"audit": audits}
