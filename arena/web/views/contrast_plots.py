"""Charts of ratings against something else: other ratings, or what an answer costs and takes."""

from collections.abc import Iterable, Sequence
from math import log10
from typing import Any

from arena.leaderboard.board import Leaderboard, Row
from arena.leaderboard.contrasts import Contrast, Point, compare
from arena.leaderboard.snapshot import Sheet
from arena.leaderboard.tradeoffs import COST, SECONDS, Tradeoff, tradeoff
from arena.records import Evidence
from arena.web.views.figures import (
    ACCENT,
    INK,
    WARNING,
    figure_of,
    in_lines,
    one_line,
    spans_of,
    whiskers,
)
from arena.web.views.words import Words

# Up to so many points have their names beside them.
MOST_NAMES = 20
# Models off a line that are named; there may be dozens.
MOST_OFF = 6
# Of a point that is not searched for.
PALE = 0.25
# By chart: what the ratings are weighed against.
WEIGHED = {"cost": COST, "speed": SECONDS}
# Of the axis: a name begun farther to the right might not fit.
RIGHT = 0.6


def people_and_judges(sheet: Sheet, words: Words, search: str = "") -> Any:
    """Ratings by people against ratings by judges."""
    others = sheet.boards.get(Evidence.JUDGE)
    return _against(sheet, others, "judge", words, search)


def subjective_and_objective(sheet: Sheet, words: Words, search: str = "") -> Any:
    """Ratings by people, or by judges where nobody voted, against benchmarks."""
    others = sheet.boards.get(Evidence.OBJECTIVE)
    return _against(sheet, others, "objective", words, search)


def _against(sheet: Sheet, others: Leaderboard | None, kind: str, words: Words, search: str) -> Any:
    """Ratings by people (or judges) on one axis, those of another source on the other.

    All models stand in it, as the line is by all of them; those that are searched for are named,
    and the others are pale.
    """
    people, axis = sheet.boards.get(Evidence.HUMAN), "human"
    if people is None and kind == "objective":
        people, axis = sheet.boards.get(Evidence.JUDGE), "judge"
    if people is None or others is None:
        return None
    rows = {row.model: row for row in people.rows}
    both = [(row, rows[row.model]) for row in others.rows if row.model in rows]
    sought = {row.model for row, _ in both if search in row.model.casefold()}
    if len(both) < 2 or not sought:
        return None
    found = compare([a for a, _ in both], [b for _, b in both], axis)
    off = {point.model for point in found.points if point.off} if found else set()
    named = sought if search else _named(both, found)
    figure = figure_of(words[kind], words[axis], height=480)
    _draw_line(figure, found, [a.rating for a, _ in both])
    figure.add_scatter(
        x=[a.rating for a, _ in both],
        y=[b.rating for _, b in both],
        text=[in_lines(a.model) if a.model in named else "" for a, _ in both],
        customdata=[one_line(a.model) for a, _ in both],
        mode="markers+text",
        textposition="top center",
        marker={
            "size": 11,
            "color": [WARNING if a.model in off else ACCENT for a, _ in both],
            "opacity": [1.0 if a.model in sought else PALE for a, _ in both],
        },
        error_x=_errors([a for a, _ in both]),
        error_y=_errors([b for _, b in both]),
        hovertemplate="%{customdata}: %{x:.0f}, %{y:.0f}<extra></extra>",
    )
    if found:
        figure.update_layout(title={"text": _said(found, words), "font": {"size": 13}, "x": 0.02})
    return figure.update_layout(margin={"t": 60})


def _draw_line(figure: Any, found: Contrast | None, x: Sequence[float]) -> None:
    """The line on which models lie whose two ratings go together."""
    if found is None or found.slope is None or found.intercept is None:
        return
    ends = [min(x), max(x)]
    figure.add_scatter(
        x=ends,
        y=[found.intercept + found.slope * v for v in ends],
        mode="lines",
        line={"color": INK, "dash": "dot"},
        hoverinfo="skip",
    )


def _named(both: Sequence[tuple[Row, Row]], found: Contrast | None) -> set[str]:
    """The points that have a name: where all would lie over each other, those that stand out."""
    if len(both) <= MOST_NAMES:
        return {row.model for row, _ in both}
    order = [row.model for _, row in sorted(both, key=lambda pair: pair[1].rating)]
    off = [point.model for point in _off(found)[:MOST_OFF]] if found else []
    return {*order[:2], *order[-2:], *off}


def _off(found: Contrast) -> list[Point]:
    """The models off the line, the farthest first."""
    return sorted((p for p in found.points if p.off), key=lambda point: -abs(point.gap))


def _said(found: Contrast, words: Words) -> str:
    """How far two ratings go together, and which models do not."""
    said = words["correlation"].format(
        value=f"{found.correlation:z.2f}",
        low=f"{found.low:z.2f}",
        high=f"{found.high:z.2f}",
        n=len(found.points),
    )
    off = _off(found)
    if not off:
        return said
    more = words["left_out"].format(count=len(off) - MOST_OFF) if len(off) > MOST_OFF else ""
    listed = ", ".join(one_line(point.model) for point in off[:MOST_OFF])
    return f"{said}<br>{words['off_line']}: {listed} {more}".rstrip()


def _errors(rows: Iterable[Row]) -> dict[str, Any]:
    return whiskers(spans_of(rows), "rgba(99,102,241,.35)", thickness=1)


def is_known(board: Leaderboard, chart: str) -> bool:
    """Whether there is anything to weigh the ratings against."""
    return tradeoff(board, WEIGHED[chart]) is not None


def weighed(chart: str, sheet: Sheet, view: str, words: Words, search: str) -> Any:
    """Ratings against what an answer takes, with a line through those that nobody beats in both.

    All models stand in it, as the front is by all of them; those that are not searched for are
    pale.
    """
    found = tradeoff(sheet.boards[view], WEIGHED[chart])
    if found is None:
        return None
    points = list(found.points)
    sought = [point for point in points if search in point.row.model.casefold()]
    if not sought:
        return None
    figure = figure_of(words[f"axis_{chart}"], words["rating"], height=480)
    figure.add_scatter(
        x=[point.takes for point in found.front],
        y=[point.row.rating for point in found.front],
        mode="lines",
        line={"color": ACCENT, "dash": "dot"},
        hoverinfo="skip",
    )
    few = len(points) <= MOST_NAMES
    named = sought if search else [point for point in points if few or point.efficient]
    figure.add_scatter(
        x=[point.takes for point in points],
        y=[point.row.rating for point in points],
        text=[in_lines(point.row.model) if point in named else "" for point in points],
        customdata=[one_line(point.row.model) for point in points],
        mode="markers+text",
        textposition=_sides(found),
        marker={
            "size": 11,
            "color": [ACCENT if point.efficient else INK for point in points],
            "opacity": [1.0 if point in sought else PALE for point in points],
        },
        error_y=whiskers(spans_of(point.row for point in points), "rgba(99,102,241,.35)"),
        hovertemplate=f"%{{customdata}}: {words[f'amount_{chart}']}, %{{y:.0f}}<extra></extra>",
        cliponaxis=False,
    )
    if found.by_factors:
        figure.update_xaxes(type="log", dtick="D2")
    return figure.update_layout(margin={"t": 40, "r": 24})


def _sides(found: Tradeoff) -> list[str]:
    """Where each name stands: to the left of points that are far to the right."""
    places = [log10(p.takes) if found.by_factors else p.takes for p in found.points]
    edge = places[0] + RIGHT * (places[-1] - places[0])
    return ["top left" if place > edge else "top right" for place in places]
