"""The stage that lets candidates answer: generate."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    ConfigFile,
    Db,
    Devices,
    Execute,
    Limit,
    Models,
    NewVersion,
    Prompts,
    Serve,
    SharedOut,
    check_where,
    db_path,
    fill_store,
    settings,
    shard_of,
    split,
    standing_models,
)
from arena.cli.output import say, say_estimates
from arena.cli.progress import finish, watched
from arena.records import BackendKind, counted
from arena.records.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.generation.batch import Progress
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
    devices: Devices = None,
    executor: Execute = None,
    serve: Serve = None,
    shard: SharedOut = None,
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
    arena generate --shard 2/8 --db 2.db        the second of eight parts, for arena merge
    """
    from arena.backends import Budget, Limits, executing
    from arena.backends.serving import as_served, reached
    from arena.generation.answering import STAGE, Answering
    from arena.generation.batch import in_turn
    from arena.generation.devices import parse_devices, side_by_side
    from arena.generation.prompts import load_prompts
    from arena.store.versions import resolve, settle

    check_where(executor, devices, serve)
    conf = settings(config, ("models", "prompts", "limit"))
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --model, or write some into arena.yaml")
    home = db_path(db, conf).resolve().parent
    wanted = load_prompts(split(prompts) or conf.prompts, home, limit or conf.limit)
    if part := shard_of(shard):
        wanted = part.take(wanted)
    if max_cost is not None and (free := [model.name for model in chosen if not model.price]):
        raise InputError(
            f"--max-cost: the model {free[0]} has no price; write "
            "`price: {input: …, output: …}` into its entry, in dollars a million tokens"
        )
    own = [as_served(m) for m in chosen if serve and m.backend is BackendKind.LOCAL]
    chosen = [next((o for o in own if o.name == model.name), model) for model in chosen]
    if dry_run:
        with fill_store(db_path(db, conf)) as store:
            asked = resolve(
                store,
                standing_models(store, chosen, named=bool(models)),
                new_version=new_version,
            )
            _say_estimates(store, asked, wanted, samples)
        return
    budget = Budget(max_cost=max_cost)
    with (
        executing(executor) as machines,
        fill_store(db_path(db, conf)) as store,
        watched(Limits(budget=budget, machines=machines)) as tracker,
    ):
        standing = standing_models(store, chosen, named=bool(models))
        settled = settle(store, standing, new_version=new_version)
        weights = {model.weights for model in own}
        work = Answering(store.path, wanted, samples, retry_failed)

        def ask(model: "Model") -> "list[Progress]":
            control = tracker(f"{model.name} answers")
            with reached(model, serve if model.weights in weights else None) as there:
                return work.ask(there, control)

        apart = [m for m in settled if devices and m.backend is BackendKind.LOCAL]
        jobs = {f"{model.name} answers": partial(work.ask, model) for model in apart}
        steps = side_by_side(parse_devices(split(devices)), jobs, STAGE, tracker)
        steps += in_turn(STAGE, [partial(ask, model) for model in settled if model not in apart])
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
