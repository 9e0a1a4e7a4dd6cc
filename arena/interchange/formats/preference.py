"""Preference pairs: a prompt, the answer that was chosen and the one that was not.

Shapes: the preference type of TRL (https://huggingface.co/docs/trl/dataset_formats), as text or as
messages, and RewardBench's columns. What is written has a row for each pair of answers with a
winner: `agreement` is the share of statements for the chosen answer, ties as a half, `margin` is
twice that less one, and `said` holds each statement. A row without `said` is one statement of its
`source`; which answer stood first is not told then, so each stands first in half of the rows.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from arena.generation.foreign_prompts import asked_of
from arena.interchange.exchange.entries import PEOPLE, Compared, Entries, Entry, SaidText, Turns
from arena.interchange.exchange.grouped import PairSaid, in_order, pairs
from arena.interchange.exchange.outgoing import Written, write_rows
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, files_in
from arena.interchange.exchange.source import Outgoing
from arena.interchange.turns import conversation
from arena.records import Prompt, Winner, content_key
from arena.records.errors import said as shown

SUFFIXES = (".jsonl", ".json")
COLUMNS = (
    "prompt", "chosen", "rejected", "chosen_model", "rejected_model", "margin", "agreement",
    "source", "said", "prompt_id", "category", "language",
)  # fmt: skip
_IDS = ("prompt_id", "id", "question_id")
_SAID = ("chosen", "rejected", "tie", "both_bad", "unparsed")
_ANSWERS = ("chosen", "rejected")


def recognise(peek: Peek) -> str:
    """By the two columns."""
    return "pairs of chosen and rejected" if peek.having(*_ANSWERS) else ""


def read(path: Path, hints: Hints) -> Entries:
    """What was said of each pair."""
    for file in files_in(path):
        yield from entries_of(file, partial(_entries, file, hints))


def _entries(file: Path, hints: Hints, row: Fields) -> Iterator[Entry]:
    question, texts = _texts(row)
    models = [_model(row, name) for name in _ANSWERS]
    if models[0] == models[1] and texts[0] == texts[1]:
        raise ValueError("rejected: it is the same answer of the same model as the chosen one")
    if models[0] == models[1]:
        raise ValueError(f"rejected_model: {shown(models[1])}; a model cannot meet itself")
    name = next((row.label(key) for key in _IDS if key in row), "")
    prompt = Prompt(
        name or f"pair-{content_key(question)[:8]}",
        question,
        row.label("category", row.label("subset", "imported")),
        row.label("language", "en"),
        source=str(file),
    )
    chosen, rejected = (SaidText(m, turns) for m, turns in zip(models, texts, strict=True))
    if "said" in row:
        for one in row.parts("said"):
            yield _statement(one, prompt, chosen, rejected)
        return
    by, is_vote = _who(row, hints)
    yield _pair(
        prompt, chosen, rejected, "chosen", in_order(question, chosen, rejected), by, is_vote
    )


def _statement(one: Fields, prompt: Prompt, chosen: SaidText, rejected: SaidText) -> Entry:
    winner, first = one.text("winner"), one.text("first")
    if winner not in _SAID:
        raise ValueError(f"winner: {shown(winner)}; allowed are {', '.join(_SAID)}")
    if first not in _ANSWERS:
        raise ValueError(f"first: {shown(first)}; allowed are {', '.join(_ANSWERS)}")
    is_vote = one.need("person")
    if not isinstance(is_vote, bool):
        raise ValueError(f"person: {shown(is_vote)}; it must be true or false")
    if is_vote and winner == "unparsed":
        raise ValueError(f"winner: {shown(winner)} is no vote")
    return _pair(prompt, chosen, rejected, winner, first == "chosen", one.label("by"), is_vote)


def _pair(
    prompt: Prompt,
    chosen: SaidText,
    rejected: SaidText,
    winner: str,
    forward: bool,
    by: str,
    is_vote: bool,
) -> Compared:
    """A statement with the answers in the order in which they were shown."""
    sides = (Winner.MODEL_A, Winner.MODEL_B) if forward else (Winner.MODEL_B, Winner.MODEL_A)
    meant = dict(zip(_ANSWERS, sides, strict=True)) | {
        "tie": Winner.TIE,
        "both_bad": Winner.BOTH_BAD,
    }
    first, second = (chosen, rejected) if forward else (rejected, chosen)
    return Compared(prompt, first, second, meant.get(winner), by, is_vote)


def _who(row: Fields, hints: Hints) -> tuple[str, bool]:
    """Who preferred, and whether that is a person."""
    if hints.judge:
        return hints.judge, False
    if hints.votes:
        return PEOPLE, True
    source = row.row.get("source")
    if not isinstance(source, str) or not source.strip():
        raise ValueError(
            "nothing says who preferred; --as-votes takes the rows for people's votes, --judge "
            "NAME for a judge's verdicts"
        )
    return row.label("source"), source.startswith(PEOPLE)


def _model(row: Fields, name: str) -> str:
    key = f"{name}_model"
    if key not in row:
        raise ValueError(f"it has no {key!r}, so nobody knows whose answer it is")
    return row.label(key)


def _texts(row: Fields) -> tuple[Turns, tuple[Turns, Turns]]:
    """The question, and both answers turn by turn."""
    if "prompt" not in row:
        talks = [_talk(row, name) for name in _ANSWERS]
        if talks[0][0] != talks[1][0]:
            raise ValueError("rejected: the user says something else than in chosen")
        return talks[0][0], (talks[0][1], talks[1][1])
    try:
        question = asked_of(row.need("prompt"))
    except ValueError as error:
        raise ValueError(f"prompt: {error}") from error
    if not any(turn.strip() for turn in question):
        raise ValueError("prompt: there is no text in it")
    answers = tuple(_answer(row, name, question) for name in _ANSWERS)
    return question, (answers[0], answers[1])


def _talk(row: Fields, name: str) -> tuple[Turns, Turns]:
    try:
        return conversation(row.need(name))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _answer(row: Fields, name: str, question: Turns) -> Turns:
    """A text, the model's last message, or the whole conversation."""
    given = row.need(name)
    if isinstance(given, str):
        found: Turns = (given,)
    elif isinstance(given, list) and len(given) == 1:
        message = row.parts(name)[0]
        if message.text("role") != "assistant":
            raise ValueError(f"{name}: its one message must be the assistant's")
        found = (message.text("content"),)
    else:
        asked, found = _talk(row, name)
        if len(question) == 1 and len(asked) == 1 and asked != question:
            raise ValueError(f"{name}: the user says something else than in prompt")
    if len(found) != len(question):
        raise ValueError(f"{name}: {len(found)} answers, and the prompt has {len(question)} turns")
    return found


