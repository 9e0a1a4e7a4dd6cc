"""Votes as Chatbot Arena publishes them: two conversations, who won, and who said so.

Shapes: clean_battle_data.py of https://github.com/lm-sys/FastChat; the data sets
lmsys/chatbot_arena_conversations, lmsys/mt_bench_human_judgments and
lmarena-ai/arena-human-preference-55k (the form of Kaggle, one column for each outcome), -100k and
-140k. A vote on a part of a conversation (`turn`) is about a prompt of that part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.files.spreadsheets import as_written
from arena.interchange.exchange.entries import PEOPLE, Compared, Entries, Entry, SaidText, Turns
from arena.interchange.exchange.languages import code_of, name_of_code
from arena.interchange.exchange.outgoing import Written, write_rows
from arena.interchange.exchange.reading import (
    SHEETS,
    Fields,
    Hints,
    Peek,
    entries_of,
    files_in,
    parsed,
)
from arena.interchange.exchange.source import Outgoing
from arena.interchange.turns import conversation
from arena.records import Prompt, Winner
from arena.records.errors import said as shown

WINNERS = {
    "model_a": Winner.MODEL_A,
    "model_b": Winner.MODEL_B,
    "tie": Winner.TIE,
    "tie (inconsistent)": Winner.TIE,  # MT-Bench: GPT-4's verdict followed the order
    "tie (bothbad)": Winner.BOTH_BAD,
    "bothbad": Winner.BOTH_BAD,
    "both_bad": Winner.BOTH_BAD,
}
_WORDS = {Winner.BOTH_BAD: "tie (bothbad)"}
KAGGLE = {
    "winner_model_a": Winner.MODEL_A,
    "winner_model_b": Winner.MODEL_B,
    "winner_tie": Winner.TIE,
    "winner_tie_both_bad": Winner.BOTH_BAD,
}
_IDS = ("question_id", "id", "conversation_id")
_NOT_PEOPLE = ("gpt4_pair", "gpt-4", "gpt4-pair")
COLUMNS = (
    "question_id", "model_a", "model_b", "winner", "judge", "conversation_a", "conversation_b",
    "turn", "language", "category",
)  # fmt: skip
SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


def recognise(peek: Peek) -> str:
    """By two conversations, or by the columns of Kaggle."""
    talks = peek.having("model_a", "model_b", "conversation_a", "conversation_b")
    kaggle = peek.having("winner_model_a", "prompt", "response_a", "response_b")
    return "votes with conversations" if talks else "votes in the form of Kaggle" if kaggle else ""


def read(path: Path, hints: Hints) -> Entries:
    """One vote or verdict a row."""
    for file in files_in(path):
        is_sheet = file.name.lower().removesuffix(".gz").endswith(SHEETS)
        reader = _BattleReader(hints, str(file), is_sheet)
        yield from entries_of(file, reader.entries)


@dataclass(frozen=True, slots=True)
class _BattleReader:
    """How the rows of one file are read. is_sheet: whether its cells are text."""

    hints: Hints
    source: str
    is_sheet: bool

    def entries(self, row: Fields) -> Iterator[Entry]:
        """The one thing that a row says."""
        if self.is_sheet:
            row = Fields({name: as_written(cell) for name, cell in row.row.items()})
        question, answers = _kaggle(row) if "response_a" in row else _talks(row)
        models = row.label("model_a"), row.label("model_b")
        if models[0] == models[1]:
            raise ValueError(f"model_b: {shown(models[1])}; a model cannot meet itself")
        by, is_vote = self._who(row)
        turn = _turn(row, len(question))
        name = next((row.label(key) for key in _IDS if key in row), "") or shown(question[0])
        name = name if turn == len(question) else f"{name} (turn {turn})"
        language = code_of(row.text("language", "English"))
        prompt = Prompt(name, question[:turn], _category(row), language, source=self.source)
        first, second = (
            SaidText(model, said[:turn]) for model, said in zip(models, answers, strict=True)
        )
        yield Compared(prompt, first, second, _winner(row), by, is_vote=is_vote)

    def _who(self, row: Fields) -> tuple[str, bool]:
        """Who said it, and whether that is a person."""
        judge = row.row.get("judge")
        judge = row.row.get("judge_hash") if judge is None else judge
        if isinstance(judge, str) and judge[:1] == "[":
            judge = parsed("judge", judge)
        if isinstance(judge, list):
            if not judge or not isinstance(judge[0], str):
                raise ValueError(f"judge: {shown(judge)}; it must be a name")
            name, is_judge = judge[0], True
        else:
            name = PEOPLE if judge in (None, "") else Fields({"judge": judge}).label("judge")
            is_judge = name in _NOT_PEOPLE
        if self.hints.judge:
            name, is_judge = self.hints.judge, True
        return name, not is_judge or self.hints.votes


def _category(row: Fields) -> str:
    return row.label("category", "imported")


def _talks(row: Fields) -> tuple[Turns, tuple[Turns, Turns]]:
    """What the user asked, and what the two models answered."""
    found = []
    for name in ("conversation_a", "conversation_b"):
        try:
            found.append(conversation(row.need(name)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    (question, first), (other, second) = found
    if question != other:
        raise ValueError("conversation_b: the user says something else than in conversation_a")
    return question, (first, second)


def _kaggle(row: Fields) -> tuple[Turns, tuple[Turns, Turns]]:
    """Three lists of as many texts, each a list or JSON of one."""
    question, first, second = (_texts(row, name) for name in ("prompt", "response_a", "response_b"))
    for name, said in (("response_a", first), ("response_b", second)):
        if len(said) != len(question):
            raise ValueError(f"{name}: {len(said)} texts, and the prompt has {len(question)}")
    return question, (first, second)


def _texts(row: Fields, name: str) -> Turns:
    found = row.items(name)
    if not all(isinstance(one, str) for one in found):
        raise ValueError(f"{name}: {shown(found)}; every turn must be a text")
    return tuple(found)


def _winner(row: Fields) -> Winner:
    if "winner" not in row:
        flags = {name: row.number(name) for name in KAGGLE if name in row}
        said = [KAGGLE[name] for name, flag in flags.items() if flag == 1]
        if len(said) != 1 or any(flag not in (0, 1) for flag in flags.values()):
            given = ", ".join(f"{name} {flag}" for name, flag in flags.items()) or "none of them"
            raise ValueError(f"{given}; exactly one of {', '.join(KAGGLE)} must be 1")
        return said[0]
    word = row.text("winner").strip().casefold()
    if word not in WINNERS:
        raise ValueError(f"winner: {shown(row.text('winner'))}; allowed are {', '.join(WINNERS)}")
    return WINNERS[word]


def _turn(row: Fields, turns: int) -> int:
    """The last turn that the vote is about."""
    turn = row.number("turn")
    if turn is None:
        return turns
    if not 1 <= turn <= turns or turn != int(turn):
        raise ValueError(f"turn: {turn:g}; the conversation has {turns} turns")
    return int(turn)


def write(source: Outgoing, place: Path) -> Written:
    """A file of votes, and of judges' verdicts on whole conversations beside them."""
    written = Written(place)
    rows = _rows(source, written)
    write_rows(place, rows, COLUMNS, SUFFIXES)
    return written


