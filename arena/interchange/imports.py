"""Battle files of other tools into the store: people's votes and judges' verdicts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from arena.files.tabular import Column
from arena.interchange.battle_rows import (
    FileRows,
    Keys,
    UnaskedIds,
    occurrence,
    read_file_rows,
    together,
)
from arena.interchange.labels import UNPARSED
from arena.interchange.turns import Turns, spoken
from arena.ratings.arrays import Ints
from arena.records import (
    ABSENT,
    KEY_BYTES,
    BackendKind,
    Judge,
    Model,
    Preference,
    Verdict,
    Vote,
    Winner,
    alike,
    content_key,
    keys_after,
)
from arena.store import NewAnswers, Store

BATCH = 20_000  # rows that are held as Python's objects at once
_PREFERENCES = {
    Winner.MODEL_A: Preference.A,
    Winner.MODEL_B: Preference.B,
    Winner.TIE: Preference.TIE,
    Winner.BOTH_BAD: Preference.TIE,
    UNPARSED: Preference.UNPARSED,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought that was not there: rows by kind.

    absent: those of the answers that are without a text. verdicts: by judge. notes: sentences for
    the user.
    """

    prompts: int
    models: int
    answers: int
    votes: int
    verdicts: dict[str, int]
    absent: int = 0
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
    All is checked before anything is stored, and stored in one transaction; a file that was
    imported before adds nothing.
    """
    said = read_file_rows(path, source, _ids(store, path, within))
    known = {model.name: model for model in store.models(archived=True)}
    names = dict.fromkeys([*said.model_a.labels, *said.model_b.labels])
    models = [_model(name, known) for name in names]
    answers = _Answers.of(said, models)
    with store.filling(len(said)) as is_first:
        before, namesakes = store.counts(), _namesakes(store, said, path)
        bare = store.absent_answers()
        stored = store.prompts.present(said.keys.astype(str).tolist())
        store.put_prompts(prompt for prompt in said.each_prompt() if prompt.key not in stored)
        for model in models:
            if model.name not in known:
                store.put_model(model)
        numbers = np.empty(len(answers.keys), np.int32)
        for here, batch in answers.batches(said, models):
            numbers[here] = store.add_answers(batch)
        votes = store.votes.cast_all(
            _votes(said, answers),
            _references(store, said, answers, numbers),
            all_new=is_first,
        )
        verdicts = _add_verdicts(store, said, answers)
        del said, answers  # indexes are made now, which takes memory as well
        store.evidence.keep_up()
        after, absent = store.counts(), store.absent_answers() - bare
    grown = {table: after[table] - before[table] for table in ("prompts", "models", "answers")}
    notes = (*namesakes, *map(str, alike([*names, *known])))
    return Imported(**grown, votes=votes, verdicts=verdicts, absent=absent, notes=notes)


def _ids(store: Store, path: Path, within: str | None) -> UnaskedIds:
    if within is not None:
        return UnaskedIds(within)
    stored = (p for p in store.prompts.where(source=str(path)) if p.turns == (p.name,))
    return UnaskedIds(path.name, frozenset(prompt.name for prompt in stored))


@dataclass(frozen=True, eq=False, slots=True)
class _Answers:
    """The answers of a file, in its order. keys: of each; last: which side of which row told it.

    first, second: (n,) the answers on the two sides of each row, as places in `keys`.
    """

    keys: Keys
    last: Ints
    first: Ints
    second: Ints

    @classmethod
    def of(cls, said: FileRows, models: Sequence[Model]) -> "_Answers":
        """An answer is one model's to one prompt; names that share its key share the answer."""
        place: dict[tuple[str, str], int] = {}
        who = {m.name: place.setdefault((m.name_in_keys, m.key), len(place)) for m in models}
        sides = np.empty((len(said), 2), np.int64)
        for k, column in enumerate((said.model_a, said.model_b)):
            sides[:, k] = np.array([who[label] for label in column.labels])[column.codes]
        sides *= len(said.keys)
        sides += said.prompt[:, None]
        codes, first = together([sides.reshape(-1)])
        keys = np.empty(len(first), f"S{2 * KEY_BYTES}")
        begun = [keys_after("answer", name, key) for name, key in place]
        prompts = _texts_at(said.keys, slice(None))
        for part in _parts(len(first)):
            whose, asked = np.divmod(sides.reshape(-1)[first[part]], len(said.keys))
            keys[part] = [
                begun[m](f',"{prompts[p]}",0]')
                for m, p in zip(whose.tolist(), asked.tolist(), strict=True)
            ]
        last = np.empty(len(first), np.int32)
        last[codes] = np.arange(len(codes), dtype=np.int32)
        return cls(keys, last, codes[::2], codes[1::2])

    def batches(self, said: FileRows, models: Sequence[Model]) -> Iterator[tuple[Ints, NewAnswers]]:
        """All of them with their texts, as the last row that names each has them, and places."""
        writer = {m.name: (m.name, m.key, m.first_name or "") for m in models}
        sides = [
            [writer[label] for label in column.labels] for column in (said.model_a, said.model_b)
        ]
        codes = np.stack([said.model_a.codes, said.model_b.codes])
        # What has no text is never shown, so its order is free, and in that of keys it is stored
        # much sooner.
        is_bare = all(text[1:] == (None, None) for text in said.texts)
        order = np.argsort(self.keys) if is_bare else np.arange(len(self.keys))
        for part in _parts(len(order)):
            here = order[part]
            rows, side = np.divmod(self.last[here], 2)
            both = list(zip(said.text[rows].tolist(), side.tolist(), strict=True))
            written = {one: _written(said.texts[one[0]][one[1] + 1]) for one in dict.fromkeys(both)}
            turns, finish, thinking = zip(*map(written.__getitem__, both), strict=True)
            whose = zip(side.tolist(), codes[side, rows].tolist(), strict=True)
            yield (
                here,
                NewAnswers(
                    key=_texts_at(self.keys, here),
                    writer=[sides[k][code] for k, code in whose],
                    prompt_key=_texts_at(said.keys, said.prompt[rows]),
                    turns=turns,
                    finish=finish,
                    thinking=thinking,
                ),
            )


