"""The page on which people vote."""

import random
import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.errors import ArenaError, InputError
from arena.records import Prompt, Winner
from arena.store import Store
from arena.web.battles import NothingToVoteOnError, Shown, start, vote
from arena.web.voters import COOKIE, Voters
from arena.web.words import WORDS, Say, language_of

CHOICES = (
    (Winner.MODEL_A, "a_better"),
    (Winner.TIE, "tie"),
    (Winner.BOTH_BAD, "both_bad"),
    (Winner.MODEL_B, "b_better"),
)


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows. open: whether a vote may be cast."""

    token: str
    prompt: str
    first: str
    second: str
    open: bool


class VotePage:
    """Pure handlers over a store; `draw` puts them on a page."""

    def __init__(self, store: Store, voters: Voters, dice: random.Random | None = None) -> None:
        self._store = store
        self._voters = voters
        self._dice = dice or random.SystemRandom()

    def next_pair(self, cookie: str | None, language: str) -> View:
        """A new pair, or the sentence that says why there is none."""
        words = WORDS[language]
        voter = self._voters.identify(cookie)
        if voter is None:
            return View("", words["no_cookie"], "", "", False)
        try:
            shown = start(self._store, voter, self._dice)
        except NothingToVoteOnError:
            return View("", words["nothing"], "", "", False)
        token = f"{shown.battle.key}.{int(time.time())}"
        prompt, first, second = texts(shown, words["turn"])
        return View(token, prompt, first, second, True)

    def cast(self, cookie: str | None, language: str, token: str, winner: Winner) -> str:
        """Store the vote; the sentence that says what came of it, names included."""
        words = WORDS[language]
        voter = self._voters.identify(cookie)
        if voter is None:
            return words["no_cookie"]
        key, _, since = token.partition(".")
        seconds = time.time() - int(since) if since.isdecimal() else None
        try:
            shown = vote(self._store, key, voter, winner, language=language, seconds=seconds)
        except InputError:
            return words["unknown_battle"]
        except ArenaError as error:
            return str(error)
        return (
            f"{words['counted']} **A** {words['was']} `{shown.first.model}`, "
            f"**B** {words['was']} `{shown.second.model}`."
        )

    def draw(self, root: gr.Blocks, say: Say) -> None:
        """Components and events; must be called inside a Blocks."""
        gr.Markdown(say("intro"), elem_id="intro")
        token = gr.Textbox(visible="hidden", elem_id="battle")
        with gr.Group():
            prompt = gr.Markdown(elem_id="prompt", elem_classes="text", container=True)
        with gr.Row(elem_id="answers", equal_height=True):
            first = self._answer(say("answer_a"), "answer-a")
            second = self._answer(say("answer_b"), "answer-b")
        with gr.Row(elem_id="choices"):
            buttons = [
                gr.Button(
                    say(word),
                    elem_id=f"vote-{winner}",
                    interactive=False,
                    min_width=80,
                    variant="primary" if "better" in word else "secondary",
                )
                for winner, word in CHOICES
            ]
        result = gr.Markdown(elem_id="result")
        following = gr.Button(say("next"), elem_id="next", visible=False, variant="primary")
        gr.Markdown(say("keys"), elem_id="keys")
        page = [token, prompt, first, second, result, *buttons, following]
        events: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

        def show(request: gr.Request) -> list[Any]:
            view = self.next_pair(*_who(request))
            return [
                view.token,
                view.prompt,
                view.first,
                view.second,
                "",
                *(gr.update(interactive=view.open) for _ in buttons),
                gr.update(visible=False),
            ]

        gr.on([root.load, following.click], show, outputs=page, **events)
        for (winner, _), button in zip(CHOICES, buttons, strict=True):

            def choose(battle: str, request: gr.Request, winner: Winner = winner) -> list[Any]:
                said = self.cast(*_who(request), battle, winner)
                closed = [gr.update(interactive=False) for _ in buttons]
                return [said, *closed, gr.update(visible=True)]

            button.click(choose, [token], [result, *buttons, following], **events)

    def _answer(self, label: Any, name: str) -> gr.Markdown:
        with gr.Column(min_width=280):
            gr.Markdown(label, elem_classes="slot")
            return gr.Markdown(elem_id=name, elem_classes="text", container=True)


def texts(shown: Shown, turn: str) -> tuple[str, str, str]:
    """Prompt and answers as Markdown; where there are several turns each has a heading."""
    return (
        _turns(shown.prompt.turns, turn, shown.prompt),
        _turns(shown.first.turns, turn, shown.prompt),
        _turns(shown.second.turns, turn, shown.prompt),
    )


def _turns(parts: tuple[str, ...], turn: str, prompt: Prompt) -> str:
    if len(prompt.turns) == 1:
        return parts[0]
    return "\n\n".join(f"**{turn} {k}**\n\n{part}" for k, part in enumerate(parts, start=1))


def _who(request: gr.Request) -> tuple[str | None, str]:
    """The cookie and the language of a request."""
    return request.cookies.get(COOKIE), language_of(request.headers.get("accept-language"))
