"""FastChat: MT-Bench's questions, answers and judgments, and the arena's logs.

Shapes: fastchat/llm_judge (gen_model_answer.py, common.py) and fastchat/serve/monitor
(clean_battle_data.py) of https://github.com/lm-sys/FastChat. Rows are told by their fields, so a
file may stand anywhere. The judge ["gpt-4", "pair-v2"] is gpt-4: the second name follows from the
turn and the reference, and is written so again.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.generation.foreign_prompts import foreign_prompt, references
from arena.interchange.exchange.entries import (
    Answered,
    Compared,
    Entries,
    Entry,
    Passed,
    SaidText,
    ScoredAnswer,
)
from arena.interchange.exchange.outgoing import Written, file_name, lines_of_folder
from arena.interchange.exchange.questions import Questions
from arena.interchange.exchange.reading import (
    Fields,
    Hints,
    Peek,
    entries_of,
    fields_of,
    files_in,
    rows_of,
)
from arena.interchange.exchange.source import Outgoing
from arena.records import Prompt, Winner, content_key
from arena.records.errors import InputError
from arena.records.errors import said as shown

VOTES = {
    "leftvote": Winner.MODEL_A,
    "rightvote": Winner.MODEL_B,
    "tievote": Winner.TIE,
    "bothbad_vote": Winner.BOTH_BAD,
}
_ROWS = (
    ({"question_id", "turns"}, "questions"),
    ({"question_id", "model_id", "choices"}, "answers"),
    ({"question_id", "model_1", "model_2", "g1_winner"}, "judgments of pairs"),
    ({"question_id", "model", "judge", "score"}, "judgments of answers"),
    ({"type", "models", "states"}, "a log of the arena"),
)
_PASSED = "they are no votes"
REFERENCES = "reference_answer"


def recognise(peek: Peek) -> str:
    """By the fields of the rows; those of Arena-Hard 0.1 differ in their answers' turns."""
    found = [what for names, what in _ROWS for _ in peek.having(*names)[:1]]
    return "" if any(map(_is_arena_hard, _firsts(peek))) else ", ".join(found)


def _firsts(peek: Peek) -> Iterator[Any]:
    return (peek.first(file) for file in peek.files)


def _is_arena_hard(row: Any) -> bool:
    """Its first version has FastChat's names, and objects for turns, and games."""
    turns = row.get("turns")
    choices = row.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        turns = choices[0].get("turns")
    return "games" in row or (
        isinstance(turns, list) and bool(turns) and isinstance(turns[0], dict)
    )


def read(path: Path, hints: Hints) -> Entries:
    """Questions first, then answers, then what was said of them."""
    files = files_in(path)
    told = _references([file for file in files if file.parent.name == REFERENCES])
    reader = _Reader(Questions.of(path, hints, lambda row, source: _question(row, source, told)))
    yield from reader.questions.entries()
    done = {*reader.questions.files, *(file for file in files if file.parent.name == REFERENCES)}
    rest = [file for file in files if file not in done]
    first_rows = Peek.of(path)
    for file in sorted(rest, key=lambda file: "choices" not in first_rows.first(file)):
        reader.log = file.stem
        yield from entries_of(file, reader.entries)


def _question(row: Fields, source: str, told: Mapping[str, tuple[str, ...]]) -> Prompt | None:
    if not {"question_id", "turns"} <= row.row.keys():
        return None
    found = foreign_prompt(row.row, source)
    if found is None or found.references or found.name not in told:
        return found
    return replace(found, references=references(list(told[found.name]), len(found.turns)))


def _references(files: Iterable[Path]) -> dict[str, tuple[str, ...]]:
    """Reference answers by question, from reference_answer/MODEL.jsonl."""
    found: dict[str, tuple[str, ...]] = {}
    for file in files:
        for where, row in rows_of(file):
            try:
                one = fields_of("the line", row)
                turns = one.parts("choices")[0].items("turns")
                if not all(isinstance(turn, str) for turn in turns):
                    raise ValueError(f"turns: {shown(turns)}; it must be a list of texts")
                found.setdefault(one.label("question_id"), tuple(turns))
            except ValueError as error:
                raise InputError(f"{where}: {error}") from error
    return found


