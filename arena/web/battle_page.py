"""The page on which two anonymous models answer live."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from arena.errors import BackendError
from arena.records import Talk, Winner
from arena.web import reveal
from arena.web.battles import Ballot, NotShownError, VotedAlreadyError, vote
from arena.web.casting import RefusedError, Said, admit, claim, outcome
from arena.web.live import TurnRefusedError
from arena.web.markdown import harmless
from arena.web.services import Services
from arena.web.vote_page import (
    CHOICES,
    EVENT,
    draw_answers,
    draw_choices,
    draw_prompt,
    draw_reasons,
    turns_text,
)
from arena.web.voters import Visitor
from arena.web.words import WORDS, Say, Words

TALK = "talk"
EXAMPLES = 12
# Battles that write at once; the others wait in the queue.
AT_ONCE = 4


class NotEndedError(RefusedError):
    """A vote before both models have answered."""

    word = "not_ended"
    done = False


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows. open: whether a vote may be cast; writing: the models are at it."""

    token: str
    prompt: str
    first: str
    second: str
    status: str
    open: bool = False
    writing: bool = False


class BattlePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def possible(self) -> bool:
        """Whether two models can answer now."""
        return len(self._services.live.ready()) >= 2

    def examples(self) -> list[tuple[str, str]]:
        """A few prompts to take, as they are shown and as they are."""
        hidden = self._services.store.withheld("prompt")
        most = self._services.settings.prompt_characters
        prompts = [
            prompt.turns[0]
            for prompt in self._services.store.prompts.where()
            if prompt.key not in hidden
            and len(prompt.turns) == 1
            and prompt.source != "live"
            and len(prompt.turns[0]) <= most
        ]
        step = max(1, len(prompts) // EXAMPLES)
        return [(_line(text), text) for text in prompts[::step][:EXAMPLES]]

    def say(self, visitor: Visitor, token: str, text: str) -> Iterator[View]:
        """Put a turn to both models; a battle begins where `token` names none."""
        words = WORDS[visitor.language]
        if visitor.voter is None:
            yield View("", "", "", "", words["no_cookie"])
            return
        if not self._services.allowances.generate(visitor):
            yield View(token, "", "", "", words["too_fast"])
            return
        live = self._services.live
        view = View(token, "", "", "", "")
        try:
            live.check(text)
            talk = self._talk(visitor.voter, token) or live.begin(visitor.voter)
            token = self._services.voters.token(TALK, visitor.voter, talk.key)
            view = self.view(talk, words, token)
            yield replace(view, status=words["waiting_model"], open=False, writing=True)
            turns = replace(talk, turns=(*talk.turns, text.strip()))
            for glimpse in live.ask(talk, text):
                yield self._growing(turns, words, token, glimpse.first, glimpse.second)
            done = live.find(talk.key, visitor.voter) or talk
            yield self.view(done, words, token)
        except TurnRefusedError as refused:
            sentence = words[refused.word].format(**refused.values)
            ended = refused.word == "blocked_turn"
            yield replace(view, token=token, status=sentence, open=view.open and not ended)
        except BackendError:
            yield replace(view, token=token, status=words["model_failed"])

    def cast(
        self,
        visitor: Visitor,
        token: str,
        winner: Winner,
        reasons: tuple[str, ...] = (),
        comment: str = "",
    ) -> Said:
        """Store the vote on a live battle; the sentence that says what came of it."""

        def cast() -> str:
            services = self._services
            claimed = claim(services, visitor, TALK, token, NotShownError)
            talk = services.live.find(claimed.key, claimed.voter)
            if services.store.votes.count(battle=claimed.key):
                raise VotedAlreadyError(claimed.key)
            if talk is None:
                raise NotShownError(claimed.key)
            if not talk.answered:
                raise NotEndedError("the models are still answering")
            admit(services, visitor)
            services.live.settle(talk)
            ballot = Ballot(winner, visitor.language, claimed.seconds, reasons, comment)
            shown = vote(services.store, claimed.key, claimed.voter, ballot, live=True)
            services.live.end(talk)
            return reveal.sentence(services, shown, visitor)

        return outcome(WORDS[visitor.language], cast)

    def view(self, talk: Talk, words: Words, token: str) -> View:
        """A battle between two turns."""
        parts = (talk.turns, talk.first, talk.second)
        prompt, first, second = (
            turns_text(part, words, several=len(talk.turns) > 1) for part in parts
        )
        return View(
            token,
            prompt,
            first,
            second,
            words["battle_done"] if talk.answered else "",
            open=talk.answered,
        )

    def _growing(self, talk: Talk, words: Words, token: str, first: str, second: str) -> View:
        grown = replace(talk, first=(*talk.first, first), second=(*talk.second, second))
        return replace(
            self.view(grown, words, token), status=words["writing"], open=False, writing=True
        )

    def _talk(self, voter: str, token: str) -> Talk | None:
        found = self._services.voters.read_token(TALK, voter, token) if token else None
        if found is None:
            return None
        talk = self._services.live.find(found[0], voter)
        if talk is None:
            raise TurnRefusedError("blocked_turn")
        return talk

    def give_up(self, visitor: Visitor, token: str) -> None:
        """Forget a battle for which somebody begins another."""
        if visitor.voter is not None:
            found = self._services.voters.read_token(TALK, visitor.voter, token)
            talk = self._services.live.find(found[0], visitor.voter) if found else None
            if talk is not None:
                self._services.live.end(talk)

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("battle_intro"), elem_classes="lead")
        with gr.Column(visible=False, elem_id="no-live") as absent:
            gr.Markdown(say("no_live"), elem_classes="note")
            gr.Button(say("to_vote"), link="./", elem_id="to-vote", variant="primary")
        with gr.Column(visible=False, elem_id="live") as live:
            parts = _draw_battle(say)

        def start(request: gr.Request) -> list[Any]:
            possible = self.possible()
            examples = self.examples() if possible else []
            return [
                gr.update(visible=not possible),
                gr.update(visible=possible),
                gr.update(choices=examples, visible=bool(examples)),
            ]

        root.load(start, outputs=[absent, live, parts.examples], **EVENT)
        parts.examples.input(lambda taken: taken or "", [parts.examples], [parts.text], **EVENT)
        self._on_turns(parts, say)
        self._on_votes(parts)

    def _on_turns(self, parts: "_Parts", say: Say) -> None:
        def ask(token: str, text: str, request: gr.Request) -> Iterator[list[Any]]:
            for view in self.say(self._services.voters.visitor(request), token, text):
                yield _updates(view, text, say)

        gr.on(
            [parts.send.click],
            ask,
            [parts.token, parts.text],
            parts.page,
            **EVENT | {"concurrency_limit": AT_ONCE, "concurrency_id": "live"},
        ).success(lambda: "", outputs=[parts.text], **EVENT)

        def begin_again(token: str, request: gr.Request) -> list[Any]:
            self.give_up(self._services.voters.visitor(request), token)
            return [*_cleared(say), "", "", [], "", None]

        parts.again.click(
            begin_again,
            [parts.token],
            [*parts.page, parts.text, parts.result, *parts.given, parts.examples],
            **EVENT,
        )

    def _on_votes(self, parts: "_Parts") -> None:
        for (winner, _), button in zip(CHOICES, parts.buttons, strict=True):

            def choose(
                battle: str,
                why: list[str],
                comment: str,
                request: gr.Request,
                winner: Winner = winner,
            ) -> list[Any]:
                visitor = self._services.voters.visitor(request)
                said = self.cast(visitor, battle, winner, tuple(why or ()), comment or "")
                return [
                    said.text,
                    gr.update(visible=not said.done),
                    gr.update(interactive=not said.done),
                ]

            button.click(
                choose,
                [parts.token, *parts.given],
                [parts.result, parts.ballot, parts.send],
                **EVENT,
            )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The page's components. page: those that follow a battle, as `_updates` fills them."""

    token: gr.Textbox
    page: list[Any]
    result: gr.Markdown
    ballot: gr.Row
    buttons: list[gr.Button]
    given: list[Any]
    text: gr.Textbox
    send: gr.Button
    again: gr.Button
    examples: gr.Dropdown


