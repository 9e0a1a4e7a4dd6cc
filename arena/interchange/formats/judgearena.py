"""JudgeArena: TASK-…-annotations.csv, one row an order of a pair.

Shapes: judgearena/generate_and_evaluate.py and evaluate.py of
https://github.com/OpenEuroLLM/JudgeArena. The file holds what the judge wrote and no verdict; as
there, the odds of the two answers are as exp(0.3 × score).
"""

import re
from collections.abc import Iterator
from math import exp
from pathlib import Path

from arena.generation.foreign_prompts import alpaca_prompt
from arena.interchange.exchange.entries import Compared, Entries, Entry, SaidText
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, files_in
from arena.records import Winner
from arena.records.errors import said as shown

TEMPERATURE = 0.3
LARGEST = 1000  # of a score; no rubric has more
_SCORE = r'score[ _*"]*(?:of|for)?[ _*"]*(?:assistant|answer|model)?[ _*"]*{}\W*?(-?\d+(?:\.\d+)?)'
_SCORES = [re.compile(_SCORE.format(side), re.IGNORECASE) for side in "ab"]
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
NEEDED = ("instruction", "completion_A", "completion_B", "judge_completion", "model_A", "model_B")


def recognise(peek: Peek) -> str:
    """By two completions and a judge's."""
    return "annotations" if peek.having(*NEEDED) else ""


def read(path: Path, hints: Hints) -> Entries:
    """One verdict a row."""
    for file in files_in(path):
        yield from entries_of(file, lambda row: _verdict(row, hints))


def _verdict(row: Fields, hints: Hints) -> Iterator[Entry]:
    prompt = alpaca_prompt({"instruction": None, **row.row}, "judgearena")
    first, second = (
        SaidText(row.label(f"model_{side}"), (row.text(f"completion_{side}"),)) for side in "AB"
    )
    if first.model == second.model:
        raise ValueError(f"model_B: {shown(second.model)}; a model cannot meet itself")
    words = row.text("judge_completion")
    winner, odds = preference(words)
    judge = row.label("judge", hints.judge)
    yield Compared(prompt, first, second, winner, judge, is_vote=False, odds=odds, words=words)


def preference(words: str) -> tuple[Winner | None, tuple[float, float, float] | None]:
    """The winner and the odds that a judge's two scores say, None where one is not there."""
    plain = _THOUGHT.sub("", words)
    found = [pattern.search(plain) for pattern in _SCORES]
    scores = [float(match[1]) for match in found if match is not None]
    if len(scores) < 2 or any(abs(score) > LARGEST for score in scores):
        return None, None
    if scores[0] == scores[1]:
        return Winner.TIE, None
    share = 1 / (1 + exp(min(700.0, TEMPERATURE * (scores[1] - scores[0]))))
    winner = Winner.MODEL_A if scores[0] > scores[1] else Winner.MODEL_B
    return winner, (share, 1 - share, 0.0)
