"""What a battle file says row by row, checked, as columns of codes: who, of whom, about what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.files.tabular import Column, Table
from arena.files.tabular.rows import kind_of
from arena.interchange.battles import BattleFile, is_missing, numbers, read_columns, texts
from arena.interchange.labels import UNPARSED
from arena.interchange.turns import Turns, conversation, read_lists, turns_of
from arena.ratings.arrays import Bools, Ints
from arena.records import IMPORTED, KEY_BYTES, Prompt, Winner
from arena.records.errors import InputError
from arena.records.errors import said as shown

PEOPLE = "human"
_TEXTS = ("prompt", "category", "language", "source", "voter")
_TALKS = ("conversation_a", "conversation_b")
_TURNS = ("question", "answer_a", "answer_b", *_TALKS)
COLUMNS = (*_TEXTS, "propensity", *_TURNS)
Keys = NDArray[np.bytes_]
Texts = tuple[Turns | None, Turns | None, Turns | None]
_WINNERS = tuple(Winner)


@dataclass(frozen=True, slots=True)
class UnaskedIds:
    """What stands for the question of a prompt that has an id only.

    place: the file or the set that the ids belong to. plain: the ids that an earlier version
    stored from this file, when they belonged to no file.
    """

    place: str
    plain: frozenset[str] = frozenset()

    def question(self, name: str) -> Turns:
        """The turns of a prompt of which the id is all that is known."""
        return (name if name in self.plain else f"{self.place}: {name}",)


@dataclass(frozen=True, eq=False, slots=True)
class FileRows:
    """The rows of a battle file, n of them, each a vote or a verdict.

    model_a, model_b, winner, who, language: one entry a row; who is the voter or the judge.
    propensity: None where the file has none. prompt: (n,) places in `keys`, which are the prompts'
    own in the order of the file; prompts: (len(keys),) the last row about each. text: (n,) places
    in `texts`, which hold question, answer A and answer B, each None where it is not told.
    """

    path: Path
    model_a: Column
    model_b: Column
    winner: Column
    who: Column
    is_vote: Bools
    propensity: Column | None
    language: Column
    category: Column
    prompt: Ints
    keys: Keys
    prompts: Ints
    name: Column
    text: Ints
    texts: Sequence[Texts]
    ids: UnaskedIds

    def __len__(self) -> int:
        return len(self.prompt)

    def each_prompt(self) -> Iterator[Prompt]:
        """The prompts in the order of `keys`, each as the last row about it has it."""
        # By the place of its id a question is known to be absent.
        source = str(self.path if self.path.name == self.ids.place else self.ids.place)
        for row in self.prompts.tolist():
            name = self.name[row] or _nameless(row)
            question = self.texts[self.text[row]][0] or self.ids.question(name)
            category = self.category[row] or IMPORTED
            yield Prompt(name, question, category, self.language[row], source=source)


def read_file_rows(path: Path, source: str | None, ids: UnaskedIds) -> FileRows:
    """All rows of a file, checked. source: of all rows, in place of the column."""
    battles = read_columns(path, COLUMNS, unparsed=True)
    table = battles.table
    if source is None and "source" not in table and "voter" not in table:
        raise InputError(
            f"{path}:1: it has neither `voter` nor `source`, so nobody knows who said this; "
            "--as-votes takes the rows for people's votes, --judge NAME for a judge's verdicts"
        )
    column = {name: _text_column(table, name) for name in _TEXTS}
    propensity = numbers(table, "propensity") if "propensity" in table else None
    text, told, bad_text = _told(table)
    is_vote, who = _who(column, source)
    _refuse_first(table, [bad_text, _nobody(who), _no_vote(battles, is_vote)])
    name, language = column["prompt"], column["language"].map(lambda label: label or "en")
    prompt, keys, prompts = _prompts(name, text, told, ids)
    return FileRows(
        path=path,
        model_a=battles.model_a,
        model_b=battles.model_b,
        winner=battles.winner,
        who=who,
        is_vote=is_vote,
        propensity=propensity,
        language=language,
        category=column["category"],
        prompt=prompt,
        keys=keys,
        prompts=prompts,
        name=name,
        text=text,
        texts=told,
        ids=ids,
    )


def together(columns: Sequence[Ints]) -> tuple[Ints, Ints]:
    """(n,) a number for each distinct row of columns of codes, in the order in which they come.

    Also the first row of each, (numbers,).
    """
    first, codes = _numbered(np.asarray(columns[0]))
    for column in columns[1:]:
        wide = codes.astype(np.int64) * (int(column.max(initial=0)) + 1) + column
        first, codes = _numbered(wide)
    return codes, first


def _numbered(codes: NDArray[Any]) -> tuple[Ints, Ints]:
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return first[order], place[inverse]


def occurrence(codes: Ints) -> Ints:
    """(n,) how many of the same code came up to each row, from 1."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[begins, len(codes)])
    found = np.empty(len(codes), np.int64)
    found[order] = np.arange(len(codes)) - np.repeat(begins, lengths) + 1
    return found


