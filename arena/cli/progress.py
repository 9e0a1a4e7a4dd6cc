"""How far the steps of a command are: bars, lines, a log for machines; and how they ended."""

import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from arena.cli.output import Loudness, detail, say, voice, warn
from arena.records import NoAnswer, counted
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.backends import Intake, Limits
    from arena.generation.batch import Control, Progress

LOG_SECONDS = 1.0
LINE_SECONDS = 20.0
STOPPING = (
    "Stopping when what is being asked has ended, which a model on this machine does by the batch. "
    "Once more stops at once: what has not ended is then asked again by the next run."
)
FIRST_SECONDS = 5.0  # until the first line on a step


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
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[state]}"),
        console=console,
        disable=not console.is_terminal or quiet,
    )
    intake, limits = Intake(), limits or Limits()
    failed: dict[str, int] = {}

    def tracker(what: str) -> "Control":
        task = bars.add_task(what, total=None, count="", state="getting ready")
        if not console.is_terminal and not quiet:
            lines(what, None)

        def show(progress: "Progress") -> None:
            write_log(what, progress)
            bars.update(
                task,
                total=progress.total,
                completed=progress.found + progress.done,
                count=f"{progress.found + progress.done:.0f}/{progress.total}",
                state=", ".join(filter(None, _about(progress))),
            )
            if not console.is_terminal and not quiet:
                lines(what, progress)
            if progress.failed > failed.get(what, 0):
                failed[what] = progress.failed
                detail(f"{what}: {progress.last_error}")

        return Control(show, limits, intake)

    stoppable = _stoppable(
        intake, partial(console.print, highlight=False, markup=False, soft_wrap=True)
    )
    with bars, _lines(console.file) as lines, _json_log(log) as write_log, stoppable:
        yield tracker


@dataclass
class _Step:
    """A step that is under way.

    progress: None while it gets ready, as when a library is imported. began, heard: when it began
    and was last heard of, monotonic. due: when a line on it is to be written next.
    """

    progress: "Progress | None"
    began: float
    heard: float
    due: float


