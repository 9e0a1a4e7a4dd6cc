"""Charts of a sheet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from arena.benchmarks.needle import NeedleMap
from arena.leaderboard.board import Leaderboard
from arena.leaderboard.by_category import ByCategory
from arena.leaderboard.formats import ranked
from arena.leaderboard.snapshot import History, Sheet, Wins
from arena.records import Evidence
from arena.web.views.contrast_plots import (
    WEIGHED,
    is_known,
    people_and_judges,
    subjective_and_objective,
    weighed,
)
from arena.web.views.figures import (
    ACCENT,
    BREAK,
    COLOURS,
    DIVERGING,
    GRID,
    MOST_CELLS,
    MOST_LINES,
    MOST_ROWS,
    figure_of,
    height_of,
    in_lines,
    labels,
    spans_of,
    styled,
    whiskers,
)
from arena.web.views.words import Words, group_name

# Pixels of a letter, for the names that stand upright above a table of cells.
LETTER = 7
# Differences smaller than this have pale colours, however small the others are.
MOST_POINTS = 100.0


def ratings(sheet: Sheet, view: str, words: Words) -> Any:
    """Every model's rating with its interval, the best on top."""
    rows = ranked(sheet.boards[view])[:MOST_ROWS][::-1]
    if not rows:
        return None
    names = labels(row.model for row in rows)
    figure = figure_of(words["rating"], height=height_of(len(rows), names.values()))
    figure.update_xaxes(side="top")
    figure.add_scatter(
        x=[row.rating for row in rows],
        y=[names[row.model] for row in rows],
        error_x=whiskers(spans_of(rows), ACCENT),
        mode="markers",
        marker={"color": ACCENT, "size": 9},
        hovertemplate="%{y}: %{x:.0f}<extra></extra>",
    )
    figure.update_yaxes(range=[-0.8, len(rows) - 0.2])
    return figure


def ranks(sheet: Sheet, view: str, words: Words) -> Any:
    """The places that the evidence leaves open to each model."""
    rows = ranked(sheet.boards[view])[:MOST_ROWS][::-1]
    if not rows:
        return None
    names = labels(row.model for row in rows)
    figure = figure_of(words["rank"], height=height_of(len(rows), names.values()))
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
    found = sheet.wins.get(view)
    if found is None or not found.models:
        return None
    from plotly.subplots import make_subplots

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
            textfont={"size": 9},
            colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0},
            hovertemplate="%{y} > %{x}: %{z:.0%}<extra></extra>",
            row=1,
            col=column,
        )
    # The columns have the same names, each in one line.
    upright = [name.replace(BREAK, "") for name in names]
    tall = 20 + LETTER * max(map(len, upright))
    styled(figure, height=30 + tall + height_of(size, names))
    figure.update_yaxes(autorange="reversed", title=words["rows_beat"], col=1)
    figure.update_yaxes(autorange="reversed", col=2)
    figure.update_xaxes(tickangle=-90, side="top", tickvals=names, ticktext=upright)
    figure.update_yaxes(dtick=1)
    # The two titles stand above the names of the columns.
    figure.update_annotations(y=1.0, yshift=tall, yanchor="bottom")
    figure.update_layout(margin={"t": tall + 30})
    return figure


