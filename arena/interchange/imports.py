"""Battle files of other tools into the store: people's votes and judges' verdicts."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from arena.errors import InputError
from arena.errors import said as shown
from arena.interchange.battles import is_missing, numbers, read_columns, texts
from arena.interchange.labels import UNPARSED
from arena.interchange.turns import Turns, conversation, read_lists, turns_of
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
    alike,
    answer_key,
    content_key,
)
from arena.store import Store

_WINNERS = tuple(Winner)
_PREFERENCES = {
    Winner.MODEL_A: Preference.A,
    Winner.MODEL_B: Preference.B,
    Winner.TIE: Preference.TIE,
    Winner.BOTH_BAD: Preference.TIE,
    UNPARSED: Preference.UNPARSED,
}
_PEOPLE = "human"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought that was not there: rows by kind.

    verdicts: by judge. notes: sentences for the user.
    """

    prompts: int
    models: int
    answers: int
    votes: int
    verdicts: dict[str, int]
    notes: tuple[str, ...] = ()


def import_battles(
    store: Store, path: Path, source: str | None = None, *, within: str | None = None
) -> Imported:
    """Store the votes and verdicts of a battle file, with the models and prompts they are about.

    A row is a vote where its `source` begins with `human` or it has a `voter` and no source;
    else it is the verdict of the judge that `source` names. source: of all rows, in place of
    the column. Answers come from `answer_a` and `answer_b`, questions
    from `question`; where a file has no texts, answers are absent and never shown. A prompt
    without a question is known by its id within its file, or within the set that `within` names.
    All is checked before anything is stored; a file that was imported before adds nothing.
    """
    rows = _rows(path, source, _Ids.of(store, path, within))
    known = {model.name: model for model in store.models(archived=True)}
    prompts = {row.prompt.key: row.prompt for row in rows}
    models = {name: _model(name, known) for row in rows for name in (row.model_a, row.model_b)}
    answers = {key: a for row in rows for key, a in row.answers(models)}
    before, namesakes = store.counts(), _namesakes(store, prompts, path)
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
    notes = (*namesakes, *map(str, alike([*models, *known])))
    return Imported(**grown, votes=votes, verdicts=dict(verdicts), notes=notes)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the file. source: the voter or the judge; turns_a, turns_b: None if not told."""

    prompt: Prompt
    model_a: str
    model_b: str
    winner: str
    source: str
    is_vote: bool
    propensity: float | None
    turns_a: Turns | None
    turns_b: Turns | None

    def answers(self, models: Mapping[str, Model]) -> Iterator[tuple[str, Answer]]:
        for name, turns in ((self.model_a, self.turns_a), (self.model_b, self.turns_b)):
            finish = (ABSENT,) if turns is None else ("stop",) * len(turns)
            model = models[name]
            answer = Answer(name, model.key, self.prompt.key, turns or ("",), finish)
            answer = replace(answer, first_name=model.first_name or "")
            yield answer.key, answer

    def keys(self, models: Mapping[str, Model]) -> tuple[str, str]:
        a, b = (
            answer_key(models[name].name_in_keys, models[name].key, self.prompt.key)
            for name in (self.model_a, self.model_b)
        )
        return a, b


def _namesakes(store: Store, prompts: Mapping[str, Prompt], path: Path) -> list[str]:
    """Says that ids of this file are also those of other files, whose prompts are taken apart."""
    unasked = {p.name for p in prompts.values() if p.turns[0].endswith(f": {p.name}")}
    others = [
        p
        for p in store.prompts.where()
        if p.name in unasked
        and p.turns[0].endswith(p.name)
        and Path(p.source) != path
        and p.key not in prompts
    ]
    if not others:
        return []
    files = ", ".join(sorted({Path(p.source).name for p in others}))
    return [
        f"{len({p.name for p in others})} prompts have the ids of others that were imported from "
        f"{files}, and are taken for different ones. If they are the same, import all of the "
        "files with one --set NAME into a new database."
    ]


@dataclass(frozen=True, slots=True)
class _Ids:
    """What stands for the question of a prompt that has an id only.

    place: the file or the set that the ids belong to. plain: the ids that an earlier version
    stored from this file, when they belonged to no file.
    """

    place: str
    plain: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: Store, path: Path, within: str | None) -> Self:
        if within is not None:
            return cls(within)
        stored = (p for p in store.prompts.where(source=str(path)) if p.turns == (p.name,))
        return cls(path.name, frozenset(prompt.name for prompt in stored))

    def question(self, name: str) -> Turns:
        return (name if name in self.plain else f"{self.place}: {name}",)


def _rows(path: Path, source: str | None, ids: _Ids) -> list[_Row]:
    """All rows of the file, checked."""
    battles = read_columns(path, _COLUMNS, unparsed=True)
    table = battles.table
    if source is None and "source" not in table and "voter" not in table:
        raise InputError(
            f"{path}:1: it has neither `voter` nor `source`, so nobody knows who said this; "
            "--as-votes takes the rows for people's votes, --judge NAME for a judge's verdicts"
        )
    columns: dict[str, Iterable[Any]] = {
        "model_a": battles.model_a,
        "model_b": battles.model_b,
        "winner": battles.winner,
    }
    columns |= {name: texts(table, name) for name in _TEXTS if name in table}
    if "propensity" in table:
        columns["propensity"] = numbers(table, "propensity")
    columns |= {name: table[name] for name in _TURNS if name in table}
    rows = []
    for i, values in enumerate(zip(*columns.values(), strict=True)):
        cells = dict.fromkeys(_COLUMNS) | dict(zip(columns, values, strict=True))
        try:
            rows.append(_row(path, i, cells, source, ids))
        except ValueError as error:
            raise InputError(f"{table.where(i)}: {error}") from error
    return rows


def _row(path: Path, i: int, said: Mapping[str, Any], source: str | None, ids: _Ids) -> _Row:
    """One row. Raises ValueError with the field and what is wrong with it."""
    name = said["prompt"] or f"battle {i + 1}"
    question, answer_a, answer_b = _texts(said, ids.question(name))
    category, language = said["category"] or "imported", said["language"] or "en"
    by = source or said["source"] or _PEOPLE
    is_vote = by.startswith(_PEOPLE)
    who = (said["voter"] or said["source"] or source or "") if is_vote else by
    if not who:
        raise ValueError("source: empty, and there is no voter")
    if is_vote and said["winner"] == UNPARSED:
        allowed = ", ".join(_WINNERS)
        raise ValueError(f"winner: {UNPARSED!r} is no vote; allowed are {allowed}")
    return _Row(
        Prompt(name, question, category, language, source=str(path)),
        said["model_a"],
        said["model_b"],
        said["winner"],
        who,
        is_vote,
        said["propensity"],
        answer_a,
        answer_b,
    )


_TEXTS = ("prompt", "category", "language", "source", "voter")
_TALKS = ("conversation_a", "conversation_b")
_TURNS = ("question", "answer_a", "answer_b", *_TALKS)
_COLUMNS = (*_TEXTS, "propensity", *_TURNS)


def _texts(said: Mapping[str, Any], unasked: Turns) -> tuple[Turns, Turns | None, Turns | None]:
    """The turns of the question and of both answers, from columns of them or of conversations.

    unasked: the question where the row has none.
    """
    given = {key: said[key] for key in _TURNS[:3] if not is_missing(said[key])}
    if not given and not any(is_missing(said[key]) for key in _TALKS):
        return _talks(said)
    try:
        lists = dict(zip(given, read_lists(list(given.values())), strict=True))
    except ValueError as error:
        raise ValueError(f"{', '.join(given)}: {error}") from error
    turns: dict[str, Turns] = {}
    for key, value in lists.items():
        try:
            turns[key] = turns_of(value)
        except ValueError as error:
            raise ValueError(f"{key}: {shown(value)}; {error}") from error
    question = turns.get("question", unasked)
    for key in _TURNS[1:3]:
        if key in turns and len(turns[key]) != len(question):
            there = f"{len(question)} in the question" if "question" in turns else "no question"
            raise ValueError(f"{key}: {len(turns[key])} turns, and there is {there}")
    return question, turns.get("answer_a"), turns.get("answer_b")


def _talks(said: Mapping[str, Any]) -> tuple[Turns, Turns, Turns]:
    """The two conversations of a row, in which the user said the same."""
    read = []
    for key in _TALKS:
        try:
            read.append(conversation(said[key]))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
    (question, answer_a), (other, answer_b) = read
    if question != other:
        raise ValueError("conversation_b: the user says something else than in conversation_a")
    return question, answer_a, answer_b


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
                Winner(row.winner),
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
