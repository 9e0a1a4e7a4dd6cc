"""The page on which people say how satisfied they are with one answer."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.records import REASONS
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.components import EVENT, draw_skip
from arena.web.views.markdown import as_text
from arena.web.views.texts import (
    answer_text,
    draw_guidelines,
    draw_switch,
    prompt_text,
    text_box,
    way_on,
)
from arena.web.views.words import WORDS, Say, sentences
from arena.web.voting.casting import CastResult, admit, claim, outcome, skipped_key
from arena.web.voting.grades import SCALE, Single, UnknownShowingError, grade, show
from arena.web.voting.pool import NothingToShowError
from arena.web.voting.reporting import EMPTY, draw_report, on_report
from arena.web.voting.reveal import link, rating_text
from arena.web.voting.undo import draw_undo, on_undo

GRADE = "grade"


@dataclass(frozen=True, slots=True)
class RateView:
    """What the page shows. open: whether it may be graded. progress: a sentence."""

    token: str
    prompt: str
    answer: str = ""
    open: bool = False
    progress: str = ""


class RatePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def next_answer(self, visitor: Visitor, skipped: str = "") -> RateView:
        """The answer that is open, else a new one; or the sentence that says why there is none.

        skipped: the token of an answer that the visitor would rather not judge.
        """
        services, words = self._services, WORDS[visitor.language]
        if visitor.voter is None:
            return RateView("", words["no_cookie"])
        worn = services.blind.worn(visitor)
        instead_of = skipped_key(services, visitor, GRADE, skipped)
        try:
            shown = show(
                services.store, services.pool, visitor.voter, worn=worn, instead_of=instead_of
            )
        except NothingToShowError as nothing:
            said = words["all_rated" if nothing.seen else "nothing_to_rate"]
            return RateView("", way_on(said, words))
        token = self._services.voters.token(GRADE, visitor.voter, shown.showing.key)
        prompt, answer = prompt_text(shown.prompt, words), answer_text(shown.answer, words)
        return RateView(token, prompt, answer, True, self.progress(visitor))

    def progress(self, visitor: Visitor) -> str:
        """How many ratings there are, and how many of them are this visitor's."""
        grades = self._services.store.grades
        everybodys, own = grades.count(), grades.count(voter=visitor.voter or "")
        so_far = WORDS[visitor.language]["ratings_so_far"]
        return so_far.format(ratings=everybodys, own=own)

    def cast(
        self, visitor: Visitor, token: str, value: int, parts: dict[str, int] | None = None
    ) -> CastResult:
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
            return self._reveal(shown, visitor, value)

        return outcome(words, cast)

    def _reveal(self, shown: Single, visitor: Visitor, value: int) -> str:
        """The grade, and who wrote it, unless the voter has more of this prompt to judge."""
        services, words = self._services, WORDS[visitor.language]
        if services.blind.open_to(visitor).has(shown.prompt):
            who = words["names_wait"]
        else:
            model = shown.answer.model
            rating = rating_text(services.boards.known_rows(), model, visitor.language)
            named = words["in_brackets"].format(name=f"**{as_text(model)}**", value=rating)
            who = words["named"].format(name=words["model"], value=named)
        chosen = words["you_chose"].format(choice=words[f"grade_{value}"])
        said = sentences(words, words["grade_counted"], chosen, who)
        return "\n\n".join([said, *link(services, shown.prompt, words)])

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("rate_intro"), elem_classes="lead")
        draw_guidelines(self._services.guidelines, say)
        token, last = (gr.Textbox(visible="hidden", elem_id=name) for name in ("battle", "last"))
        prompt = text_box("prompt", ["asked"])
        with gr.Column(visible=False) as shown:
            draw_switch(say)
            gr.Markdown(say("answer"), elem_classes="slot")
            answer = text_box("answer")
            criteria, parts = _draw_criteria(say)
            with gr.Column(elem_classes="deciding"):
                result = gr.Markdown(elem_id="result", elem_classes="outcome")
                ballot, buttons = _draw_scale(say)
                following = gr.Button(
                    say("rate_next"), elem_id="next", visible=False, variant="primary"
                )
                undo = draw_undo(say, "undo_rating")
            skip = draw_skip(say)
            progress = gr.Markdown(elem_id="progress", elem_classes="hint")
            gr.Markdown(say("rate_keys"), elem_classes=["hint", "keys"])
            form = draw_report(say, pair=False)
        page = [token, prompt, answer, progress, shown, ballot, criteria, skip, following, result]
        page += [*form.fields, *parts]

        def start(request: gr.Request, skipped: str = "") -> list[Any]:
            view = self.next_answer(self._services.voters.visitor(request), skipped)
            is_open = gr.update(visible=view.open)
            values = [view.token, view.prompt, view.answer, view.progress]
            empty = [*EMPTY, *(None for _ in parts)]
            return [*values, *[is_open] * 4, gr.update(visible=False), "", *empty]

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
                undone, done = (gr.update(visible=said.done is it) for it in (False, True))
                cast = shown if said.counted else ""
                so_far = self.progress(visitor) if said.counted else gr.skip()
                undo_shown = gr.update(visible=bool(cast))
                return [said.text, undone, undone, undone, done, cast, undo_shown, so_far]

            outputs = [result, ballot, criteria, skip, following, last, undo, progress]
            button.click(choose, [token, *parts], outputs, **EVENT)
        skip.click(start, [token], page, **EVENT)
        counted = progress, self.progress
        undo.click(*on_undo(self._services, GRADE, undo, last, result, counted), **EVENT)
        form.send.click(*on_report(self._services, GRADE, form, token), **EVENT)


def _draw_criteria(say: Say) -> tuple[gr.Accordion, list[gr.Radio]]:
    """A scale for each of the reasons, and what holds them."""
    with gr.Accordion(say("by_criterion"), open=False, elem_id="criteria") as criteria, gr.Row():
        return criteria, [
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
