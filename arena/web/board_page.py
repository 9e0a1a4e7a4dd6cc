"""The page that shows the ranking."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from arena.evidence import groups
from arena.records import Evidence
from arena.web import board_table, no_ranking, plots
from arena.web.beside import PATIENCE
from arena.web.services import Services
from arena.web.sheets import GRADED, JUDGE, PANEL, Sheet, Slice
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say, Words, group_name

VIEWS = (
    Evidence.COMBINED,
    Evidence.HUMAN,
    Evidence.JUDGE,
    PANEL,
    GRADED,
    Evidence.OBJECTIVE,
)
ALL = "all"
LONG_ENOUGH = 120.0


@dataclass(frozen=True, slots=True)
class Wanted:
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
    """

    table: str
    ranked: bool = False
    chart: Any = None
    hint: str = ""
    tasks: str = ""


class BoardPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, visitor: Visitor, wanted: Wanted, patience: float = PATIENCE) -> BoardView:
        """The table and one chart, of the newest sheet that there is."""
        words = WORDS[visitor.language]
        boards = self._services.boards
        sheet = boards.get(wanted.slice, patience)
        if sheet is None:
            return BoardView(board_table.note(words["computing"]))
        if wanted.view not in sheet.boards:
            return BoardView(no_ranking.render(sheet, wanted.view, visitor.language))
        table = board_table.render(
            sheet,
            wanted.view,
            visitor.language,
            columns=wanted.columns,
            search=wanted.search,
            old=boards.is_old(sheet),
        )
        chart, hint = self._chart(sheet, wanted, words, patience)
        board = sheet.boards[wanted.view]
        tasks = board_table.tasks_table(board, visitor.language)
        tasks += board_table.movers_table(board, visitor.language)
        return BoardView(table, True, chart, hint, tasks)

    def _chart(
        self, sheet: Sheet, wanted: Wanted, words: Words, patience: float
    ) -> tuple[Any, str]:
        """The chart and what is to be known of it."""
        charted: Sheet | None = sheet
        if wanted.charted != wanted.slice:
            charted = self._services.boards.get(wanted.charted, patience)
        if charted is None:
            return None, words["computing_chart"]
        chart = plots.CHARTS[wanted.chart](charted, wanted.view, words)
        return chart, words.get(f"hint_{wanted.chart}", "") if chart else words["no_chart"]

    def waiting(self, visitor: Visitor, wanted: Wanted) -> Iterator[BoardView]:
        """At once what there is; then, where it was nothing, the sheet when it is done."""
        yield self.show(visitor, wanted)
        if any(self._services.boards.get(s, 0.0) is None for s in (wanted.slice, wanted.charted)):
            yield self.show(visitor, wanted, LONG_ENOUGH)

    def views(self, language: str) -> list[tuple[str, str]]:
        """The kinds of evidence and each judge, as name and value."""
        words = WORDS[language]
        sheet = self._services.boards.get(Slice(), 0.0)
        judges = sheet.judges if sheet else ()
        return [
            *((words[view], str(view)) for view in VIEWS),
            *((f"{words['judge_name']}: {judge}", JUDGE + judge) for judge in judges),
        ]

    def groups(self, language: str) -> list[tuple[str, str]]:
        """Categories and languages, as name and value."""
        words = WORDS[language]
        return [
            (words["everything"], ALL),
            *(
                (f"{words[by]}: {group_name(words, by, group.value)}", f"{by}={group.value}")
                for by in ("category", "language")
                for group in groups(self._services.store, by)
            ),
        ]

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        controls = _draw_controls(say)
        board = gr.HTML(elem_id="board", padding=False)
        more, chart, shown = _draw_charts(say)
        outputs = [board, controls.again, controls.choice, more, *shown]
        inputs = [
            controls.view, controls.group, controls.style, controls.weak, controls.columns,
            controls.search, chart,
        ]  # fmt: skip

        def show(
            view: str,
            group: str,
            style: bool,
            weak: bool,
            columns: list[str],
            search: str,
            chart: str,
            request: gr.Request,
        ) -> Iterator[list[Any]]:
            wanted = Wanted(view, group, style, weak, tuple(columns), search, chart)
            for found in self.waiting(self._services.voters.visitor(request), wanted):
                yield _updates(found)

        def start(chart: str, columns: list[str], request: gr.Request) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            wanted = wanted_of(dict(request.query_params), columns, chart)
            for found in self.waiting(visitor, wanted):
                yield [*self._chosen(wanted, visitor.language), *_updates(found)]

        events: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
        chosen = [controls.group, controls.view, controls.weak]
        root.load(start, [chart, controls.columns], [*chosen, *outputs], **events)
        fields = (controls.view, controls.group, controls.style, controls.weak, controls.columns)
        gr.on(
            [*(field.input for field in fields), chart.input,
             controls.search.submit, controls.search.blur, controls.again.click],
            show,
            inputs,
            outputs,
            trigger_mode="always_last",
            **events,
        )  # fmt: skip

    def _chosen(self, wanted: Wanted, language: str) -> list[Any]:
        """The controls as a link to the page sets them: group, view, weak judges."""
        return [
            gr.update(choices=self.groups(language), value=wanted.group),
            gr.update(choices=self.views(language), value=wanted.view),
            wanted.weak,
        ]


@dataclass(frozen=True, slots=True)
class _Controls:
    """What is shown of which evidence. choice: holds `columns`; it and `again` need a table."""

    view: gr.Dropdown
    group: gr.Dropdown
    search: gr.Textbox
    style: gr.Checkbox
    weak: gr.Checkbox
    again: gr.Button
    choice: gr.Accordion
    columns: gr.CheckboxGroup


def _draw_controls(say: Say) -> _Controls:
    with gr.Row(elem_classes="controls"):
        view = gr.Dropdown(
            [(say(v), str(v)) for v in VIEWS],
            value=str(Evidence.COMBINED),
            label=say("evidence"),
            elem_id="evidence",
            min_width=180,
        )
        group = gr.Dropdown(
            [(say("everything"), ALL)],
            value=ALL,
            label=say("group"),
            elem_id="group",
            min_width=160,
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
        weak = gr.Checkbox(False, label=say("weak"), elem_id="weak", min_width=260)
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
            [(say(f"chart_{name}"), name) for name in plots.CHARTS],
            value="ratings",
            label=say("chart"),
            elem_id="chart",
        )
        hint = gr.Markdown(elem_id="chart-hint", elem_classes="hint")
        plot = gr.Plot(show_label=False, elem_id="plot", container=False)
        tasks = gr.HTML(elem_id="tasks", padding=False)
    return more, chart, [plot, hint, tasks]


def wanted_of(query: dict[str, str], columns: list[str], chart: str) -> Wanted:
    """What a link to the page asks for; what it does not know is passed over."""
    view, by, value = (query.get(name, "") for name in ("view", "by", "value"))
    known = view in VIEWS or view.startswith(JUDGE)
    return Wanted(
        view=view if known else str(Evidence.COMBINED),
        group=f"{by}={value}" if by in ("category", "language") and value else ALL,
        weak=query.get("weak") == "1",
        columns=tuple(columns),
        chart=chart,
    )


def _updates(found: BoardView) -> list[Any]:
    table_only = gr.update(visible=found.ranked)
    return [
        found.table,
        table_only,
        table_only,
        table_only,
        gr.update(value=found.chart, visible=found.chart is not None),
        found.hint,
        found.tasks,
    ]
