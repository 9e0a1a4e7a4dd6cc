"""Battle files of other tools into the store: people's votes and judges' verdicts."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import InputError
from arena.interchange.battles import LABELS, place_of, read_frame
from arena.records import (
    ABSENT,
    Answer,
    BackendKind,
    Judge,
    Model,
    Preference,
    Prompt,
    Verdict,
    Vote,
    Winner,
    answer_key,
    content_key,
)
from arena.store import Store

UNPARSED = "unparsed"
_WINNERS = {
    "model_a": Winner.MODEL_A,
    "model_b": Winner.MODEL_B,
    "tie": Winner.TIE,
    "tie (bothbad)": Winner.BOTH_BAD,
    "both_bad": Winner.BOTH_BAD,
}
_PREFERENCES = {
    "model_a": Preference.A,
    "model_b": Preference.B,
    "tie": Preference.TIE,
    "tie (bothbad)": Preference.TIE,
    "both_bad": Preference.TIE,
    UNPARSED: Preference.UNPARSED,
}
_PEOPLE = "human"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought that was not there: rows by kind. verdicts: by judge."""

    prompts: int
    models: int
    answers: int
    votes: int
    verdicts: dict[str, int]


def import_battles(store: Store, path: Path, source: str | None = None) -> Imported:
    """Store the votes and verdicts of a battle file, with the models and prompts they are about.

    A row is a vote where its `source` begins with `human` or it has a `voter` and no source;
    else it is the verdict of the judge that `source` names. source: of all rows, in place of
    the column. Answers come from `answer_a` and `answer_b`, questions
    from `question`; where a file has no texts, answers are absent and never shown. All is
    checked before anything is stored; a file that was imported before adds nothing.
    """
    rows = _rows(path, source)
    known = {model.name: model for model in store.models()}
    prompts = {row.prompt.key: row.prompt for row in rows}
    models = {name: _model(name, known) for row in rows for name in (row.model_a, row.model_b)}
    answers = {key: a for row in rows for key, a in row.answers(models)}
    before = store.counts()
    store.put_prompts(prompts[key] for key in prompts.keys() - store.prompts.present(prompts))
    for name in models.keys() - known.keys():
        store.put_model(models[name])
    store.answers.add(answers.values())
    votes = store.votes.cast_all(_votes(rows, models))
    verdicts: Counter[str] = Counter()
    for name in sorted({row.source for row in rows if not row.is_vote}):
        key = content_key("judge", "imported", name)
        store.judges.add([Judge(key, name, json.dumps({"imported": True}))])
        verdicts[name] = store.verdicts.add(_verdicts(rows, name, key, models))
    after = store.counts()
    grown = {table: after[table] - before[table] for table in ("prompts", "models", "answers")}
    return Imported(**grown, votes=votes, verdicts=dict(verdicts))


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the file. source: the voter or the judge."""

    prompt: Prompt
    model_a: str
    model_b: str
    winner: str
    source: str
    is_vote: bool
    propensity: float | None
    text_a: str | None
    text_b: str | None

    def answers(self, models: Mapping[str, Model]) -> Iterator[tuple[str, Answer]]:
        for name, text in ((self.model_a, self.text_a), (self.model_b, self.text_b)):
            finish = ABSENT if text is None else "stop"
            answer = Answer(name, models[name].key, self.prompt.key, (text or "",), (finish,))
            yield answer.key, answer

    def keys(self, models: Mapping[str, Model]) -> tuple[str, str]:
        a, b = (
            answer_key(name, models[name].key, self.prompt.key)
            for name in (self.model_a, self.model_b)
        )
        return a, b


def _rows(path: Path, source: str | None) -> list[_Row]:
    frame = read_frame(path, (*LABELS, UNPARSED))
    if source is None and "source" not in frame and "voter" not in frame:
        raise InputError(
            f"{path}:1: it has neither `voter` nor `source`, so nobody knows who said this; "
            "--as-votes takes the rows for people's votes, --judge NAME for a judge's verdicts"
        )
    names = [name for name in (*_REQUIRED, *_COLUMNS) if name in frame]
    columns = zip(*(_column(frame, name) for name in names), strict=True)
    rows = []
    for i, values in enumerate(columns):
        row = _row(path, i, dict.fromkeys(_COLUMNS) | dict(zip(names, values, strict=True)), source)
        if not row.source:
            raise InputError(f"{place_of(path, i)}: source: empty, and there is no voter")
        if row.is_vote and row.winner == UNPARSED:
            allowed = ", ".join(_WINNERS)
            raise InputError(
                f"{place_of(path, i)}: winner: {UNPARSED!r} is no vote; allowed are {allowed}"
            )
        rows.append(row)
    return rows


def _row(path: Path, i: int, said: Mapping[str, Any], source: str | None) -> _Row:
    name = said["prompt"] or f"battle {i + 1}"
    turns = (said["question"] or name,)
    category, language = said["category"] or "imported", said["language"] or "en"
    by = source or said["source"] or _PEOPLE
    is_vote = by.startswith(_PEOPLE)
    return _Row(
        Prompt(name, turns, category, language, source=str(path)),
        said["model_a"],
        said["model_b"],
        said["winner"],
        (said["voter"] or said["source"] or source or "") if is_vote else by,
        is_vote,
        None if said["propensity"] is None else float(said["propensity"]),
        said["answer_a"],
        said["answer_b"],
    )


_REQUIRED = ("model_a", "model_b", "winner")
_COLUMNS = (
    *("prompt", "question", "category", "language", "source", "voter", "propensity"),
    *("answer_a", "answer_b"),
)


def _column(frame: Any, name: str) -> list[str | None]:
    """A column's values as text; None where there is none."""
    return [None if value is None or value != value else str(value) for value in frame[name]]


def _model(name: str, known: Mapping[str, Model]) -> Model:
    """The stored model of that name, so that votes on its answers here join those from a file."""
    return known.get(name) or Model(name, BackendKind.IMPORTED, name)


def _votes(rows: Sequence[_Row], models: Mapping[str, Model]) -> Iterator[Vote]:
    seen: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        if row.is_vote:
            first, second = row.keys(models)
            same = (first, second, row.winner, row.source)
            seen[same] += 1
            yield Vote(
                content_key("imported", *same, seen[same]),
                row.prompt.key,
                first,
                second,
                _WINNERS[row.winner],
                row.source,
                row.prompt.language,
                row.propensity,
            )


def _verdicts(
    rows: Sequence[_Row], judge: str, judge_key: str, models: Mapping[str, Model]
) -> Iterator[Verdict]:
    """The judge's rows; what it said several times of one pair are samples."""
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if not row.is_vote and row.source == judge:
            first, second = row.keys(models)
            sample = seen[first, second]
            seen[first, second] += 1
            preference = _PREFERENCES[row.winner]
            yield Verdict(
                content_key(judge_key, first, second, sample),
                judge,
                judge_key,
                row.prompt.key,
                first,
                second,
                preference,
                reason="unparsed in the file" if preference is Preference.UNPARSED else "",
                sample=sample,
            )