def _written(turns: Turns | None) -> tuple[str, str, str]:
    """An answer's turns, how each ended, and its thinking, as JSON."""
    answer, thinking = spoken(turns or ("",))
    finish = (ABSENT,) if turns is None else ("stop",) * len(turns)
    as_json = [json.dumps(texts, ensure_ascii=False) for texts in (answer, finish, thinking)]
    return as_json[0], as_json[1], as_json[2]


def _namesakes(store: Store, said: FileRows, path: Path) -> list[str]:
    """Says that ids of this file are also those of other files, whose prompts are taken apart."""
    keys = frozenset(said.keys.astype(str).tolist())
    others = [p for p in store.prompts.where() if Path(p.source) != path and p.key not in keys]
    if others:
        mine = (p for p in said.each_prompt() if p.turns[0].endswith(f": {p.name}"))
        unasked = {prompt.name for prompt in mine}
        others = [p for p in others if p.name in unasked and p.turns[0].endswith(p.name)]
    if not others:
        return []
    files = ", ".join(sorted({Path(p.source).name for p in others}))
    return [
        f"{len({p.name for p in others})} prompts have the ids of others that were imported from "
        f"{files}, and are taken for different ones. If they are the same, import all of the "
        "files with one --set NAME into a new database."
    ]


def _model(name: str, known: Mapping[str, Model]) -> Model:
    """The stored model of that name, so that votes on its answers here join those from a file."""
    return known.get(name) or Model(name, BackendKind.IMPORTED, name)


