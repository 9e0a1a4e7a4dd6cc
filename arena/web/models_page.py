"""The page of the models that are configured or have answered, and whether they answer now."""

from dataclasses import dataclass
from datetime import UTC, datetime

import gradio as gr

from arena.records import BackendKind, Decoding, Model
from arena.web.board_table import template
from arena.web.services import Services
from arena.web.vote_page import EVENT
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say, Words

HEADS = (
    ("name", ""),
    ("state", ""),
    ("backend", "wide"),
    ("weights", "wide"),
    ("family", "wide"),
    ("license", "wide"),
    ("answers", "number"),
    ("decoding", "wide"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One model as the page shows it: nothing of how it is reached."""

    name: str
    state: str
    css: str
    backend: str
    weights: str
    family: str
    license: str
    answers: int
    decoding: str


class ModelsPage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, visitor: Visitor, again: bool = False) -> str:
        """A line a model. again: ask each one anew whether it can answer."""
        words = WORDS[visitor.language]
        store = self._services.store
        known = {model.name: model for model in store.models()}
        ready = {state.model.name: state for state in self._services.live.states(again)}
        known |= {name: state.model for name, state in ready.items()}
        paused = store.withheld("model")
        lengths = store.evidence.answers()
        answers = dict(zip(lengths.model, lengths.answers, strict=True))
        rows = []
        for name, model in sorted(known.items()):
            state, css = "stored_only", ""
            if name in paused:
                state, css = "paused", "bad"
            elif name in ready:
                state, css = ("ready", "good") if ready[name].ready else ("not_ready", "bad")
            rows.append(_row(model, words[state], css, answers.get(name, 0), words))
        time = datetime.now(UTC).strftime("%H:%M:%S")
        return template("models.html").render(rows=rows, heads=HEADS, words=words, time=time)

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("models_intro"), elem_classes="lead")
        table = gr.HTML(elem_id="models", padding=False)
        with gr.Row():
            again = gr.Button(say("check"), elem_id="check", size="sm", scale=0, min_width=120)

        def show(request: gr.Request) -> str:
            return self.show(self._services.voters.visitor(request))

        def check(request: gr.Request) -> str:
            visitor = self._services.voters.visitor(request)
            return self.show(visitor, again=self._services.allowances.generate(visitor))

        root.load(show, outputs=[table], **EVENT)
        again.click(check, outputs=[table], **EVENT)


def _row(model: Model, state: str, css: str, answers: int, words: Words) -> Row:
    # A path would say where things lie on this machine.
    weights = model.weights.rstrip("/").rsplit("/", 1)[-1]
    imported = model.backend is BackendKind.IMPORTED
    shown = model.weights if not model.weights.startswith((".", "/", "~")) else weights
    return Row(
        model.name,
        state,
        css,
        str(model.backend),
        shown,
        model.family or "–",
        model.license or "–",
        answers,
        "–" if imported else _decoding(model.decoding),
    )


def _decoding(how: Decoding) -> str:
    return f"T={how.temperature:g}, top-p {how.top_p:g}, ≤ {how.max_tokens}"
