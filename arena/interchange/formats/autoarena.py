"""AutoArena: downloads of responses, of head-to-heads, and of one judge's votes.

Shapes: autoarena/api/router.py of https://github.com/kolenaIO/autoarena. Each pair is held once, so
the verdicts are of one order. A judge whose name begins with "human" is a person.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from arena.interchange.exchange.entries import (
    PEOPLE,
    Answered,
    Compared,
    Entries,
    Entry,
    SaidText,
)
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, files_in
from arena.records import Prompt, Winner, content_key
from arena.records.errors import said as shown

WINNERS = {"A": Winner.MODEL_A, "B": Winner.MODEL_B, "-": Winner.TIE}
_PAIR = ("prompt", "model_a", "model_b", "response_a", "response_b", "winner")
_VOTES = "-judge-votes"


def recognise(peek: Peek) -> str:
    """By the columns of its downloads, and the letters for who won."""
    pairs = [file for file in peek.having(*_PAIR) if peek.first(file)["winner"] in WINNERS]
    alone = [
        file for file in peek.having("prompt", "response") if "model_a" not in peek.first(file)
    ]
    return ", ".join(
        what for what, files in (("head-to-heads", pairs), ("responses", alone)) if files
    )


def read(path: Path, hints: Hints) -> Entries:
    """Responses and votes, each row by its columns."""
    for file in files_in(path):
        yield from entries_of(file, partial(_entry, file, hints))


def _entry(file: Path, hints: Hints, row: Fields) -> Iterator[Entry]:
    text = row.text("prompt")
    if not text.strip():
        raise ValueError("prompt: it is empty")
    prompt = Prompt(f"autoarena-{content_key(text)[:8]}", (text,), source=str(file))
    if "model_a" not in row:
        model = row.label("model", file.stem)
        yield Answered(prompt, SaidText(model, (row.text("response"),), 0))
        return
    first, second = (
        SaidText(row.label(f"model_{side}"), (row.text(f"response_{side}"),)) for side in "ab"
    )
    if first.model == second.model:
        raise ValueError(f"model_b: {shown(second.model)}; a model cannot meet itself")
    word = row.text("winner").strip()
    if word not in WINNERS:
        raise ValueError(f"winner: {shown(word)}; allowed are {', '.join(WINNERS)}")
    named = file.stem.removesuffix(_VOTES) if file.stem.endswith(_VOTES) else None
    judge = hints.judge or row.label("judge", named)
    is_vote = hints.votes or (hints.judge is None and judge.casefold().startswith(PEOPLE))
    yield Compared(prompt, first, second, WINNERS[word], judge, is_vote)
