"""`arena import`: what other tools have collected."""

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import ConfigFile, Db, db_path, fill_store, settings
from arena.cli.output import say
from arena.errors import InputError

imports = typer.Typer(no_args_is_help=True, help="Bring in what other tools have collected.")


@imports.callback()
def _group() -> None:
    """Bring in what other tools have collected."""


@imports.command()
def battles(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or Parquet: model_a, model_b, winner.")],
    as_votes: Annotated[
        bool, typer.Option("--as-votes", help="All rows are people's votes.")
    ] = False,
    judge: Annotated[
        str | None, typer.Option(help="All rows are the verdicts of this judge.")
    ] = None,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Import votes (a voter, or a source `human…`) and judges' verdicts (any other source)."""
    from arena.interchange.imports import import_battles

    if as_votes and judge is not None:
        raise InputError("--as-votes and --judge exclude each other")
    with fill_store(db_path(db, settings(config))) as store:
        found = import_battles(store, file, "human" if as_votes else judge)
    verdicts = ", ".join(f"{count} verdicts of {name}" for name, count in found.verdicts.items())
    say(
        f"{store.path}: {found.votes} votes{', ' if verdicts else ''}{verdicts}; "
        f"{found.prompts} prompts, {found.models} models and {found.answers} answers are new."
    )


COMMANDS = ()
GROUPS = {"import": imports}
