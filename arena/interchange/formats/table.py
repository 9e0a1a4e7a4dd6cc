"""Tables of battles: model_a, model_b, winner, and more columns where they are known.

The same columns as `arena import battles` reads, row by row; what came in by the one is there
already for the other. Cells of CSV that a spreadsheet would run have a quote before them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.files.spreadsheets import as_written
from arena.interchange.exchange.entries import PEOPLE, Compared, Entries, Entry, SaidText, Turns
from arena.interchange.exchange.outgoing import Written, write_rows
from arena.interchange.exchange.reading import SHEETS, Fields, Hints, Peek, entries_of, files_in
from arena.interchange.exchange.source import Outgoing
from arena.interchange.labels import UNPARSED, WinnerWords
from arena.interchange.turns import read_lists, turns_of
from arena.records import IMPORTED, Prompt, Winner
from arena.records.errors import said as shown

COLUMNS = (
    "prompt", "question", "model_a", "model_b", "answer_a", "answer_b", "winner", "source",
    "voter", "category", "language", "propensity", "seconds",
)  # fmt: skip
SUFFIXES = (".csv", ".jsonl", ".json", ".parquet")
_NEEDED = ("model_a", "model_b", "winner")
_OTHERS = ("conversation_a", "response_a", "messages")


def recognise(peek: Peek) -> str:
    """By two models and a winner, where nothing tells of a format of its own."""
    found = [file for file in peek.having(*_NEEDED) if not peek.first(file).keys() & set(_OTHERS)]
    return "a table of battles" if found else ""


def read(path: Path, hints: Hints) -> Entries:
    """One vote or verdict a row."""
    for file in files_in(path):
        reader = _TableReader(file, hints, file.name.lower().removesuffix(".gz").endswith(SHEETS))
        yield from entries_of(file, reader.entries)


@dataclass(slots=True)
class _TableReader:
    """One file. is_sheet: whether its cells are text."""

    path: Path
    hints: Hints
    is_sheet: bool
    _words: WinnerWords = field(default_factory=WinnerWords)
    _row: int = 0

    def entries(self, row: Fields) -> Iterator[Entry]:
        """The one thing that a row says."""
        self._row += 1
        row = Fields({str(k).strip().casefold(): self._cell(v) for k, v in row.row.items()})
        models = row.label("model_a"), row.label("model_b")
        if models[0] == models[1]:
            raise ValueError(f"model_b: {shown(models[1])}; a model cannot meet itself")
        found = self._words.winner(row.need("winner"), *models)
        winner = None if found == UNPARSED else Winner(found)
        by, is_vote = self._who(row)
        if is_vote and winner is None:
            raise ValueError(f"winner: {UNPARSED!r} is no vote; allowed are {', '.join(Winner)}")
        name = row.label("prompt", f"battle {self._row}")
        place = self.hints.within or self.path.name
        question, answers = _texts(row, (f"{place}: {name}",))
        prompt = Prompt(
            name,
            question,
            row.label("category", IMPORTED),
            row.label("language", "en"),
            source=self.hints.within or str(self.path),
        )
        first, second = (SaidText(model, said) for model, said in zip(models, answers, strict=True))
        propensity = row.number("propensity")
        if propensity is not None and not 0 < propensity <= 1:
            raise ValueError(f"propensity: {propensity:g}; it must be more than 0 and at most 1")
        seconds = row.number("seconds") if is_vote else None
        yield Compared(
            prompt, first, second, winner, by, is_vote, propensity=propensity, seconds=seconds
        )

    def _cell(self, cell: Any) -> Any:
        """What a cell holds; None where that is nothing."""
        if cell is None or cell != cell or (isinstance(cell, str) and not cell.strip()):
            return None
        return as_written(cell) if self.is_sheet else cell

    def _who(self, row: Fields) -> tuple[str, bool]:
        """Who said it, and whether that is a person."""
        source = self.hints.judge or (PEOPLE if self.hints.votes else row.label("source", ""))
        voter = row.label("voter", "")
        if not source and not voter:
            raise ValueError(
                "it has neither `voter` nor `source`, so nobody knows who said this; --as-votes "
                "takes the rows for people's votes, --judge NAME for a judge's verdicts"
            )
        is_vote = not source or source.startswith(PEOPLE)
        return (voter or source, True) if is_vote else (source, False)


def _texts(row: Fields, unasked: Turns) -> tuple[Turns, tuple[Turns | None, Turns | None]]:
    """The question and both answers. unasked: what stands for a question that is not told."""
    names = [name for name in ("question", "answer_a", "answer_b") if name in row]
    try:
        cells = dict(zip(names, read_lists([row.row[name] for name in names]), strict=True))
    except ValueError as error:
        raise ValueError(f"{', '.join(names)}: {error}") from error
    turns: dict[str, Turns] = {}
    for name, cell in cells.items():
        try:
            turns[name] = turns_of(cell)
        except ValueError as error:
            raise ValueError(f"{name}: {shown(cell)}; {error}") from error
    question = turns.get("question", unasked)
    for name in names:
        if len(turns[name]) != len(question):
            there = f"{len(question)} in the question" if "question" in turns else "no question"
            raise ValueError(f"{name}: {len(turns[name])} turns, and there is {there}")
    return question, (turns.get("answer_a"), turns.get("answer_b"))


def write(source: Outgoing, place: Path) -> Written:
    """A file of votes and verdicts; scores and grades are of one answer, and no battles."""
    written = Written(place)
    write_rows(place, _rows(source, written), COLUMNS, SUFFIXES)
    written.leave_out(source.store.scores.count(), "scores", "they are of one answer")
    strangers = sum(prompt.is_absent for prompt in source.store.prompts.where())
    written.leave_out(strangers, "questions", "nobody knows their texts; FILE: ID stands there")
    return written


def _rows(source: Outgoing, written: Written) -> Iterator[dict[str, Any]]:
    for pair in source.votes():
        written.counts["votes"] += 1
        yield _row(pair) | {"source": PEOPLE, "voter": pair.by}
    for pair in source.verdicts():
        if pair.turn:
            written.leave_out(1, "verdicts", "they are of a part of a conversation")
            continue
        written.counts["verdicts"] += 1
        yield _row(pair) | {"source": pair.by}


def _row(pair: Compared) -> dict[str, Any]:
    # Where no text of a question is known, its stand-in is that, too.
    row = {
        "prompt": pair.prompt.name,
        "question": cell_of(pair.prompt.turns),
        "model_a": pair.first.model,
        "model_b": pair.second.model,
        "winner": UNPARSED if pair.winner is None else str(pair.winner),
        "category": pair.prompt.category,
        "language": pair.prompt.language,
        "propensity": pair.propensity,
        "seconds": pair.seconds,
    }
    for name, text in (("answer_a", pair.first), ("answer_b", pair.second)):
        row[name] = None if text.turns is None else cell_of(text.turns)
    return row


def cell_of(turns: Turns) -> str | list[str]:
    """Turns as a cell has them: one is a text, several are a list."""
    return turns[0] if len(turns) == 1 else list(turns)