@dataclass(slots=True)
class _Reader:
    """What the rows of all files together must know."""

    questions: Questions
    log: str = ""
    _ips: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def entries(self, row: Fields) -> Iterable[Entry]:
        """What one row says, by the fields that it has."""
        if "choices" in row:
            return self._answers(row)
        if "g1_winner" in row:
            return self._pairs(row)
        if "states" in row or "type" in row:
            return self._vote(row)
        if "score" in row:
            return [self._score(row)]
        raise ValueError("it is no question, answer, judgment or vote of FastChat")

    def _answers(self, row: Fields) -> Iterator[Entry]:
        prompt, model = self.questions.of_row(row), row.label("model_id")
        for choice in row.parts("choices"):
            turns = turns_of(choice, "turns", prompt)
            index = int(choice.number("index") or 0)
            yield Answered(prompt, SaidText(model, turns, index))

    def _pairs(self, row: Fields) -> Iterator[Entry]:
        """Both games of a pair, the second with the answers in the other order."""
        prompt, judge = self.questions.of_row(row), judge_of(row)
        first, second = SaidText(row.label("model_1")), SaidText(row.label("model_2"))
        if first.model == second.model:
            raise ValueError(f"model_2: {shown(second.model)}; a model cannot meet itself")
        turn = turn_of(row, prompt)
        sides = (
            ("g1", first, second, {"model_1": Winner.MODEL_A, "model_2": Winner.MODEL_B}),
            ("g2", second, first, {"model_2": Winner.MODEL_A, "model_1": Winner.MODEL_B}),
        )
        for game, one, other, words in sides:
            said = row.text(f"{game}_winner")
            if said not in (*words, "tie", "error"):
                raise ValueError(
                    f"{game}_winner: {shown(said)}; allowed are model_1, model_2, tie and error"
                )
            winner = None if said == "error" else words.get(said, Winner.TIE)
            text = row.text(f"{game}_judgment", "")
            yield Compared(prompt, one, other, winner, judge, is_vote=False, words=text, turn=turn)

    def _score(self, row: Fields) -> Entry:
        prompt, value = self.questions.of_row(row), row.number("score")
        return ScoredAnswer(
            prompt,
            SaidText(row.label("model")),
            None if value is None or value < 0 else value,  # -1 where no score was found
            judge_of(row),
            row.text("judgment", ""),
            turn_of(row, prompt),
        )

    def _vote(self, row: Fields) -> Iterator[Entry]:
        kind = row.text("type")
        if kind not in VOTES or "states" not in row:
            return iter([Passed(_PASSED)])
        return iter([self._voted(row, VOTES[kind])])

    def _voted(self, row: Fields, winner: Winner) -> Entry:
        states = row.parts("states")
        if len(states) != 2:
            raise ValueError(f"states: {len(states)} of them; a vote has two")
        talks = [_talk(state) for state in states]
        names = row.items("models")
        models = [
            state.label("model_name", str(name) if name else None)
            for state, name in zip(states, [*names, None, None], strict=False)
        ]
        if models[0] == models[1]:
            raise ValueError(f"models: {shown(models[1])}; a model cannot meet itself")
        if talks[0][0] != talks[1][0]:
            raise ValueError("states: the user says something else in the second than in the first")
        asked = talks[0][0]
        prompt = Prompt(states[0].label("conv_id", f"talk of {models[0]}"), asked, "imported", "en")
        ips = self._ips[self.log]
        voter = f"{self.log} user {ips.setdefault(row.label('ip', ''), len(ips) + 1)}"
        first, second = (
            SaidText(model, answers) for model, (_, answers) in zip(models, talks, strict=True)
        )
        return Compared(prompt, first, second, winner, voter, is_vote=True)


