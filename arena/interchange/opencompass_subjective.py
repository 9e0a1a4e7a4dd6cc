"""OpenCompass, subjective sets: predictions, and what a judge said of pairs of them.

Shapes: opencompass/tasks/subjective_eval.py and openicl/icl_evaluator/lm_evaluator.py of
https://github.com/open-compass/opencompass. predictions/MODEL/SET.json has the answers by number,
results/A_B_judged-by--JUDGE/SET.json what the judge wrote of each pair; its gold names the models
of the first and the second answer. Where both orders were asked, the second half has the other one.
The files hold no verdict: it is read as our own judges' replies are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.interchange.exchange.entries import Compared, Entries, Entry, Refused, SaidText, Turns
from arena.interchange.exchange.reading import Hints, Peek
from arena.interchange.results import read_json
from arena.judging.replies.forms import ReplyFormat
from arena.judging.replies.parsing import Parsed, parse_verdict
from arena.records import Preference, Prompt, Winner
from arena.records.errors import InputError
from arena.records.errors import said as shown

JUDGED = "judged-by--"
_PART = re.compile(r"(.+)_(\d+)")
_WINNERS = {
    Preference.A: Winner.MODEL_A,
    Preference.B: Winner.MODEL_B,
    Preference.TIE: Winner.TIE,
    Preference.UNPARSED: None,
}
_SIDES = {"A": "A", "B": "B", "A>>B": "A>>B", "A>B": "A>B", "B>A": "B>A", "B>>A": "B>>A"}
# What its sets ask for: [[A>>B]] to [[B>>A]], [[A]] or [[C]], and a line such as "Choice: A".
_FORMS = (
    (ReplyFormat.BRACKETS, _SIDES | {"tie": "A=B"}),
    (ReplyFormat.BRACKETS, _SIDES | {"tie": "C"}),
    (ReplyFormat.CHOICE, {"A": "A", "B": "B", "tie": "C"}),
)
_USER, _ROLES = "HUMAN", ("SYSTEM", "HUMAN", "BOT")


def recognise(peek: Peek) -> str:
    """By the folder of a judge's results."""
    judged = any(JUDGED in file.parent.name for file in peek.files)
    return "what a judge wrote of pairs" if judged else ""


def read(path: Path, hints: Hints) -> Entries:
    """One verdict a row; the answers come with them."""
    folders = sorted(file for file in path.rglob(f"*{JUDGED}*") if file.is_dir())
    if not folders:
        raise InputError(f"{path}: no folder in it is named A_B_{JUDGED}JUDGE")
    for folder in folders:
        judge = hints.judge or folder.name.partition(JUDGED)[2]
        for name in sorted({_set_of(file, folder) for file in folder.glob("*.json")}):
            yield from _read_set(folder, name, judge)


@dataclass(frozen=True, slots=True)
class _Run:
    """One set of a run that a judge has read."""

    predictions: Path
    name: str
    answers: dict[str, list[dict[str, Any]]]

    def answer(self, model: object, number: int) -> tuple[Turns, SaidText]:
        """The question, and what a model said to it; numbers beyond the set begin anew."""
        if not isinstance(model, str) or not model:
            raise ValueError(f"gold: {shown(model)} is no model; it must have answer1 and answer2")
        if model not in self.answers:
            self.answers[model] = [row for _, row in _rows(self.predictions / model, self.name)]
        rows = self.answers[model]
        if not rows:
            raise ValueError(f"predictions/{model}/{self.name}.json is not there")
        row = rows[number % len(rows)]
        text = row.get("prediction")
        if not isinstance(text, str):
            raise ValueError(f"predictions/{model}: {shown(text)}; an answer must be a text")
        return (_question(row.get("origin_prompt")),), SaidText(model, (text,))


def _read_set(folder: Path, name: str, judge: str) -> Entries:
    run = _Run(folder.parent.parent / "predictions", name, {})
    rows = _rows(folder, name)
    for number, (where, row) in enumerate(rows):
        try:
            yield where, _entry(run, number, row, judge)
        except ValueError as error:
            yield where, Refused(" ".join(str(error).split()))


def _entry(run: _Run, number: int, row: dict[str, Any], judge: str) -> Entry:
    gold, words = row.get("gold"), row.get("prediction")
    if not isinstance(gold, dict) or "answer1" not in gold:
        raise ValueError("gold: it names no answer1 and answer2, so this is no pair")
    if not isinstance(words, str):
        raise ValueError(f"prediction: {shown(words)}; what the judge wrote must be a text")
    question, first = run.answer(gold["answer1"], number)
    other, second = run.answer(gold.get("answer2"), number)
    if first.model == second.model:
        raise ValueError(f"answer2: {shown(second.model)}; a model cannot meet itself")
    if question != other:
        raise ValueError(f"{first.model} and {second.model} were asked different questions")
    category = gold.get("capability")
    name = f"{run.name}-{number % len(run.answers[first.model])}"
    prompt = Prompt(name, question, category if isinstance(category, str) else run.name)
    found = _verdict(words)
    return Compared(
        prompt, first, second, _WINNERS[found.preference], judge, is_vote=False, words=words
    )


def _verdict(words: str) -> Parsed:
    """The verdict in the first of the forms that finds one."""
    found = [parse_verdict(words, options, form) for form, options in _FORMS]
    return next((one for one in found if one.preference is not Preference.UNPARSED), found[0])


def _question(asked: object) -> str:
    """What the user said, the last of it, without what a template put around it."""
    if isinstance(asked, str) and asked:
        return asked
    if isinstance(asked, list):
        said = [part.get("prompt") for part in asked if _is_user(part)]
        if said and isinstance(said[-1], str):
            return said[-1]
    raise ValueError(f"origin_prompt: {shown(asked)}; it must be a text, or parts by {_ROLES}")


def _is_user(part: object) -> bool:
    return isinstance(part, dict) and part.get("role") == _USER


def _rows(folder: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a set in order, from one file or from its parts `_0`, `_1` and so on."""
    whole = folder / f"{name}.json"
    parts = [whole] if whole.is_file() else []
    while (part := folder / f"{name}_{len(parts)}.json").is_file() and whole not in parts:
        parts.append(part)
    for file in parts:
        rows = read_json(file)
        for number in range(len(rows)):
            row = rows.get(str(number))
            if not isinstance(row, dict):
                raise InputError(f"{file}: it has no item {number}, and {len(rows)} items")
            yield f"{file}: item {number}", row


def _set_of(file: Path, folder: Path) -> str:
    """The set that a file is of; a part of it is numbered from 0."""
    match = _PART.fullmatch(file.stem)
    is_part = match is not None and (folder / f"{match[1]}_0.json").is_file()
    return match[1] if match is not None and is_part else file.stem
