"""`arena compare`: is one model better than another, and may it be shipped."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import RANKING, ConfigFile, Db, open_store, settings
from arena.cli.output import say, table
from arena.cli.ranking import AllowWeak, JudgesOption, asked_policy
from arena.errors import InputError
from arena.records import COMMAND_LINE, Evidence

if TYPE_CHECKING:
    from arena.compare.multiplicity import Adjustment
    from arena.compare.question import Question
    from arena.compare.report import CompareReport


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
    """
    from arena.compare.report import compare as compare_models
    from arena.leaderboard.board import policy_of
    from arena.store import Store

    question = asked_question(margin, superior, two_sided, confidence)
    conf = settings(config, RANKING)
    store = open_store(db, conf)
    policy = asked_policy(store, policy_of(store, conf), None, allow_weak_judges, judges)
    other = None if against is None else Store(against, create=False)
    report = compare_models(
        store, old, new, question,
        policy=policy, evidence=evidence, against=other, control=_control(control),
    )  # fmt: skip
    print_report(report, form, junit, markdown)
    sys.exit(report.decision.exit_code)


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


def _control(name: str) -> "Adjustment":
    from arena.compare.multiplicity import Adjustment

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
    from arena.compare.formats import fact_rows, finding_rows, group_rows, mover_rows

    sys.stdout.write(f"{report.sentence.text(place=COMMAND_LINE)}\n")
    titles = {
        "What each kind of evidence says": finding_rows(report),
        f"By group; p-values allow for their number ({report.control})": group_rows(report),
        "Prompts that moved most": mover_rows(report),
        "Cost, speed and length": fact_rows(report),
    }
    for title, rows in titles.items():
        if rows:
            table(rows, title)
    for note in report.notes:
        say(f"Note: {note.text(place=COMMAND_LINE)}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written to ({error.strerror})") from error


COMMANDS = (compare,)
