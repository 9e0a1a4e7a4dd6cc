"""The page on which two anonymous models answer live."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from arena.records import LIVE, Talk, Winner
from arena.records.errors import BackendError
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.components import CHOICES, EVENT, PATIENT
from arena.web.views.texts import draw_guidelines, turns_text, writing_status
from arena.web.views.words import WORDS, Say, Words, sentences
from arena.web.voting import reveal
from arena.web.voting.battles import Ballot, NotShownError, VotedAlreadyError, vote
from arena.web.voting.casting import CastResult, VoteRefusedError, admit, claim, outcome
from arena.web.voting.controls import BattleView, Parts, draw_battle, stages_of, updates
from arena.web.voting.live import UNSEEN, Glimpse, StoppedError, TurnRefusedError, shorter
from arena.web.voting.reporting import on_report
from arena.web.voting.undo import on_undo

TALK = "talk"
EXAMPLES = 12
# Seconds between two looks at whether the models have ended.
LOOK = 0.3
# Battles that write at once; the others wait in the queue.
AT_ONCE = 4


class NotEndedError(VoteRefusedError):
    """A vote before both models have answered."""

    word = "not_ended"
    done = False


class BattlePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def possible(self) -> bool:
        """Whether two models can answer now."""
        return len(self._services.live.ready()) >= 2

    def opening(self) -> Iterator[bool | None]:
        """Whether two models can answer now; before it, where they have to be asked first, None."""
        if self._services.live.known() is None:
            yield None
        yield self.possible()

    def examples(self) -> list[tuple[str, str]]:
        """A few prompts to take, as they are shown and as they are."""
        hidden = self._services.store.withheld("prompt")
        most = self._services.settings.prompt_characters
        prompts = [
            prompt.turns[0]
            for prompt in self._services.store.prompts.where()
            if prompt.key not in hidden
            and len(prompt.turns) == 1
            and prompt.source != LIVE
            and len(prompt.turns[0]) <= most
        ]
        step = max(1, len(prompts) // EXAMPLES)
        return [(_line(text), text) for text in prompts[::step][:EXAMPLES]]

    def say(self, visitor: Visitor, token: str, text: str) -> Iterator[BattleView]:
        """Put a turn to both models; a battle begins where `token` names none."""
        live = self._services.live

        def ask(talk: Talk | None) -> tuple[Talk, Talk, Iterator[Glimpse]]:
            live.check(text)
            talk = talk or live.begin(str(visitor.voter))
            return talk, replace(talk, turns=(*talk.turns, text.strip())), live.ask(talk, text)

        yield from self._write(visitor, token, text, ask)

    def again(self, visitor: Visitor, token: str) -> Iterator[BattleView]:
        """Put the last turn to both models once more."""

        def ask(talk: Talk | None) -> tuple[Talk, Talk, Iterator[Glimpse]]:
            if talk is None:
                raise TurnRefusedError("blocked_turn")
            glimpses = self._services.live.ask_again(talk)
            return talk, replace(shorter(talk), turns=talk.turns), glimpses

        yield from self._write(visitor, token, None, ask)

    def resume(self, visitor: Visitor) -> Iterator[BattleView]:
        """The battle that is under way, for a page that was opened anew; nothing if there is none.

        It says so: it may be open in another tab as well. While the models are still writing, it
        waits for them. A turn that was left unanswered comes back as a draft.
        """
        live, words = self._services.live, WORDS[visitor.language]
        talk = live.latest(visitor.voter) if visitor.voter else None
        if visitor.voter is None or talk is None:
            return
        token = self._services.voters.token(TALK, visitor.voter, talk.key)
        if live.is_writing(talk.key):
            yield _again(self._growing(talk, words, token), words)
        while live.is_writing(talk.key):
            time.sleep(LOOK)
        found, draft = live.take_up(talk.key, visitor.voter)
        if found is not None and found.turns != talk.turns:
            draft = talk.turns[-1]
        if found is None or not found.turns:  # nothing is under way but a question
            yield BattleView(status=words["battle_draft"] if draft else "", draft=draft or None)
        else:
            yield replace(_again(self.view(found, words, token), words), draft=draft or None)

    def stop(self, visitor: Visitor, token: str) -> None:
        """Let both models stop writing."""
        found = self._found(visitor, token)
        if found is not None:
            self._services.live.stop(*found)

    def _write(
        self,
        visitor: Visitor,
        token: str,
        draft: str | None,
        ask: Callable[[Talk | None], tuple[Talk, Talk, Iterator[Glimpse]]],
    ) -> Iterator[BattleView]:
        """The battle while both write. ask: the battle as it is, as it is while they write, and
        how they do it. Whatever goes wrong, `draft` is not lost, nor is what was said before.
        """
        words, view = WORDS[visitor.language], BattleView(token)
        try:
            if visitor.voter is None:
                raise TurnRefusedError("no_cookie")
            talk = self._talk(visitor.voter, token)
            view = self.view(talk, words, token) if talk else view
            if not self._services.allowances.generate(visitor):
                raise TurnRefusedError("too_fast")
            if talk is None and self._services.live.known() is None:
                yield replace(view, status=words["asking_models"], writing=True)
            talk, asked, glimpses = ask(talk)
            token = self._services.voters.token(TALK, visitor.voter, talk.key)
            view = self.view(talk, words, token)
            growing = self._growing(asked, words, token)
            yield replace(growing, status=words["waiting_model"], draft=draft and "")
            for glimpse in glimpses:
                yield self._growing(asked, words, token, glimpse)
            done = self._services.live.find(talk.key, visitor.voter) or talk
            yield self.view(done, words, token)
        except TurnRefusedError as refused:
            sentence = words[refused.word].format(**refused.values)
            over = refused.word == "blocked_turn"
            open_ = view.open and not over
            yield replace(view, status=sentence, open=open_, over=over, draft=draft)
        except StoppedError:
            yield replace(view, status=words["stopped"], draft=draft)
        except BackendError:
            yield self._failed(visitor, view, draft)

    def _failed(self, visitor: Visitor, view: BattleView, draft: str | None) -> BattleView:
        """A battle in which a model failed; of its first turn nothing is left, its pair neither."""
        words = WORDS[visitor.language]
        if view.open:
            return replace(view, status=words["model_failed"], draft=draft)
        self.give_up(visitor, view.token)
        return BattleView(status=words["pair_failed"], draft=draft)

    def cast(
        self,
        visitor: Visitor,
        token: str,
        winner: Winner,
        reasons: tuple[str, ...] = (),
        comment: str = "",
    ) -> CastResult:
        """Store the vote on a live battle; the sentence that says what came of it."""

        def cast() -> str:
            services = self._services
            claimed = claim(services, visitor, TALK, token, NotShownError)
            talk, _ = services.live.take_up(claimed.key, claimed.voter)
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
            return reveal.sentence(services, shown, visitor, winner)

        return outcome(WORDS[visitor.language], cast)

    def view(self, talk: Talk, words: Words, token: str) -> BattleView:
        """A battle between two turns."""
        parts = (talk.turns, ()), (talk.first, talk.first_finish), (talk.second, talk.second_finish)
        prompt, first, second = (
            turns_text(said, words, several=len(talk.turns) > 1, finish=finish)
            for said, finish in parts
        )
        full = len(talk.turns) >= self._services.settings.turns
        status = words["battle_full" if full else "battle_done"] if talk.answered else ""
        return BattleView(token, prompt, first, second, status, open=talk.answered, full=full)

    def _growing(self, talk: Talk, words: Words, token: str, seen: Glimpse = UNSEEN) -> BattleView:
        grown = replace(talk, first=(*talk.first, seen.first), second=(*talk.second, seen.second))
        status = writing_status(words, seen.thinking)
        return replace(self.view(grown, words, token), status=status, open=False, writing=True)

    def _found(self, visitor: Visitor, token: str) -> tuple[str, str] | None:
        """The key of a visitor's battle, and the voter."""
        if visitor.voter is None:
            return None
        found = self._services.voters.read_token(TALK, visitor.voter, token)
        return (found[0], visitor.voter) if found else None

    def _talk(self, voter: str, token: str) -> Talk | None:
        found = self._services.voters.read_token(TALK, voter, token) if token else None
        if found is None:
            return None
        talk, _ = self._services.live.take_up(found[0], voter)
        if talk is None:
            raise TurnRefusedError("blocked_turn")
        return talk

    def give_up(self, visitor: Visitor, token: str) -> None:
        """Forget a battle for which somebody begins another."""
        found = self._found(visitor, token)
        talk = self._services.live.find(*found) if found else None
        if talk is not None:
            self._services.live.end(talk)

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("battle_intro"), elem_classes="lead")
        asking = gr.Markdown(
            say("asking_models"), elem_id="asking", elem_classes="hint", visible=False
        )
        token = gr.Textbox(visible="hidden", elem_id="battle")
        with gr.Column(visible=False, elem_id="no-live") as absent:
            gr.Markdown(say("no_live"), elem_classes="note")
            gr.Button(say("to_vote"), link="./", elem_id="to-vote", variant="primary")
        with gr.Column(visible=False, elem_id="live") as live:
            if not self._services.blind.is_closed:
                gr.Markdown(say("battle_public"), elem_classes="hint")
            draw_guidelines(self._services.guidelines, say)
            parts = draw_battle(say, token)

        def start(request: gr.Request) -> Iterator[list[Any]]:
            for possible in self.opening():
                examples = self.examples() if possible else []
                yield [
                    *[gr.update(visible=possible is it) for it in (None, False, True)],
                    gr.update(choices=examples, visible=bool(examples)),
                ]

        root.load(start, outputs=[asking, absent, live, parts.examples], **PATIENT)
        self._on_return(root, parts, say)
        parts.examples.input(lambda taken: taken or "", [parts.examples], [parts.text], **EVENT)
        self._on_turns(parts, say)
        self._on_votes(parts, say)

    def _on_return(self, root: gr.Blocks, parts: Parts, say: Say) -> None:
        """Whoever opens the page again finds the battle that is under way."""

        def resume(request: gr.Request) -> Iterator[list[Any]]:
            views = self.resume(self._services.voters.visitor(request))
            if (first := next(views, None)) is None:
                yield [gr.skip()] * len(parts.page)
                return
            yield updates(first, say)
            for view in views:
                yield updates(view, say)

        root.load(resume, outputs=parts.page, **PATIENT)

    def _on_turns(self, parts: Parts, say: Say) -> None:
        writing = EVENT | {"concurrency_limit": AT_ONCE, "concurrency_id": "live"}

        def ask(token: str, text: str, request: gr.Request) -> Iterator[list[Any]]:
            for view in self.say(self._services.voters.visitor(request), token, text):
                yield updates(view, say)

        def again(token: str, request: gr.Request) -> Iterator[list[Any]]:
            for view in self.again(self._services.voters.visitor(request), token):
                yield updates(view, say)

        def stop(token: str, request: gr.Request) -> None:
            self.stop(self._services.voters.visitor(request), token)

        def begin_again(token: str, request: gr.Request) -> list[Any]:
            self.give_up(self._services.voters.visitor(request), token)
            return [
                *updates(BattleView(), say),
                "",
                gr.update(visible=False),
                *parts.unfilled,
            ]

        parts.send.click(ask, [parts.token, parts.text], parts.page, **writing)
        parts.again.click(again, [parts.token], parts.page, **writing)
        parts.stop.click(stop, [parts.token], **EVENT)
        cleared = [*parts.page, parts.result, parts.undo, *parts.fields]
        parts.following.click(begin_again, [parts.token], cleared, **EVENT)

    def _on_votes(self, parts: Parts, say: Say) -> None:
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
                undo = gr.update(visible=said.counted)
                if not said.done:
                    return [said.text, undo, *[gr.skip()] * len(parts.stages), gr.skip()]
                over = BattleView(battle, over=True)
                status = WORDS[visitor.language]["battle_voted"]
                return [said.text, undo, *stages_of(over, say), status]

            outputs = [parts.result, parts.undo, *parts.stages, parts.status]
            button.click(choose, [parts.token, *parts.fields[:2]], outputs, **EVENT)
        services = self._services
        parts.undo.click(*on_undo(services, TALK, parts.undo, parts.token, parts.result), **EVENT)
        parts.form.send.click(*on_report(services, TALK, parts.form, parts.token), **EVENT)


def _again(view: BattleView, words: Words) -> BattleView:
    """A battle that was begun before the page was opened, and says so."""
    return replace(view, status=sentences(words, words["battle_again"], view.status))


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:89]}…"
