"""The page that shows the ranking."""

from functools import partial
from importlib.resources import files

import gradio as gr
from jinja2 import Environment

from arena.errors import ArenaError
from arena.leaderboard import Leaderboard, leaderboard
from arena.publish.chart import axis_of
from arena.publish.formats import decimals, points, rank_range, ranked
from arena.records import Evidence
from arena.store import Store
from arena.web.words import WORDS, Say, language_of

KINDS = (Evidence.COMBINED, Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE)


def view(store: Store, evidence: Evidence, allow_weak: bool, language: str) -> str:
    """The ranking as HTML, or the sentence that says why there is none."""
    try:
        board = leaderboard(store, evidence=evidence, allow_weak_judges=allow_weak)
    except ArenaError as error:
        page = _environment().from_string('<p class="note">{{ said }}</p>')
        return page.render(said=str(error))
    return render(board, language)


def render(board: Leaderboard, language: str) -> str:
    """A line a model, the best first, with its interval drawn on one axis."""
    rows = ranked(board)
    page = _environment().from_string(
        (files("arena.web") / "board.html").read_text(encoding="utf-8")
    )
    return page.render(
        board=board,
        rows=rows,
        words=WORDS[language],
        place=axis_of(rows).place,
        points=partial(points, digits=decimals(board)),
        rank_range=rank_range,
    )


def draw(store: Store, say: Say, tab: gr.Tab) -> None:
    """Components and events; must be called inside a Blocks."""
    evidence = gr.Radio(
        [(say(kind), str(kind)) for kind in KINDS],
        value=str(Evidence.COMBINED),
        label=say("evidence"),
        elem_id="evidence",
    )
    weak = gr.Checkbox(False, label=say("weak"), elem_id="weak")
    board = gr.HTML(elem_id="board")
    again = gr.Button(say("refresh"), elem_id="refresh")

    def show(kind: str, allow_weak: bool, request: gr.Request) -> str:
        language = language_of(request.headers.get("accept-language"))
        return view(store, Evidence(kind), allow_weak, language)

    gr.on(
        [tab.select, evidence.change, weak.change, again.click],
        show,
        [evidence, weak],
        [board],
        api_visibility="private",
    )


def _environment() -> Environment:
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
