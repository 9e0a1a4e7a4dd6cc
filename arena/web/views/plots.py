"""Charts of a sheet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from arena.benchmarks.needle import NeedleMap
from arena.leaderboard.board import Leaderboard, Row
from arena.leaderboard.contrasts import Contrast, Point, compare
from arena.leaderboard.formats import ranked
from arena.leaderboard.snapshot import History, Sheet
from arena.records import Evidence
from arena.web.views.figures import (
    ACCENT,
    COLOURS,
    DIVERGING,
    GRID,
    INK,
    MOST_CELLS,
    MOST_LINES,
    MOST_ROWS,
    ROW,
    WARNING,
    figure_of,
    height_of,
    labels,
    short,
    styled,
    whiskers,
)
from arena.web.views.words import Words, group_name

# Up to so many points have their names beside them.
MOST_NAMES = 20
# Models off a line that are named; there may be dozens.
MOST_OFF = 6
# Pixels that the names of columns take above a table of cells.
TALL_NAMES = 130
# Differences smaller than this have pale colours, however small the others are.
MOST_POINTS = 100.0


def ratings(sheet: Sheet, view: str, words: Words) -> Any:
    """Every model's rating with its interval, the best on top."""
    rows = ranked(sheet.boards[view])[:MOST_ROWS][::-1]
    names = labels(row.model for row in rows)
    figure = figure_of(words["rating"], height=height_of(len(rows)))
    figure.update_xaxes(side="top")
    figure.add_scatter(
        x=[row.rating for row in rows],
        y=[names[row.model] for row in rows],
        error_x=whiskers(_spans(rows), ACCENT),
        mode="markers",
        marker={"color": ACCENT, "size": 9},
        hovertemplate="%{y}: %{x:.0f}<extra></extra>",
    )
    return figure


def ranks(sheet: Sheet, view: str, words: Words) -> Any:
    """The places that the evidence leaves open to each model."""
    rows = ranked(sheet.boards[view])[:MOST_ROWS][::-1]
    names = labels(row.model for row in rows)
    figure = figure_of(words["rank"], height=height_of(len(rows)))
    figure.add_bar(
        x=[row.rank_high - row.rank_low + 0.8 for row in rows],
        base=[row.rank_low - 0.4 for row in rows],
        y=[names[row.model] for row in rows],
        orientation="h",
        marker={"color": ACCENT, "opacity": 0.4},
        hovertext=[f"{row.rank_low}–{row.rank_high}" for row in rows],
        hoverinfo="y+text",
    )
    figure.add_scatter(
        x=[row.rank for row in rows],
        y=[names[row.model] for row in rows],
        mode="markers",
        marker={"color": ACCENT, "size": 9},
        hoverinfo="skip",
    )
    figure.update_xaxes(rangemode="tozero", dtick=1 if len(rows) <= 16 else None, side="top")
    return figure


def wins(sheet: Sheet, view: str, words: Words) -> Any:
    """Observed win rates, and beside them those that the ratings predict."""
    if view not in sheet.wins:
        return None
    from plotly.subplots import make_subplots

    found = sheet.wins[view]
    size = min(len(found.models), MOST_CELLS)
    names = list(labels(found.models[:size]).values())
    figure = make_subplots(
        1,
        2,
        subplot_titles=(words["observed"], words["expected"]),
        shared_yaxes=True,
        horizontal_spacing=0.04,
    )
    for column, values in enumerate((found.observed, found.predicted), start=1):
        shown = values[:size, :size].copy()
        np.fill_diagonal(shown, np.nan)
        cells = [[None if np.isnan(v) else round(float(v), 3) for v in row] for row in shown]
        figure.add_heatmap(
            z=cells,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale=DIVERGING,
            showscale=column == 2,
            texttemplate="%{z:.0%}" if size <= 8 else None,
            colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0},
            hovertemplate="%{y} > %{x}: %{z:.0%}<extra></extra>",
            row=1,
            col=column,
        )
    styled(figure, height=max(320, 140 + TALL_NAMES + 22 * size))
    figure.update_yaxes(autorange="reversed", title=words["rows_beat"], col=1)
    figure.update_yaxes(autorange="reversed", col=2)
    figure.update_xaxes(tickangle=-90, side="top", dtick=1)
    figure.update_yaxes(dtick=1)
    # The two titles stand above the names of the columns.
    figure.update_annotations(y=1.0, yshift=TALL_NAMES, yanchor="bottom")
    figure.update_layout(margin={"t": TALL_NAMES + 30})
    return figure


