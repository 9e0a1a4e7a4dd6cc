"""Printing: tables for people, JSON, CSV and Markdown for other programs; progress."""

import csv
import io
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from arena.errors import InputError
from arena.records import COMMAND_LINE, NoAnswer, Note

if TYPE_CHECKING:
    from arena.backends import Intake, Limits
    from arena.generation.batch import Control, Progress

Cells = Sequence[Mapping[str, Any]]
LOG_SECONDS = 1.0
LINE_SECONDS = 20.0
FIRST_SECONDS = 5.0  # until the first line
PIPED_WIDTH = 1000
COLUMN_MARGIN = 3  # a space on each side, and a line


class Format(StrEnum):
    """How a command prints its result."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


def emit(rows: Cells, form: Format, *, title: str = "") -> None:
    """Print rows, all with the same keys, in the chosen format."""
    writers: dict[Format, Callable[[Cells], str]] = {
        Format.JSON: lambda r: json.dumps(r, ensure_ascii=False, indent=2),
        Format.CSV: to_csv,
        Format.MD: to_markdown,
    }
    if form is Format.TABLE:
        table(rows, title)
    else:
        sys.stdout.write(writers[form](rows).rstrip("\n") + "\n")


def table(rows: Cells, title: str = "") -> None:
    """A table within the terminal's width; as wide as it must be where the output is piped.

    Where the terminal is too narrow, columns are left out from the right, and named below.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    names = list(rows[0]) if rows else []
    shown = names[: fitting(rows, console.width)]
    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for name in shown:
        right = all(isinstance(row[name], int | float) for row in rows)
        grid.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(_cell(row[name])) for name in shown))
    console.print(grid)
    if left_out := names[len(shown) :]:
        say(f"Left out to fit the terminal: {', '.join(left_out)}. --format csv prints everything.")


def fitting(rows: Cells, width: int) -> int:
    """How many columns, from the left, a table of this width holds without breaking a word."""
    from rich.cells import cell_len

    taken, names = 1, list(rows[0]) if rows else []
    for count, name in enumerate(names):
        words = (word for row in rows for word in (_cell(row[name]).split() or [""]))
        taken += max(map(cell_len, (*words, *name.split()))) + COLUMN_MARGIN
        if taken > width and count:
            return count
    return len(names)


def to_csv(rows: Cells) -> str:
    """Comma-separated values with a header."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()


def to_markdown(rows: Cells) -> str:
    """A pipe table."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_cell(v).replace("|", "\\|").replace("\n", " ") for v in r.values()] for r in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Loudness(IntEnum):
    """How much is said beside the result: `-q`, nothing given, `-v`."""

    QUIET = 0
    USUAL = 1
    VERBOSE = 2


@dataclass
class Voice:
    """What was chosen for this process."""

    loudness: Loudness = Loudness.USUAL


voice = Voice()


def say(text: str | Note) -> None:
    """A sentence for the person at the terminal, apart from the result; -q leaves it out."""
    if voice.loudness > Loudness.QUIET:
        words = text.text(place=COMMAND_LINE) if isinstance(text, Note) else text
        sys.stderr.write(f"{words}\n")


def detail(text: str) -> None:
    """A sentence for whoever asked for more with -v."""
    if voice.loudness is Loudness.VERBOSE:
        sys.stderr.write(f"{text}\n")


