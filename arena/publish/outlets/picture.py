"""The chart of a ranking as a picture: SVG that stands alone, or PNG."""

from collections.abc import Sequence
from pathlib import Path
from unicodedata import east_asian_width
from xml.etree import ElementTree as Xml

from arena.interchange.exchange.outgoing import one_file
from arena.leaderboard.board import Leaderboard, Row
from arena.leaderboard.formats import confidence, decimals, points, rank_range, ranked
from arena.publish.chart import Axis, axis_of
from arena.records.errors import InputError

FILE = "ranking.svg"
WIDTH, LINE, HEAD, FOOT = 800, 26, 72, 40
# Where columns stand, in pixels: ranks end, names begin, the chart begins and ends, ratings end.
RANK, NAME, LEFT, RIGHT, RATING = 40, 52, 280, 660, 784
_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans CJK SC', 'PingFang SC', sans-serif"
# The colours of the page, in light and in dark; what knows no style sheets shows the light ones.
_LIGHT = {"page": "#ffffff", "ink": "#1a2027", "soft": "#59636e", "grid": "#e1e2dc"}
_LIGHT["accent"] = "#0d6b62"
_DARK = {"page": "#171b20", "ink": "#e7eaed", "soft": "#9ba6b1", "grid": "#2b3138"}
_DARK["accent"] = "#62cdbc"
_SCALE = 2.0  # pixels of a PNG for one of the SVG


def to_svg(board: Leaderboard, title: str) -> str:
    """Ranks, names, ratings and their intervals; it follows the reader's light or dark."""
    rows = ranked(board)
    height = HEAD + LINE * len(rows) + FOOT
    box = {"viewBox": f"0 0 {WIDTH} {height}", "width": f"{WIDTH}", "height": f"{height}"}
    font = {"font-family": _FONT, "font-size": "14", "role": "img"}
    svg = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **box, **font})
    Xml.SubElement(svg, "title").text = _printable(title)
    Xml.SubElement(svg, "style").text = _dark()
    _shape(svg, "rect", "fill", "page", width="100%", height="100%")
    _text(svg, (NAME, 30), title, "ink", size=18, cells=64)
    if rows:
        _chart(svg, board, rows)
        below = f"{board.label} · {confidence(board)} intervals · {board.method}"
        _text(svg, (NAME, height - 14), below, "soft", size=11, cells=118)
    else:
        _text(svg, (NAME, 56), "no ranking yet · 暂无排名", "soft")
    return Xml.tostring(svg, "unicode") + "\n"


def write_picture(board: Leaderboard, title: str, place: Path, kind: str) -> None:
    """Write the chart. kind: `.svg` or `.png`, on which the file's name must end.

    Raises InputError for another name, and for PNG where what draws it is missing.
    """
    with one_file(place, (kind,)) as partial:
        svg = to_svg(board, title)
        partial.write_bytes(_png(svg) if kind == ".png" else svg.encode())


def _png(svg: str) -> bytes:
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise InputError("a PNG needs one more package: pip install resvg-py") from error
    probe = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='20'>{}</svg>"
    letter = probe.format("<text x='2' y='16' font-family='sans-serif'>A</text>")
    if svg_to_bytes(svg_string=letter) == svg_to_bytes(svg_string=probe.format("")):
        raise InputError("a PNG needs a font, and none is installed here; an SVG needs none")
    return bytes(svg_to_bytes(svg_string=svg, zoom=_SCALE))


def _dark() -> str:
    rules = (
        f".fill-{name}{{fill:{colour}}}.stroke-{name}{{stroke:{colour}}}"
        for name, colour in _DARK.items()
    )
    return f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}"


def _chart(svg: Xml.Element, board: Leaderboard, rows: Sequence[Row]) -> None:
    axis, digits, places = axis_of(rows), decimals(board), board.places
    end = HEAD + LINE * len(rows)
    for tick in axis.ticks:
        _line(svg, (_x(axis, tick), HEAD - 6), (_x(axis, tick), end), "grid", 1)
        _text(svg, (_x(axis, tick), HEAD - 12), f"{tick}", "soft", size=11, anchor="middle")
    for k, row in enumerate(rows):
        y = HEAD + LINE * k + LINE / 2
        _text(svg, (RANK, y + 5), f"{places[row.model]}", "soft", anchor="end")
        _text(svg, (NAME, y + 5), row.model, "ink", cells=28)
        _line(svg, (_x(axis, row.ci_low), y), (_x(axis, row.ci_high), y), "accent", 2)
        _shape(svg, "circle", "fill", "accent", cx=_x(axis, row.rating), cy=y, r=4.5)
        shown = f"{points(row.rating, digits)}  ({rank_range(row)})"
        _text(svg, (RATING, y + 5), shown, "soft", size=12, anchor="end")


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * axis.place(value) / 100, 1)


def _text(
    svg: Xml.Element,
    at: tuple[float, float],
    text: str,
    colour: str,
    *,
    size: int = 14,
    anchor: str = "start",
    cells: int = 60,
) -> None:
    """A line of text, cut where it would run into what stands beside it."""
    how = {"font-size": size, "text-anchor": anchor}
    _shape(svg, "text", "fill", colour, x=at[0], y=at[1], **how).text = _cut(text, cells)


def _line(
    svg: Xml.Element, start: tuple[float, float], end: tuple[float, float], colour: str, width: int
) -> None:
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    _shape(svg, "line", "stroke", colour, **ends, **{"stroke-width": width})


def _shape(
    svg: Xml.Element, tag: str, painted: str, colour: str, **attributes: object
) -> Xml.Element:
    found = {name: f"{value}" for name, value in attributes.items()}
    paint = {painted: _LIGHT[colour], "class": f"{painted}-{colour}"}
    return Xml.SubElement(svg, tag, found | paint)


def _cut(text: str, cells: int) -> str:
    """A text at most so wide; a Chinese character is as wide as two letters."""
    text, used = _printable(text), 0
    for k, letter in enumerate(text):
        used += 2 if east_asian_width(letter) in "WF" else 1
        if used > cells:
            return f"{text[: max(k - 1, 0)]}…"
    return text


def _printable(text: str) -> str:
    """Without what XML has no place for."""
    return "".join(letter for letter in text if letter.isprintable())