def _votes(said: FileRows, answers: _Answers) -> Iterator[Vote]:
    """The votes; the same vote of the same person is another one each time that it stands there."""
    rows = np.flatnonzero(said.is_vote)
    if not len(rows):
        return
    codes = [answers.first, answers.second, said.winner.codes, said.who.codes]
    times = occurrence(together([column[rows] for column in codes])[0])
    key = keys_after("imported")
    voters = said.who.labels
    as_json = [json.dumps(voter, ensure_ascii=False) for voter in voters]
    winner = said.winner.map(lambda label: label if label == UNPARSED else Winner(label))
    propensity = said.propensity or Column(np.zeros(len(said), np.int32), [None])
    for part in _parts(len(rows)):
        here = rows[part]
        for prompt, a, b, won, voter, language, drawn, n in zip(
            _texts_at(said.keys, said.prompt[here]),
            _texts_at(answers.keys, answers.first[here]),
            _texts_at(answers.keys, answers.second[here]),
            _labels_at(winner, here),
            said.who.codes[here].tolist(),
            _labels_at(said.language, here),
            _labels_at(propensity, here),
            times[part].tolist(),
            strict=True,
        ):
            battle = key(f',"{a}","{b}","{won}",{as_json[voter]},{n}]')
            yield Vote(battle, prompt, a, b, won, voters[voter], language, drawn)


def _references(
    store: Store, said: FileRows, answers: _Answers, numbers: Ints
) -> Iterator[tuple[int, int, int]]:
    """The numbers of each vote's prompt and answers. numbers: of the answers, in their order."""
    keys = _texts_at(said.keys, slice(None))
    number = store.prompts.numbers(keys)
    prompts = np.array([number[key] for key in keys], np.int32)
    rows = np.flatnonzero(said.is_vote)
    for part in _parts(len(rows)):
        here = rows[part]
        yield from zip(
            prompts[said.prompt[here]].tolist(),
            numbers[answers.first[here]].tolist(),
            numbers[answers.second[here]].tolist(),
            strict=True,
        )


def _texts_at(keys: Keys, places: Ints | slice) -> list[str]:
    return keys[places].astype(str).tolist()  # type: ignore[no-any-return]


def _labels_at(column: Column, rows: Ints) -> list[Any]:
    return [column.labels[code] for code in column.codes[rows].tolist()]


def _parts(n: int) -> Iterator[slice]:
    return (slice(start, start + BATCH) for start in range(0, n, BATCH))


def _add_verdicts(store: Store, said: FileRows, answers: _Answers) -> dict[str, int]:
    """Store the judges' rows; return how many of each were new."""
    found = {}
    judged, labels = ~said.is_vote, said.who.labels
    judges = np.unique(said.who.codes[judged]).tolist()
    for name, code in sorted((labels[k], k) for k in judges):
        rows = np.flatnonzero(judged & (said.who.codes == code))
        key = content_key("judge", "imported", name)
        store.judges.add([Judge(key, name, json.dumps({"imported": True}))])
        said_by = _verdicts(said, answers, rows, name, key)
        found[name] = 0
        while batch := list(islice(said_by, BATCH)):
            found[name] += store.verdicts.add(batch)
    return found


def _verdicts(
    said: FileRows, answers: _Answers, rows: Ints, judge: str, judge_key: str
) -> Iterator[Verdict]:
    """The judge's rows; what it said several times of one pair are samples."""
    samples = occurrence(together([answers.first[rows], answers.second[rows]])[0]) - 1
    for prompt, a, b, won, sample in zip(
        _texts_at(said.keys, said.prompt[rows]),
        _texts_at(answers.keys, answers.first[rows]),
        _texts_at(answers.keys, answers.second[rows]),
        _labels_at(said.winner, rows),
        samples.tolist(),
        strict=True,
    ):
        preference = _PREFERENCES[won]
        yield Verdict(
            content_key(judge_key, a, b, sample),
            judge,
            judge_key,
            prompt,
            a,
            b,
            preference,
            reason="unparsed in the file" if preference is Preference.UNPARSED else "",
            sample=sample,
        )
