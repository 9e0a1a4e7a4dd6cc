"""The stage that lets candidates answer: generate."""

from typing import Annotated

import typer

from arena.cli.options import (
    ConfigFile,
    Db,
    Limit,
    Models,
    NewVersion,
    Prompts,
    db_path,
    fill_store,
    settings,
    split,
)
from arena.cli.output import finish, say, watched
from arena.errors import InputError


def generate(
    models: Models = None,
    prompts: Prompts = None,
    limit: Limit = None,
    samples: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Ask for N answers to each prompt. The models need a temperature above 0.",
        ),
    ] = 1,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Ask again only for what failed, and for replies that were no answers: those that "
            "ended while thinking, were empty, refused or filtered. These get four times the room.",
        ),
    ] = False,
    new_version: NewVersion = False,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Let models answer prompts. What is stored already is not asked again."""
    from arena.generation.answering import generate as answer
    from arena.generation.answering import retry
    from arena.generation.prompts import load_prompts
    from arena.store.versions import settle

    conf = settings(config, ("models", "prompts", "limit"))
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --model, or write some into arena.yaml")
    home = db_path(db, conf).resolve().parent
    wanted = load_prompts(split(prompts) or conf.prompts, home, limit or conf.limit)
    with fill_store(db_path(db, conf)) as store, watched() as tracker:
        settled = settle(store, chosen, new_version=new_version)
        steps = []
        for model in settled:
            control = tracker(f"{model.name} answers")
            if retry_failed:
                steps += retry(store, model, wanted, control, samples=samples)
            else:
                steps.append(answer(store, model, wanted, control, samples=samples))
    if not steps:
        say("Nothing failed, and every reply is an answer.")
    finish(steps)


COMMANDS = (generate,)