def _rows(source: Outgoing, written: Written) -> Iterator[dict[str, Any]]:
    for pair in source.votes():
        if None in (pair.first.turns, pair.second.turns):
            written.leave_out(1, "votes", "a text is not here; arena export table writes them")
            continue
        written.counts["votes"] += 1
        yield _row(pair)
    verdicts = source.store.verdicts.count()
    written.leave_out(verdicts, "verdicts", "arena export table writes them")


def _row(pair: Compared) -> dict[str, Any]:
    assert pair.winner is not None
    return {
        "question_id": pair.prompt.name,
        "model_a": pair.first.model,
        "model_b": pair.second.model,
        "winner": _WORDS.get(pair.winner, str(pair.winner)),
        "judge": pair.by,
        "conversation_a": _talk(pair.prompt.turns, pair.first.turns or ()),
        "conversation_b": _talk(pair.prompt.turns, pair.second.turns or ()),
        "turn": len(pair.prompt.turns),
        "language": name_of_code(pair.prompt.language),
        "category": pair.prompt.category,
    }


def _talk(question: Turns, answers: Turns) -> list[dict[str, str]]:
    return [
        {"role": role, "content": text}
        for asked, said in zip(question, answers, strict=True)
        for role, text in (("user", asked), ("assistant", said))
    ]