def history(sheet: Sheet, view: str, words: Words) -> Any:
    """How the ratings by people's votes have moved."""
    found: History | None = sheet.history
    if found is None or not found.ratings:
        return None
    figure = figure_of(words["votes"], words["rating"], height=420)
    last = {name: values[-1] for name, values in found.ratings.items() if values[-1] is not None}
    best = sorted(last, key=lambda name: -(last[name] or 0.0))[:MOST_LINES]
    for colour, name in zip(COLOURS, best, strict=False):
        figure.add_scatter(
            x=list(found.votes),
            y=list(found.ratings[name]),
            name=in_lines(name),
            mode="lines+markers",
            line={"color": colour},
            customdata=list(found.times),
            hovertemplate="%{y:.0f} · %{customdata|%Y-%m-%d %H:%M}",
        )
    figure.update_layout(showlegend=True, hovermode="x unified")
    return figure


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
            figure.add_bar(x=shown, y=values, name=in_lines(model), marker={"color": colour})
            continue
        figure.add_scatterpolar(
            r=[*values, values[0]],
            theta=[*shown, shown[0]],
            name=in_lines(model),
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
    if found is None or not found.models:
        return None
    models = labels(found.models[:MOST_ROWS])
    difference, told = found.difference[: len(models)], found.told[: len(models)]
    shown = [[None if np.isnan(v) else round(float(v)) for v in row] for row in difference]
    most = max(MOST_POINTS, float(np.nanmax(np.abs(difference))))
    figure = figure_of(height=60 + height_of(max(4, len(models)), models.values()))
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
        **{name: is_known(boards[view], name) for name in WEIGHED},
        "radar": any(board.dimensions for board in boards.values()),
        "needle": bool(sheet.needles),
    }
    return tuple(name for name in NAMES if there[name])


def left_out(sheet: Sheet, view: str, chart: str, words: Words, search: str = "") -> str:
    """What a chart leaves out for want of room, in a sentence; empty where it shows everything."""
    sheet = narrowed(sheet, search.strip().casefold())
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


def draw(chart: str, sheet: Sheet, view: str, words: Words, search: str = "") -> Any:
    """A chart by its name; None where there is nothing to show.

    search: a part of the names that are shown, as in the table; empty for all.
    """
    sought = search.strip().casefold()
    if chart in CONTRASTS:
        return CONTRASTS[chart](sheet, words, sought)
    if chart in WEIGHED:
        return weighed(chart, sheet, view, words, sought)
    return CHARTS[chart](narrowed(sheet, sought), view, words)


def narrowed(sheet: Sheet, sought: str) -> Sheet:
    """A sheet with those models alone whose names have a text in them. sought: without case."""
    if not sought:
        return sheet
    past, apart = sheet.history, sheet.apart
    if past:
        kept = {model: line for model, line in past.ratings.items() if sought in model.casefold()}
        past = replace(past, ratings=kept)
    return replace(
        sheet,
        boards={view: _only(board, sought) for view, board in sheet.boards.items()},
        wins={view: _wins_of(wins, sought) for view, wins in sheet.wins.items()},
        history=past,
        needles=tuple(one for one in sheet.needles if sought in one.title.casefold()),
        apart=apart and _apart_of(apart, sought),
    )


def _only(board: Leaderboard, sought: str) -> Leaderboard:
    return replace(
        board,
        rows=tuple(row for row in board.rows if sought in row.model.casefold()),
        dimensions=tuple(one for one in board.dimensions if sought in one.model.casefold()),
    )


def _wins_of(wins: Wins, sought: str) -> Wins:
    kept = [k for k, model in enumerate(wins.models) if sought in model.casefold()]
    models, cells = tuple(wins.models[k] for k in kept), np.ix_(kept, kept)
    observed, predicted, played = (
        cell[cells] for cell in (wins.observed, wins.predicted, wins.played)
    )
    return Wins(models, observed, predicted, played, wins.rate[kept])


def _apart_of(found: ByCategory, sought: str) -> ByCategory:
    kept = [k for k, model in enumerate(found.models) if sought in model.casefold()]
    models = tuple(found.models[k] for k in kept)
    return ByCategory(models, found.categories, found.difference[kept], found.half[kept])


APART = "categories"
# Those that are by the models one by one, and those that are by all of them together.
CHARTS: Mapping[str, Callable[[Sheet, str, Words], Any]] = {
    "ratings": ratings,
    "ranks": ranks,
    "wins": wins,
    "history": history,
    APART: categories,
    "radar": radar,
    "needle": needles,
}
CONTRASTS: Mapping[str, Callable[[Sheet, Words, str], Any]] = {
    "judges": people_and_judges,
    "objective": subjective_and_objective,
}
# In the order in which they are offered.
NAMES = (
    *("ratings", "ranks", "wins", "history", APART, "judges", "objective"),
    *(*WEIGHED, "radar", "needle"),
)
