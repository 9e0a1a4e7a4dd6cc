"""The page on which people say how satisfied they are with one answer."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.records import REASONS
from arena.web.casting import Said, admit, claim, outcome
from arena.web.grades import SCALE, UnknownShowingError, grade, show
from arena.web.markdown import as_text
from arena.web.pool import NothingToShowError
from arena.web.reveal import rating_text
from arena.web.services import Services
from arena.web.vote_page import EVENT, prompt_text, text_box, turns_text
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say

GRADE = "grade"


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows. open: whether it may be graded."""

    token: str
    prompt: str
    answer: str = ""
    open: bool = False


class RatePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def next_answer(self, visitor: Visitor) -> View:
        """A new answer, or the sentence that says why there is none."""
        words = WORDS[visitor.language]
        if visitor.voter is None:
            return View("", words["no_cookie"])
        try:
            shown = show(self._services.store, self._services.pool, visitor.voter)
        except NothingToShowError as nothing:
            return View("", words["all_rated" if nothing.seen else "nothing_to_rate"])
        token = self._services.voters.token(GRADE, visitor.voter, shown.showing.key)
        turn = words["turn"] if len(shown.prompt.turns) > 1 else ""
        answer = turns_text(shown.answer.turns, turn)
        return View(token, prompt_text(shown.prompt, words["turn"]), answer, True)

    def cast(
        self, visitor: Visitor, token: str, value: int, parts: dict[str, int] | None = None
    ) -> Said:
        """Store the grade; the sentence that says what came of it, the name included."""
        words = WORDS[visitor.language]

        def cast() -> str:
            claimed = claim(self._services, visitor, GRADE, token, UnknownShowingError)
            admit(self._services, visitor)
            shown = grade(
                self._services.store,
                claimed.key,
                claimed.voter,
                value,
                parts=parts,
                language=visitor.language,
                seconds=claimed.seconds,
            )
            model = shown.answer.model
            rating = rating_text(self._services.boards.known_rows(), model, visitor.language)
            link = f"[{words['see_prompt']}](./browse?prompt={shown.prompt.key})"
            said = f"{words['grade_counted']} {words['model']}: **{as_text(model)}** ({rating})"
            return f"{said}\n\n{link}"

        return outcome(words, cast)

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("rate_intro"), elem_classes="lead")
        token = gr.Textbox(visible="hidden", elem_id="battle")
        prompt = text_box("prompt", ["asked"])
        with gr.Column(visible=False) as shown:
            gr.Markdown(say("answer"), elem_classes="slot")
            answer = text_box("answer")
            parts = _draw_criteria(say)
            with gr.Column(elem_classes="deciding"):
                result = gr.Markdown(elem_id="result", elem_classes="outcome")
                ballot, buttons = _draw_scale(say)
                following = gr.Button(
                    say("rate_next"), elem_id="next", visible=False, variant="primary"
                )
            gr.Markdown(say("rate_keys"), elem_classes=["hint", "keys"])
        page = [token, prompt, answer, shown, ballot, following, result, *parts]

        def start(request: gr.Request) -> list[Any]:
            view = self.next_answer(self._services.voters.visitor(request))
            is_open = gr.update(visible=view.open)
            values = [view.token, view.prompt, view.answer, is_open, is_open]
            return [*values, gr.update(visible=False), "", *(None for _ in parts)]

        gr.on([root.load, following.click], start, outputs=page, **EVENT)
        for value, button in zip(SCALE, buttons, strict=True):

            def choose(
                request: gr.Request, shown: str, *given: Any, value: int = value
            ) -> list[Any]:
                chosen = {
                    name: int(part) for name, part in zip(REASONS, given, strict=True) if part
                }
                visitor = self._services.voters.visitor(request)
                said = self.cast(visitor, shown, value, chosen)
                return [said.text, gr.update(visible=not said.done), gr.update(visible=said.done)]

            button.click(choose, [token, *parts], [result, ballot, following], **EVENT)


def _draw_criteria(say: Say) -> list[gr.Radio]:
    """A scale for each of the reasons."""
    with gr.Accordion(say("by_criterion"), open=False, elem_id="criteria"), gr.Row():
        return [
            gr.Radio(
                [str(value) for value in SCALE],
                label=say(f"reason_{reason}"),
                min_width=160,
                elem_id=f"part-{reason}",
            )
            for reason in REASONS
        ]


def _draw_scale(say: Say) -> tuple[gr.Row, list[gr.Button]]:
    """A button for each grade, in a row that is hidden until there is an answer."""
    with gr.Row(elem_classes=["ballot", "five"], visible=False) as row:
        buttons = [
            gr.Button(
                say(f"grade_{value}"),
                elem_id=f"grade-{value}",
                min_width=40,
                variant="primary" if value == SCALE[-1] else "secondary",
            )
            for value in SCALE
        ]
    return row, buttons