@contextmanager
def watched(
    limits: "Limits | None" = None, log: Path | None = None
) -> Iterator["Callable[[str], Control]"]:
    """What watches the steps of a command: bars, a log for machines, and the two signals to stop.

    On a terminal there are bars with rate and time left, elsewhere a line when a step ends, and
    now and then while it lasts.
    limits: of all steps together.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    from arena.backends import Intake, Limits
    from arena.generation.batch import Control

    # The stream is kept: a step may redirect stderr to silence a library.
    console, quiet = Console(file=sys.stderr), voice.loudness is Loudness.QUIET
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
        TextColumn("{task.fields[state]}"),
        console=console,
        disable=not console.is_terminal or quiet,
    )
    intake, limits = Intake(), limits or Limits()
    failed: dict[str, int] = {}

    def tracker(what: str) -> "Control":
        task = bars.add_task(what, total=None, state="")

        def show(progress: "Progress") -> None:
            write_log(what, progress)
            bars.update(
                task,
                total=progress.total,
                completed=progress.found + progress.done,
                state=", ".join(filter(None, (progress.doing, state(progress), left(progress)))),
            )
            if not console.is_terminal and not quiet:
                lines(what, progress)
            if progress.failed > failed.get(what, 0):
                failed[what] = progress.failed
                detail(f"{what}: {progress.last_error}")

        return Control(show, limits, intake)

    with bars, _lines(console.file) as lines, _json_log(log) as write_log, _stoppable(intake):
        yield tracker


@contextmanager
def _lines(stream: IO[str]) -> Iterator["Callable[[str, Progress], None]"]:
    """What stands for bars where there is no terminal: lines, of which none is long awaited."""
    running: dict[str, Progress] = {}
    ended, turn = threading.Event(), threading.Lock()

    def write(text: str) -> None:
        with turn:
            stream.write(f"{text}\n")
            stream.flush()

    def tell(what: str, progress: "Progress") -> None:
        if not progress.ended:
            if progress.doing and progress.doing != getattr(running.get(what), "doing", ""):
                write(f"{what}: {progress.doing}")
            running[what] = progress
            return
        running.pop(what, None)
        write(f"{what}: {summary(progress)}")

    def now_and_then() -> None:
        began, wait = time.monotonic(), FIRST_SECONDS
        while not ended.wait(wait):
            wait = LINE_SECONDS
            for what, progress in list(running.items()):
                write(f"{what}: {standing(progress, time.monotonic() - began)}")

    thread = threading.Thread(target=now_and_then, daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        ended.set()
        thread.join()


def standing(progress: "Progress", seconds: float) -> str:
    """How far a step has come after so many seconds, and how long the rest may take."""
    done = progress.found + progress.done
    parts = [f"{done:.0f} of {progress.total}", f"{_minutes(seconds)} since the start"]
    parts += [progress.doing, state(progress), left(progress)]
    return ", ".join(filter(None, parts))


def left(progress: "Progress") -> str:
    """How long the rest may take, at the rate so far; empty where nothing is done yet."""
    if not progress.done or not progress.seconds or progress.ended:
        return ""
    rest = progress.total - progress.found - progress.done
    return f"about {_minutes(max(0.0, rest) * progress.seconds / progress.done)} left"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


@contextmanager
def _stoppable(intake: "Intake") -> Iterator[None]:
    """The first Ctrl-C or SIGTERM lets what is in flight end, the second stops at once."""

    def stop(number: int, _: object) -> None:
        if intake.closed:
            raise KeyboardInterrupt
        intake.close("interrupted")
        say("Stopping when what is in flight has ended; once more stops at once.")

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _json_log(path: Path | None) -> Iterator["Callable[[str, Progress], None]"]:
    """Appends a line a second, and one when a step ends; nothing without a path."""
    if path is None:
        yield lambda step, progress: None
        return
    try:
        stream = path.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError(f"--json-log {path}: cannot be written to ({error.strerror})") from error
    last = -math.inf

    def write(step: str, progress: "Progress") -> None:
        nonlocal last
        now = time.monotonic()
        if progress.ended or now - last >= LOG_SECONDS:
            last = now
            row = {"time": time.time(), "step": step, **asdict(progress)}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            stream.flush()

    with stream:
        yield write


def state(progress: "Progress") -> str:
    """Rate, cost and faults so far, for the end of a bar."""
    parts = [rate(progress)]
    if progress.cost:
        parts.append(f"${progress.cost:.2f}")
    parts += [f"{count} × {kind}" for kind, count in progress.faults.items()]
    return ", ".join(filter(None, parts))


def rate(progress: "Progress") -> str:
    """What is written in a second, or the rows that are done where next to nothing is written."""
    if not progress.seconds or not progress.done:
        return ""
    written = progress.usage.completion_tokens
    if written > 2 * progress.done:
        return f"{written / progress.seconds:.0f} tokens/s"
    speed = progress.done / progress.seconds
    return f"{speed:.1f}/s" if speed >= 1 else f"{60 * speed:.1f} a minute"


def summary(progress: "Progress") -> str:
    """One line on how a step ended."""
    usage = progress.usage
    parts = [f"{progress.stored} new", f"{progress.found} already there"]
    for count, what in (
        (progress.unanswered, "without an answer since an earlier run"),
        (progress.elsewhere, "left to another process"),
        (progress.unparsed, "unparsed"),
        (progress.truncated, "truncated to the judge's context"),
        (progress.retried, "calls tried again"),
    ):
        parts += [f"{count} {what}"] if count else []
    if progress.faults:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in progress.faults.items())
        parts.append(f"faults: {kinds}")
    if progress.failed:
        parts.append(f"{progress.failed} failed ({progress.last_error})")
    if progress.stored:
        parts.append(f"{usage.prompt_tokens:,} tokens read, {usage.completion_tokens:,} written")
        parts.append(f"{progress.seconds:.1f} s, {rate(progress)}")
    if progress.cost:
        parts.append(f"${progress.cost:.4f}")
    if progress.stopped:
        parts.append(f"stopped early: {progress.stopped}")
    return ", ".join(parts)


def finish(steps: "Sequence[Progress]") -> None:
    """Say each note once; exit with 1 where something is left to do."""
    for note in dict.fromkeys(note for step in steps for note in step.notes):
        say(note)
    failed = sum(step.failed for step in steps)
    if silent := sum(step.unanswered for step in steps):
        say(
            "Replies of earlier runs that were no answers, and were not asked for again: "
            f"{silent}. arena generate --retry-failed asks with more room."
        )
    stopped = [step for step in steps if step.stopped and not step.complete]
    if failed:
        last = next(step.last_error for step in reversed(steps) if step.failed)
        again = "Run the same command again to retry them."
        if states := {str(state) for state in NoAnswer} & {
            k for step in steps for k in step.faults
        }:
            again = (
                f"What failed as {' or '.join(sorted(states))} is no answer: "
                "arena generate --retry-failed asks for it again, with more room."
            )
        say(f"{failed} failed, last: {last}. {again}")
    if stopped:
        left = sum(step.total - step.found - step.stored for step in stopped)
        say(f"{left} are left ({stopped[0].stopped}). Run the same command again to go on.")
    if failed or stopped:
        sys.exit(1)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if -1 < value < 1 else f"{value:.1f}"
    return str(value)
