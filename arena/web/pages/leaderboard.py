"""The page that shows the ranking."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from arena.leaderboard.board import Policy
from arena.leaderboard.snapshot import GRADED, JUDGE, PANEL, Sheet, Slice
from arena.records import Evidence
from arena.web.background.cache import LONG_ENOUGH, PATIENCE
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views import board_table, no_ranking, plots
from arena.web.views.words import WORDS, Say, Words, group_name, sentences

VIEWS = (
    Evidence.COMBINED,
    Evidence.HUMAN,
    Evidence.JUDGE,
    PANEL,
    GRADED,
    Evidence.OBJECTIVE,
)
ALL = "all"
LONGEST_SEARCH = 100
# What is chosen stands in the address, so that a link to the page shows the same; see board.js.
REMEMBER = "(...chosen) => arenaBoard.remember(chosen)"


@dataclass(frozen=True, slots=True)
class BoardRequest:
    """What somebody asked to see."""

    view: str = Evidence.COMBINED
    group: str = ALL
    style: bool = False
    weak: bool = False
    columns: tuple[str, ...] = board_table.SHOWN
    search: str = ""
    chart: str = "ratings"

    @property
    def slice(self) -> Slice:
        """What is to be computed for it."""
        by, _, value = self.group.partition("=")
        return Slice(by if value else "", value, self.style, self.weak)

    @property
    def charted(self) -> Slice:
        """What is to be computed for its chart."""
        apart = self.view if self.chart == plots.APART else ""
        return replace(self.slice, apart=apart)


@dataclass(frozen=True, slots=True)
class BoardView:
    """What the page shows: a table or, where there is no ranking, why not and what to do.

    chart: a plotly figure or None; hint: what is to be known of it; tasks: benchmarks as a table.
    charts: those that there is evidence for, as title and name; charted: the name of the one shown.
    done: whether nothing of it is still being computed.
    """

    table: str
    ranked: bool = False
    chart: Any = None
    hint: str = ""
    tasks: str = ""
    charts: tuple[tuple[str, str], ...] = ()
    charted: str = ""
    done: bool = True


class BoardPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, visitor: Visitor, wanted: BoardRequest, patience: float = PATIENCE) -> BoardView:
        """The table and one chart, of the newest sheet that there is."""
        words = WORDS[visitor.language]
        boards = self._services.boards
        wanted = replace(wanted, style=wanted.style and bears_style(wanted.view))
        made = boards.made(wanted.slice, patience)
        if made is None:
            return BoardView(board_table.note(words["computing"]), done=False)
        sheet = made.value
        if wanted.view not in sheet.boards:
            return BoardView(no_ranking.render(sheet, wanted.view, visitor.language))
        table = board_table.render(
            sheet,
            wanted.view,
            visitor.language,
            columns=wanted.columns,
            search=wanted.search,
            made=made.made,
            old=boards.is_old(made),
        )
        offered = plots.offered(sheet, wanted.view)
        wanted = replace(wanted, chart=wanted.chart if wanted.chart in offered else offered[0])
        charted: Sheet | None = sheet
        if wanted.charted != wanted.slice:
            charted = boards.get(wanted.charted, patience)
        chart, hint = self._chart(sheet, charted, wanted, words)
        board = sheet.boards[wanted.view]
        tasks = board_table.tasks_table(board, visitor.language, sheet.replaced)
        tasks += board_table.movers_table(board, visitor.language)
        charts = tuple((words[f"chart_{name}"], name) for name in offered)
        is_done = charted is not None
        return BoardView(table, True, chart, hint, tasks, charts, wanted.chart, is_done)

    def _chart(
        self, sheet: Sheet, charted: Sheet | None, wanted: BoardRequest, words: Words
    ) -> tuple[Any, str]:
        """The chart and what is to be known of it. charted: the sheet that has it."""
        if charted is None:
            return None, words["computing_chart"]
        chart = plots.draw(wanted.chart, charted, wanted.view, words, wanted.search)
        if chart is None:
            return None, words["nobody_found" if wanted.search.strip() else "no_chart"]
        left_out = plots.left_out(sheet, wanted.view, wanted.chart, words, wanted.search)
        return chart, sentences(words, words.get(f"hint_{wanted.chart}", ""), left_out)

    def sought(self, visitor: Visitor, wanted: BoardRequest) -> tuple[Any, str] | None:
        """The chart and its hint for another search; None where there is no ranking yet."""
        wanted = replace(wanted, style=wanted.style and bears_style(wanted.view))
        sheet = self._last(wanted.slice)
        if sheet is None or wanted.view not in sheet.boards:
            return None
        if wanted.chart not in plots.offered(sheet, wanted.view):
            return None
        charted = self._last(wanted.charted)
        return self._chart(sheet, charted, wanted, WORDS[visitor.language])

    def _last(self, wanted: Slice) -> Sheet | None:
        """The sheet that was made last, however old it is."""
        made = self._services.boards.last(wanted)
        return made.value if made else None

    def waiting(self, visitor: Visitor, wanted: BoardRequest) -> Iterator[BoardView]:
        """At once what there is; then, where some of it was missing, all when it is done."""
        found = self.show(visitor, wanted)
        yield found
        if not found.done:
            yield self.show(visitor, wanted, LONG_ENOUGH)

    def views(self, language: str, view: str = "") -> list[tuple[str, str]]:
        """The kinds of evidence that there are and each judge, as name and value.

        view: one that is offered in any case.
        """
        words, sheet = WORDS[language], self._last(Slice())
        known = {*sheet.boards, *sheet.problems, *sheet.errors} if sheet else set(VIEWS)
        known |= {str(self._services.boards.policy().evidence), view}
        judges = [name for name in sorted(known) if name.startswith(JUDGE)]
        return [
            *((words[name], str(name)) for name in VIEWS if name in known),
            *((board_table.view_name(words, name), name) for name in judges),
        ]

    def groups(self, language: str, chosen: str = ALL) -> list[tuple[str, str]]:
        """Categories and languages that somebody said something about, as name and value.

        One alone is no choice. chosen: one that is offered in any case.
        """
        words, sheet = WORDS[language], self._last(Slice())
        found = sheet.grouped if sheet else ()
        offered = [
            (group_name(words, group.by, group.value), f"{group.by}={group.value}")
            for group in found
            if sum(other.by == group.by for other in found) > 1
        ]
        if chosen != ALL and chosen not in [value for _, value in offered]:
            by, _, value = chosen.partition("=")
            offered.append((group_name(words, by, value), chosen))
        return [(words["everything"], ALL), *offered]

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        policy = self._services.boards.policy()
        controls = _draw_controls(say, policy)
        board = gr.HTML(elem_id="board", padding=False)
        more, chart, shown = _draw_charts(say)
        chosen = [
            controls.view, controls.group, controls.style, controls.weak, controls.search, chart
        ]  # fmt: skip
        drawn = gr.Textbox(visible="hidden")  # the search that the chart is by
        outputs = [*chosen, drawn, board, controls.again, controls.choice, more, *shown]

        def show(
            view: str,
            group: str,
            style: bool,
            weak: bool,
            search: str,
            chart: str,
            columns: list[str],
            request: gr.Request,
        ) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            wanted = BoardRequest(view, group, style, weak, tuple(columns), search, chart)
            for found in self.waiting(visitor, wanted):
                yield [*self._chosen(wanted, found, visitor.language), *_updates(found)]

        def start(columns: list[str], request: gr.Request) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            query = dict(request.query_params)
            wanted = wanted_of(query, columns, self._services.boards.policy().evidence)
            for found in self.waiting(visitor, wanted):
                yield [*self._chosen(wanted, found, visitor.language), *_updates(found)]

        events: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
        self._on_search(controls.search, [*chosen, drawn], [drawn, *shown[:2]], events)
        root.load(start, [controls.columns], outputs, **events)
        fields = (controls.view, controls.group, controls.style, controls.weak, controls.columns)
        gr.on(
            [*(field.input for field in fields), chart.input,
             controls.search.submit, controls.again.click],
            show,
            [*chosen, controls.columns],
            outputs,
            js=REMEMBER,
            trigger_mode="always_last",
            **events,
        )  # fmt: skip

    def _on_search(
        self, field: gr.Textbox, inputs: list[Any], outputs: list[Any], events: dict[str, Any]
    ) -> None:
        """Let the chart follow what is typed; the table does so in the browser, see board.js."""

        def search_chart(
            view: str,
            group: str,
            style: bool,
            weak: bool,
            search: str,
            chart: str,
            drawn: str,
            request: gr.Request,
        ) -> list[Any]:
            if search == drawn:  # the page itself has put it into the field
                return [gr.skip()] * 3
            wanted = BoardRequest(view, group, style, weak, search=search, chart=chart)
            found = self.sought(self._services.voters.visitor(request), wanted)
            if found is None:
                return [gr.skip()] * 3
            return [search, _plot(found[0]), found[1]]

        # Of what is typed while a chart is drawn only the last is drawn.
        field.change(
            search_chart,
            inputs,
            outputs,
            show_progress="hidden",
            trigger_mode="always_last",
            **events,
        )

    def _chosen(self, wanted: BoardRequest, found: BoardView, language: str) -> list[Any]:
        """The controls as they are set, with what can be chosen; last the search of the chart."""
        return [
            gr.update(choices=self.views(language, wanted.view), value=wanted.view),
            gr.update(choices=self.groups(language, wanted.group), value=wanted.group),
            style_of(wanted, language),
            wanted.weak,
            wanted.search,
            gr.update(choices=list(found.charts), value=found.charted)
            if found.charts
            else gr.skip(),
            wanted.search,
        ]


@dataclass(frozen=True, slots=True)
class _Controls:
    """What is shown of which evidence. choice: holds `columns`; it and `again` need a table."""

    view: gr.Dropdown
    group: gr.Radio
    search: gr.Textbox
    style: gr.Checkbox
    weak: gr.Checkbox
    again: gr.Button
    choice: gr.Accordion
    columns: gr.CheckboxGroup


def _draw_controls(say: Say, policy: Policy) -> _Controls:
    group = gr.Radio(
        [(say("everything"), ALL)],
        value=ALL,
        label=say("group"),
        show_label=False,
        container=False,
        elem_id="group",
        elem_classes="tabs",
    )
    with gr.Row(elem_classes="controls"):
        view = gr.Dropdown(
            [(say(v), str(v)) for v in VIEWS],
            value=str(policy.evidence),
            label=say("evidence"),
            elem_id="evidence",
            min_width=180,
        )
        search = gr.Textbox(
            label=say("find_model"),
            placeholder=say("find_model_place"),
            elem_id="search",
            min_width=140,
        )
    with gr.Row(elem_classes="controls"):
        style = gr.Checkbox(
            False, label=say("style"), info=say("style_info"), elem_id="style", min_width=260
        )
        weak = gr.Checkbox(
            False,
            label=say("weak"),
            elem_id="weak",
            min_width=260,
            visible=not policy.allow_weak_judges,  # where they count already there is no choice
        )
        again = gr.Button(
            say("refresh"), elem_id="refresh", size="sm", scale=0, min_width=90, visible=False
        )
    with gr.Accordion(say("columns"), open=False, elem_id="columns", visible=False) as choice:
        columns = gr.CheckboxGroup(
            [(say(c), c) for c in board_table.COLUMNS if c not in board_table.FIXED],
            value=list(board_table.SHOWN),
            label=say("columns"),
            show_label=False,
        )
    return _Controls(view, group, search, style, weak, again, choice, columns)


def _draw_charts(say: Say) -> tuple[gr.Column, gr.Dropdown, list[Any]]:
    """What stands under a table: all of it, the choice of a chart, and what is shown."""
    with gr.Column(visible=False) as more:
        chart = gr.Dropdown(
            [(say(f"chart_{name}"), name) for name in plots.NAMES],
            value="ratings",
            label=say("chart"),
            elem_id="chart",
        )
        hint = gr.Markdown(elem_id="chart-hint", elem_classes="hint")
        plot = gr.Plot(show_label=False, elem_id="plot", container=False)
        tasks = gr.HTML(elem_id="tasks", padding=False)
    return more, chart, [plot, hint, tasks]


def wanted_of(
    query: dict[str, str], columns: list[str], first: Evidence = Evidence.COMBINED
) -> BoardRequest:
    """What a link to the page asks for; what it does not know is passed over.

    first: the view of a link that names none.
    """
    view, by, value = (query.get(name, "") for name in ("view", "by", "value"))
    known = view in VIEWS or view.startswith(JUDGE)
    chart = query.get("chart", "")
    return BoardRequest(
        view=view if known else str(first),
        group=f"{by}={value}" if by in ("category", "language") and value else ALL,
        style=query.get("style") == "1",
        weak=query.get("weak") == "1",
        columns=tuple(columns),
        search=query.get("search", "")[:LONGEST_SEARCH],
        chart=chart if chart in plots.NAMES else "ratings",
    )


def bears_style(view: str) -> bool:
    """Whether a view can be rated with style held equal: by votes, and by judges."""
    return view in (Evidence.HUMAN, Evidence.JUDGE, PANEL) or view.startswith(JUDGE)


def style_of(wanted: BoardRequest, language: str) -> dict[str, Any]:
    """The box for style control; where it would have no effect it is shut, and says why."""
    words, has_effect = WORDS[language], bears_style(wanted.view)
    info = words["style_info" if has_effect else "style_combined"]
    update: dict[str, Any] = gr.update(
        value=wanted.style and has_effect, interactive=has_effect, info=info
    )
    return update


def _plot(chart: Any) -> dict[str, Any]:
    update: dict[str, Any] = gr.update(value=chart, visible=chart is not None)
    return update


def _updates(found: BoardView) -> list[Any]:
    table_only = gr.update(visible=found.ranked)
    return [
        found.table,
        table_only,
        table_only,
        table_only,
        _plot(found.chart),
        found.hint,
        found.tasks,
    ]
