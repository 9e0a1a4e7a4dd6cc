"""Printing: tables for people, JSON, CSV and Markdown for other programs; and what is said."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Literal

from arena.files.spreadsheets import harmless
from arena.records import COMMAND_LINE, Note

if TYPE_CHECKING:
    from arena.generation.estimate import CostEstimate

Cells = Sequence[Mapping[str, Any]]
PIPED_WIDTH = 1000
_WORD = re.compile(r"\S+(?: [–±] \S+)*")
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

    if not rows:
        sys.stdout.write(f"{title}\n" if title else "")
        return
    console = Console(file=sys.stdout, width=table_width(PIPED_WIDTH))
    names = list(rows[0])
    if fitting(rows, console.width) < len(names):  # what is empty makes room first
        names = [name for name in names if any(row[name] not in (None, "") for row in rows)]
        rows = [{name: row[name] for name in names} for row in rows]
    shown = names[: fitting(rows, console.width)]
    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for name, width in zip(shown, _widths(rows, shown, console.width), strict=True):
        right = all(isinstance(row[name], int | float) for row in rows)
        justify: Literal["left", "right"] = "right" if right else "left"
        grid.add_column(name, justify=justify, overflow="fold", width=width)
    for row in rows:
        grid.add_row(*(Text(_cell(row[name])) for name in shown))
    console.print(grid)
    if left_out := names[len(shown) :]:
        warn(f"Left out to fit the width: {', '.join(left_out)}. --format csv prints everything.")


def _widths(rows: Cells, names: Sequence[str], width: int) -> list[int]:
    """How wide each column is: its longest word at least, and what is left shared out evenly.

    The table's own way narrows a wide column below its words before it narrows the others.
    """
    from rich.cells import cell_len

    least = [min(_least(rows, name), width - 1 - COLUMN_MARGIN) for name in names]
    lines = [
        [name, *(line for row in rows for line in _cell(row[name]).split("\n"))] for name in names
    ]
    wanted = [max(map(cell_len, column)) - low for column, low in zip(lines, least, strict=True)]
    spare = max(0, width - 1 - sum(least) - COLUMN_MARGIN * len(names))
    widths = [*least]
    for taken, index in enumerate(sorted(range(len(names)), key=wanted.__getitem__)):
        more = min(wanted[index], spare // (len(names) - taken))
        widths[index] += more
        spare -= more
    return widths


def _least(rows: Cells, name: str) -> int:
    """The width below which a word of a column would be broken; an interval is one word."""
    from rich.cells import cell_len

    words = (word for row in rows for word in _WORD.findall(_cell(row[name])))
    return max(map(cell_len, (*words, *name.split())), default=0)


def table_width(piped: int) -> int | None:
    """How wide tables may be: as --width says, else as the terminal is, which is None here.

    piped: the width where the output is no terminal. COLUMNS is not asked there: GNU readline,
    which every interactive Python loads, hands COLUMNS=80 to all programs that it starts, so a
    script would lose columns that nobody wanted to leave out.
    """
    if voice.width is not None:
        return voice.width
    return None if sys.stdout.isatty() else piped


def fitting(rows: Cells, width: int) -> int:
    """How many columns, from the left, a table of this width holds without breaking a word."""
    taken, names = 1, list(rows[0]) if rows else []
    for count, name in enumerate(names):
        taken += _least(rows, name) + COLUMN_MARGIN
        if taken > width and count:
            return count
    return len(names)


def to_csv(rows: Cells) -> str:
    """Comma-separated values with a header."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: harmless(value) for name, value in row.items()} for row in rows)
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
    """What was chosen for this process. width: of tables, in characters; None for as they fit."""

    loudness: Loudness = Loudness.USUAL
    width: int | None = None


voice = Voice()


def say(text: str | Note) -> None:
    """A sentence for the person at the terminal, apart from the result; -q leaves it out."""
    if voice.loudness > Loudness.QUIET:
        words = text.text(place=COMMAND_LINE) if isinstance(text, Note) else text
        sys.stderr.write(f"{words}\n")


def warn(text: str) -> None:
    """What a result lacks, or why a command ends with an error code: -q does not leave it out."""
    sys.stderr.write(f"{text}\n")


def detail(text: str) -> None:
    """A sentence for whoever asked for more with -v."""
    if voice.loudness is Loudness.VERBOSE:
        sys.stderr.write(f"{text}\n")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:z.3f}" if -1 < value < 1 else f"{value:.1f}"
    return str(value)


def say_estimates(
    kind: str, rows: str, found: Sequence[tuple[str, "CostEstimate"]], what: str
) -> None:
    """Print what runs would take, instead of making them.

    kind: `model` or `judge`. rows: what is made, such as `answers`. found: its name, and the
    estimate of its run. what: of all of them.
    """
    emit(
        [
            {
                kind: name,
                rows: one.rows,
                "calls": one.calls,
                "tokens read": one.read,
                "tokens written": one.written,
                "dollars": None if one.cost is None else f"{one.cost:.2f}",
                "minutes": None if one.seconds is None else one.seconds / 60,
            }
            for name, one in found
        ],
        Format.TABLE,
        title=f"Nothing was asked. For {what}, about:",
    )
    if again := sum(one.again for _, one in found):
        say(
            "A reply without a verdict is asked for once more, which is not counted above: up to "
            f"{again:,} calls, each of which reads the first reply, too."
        )
