"""`arena import`: what other tools have collected."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from arena.cli.options import (
    ConfigFile,
    Db,
    Output,
    db_path,
    fill_store,
    rehearsal,
    settings,
    split,
)
from arena.cli.options.bundles import bundled
from arena.cli.output import Format, emit, say
from arena.errors import InputError

if TYPE_CHECKING:
    from arena.interchange.results import ResultSet, ToolResults

imports = typer.Typer(no_args_is_help=True, help="Bring in what other tools have collected.")


DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Store nothing. Say what an import would bring, and what should be known before it.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Into:
    """Where the results of another tool go; every command that imports some has these."""

    heading: ClassVar[str] = "Options"
    rename: Annotated[
        list[str] | None,
        typer.Option(
            "--rename",
            help="Store a model of the files under another name, as in --rename gpt4=gpt-4.",
            metavar="OLD=NEW",
        ),
    ] = None
    dry_run: DryRun = False
    db: Db = None
    config: ConfigFile = None


@imports.callback()
def _group() -> None:
    """Bring in what other tools have collected."""


@imports.command()
def battles(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV, JSONL or Parquet file with the columns model_a, model_b and winner; see "
            "above for others."
        ),
    ],
    as_votes: Annotated[
        bool,
        typer.Option(
            "--as-votes",
            help="Take every row for a person's vote, whatever its source column says.",
        ),
    ] = False,
    judge: Annotated[
        str | None, typer.Option(help="Take every row for a verdict of the judge of this name.")
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="NAME",
            help="The set that the ids in the prompt column belong to, where there are no "
            "questions. Give several files the same one, as in --set mt-bench, if the same id is "
            "the same prompt in all of them. Without it ids belong to their file.",
        ),
    ] = None,
    dry_run: DryRun = False,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Import people's votes and judges' verdicts from a file of battles.

    A row is a vote where its source begins with `human`, or where it has a voter and no source.
    Any other source is the name of a judge, and the row is its verdict.

    Needed columns: model_a, model_b, winner (model_a, model_b, tie, both_bad, or words such as
    A, B and draw).

    Columns that are used where they are there: source, voter, prompt (an id), question,
    answer_a, answer_b, conversation_a, conversation_b, category, language, propensity. Others
    are passed over.

    The same id in two files is two prompts, unless the question is there to tell them by, or
    --set gives both files the same name.
    """
    from arena.interchange.imports import import_battles

    if as_votes and judge is not None:
        raise InputError("--as-votes and --judge exclude each other")
    path = db_path(db, settings(config, ()))
    is_new = not path.exists()
    with (rehearsal if dry_run else fill_store)(path) as store:
        found = import_battles(store, file, "human" if as_votes else judge, within=within)
    verdicts = ", ".join(f"{count} verdicts of {name}" for name, count in found.verdicts.items())
    say(
        f"{_would_be(path, dry_run)}: {found.votes} votes{', ' if verdicts else ''}{verdicts}; "
        f"{found.prompts} prompts, {found.models} models and {found.answers} answers are new."
    )
    for note in found.notes:
        say(f"Note: {note}")
    if found.notes and not dry_run:
        say(_way_back(path, is_new))


@imports.command()
@bundled
def opencompass(
    folder: Annotated[Path, typer.Argument(help="A work folder, or one run in it.")],
    form: Output = Format.TABLE,
    *,
    into: Into,
) -> None:
    """Import OpenCompass's predictions and results, item by item."""
    from arena.interchange.opencompass import read_opencompass

    _bring(read_opencompass, folder, into, form)


@imports.command("lm-eval")
@bundled
def lm_eval(
    path: Annotated[Path, typer.Argument(help="results_*.json, samples_*.jsonl, or their folder.")],
    form: Output = Format.TABLE,
    *,
    into: Into,
) -> None:
    """Import what lm-eval wrote with --log_samples."""
    from arena.interchange.lm_eval_results import read_lm_eval

    _bring(read_lm_eval, path, into, form)


@imports.command()
@bundled
def evalscope(
    path: Annotated[Path, typer.Argument(help="reports/MODEL/SET.json, or a work folder.")],
    form: Output = Format.TABLE,
    *,
    into: Into,
) -> None:
    """Import evalscope's reports with the reviews of their items."""
    from arena.interchange.evalscope import read_evalscope

    _bring(read_evalscope, path, into, form)


def _would_be(path: Path, dry_run: bool) -> str:
    return f"Nothing was stored. It would be, in {path}" if dry_run else str(path)


def _way_back(path: Path, is_new: bool) -> str:
    """How to undo an import of which something should have been known before."""
    if is_new:
        return f"If that is not what you want, delete {path}, which this import has made."
    return (
        "If that is not what you want: arena models archive NAME and arena judges archive NAME "
        "leave out what this import brought. --dry-run says all this before anything is stored."
    )


def _bring(
    read: Callable[[Path], "ToolResults"],
    path: Path,
    into: "Into",
    form: Format,
) -> None:
    """Read, store, and say what became of everything."""
    from arena.interchange.results import import_results, sentences

    names = _renames(into.rename)
    reading = read(path)
    place = db_path(into.db, settings(into.config, ()))
    with (rehearsal if into.dry_run else fill_store)(place) as store:
        found = import_results(store, reading, names)
    emit([_row(one) for one in found.sets], form)
    for sentence in (*found.notes, *sentences(found.left_out)):
        say(sentence)
    changed = f", {found.changed} have changed" if found.changed else ""
    say(
        f"{_would_be(place, into.dry_run)}: {found.new} outcomes are new{changed}, "
        f"{found.same} were there; "
        f"{found.models} models are new."
    )


def _renames(values: list[str] | None) -> dict[str, str]:
    names = {}
    for value in split(values):
        old, _, new = value.partition("=")
        if not old or not new:
            raise InputError(f"--rename {value!r}; it takes OLD=NEW")
        names[old] = new
    return names


def _row(one: "ResultSet") -> dict[str, object]:
    said = "" if one.reported is None else f"{one.reported[0]} {one.reported[1]:.4g}"
    return {
        "benchmark": one.benchmark,
        "version": one.version,
        "asked": one.variant,
        "model": one.model,
        "metric": one.metric,
        "items": len(one.items),
        "percent": round(100 * one.mean, 2),
        "in the file": said,
        "by our rule": None if one.ours is None else round(100 * one.ours, 2),
        "marks that differ": None if one.ours is None else one.differing,
        "marked by": one.marked,
    }


COMMANDS = ()
GROUPS = {"import": imports}
