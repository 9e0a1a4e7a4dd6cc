"""The stages that ask models: generate, judge, bench."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    ConfigFile,
    Db,
    Limit,
    Models,
    Prompts,
    db_path,
    fill_store,
    open_store,
    settings,
    split,
)
from arena.cli.output import progress_bars, say
from arena.errors import InputError
from arena.records import Mode

if TYPE_CHECKING:
    from arena.batch import Progress


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
    with fill_store(db_path(db, conf)) as store, progress_bars() as tracker:
        steps = [answer(store, m, wanted, tracker(f"{m.name} answers")) for m in chosen]
    _finish(steps)


def judge(
    judges: Annotated[list[str], typer.Option("--judge", help="Judge cards, separated by commas.")],
    mode: Annotated[
        Mode, typer.Option(help="Compare pairs, or score each answer.")
    ] = Mode.PAIRWISE,
    models: Models = None,
    baseline: Annotated[
        str | None, typer.Option(help="Compare each model with this one only.")
    ] = None,
    prompts: Prompts = None,
    limit: Limit = None,
    one_order: Annotated[
        bool, typer.Option("--one-order", help="Ask in one order only: cheaper, and biased.")
    ] = False,
    weights: Annotated[
        str | None, typer.Option(help="The judge's weights for this run, as a model is named.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="The server on which the judge runs.")
    ] = None,
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Let judge models compare answers in pairs, or score them. Resumes what is stored."""
    from arena.judging import judge as ask
    from arena.judging import load_card
    from arena.prompts import load_prompts

    conf = settings(config)
    home = db_path(db, conf).resolve().parent
    cards = [load_card(name, home, weights=weights, base_url=base_url) for name in split(judges)]
    wanted = load_prompts(split(prompts) or conf.prompts, home, limit or conf.limit)
    store = open_store(db, conf)
    with progress_bars() as tracker:
        steps = [
            ask(
                store,
                card,
                wanted,
                mode,
                models=split(models),
                baseline=baseline,
                both_orders=not one_order,
                on_progress=tracker(f"{card.name} judges"),
            )
            for card in cards
        ]
    _finish(steps)


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
    with fill_store(db_path(db, conf)) as store, progress_bars() as tracker:
        steps = [
            measure(store, model, task, limit, tracker(f"{model.name} does {task}"))
            for task in split(tasks)
            for model in chosen
        ]
    _finish(steps)


def _finish(steps: "list[Progress]") -> None:
    """Exit with 1 where something is left to do."""
    failed = sum(step.failed for step in steps)
    if failed:
        last = next(step.last_error for step in reversed(steps) if step.failed)
        say(f"{failed} failed, last: {last}. Run the same command again to retry them.")
        sys.exit(1)


COMMANDS = (generate, judge, bench)
