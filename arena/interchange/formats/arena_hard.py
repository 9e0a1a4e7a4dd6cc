"""Arena-Hard: questions, answers, and judgments of both games against a baseline.

Shapes: gen_answer.py, gen_judgment.py and utils/judge_utils.py of
https://github.com/lmarena/arena-hard-auto, in the form of 2.0 and in that of 0.1 before it. In the
first game the baseline is A. The baseline of 0.1 is in no file; the project's is gpt-4-0314.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.generation.foreign_prompts import foreign_prompt
from arena.interchange.exchange.entries import (
    Answered,
    Compared,
    Entries,
    Entry,
    SaidText,
)
from arena.interchange.exchange.outgoing import Written, file_name, lines_of_folder
from arena.interchange.exchange.questions import Questions
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, fields_of, files_in
from arena.interchange.exchange.source import BothOrders, Outgoing
from arena.records import Prompt, Winner, content_key
from arena.records.errors import InputError
from arena.records.errors import said as shown

FIRST = "arena-hard-v0.1"
BASELINE_OF_FIRST = "gpt-4-0314"
# Both directions of the sign, as show_result.py has them. True: better by a little only.
SCORES = {
    "A>>B": (Winner.MODEL_A, False),
    "A>B": (Winner.MODEL_A, True),
    "A=B": (Winner.TIE, False),
    "B=A": (Winner.TIE, False),
    "B>A": (Winner.MODEL_B, True),
    "B>>A": (Winner.MODEL_B, False),
    "A<<B": (Winner.MODEL_B, False),
    "A<B": (Winner.MODEL_B, True),
    "B<A": (Winner.MODEL_A, True),
    "B<<A": (Winner.MODEL_A, False),
}
_WORDS = {value: word for word, value in reversed(SCORES.items()) if word != "B=A"}


def recognise(peek: Peek) -> str:
    """By questions with uid and prompt, by answers in messages, by games."""
    firsts = [peek.first(file) for file in peek.files]
    found = {
        "questions": any({"uid", "prompt"} <= row.keys() or _is_first(row) for row in firsts),
        "answers": any({"uid", "model", "messages"} <= row.keys() for row in firsts)
        or any(_is_answer_of_first(row) for row in firsts),
        "judgments": any({"model", "judge", "games"} <= row.keys() for row in firsts),
    }
    return ", ".join(what for what, there in found.items() if there)


def _is_first(row: Any) -> bool:
    """A question of 0.1: turns of objects."""
    turns = row.get("turns")
    return "question_id" in row and isinstance(turns, list) and _begins_with_object(turns)


def _is_answer_of_first(row: Any) -> bool:
    choices = row.get("choices")
    if "model_id" not in row or not isinstance(choices, list) or not _begins_with_object(choices):
        return False
    turns = choices[0].get("turns")
    return isinstance(turns, list) and _begins_with_object(turns)


def _begins_with_object(value: list[Any]) -> bool:
    return bool(value) and isinstance(value[0], dict)


def read(path: Path, hints: Hints) -> Entries:
    """Questions first, then answers, then judgments."""
    reader = _HardReader(Questions.of(path, hints, _question, "uid"), hints)
    yield from reader.questions.entries()
    peek = Peek.of(path)
    rest = [file for file in files_in(path) if file not in reader.questions.files]
    for file in sorted(rest, key=lambda file: "games" in peek.first(file)):
        yield from entries_of(file, reader.entries)


def _question(row: Fields, source: str) -> Prompt | None:
    if "games" in row or not ({"uid", "prompt"} <= row.row.keys() or "turns" in row):
        return None
    return foreign_prompt(row.row, source)


@dataclass(frozen=True, slots=True)
class _HardReader:
    """What all rows together must know."""

    questions: Questions
    hints: Hints

    def entries(self, row: Fields) -> Iterable[Entry]:
        """What one row says."""
        if "games" in row:
            return self._games(row)
        if "messages" in row or "choices" in row:
            return [self._answer(row)]
        raise ValueError("it is no question, answer or judgment of Arena-Hard")

    def _answer(self, row: Fields) -> Entry:
        prompt = self.questions.of_row(row, "question_id")
        if "choices" in row:
            turns = row.parts("choices")[0].parts("turns")
            texts = tuple(turn.text("content") for turn in turns)
            return Answered(prompt, SaidText(row.label("model_id"), _fit(texts, prompt), 0))
        said = [one for one in row.parts("messages") if one.text("role") == "assistant"]
        texts = tuple(_content(one) for one in said)
        return Answered(prompt, SaidText(row.label("model"), _fit(texts, prompt), 0))

    def _games(self, row: Fields) -> Iterator[Entry]:
        """Two games: the baseline is A in the first and B in the second."""
        prompt = self.questions.of_row(row, "question_id")
        model, base = SaidText(row.label("model")), SaidText(self._baseline(row, prompt))
        if model.model == base.model:
            raise ValueError(f"model: {shown(model.model)}; a model cannot meet itself")
        games = row.items("games")
        if len(games) != 2:
            raise ValueError(f"games: {len(games)} of them; it must be both games")
        judge = row.label("judge")
        for game, (first, second) in zip(games, ((base, model), (model, base)), strict=True):
            if game is None:
                continue
            found = fields_of("games", game)
            winner, slight = _score(found)
            words = _judgment(found)
            yield Compared(
                prompt, first, second, winner, judge, is_vote=False, words=words, slight=slight
            )

    def _baseline(self, row: Fields, prompt: Prompt) -> str:
        """The model that the others are compared with."""
        if "baseline" in row:
            return row.label("baseline")
        if self.hints.baseline:
            return self.hints.baseline
        if prompt.category == FIRST:
            return BASELINE_OF_FIRST
        raise ValueError(
            "it has no 'baseline'; --baseline NAME says with which model the others were compared"
        )


def _score(game: Fields) -> tuple[Winner | None, bool]:
    if "score" not in game:
        return None, False
    score = game.text("score").replace(" ", "")
    if score not in SCORES:
        raise ValueError(f"score: {shown(score)}; allowed are {', '.join(SCORES)}")
    return SCORES[score]


def _judgment(game: Fields) -> str:
    """What the judge wrote: a text in 0.1, an object with it in 2.0."""
    said = game.row.get("judgment")
    if isinstance(said, dict):
        return Fields(said).text("answer", "")
    return game.text("judgment", "")


def _content(message: Fields) -> str:
    said = message.need("content")
    return Fields(said).text("answer") if isinstance(said, dict) else message.text("content")


def _fit(texts: tuple[str, ...], prompt: Prompt) -> tuple[str, ...]:
    if len(texts) != len(prompt.turns):
        raise ValueError(
            f"{len(texts)} texts of the model, and question {prompt.name} has "
            f"{len(prompt.turns)} turns"
        )
    return texts


def write(source: Outgoing, place: Path) -> Written:
    """question.jsonl, model_answer/MODEL.jsonl, model_judgment/JUDGE/MODEL.jsonl, as in 2.0."""
    base = _base(source)
    written = Written(place)
    with lines_of_folder(place) as line:
        for prompt in source.prompts():
            if len(prompt.turns) > 1:
                written.leave_out(1, "questions", "they have several turns")
                continue
            line("question.jsonl", _question_row(prompt), "questions")
        for prompt, texts in source.answers():
            for text in texts:
                if len(prompt.turns) > 1 or text.sample:
                    written.leave_out(1, "answers", "of several turns, or not a model's first")
                    continue
                name = f"model_answer/{file_name(text.model)}.jsonl"
                line(name, _answer_row(prompt, text), "answers")
        for pair in source.both_orders():
            _write_pair(pair, base, line, written)
    written.counts = line.counts
    written.leave_out(source.store.votes.count(), "votes", "arena export chatbot-arena writes them")
    return written


def _base(source: Outgoing) -> str:
    names = {model.name for model in source.store.models(archived=True)}
    if source.baseline is None:
        raise InputError(
            "arena-hard compares all models with one; --baseline NAME says which, one of "
            f"{', '.join(sorted(names))}"
        )
    if source.baseline not in names:
        raise InputError(
            f"--baseline {source.baseline}: no such model; there is {', '.join(sorted(names))}"
        )
    return source.baseline


def _write_pair(pair: BothOrders, base: str, line: Any, written: Written) -> None:
    """One row of both games, if the baseline is one of the two and both orders are there."""
    orders = (pair.forward, pair.back)
    first = next((one for one in orders if one and one.first.model == base), None)
    second = next((one for one in orders if one and one.second.model == base), None)
    if first is None and second is None:
        written.leave_out(1, "verdicts", "the baseline is none of the two")
    elif len(pair.forward.prompt.turns) > 1:
        written.leave_out(1, "verdicts", "their questions have several turns")
    else:
        one = first or second
        assert one is not None
        model = one.second.model if one is first else one.first.model
        row = {
            "uid": one.prompt.name,
            "category": _category(one.prompt)[0],
            "judge": one.by,
            "model": model,
            "baseline": base,
            "games": [_game_row(first), _game_row(second)],
        }
        line(f"model_judgment/{file_name(one.by)}/{file_name(model)}.jsonl", row, "judgments")


def _game_row(one: Compared | None) -> dict[str, Any] | None:
    if one is None:
        return None
    score = None if one.winner is None else _WORDS[one.winner, one.slight]
    return {"score": score, "judgment": {"answer": one.words}}


def _category(prompt: Prompt) -> tuple[str, str | None]:
    category, _, sub = prompt.category.partition("/")
    return category, sub or None


def _question_row(prompt: Prompt) -> dict[str, Any]:
    category, sub = _category(prompt)
    row = {"uid": prompt.name, "category": category}
    if sub is not None:
        row["subcategory"] = sub
    if prompt.language != "en":
        row["language"] = prompt.language
    return row | {"prompt": prompt.turns[0]}


def _answer_row(prompt: Prompt, text: SaidText) -> dict[str, Any]:
    said = {"role": "assistant", "content": {"answer": (text.turns or ("",))[0]}}
    return {
        "uid": prompt.name,
        "ans_id": content_key(prompt.key, text.model)[:22],
        "model": text.model,
        "messages": [{"role": "user", "content": prompt.turns[0]}, said],
    }
