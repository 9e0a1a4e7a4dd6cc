"""AlignBench: questions with references, models' answers, and their scores from 1 to 10.

Shapes: data/, get_answers.py and judge.py of https://github.com/THUDM/AlignBench. Its files do not
say who judged.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from arena.generation.foreign_prompts import foreign_prompt
from arena.interchange.exchange.entries import (
    Answered,
    Asked,
    Entries,
    Entry,
    Passed,
    SaidText,
    ScoredAnswer,
)
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, files_in
from arena.records import Prompt
from arena.records.errors import said as shown

LOWEST, HIGHEST = 1, 10


def recognise(peek: Peek) -> str:
    """By questions with a subcategory, answered and judged or not."""
    found = {
        "questions": peek.having("question_id", "subcategory", "question"),
        "answers": peek.having("question_id", "subcategory", "question", "answer"),
        "judgments": peek.having("question_id", "subcategory", "question", "judgment", "score"),
    }
    return ", ".join(what for what, files in found.items() if files)


def read(path: Path, hints: Hints) -> Entries:
    """Each row holds its question, and its answer and judgment where they are there."""
    for file in files_in(path):
        yield from entries_of(file, partial(_entries, file, hints))


def _entries(file: Path, hints: Hints, row: Fields) -> Iterator[Entry]:
    for name in ("question_id", "question", "category", "subcategory"):
        row.need(name)
    prompt = foreign_prompt(row.row, "alignbench")
    if prompt is None:
        raise ValueError("it is no question of AlignBench")
    if "model_id" not in row and "judgment" not in row:
        yield Asked(prompt)
    elif "answer" not in row:
        yield Passed("the model gave no answer")
    else:
        model = row.label("model_id", file.stem)
        text = SaidText(model, (row.text("answer"),), 0)
        yield Answered(prompt, text)
        if "judgment" in row:
            yield _score(row, prompt, text, hints)


def _score(row: Fields, prompt: Prompt, text: SaidText, hints: Hints) -> Entry:
    if hints.judge is None:
        raise ValueError("nothing says who judged; --judge NAME does (judge.py asks gpt-4)")
    value = row.number("score")
    if value == -1:
        value = None
    if value is not None and not LOWEST <= value <= HIGHEST:
        raise ValueError(f"score: {shown(row.row['score'])}; it must be from 1 to 10, or -1")
    return ScoredAnswer(prompt, text, value, hints.judge, row.text("judgment"))
