"""`arena import`: what other tools have collected."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from typer.core import TyperGroup

from arena.cli.options import (
    ConfigFile,
    Db,
    Output,
    db_path,
    fill_store,
    open_store,
    rehearsal,
    settings,
    split,
)
from arena.cli.options.bundles import bundled
from arena.cli.output import Format, emit, say, warn
from arena.interchange.formats import FORMATS
from arena.records import counted, counted_rows
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.interchange.exchange.reading import Hints
    from arena.interchange.formats import FileFormat
    from arena.interchange.results import ResultSet, ToolResults


class Formats(TyperGroup):
    """Takes a path in place of a format: then the files tell which it is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command that recognises a format before a path or an option."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [RECOGNISE, *args]
        return super().parse_args(ctx, args)


imports = typer.Typer(
    cls=Formats,
    no_args_is_help=True,
    help="Bring in what other tools have collected: arena import [FORMAT] PATH.",
)
RECOGNISE = "recognise"
OUT = [one.name for one in FORMATS if one.out]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToRead:
    """What the files of another tool do not say; every command that imports some has these."""

    heading: ClassVar[str] = "Options"
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            metavar="FILE",
            help="Write the rows that are refused to this file, each with its place and the "
            "reason, and take in the others. Without it one such row refuses everything.",
        ),
    ] = None
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help="The file of the questions that answers and judgments name by id, where it does "
            "not stand beside them.",
        ),
    ] = None
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            help="The model that the others were compared with, where the files do not say.",
        ),
    ] = None
    as_votes: Annotated[
        bool,
        typer.Option(
            "--as-votes",
            help="Take every row for a person's vote, whatever its source column says.",
        ),
    ] = False
    judge: Annotated[
        str | None,
        typer.Option("--judge", help="Take every row for a verdict of the judge of this name."),
    ] = None
    within: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="NAME",
            help="The set that the ids in the prompt column belong to, where there are no "
            "questions. Without it ids belong to their file.",
        ),
    ] = None

    def hints(self) -> "Hints":
        """As the readers of files take them."""
        from arena.interchange.exchange.reading import Hints

        if self.as_votes and self.judge is not None:
            raise InputError("--as-votes and --judge exclude each other")
        return Hints(self.prompts, self.baseline, self.judge, self.as_votes, self.within)


@imports.callback()
def _group() -> None:
    """Bring in what other tools have collected: arena import [FORMAT] PATH.

    Everything comes in or nothing does, and what was imported before changes nothing.
    """


@imports.command(RECOGNISE, hidden=True)
@bundled
def _recognise(
    words: Annotated[list[str], typer.Argument(metavar="PATH")],
    form: Output = Format.TABLE,
    *,
    how: HowToRead,
    into: Into,
) -> None:
    """Tell by the files which format they are of, and import them."""
    from arena.interchange.formats import named, recognised

    if len(words) > 1:
        named(words[0])  # says which formats there are
        raise InputError(f"{' '.join(words)}: more than one path; give one at a time")
    path = Path(words[0])
    found, seen = recognised(path)
    say(f"{path}: read as {found.name} ({seen}).")
    _take(found, path, how, into, form)


def _command(name: str, place: str) -> Callable[..., None]:
    @bundled
    def take(
        path: Annotated[Path, typer.Argument(help=place)],
        form: Output = Format.TABLE,
        *,
        how: HowToRead,
        into: Into,
    ) -> None:
        from arena.interchange.formats import named

        _take(named(name), path, how, into, form)

    return take


