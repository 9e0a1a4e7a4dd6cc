"""AlpacaEval: model_outputs.json and annotations.json.

Shapes: results/MODEL/ and README.md ("Interpreting annotations") of
https://github.com/tatsu-lab/alpaca_eval. A preference from 1 to 2 is the odds of the second output
and one more; 1.5 and 0 are a tie. Nothing in the files tells which output was shown first, so the
verdicts are of one order. Questions have no ids; they are known by their texts.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

from arena.generation.foreign_prompts import alpaca_prompt
from arena.interchange.exchange.entries import Answered, Compared, Entries, Entry, SaidText
from arena.interchange.exchange.outgoing import Written, file_name, lines_of_folder
from arena.interchange.exchange.reading import (
    Fields,
    Hints,
    Peek,
    entries_of,
    files_in,
)
from arena.interchange.exchange.source import Outgoing
from arena.records import Prompt, Winner
from arena.records.errors import said as shown

TIE = 1.5
_SUMS = ("win_rate", "avg_length")


def recognise(peek: Peek) -> str:
    """By an instruction with one output and its generator, or with two."""
    found = {
        "outputs": peek.having("instruction", "output", "generator"),
        "annotations": peek.having("instruction", "output_1", "output_2", "preference"),
        "a leaderboard": peek.having(*_SUMS),
    }
    return ", ".join(what for what, files in found.items() if files)


def read(path: Path, hints: Hints) -> Entries:
    """Outputs first, then annotations."""
    peek = Peek.of(path)
    for file in sorted(files_in(path), key=lambda file: "output_1" in peek.first(file)):
        yield from entries_of(file, partial(_entries, file, hints))


def _entries(file: Path, hints: Hints, row: Fields) -> list[Entry]:
    return [_entry(row, file, hints)]


def _entry(row: Fields, file: Path, hints: Hints) -> Entry:
    if set(_SUMS) <= row.row.keys():
        raise ValueError("a leaderboard has sums only; annotations.json has what they are made of")
    prompt = alpaca_prompt({"instruction": None, **row.row}, "alpacaeval")
    if "output_1" in row or "output_2" in row:
        return _annotation(row, prompt, hints.judge or _judge_of(file))
    return Answered(prompt, SaidText(row.label("generator"), (row.text("output"),), 0))


def _judge_of(file: Path) -> str | None:
    """annotations.json stands in a folder that is named after the annotator."""
    return file.parent.name if file.name.startswith("annotations") else None


def _annotation(row: Fields, prompt: Prompt, judge: str | None) -> Entry:
    first, second = (
        SaidText(row.label(f"generator_{k}"), (row.text(f"output_{k}"),)) for k in (1, 2)
    )
    if first.model == second.model:
        raise ValueError(f"generator_2: {shown(second.model)}; a model cannot meet itself")
    winner, odds = _read_preference(row)
    said = row.row.get("raw_completion")
    words = said if isinstance(said, str) else "" if said is None else json_of(said)
    by = row.label("annotator", judge)
    return Compared(prompt, first, second, winner, by, is_vote=False, odds=odds, words=words)


def json_of(value: object) -> str:
    """What the annotator returned, as one line."""
    return json.dumps(value, ensure_ascii=False)


def _read_preference(
    row: Fields,
) -> tuple[Winner | None, tuple[float, float, float] | None]:
    """The winner, and the odds where it is not certain."""
    value = row.number("preference")
    if value is None or value == -1:
        return None, None
    if value == 0:
        value = TIE
    if not 1 <= value <= 2:
        raise ValueError(f"preference: {value:g}; it must be from 1 to 2, or 0 for a tie")
    winner = Winner.TIE if value == TIE else Winner.MODEL_A if value < TIE else Winner.MODEL_B
    return winner, None if value in (1, TIE, 2) else (2 - value, value - 1, 0.0)


def write(source: Outgoing, place: Path) -> Written:
    """MODEL/model_outputs.json, MODEL/JUDGE/annotations.json; MODEL is the second of a pair."""
    written = Written(place)
    with lines_of_folder(place, in_lists=True) as line:
        for prompt, texts in source.answers():
            for text in texts:
                if len(prompt.turns) > 1 or text.sample:
                    written.leave_out(1, "answers", "of several turns, or not a model's first")
                    continue
                row = _asked(prompt) | {"output": (text.turns or ("",))[0], "generator": text.model}
                line(f"{file_name(text.model)}/model_outputs.json", row, "outputs")
        for pair in source.verdicts():
            if reason := _unfit(pair):
                written.leave_out(1, "verdicts", reason)
                continue
            folder = f"{file_name(pair.second.model)}/{file_name(pair.by)}"
            line(f"{folder}/annotations.json", _annotation_row(pair), "annotations")
    written.counts = line.counts
    votes = source.store.votes.count()
    written.leave_out(votes, "votes", "arena export chatbot-arena writes them")
    return written


def _unfit(pair: Compared) -> str:
    if len(pair.prompt.turns) > 1:
        return "their questions have several turns"
    return "a text is not here" if None in (pair.first.turns, pair.second.turns) else ""


def _asked(prompt: Prompt) -> dict[str, Any]:
    row = {"dataset": prompt.category, "instruction": prompt.turns[0]}
    return row | ({"language": prompt.language} if prompt.language != "en" else {})


def _annotation_row(pair: Compared) -> dict[str, Any]:
    return _asked(pair.prompt) | {
        "output_1": (pair.first.turns or ("",))[0],
        "generator_1": pair.first.model,
        "output_2": (pair.second.turns or ("",))[0],
        "generator_2": pair.second.model,
        "annotator": pair.by,
        "preference": _preference(pair),
        "raw_completion": _completion(pair.words),
    }


def _preference(pair: Compared) -> float | None:
    if pair.winner is None:
        return None
    if pair.odds is not None:
        first, second, tie = pair.odds
        return 1 + second + tie / 2 if first + second + tie else None
    return {Winner.MODEL_A: 1.0, Winner.MODEL_B: 2.0}.get(pair.winner, TIE)


def _completion(words: str) -> Any:
    """An object where it is one, as functions return it."""
    if not words.startswith(("{", "[")):
        return words or None
    try:
        value = json.loads(words)
    except (ValueError, RecursionError):
        return words
    return value if json_of(value) == words else words