def write(source: Outgoing, place: Path) -> Written:
    """A row for each pair of answers that has a winner."""
    written = Written(place)
    write_rows(place, _rows(source, written), COLUMNS, SUFFIXES)
    return written


def _rows(source: Outgoing, written: Written) -> Iterator[dict[str, Any]]:
    for pair in pairs(source, written):
        shares = pair.shares()
        if not shares or sum(shares) * 2 == len(shares):
            written.leave_out(1, "pairs", "neither answer was preferred")
        else:
            written.counts["pairs"] += 1
            yield _row(pair, sum(shares) / len(shares))


def _row(pair: PairSaid, share: float) -> dict[str, Any]:
    """One row. share: what the first answer got of what was said."""
    answers = (pair.first, pair.second) if share > 0.5 else (pair.second, pair.first)
    agreement = max(share, 1 - share)
    row: dict[str, Any] = (
        {"prompt": None}
        if len(pair.prompt.turns) > 1
        else {"prompt": [{"role": "user", "content": pair.prompt.turns[0]}]}
    )
    for name, text in zip(_ANSWERS, answers, strict=True):
        row[name] = _messages(pair.prompt.turns, text.turns or ())
        row[f"{name}_model"] = text.model
    people = {PEOPLE for one in pair.said if one.is_vote}
    judges = sorted({one.by for one in pair.said if not one.is_vote})
    return {name: value for name, value in row.items() if value is not None} | {
        "margin": 2 * agreement - 1,
        "agreement": agreement,
        "source": [*people, *judges],
        "said": [_said(one, answers[0]) for one in pair.said],
        "prompt_id": pair.prompt.name,
        "category": pair.prompt.category,
        "language": pair.prompt.language,
    }


def _said(one: Compared, chosen: SaidText) -> dict[str, Any]:
    forward = one.first == chosen
    names = _ANSWERS if forward else _ANSWERS[::-1]
    words = {
        Winner.MODEL_A: names[0],
        Winner.MODEL_B: names[1],
        Winner.TIE: "tie",
        Winner.BOTH_BAD: "both_bad",
        None: "unparsed",
    }
    return {"by": one.by, "person": one.is_vote, "winner": words[one.winner], "first": names[0]}


def _messages(question: Turns, answers: Turns) -> list[dict[str, str]]:
    """The answer, or where there are several turns the whole conversation."""
    if len(question) == 1:
        return [{"role": "assistant", "content": answers[0]}]
    return [
        {"role": role, "content": text}
        for pair in zip(question, answers, strict=True)
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
