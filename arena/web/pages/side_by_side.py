"""The page on which two named models are read beside each other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from arena.records.errors import BackendError
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.components import EVENT, PATIENT
from arena.web.views.markdown import as_text
from arena.web.views.texts import (
    answer_text,
    draw_switch,
    prompt_text,
    text_box,
    turns_text,
    writing_status,
)
from arena.web.views.words import WORDS, Say
from arena.web.voting.live import StoppedError, TurnRefusedError

MOST = 200
LINE = 90


@dataclass(frozen=True, slots=True)
class SideBySideView:
    """What the page shows. writing: both models are at it."""

    prompt: str = ""
    first: str = ""
    second: str = ""
    status: str = ""
    writing: bool = False


class SideBySidePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def models(self, ask: bool = True) -> list[str]:
        """Models with stored answers, and those that answer live.

        ask: whether they are asked, which may take a while, where that was not done lately.
        """
        live = self._services.live
        ready = live.ready() if ask or live.known() is not None else {}
        return sorted({*self._services.pool.models(), *ready})

    def chosen(self, models: list[str], first: str, second: str) -> list[str]:
        """The models that a link names; in place of one that is not known, one that is."""
        usual = [*self._services.pool.models(), *models, "", ""]
        return [name if name in models else usual[k] for k, name in enumerate((first, second))]

    def prompts(
        self, visitor: Visitor, first: str | None, second: str | None
    ) -> list[tuple[str, str]]:
        """The prompts that both have answered, as a line and its key; none that is open to vote."""
        blind = self._services.blind
        if not first or not second or first == second or blind.is_closed:
            return []
        keys = self._services.pool.shared(first, second)[:MOST]
        found, unsaid = self._services.store.prompts.get(keys), blind.open_to(visitor)
        return [(_line(found[key].turns[0]), key) for key in keys if not unsaid.has(found[key])]

    def stored(self, visitor: Visitor, first: str, second: str, prompt: str) -> SideBySideView:
        """What both have said to a stored prompt."""
        words = WORDS[visitor.language]
        store, pool = self._services.store, self._services.pool
        keys = [pool.answer_of(first, prompt), pool.answer_of(second, prompt)]
        found = store.prompts.get([prompt]).get(prompt)
        if found is not None and (why := self._services.blind.why_not(visitor, found)):
            return SideBySideView(status=words[why])
        if found is None or None in keys:
            closed = self._services.blind.is_closed
            return SideBySideView(status=words["browse_closed" if closed else "no_shared"])
        self._services.blind.learned(visitor, prompt)
        answers = store.answers.get([key for key in keys if key])
        first_text, second_text = (answer_text(answers[str(key)], words) for key in keys)
        return SideBySideView(prompt_text(found, words), first_text, second_text)

    def ask(self, visitor: Visitor, first: str, second: str, text: str) -> Iterator[SideBySideView]:
        """Both answers to a new prompt, as they are written; nothing is kept."""
        words = WORDS[visitor.language]
        if self._services.live.known() is None:
            yield SideBySideView(status=words["asking_models"], writing=True)
        ready = self._services.live.ready()
        missing = next((name for name in (first, second) if name not in ready), None)
        if not first or first == second:
            yield SideBySideView(status=words["same_model"])
        elif missing is not None:
            yield SideBySideView(status=words["live_unready"].format(model=as_text(missing or "")))
        elif visitor.voter is None:
            yield SideBySideView(status=words["no_cookie"])
        elif self._services.blind.open_to(visitor).echoes(text):
            yield SideBySideView(status=words["still_open_live"])
        elif not self._services.allowances.generate(visitor):
            yield SideBySideView(status=words["too_fast"])
        else:
            yield from self._write(visitor, [ready[first], ready[second]], text)

    def stop(self, visitor: Visitor) -> None:
        """Let both models stop writing."""
        self._services.live.stop_side_by_side(visitor.voter or "")

    def _write(self, visitor: Visitor, models: Any, text: str) -> Iterator[SideBySideView]:
        words, view = WORDS[visitor.language], SideBySideView()
        live, voter = self._services.live, str(visitor.voter)
        try:
            asked = live.check(text)
            prompt = turns_text([asked], words, several=False)
            view = SideBySideView(prompt, status=words["waiting_model"], writing=True)
            yield view
            for glimpse, whole in live.side_by_side(models, asked, voter):
                status = "" if glimpse.done else writing_status(words, glimpse.thinking)
                ends = [reply.finish for reply in whole] if whole else [(), ()]
                first, second = (
                    turns_text([part], words, several=False, finish=finish)
                    for part, finish in zip((glimpse.first, glimpse.second), ends, strict=True)
                )
                view = SideBySideView(prompt, first, second, status, writing=not glimpse.done)
                yield view
        except StoppedError:
            yield replace(view, status=words["side_stopped"], writing=False)
        except TurnRefusedError as refused:
            yield SideBySideView(status=words[refused.word].format(**refused.values))
        except BackendError:
            yield SideBySideView(
                turns_text([text], words, several=False), status=words["side_failed"]
            )

    def _opening(self, request: gr.Request, pair: Callable[..., list[Any]]) -> Iterator[list[Any]]:
        """The page at once, and once more where models that answer live join the others.

        pair: fills what follows the two models.
        """
        query, models = request.query_params, self.models(ask=False)
        wanted = query.get("first", ""), query.get("second", "")
        chosen = self.chosen(models, *wanted)
        yield [
            *(gr.update(choices=models, value=name or None) for name in chosen),
            *pair(chosen[0], chosen[1], query.get("prompt"), request),
        ]
        if (every := self.models()) == models:
            return
        now = self.chosen(every, *wanted)
        # What somebody may have chosen meanwhile stays.
        values: list[dict[str, Any]] = [
            {} if a == b else {"value": b} for a, b in zip(chosen, now, strict=True)
        ]
        rest = pair(now[0], now[1], query.get("prompt"), request)
        yield [
            *(gr.update(choices=every, **value) for value in values),
            *(rest if now != chosen else [gr.skip()] * len(rest)),
        ]

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("side_intro"), elem_classes="lead")
        with gr.Row():
            first = gr.Dropdown([], label=say("model_1"), elem_id="model-1", min_width=260)
            second = gr.Dropdown([], label=say("model_2"), elem_id="model-2", min_width=260)
        taken = gr.Dropdown([], label=say("stored_prompt"), elem_id="stored")
        status = gr.Markdown(elem_id="status", elem_classes="hint")
        shown = _draw_sides(say)
        with gr.Accordion(say("ask_live"), open=False, elem_id="ask-live"):
            text = gr.Textbox(
                label=say("your_prompt"), lines=3, max_lines=12, elem_id="prompt-text"
            )
            send = gr.Button(say("ask_live"), variant="primary", elem_id="send")
            stop = gr.Button(say("stop"), elem_id="stop", visible=False)
        outputs = [*shown, status, send, stop]

        def stored(first: str, second: str, key: str | None, request: gr.Request) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            return _filled(self.stored(visitor, first, second, key or ""), first, second)

        def pair(first: str, second: str, key: str | None, request: gr.Request) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            prompts = self.prompts(visitor, first, second)
            known = {value for _, value in prompts}
            kept = key if key in known else next((value for _, value in prompts), None)
            choice = gr.update(choices=prompts, value=kept, visible=bool(prompts))
            return [choice, *stored(first, second, kept, request)]

        def start(request: gr.Request) -> Iterator[list[Any]]:
            yield from self._opening(request, pair)

        def ask(first: str, second: str, text: str, request: gr.Request) -> Iterator[list[Any]]:
            visitor = self._services.voters.visitor(request)
            for view in self.ask(visitor, first, second, text):
                yield _filled(view, first, second)

        def halt(request: gr.Request) -> None:
            self.stop(self._services.voters.visitor(request))

        root.load(start, outputs=[first, second, taken, *outputs], **PATIENT)
        gr.on([first.input, second.input], pair, [first, second, taken], [taken, *outputs], **EVENT)
        taken.input(stored, [first, second, taken], outputs, **EVENT)
        live = EVENT | {"concurrency_limit": 4, "concurrency_id": "live"}
        send.click(ask, [first, second, text], outputs, **live)
        stop.click(halt, **EVENT)


def _draw_sides(say: Say) -> list[Any]:
    """What holds them; the prompt; and of each side its name and its text."""
    with gr.Column(visible=False) as both:
        texts: list[Any] = [text_box("prompt", ["asked"])]
        draw_switch(say)
        with gr.Row(elem_classes="sides", equal_height=True):
            for k in (1, 2):
                with gr.Column(min_width=240):
                    texts += [gr.Markdown(elem_classes="slot"), text_box(f"side-{k}")]
    return [both, *texts]


def _filled(view: SideBySideView, first: str, second: str) -> list[Any]:
    """A view in the parts of the page, which are hidden where there is nothing to read."""
    names = as_text(first or ""), as_text(second or "")
    texts = [view.prompt, names[0], view.first, names[1], view.second]
    buttons = [gr.update(visible=on) for on in (not view.writing, view.writing)]
    return [gr.update(visible=bool(view.prompt)), *texts, view.status, *buttons]


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE else f"{line[: LINE - 1]}…"
