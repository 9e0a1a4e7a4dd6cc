"""`arena compare`: is one model better than another, and may it be shipped."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from arena.cli.options import RANKING, ConfigFile, Db, Limit, Prompts, open_store, settings, split
from arena.cli.options.ranking import AllowWeak, JudgesOption, WhatCounts
from arena.cli.output import say, table
from arena.cli.progress import watched
from arena.records import COMMAND_LINE, Evidence
from arena.records.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arena.compare.differences.multiplicity import Adjustment
    from arena.compare.question import Question
    from arena.compare.report import CompareReport
    from arena.leaderboard.board import Policy
    from arena.store import Store


class ReportFormat(StrEnum):
    """How a comparison is printed."""

    TABLE = "table"
    JSON = "json"
    MD = "md"
    JUNIT = "junit"


ReportOutput = Annotated[
    ReportFormat,
    typer.Option(
        "--format",
        help="How to print the result: a table for people, json for programs, md for a comment on "
        "a pull request, junit for a build server.",
    ),
]
MarginOption = Annotated[
    float | None,
    typer.Option(
        metavar="POINTS",
        help="How many points of win rate the new model may be worse, or, with --superior, must be "
        "better. 50 % is even, so 2 points less is 48 %. Of benchmarks it is points of accuracy.",
        show_default="2, or 0 with --superior",
    ),
]
ConfidenceOption = Annotated[
    float,
    typer.Option(help="How sure the decision must be, as in 0.95."),
]


def compare(
    old: Annotated[str, typer.Argument(metavar="A", help="The model that there is.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The model that may take its place.")],
    evidence: Annotated[
        Evidence | None,
        typer.Option(
            help="What decides: votes (human), judges (judge), benchmarks (objective), or judges "
            "put right by votes (combined).",
            show_default="the most direct that there is",
        ),
    ] = None,
    margin: MarginOption = None,
    superior: Annotated[
        bool, typer.Option("--superior", help="Ship only a model that is shown to be better.")
    ] = False,
    two_sided: Annotated[
        bool,
        typer.Option("--two-sided", help="Ask whether there is any difference, whichever way."),
    ] = False,
    confidence: ConfidenceOption = 0.95,
    control: Annotated[
        str,
        typer.Option(
            metavar="holm|bh",
            help="How p-values of categories and languages allow for their number: holm bounds the "
            "chance of any false claim, bh (Benjamini and Hochberg) the share of false ones.",
        ),
    ] = "holm",
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OTHER.db", help="The database that holds A, where it is not that of B."
        ),
    ] = None,
    power: Annotated[
        bool,
        typer.Option(
            "--power",
            help="Decide nothing. Say how many prompts, judgements or votes it takes to see a "
            "difference, from what varied in this database so far.",
        ),
    ] = False,
    difference: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="With --power: the true difference to plan for.",
            show_default="0 where it must not be worse",
        ),
    ] = None,
    chance: Annotated[
        float,
        typer.Option(help="With --power: the chance to be told to ship if that is the difference."),
    ] = 0.8,
    sequential: Annotated[
        bool,
        typer.Option(
            "--sequential",
            help="Let the judge named with --judge compare the two on one prompt after the other, "
            "and stop as soon as the answer is certain. Looking at any time is allowed for.",
        ),
    ] = False,
    judge: Annotated[
        str | None, typer.Option(help="With --sequential: the judge card to ask.")
    ] = None,
    prompts: Prompts = None,
    limit: Limit = None,
    allow_weak_judges: AllowWeak = False,
    judges: JudgesOption = None,
    junit: Annotated[
        Path | None, typer.Option(help="Also write the result to this file, in JUnit's form.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--md", help="Also write the result to this file, in Markdown.")
    ] = None,
    form: ReportOutput = ReportFormat.TABLE,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Say whether model B is better than model A, or at least not worse, and may be shipped.

    Exit code 0: ship. 1: do not. 3: this cannot be told yet. 2 is a mistake in the command.

    \b
    arena compare old new                by the most direct evidence of the database
    arena compare old new --margin 5     not worse by more than 5 points
    arena compare old new --power        how many prompts it takes, before a run
    """
    from arena.compare.report import compare as compare_models
    from arena.leaderboard.board import policy_of
    from arena.store import Store
    from arena.store.versions import stored_name

    question = asked_question(margin, superior, two_sided, confidence)
    _check_together(
        power, sequential, {"--against": against, "--junit": junit, "--md": markdown},
        {"--difference": difference}, {"--judge": judge, "--evidence": evidence},
    )  # fmt: skip
    conf = settings(config, (*RANKING, "models", "prompts"))
    store = open_store(db, conf)
    counts = WhatCounts(allow_weak_judges=allow_weak_judges, judges=judges)
    policy = counts.applied(store, policy_of(store, conf))
    other = None if against is None else Store(against, create=False)
    candidates = conf.candidates()
    old, new = stored_name(other or store, candidates, old), stored_name(store, candidates, new)
    if power:
        print_power(store, old, new, policy, question, evidence, difference, chance, form)
        return
    if sequential:
        if judge is None:
            raise InputError("--sequential needs --judge NAME; arena judges lists them")
        asked = split(prompts) or conf.prompts
        run_sequential(store, old, new, question, judge, asked, limit, allow_weak_judges, form)
    report = compare_models(
        store, old, new, question,
        policy=policy, evidence=evidence, against=other, control=_control(control),
    )  # fmt: skip
    print_report(report, form, junit, markdown)
    sys.exit(report.decision.exit_code)


