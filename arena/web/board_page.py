"""The page that shows the ranking."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.evidence import groups
from arena.records import Evidence
from arena.web import board_table, plots
from arena.web.notes import translated
from arena.web.services import Services
from arena.web.sheets import GRADED, JUDGE, PANEL, Sheet, Slice
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say, Words

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


@dataclass(frozen=True, slots=True)
class BoardView:
    """What the page shows. chart: a plotly figure or None; tasks: benchmarks as a table."""

    table: str
    chart: Any = None
    no_chart: str = ""
    tasks: str = ""


class BoardPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, visitor: Visitor, wanted: Wanted, patience: float | None = None) -> BoardView:
        """The table and one chart, of the newest sheet that there is."""
        words = WORDS[visitor.language]
        boards = self._services.boards
        sheet = boards.get(wanted.slice) if patience is None else boards.get(wanted.slice, patience)
        if sheet is None:
            return BoardView(board_table.note(words["computing"]), None, "")
        if wanted.view not in sheet.boards:
            return BoardView(
                board_table.note(translated(_problem(sheet, wanted, words), visitor.language)),
                None,
                "",
            )
        table = board_table.render(
            sheet,
            wanted.view,
            visitor.language,
            columns=wanted.columns,
            search=wanted.search,
            old=boards.is_old(sheet),
        )
        chart = plots.CHARTS[wanted.chart](sheet, wanted.view, words)
        board = sheet.boards[wanted.view]
        tasks = board_table.tasks_table(board, visitor.language)
        tasks += board_table.movers_table(board, visitor.language)
        return BoardView(table, chart, "" if chart else words["no_chart"], tasks)

    def waiting(self, visitor: Visitor, wanted: Wanted) -> Iterator[BoardView]:
        """At once what there is; then, where it was nothing, the sheet when it is done."""
        yield self.show(visitor, wanted)
        if self._services.boards.get(wanted.slice, 0.0) is None:
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
                (f"{words[by]}: {group.value}", f"{by}={group.value}")
                for by in ("category", "language")
                for group in groups(self._services.store, by)
            ),
        ]

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        view, group, search, style, weak, columns = _draw_controls(say)
        board = gr.HTML(elem_id="board")
        again = gr.Button(say("refresh"), elem_id="refresh", size="sm")
        chart = gr.Dropdown(
            [(say(f"chart_{name}"), name) for name in plots.CHARTS],
            value="ratings",
            label=say("chart"),
            elem_id="chart",
        )
        no_chart = gr.Markdown(elem_id="no-chart", elem_classes="hint")
        plot = gr.Plot(show_label=False, elem_id="plot", container=False)
        tasks = gr.HTML(elem_id="tasks")
        inputs = [view, group, style, weak, columns, search, chart]
        outputs = [board, plot, no_chart, tasks]
        events: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}

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
            choices = [
                gr.update(choices=self.groups(visitor.language), value=wanted.group),
                gr.update(choices=self.views(visitor.language), value=wanted.view),
            ]
            for found in self.waiting(visitor, wanted):
                choices[1] = gr.update(choices=self.views(visitor.language), value=wanted.view)
                yield [*choices, *_updates(found)]

        root.load(start, [chart, columns], [group, view, *outputs], **events)
        gr.on(
            [view.input, group.input, style.input, weak.input, columns.input, chart.input,
             search.submit, search.blur, again.click],
            show,
            inputs,
            outputs,
            trigger_mode="always_last",
            **events,
        )  # fmt: skip


def _draw_controls(say: Say) -> tuple[Any, ...]:
    """What is shown of which evidence: view, group, search, style, weak judges, columns."""
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
    with gr.Row():
        style = gr.Checkbox(
            False, label=say("style"), info=say("style_info"), elem_id="style", min_width=220
        )
        weak = gr.Checkbox(False, label=say("weak"), elem_id="weak", min_width=220)
    with gr.Accordion(say("columns"), open=False, elem_id="columns"):
        columns = gr.CheckboxGroup(
            [(say(c), c) for c in board_table.COLUMNS if c not in board_table.FIXED],
            value=list(board_table.SHOWN),
            label=say("columns"),
            show_label=False,
        )
    return view, group, search, style, weak, columns


def wanted_of(query: dict[str, str], columns: list[str], chart: str) -> Wanted:
    """What a link to the page asks for; what it does not know is passed over."""
    view, by, value = (query.get(name, "") for name in ("view", "by", "value"))
    known = view in VIEWS or view.startswith(JUDGE)
    return Wanted(
        view=view if known else str(Evidence.COMBINED),
        group=f"{by}={value}" if by in ("category", "language") and value else ALL,
        columns=tuple(columns),
        chart=chart,
    )


def _updates(found: BoardView) -> list[Any]:
    return [
        found.table,
        gr.update(value=found.chart, visible=found.chart is not None),
        found.no_chart,
        found.tasks,
    ]


def _problem(sheet: Sheet, wanted: Wanted, words: Words) -> str:
    if wanted.style and wanted.view == Evidence.COMBINED:
        return str(words["style_combined"])
    return sheet.problems.get(wanted.view, words["no_evidence"])
