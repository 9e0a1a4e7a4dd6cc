"""`arena bench`: objective benchmarks, and what they say of models, prompts and lengths."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    ConfigFile,
    Db,
    Devices,
    Execute,
    Models,
    NewVersion,
    Output,
    SharedOut,
    check_where,
    db_path,
    fill_store,
    settings,
    shard_of,
    split,
    standing_models,
)
from arena.cli.options.benching import HowAsked, Needles
from arena.cli.options.bundles import bundled
from arena.cli.output import Format, emit, say, table, table_width
from arena.cli.progress import finish, watched
from arena.records import BackendKind, counted
from arena.records.errors import ArenaError, InputError

if TYPE_CHECKING:
    from arena.backends.local.speed import Speed
    from arena.benchmarks.needle import NeedleMap
    from arena.benchmarks.prompt_sensitivity import Effect, PromptReport
    from arena.benchmarks.runs import Result
    from arena.generation.batch import Progress
    from arena.records import Model

LOW, HIGH = 1 / 3, 2 / 3
INTERVAL = "95% interval"


@bundled
def bench(
    *,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks",
            "--task",
            help="Benchmarks or groups of them by name, as in --tasks core,gsm8k: built-in sets, "
            "and any task of lm-eval.",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A .csv or .jsonl file of your own questions, with the columns question, A, B, "
            "… and answer."
        ),
    ] = None,
    models: Models = None,
    how: HowAsked,
    needle: Needles,
    speed: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask nothing: measure how fast this model reads and writes on this machine, as in "
            "--speed smollm2."
        ),
    ] = None,
    devices: Devices = None,
    executor: Execute = None,
    shard: SharedOut = None,
    new_version: NewVersion = False,
    db: Db = None,
    config: ConfigFile = None,
    form: Output = Format.TABLE,
) -> None:
    """Ask models questions with known answers, and store what they got right.

    The questions are those of a built-in set, of any task of lm-eval, or of a file of your own.
    What is stored already is not asked again.

    \b
    arena bench --tasks core                      the built-in questions
    arena bench --data exam.csv --mode gen        your own, read in what is written
    arena bench --tasks needle --lengths 1k,4k    sentences to find in long texts
    arena bench --speed smollm2                   tokens a second on this machine
    """
    from arena.backends import Limits, executing
    from arena.benchmarks.needle import NAME as NEEDLE
    from arena.benchmarks.runs import Benching, Result, runs_by_model, said_alike
    from arena.generation.batch import in_turn
    from arena.generation.devices import parse_devices, side_by_side
    from arena.store.versions import settle

    check_where(executor, devices, None)
    conf = settings(config, ("models",))
    if speed:
        _print_speed([conf.model(text) for text in split(speed)], form)
        return
    chosen = [conf.model(text) for text in split(models)] or list(conf.candidates().values())
    if not chosen:
        raise InputError("name a model with --models, or write some into arena.yaml")
    shared = how.values | {"needle": needle.values}
    wanted = [_entry(task=name, **shared) for name in split(tasks)]
    wanted += [_entry(data=path, **shared) for path in split(data)]
    if not wanted:
        raise InputError("name a benchmark with --tasks (such as core), or a file with --data")
    if NEEDLE not in split(tasks) and (given := list(needle.chosen)):
        raise InputError(f"--{given[0]} is of the needle test: --tasks {NEEDLE}")
    results: list[Result] = []
    with (
        executing(executor) as machines,
        fill_store(db_path(db, conf)) as store,
        watched(Limits(machines=machines)) as tracker,
    ):
        asked = standing_models(store, chosen, named=bool(models))
        chosen = settle(store, asked, new_version=new_version)
        part = shard_of(shard)
        runs = runs_by_model(store, chosen, wanted, tracker, part, machines)
        apart = [m for m in chosen if devices and m.backend is BackendKind.LOCAL]
        work = Benching(store.path, wanted, part)
        jobs = {f"{m.name} does benchmarks": partial(work.ask, m) for m in apart}

        def take(found: "Iterable[Result | Progress]") -> "Iterator[Progress]":
            for one in found:
                if isinstance(one, Result):
                    results.append(one)
                    _tell(one)
                    yield from one.steps
                else:
                    yield one

        try:
            done = side_by_side(parse_devices(split(devices)), jobs, "benchmark", tracker)
            steps = [*take(done)]
            here = [run for m, run in zip(chosen, runs, strict=True) if m not in apart]
            steps += in_turn("benchmark", [partial(take, one) for one in here])
        except ArenaError:
            if results:  # what is done is worth seeing
                report(results, form)
            raise
    report(results, form)
    for sentence in said_alike(results):
        say(sentence)
    finish(steps)


def report(results: Sequence["Result"], form: Format) -> None:
    """Scores; and for people and in JSON, what prompts did and where needles were found."""
    from arena.benchmarks.needle import needle_maps
    from arena.benchmarks.prompt_sensitivity import prompt_reports

    values = [value for result in results for value in result.values]
    prompts, maps = prompt_reports(values), needle_maps(values)
    if form is Format.JSON:
        checks = [check for result in results if result.signs for check in result.signs.checks]
        whole = {
            "scores": [_row(result) for result in results],
            "prompts": [asdict(found) for found in prompts],
            "needles": [asdict(found) for found in maps],
            "checks": [asdict(check) for check in checks],
        }
        sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
    elif form is Format.CSV:
        emit([_row(result) for result in results], form)
    else:
        rows = [_row(result) for result in results]
        code = ("code",) if any(row["code"] for row in rows) else ()
        emit([_for_people(row, code) for row in rows], form)
        if form is Format.TABLE:
            _print_prompts(prompts)
            _print_needles(maps)


def _print_speed(models: Sequence["Model"], form: Format) -> None:
    """Tokens a second of reading and of writing, and what share of the machine that is."""
    if elsewhere := [model.name for model in models if model.backend is not BackendKind.LOCAL]:
        raise InputError(f"--speed {elsewhere[0]}: it does not run in this process")
    from arena.backends.local.speed import speed_of

    found = [(model.name, speed_of(model)) for model in models]
    emit([row for name, speed in found for row in _speeds(name, speed)], form)
    for name, speed in found:
        say(
            f"{name} on {speed.device} in {speed.dtype}, {speed.threads} threads: the fastest "
            f"product of two matrices makes {speed.peak / 1e9:,.0f} GFLOPS here."
        )


def _speeds(name: str, speed: "Speed") -> list[dict[str, Any]]:
    ways = (
        ("reads", speed.rows, speed.read, speed.share_read),
        ("writes", speed.rows, speed.written, speed.share_written),
        ("writes", 1, speed.written_alone, None),
    )
    return [
        {
            "model": name,
            "what": what,
            "texts at once": rows,
            "tokens a second": round(rate, 1),
            "share of peak": None if share is None else f"{share:.0%}",
        }
        for what, rows, rate, share in ways
    ]


def _entry(**values: Any) -> Any:
    from pydantic import ValidationError

    from arena.config import BenchmarkRun
    from arena.files.strict import sentence

    try:
        return BenchmarkRun(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = "--" + str(first["loc"][-1 if isinstance(first["loc"][-1], str) else -2])
        where = where.replace("_", "-")
        raise InputError(f"{where} {sentence(first)}") from error


def _tell(result: "Result") -> None:
    benchmark = result.measured.benchmark
    if not benchmark.asking.is_default or benchmark.about != "as the task has it":
        say(f"{benchmark.name}: {benchmark.about}.")
    for note in result.measured.notes:
        say(note)
    if result.unread:
        reasons = result.reasons.most_common()
        say(
            f"{result.model.name} on {benchmark.name}: {result.unread} of {len(result.outcomes)} "
            "replies are unread and count as wrong: "
            f"{', '.join(f'{count} × {reason}' for reason, count in reasons)}."
        )


def _row(result: "Result") -> dict[str, Any]:
    """A line of the report; shares in [0, 1]."""
    from arena.benchmarks.scores import mark

    found = mark([outcome.value for outcome in result.outcomes]) if result.outcomes else None
    benchmark = result.measured.benchmark
    return {
        "benchmark": benchmark.name,
        "version": benchmark.version,
        "dimension": benchmark.dimension,
        "asked": benchmark.asking.variant or "as it is",
        "model": result.model.name,
        "metric": result.outcomes[0].metric if result.outcomes else "",
        "score": found and found.mean,
        "stderr": found and found.stderr,
        "low": found and found.low,
        "high": found and found.high,
        "items": len(result.outcomes),
        "unread": result.unread,
        "judged": result.judged,
        "code": result.measured.code,
    }


def _for_people(row: dict[str, Any], more: tuple[str, ...]) -> dict[str, Any]:
    from arena.benchmarks.scores import MeanScore
    from arena.leaderboard.formats import score

    shown = ("benchmark", "asked", "model", "metric", "score", "items", "unread", "judged", *more)
    parts = [row[name] for name in ("score", "stderr", "low", "high")]
    row = row | {"score": None if row["score"] is None else score(MeanScore(*parts))}
    return {f"{name} ({INTERVAL})" if name == "score" else name: row[name] for name in shown}


def _print_prompts(reports: Sequence["PromptReport"]) -> None:
    from arena.leaderboard.formats import score

    for found in reports:
        rows = [
            {
                "asked": effect.variant or "as it is",
                f"score ({INTERVAL})": score(effect.score),
                "difference to the first": _difference(effect) if k else None,
            }
            for k, effect in enumerate(found.effects)
        ]
        table(rows, f"{found.model} on {found.benchmark}, by the way of asking")
        spread = found.spread
        say(
            f"{found.model} on {found.benchmark}: the way of asking alone moves the score "
            f"by {spread.range:.1%} from worst to best; without the noise of "
            f"{counted(spread.items, 'item')} their standard deviation is {spread.deviation:.1%}."
        )


def _difference(effect: "Effect") -> str:
    interval = "" if effect.low is None else f" ({effect.low:+z.1%} to {effect.high:+z.1%})"
    return f"{effect.difference:+z.1%}{interval}"


def _print_needles(maps: Sequence["NeedleMap"]) -> None:
    """A map for each model, language and number of needles: depth by length."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, width=table_width(120))
    for found in maps:
        console.print(f"{found.title}: share found", markup=False, highlight=False)
        grid = Table()
        grid.add_column("depth", justify="right")
        for length in found.lengths:
            grid.add_column(f"{length:,}", justify="right")
        for depth, values in zip(found.depths, found.values, strict=True):
            cells = [
                Text("–") if value is None else Text(f"{value:.0%}", style=_colour(value))
                for value in values
            ]
            grid.add_row(f"{depth:.0%}", *cells)
        console.print(grid)


def _colour(value: float) -> str:
    if value >= HIGH:
        return "black on green"
    return "black on yellow" if value >= LOW else "white on red"


COMMANDS = (bench,)