def _check_together(
    power: bool,
    sequential: bool,
    whole: "Mapping[str, object]",
    planned: "Mapping[str, object]",
    judged: "Mapping[str, object]",
) -> None:
    """Refuse what cannot all be meant. Options by name, None where not given.

    whole: of the comparison itself. planned: of --power. judged: the judge, and the evidence.
    """
    if power and sequential:
        raise InputError("--power and --sequential do not go together; give one of them")
    mode = "--power" if power else "--sequential" if sequential else ""
    taken = {} if not mode else dict(whole)
    if not power:
        taken |= planned
    if sequential:
        taken["--evidence"] = judged["--evidence"]
    else:
        taken["--judge"] = judged["--judge"]
    for name, value in taken.items():
        if value is not None:
            needed = {"--difference": "--power", "--judge": "--sequential"}.get(name)
            said = f"goes with {needed} only" if needed else f"does not go with {mode}"
            raise InputError(f"{name} {said}")


def asked_question(
    margin: float | None, superior: bool, two_sided: bool, confidence: float
) -> "Question":
    """The question that the options of a command ask."""
    from arena.compare.question import MARGIN, Aim, Question

    if superior and two_sided:
        raise InputError("--superior and --two-sided do not go together; give one of them")
    if two_sided and margin is not None:
        raise InputError("--margin does not go with --two-sided, which asks for any difference")
    aim = Aim.SUPERIOR if superior else Aim.TWO_SIDED if two_sided else Aim.NOT_WORSE
    usual = MARGIN if aim is Aim.NOT_WORSE else 0.0
    return Question(aim, usual if margin is None else margin, confidence)


def print_power(
    store: "Store",
    old: str,
    new: str,
    policy: "Policy",
    question: "Question",
    evidence: Evidence | None,
    difference: float | None,
    chance: float,
    form: ReportFormat,
) -> None:
    """Say what it takes, by each kind of evidence that tells how much prompts differ."""
    from arena.compare.contest import contests
    from arena.compare.power import plan_power

    found = contests(store, old, new, policy)
    plans, refused = [], None
    for kind, contest in found.kinds.items():
        if evidence in (None, kind):
            try:
                plans.append(plan_power(contest, question, difference, chance))
            except InputError as error:
                refused = refused or error
    if not plans:
        raise refused or InputError("no evidence here tells how much prompts differ")
    if form is ReportFormat.JSON:
        rows = [asdict(plan) for plan in plans]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return
    for plan in plans:
        for note in plan.sentences:
            sys.stdout.write(f"{note.text(place=COMMAND_LINE)}\n")


def run_sequential(
    store: "Store",
    old: str,
    new: str,
    question: "Question",
    judge: str,
    prompts: list[str],
    limit: int | None,
    allow_weak: bool,
    form: ReportFormat,
) -> NoReturn:
    """Judge until the answer is certain, print it, and end with the decision."""
    from arena.compare.judged import judge_until_sure
    from arena.generation.prompts import load_prompts
    from arena.judging import load_card

    card = load_card(judge, store.home)
    asked = load_prompts(prompts, store.home, limit)
    with watched() as tracker:
        done = judge_until_sure(
            store, card, asked, old, new, question, allow_weak=allow_weak, watch=tracker
        )
    if form is ReportFormat.JSON:
        whole = {"decision": done.decision, "sentence": str(done.sentence), "saved": done.saved}
        whole |= asdict(done.standing) | {"judged": done.judged, "total": done.total}
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(f"{done.sentence.text(place=COMMAND_LINE)}\n")
    sys.exit(done.decision.exit_code)


def _control(name: str) -> "Adjustment":
    from arena.compare.differences.multiplicity import Adjustment

    try:
        return Adjustment(name)
    except ValueError:
        raise InputError(f"--control {name!r}; allowed are {', '.join(Adjustment)}") from None


def print_report(
    report: "CompareReport", form: ReportFormat, junit: Path | None, markdown: Path | None
) -> None:
    """Print a comparison, and write the files that were asked for."""
    from arena.compare.formats import to_json, to_junit, to_markdown

    for path, text in ((junit, to_junit), (markdown, to_markdown)):
        if path is not None:
            _write(path, text(report))
    if form is ReportFormat.JSON:
        whole = json.dumps(to_json(report), ensure_ascii=False, indent=2, allow_nan=False)
        sys.stdout.write(f"{whole}\n")
    elif form is ReportFormat.TABLE:
        print_tables(report)
    else:
        sys.stdout.write((to_junit if form is ReportFormat.JUNIT else to_markdown)(report))


def print_tables(report: "CompareReport") -> None:
    """The sentence and the tables, for people."""
    from arena.compare.formats import (
        fact_rows,
        finding_rows,
        group_rows,
        mover_rows,
        outlook_rows,
        outlook_title,
    )

    sys.stdout.write(f"{report.sentence.text(place=COMMAND_LINE)}\n")
    titles = {
        "What each kind of evidence says": finding_rows(report),
        f"By group; p-values allow for their number ({report.control})": group_rows(report),
        "Prompts that moved most": mover_rows(report),
        "Cost, speed and length": fact_rows(report),
        outlook_title(): outlook_rows(report),
    }
    for title, rows in titles.items():
        if rows:
            table(rows, title)
    for note in report.notes:
        say(f"Note: {note.text(place=COMMAND_LINE)}")


def _write(path: Path, text: str) -> None:
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written to ({error.strerror})") from error


COMMANDS = (compare,)
