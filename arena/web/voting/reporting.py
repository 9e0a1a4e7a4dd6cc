"""An answer that is broken or harmful, reported to whoever runs the arena."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.records import Battle, Complaint, Report, Showing
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.words import WORDS, Say
from arena.web.voting.battles import MOST_COMMENT
from arena.web.voting.casting import CastResult, VoteRefusedError, admit, claim, outcome

SIDES = ("a", "b")
# What is in the form before anything is: side, reason, comment, what was said of it; and shut.
EMPTY: tuple[Any, ...] = (None, None, "", "", gr.update(open=False))


class NothingReportedError(VoteRefusedError):
    """No answer or no reason was chosen, or there is no stored answer yet."""

    word = "report_what"
    done = False


class ReportedAlreadyError(VoteRefusedError):
    """A second report of one answer by one person."""

    word = "reported_already"


def report(
    services: Services,
    visitor: Visitor,
    kind: str,
    token: str,
    side: str | None,
    reason: str | None,
    comment: str = "",
) -> CastResult:
    """Store a report of one answer that this visitor was shown.

    side: `a` or `b` of a pair; without meaning where one answer was shown. reason: a `Complaint`.
    """
    words = WORDS[visitor.language]

    def cast() -> str:
        claimed = claim(services, visitor, kind, token, NothingReportedError)
        shown = _shown(services, claimed.key)
        if shown is None or shown.voter != claimed.voter or reason not in list(Complaint):
            raise NothingReportedError("choose an answer that was shown, and a reason")
        answer = _answer(shown, side)
        admit(services, visitor)
        said = comment.strip()[:MOST_COMMENT]
        row = Report(shown.prompt_key, answer, claimed.voter, Complaint(reason), said)
        if not services.store.reports.add([row]):
            raise ReportedAlreadyError("the first report stays")
        return words["reported"]

    return outcome(words, cast)


def _shown(services: Services, key: str) -> Battle | Showing | None:
    battle = services.store.battles.get([key]).get(key)
    return battle or services.store.showings.get([key]).get(key)


def _answer(shown: Battle | Showing, side: str | None) -> str:
    if isinstance(shown, Showing):
        return shown.answer
    if side not in SIDES:
        raise NothingReportedError("choose an answer")
    return shown.first if side == "a" else shown.second


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The form's components.

    fields: what is filled in, and as the last the form itself, which is shut and `EMPTY` again
    with each new pair.
    """

    fields: list[Any]
    said: gr.Markdown
    send: gr.Button


def draw_report(say: Say, *, pair: bool) -> ReportForm:
    """A form that is closed until somebody wants it. pair: it asks which of two answers."""
    with gr.Accordion(say("report"), open=False, elem_id="report-answer") as whole:
        gr.Markdown(say("report_info"), elem_classes="hint")
        side = gr.Radio(
            [(say(f"answer_{name}"), name) for name in SIDES],
            label=say("report_which"),
            visible=pair,
            elem_id="report-side",
        )
        reason = gr.Radio(
            [(say(f"complaint_{name}"), str(name)) for name in Complaint],
            label=say("report_reason"),
            elem_id="report-reason",
        )
        comment = gr.Textbox(label=say("comment"), elem_id="report-comment")
        send = gr.Button(say("report_send"), size="sm", elem_id="report-send")
        said = gr.Markdown(elem_id="report-said")
    return ReportForm([side, reason, comment, said, whole], said, send)


def on_report(services: Services, kind: str, form: ReportForm, token: gr.Textbox) -> list[Any]:
    """What `gr.Button.click` takes: the handler, its inputs, and its outputs."""

    def send(
        token: str, side: str | None, reason: str | None, comment: str, request: gr.Request
    ) -> str:
        visitor = services.voters.visitor(request)
        return report(services, visitor, kind, token, side, reason, comment or "").text

    return [send, [token, *form.fields[:3]], [form.said]]
