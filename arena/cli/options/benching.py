"""Options of `arena bench`: how questions are asked, and where needles are hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from arena.cli.options import split
from arena.records import AllowCode
from arena.records.errors import InputError


def _names(help_: str) -> Any:
    return typer.Option(help=help_)


@dataclass(frozen=True, slots=True, kw_only=True)
class HowAsked:
    """How questions are put to a model, and how its replies are marked."""

    heading: ClassVar[str] = "How it is asked"

    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Ask only the first N questions of each benchmark.", metavar="N"),
    ] = None
    mode: Annotated[
        str | None,
        _names(
            "ppl takes the option that the model finds likeliest; gen reads the option in "
            "what it writes."
        ),
    ] = None
    few_shot: Annotated[
        int | None,
        typer.Option(
            min=0, help="Show N questions with their answers before each question.", metavar="N"
        ),
    ] = None
    chat_template: Annotated[
        bool | None,
        typer.Option(
            "--chat-template/--no-chat-template",
            help="Ask in the model's chat format, or as plain text. The default is the chat "
            "format where the model writes, and plain text where likelihoods are read.",
        ),
    ] = None
    multiturn: Annotated[
        bool,
        typer.Option(
            "--multiturn",
            help="Show the questions of --few-shot as earlier turns of the conversation.",
        ),
    ] = False
    circular: Annotated[
        bool,
        typer.Option(
            "--circular",
            help="Ask each question once for each order of its options; it counts as right only "
            "if all are right.",
        ),
    ] = False
    template: Annotated[
        str | None, _names("A text file with your own words around each question.")
    ] = None
    metric: Annotated[
        str | None,
        _names(
            "How open answers are marked: number, contains, exact, f1, recall, or judged by "
            "the model of --judge."
        ),
    ] = None
    variants: Annotated[
        list[str] | None,
        _names(
            "Ways of asking to compare, as in --variants zero-shot,few-shot,cot; template "
            "files too."
        ),
    ] = None
    judge: Annotated[
        str | None, _names("A judge card that marks the replies in which the rules find no answer.")
    ] = None
    allow_code: Annotated[
        AllowCode | None,
        typer.Option(
            "--allow-code",
            help="Let benchmarks run the programs that models write: in a container, or with "
            "`unsafe` on this machine as it is.",
            metavar="[container|unsafe]",
        ),
    ] = None
    contamination: Annotated[
        bool,
        typer.Option(
            "--contamination",
            help="Also look for signs that a model has seen the questions in its training.",
        ),
    ] = False
    fresh: Annotated[
        str | None,
        _names("A file of new questions of the same kind, to compare with in --contamination."),
    ] = None

    @property
    def values(self) -> dict[str, Any]:
        """By the names that an entry under benchmarks: has for them."""
        return {
            "limit": self.limit,
            "mode": self.mode,
            "few_shot": self.few_shot,
            "chat": self.chat_template,
            "multiturn": self.multiturn,
            "circular": self.circular,
            "template": self.template,
            "metric": self.metric,
            "variants": split(self.variants),
            "judge": self.judge,
            "allow_code": self.allow_code,
            "contamination": self.contamination or self.fresh is not None,
            "fresh": self.fresh,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Needles:
    """How long the texts of the needle test are, and what is hidden in them where."""

    heading: ClassVar[str] = "The needle test"

    lengths: Annotated[
        list[str] | None,
        _names("For --tasks needle: how long the texts are, in tokens, as in 1k,4k."),
    ] = None
    depths: Annotated[
        list[str] | None,
        _names(
            "For --tasks needle: where in the text the sentence is hidden, in percent, as "
            "in 0,50,100."
        ),
    ] = None
    needles: Annotated[
        list[str] | None,
        _names("For --tasks needle: how many sentences are hidden in one text, as in 1,3."),
    ] = None
    samples: Annotated[
        int,
        typer.Option(
            min=1, help="For --tasks needle: how many texts for each length and depth.", metavar="N"
        ),
    ] = 1
    languages: Annotated[list[str] | None, _names("For --tasks needle: en, zh or en,zh.")] = None
    filler: Annotated[
        str | None,
        _names(
            "For --tasks needle: a text file to hide the sentences in, instead of made-up text."
        ),
    ] = None

    @property
    def chosen(self) -> dict[str, Any]:
        """What was given of its lists. Raises InputError where a number is none."""
        lists = {
            "lengths": split(self.lengths),
            "depths": _numbers("--depths", split(self.depths)),
            "needles": _numbers("--needles", split(self.needles)),
            "languages": split(self.languages),
        }
        return {name: value for name, value in lists.items() if value}

    @property
    def values(self) -> dict[str, Any]:
        """By the names that an entry's needle: has for them."""
        return self.chosen | {"samples": self.samples, "filler": self.filler}


def _numbers(option: str, texts: Sequence[str]) -> list[float]:
    try:
        return [float(text.rstrip("%")) for text in texts]
    except ValueError as error:
        raise InputError(f"{option} {','.join(texts)!r}; it must be numbers") from error
