"""The page that says whether one model is better than another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from arena.compare.facts import MovedPrompt
from arena.compare.power import CHANCE
from arena.compare.question import MARGIN, Aim, Question
from arena.compare.report import BOARD, CompareReport, said_probability
from arena.leaderboard.snapshot import Slice
from arena.web.background.cache import LONG_ENOUGH, PATIENCE
from arena.web.background.comparisons import Pairing
from arena.web.looking import OUTCOMES
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.board_table import note, template
from arena.web.views.components import KEEP_ADDRESS, PATIENT
from arena.web.views.words import WORDS, Say, Words, group_name, said

MARGINS = (1.0, MARGIN, 5.0, 10.0)
MOST_PROMPTS = 5


@dataclass(frozen=True, slots=True)
class CompareView:
    """What the page shows. done: whether nothing of it is still being computed."""

    text: str
    done: bool = True


class ComparePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def models(self) -> list[str]:
        """All that there are, the best first where there is a ranking within a moment."""
        self._services.boards.get(Slice())
        ranked = list(self._services.boards.known_rows())
        rest = {model.name for model in self._services.store.models()} - set(ranked)
        return [*ranked, *sorted(rest)]

    def wanted(self, query: Mapping[str, str]) -> Pairing:
        """What an address asks for: in place of a model that is not there, one of the best two."""
        models = self.models()
        new = query.get("new", "")
        new = new if new in models else next((m for m in models if m != query.get("old")), "")
        old = query.get("old", "")
        old = old if old in models else next((m for m in models if m != new), "")
        return Pairing(old, new, _question(query.get("aim", ""), query.get("margin", "")))

    def show(self, visitor: Visitor, wanted: Pairing, patience: float = PATIENCE) -> CompareView:
        """All that the evidence says of two models, or why it says nothing."""
        words = WORDS[visitor.language]
        if not wanted.a or not wanted.b or wanted.a == wanted.b:
            return CompareView(note(words["same_model"]))
        found = self._services.pair_reports.get(wanted, patience)
        if found is None:
            return CompareView(note(words["computing_comparison"]), done=False)
        if not isinstance(found, CompareReport):
            return CompareView(note(said(words, found)))
        text = template("compare.html").render(
            report=found,
            confidence=found.question.confidence,
            moved=[
                (words[title], self._shown(visitor, prompts))
                for title, prompts in (("moved_up", found.gained), ("moved_down", found.lost))
            ],
            words=words,
            said=partial(said, words),
            group_name=partial(group_name, words),
            probability=said_probability,
            by_board=BOARD,
            chance=f"{CHANCE:.0%}",
            link=_link,
            counts={one.kind: _counts(one.sources, words) for one in found.findings},
        )
        return CompareView(text)

    def _shown(self, visitor: Visitor, prompts: tuple[MovedPrompt, ...]) -> list[MovedPrompt]:
        """Those that are not hidden, and of which the visitor may know who answered them."""
        blind, store = self._services.blind, self._services.store
        if blind.is_closed:
            return []
        unsaid, hidden = blind.open_to(visitor), store.withheld("prompt")
        known = store.prompts.get([one.key for one in prompts])
        return [
            one
            for one in prompts
            if one.key not in hidden and not (one.key in known and unsaid.has(known[one.key]))
        ][:MOST_PROMPTS]

    def waiting(self, visitor: Visitor, wanted: Pairing) -> Iterator[str]:
        """The page; before it, where that takes a while, what is being done."""
        for patience in (PATIENCE, LONG_ENOUGH):
            view = self.show(visitor, wanted, patience)
            yield view.text
            if view.done:
                return

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("compare_intro"), elem_classes="lead")
        fields = _draw_fields(say)
        result = gr.HTML(elem_id="comparison", padding=False)
        address = gr.Textbox(visible="hidden", elem_id="address")

        def start(request: gr.Request) -> Iterator[list[Any]]:
            wanted, models = self.wanted(request.query_params), self.models()
            question = wanted.question
            chosen = [
                gr.update(choices=models, value=wanted.b or None),
                gr.update(choices=models, value=wanted.a or None),
                question.aim.value,
                gr.update(value=question.margin or MARGIN, visible=_has_margin(question)),
            ]
            for text in self.waiting(self._services.voters.visitor(request), wanted):
                yield [*chosen, text, address_of(wanted)]
                chosen = [gr.skip()] * len(chosen)

        def choose(
            new: str | None, old: str | None, aim: str, margin: float, request: gr.Request
        ) -> Iterator[list[Any]]:
            wanted = Pairing(old or "", new or "", _question(aim, str(margin)))
            visible = gr.update(visible=_has_margin(wanted.question))
            for text in self.waiting(self._services.voters.visitor(request), wanted):
                yield [visible, text, address_of(wanted)]

        root.load(start, outputs=[*fields, result, address], **PATIENT)
        gr.on(
            [field.input for field in fields],
            choose,
            fields,
            [fields[-1], result, address],
            trigger_mode="always_last",
            **PATIENT,
        ).success(None, [address], None, js=KEEP_ADDRESS)


def address_of(wanted: Pairing) -> str:
    """The query of an address; what is as usual is left out."""
    question = wanted.question
    parts = {"old": wanted.a, "new": wanted.b}
    if question.aim is not Aim.NOT_WORSE:
        parts["aim"] = question.aim.value
    if _has_margin(question) and question.margin != MARGIN:
        parts["margin"] = f"{question.margin:g}"
    return urlencode({name: value for name, value in parts.items() if value})


def _question(aim: str, margin: str) -> Question:
    """What the fields or an address ask; in place of what is not offered, the usual."""
    asked = Aim(aim) if aim in set(Aim) else Aim.NOT_WORSE
    if asked is not Aim.NOT_WORSE:
        return Question(asked, 0.0)
    known = {f"{points:g}": points for points in MARGINS}
    return Question(asked, known.get(margin.removesuffix(".0"), MARGIN))


def _link(prompt: MovedPrompt) -> str:
    """Where Browse shows a prompt, or the benchmark that an item is of."""
    if prompt.text:
        return f"./browse?{urlencode({'prompt': prompt.key})}"
    benchmark, _, item = prompt.key.partition("/")
    return f"./browse?{urlencode({'what': OUTCOMES, 'benchmark': benchmark, 'search': item})}"


def _has_margin(question: Question) -> bool:
    return question.aim is Aim.NOT_WORSE


def _draw_fields(say: Say) -> list[Any]:
    """The new model, the old one, what is asked, and by how many points it may be worse."""
    with gr.Row():
        new = gr.Dropdown([], label=say("compare_new"), elem_id="new-model", min_width=240)
        old = gr.Dropdown([], label=say("compare_old"), elem_id="old-model", min_width=240)
    with gr.Row():
        aim = gr.Dropdown(
            [(say(f"aim_{aim.name.lower()}"), aim.value) for aim in Aim],
            value=Aim.NOT_WORSE.value,
            label=say("compare_aim"),
            elem_id="aim",
            min_width=240,
        )
        margin = gr.Dropdown(
            [(f"{points:g}", points) for points in MARGINS],
            value=MARGIN,
            label=say("compare_margin"),
            elem_id="margin",
            min_width=240,
        )
    return [new, old, aim, margin]


def _counts(sources: Mapping[str, int], words: Words) -> str:
    """Whose comparisons they are, each with how many."""
    return words["between"].join(
        words["from"].format(count=f"{count:,}", source=words.get(name, name))
        for name, count in sources.items()
    )
