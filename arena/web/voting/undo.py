"""A vote or a grade taken back, within a minute of it."""

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


def take_back(services: Services, visitor: Visitor, kind: str, token: str) -> CastResult:
    """Let what was cast with this token count nowhere; the sentence that says so.

    Names have been told by then, so nobody may vote on the same again.
    """
    words = WORDS[visitor.language]

    def undo() -> str:
        claimed = claim(services, visitor, kind, token, TooLateError)
        withdrawal = Withdrawal(claimed.key, claimed.voter)
        if not services.store.withdrawals.take_back(withdrawal, UNDO_SECONDS):
            raise TooLateError("it was not said in the last minute")
        return words["undone"]

    return outcome(words, undo)


def draw_undo(say: Say, word: str = "undo") -> gr.Button:
    """The button; `page.js` hides it when the minute is over."""
    return gr.Button(say(word), elem_id="undo", visible=False, size="sm", elem_classes="small")


def on_undo(
    services: Services, kind: str, button: gr.Button, last: gr.Textbox, result: gr.Markdown
) -> list[Any]:
    """What `gr.Button.click` takes: the handler, its inputs, and its outputs."""

    def undo(token: str, request: gr.Request) -> list[Any]:
        said = take_back(services, services.voters.visitor(request), kind, token)
        return [said.text, gr.update(visible=False)]

    return [undo, [last], [result, button]]