def history(sheet: Sheet, view: str, words: Words) -> Any:
    """How the ratings by people's votes have moved."""
    found: History | None = sheet.history
    if found is None:
        return None
    figure = figure_of(words["votes"], words["rating"], height=420)
    last = {name: values[-1] for name, values in found.ratings.items() if values[-1] is not None}
    best = sorted(last, key=lambda name: -(last[name] or 0.0))[:MOST_LINES]
    for colour, name in zip(COLOURS, best, strict=False):
        figure.add_scatter(
            x=list(found.votes),
            y=list(found.ratings[name]),
            name=short(name),
            mode="lines+markers",
            line={"color": colour},
            customdata=list(found.times),
            hovertemplate="%{y:.0f} · %{customdata|%Y-%m-%d %H:%M}",
        )
    figure.update_layout(showlegend=True, hovermode="x unified")
    return figure


def people_and_judges(sheet: Sheet, view: str, words: Words) -> Any:
    """Ratings by people against ratings by judges."""
    others = sheet.boards.get(Evidence.JUDGE)
    return _against(sheet, others, "judge", words)


def subjective_and_objective(sheet: Sheet, view: str, words: Words) -> Any:
    """Ratings by people, or by judges where nobody voted, against benchmarks."""
    others = sheet.boards.get(Evidence.OBJECTIVE)
    return _against(sheet, others, "objective", words)


def radar(sheet: Sheet, view: str, words: Words) -> Any:
    """Means of benchmarks by capability."""
    board = next((b for b in sheet.boards.values() if b.dimensions), None)
    if board is None:
        return None
    names = sorted({score.dimension for score in board.dimensions})
    means = {(s.model, s.dimension): s.mean for s in board.dimensions}
    models = [row.model for row in ranked(board) if any((row.model, n) in means for n in names)]
    shown = [group_name(words, "dimension", name) for name in names]
    figure = figure_of(height=480)
    for colour, model in zip(COLOURS, models[:MOST_LINES], strict=False):
        values = [means.get((model, name)) for name in names]
        if len(names) < 3:  # a radar needs an area
            figure.add_bar(x=shown, y=values, name=short(model), marker={"color": colour})
            continue
        figure.add_scatterpolar(
            r=[*values, values[0]],
            theta=[*shown, shown[0]],
            name=short(model),
            fill="toself",
            opacity=0.55,
            line={"color": colour},
            hovertemplate="%{theta}: %{r:.0%}",
        )
    figure.update_layout(
        showlegend=True,
        polar={
            "bgcolor": "rgba(0,0,0,0)",
            "radialaxis": {"range": [0, 1], "tickformat": ".0%", "gridcolor": GRID},
            "angularaxis": {"gridcolor": GRID},
        },
    )
    return figure


def needles(sheet: Sheet, view: str, words: Words) -> Any:
    """What each model found at which depth of a text of which length."""
    if not sheet.needles:
        return None
    from plotly.subplots import make_subplots

    maps: Sequence[NeedleMap] = sheet.needles[:MOST_LINES]
    rows = (len(maps) + 1) // 2
    figure = make_subplots(
        rows,
        2,
        subplot_titles=[found.title for found in maps],
        horizontal_spacing=0.14,
        vertical_spacing=min(0.3, 0.36 / rows),
    )
    for k, found in enumerate(maps):
        figure.add_heatmap(
            z=[list(row) for row in found.values],
            x=[f"{length:,}" for length in found.lengths],
            y=[f"{depth:.0%}" for depth in found.depths],
            zmin=0,
            zmax=1,
            colorscale=[[0, "#e8590c"], [0.5, "#eab308"], [1, "#12a150"]],
            showscale=k == 0,
            colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0},
            hovertemplate="%{x}, %{y}: %{z:.0%}<extra></extra>",
            row=k // 2 + 1,
            col=k % 2 + 1,
        )
    styled(figure, height=90 + 230 * rows)
    figure.update_layout(margin={"t": 30})
    figure.update_yaxes(autorange="reversed")
    figure.update_yaxes(title=words["depth"], col=1)
    figure.update_xaxes(title=words["tokens_axis"], row=rows)
    return figure


