"""Charts of one ranking against another: people against judges, preference against benchmarks."""

from collections.abc import Iterable, Sequence
from typing import Any

from arena.leaderboard.board import Leaderboard, Row
from arena.leaderboard.contrasts import Contrast, Point, compare
from arena.leaderboard.snapshot import Sheet
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
