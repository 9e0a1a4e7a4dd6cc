"""WildBench: its tasks with their checklists, models' outputs, and both kinds of evaluation.

Shapes: src/unified_utils.py, src/eval.py and src/openai_batch_eval/batch_results_format.py of
https://github.com/allenai/WildBench. A checklist is what a good answer must do, so it stands beside
the question as a reference does. What a task tells of an earlier conversation is one turn.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from arena.generation.foreign_prompts import asked_of, wild_prompt
from arena.interchange.exchange.entries import (
    Answered,
    Compared,
    Entries,
    Entry,
    SaidText,
    ScoredAnswer,
)
from arena.interchange.exchange.questions import Questions
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, fields_of, files_in
from arena.records import Prompt, Winner
from arena.records.errors import said as shown

CHOICES = {
    "A++": (Winner.MODEL_A, False),
    "A+": (Winner.MODEL_A, True),
    "A=B": (Winner.TIE, False),
    "B+": (Winner.MODEL_B, True),
    "B++": (Winner.MODEL_B, False),
}
_EVALUATED_BY = "eval="


def recognise(peek: Peek) -> str:
    """By tasks, by outputs with a session's id, or by what a judge said of them."""
    found = {
        "tasks": peek.having("conversation_input", "checklist"),
        "outputs": peek.having("session_id", "output", "generator"),
        "evaluations": peek.having("session_id", "parsed_result"),
    }
    return ", ".join(what for what, files in found.items() if files)


def read(path: Path, hints: Hints) -> Entries:
    """Tasks first, then outputs, then evaluations."""
    reader = _WildReader(Questions.of(path, hints, _question, "session_id"), hints)
    yield from reader.questions.entries()
    peek = Peek.of(path)
    rest = [file for file in files_in(path) if file not in reader.questions.files]
    for file in sorted(rest, key=lambda file: "parsed_result" in peek.first(file)):
        reader.judge = hints.judge or _judge_of(file)
        yield from entries_of(file, reader.entries)


def _question(row: Fields, source: str) -> Prompt | None:
    return wild_prompt(row.row, source) if "conversation_input" in row else None


def _judge_of(file: Path) -> str | None:
    """Evaluations stand below a folder eval=JUDGE."""
    names = (part for part in file.parts if part.startswith(_EVALUATED_BY))
    return next((name.removeprefix(_EVALUATED_BY) for name in names), None)


@dataclass(slots=True)
class _WildReader:
    """What all rows together must know. judge: of the file that is read."""

    questions: Questions
    hints: Hints
    judge: str | None = None
    _answered: set[tuple[str, str]] = field(default_factory=set)

    def entries(self, row: Fields) -> Iterable[Entry]:
        """What one row says."""
        if "parsed_result" in row or "result" in row:
            return self._evaluated(row)
        if "output" in row:
            return self._output(row)
        raise ValueError("it is no task, output or evaluation of WildBench")

    def _output(self, row: Fields) -> Iterator[Entry]:
        prompt, model = self._prompt(row), row.label("generator")
        said = row.need("output")
        texts = said if isinstance(said, list) else [said]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"output: {shown(said)}; it must be a text or a list of them")
        self._answered.add((prompt.key, model))
        for index, text in enumerate(texts):
            yield Answered(prompt, SaidText(model, (text,), index))

    def _prompt(self, row: Fields) -> Prompt:
        """The task by its id, or what an output says that was asked."""
        if row.label("session_id") in self.questions or "chat_history" not in row:
            return self.questions.of_row(row)
        roles = ("user", "assistant")
        told = row.items("chat_history")
        messages = [{"role": roles[k % 2], "content": text} for k, text in enumerate(told)]
        try:
            turns = asked_of(messages)
        except ValueError as error:
            raise ValueError(f"chat_history: {error}") from error
        prompt = Prompt(row.label("session_id"), turns, row.label("primary_tag", "general"))
        self.questions.add(prompt)
        return prompt

    def _evaluated(self, row: Fields) -> Iterator[Entry]:
        prompt = self.questions.of_row(row)
        judge = self.judge
        if judge is None and "eval_config" in row:
            judge = row.part("eval_config").label("gpt")
        if judge is None:
            raise ValueError(
                f"no folder is named {_EVALUATED_BY}JUDGE; --judge NAME says who evaluated"
            )
        result = row.row.get("parsed_result")
        said = fields_of("parsed_result", {} if result is None else result)
        if "ref_generator" in row or "model_A" in row:
            yield self._pair(row, prompt, judge, said)
        else:
            yield self._score(row, prompt, judge, said)

    def _pair(self, row: Fields, prompt: Prompt, judge: str, said: Fields) -> Entry:
        names = row.part("assignment") if "assignment" in row else row
        keys = ("A", "B") if "assignment" in row else ("model_A", "model_B")
        models = tuple(names.label(key) for key in keys)
        if models[0] == models[1]:
            raise ValueError(f"{keys[1]}: {shown(models[1])}; a model cannot meet itself")
        first, second = (self._text(row, prompt, model) for model in models)
        choice = said.text("choice", "N/A").strip()
        if choice != "N/A" and choice not in CHOICES:
            raise ValueError(f"choice: {shown(choice)}; allowed are {', '.join(CHOICES)} and N/A")
        winner, slight = CHOICES.get(choice, (None, False))
        words = row.text("result", "") or said.text("reason", "")
        return Compared(
            prompt, first, second, winner, judge, is_vote=False, words=words, slight=slight
        )

    def _score(self, row: Fields, prompt: Prompt, judge: str, said: Fields) -> Entry:
        model = row.label("model_test") if "model_test" in row else row.label("generator")
        value = said.number("score") if said.row.get("score") != "N/A" else None
        words = row.text("result", "") or "\n".join(
            said.text(name) for name in ("strengths", "weaknesses") if name in said
        )
        return ScoredAnswer(prompt, self._text(row, prompt, model), value, judge, words)

    def _text(self, row: Fields, prompt: Prompt, model: str) -> SaidText:
        """The answer that was judged: the output, where that is in another file."""
        if (prompt.key, model) in self._answered:
            return SaidText(model)
        text = None
        if "model_outputs" in row:
            text = row.part("model_outputs").text(model)
        elif model == row.row.get("ref_generator"):
            text = row.text("ref_output")
        elif "model_output" in row:
            held = row.need("model_output")
            text = held[0] if isinstance(held, list) and held else row.text("model_output")
        return SaidText(model, None if text is None else (text,))
