"""What all charts share: readable on light and on dark, wide and narrow."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

INK, GRID, ACCENT, WARNING = "#808591", "rgba(128,133,145,.25)", "#6366f1", "#e8590c"
COLOURS = ("#6366f1", "#e8590c", "#12a150", "#c026d3", "#0891b2", "#ca8a04", "#dc2626", "#64748b")
MOST_ROWS, MOST_CELLS, MOST_LINES = 60, 30, 8
ROW = 24
SHORT = 18
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


def height_of(rows: int) -> int:
    """Pixels of a chart with a line for each row."""
    return 90 + ROW * max(rows, 3)


def short(name: str) -> str:
    """A name that leaves room for the chart; plotly reads tags, so none is left in it."""
    plain = _plain(name)
    half = SHORT // 2
    return plain if len(plain) <= SHORT else f"{plain[:half]}…{plain[1 - half :]}"


def labels(names: Iterable[str]) -> dict[str, str]:
    """The short name of each, by name; whole where two would be the same, as on an axis."""
    known = list(dict.fromkeys(names))
    times = Counter(map(short, known))
    return {name: short(name) if times[short(name)] == 1 else _plain(name) for name in known}


def _plain(name: str) -> str:
    return name.replace("<", "‹").replace(">", "›").replace("&", "＆")