def _nameless(row: int) -> str:
    return f"battle {row + 1}"


def _text_column(table: Table, name: str) -> Column:
    """A column of texts, None where a cell is empty; all of it where the file has none."""
    if name in table:
        return texts(table, name)
    return Column(np.zeros(len(table), np.int32), [None])


def _who(column: Mapping[str, Column], source: str | None) -> tuple[Bools, Column]:
    """Which rows are votes, and the voter or the judge of each; None where nobody is named."""
    sources, voters = column["source"], column["voter"]
    codes, first = together([sources.codes, voters.codes])
    is_vote, who = [], []
    for row in first.tolist():
        by = source or sources[row] or PEOPLE
        is_vote.append(by.startswith(PEOPLE))
        who.append((voters[row] or sources[row] or source or None) if is_vote[-1] else by)
    named = Column(codes.astype(np.int32), who).map(lambda label: label)
    return np.array(is_vote, bool)[codes], named


Problem = tuple[int, str]


def _nobody(who: Column) -> Problem | None:
    row = who.first(lambda label: label is None)
    return None if row is None else (row, "source: empty, and there is no voter")


def _no_vote(battles: BattleFile, is_vote: Bools) -> Problem | None:
    unparsed = np.array([label == UNPARSED for label in battles.winner.labels], bool)
    bad = is_vote & unparsed[battles.winner.codes]
    if not bad.any():
        return None
    allowed = ", ".join(_WINNERS)
    return int(bad.argmax()), f"winner: {UNPARSED!r} is no vote; allowed are {allowed}"


def _refuse_first(table: Table, problems: Sequence[Problem | None]) -> None:
    found = [problem for problem in problems if problem is not None]
    if found:
        row, sentence = min(found, key=lambda problem: problem[0])
        raise InputError(f"{table.where(row)}: {sentence}")


def _told(table: Table) -> tuple[Ints, list[Texts], Problem | None]:
    """The texts of each row as a place in a list, and the first row where they are wrong."""
    given = [name for name in _TURNS if name in table]
    if not given:
        return np.zeros(len(table), np.int64), [(None, None, None)], None
    codes, first = together([table[name].codes for name in given])
    can_say_empty = kind_of(table.path) != "csv"  # whose empty cells may be missing ones
    found: list[Texts] = []
    for row in first.tolist():
        said = dict.fromkeys(_TURNS) | {name: table[name][row] for name in given}
        try:
            texts = _texts(said)
            found.append(_with_empty(texts, said) if can_say_empty else texts)
        except ValueError as error:
            return codes, found, (row, str(error))
    return codes, found, None


def _prompts(
    name: Column, text: Ints, told: Sequence[Texts], ids: UnaskedIds
) -> tuple[Ints, Keys, Ints]:
    """The columns `prompt`, `keys` and `prompts` of `FileRows`.

    A row without an id is a prompt of its own.
    """
    asked, questions = _questions(text, told)
    codes = name.codes.astype(np.int64)
    alone = np.array([not label for label in name.labels], bool)[name.codes]
    codes[alone] = len(name.labels) + np.flatnonzero(alone)
    codes[asked > 0] = 0  # a question says which prompt it is, whatever its id
    codes, first = together([codes, asked])

    def keys() -> Iterator[str]:
        for row in first.tolist():
            question = questions[asked[row]] or ids.question(name[row] or _nameless(row))
            yield Prompt("", question).key

    made = np.fromiter(keys(), f"S{2 * KEY_BYTES}", len(first))
    at, same = _numbered(made)
    prompt = same[codes]
    last = np.empty(len(at), np.int64)
    last[prompt] = np.arange(len(prompt))
    return prompt, made[at], last


def _questions(text: Ints, told: Sequence[Texts]) -> tuple[Ints, list[Turns | None]]:
    """(n,) the question of each row as a place in a list; the first is that of none."""
    place: dict[Turns | None, int] = {None: 0}
    codes = np.array([place.setdefault(one[0], len(place)) for one in told], np.int64)
    return codes[text], list(place)


def _texts(said: Mapping[str, Any]) -> Texts:
    """The turns of the question and of both answers, from columns of them or of conversations."""
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
    asked = len(turns["question"]) if "question" in turns else 1
    for key in _TURNS[1:3]:
        if key in turns and len(turns[key]) != asked:
            there = f"{asked} in the question" if "question" in turns else "no question"
            raise ValueError(f"{key}: {len(turns[key])} turns, and there is {there}")
    return turns.get("question"), turns.get("answer_a"), turns.get("answer_b")


def _with_empty(found: Texts, said: Mapping[str, Any]) -> Texts:
    """The texts; an answer that is given as an empty text is one, and not a missing one."""
    nothing = ("",) * len(found[0] or ("",))
    first, second = (
        nothing if text is None and isinstance(said[key], str) else text
        for key, text in zip(_TURNS[1:3], found[1:], strict=True)
    )
    return found[0], first, second


def _talks(said: Mapping[str, Any]) -> Texts:
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
