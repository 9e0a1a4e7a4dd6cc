"""Options that mean the same on every command that has them."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.output import Format, say

if TYPE_CHECKING:  # what is heavy is imported by the command that uses it
    from collections.abc import Iterator, Mapping, Sequence

    from arena.config import Config
    from arena.records import Model
    from arena.store import Store


RANKING = ("title", "license", "rank", "judges", "benchmarks")  # the parts that decide a ranking
Db = Annotated[
    Path | None,
    typer.Option(
        "--db",
        envvar="ARENA_DB",
        help="The database file, which every stage reads and writes.",
        show_default="arena.db",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="ARENA_CONFIG",
        help="The file with models, prompts, judges and settings.",
        show_default="arena.yaml",
    ),
]
Output = Annotated[
    Format,
    typer.Option(
        "--format",
        help="How to print the result: a table for people, json or csv for programs, md for a "
        "document.",
    ),
]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompts",
        help="A prompt set by name, as arena prompts lists them, or a .jsonl file. Several: "
        "--prompts core --prompts mine.jsonl.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", min=1, help="Use only the first N prompts of all sets together.", metavar="N"
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--models",
        "--model",
        help="Models by name, as in --models a,b. Without it all of them. Where a model is "
        "asked, one that is not in arena.yaml can be written out, as in --model "
        "hf:Qwen/Qwen3-0.6B.",
    ),
]

BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="The address of the server on which the judge runs, as in http://localhost:8000/v1."
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many calls may wait for an answer at the same time.",
        show_default="adapts to the server",
    ),
]
NewVersion = Annotated[
    bool,
    typer.Option(
        "--new-version",
        help="Where the settings of a model have changed since its answers were stored, store it "
        "as a new version, such as greedy@2, beside the old one.",
    ),
]


def settings(config: Path | None, needs: "Sequence[str] | None" = None) -> "Config":
    """The configuration: the file named, or arena.yaml where it is there.

    needs: the parts of it that the command needs beside `db:`; all of them if not given. What
    is wrong with other parts is told, and stops nothing.
    """
    from arena.config import load_config, load_parts

    if needs is None:
        return load_config(config)
    found, told = load_parts(config, needs)
    for problem in told:
        say(f"{problem} (this command goes on without it)")
    return found


def db_path(db: Path | None, config: "Config") -> Path:
    """The database: flag or environment first, then the file, then the default."""
    return db if db is not None else Path(config.db)


def open_store(db: Path | None, config: "Config") -> "Store":
    """Open the database for a command that reads, and so makes none."""
    from arena.store import Store

    return Store(db_path(db, config), create=False)


@contextmanager
def fill_store(path: Path) -> "Iterator[Store]":
    """Open or make the database; one made for a command that fails before a row is removed.

    One that holds a row of any table stays, and so does one that something else has open.
    """
    from arena.store import Store

    fresh = not path.exists()
    store = Store(path)
    try:
        yield store
    except BaseException:
        if fresh and store.is_empty():
            store.close()
            if not path.with_name(path.name + "-wal").exists():  # gone with the last connection
                path.unlink(missing_ok=True)
        raise


@contextmanager
def rehearsal(path: Path) -> "Iterator[Store]":
    """A copy of the database, or an empty one, in which a command does all and changes nothing."""
    from arena.store import Store

    with TemporaryDirectory(prefix="arena-dry-run-") as folder:
        copy = Path(folder) / path.name
        if path.exists():
            original = Store(path, create=False)
            original.copy_to(copy)
            original.close()
        store = Store(copy)
        try:
            yield store
        finally:
            store.close()


def standing_models(store: "Store", models: "list[Model]", *, named: bool) -> "list[Model]":
    """The models of arena.yaml that are not archived; of each other one it says so.

    named: whether options name the models, of which none is skipped.
    """
    from arena.store.versions import standing

    if named:
        return models
    kept, skipped = standing(store, models)
    for note in skipped:
        say(note)
    return kept


def named(store: "Store", candidates: "Mapping[str, Model]", name: str) -> str:
    """The stored version that a name means, which is said where it is not what is written.

    candidates: the models of arena.yaml by name.
    """
    from arena.store.versions import stored_name

    found = stored_name(store, candidates, name)
    if found.startswith(f"{name}@"):
        say(f"{name} is {found} here, as arena.yaml has it now; {name}@1 is its first version.")
    return found


def split(values: list[str] | None) -> list[str]:
    """Flatten `a,b` and repeated options; an address may hold a comma, so `openai:` stays whole."""
    found: list[str] = []
    for value in values or []:
        parts = [value] if "@http" in value else value.split(",")
        found += [part.strip() for part in parts if part.strip()]
    return found
