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

from arena.interchange.exchange.entries import Compared, Entries, Entry, Passed, SaidText, Turns
from arena.interchange.exchange.grouped import PairSaid, pairs
from arena.interchange.exchange.outgoing import Written, write_rows
from arena.interchange.exchange.reading import Fields, Hints, Peek, as_json, entries_of, files_in
from arena.interchange.exchange.source import Outgoing
from arena.interchange.turns import read_lists, turns_of
from arena.records import Prompt, Winner, content_key
from arena.records.errors import said as shown

QUESTIONS = ("prompt", "instruction", "question", "input")
RESPONSES = (
    ("response_1", "response_2"),
    ("response-1", "response-2"),
    ("response_a", "response_b"),
)
MODELS = (("model_1", "model_2"), ("model-1", "model-2"), ("model_a", "model_b"))
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
    names, prompt, first, second = _record(file, row)
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


def _record(file: Path, row: Fields) -> tuple[tuple[str, str], Prompt, SaidText, SaidText]:
    fields, meta = row.part("fields"), row.part("metadata")
    question = next((name for name in QUESTIONS if name in fields), None)
    names = next((pair for pair in RESPONSES if pair[0] in fields and pair[1] in fields), None)
    models = next((pair for pair in MODELS if pair[0] in meta and pair[1] in meta), None)
    if question is None or names is None:
        raise ValueError(
            f"fields: a question ({', '.join(QUESTIONS)}) and response_1 and response_2 are "
            f"needed; it has {', '.join(map(str, fields.row))}"
        )
    if models is None:
        raise ValueError(
            "metadata: it has no 'model_1' and 'model_2', so nobody knows whose answers"
        )
    try:
        cells = [fields.text(name) for name in (question, *names)]
        turns = [turns_of(cell) for cell in read_lists(cells)]
    except ValueError as error:
        raise ValueError(f"fields: {error}") from error
    told = [meta.label(name) for name in models]
    if told[0] == told[1]:
        raise ValueError(f"{models[1]}: {shown(told[1])}; a model cannot meet itself")
    prompt = Prompt(
        meta.label("prompt_id", f"record-{content_key(turns[0])[:8]}"),
        turns[0],
        meta.label("category", "imported"),
        meta.label("language", "en"),
        source=str(file),
    )
    return names, prompt, SaidText(told[0], turns[1]), SaidText(told[1], turns[2])


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
        for forward in (True, False):
            said = [one for one in pair.said if pair.is_forward(one) == forward]
            votes = [one for one in said if one.is_vote]
            verdicts: list[Compared | None] = [one for one in said if not one.is_vote]
            if not said:
                continue
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
            "prompt": _cell(pair.prompt.turns),
            "response_1": _cell(first.turns or ()),
            "response_2": _cell(second.turns or ()),
        },
        "metadata": meta,
        "suggestions": suggested,
        "responses": {"preference": answered} if answered else {},
        "vectors": {},
    }


def _value(one: Compared) -> str:
    words = {Winner.MODEL_A: "response_1", Winner.MODEL_B: "response_2", None: UNPARSED}
    return words.get(one.winner) or str(one.winner)


def _cell(turns: Turns) -> str:
    return turns[0] if len(turns) == 1 else as_json(list(turns))