@contextmanager
def _lines(stream: IO[str]) -> Iterator["Callable[[str, Progress | None], None]"]:
    """What stands for bars where there is no terminal: lines, of which none is long awaited.

    Yields what takes the progress of a step, or None when it begins.
    """
    running: dict[str, _Step] = {}
    ended, turn = threading.Event(), threading.Lock()

    def write(text: str) -> None:
        with turn:
            stream.write(f"{text}\n")
            stream.flush()

    def tell(what: str, progress: "Progress | None") -> None:
        now = time.monotonic()
        if progress is None:
            for name in [name for name, step in running.items() if step.progress is None]:
                del running[name]  # it turned out that there was nothing to do
            running[what] = _Step(None, now, now, now + FIRST_SECONDS)
            return
        if progress.ended:
            running.pop(what, None)
            write(f"{what}: {summary(progress)}")
            return
        step = running.setdefault(what, _Step(None, now, now, now + FIRST_SECONDS))
        before, step.progress, step.heard = step.progress, progress, now
        if progress.doing and progress.doing != (before.doing if before else ""):
            write(f"{what}: {progress.doing}")
        if progress.again and progress.again != (before.again if before else 0):
            write(f"{what}: {asked_again(progress)}")

    def now_and_then() -> None:
        while not ended.wait(min(1.0, FIRST_SECONDS)):
            now = time.monotonic()
            for what, step in list(running.items()):
                if now >= step.due:
                    step.due, since = now + LINE_SECONDS, now - step.began
                    if step.progress is None:
                        write(f"{what}: getting ready, {_minutes(since)} since the start")
                    else:
                        write(f"{what}: {standing(step.progress, since, now - step.heard)}")

    thread = threading.Thread(target=now_and_then, daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        ended.set()
        thread.join()


def standing(progress: "Progress", seconds: float, silent: float = 0.0) -> str:
    """How far a step has come after so many seconds, and how long the rest may take.

    silent: seconds since it was last heard of, which count towards its rate: a long text takes
    its time, and the rest does not seem nearer meanwhile.
    """
    if progress.seconds:
        progress = replace(progress, seconds=progress.seconds + silent)
    done = progress.found + progress.done
    whole = f"{progress.total} {progress.unit}".rstrip()
    parts = [f"{done:.0f} of {whole}", f"{_minutes(seconds)} since the start"]
    return ", ".join(filter(None, (*parts, *_about(progress))))


def _about(progress: "Progress") -> tuple[str, ...]:
    return progress.doing, asked_again(progress), state(progress), left(progress)


def asked_again(progress: "Progress") -> str:
    """How many replies could not be read and are asked for once more; empty where none are."""
    if not progress.again:
        return ""
    return (
        f"{counted(progress.again, 'unreadable reply', 'unreadable replies')} asked for once more"
    )


def left(progress: "Progress") -> str:
    """How long the rest may take, at the rate so far; empty where nothing is done yet."""
    if not progress.done or not progress.seconds or progress.ended:
        return ""
    rest = progress.total - progress.found - progress.done
    return f"about {_minutes(max(0.0, rest) * progress.seconds / progress.done)} left"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


@contextmanager
def _stoppable(intake: "Intake", tell: Callable[[str], None]) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM lets what is in flight end, the second stops at once.

    tell: writes the sentence that says so; a step may have put another in the place of stderr.
    """

    from arena.generation.batch import INTERRUPTED

    def stop(number: int, _: object) -> None:
        if intake.closed:
            raise KeyboardInterrupt
        intake.close(INTERRUPTED)
        tell(STOPPING)

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
    """How many rows are done in a minute, and, of texts that are written, the tokens a second."""
    if not progress.seconds or not progress.done:
        return ""
    speed = 60 * progress.done / progress.seconds
    rows = f"{speed:,.{0 if speed >= 100 else 1}f} {progress.unit or 'rows'}/min"
    written = progress.usage.completion_tokens
    is_text = written > 2 * progress.done  # a verdict that is read, not written, is one token
    return f"{rows}, {written / progress.seconds:,.0f} tokens/s" if is_text else rows


def summary(progress: "Progress") -> str:
    """One line on how a step ended."""
    usage = progress.usage
    parts = [f"{progress.stored} new {progress.unit}".rstrip(), f"{progress.found} already there"]
    for count, what in (
        (progress.unanswered, "without an answer since an earlier run"),
        (progress.elsewhere, "left to another process"),
        (progress.unparsed, "unparsed"),
        (progress.truncated, "truncated to the judge's context"),
        (progress.retried, "tried again"),
    ):
        parts += [f"{count} {what}"] if count else []
    if sum(progress.faults.values()) > progress.failed or len(progress.faults) > 1:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in progress.faults.items())
        parts.append(f"faults: {kinds}")
    if progress.failed:
        kinds = f" as {next(iter(progress.faults))}" if len(progress.faults) == 1 else ""
        parts.append(f"{progress.failed} failed{kinds} ({progress.last_error})")
    if progress.stored:
        parts.append(
            f"{counted(usage.prompt_tokens, 'token')} read, {usage.completion_tokens:,} written"
        )
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
        warn(
            "Replies of earlier runs that were no answers, and were not asked for again: "
            f"{silent}. arena generate --retry-failed asks with more room."
        )
    stopped = [step for step in steps if step.stopped and not step.complete]
    if failed:
        last = next(step.last_error for step in reversed(steps) if step.failed)
        warn(f"{failed} failed, last: {last}. {_way_on(steps)}")
    if stopped:
        left = sum(step.total - step.found - step.stored for step in stopped)
        still = f"{counted(left, 'is', 'are')} left ({stopped[0].stopped})"
        warn(f"{still}. Run the same command again to go on.")
    left_out = [step.unavailable for step in steps if step.unavailable]
    for why in left_out:
        warn(f"Left out: {why}")
    if failed or silent or stopped or left_out:
        sys.exit(1)


def _way_on(steps: "Sequence[Progress]") -> str:
    """How what failed is asked for again."""
    kinds = {kind for step in steps for kind in step.faults}
    if states := {str(state) for state in NoAnswer} & kinds:
        return (
            f"What failed as {' or '.join(sorted(states))} is no answer: "
            "arena generate --retry-failed asks for it again, with more room."
        )
    return "Run the same command again to retry them."