def _draw_battle(say: Say) -> _Parts:
    token = gr.Textbox(visible="hidden", elem_id="battle")
    with gr.Column(visible=False) as talk:
        prompt = draw_prompt()
        first, second = draw_answers(say)
        status = gr.Markdown(elem_id="status", elem_classes="hint")
        with gr.Column(elem_classes="deciding"):
            result = gr.Markdown(elem_id="result", elem_classes="outcome")
            ballot, buttons = draw_choices(say)
        given = [*draw_reasons(say)]
    text, send, again, examples = _draw_prompt(say)
    page = [token, talk, prompt, first, second, status, ballot, send, again]
    return _Parts(token, page, result, ballot, buttons, given, text, send, again, examples)


def _draw_prompt(say: Say) -> tuple[gr.Textbox, gr.Button, gr.Button, gr.Dropdown]:
    """Where a turn is typed or taken, sent, and another battle begun."""
    text = gr.Textbox(
        label=say("your_prompt"),
        placeholder=say("your_prompt_place"),
        lines=3,
        max_lines=12,
        elem_id="prompt-text",
    )
    with gr.Row():
        send = gr.Button(say("send"), variant="primary", elem_id="send")
        again = gr.Button(say("new_battle"), elem_id="next", visible=False)
    examples = gr.Dropdown(
        [], value=None, label=say("take_prompt"), elem_id="examples", interactive=True
    )
    return text, send, again, examples


def _updates(view: View, text: str, say: Say) -> list[Any]:
    """The parts of the page that follow a battle; text: the turn that was sent."""
    return [
        view.token,
        gr.update(visible=True),
        view.prompt or harmless(text),
        view.first,
        view.second,
        view.status,
        gr.update(visible=view.open),
        gr.update(interactive=not view.writing, value=say("more" if view.open else "send")),
        gr.update(visible=not view.writing),
    ]


def _cleared(say: Say) -> list[Any]:
    """The same parts before there is a battle."""
    hidden = gr.update(visible=False)
    return ["", hidden, *([""] * 4), hidden, gr.update(interactive=True, value=say("send")), hidden]


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:89]}…"
