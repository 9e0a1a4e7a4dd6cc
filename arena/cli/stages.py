"""The stage that lets candidates answer: generate."""

from typing import TYPE_CHECKING, Annotated

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
    standing_models,
)
from arena.cli.output import say, say_estimates
from arena.cli.progress import finish, watched
from arena.records import counted
from arena.records.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.records import Model, Prompt
    from arena.store import Store

USUAL_CONCURRENCY = 16  # for an estimate: a run adapts the number to the server


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
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Ask nothing. Print how many calls, tokens, dollars and minutes the run would "
            "take.",
        ),
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="Stop before the run costs more than this many US dollars."),
    ] = None,
    new_version: NewVersion = False,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Let models answer prompts, and store what they say.

    The models and prompts are those of arena.yaml, unless options name others. What is stored
    already is not asked again, so a run that was stopped goes on where it was.

    \b
    arena generate                              the models and prompts of arena.yaml
    arena generate --model smollm2 --limit 5    one model on five prompts
    """
    from arena.backends import Budget, Limits
    from arena.generation.answering import generate as answer
    from arena.generation.answering import retry
    from arena.generation.prompts import load_prompts
    from arena.store.versions import resolve, settle

    conf = settings(config, ("models", "prompts", "limit"))
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --model, or write some into arena.yaml")
    home = db_path(db, conf).resolve().parent
    wanted = load_prompts(split(prompts) or conf.prompts, home, limit or conf.limit)
    if max_cost is not None and (free := [model.name for model in chosen if not model.price]):
        raise InputError(
            f"--max-cost: the model {free[0]} has no price; write "
            "`price: {input: …, output: …}` into its entry, in dollars a million tokens"
        )
    if dry_run:
        with fill_store(db_path(db, conf)) as store:
            asked = resolve(
                store,
                standing_models(store, chosen, named=bool(models)),
                new_version=new_version,
            )
            _say_estimates(store, asked, wanted, samples)
        return
    limits = Limits(budget=Budget(max_cost=max_cost))
    with fill_store(db_path(db, conf)) as store, watched(limits) as tracker:
        asked = standing_models(store, chosen, named=bool(models))
        steps = []
        for model in settle(store, asked, new_version=new_version):
            control = tracker(f"{model.name} answers")
            if retry_failed:
                steps += retry(store, model, wanted, control, samples=samples)
            else:
                steps.append(answer(store, model, wanted, control, samples=samples))
    if not steps:
        say("Nothing failed, and every reply is an answer.")
    finish(steps)


def _say_estimates(
    store: "Store", models: "Sequence[Model]", prompts: "Sequence[Prompt]", samples: int
) -> None:
    """Print what the run would take; a database that was made for this is removed."""
    from arena.generation.estimate import estimate

    found = [
        (m.name, estimate(store, m, prompts, samples=samples, concurrency=USUAL_CONCURRENCY))
        for m in models
    ]
    if store.is_empty():  # made for this: nothing was asked, so nothing is left behind
        store.close()
        store.path.unlink(missing_ok=True)
    say_estimates("model", "answers", found, counted(len(prompts), "prompt"))


COMMANDS = (generate,)
