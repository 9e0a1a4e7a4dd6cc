"""The page on which people vote on stored answers."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import gradio as gr

from arena.records import Winner
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.components import (
    CHOICES,
    EVENT,
    draw_answers,
    draw_choices,
    draw_prompt,
    draw_reasons,
    draw_skip,
)
from arena.web.views.texts import answer_text, draw_guidelines, prompt_text, way_on
from arena.web.views.words import WORDS, Say, Words, sentences
from arena.web.voting import reveal
from arena.web.voting.battles import Ballot, NotShownError, ShownPair, start, vote
from arena.web.voting.casting import CastResult, admit, claim, outcome, skipped_key
from arena.web.voting.pool import NothingToShowError, Standing
from arena.web.voting.reporting import EMPTY, draw_report, on_report
from arena.web.voting.undo import draw_undo, on_undo

BATTLE = "battle"
LEAST_SETTLED = 0.05  # pairs of neighbours that the next votes are worth naming a number for


@dataclass(frozen=True, slots=True)
class VoteView:
    """What the page shows. open: whether a vote may be cast. progress: a sentence."""

    token: str
    prompt: str
    first: str = ""
    second: str = ""
    open: bool = False
    progress: str = ""


# The next pair comes with the answer to a vote and waits in the page until it is wanted, so
# that there is nothing to wait for; when it was shown is then what the browser says.
TURN_OVER = """(text, progress) => {
  const next = JSON.parse(text || "{}");
  const show = (visible) => ({__type__: "update", visible});
  const open = show(next.open === true);
  return [next.token, next.prompt, next.first, next.second, progress, open, open, open, open,
          show(false), "", [], "", null, null, "", "", {__type__: "update", open: false},
          String(Date.now())];
}"""
# Done by the browser: the server would build both controls anew for each vote.
REVEAL = """(text, progress, last) => {
  const show = (visible) => ({__type__: "update", visible});
  return [show(!text), show(!text), show(!text), show(!!text),
          text ? JSON.parse(text).progress || progress : progress, show(!!last)];
}"""
ELAPSED = (
    "(battle, why, said, since) => [battle, why, said, since ? String(Date.now() - since) : '']"
)


class VotePage:
    """Pure handlers over the services; `draw` puts them on a page."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def next_pair(self, visitor: Visitor, skipped: str = "") -> VoteView:
        """The pair that is open, else a new one; or the sentence that says why there is none.

        skipped: the token of a pair that the visitor would rather not judge.
        """
        services, words = self._services, WORDS[visitor.language]
        if visitor.voter is None:
            return VoteView("", words["no_cookie"])
        worn = services.blind.worn(visitor)
        instead_of = skipped_key(services, visitor, BATTLE, skipped)
        try:
            shown = start(
                services.store, services.pool, visitor.voter, worn=worn, instead_of=instead_of
            )
        except NothingToShowError as nothing:
            return VoteView("", way_on(words["all_seen" if nothing.seen else "nothing"], words))
        token = self._services.voters.token(BATTLE, visitor.voter, shown.battle.key)
        return VoteView(token, *texts(shown, words), True, self.progress(visitor))

    def progress(self, visitor: Visitor, anew: bool = False) -> str:
        """How far the votes have come, and how many are this visitor's. anew: up to now."""
        own = self._services.store.votes.count(voter=visitor.voter or "")
        return standing_text(self._services.pool.standing(anew), own, WORDS[visitor.language])

    def cast(
        self,
        visitor: Visitor,
        token: str,
        winner: Winner,
        reasons: tuple[str, ...] = (),
        comment: str = "",
        elapsed: str = "",
    ) -> CastResult:
        """Store the vote; the sentence that says what came of it, names included.

        elapsed: milliseconds since the pair was seen, as the browser has it; no longer than
        since it was sent.
        """

        def cast() -> str:
            claimed = claim(self._services, visitor, BATTLE, token, NotShownError)
            admit(self._services, visitor)
            seconds = claimed.seconds
            if elapsed.isdecimal():
                seconds = min(int(elapsed) / 1000, seconds)
            ballot = Ballot(winner, visitor.language, seconds, reasons, comment)
            shown = vote(self._services.store, claimed.key, claimed.voter, ballot)
            return reveal.sentence(self._services, shown, visitor, winner)

        return outcome(WORDS[visitor.language], cast)

    def choose(self, winner: Winner) -> Callable[..., list[Any]]:
        """What the click on a button does: the vote, the next pair, and what can be undone."""

        def click(
            battle: str, why: list[str], comment: str, elapsed: str, request: gr.Request
        ) -> list[Any]:
            visitor = self._services.voters.visitor(request)
            said = self.cast(visitor, battle, winner, tuple(why or ()), comment or "", elapsed)
            upcoming = json.dumps(asdict(self.next_pair(visitor))) if said.done else ""
            return [said.text, upcoming, battle if said.counted else ""]

        return click

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("intro"), elem_classes="lead")
        draw_guidelines(self._services.guidelines, say)
        token, upcoming, since, last = (
            gr.Textbox(visible="hidden", elem_id=name)
            for name in ("battle", "upcoming", "since", "last")
        )
        prompt = draw_prompt()
        with gr.Column(visible=False) as pair:
            first, second = draw_answers(say)
            with gr.Column(elem_classes="deciding"):
                result = gr.Markdown(elem_id="result", elem_classes="outcome")
                ballot, buttons = draw_choices(say)
                following = gr.Button(say("next"), elem_id="next", visible=False, variant="primary")
                undo = draw_undo(say)
            with gr.Column() as why:
                given = draw_reasons(say)
            skip = draw_skip(say)
            progress = gr.Markdown(elem_id="progress", elem_classes="hint")
            gr.Markdown(say("keys"), elem_classes=["hint", "keys"])
            form = draw_report(say, pair=True)
        shown = [token, prompt, first, second, progress, pair, ballot, why, skip]
        page = [*shown, following, result, *given, *form.fields, since]

        def show(request: gr.Request, skipped: str = "") -> list[Any]:
            view = self.next_pair(self._services.voters.visitor(request), skipped)
            values = [view.token, view.prompt, view.first, view.second, view.progress]
            return [*values, *[gr.update(visible=view.open)] * 4]

        def pass_over(request: gr.Request, skipped: str) -> list[Any]:
            unfilled: list[Any] = ["", [], "", *EMPTY, ""]
            return [*show(request, skipped), gr.update(visible=False), *unfilled]

        root.load(show, outputs=shown, **EVENT)
        following.click(None, [upcoming, progress], page, js=TURN_OVER)
        for (winner, _), button in zip(CHOICES, buttons, strict=True):
            button.click(
                self.choose(winner),
                [token, *given, since],
                [result, upcoming, last],
                js=ELAPSED,
                **EVENT,
            ).success(
                None,
                [upcoming, progress, last],
                [ballot, why, skip, following, progress, undo],
                js=REVEAL,
            )
        skip.click(pass_over, [token], page, **EVENT)
        so_far = progress, partial(self.progress, anew=True)
        undo.click(*on_undo(self._services, BATTLE, undo, last, result, so_far), **EVENT)
        form.send.click(*on_report(self._services, BATTLE, form, token), **EVENT)


