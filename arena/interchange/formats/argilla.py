"""Argilla: records with two responses, how people ranked them, and what judges suggest.

Shapes: Record.to_dict and to_json of argilla/src/argilla/records of
https://github.com/argilla-io/argilla. Votes are responses to the question `preference`, one a user,
and a verdict is its suggestion, of which a record has one. A ranking of the two fields is read as
well. Models are in the metadata.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from arena.interchange.exchange.entries import Compared, Entries, Entry, Passed
from arena.interchange.exchange.grouped import PairSaid, PairShape, cell_of, pairs
from arena.interchange.exchange.outgoing import Written, write_rows
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, files_in
from arena.interchange.exchange.source import Outgoing
from arena.records import Winner, content_key
from arena.records.errors import said as shown

SHAPE = PairShape(
    kind="record",
    texts="fields",
    about="metadata",
    questions=("prompt", "instruction", "question", "input"),
    answers=(
        ("response_1", "response_2"),
        ("response-1", "response-2"),
        ("response_a", "response_b"),
    ),
    models=(("model_1", "model_2"), ("model-1", "model-2"), ("model_a", "model_b")),
)
ASKED = ("preference", "ranking")
TIES = {"tie": Winner.TIE, "both_bad": Winner.BOTH_BAD}
UNPARSED = "unparsed"
SUFFIXES = (".json",)


def recognise(peek: Peek) -> str:
    """By fields and responses."""
    found = peek.having("fields", "responses")
    return "records" if any(isinstance(peek.first(one)["fields"], dict) for one in found) else ""


def read(path: Path, hints: Hints) -> Entries:
    """What was said of each record."""
    for file in files_in(path):
        yield from entries_of(file, partial(_entries, file, hints))


def _entries(file: Path, hints: Hints, row: Fields) -> Iterator[Entry]:
    names, prompt, first, second = SHAPE.read(row, file)
    meta = row.part("metadata")
    said = 0
    for one in _of_question(row, "responses"):
        winner = _winner(one.need("value"), names)
        by = one.label("user_id")
        yield Compared(prompt, first, second, winner, by, is_vote=True)
        said += 1
    for one in _of_question(row, "suggestions"):
        value = one.need("value")
        told = None if value == UNPARSED else _winner(value, names)
        judge = hints.judge or one.label("agent")
        turn = meta.number("turn")
        if turn is not None and not 1 <= turn <= len(prompt.turns):
            raise ValueError(f"turn: {turn:g}; it must be from 1 to {len(prompt.turns)}")
        yield Compared(prompt, first, second, told, judge, is_vote=False, turn=int(turn or 0))
        said += 1
    if not said:
        yield Passed("records that nobody has answered")


def _of_question(row: Fields, part: str) -> list[Fields]:
    """The answers to the question about the pair."""
    held = row.part(part) if row.row.get(part) else Fields({})
    name = next((name for name in ASKED if name in held), None)
    if name is None:
        return []
    return held.parts(name) if part == "responses" else [held.part(name)]


def _winner(value: object, names: tuple[str, str]) -> Winner:
    """A label, or an order of the two fields, the better first."""
    if isinstance(value, dict):  # as datasets before 2.0 have it
        ranks = dict(zip(value.get("value", ()), value.get("rank", ()), strict=False))
        value = sorted(ranks, key=lambda name: str(ranks[name]))
        if len(set(ranks.values())) == 1 and len(ranks) == 2:
            value = "tie"
    if isinstance(value, list):
        if sorted(map(str, value)) != sorted(names):
            raise ValueError(f"value: {shown(value)}; it must be {names[0]} and {names[1]}")
        value = value[0]
    if value == names[0]:
        return Winner.MODEL_A
    if value == names[1]:
        return Winner.MODEL_B
    if not isinstance(value, str) or value not in TIES:
        allowed = ", ".join((*names, *TIES))
        raise ValueError(f"value: {shown(value)}; allowed are {allowed}")
    return TIES[value]


def write(source: Outgoing, place: Path) -> Written:
    """A file that `Dataset.records.from_json` reads; a record for each order and each judge."""
    written = Written(place)
    write_rows(place, _rows(source, written), (), SUFFIXES)
    return written


def _rows(source: Outgoing, written: Written) -> Iterator[dict[str, Any]]:
    for pair in pairs(source, written, parts=True):
        for said in pair.by_order():
            votes = [one for one in said if one.is_vote]
            verdicts: list[Compared | None] = [one for one in said if not one.is_vote]
            for k, verdict in enumerate(verdicts or [None]):
                written.counts["records"] += 1
                yield _record_row(pair, said[0], votes if k == 0 else [], verdict)


def _record_row(
    pair: PairSaid, shown_as: Compared, votes: list[Compared], verdict: Compared | None
) -> dict[str, Any]:
    first, second = shown_as.first, shown_as.second
    meta: dict[str, Any] = {
        "model_1": first.model,
        "model_2": second.model,
        "prompt_id": pair.prompt.name,
        "category": pair.prompt.category,
        "language": pair.prompt.language,
    }
    if verdict is not None and verdict.turn:
        meta["turn"] = verdict.turn
    parts = (pair.prompt.name, first.model, second.model, verdict and verdict.by, len(votes))
    identity = content_key(*parts, verdict and verdict.turn)
    suggested = (
        {}
        if verdict is None
        else {"preference": {"value": _value(verdict), "score": None, "agent": verdict.by}}
    )
    answered = [{"value": _value(one), "user_id": one.by} for one in votes]
    return {
        "id": identity,
        "fields": {
            "prompt": cell_of(pair.prompt.turns),
            "response_1": cell_of(first.turns or ()),
            "response_2": cell_of(second.turns or ()),
        },
        "metadata": meta,
        "suggestions": suggested,
        "responses": {"preference": answered} if answered else {},
        "vectors": {},
    }


def _value(one: Compared) -> str:
    words = {Winner.MODEL_A: "response_1", Winner.MODEL_B: "response_2", None: UNPARSED}
    return words.get(one.winner) or str(one.winner)