def _take(found: "FileFormat", path: Path, how: HowToRead, into: Into, form: Format) -> None:
    """Read, store, and say what became of everything."""
    from arena.interchange.exchange.intake import take_in

    hints = how.hints()
    if (results := found.results) is not None:
        _bring(results, path, into, form)
        return
    place = db_path(into.db, settings(into.config, ()))
    with (rehearsal if into.dry_run else fill_store)(place) as store:
        if (read := found.read) is None:
            counts, told = found.module.fill(store, path), None
        else:
            told = take_in(
                store, read(path, hints), rejects=how.rejects, rename=_renames(into.rename)
            )
            counts = told.counts
    rows = [
        {"rows": kind, "new": count.new, "there already": count.there}
        for kind, count in counts.items()
        if count.new or count.there
    ]
    emit(rows, form)
    if told is not None:
        if told.refused:
            refused = counted(told.refused, "row is", "rows are")
            say(f"{refused} refused; {how.rejects} says which, and why.")
        for why, count in told.passed.items():
            say(f"{counted(count, 'row is', 'rows are')} passed over: {why}.")
        for note in told.notes:
            say(note)
    new = {kind: count.new for kind, count in counts.items()}
    say(f"{_would_be(place, into.dry_run)}: {_news(new)}.")


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

    \b
    arena import battles votes.csv --dry-run      what it would bring
    arena import battles votes.csv                bring it in
    arena import battles gpt.csv --judge gpt-4    every row a verdict of gpt-4
    """
    from arena.interchange.imports import import_battles

    if as_votes and judge is not None:
        raise InputError("--as-votes and --judge exclude each other")
    path = db_path(db, settings(config, ()))
    is_new = not path.exists()
    with (rehearsal if dry_run else fill_store)(path) as store:
        found = import_battles(store, file, "human" if as_votes else judge, within=within)
    rows = [counted(found.votes, "vote")]
    rows += [f"{counted(count, 'verdict')} of {name}" for name, count in found.verdicts.items()]
    absent = f" ({found.absent:,} of them without a text)" if found.absent else ""
    say(
        f"{_would_be(path, dry_run)}: {', '.join(rows)}. New are "
        f"{counted(found.prompts, 'prompt')}, {counted(found.models, 'model')} and "
        f"{counted(found.answers, 'answer')}{absent}."
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
    """Import OpenCompass's predictions and results, item by item.

    \b
    arena import opencompass outputs/default    a work folder
    """
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
    """Import what lm-eval wrote with --log_samples, item by item.

    \b
    arena import lm-eval results    the folder of its files
    """
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
    """Import evalscope's reports with the reviews of their items.

    \b
    arena import evalscope outputs/20260101_120000    a work folder
    """
    from arena.interchange.evalscope import read_evalscope

    _bring(read_evalscope, path, into, form)


def _news(new: Mapping[str, int]) -> str:
    """What is new, by kind of rows."""
    rows = [counted_rows(count, kind) for kind, count in new.items() if count]
    return f"new are {', '.join(rows)}" if rows else "nothing is new"


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


for _one in FORMATS:
    if _one.name not in ("opencompass", "lm-eval", "evalscope"):
        _help = f"Import {_one.title}.\n\n\b\narena import {_one.name} FOLDER"
        imports.command(_one.name, help=_help)(_command(_one.name, _one.path))


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
    changed = f", {found.changed} changed" if found.changed else ""
    say(
        f"{_would_be(place, into.dry_run)}: {counted(found.new, 'outcome')} new{changed}, "
        f"{found.same} there before; {counted(found.models, 'model')} new."
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


def _export(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of: {', '.join(OUT)}.")],
    path: Annotated[Path, typer.Argument(help="The file or the new folder to write.")],
    voters: Annotated[
        bool,
        typer.Option("--voters", help="With the hashes of voters, who are numbered otherwise."),
    ] = False,
    comments: Annotated[
        bool, typer.Option("--comments", help="With what voters wrote (store).")
    ] = False,
    redact: Annotated[
        bool,
        typer.Option(
            "--redact",
            help="Take e-mail addresses, telephone numbers and keys out of all texts.",
        ),
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(help="The model that all others are compared with (arena-hard)."),
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write the tables as Parquet (store).")
    ] = False,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Write what the database holds as files of another tool.

    Voters are numbered, and their comments left out, unless you ask for them.

    \b
    arena export fastchat mt-bench        question.jsonl, model_answer/ and model_judgment/
    arena export table votes.csv          votes and verdicts as a table
    arena export store backup             the whole database, with digests
    """
    from arena.interchange.exchange.source import Outgoing
    from arena.interchange.formats import named

    wanted = named(format_)
    wanted.check_out()
    store = open_store(db, settings(config, ()))
    found = wanted.write(Outgoing(store, voters, comments, redact, baseline, parquet), path)
    counts = ((what, count) for what, count in found.counts.items() if count)
    parts = ", ".join(counted_rows(count, what) for what, count in counts)
    for (what, why), count in found.left_out.items():
        say(f"Left out: {counted_rows(count, what)}: {why}.")
    if not parts:
        warn(f"Nothing here can be written as {format_}, so {path} was not made.")
        sys.exit(1)
    say(f"{path}: {parts}.")


def merge(
    databases: Annotated[
        list[Path], typer.Argument(metavar="DATABASE...", help="The databases to take in.")
    ],
    dry_run: DryRun = False,
    db: Db = None,
    config: ConfigFile = None,
    form: Output = Format.TABLE,
) -> None:
    """Take other databases of arena into this one, such as the parts of a run with --shard.

    What is there already stays and is not taken twice, so the same command may be run again.
    Where two databases contradict each other, nothing of the later one is taken.

    \b
    arena merge 1.db 2.db 3.db                into arena.db
    arena merge 1.db 2.db 3.db --db all.db    into another one
    """
    from arena.interchange.merge import merge as taken
    from arena.store import Store

    place = db_path(db, settings(config, ()))
    rows, new = list[dict[str, object]](), Counter[str]()
    with (rehearsal if dry_run else fill_store)(place) as store:
        for path in databases:
            counts = taken(store, Store(path, create=False))
            new.update({kind: count.new for kind, count in counts.items()})
            rows += [
                {"from": str(path), "rows": kind, "new": count.new, "there already": count.there}
                for kind, count in counts.items()
                if count.new or count.there
            ]
    emit(rows, form)
    say(f"{_would_be(place, dry_run)}: {_news(new)}.")


_export.__name__ = "export"
COMMANDS = (_export, merge)
GROUPS = {"import": imports}