def texts(shown: ShownPair, words: Words) -> tuple[str, str, str]:
    """Prompt and answers as Markdown."""
    return (
        prompt_text(shown.prompt, words),
        answer_text(shown.first, words),
        answer_text(shown.second, words),
    )


def standing_text(standing: Standing, own: int, words: Words) -> str:
    """How far the votes have come, own ones among them, and what the next ones would settle."""
    votes = max(standing.votes, own)  # those of the pool may be a moment older
    so_far = words["votes_so_far"].format(votes=votes, own=own)
    return sentences(words, so_far, _next_votes(standing, words) or _next_step(standing, words))


def _next_step(standing: Standing, words: Words) -> str:
    if standing.missing:
        return words["first_votes"].format(votes=standing.missing)
    if (step := standing.settling) is None:
        return words["settled"]
    if not standing.is_foreseen:
        return words["settle_unclear"]
    return words["settle"].format(votes=step.votes, rank=step.rank, next=step.rank + 1)


def _next_votes(standing: Standing, words: Words) -> str:
    found = standing.prospect
    if standing.missing or found is None or standing.settling is None:
        return ""
    if found.settled < LEAST_SETTLED:
        return words["next_votes_none"].format(votes=found.votes, open=found.open)
    return words["next_votes"].format(
        votes=found.votes,
        settled=f"{found.settled:.1f}",
        open=found.open,
        rank=found.rank,
        next=found.rank + 1,
        chance=f"{found.chance:.0%}",
    )
