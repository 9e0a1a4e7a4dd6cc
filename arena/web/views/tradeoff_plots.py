"""Charts of quality beside what it takes: dollars, or seconds."""

from math import log10
from typing import Any

from arena.leaderboard.board import Leaderboard
from arena.leaderboard.snapshot import Sheet
from arena.leaderboard.tradeoffs import COST, SECONDS, Tradeoff, tradeoff
from arena.web.views.figures import ACCENT, INK, figure_of, in_lines, one_line, spans_of, whiskers
from arena.web.views.words import Words

# Up to so many points have their names beside them; of more, those on the front.
MOST_NAMES = 20
PALE = 0.25  # of a point that is not searched for
RIGHT = 0.6  # of the axis: a name begun there might not fit
WEIGHED = {"cost": COST, "speed": SECONDS}


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
