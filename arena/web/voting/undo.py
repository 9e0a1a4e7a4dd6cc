"""A vote or a grade taken back, within a minute of it."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from arena.records import Withdrawal
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.words import WORDS, Say
from arena.web.voting.casting import CastResult, VoteRefusedError, claim, outcome

# The page offers it for a minute; what is asked then may take a moment to arrive.
UNDO_SECONDS = 65


class TooLateError(VoteRefusedError):
    """Nothing that this voter said in the last minute."""

    word = "undo_late"


class UndoneAlreadyError(VoteRefusedError):
    """It was taken back before, which is as well."""

    word = "undone"


def take_back(services: Services, visitor: Visitor, kind: str, token: str) -> CastResult:
    """Let what was cast with this token count nowhere; the sentence that says so.

    Names have been told by then, so nobody may vote on the same again.
    """
    words = WORDS[visitor.language]

    def undo() -> str:
        claimed = claim(services, visitor, kind, token, TooLateError)
        if services.store.withdrawals.count(subject=claimed.key):
            raise UndoneAlreadyError("it was taken back already")
        withdrawal = Withdrawal(claimed.key, claimed.voter)
        if not services.store.withdrawals.take_back(withdrawal, UNDO_SECONDS):
            raise TooLateError("it was not said in the last minute")
        return words["undone"]

    return outcome(words, undo)


def draw_undo(say: Say, word: str = "undo") -> gr.Button:
    """The button; `page.js` hides it when the minute is over."""
    return gr.Button(say(word), elem_id="undo", visible=False, size="sm", elem_classes="small")


# How many were cast so far, and where the page says it.
SoFar = tuple[gr.Markdown, Callable[[Visitor], str]]


def on_undo(
    services: Services,
    kind: str,
    button: gr.Button,
    last: gr.Textbox,
    result: gr.Markdown,
    so_far: SoFar | None = None,
) -> list[Any]:
    """What `gr.Button.click` takes: the handler, its inputs, and its outputs."""

    def undo(token: str, request: gr.Request) -> list[Any]:
        visitor = services.voters.visitor(request)
        said = take_back(services, visitor, kind, token)
        return [said.text, gr.update(visible=False), *([so_far[1](visitor)] if so_far else [])]

    return [undo, [last], [result, button, *([so_far[0]] if so_far else [])]]
