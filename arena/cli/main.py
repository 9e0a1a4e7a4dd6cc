"""`arena`: one command a stage, assembled from the modules beside this one."""

import inspect
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from arena import __version__
from arena.cli.options.mistakes import in_our_words
from arena.cli.output import Loudness, voice
from arena.records import COMMAND_LINE
from arena.records.errors import ArenaError, GateError, InputError

_LOUDNESS = ("-q", "--quiet", "-v", "--verbose")
BARE = {"--allow-code": "container"}


class Commands(TyperGroup):
    """Turns the package's errors into one line and an exit code: a user sees no traceback.

    The code is 2, and 1 where `arena rank` refuses the evidence, as a run does.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            with in_our_words(self.params):
                return super().invoke(ctx)
        except ArenaError as error:
            if voice.loudness is Loudness.VERBOSE:
                traceback.print_exc()
            sys.stderr.write(f"arena: {error.text(place=COMMAND_LINE)}\n")
            sys.exit(1 if ctx.invoked_subcommand == "rank" and isinstance(error, GateError) else 2)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; an option that may stand without its value is given one.

        How much is said may be chosen behind the command as well as before it.
        """
        args = [*(w for w in args if w in _LOUDNESS), *(w for w in args if w not in _LOUDNESS)]
        following = [*args[1:], "-"]
        words = [
            f"{word}={BARE[word]}" if word in BARE and after.startswith("-") else word
            for word, after in zip(args, following, strict=True)
        ]
        with in_our_words(self.params):
            return super().parse_args(ctx, words)

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the work, not of the alphabet."""
        return list(self.commands)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="People's votes, judge models and benchmarks in one ranking of language models.",
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"{__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print results and errors only: no progress and no notes."
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Also tell each failure as it happens, and where in the code an error arose.",
        ),
    ] = False,
    width: Annotated[
        int | None,
        typer.Option(
            envvar="ARENA_WIDTH",
            min=20,
            metavar="N",
            help="Print tables at most N characters wide, as in arena --width 100 rank. Columns "
            "that do not fit are left out and named.",
            show_default="the terminal's width; no limit in a pipe or a file",
        ),
    ] = None,
) -> None:
    if quiet and verbose:
        raise InputError("--quiet and --verbose do not go together; give one of them")
    voice.width = width
    voice.loudness = Loudness.QUIET if quiet else Loudness.VERBOSE if verbose else Loudness.USUAL


def _assemble() -> None:
    from arena.cli import (
        auditing,
        benching,
        importing,
        judging,
        lists,
        ranking,
        runs,
        showing,
        stages,
    )
    from arena.cli.comparing import compare, diff, place
    from arena.cli.outgoing import backups, publishing

    modules = (
        runs, lists, showing, stages, benching, judging, auditing, importing, ranking, publishing,
        compare, diff, place, backups,
    )  # fmt: skip
    for module in modules:
        for command in module.COMMANDS:
            app.command(command.__name__.rstrip("_").replace("_", "-"))(command)
        for name, group in getattr(module, "GROUPS", {}).items():
            app.add_typer(group, name=name)
    _flow(app)


def _flow(typers: typer.Typer) -> None:
    """Let the paragraphs of help texts fill the terminal; Typer keeps the lines of the source."""
    for command in typers.registered_commands:
        command.help = command.help or _flowing(inspect.getdoc(command.callback) or "")
    for group in typers.registered_groups:
        if group.typer_instance is not None:
            _flow(group.typer_instance)
            callback = group.typer_instance.registered_callback
            if callback is not None and callback.callback is not None:
                callback.help = _flowing(inspect.getdoc(callback.callback) or "")


def _flowing(text: str) -> str:
    """A text whose paragraphs are one line each, but for those that begin with \\b."""
    parts = text.split("\n\n")
    return "\n\n".join(p if p.startswith("\b") else " ".join(p.split()) for p in parts)


_assemble()