def categories(sheet: Sheet, view: str, words: Words) -> Any:
    """How many points each model is better in each category than over all."""
    found = sheet.apart
    if found is None:
        return None
    models = labels(found.models[:MOST_ROWS])
    difference, told = found.difference[: len(models)], found.told[: len(models)]
    shown = [[None if np.isnan(v) else round(float(v)) for v in row] for row in difference]
    most = max(MOST_POINTS, float(np.nanmax(np.abs(difference))))
    figure = figure_of(height=150 + ROW * max(4, len(models)))
    figure.add_heatmap(
        z=shown,
        x=[group_name(words, "category", name) for name in found.categories],
        y=list(models.values()),
        zmin=-most,
        zmax=most,
        colorscale=DIVERGING,
        colorbar={"thickness": 10, "outlinewidth": 0},
        text=[["●" if mark else "" for mark in row] for row in told],
        texttemplate="%{text}",
        customdata=np.round(np.nan_to_num(found.half[: len(models)])),
        hovertemplate="%{y}, %{x}: %{z:+.0f} ± %{customdata:.0f}<extra></extra>",
        xgap=2,
        ygap=2,
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(tickangle=-50, showgrid=False, side="top")
    return figure


def offered(sheet: Sheet, view: str) -> tuple[str, ...]:
    """The charts that a sheet has evidence for, in their order; the first is always there."""
    boards = sheet.boards
    people, judges = boards.get(Evidence.HUMAN), boards.get(Evidence.JUDGE)
    categories = [group for group in sheet.grouped if group.by == "category"]
    there = {
        "ratings": True,
        "ranks": True,
        "wins": view in sheet.wins,
        "history": sheet.history is not None,
        APART: len(categories) > 1 and sheet.slice.by != "category",
        "judges": _common(people, judges) > 1,
        "objective": _common(people or judges, boards.get(Evidence.OBJECTIVE)) > 1,
        "radar": any(board.dimensions for board in boards.values()),
        "needle": bool(sheet.needles),
    }
    return tuple(name for name in CHARTS if there[name])


def left_out(sheet: Sheet, view: str, chart: str, words: Words) -> str:
    """What a chart leaves out for want of room, in a sentence; empty where it shows everything."""
    rated = len(sheet.boards[view].rows)
    shown, of = {
        "ratings": (MOST_ROWS, rated),
        "ranks": (MOST_ROWS, rated),
        APART: (MOST_ROWS, rated),
        "wins": (MOST_CELLS, rated),
        "radar": (MOST_LINES, rated),
        "history": (MOST_LINES, len(sheet.history.ratings) if sheet.history else 0),
        "needle": (MOST_LINES, len(sheet.needles)),
    }.get(chart, (rated, rated))
    return words["chart_leaves_out"].format(shown=shown, all=of) if of > shown else ""


def _common(one: Leaderboard | None, other: Leaderboard | None) -> int:
    """How many models both rankings have."""
    models = [{row.model for row in board.rows} if board else set() for board in (one, other)]
    return len(models[0] & models[1])


APART = "categories"
CHARTS: Mapping[str, Callable[[Sheet, str, Words], Any]] = {
    "ratings": ratings,
    "ranks": ranks,
    "wins": wins,
    "history": history,
    APART: categories,
    "judges": people_and_judges,
    "objective": subjective_and_objective,
    "radar": radar,
    "needle": needles,
}


def _against(sheet: Sheet, others: Leaderboard | None, kind: str, words: Words) -> Any:
    """Ratings by people (or judges) on one axis, those of another source on the other."""
    people, axis = sheet.boards.get(Evidence.HUMAN), "human"
    if people is None and kind == "objective":
        people, axis = sheet.boards.get(Evidence.JUDGE), "judge"
    if people is None or others is None:
        return None
    rows = {row.model: row for row in people.rows}
    both = [(row, rows[row.model]) for row in others.rows if row.model in rows]
    if len(both) < 2:
        return None
    x, y = [a.rating for a, _ in both], [b.rating for _, b in both]
    found = compare([a for a, _ in both], [b for _, b in both], axis)
    off = {point.model for point in found.points if point.off} if found else set()
    named = _named(both, found)
    figure = figure_of(words[kind], words[axis], height=480)
    if found and found.slope is not None and found.intercept is not None:
        ends = [min(x), max(x)]
        figure.add_scatter(
            x=ends,
            y=[found.intercept + found.slope * v for v in ends],
            mode="lines",
            line={"color": INK, "dash": "dot"},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=x,
        y=y,
        text=[short(a.model) if a.model in named else "" for a, _ in both],
        customdata=[short(a.model) for a, _ in both],
        mode="markers+text",
        textposition="top center",
        marker={"size": 11, "color": [WARNING if a.model in off else ACCENT for a, _ in both]},
        error_x=_errors([a for a, _ in both]),
        error_y=_errors([b for _, b in both]),
        hovertemplate="%{customdata}: %{x:.0f}, %{y:.0f}<extra></extra>",
    )
    if found:
        figure.update_layout(title={"text": _said(found, words), "font": {"size": 13}, "x": 0.02})
    figure.update_layout(margin={"t": 60})
    return figure


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
        value=f"{found.correlation:.2f}",
        low=f"{found.low:.2f}",
        high=f"{found.high:.2f}",
        n=len(found.points),
    )
    off = _off(found)
    if not off:
        return said
    more = words["left_out"].format(count=len(off) - MOST_OFF) if len(off) > MOST_OFF else ""
    listed = ", ".join(short(point.model) for point in off[:MOST_OFF])
    return f"{said}<br>{words['off_line']}: {listed} {more}".rstrip()


def _spans(rows: Iterable[Row]) -> list[tuple[float, float, float]]:
    return [(row.ci_low, row.rating, row.ci_high) for row in rows]


def _errors(rows: Iterable[Row]) -> dict[str, Any]:
    return whiskers(_spans(rows), "rgba(99,102,241,.35)", thickness=1)
