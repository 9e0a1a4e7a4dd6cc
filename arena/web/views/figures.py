"""What all charts share: readable on light and on dark, wide and narrow."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from arena.leaderboard.board import Row

INK, GRID, ACCENT, WARNING = "#808591", "rgba(128,133,145,.25)", "#6366f1", "#e8590c"
COLOURS = ("#6366f1", "#e8590c", "#12a150", "#c026d3", "#0891b2", "#ca8a04", "#dc2626", "#64748b")
MOST_ROWS, MOST_CELLS, MOST_LINES = 60, 30, 8
ROW, LINE = 24, 15
# Letters of a name on one line of a chart, and of a whole name.
WIDE, MOST_LETTERS = 24, 96
DIVERGING = [[0, WARNING], [0.5, "rgba(128,133,145,.18)"], [1, ACCENT]]


def figure_of(x: str = "", y: str = "", height: int = 400) -> Any:
    """An empty chart with titles for its axes."""
    from plotly.graph_objects import Figure

    return styled(Figure(), x, y, height)


def styled(figure: Any, x: str = "", y: str = "", height: int = 400) -> Any:
    """The chart with our colours and margins."""
    figure.update_layout(
        height=height,
        autosize=True,
        template="none",
        showlegend=False,
        margin={"l": 8, "r": 12, "t": 12, "b": 36},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "family": "system-ui, sans-serif", "size": 12},
        legend={"orientation": "h", "y": -0.18},
    )
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True}
    figure.update_xaxes(title=x or None, **axis)
    figure.update_yaxes(title=y or None, **axis)
    return figure


def whiskers(
    spans: Iterable[tuple[float, float, float]], colour: str, **more: Any
) -> dict[str, Any]:
    """Intervals around points; spans: low, value and high of each."""
    rows = list(spans)
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for _, value, high in rows],
        "arrayminus": [value - low for low, value, _ in rows],
        "color": colour,
        **more,
    }


def spans_of(rows: Iterable[Row]) -> list[tuple[float, float, float]]:
    """The lower end, the rating and the upper end of each model's interval."""
    return [(row.ci_low, row.rating, row.ci_high) for row in rows]


def height_of(rows: int, names: Iterable[str] = ()) -> int:
    """Pixels of a chart with a row for each of its names, as `labels` has them."""
    lines = max((name.count(BREAK) + 1 for name in names), default=1)
    return 90 + max(ROW, LINE * lines + 4) * max(rows, 3)


def labels(names: Iterable[str]) -> dict[str, str]:
    """What a chart calls each of some names: whole, in lines that leave room for the chart.

    Only a name longer than MOST_LETTERS is cut, and not even that where two would look the same.
    """
    known = list(dict.fromkeys(names))
    times = Counter(map(_cut, known))
    return {name: in_lines(_cut(name) if times[_cut(name)] == 1 else name) for name in known}


def in_lines(name: str) -> str:
    """A name broken where it has a blank or a mark; plotly reads tags, so it keeps none."""
    lines = [""]
    for part in _PARTS.findall(name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > WIDE:
            lines.append("")
        lines[-1] += part
    return BREAK.join(_plain(line) for line in lines)


def one_line(name: str) -> str:
    """A name where there is room for it, as it stands in the middle of a sentence."""
    return _plain(_cut(name))


BREAK = "<br>"
# A name's words with the mark behind each; a word without marks is broken after so many letters.
_PARTS = re.compile(rf"[^\s\-_/.:@]{{1,{WIDE - 1}}}[\s\-_/.:@]?|[\s\-_/.:@]")


def _cut(name: str) -> str:
    half = MOST_LETTERS // 2
    return name if len(name) <= MOST_LETTERS else f"{name[:half]}…{name[1 - half :]}"


def _plain(name: str) -> str:
    return name.replace("<", "‹").replace(">", "›").replace("&", "＆")
