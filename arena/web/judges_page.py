"""The page of judges' report cards."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from arena.audits import JudgeAudit
from arena.web import plots
from arena.web.board_table import note, template
from arena.web.services import Services
from arena.web.vote_page import EVENT
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say

# Shares that share an axis from 0 to 1, by the question that they answer.
CHARTS = {
    "agreement": (
        "agreement",
        "decided_agreement",
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
WAIT = 120.0


class JudgesPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, visitor: Visitor, chart: str, patience: float = 0.6) -> tuple[str, Any]:
        """All cards as one table, and one chart of them."""
        words = WORDS[visitor.language]
        cards = self._services.cards.get(patience)
        if cards is None:
            return note(words["computing"]), None
        if not cards:
            return note(words["no_judges"]), None
        return table(cards, visitor.language), plots.judges_chart(cards, CHARTS[chart], words)

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("judges_intro"), elem_classes="lead")
        chart = gr.Dropdown(
            [(say(f"cards_{name}"), name) for name in CHARTS],
            value="agreement",
            label=say("chart"),
            elem_id="chart",
        )
        plot = gr.Plot(show_label=False, elem_id="plot", container=False)
        cards = gr.HTML(elem_id="cards", padding=False)

        def show(chart: str, request: gr.Request) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            for patience in (0.6, WAIT):
                text, figure = self.show(visitor, chart, patience)
                yield [text, gr.update(value=figure, visible=figure is not None)]
                if self._services.cards.get(0.0) is not None:
                    return

        gr.on([root.load, chart.input], show, [chart], [cards, plot], **EVENT)


def table(cards: Sequence[JudgeAudit], language: str) -> str:
    """A row a measure, a column a judge."""
    values = {card.judge: dict(card.measures()) for card in cards}
    names = list(dict.fromkeys(name for found in values.values() for name in found))
    return template("cards.html").render(
        cards=cards, names=names, values=values, words=WORDS[language], number=number
    )


def number(name: str, value: float) -> str:
    """A measure as people read it: a share in per cent, a coefficient with two decimals."""
    if name == _DOLLARS:
        return f"${value:.4f}"
    return f"{value:.2f}" if name in _PLAIN else f"{value:.1%}"
