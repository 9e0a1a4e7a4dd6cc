"""`arena compare`: is one model better than another, and may it be shipped."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from arena.cli.options import RANKING, ConfigFile, Db, named, open_store, settings, split
from arena.cli.options.bundles import bundled
from arena.cli.options.comparing import OneByOne, Planned, ReportFiles, WhatIsAsked
from arena.cli.options.ranking import AllowWeak, JudgesOption, WhatCounts
from arena.cli.output import say, table, warn
from arena.cli.progress import watched
from arena.records import COMMAND_LINE, Evidence
from arena.records.errors import InputError, NoEvidenceError

if TYPE_CHECKING:
    from arena.compare.question import Question
    from arena.compare.report import CompareReport
    from arena.config import Config
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


@bundled
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
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OTHER.db", help="The database that holds A, where it is not that of B."
        ),
    ] = None,
    allow_weak_judges: AllowWeak = False,
    judges: JudgesOption = None,
    form: ReportOutput = ReportFormat.TABLE,
    db: Db = None,
    config: ConfigFile = None,
    *,
    asked: WhatIsAsked,
    planned: Planned,
    one_by_one: OneByOne,
    files: ReportFiles,
) -> None:
    """Say whether model B is better than model A, or at least not worse, and may be shipped.

    Exit code 0: ship. 1: do not. 3: this cannot be told yet. 2 is a mistake in the command.

    \b
    arena compare old new                by the most direct evidence of the database
    arena compare old new --margin 5     not worse by more than 5 points
    arena compare old new --power        how many prompts it takes, before a run
    """
    from arena.compare.question import Decision
    from arena.compare.report import compare as compare_models
    from arena.leaderboard.board import policy_of
    from arena.store import Store

    question = asked.question()
    _check_together(planned, one_by_one, files, evidence, against)
    conf = settings(config, (*RANKING, "models", "prompts"))
    store = open_store(db, conf)
    counts = WhatCounts(allow_weak_judges=allow_weak_judges, judges=judges)
    policy = counts.applied(store, policy_of(store, conf))
    other = None if against is None else Store(against, create=False)
    candidates = conf.candidates()
    old, new = named(other or store, candidates, old), named(store, candidates, new)
    if planned.power:
        print_power(store, old, new, policy, question, evidence, planned, form)
        return
    if one_by_one.sequential:
        run_sequential(store, old, new, question, one_by_one, conf, allow_weak_judges, form)
    try:
        report = compare_models(
            store, old, new, question,
            policy=policy, evidence=evidence, against=other, control=asked.adjustment(),
        )  # fmt: skip
    except NoEvidenceError as error:
        if evidence is not None:  # which is then a mistake, as there may be some of another kind
            raise
        warn(error.note.text(place=COMMAND_LINE))
        sys.exit(Decision.CANNOT_TELL.exit_code)
    print_report(report, form, files)
    sys.exit(report.decision.exit_code)


def _check_together(
    planned: Planned,
    one_by_one: OneByOne,
    files: ReportFiles,
    evidence: Evidence | None,
    against: Path | None,
) -> None:
    """Refuse what cannot all be meant."""
    power, sequential = planned.power, one_by_one.sequential
    if power and sequential:
        raise InputError("--power and --sequential do not go together; give one of them")
    taken: dict[str, object] = {}
    if mode := "--power" if power else "--sequential" if sequential else "":
        taken |= {"--against": against, "--junit": files.junit, "--md": files.markdown}
    if sequential:
        taken["--evidence"] = evidence
    for name, value in taken.items():
        if value is not None:
            raise InputError(f"{name} does not go with {mode}")
    if planned.difference is not None and not power:
        raise InputError("--difference goes with --power only")
    if one_by_one.judge is not None and not sequential:
        raise InputError("--judge goes with --sequential only")
    if sequential and one_by_one.judge is None:
        raise InputError("--sequential needs --judge NAME; arena judges lists them")


def print_power(
    store: "Store",
    old: str,
    new: str,
    policy: "Policy",
    question: "Question",
    evidence: Evidence | None,
    planned: Planned,
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
                plans.append(plan_power(contest, question, planned.difference, planned.chance))
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
    how: OneByOne,
    config: "Config",
    allow_weak: bool,
    form: ReportFormat,
) -> NoReturn:
    """Judge until the answer is certain, print it, and end with the decision."""
    from arena.compare.judged import judge_until_sure
    from arena.generation.prompts import answered_prompts
    from arena.judging import load_card

    card = load_card(str(how.judge), store.home)
    asked = answered_prompts(store, split(how.prompts), config, how.limit)
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


def print_report(report: "CompareReport", form: ReportFormat, files: ReportFiles) -> None:
    """Print a comparison, and write the files that were asked for."""
    from arena.compare.formats import to_json, to_junit, to_markdown

    for path, text in ((files.junit, to_junit), (files.markdown, to_markdown)):
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
