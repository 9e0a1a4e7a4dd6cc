"""The page of judges' report cards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.judging.report_card.orders import LEADING
from arena.leaderboard.judge_audit import JudgeAudit
from arena.web.background.cache import LONG_ENOUGH, PATIENCE, WHOLE
from arena.web.catalogue import Catalogue
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views import judge_plots
from arena.web.views.board_table import note, template
from arena.web.views.components import EVENT
from arena.web.views.words import WORDS, Say, said

# Shares that share an axis from 0 to 1, by the question that they answer.
CHARTS = {
    "agreement": (
        "decided_agreement",
        "agreement",
        "human_agreement",
        "longest_agreement",
        "length_matched_agreement",
    ),
    "position": ("flip_rate", "first_slot_rate", "tie_rate", "unparsed_rate"),
    "bias": ("length_preference", "markdown_preference"),
    "canaries": ("canaries_won", "plain_canaries_won"),
}
_PLAIN = ("kappa", "kappa_parsed", "human_alpha", "brier", "ece")
_DOLLARS = "cost_per_verdict"


@dataclass(frozen=True, slots=True)
class JudgesView:
    """What the page shows. name: of the chart. judge: whose it is, empty where it is of all.

    hint: to read it, or why there is none. charts: those that have anything to show, as title and
    name. done: whether the cards are there, or there are none.
    """

    table: str
    name: str = ""
    chart: Any = None
    judges: tuple[str, ...] = ()
    judge: str = ""
    hint: str = ""
    charts: tuple[tuple[str, str], ...] = ()
    done: bool = True


class JudgesPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(
        self, visitor: Visitor, chart: str, judge: str = "", patience: float = PATIENCE
    ) -> JudgesView:
        """All cards as one table, and one chart of them, or of one judge by pairs of models.

        chart: its name, empty for the first that has anything to show.
        """
        words = WORDS[visitor.language]
        cards = self._services.cards.get(WHOLE, patience)
        if cards is None:
            return JudgesView(note(words["computing"]), done=False)
        if not cards:
            return JudgesView(note(words["no_judges"]))
        judges = tuple(card.judge for card in cards)
        known = self._services.catalogue.get(WHOLE, patience)
        text = table(cards, visitor.language, known)
        one = cards[judges.index(judge) if judge in judges else 0]
        found = {name: judge_plots.measures(cards, CHARTS[name], words) for name in CHARTS}
        found |= {name: draw(one, words) for name, draw in judge_plots.BY_PAIR.items()}
        charts = tuple(
            (words[f"cards_{name}"], name) for name, figure in found.items() if figure is not None
        )
        name = chart if chart in found else charts[0][1] if charts else "agreement"
        by_pair, figure = name in judge_plots.BY_PAIR, found[name]
        hint = words["no_chart"] if figure is None else words[f"{name}_hint"] if by_pair else ""
        whose = one.judge if by_pair else ""
        return JudgesView(text, name, figure, judges, whose, hint, charts)

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("judges_intro"), elem_classes="lead")
        with gr.Row(visible=False) as choice:
            chart = gr.Dropdown(
                [(say(f"cards_{name}"), name) for name in (*CHARTS, *judge_plots.BY_PAIR)],
                value=None,
                label=say("chart"),
                elem_id="chart",
                min_width=200,
            )
            judge = gr.Dropdown(
                [], label=say("judge_name"), elem_id="judge", visible=False, min_width=160
            )
        hint = gr.Markdown(elem_id="chart-hint", elem_classes="hint")
        plot = gr.Plot(show_label=False, elem_id="plot", container=False)
        cards = gr.HTML(elem_id="cards", padding=False)

        def show(chart: str | None, judge: str | None, request: gr.Request) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            for patience in (PATIENCE, LONG_ENOUGH):
                view = self.show(visitor, chart or "", judge or "", patience)
                yield _updates(view)
                if view.done:
                    return

        events = [root.load, chart.input, judge.input]
        gr.on(events, show, [chart, judge], [cards, plot, hint, choice, judge, chart], **EVENT)


def _updates(view: JudgesView) -> list[Any]:
    several = len(view.judges) > 1 and bool(view.judge)
    return [
        view.table,
        gr.update(value=view.chart, visible=view.chart is not None),
        view.hint,
        gr.update(visible=bool(view.judges)),
        gr.update(choices=list(view.judges), value=view.judge or None, visible=several),
        gr.update(choices=list(view.charts), value=view.name) if view.charts else gr.skip(),
    ]


def table(cards: Sequence[JudgeAudit], language: str, known: Catalogue | None = None) -> str:
    """A row a measure that some judge has or that is looked at first, a column a judge.

    known: which of them the ranking leaves out, and what is objected to them.
    """
    words = WORDS[language]
    judges = [card.judge for card in cards]
    objections = known.objections if known else {}
    values = {card.judge: dict(card.measures()) for card in cards}
    told = [name for card in cards for name, found in card.measures() if found.value is not None]
    every = dict.fromkeys(name for found in values.values() for name in found)
    names = [name for name in every if name in {*LEADING, *told}]
    return template("cards.html").render(
        cards=cards,
        names=names,
        values=values,
        words=words,
        number=number,
        left_out=known.left_out if known else {},
        objections={one: said(words, objections[one]) for one in judges if one in objections},
    )


def number(name: str, value: float) -> str:
    """A measure as people read it: a share in per cent, a coefficient with two decimals."""
    if name == _DOLLARS:
        return f"${value:.4f}"
    return f"{value:z.2f}" if name in _PLAIN else f"{value:z.1%}"
