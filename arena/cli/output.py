"""Printing: tables for people, JSON, CSV and Markdown for other programs; progress bars."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from arena.cli.options import Format

if TYPE_CHECKING:
    from arena.batch import OnProgress, Progress

Cells = Sequence[Mapping[str, Any]]


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
    """A table as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for name in rows[0] if rows else ():
        right = all(isinstance(row[name], int | float) for row in rows)
        grid.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(_cell(value)) for value in row.values()))
    width = None if sys.stdout.isatty() else 120
    Console(file=sys.stdout, width=width).print(grid)


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


def say(text: str) -> None:
    """A sentence for the person at the terminal, apart from the result."""
    sys.stderr.write(f"{text}\n")


@contextmanager
def progress_bars() -> Iterator["Callable[[str], OnProgress]"]:
    """Bars with rate and time left on a terminal; elsewhere a line when a step ends."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    # The stream is kept: a step may redirect stderr to silence a library.
    console = Console(file=sys.stderr)
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rate]}"),
        console=console,
        disable=not console.is_terminal,
    )

    def tracker(what: str) -> "OnProgress":
        task = bars.add_task(what, total=None, rate="")

        def show(progress: "Progress") -> None:
            done = progress.found + progress.stored
            bars.update(task, total=progress.total, completed=done, rate=rate(progress))
            finished = done + progress.failed >= progress.total
            if finished and not console.is_terminal:
                console.file.write(f"{what}: {summary(progress)}\n")
                console.file.flush()

        return show

    with bars:
        yield tracker


def rate(progress: "Progress") -> str:
    """What is written in a second, or read where next to nothing is written."""
    if not progress.seconds or not progress.stored:
        return ""
    written = progress.usage.completion_tokens
    if written > 2 * progress.stored:
        return f"{written / progress.seconds:.0f} tokens/s"
    return f"{progress.stored / progress.seconds:.1f}/s"


def summary(progress: "Progress") -> str:
    """One line on how a step ended."""
    parts = [f"{progress.stored} new", f"{progress.found} already there"]
    if progress.unparsed:
        parts.append(f"{progress.unparsed} unparsed")
    if progress.failed:
        parts.append(f"{progress.failed} failed ({progress.last_error})")
    if progress.stored:
        parts.append(f"{progress.seconds:.1f} s, {rate(progress)}")
    return ", ".join(parts)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