def _talk(state: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the user and the model said, of [role, text] in turn."""
    start = int(state.number("offset") or 0)
    said: list[list[str]] = [[], []]
    for k, message in enumerate(state.items("messages")[start:]):
        if not isinstance(message, list) or len(message) != 2 or not isinstance(message[1], str):
            raise ValueError(f"messages[{k}]: {shown(message)}; it must be a role and a text")
        said[k % 2].append(message[1])
    if not said[0] or len(said[0]) != len(said[1]):
        raise ValueError("messages: the last one is the user's, and has no answer")
    return tuple(said[0]), tuple(said[1])


def judge_of(row: Fields) -> str:
    """The judge's model; the names of its templates are no judges of their own."""
    judge = row.need("judge")
    if isinstance(judge, list):
        if not judge or not all(isinstance(one, str) and one.strip() for one in judge):
            raise ValueError(f"judge: {shown(judge)}; it must be a model and a template")
        return str(judge[0])
    return row.label("judge")


def turn_of(row: Fields, prompt: Prompt) -> int:
    """The last turn that was judged, from 1; 0 where that is the whole conversation."""
    turn = row.number("turn")
    if turn is None:
        return 0
    if not 1 <= turn <= len(prompt.turns) or turn != int(turn):
        raise ValueError(
            f"turn: {turn:g}; it must be from 1 to {len(prompt.turns)}, the turns of the question"
        )
    return 0 if len(prompt.turns) == 1 else int(turn)


def turns_of(row: Fields, name: str, prompt: Prompt) -> tuple[str, ...]:
    """The texts of an answer, as many as the question has turns."""
    turns = row.items(name)
    if not all(isinstance(one, str) for one in turns):
        raise ValueError(f"{name}: {shown(turns)}; it must be a list of texts")
    if len(turns) != len(prompt.turns):
        raise ValueError(
            f"{name}: {len(turns)} texts, and question {prompt.name} has {len(prompt.turns)} turns"
        )
    return tuple(turns)


def write(source: Outgoing, place: Path) -> Written:
    """question.jsonl, model_answer/MODEL.jsonl, model_judgment/JUDGE_pair.jsonl and _single."""
    written = Written(place)
    with lines_of_folder(place) as line:
        for prompt in source.prompts():
            line("question.jsonl", _question_row(prompt), "questions")
        for prompt, texts in source.answers():
            for model in dict.fromkeys(text.model for text in texts):
                own = [text for text in texts if text.model == model]
                name = f"model_answer/{file_name(model)}.jsonl"
                line(name, _answer_row(prompt, model, own), "answers")
        for pair in source.both_orders():
            if pair.back is None:
                written.leave_out(1, "verdicts", "one order only, and a row holds both")
                continue
            name = f"model_judgment/{file_name(pair.forward.by)}_pair.jsonl"
            line(name, _pair_row(pair.forward, pair.back), "judgments of pairs")
        for score in source.scores():
            name = f"model_judgment/{file_name(score.by)}_single.jsonl"
            line(name, _score_row(score), "judgments of answers")
        written.counts = line.counts
    votes = source.store.votes.count()
    written.leave_out(votes, "votes", "arena export chatbot-arena writes them")
    return written


def _question_row(prompt: Prompt) -> dict[str, Any]:
    row = {"question_id": id_of(prompt), "category": prompt.category, "turns": list(prompt.turns)}
    if prompt.language != "en":
        row["language"] = prompt.language
    return row | ({"reference": list(prompt.references)} if prompt.references else {})


def id_of(prompt: Prompt) -> int | str:
    """The id of a question, a number where it looks like one."""
    name = prompt.name
    return int(name) if re.fullmatch(r"[1-9]\d{0,8}|0", name) else name


def _answer_row(prompt: Prompt, model: str, texts: list[SaidText]) -> dict[str, Any]:
    return {
        "question_id": id_of(prompt),
        "answer_id": content_key(prompt.key, model)[:22],
        "model_id": model,
        "choices": [{"index": text.sample, "turns": list(text.turns or ())} for text in texts],
    }


def _pair_row(one: Compared, back: Compared) -> dict[str, Any]:
    models = one.first.model, one.second.model
    return {
        "question_id": id_of(one.prompt),
        "model_1": models[0],
        "model_2": models[1],
        "g1_winner": _winner(one, ("model_1", "model_2")),
        "g2_winner": _winner(back, ("model_2", "model_1")),
        "judge": [one.by, _template("pair", one.prompt, one.turn)],
        "g1_judgment": one.words,
        "g2_judgment": back.words,
        "turn": one.turn or len(one.prompt.turns),
    }


def _score_row(one: ScoredAnswer) -> dict[str, Any]:
    return {
        "question_id": id_of(one.prompt),
        "model": one.text.model,
        "judge": [one.by, _template("single", one.prompt, one.turn)],
        "judgment": one.words,
        "score": -1 if one.value is None else one.value,
        "turn": one.turn or len(one.prompt.turns),
    }


def _winner(pair: Compared, sides: tuple[str, str]) -> str:
    if pair.winner is None:
        return "error"
    return dict(zip((Winner.MODEL_A, Winner.MODEL_B), sides, strict=True)).get(pair.winner, "tie")


def _template(kind: str, prompt: Prompt, turn: int) -> str:
    """The name that FastChat has for the template of such a question and turn."""
    number = 2 if kind == "pair" and not prompt.references else 1
    math = "-math" if prompt.references else ""
    return f"{kind}{math}-v{number}{'-multi-turn' if (turn or len(prompt.turns)) > 1 else ''}"
