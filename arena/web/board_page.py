"""The page that shows the ranking."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.errors import ArenaError
from arena.leaderboard import Leaderboard, leaderboard
from arena.records import Evidence
from arena.store import Store
from arena.web.words import WORDS, Say, language_of

COLUMNS = ("rank", "model", "rating", "interval", "comparisons")
KINDS = (Evidence.COMBINED, Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE)
EMPTY: list[list[Any]] = []


@dataclass(frozen=True, slots=True)
class BoardView:
    """What the page shows: a heading, the notes that must stand beside it, and the rows."""

    heading: str
    notes: str
    rows: list[list[Any]]


def view(store: Store, evidence: Evidence, allow_weak: bool, language: str) -> BoardView:
    """The ranking, or the sentence that says why there is none."""
    words = WORDS[language]
    try:
        board = leaderboard(store, evidence=evidence, allow_weak_judges=allow_weak)
    except ArenaError as error:
        return BoardView("", str(error), EMPTY)
    stands = "; ".join(f"{count} {words['from']} {name}" for name, count in board.counts.items())
    heading = f"**{board.label}** · {words['stands_on']}: {stands}\n\n{board.method}"
    notes = "\n\n".join(f"⚠ {note}" for note in board.notes)
    return BoardView(heading, notes, rows(board))


def rows(board: Leaderboard) -> list[list[Any]]:
    """A line a model, the best first."""
    return [
        [
            str(row.rank_low)
            if row.rank_low == row.rank_high
            else f"{row.rank_low}–{row.rank_high}",
            row.model,
            f"{row.rating:.0f}",
            f"{row.ci_low:.0f} – {row.ci_high:.0f}",
            row.comparisons,
        ]
        for row in board.rows
    ]


def draw(store: Store, say: Say, tab: gr.Tab) -> None:
    """Components and events; must be called inside a Blocks."""
    evidence = gr.Radio(
        [(say(kind), str(kind)) for kind in KINDS],
        value=str(Evidence.COMBINED),
        label=say("evidence"),
        elem_id="evidence",
    )
    weak = gr.Checkbox(False, label=say("weak"), elem_id="weak")
    heading = gr.Markdown(elem_id="board-heading")
    notes = gr.Markdown(elem_id="board-notes")
    table = gr.Dataframe(
        headers=[say(name) for name in COLUMNS],
        elem_id="board",
        interactive=False,
        datatype=["str", "str", "str", "str", "number"],
    )
    again = gr.Button(say("refresh"), elem_id="refresh")

    def show(kind: str, allow_weak: bool, request: gr.Request) -> tuple[str, str, Any]:
        language = language_of(request.headers.get("accept-language"))
        seen = view(store, Evidence(kind), allow_weak, language)
        return (
            seen.heading,
            seen.notes,
            gr.update(
                value=seen.rows,
                headers=[WORDS[language][name] for name in COLUMNS],
                visible=bool(seen.rows),
            ),
        )

    gr.on(
        [tab.select, evidence.change, weak.change, again.click],
        show,
        [evidence, weak],
        [heading, notes, table],
        api_visibility="private",
    )
