"""Prompt sets: JSON files of open-ended questions, one object a line or a list of them.

Other tools' files of questions are read as well, see `foreign_prompts`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from arena.config import Config, Strict
from arena.files.assets import named
from arena.files.strict import listing, path_of, sentence, unknown_key
from arena.files.tabular import json_rows, listed, parse_json, wrapped
from arena.generation.foreign_prompts import foreign_prompt
from arena.records import LIVE, Prompt
from arena.records.errors import InputError, UnknownNameError
from arena.store import Store

SUFFIXES = (".jsonl", ".ndjson", ".json")
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _as_text(value: Any) -> Any:
    """An id that is a number as text; 1.0, as pandas writes it, is 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_code(value: Any) -> Any:
    """A language in small letters, as its code is written."""
    return value.casefold() if isinstance(value, str) else value


class PromptLine(Strict):
    """One line of a prompt file."""

    id: Annotated[Text, BeforeValidator(_as_text)]
    turns: Annotated[tuple[Text, ...], Field(min_length=1)]
    category: Text = "general"
    language: Annotated[Text, BeforeValidator(_as_code)] = "en"
    references: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A set and where it comes from. problem: why its file could not be read, if so."""

    name: str
    path: Path
    prompts: tuple[Prompt, ...] = ()
    problem: str = ""


def prompt_sets(home: Path) -> Iterator[PromptSet]:
    """Every set that is there, the user's own first; a broken file does not hide the others."""
    for name, path in named("prompts", ".jsonl", home):
        try:
            yield PromptSet(name, path, read_prompts(path))
        except InputError as error:
            yield PromptSet(name, path, problem=str(error))


def load_prompts(
    names: Iterable[str], home: Path, limit: int | None = None, stored: Iterable[Prompt] = ()
) -> list[Prompt]:
    """The prompts of sets or files, in their order, the first `limit` of them all together.

    stored: where sets that no file has are looked for.
    """
    sets: defaultdict[str, list[Prompt]] = defaultdict(list)
    for prompt in stored:
        sets[prompt.source].append(prompt)
    found: dict[str, Prompt] = {}
    known = dict(named("prompts", ".jsonl", home))
    for name in names:
        if name.lower().endswith(SUFFIXES) or Path(name).is_file():
            prompts: Iterable[Prompt] = read_prompts(Path(name))
        elif name in known:
            prompts = read_prompts(known[name])
        elif name in sets:
            prompts = sets[name]
        else:
            raise UnknownNameError("prompt set", name, sorted({*known, *sets}))
        for prompt in prompts:
            found.setdefault(prompt.key, prompt)
    return list(found.values())[:limit]


def answered_prompts(
    store: Store, names: Sequence[str], config: Config, limit: int | None = None
) -> list[Prompt]:
    """Prompts whose stored answers are to be judged.

    Those of the sets in `names`, else those that arena.yaml names; where neither names any, all
    with answers, but for live battles.
    """
    stored = [prompt for prompt in store.prompts.where() if prompt.source != LIVE]
    if names or "prompts" in config.model_fields_set:
        return load_prompts(names or config.prompts, store.home, limit, stored)
    answered = {prompt for _, prompt in store.evidence.answered()}
    found = [prompt for prompt in stored if prompt.key in answered]
    return found[:limit] if found else load_prompts(config.prompts, store.home, limit)


_SHAPE = (
    'A prompt file has one JSON object a line, as {"id": "tea", "turns": ["Why is tea bitter?"]}, '
    "or a list of such objects."
)


def read_prompts(path: Path) -> tuple[Prompt, ...]:
    """Read a prompt file; an error names the line, the field and what is allowed."""
    ending = path.suffix.lower()
    if ending in (".parquet", ".csv", ".tsv"):
        raise InputError(f"{path}: taken for a prompt file, which is no table ({ending}). {_SHAPE}")
    return _prompts(json_rows(path), str(path), path.stem)


def parse_prompts(text: str, place: str, source: str) -> tuple[Prompt, ...]:
    """The prompts of a text. place: what errors call it; source: of the prompts."""
    return _prompts(parse_json(text, place), place, source)


def _prompts(
    rows: Iterable[tuple[int, dict[str, Any]]], place: str, source: str
) -> tuple[Prompt, ...]:
    prompts: list[Prompt] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    try:
        for number, fields in rows:
            where = f"{place}:{number}"
            try:
                prompt = _foreign(fields, where, source) or _own(fields, where, source)
            except InputError as error:
                problems.append(str(error))
                continue
            if (twice := seen.setdefault(prompt.name, number)) != number:
                problems.append(f"{where}: id: {prompt.name!r} is also on line {twice}")
            prompts.append(prompt)
    except InputError as error:  # a line that is not JSON, after which nothing is read
        problems.append(str(error) if prompts else f"{error}. {_SHAPE}")
    if problems:
        raise InputError(listing(problems))
    if not prompts:
        raise InputError(f"{place}: empty; a prompt file has one JSON object a line")
    return tuple(prompts)


def _own(fields: dict[str, Any], where: str, source: str) -> Prompt:
    entry = _entry(fields, where)
    if entry.references and len(entry.references) != len(entry.turns):
        raise InputError(
            f"{where}: references: {len(entry.references)} for {len(entry.turns)} turns; "
            "give one for each turn, or none"
        )
    return Prompt(entry.id, entry.turns, entry.category, entry.language, entry.references, source)


def _foreign(fields: dict[str, Any], where: str, source: str) -> Prompt | None:
    """A line of another tool's file of questions; None where it is one of ours, or unknown."""
    try:
        return None if "id" in fields and "turns" in fields else foreign_prompt(fields, source)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def _entry(fields: dict[str, Any], where: str) -> PromptLine:
    try:
        return PromptLine.model_validate(fields)
    except ValidationError as error:
        # A misspelt key says more than that the key it stands for is missing.
        problems = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        problem = problems[0]
        field = path_of(problem)
        if problem["type"] == "extra_forbidden":
            said = unknown_key(field, list(PromptLine.model_fields))
        else:
            said = sentence(problem)
        help_ = wrapped(fields) if problem["type"] in ("missing", "extra_forbidden") else ""
        if problem["type"] == "missing" and not help_:
            names = ", ".join(PromptLine.model_fields)
            help_ = f"it has {listed(fields)}, and a prompt has {names}"
        raise InputError(f"{where}: {field}: {said}{'; ' if help_ else ''}{help_}") from error
