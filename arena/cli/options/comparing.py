"""Options of `arena compare`: what is asked, how a run is planned or ended early, and the files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from arena.cli.options import Limit, Prompts
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.compare.differences.multiplicity import Adjustment
    from arena.compare.question import Question

ConfidenceOption = Annotated[
    float,
    typer.Option(help="How sure the decision must be, as in 0.95."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIsAsked:
    """The question that a comparison answers."""

    heading: ClassVar[str] = "What is asked"
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="How many points of win rate the new model may be worse, or, with --superior, "
            "must be better. 50 % is even, so 2 points less is 48 %. Of benchmarks it is points "
            "of accuracy.",
            show_default="2, or 0 with --superior",
        ),
    ] = None
    superior: Annotated[
        bool, typer.Option("--superior", help="Ship only a model that is shown to be better.")
    ] = False
    two_sided: Annotated[
        bool,
        typer.Option("--two-sided", help="Ask whether there is any difference, whichever way."),
    ] = False
    confidence: ConfidenceOption = 0.95
    control: Annotated[
        str,
        typer.Option(
            metavar="holm|bh",
            help="How p-values of categories and languages allow for their number: holm bounds "
            "the chance of any false claim, bh (Benjamini and Hochberg) the share of false ones.",
        ),
    ] = "holm"

    def question(self) -> "Question":
        """Raises InputError for options that exclude each other."""
        from arena.compare.question import MARGIN, Aim, Question

        if self.superior and self.two_sided:
            raise InputError("--superior and --two-sided do not go together; give one of them")
        if self.two_sided and self.margin is not None:
            raise InputError("--margin does not go with --two-sided, which asks for any difference")
        aim = Aim.TWO_SIDED if self.two_sided else Aim.NOT_WORSE
        aim = Aim.SUPERIOR if self.superior else aim
        usual = MARGIN if aim is Aim.NOT_WORSE else 0.0
        return Question(aim, usual if self.margin is None else self.margin, self.confidence)

    def adjustment(self) -> "Adjustment":
        """Raises InputError for a name that is none."""
        from arena.compare.differences.multiplicity import Adjustment

        try:
            return Adjustment(self.control)
        except ValueError:
            allowed = ", ".join(Adjustment)
            raise InputError(f"--control {self.control!r}; allowed are {allowed}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a run would take, in place of a decision."""

    heading: ClassVar[str] = "Planning a run"
    power: Annotated[
        bool,
        typer.Option(
            "--power",
            help="Decide nothing. Say how many prompts, judgements or votes it takes to see a "
            "difference, from what varied in this database so far.",
        ),
    ] = False
    difference: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="With --power: the true difference to plan for.",
            show_default="0 where it must not be worse",
        ),
    ] = None
    chance: Annotated[
        float,
        typer.Option(help="With --power: the chance to be told to ship if that is the difference."),
    ] = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class OneByOne:
    """A judge that compares until the answer is certain."""

    heading: ClassVar[str] = "Judging until it is certain"
    sequential: Annotated[
        bool,
        typer.Option(
            "--sequential",
            help="Let the judge named with --judge compare the two on one prompt after the other, "
            "and stop as soon as the answer is certain. Looking at any time is allowed for.",
        ),
    ] = False
    judge: Annotated[str | None, typer.Option(help="With --sequential: the judge card to ask.")] = (
        None
    )
    prompts: Prompts = None
    limit: Limit = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Files that a report is written to as well."""

    heading: ClassVar[str] = "Files"
    junit: Annotated[
        Path | None, typer.Option(help="Also write the result to this file, in JUnit's form.")
    ] = None
    markdown: Annotated[
        Path | None, typer.Option("--md", help="Also write the result to this file, in Markdown.")
    ] = None
