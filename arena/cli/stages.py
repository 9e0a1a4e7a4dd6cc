"""The stages that ask candidates: generate, bench."""

from typing import Annotated

import typer

from arena.cli.options import (
    ConfigFile,
    Db,
    Limit,
    Models,
    Prompts,
    db_path,
    fill_store,
    settings,
    split,
)
from arena.cli.output import finish, watched
from arena.errors import InputError


def generate(
    models: Models = None,
    prompts: Prompts = None,
    limit: Limit = None,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Let models answer prompts. What is stored already is not asked again."""
    from arena.answering import generate as answer
    from arena.prompts import load_prompts

    conf = settings(config)
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --model, or write some into arena.yaml")
    home = db_path(db, conf).resolve().parent
    wanted = load_prompts(split(prompts) or conf.prompts, home, limit or conf.limit)
    with fill_store(db_path(db, conf)) as store, watched() as tracker:
        steps = [answer(store, m, wanted, tracker(f"{m.name} answers")) for m in chosen]
    finish(steps)


def bench(
    tasks: Annotated[list[str], typer.Option("--tasks", help="Tasks, separated by commas.")],
    models: Models = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N items.", metavar="N")
    ] = None,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Run objective benchmarks with lm-eval."""
    from arena.benchmarks import bench as measure

    conf = settings(config)
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --models, or write some into arena.yaml")
    with fill_store(db_path(db, conf)) as store, watched() as tracker:
        steps = [
            measure(store, model, task, limit, tracker(f"{model.name} does {task}"))
            for task in split(tasks)
            for model in chosen
        ]
    finish(steps)


COMMANDS = (generate, bench)
