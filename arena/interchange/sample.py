"""The sample data: answers and verdicts of the embedded model, to have something to vote on.

A folder of JSONL files, one record of `arena.records` a line. It never holds votes.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from arena.files.assets import builtin
from arena.files.strict import path_of, sentence
from arena.files.tabular import json_rows
from arena.records import Answer, Judge, Model, Prompt, Verdict
from arena.records.errors import InputError
from arena.store import Store

R = TypeVar("R")

# Fields that came after the sample was made; where nothing is known of them they are left out.
_LATER = {
    *("thinking_tokens", "room", "released", "extra_headers"),
    *("first_token", "adjustments", "tokenizer", "gpus", "adapter"),
}


def load_sample(store: Store, folder: Path | None = None) -> None:
    """Put the sample into the store; what is there already stays.

    Everything is read and checked before anything is stored.
    """
    place = folder or builtin("data") / "sample"
    sample = _Sample(
        _read(place, Prompt),
        _read(place, Model),
        _read(place, Answer),
        _read(place, Judge),
        _read(place, Verdict),
    )
    _refuse_strays(place, store, sample)
    store.put_prompts(sample.prompts)
    for model in sample.models:
        store.put_model(model)
    store.answers.add(sample.answers)
    store.judges.add(sample.judges)
    store.verdicts.add(sample.verdicts)


@dataclass(frozen=True, slots=True)
class _Sample:
    """What the files of a folder hold."""

    prompts: list[Prompt]
    models: list[Model]
    answers: list[Answer]
    judges: list[Judge]
    verdicts: list[Verdict]


def _refuse_strays(place: Path, store: Store, sample: _Sample) -> None:
    """Rows that are about something which neither the sample nor the store has."""
    models = {model.name for model in (*sample.models, *store.models(archived=True))}
    prompts = {prompt.key for prompt in (*sample.prompts, *store.prompts.where())}
    answers = {answer.key for answer in sample.answers}
    judges = {judge.key for judge in sample.judges}
    compared = {key for v in sample.verdicts for key in (v.first, v.second)}
    answers |= store.answers.present(compared - answers)
    judges |= store.judges.present({v.judge_key for v in sample.verdicts} - judges)
    for a in sample.answers:
        if a.model not in models or a.prompt_key not in prompts:
            raise InputError(
                f"{_file(place, Answer)}: an answer of {a.model!r} to {a.prompt_key!r}, "
                "and one of the two is not known"
            )
    for v in sample.verdicts:
        known = v.judge_key in judges and v.prompt_key in prompts
        if not known or not {v.first, v.second} <= answers:
            raise InputError(
                f"{_file(place, Verdict)}: a verdict of {v.judge!r} on {v.first!r} and "
                f"{v.second!r}, and one of them or their prompt is not known"
            )


def dump_sample(store: Store, folder: Path) -> None:
    """Write the store's prompts, models, answers, judges and verdicts into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, Prompt, store.prompts.where())
    _write(folder, Model, store.models(archived=True))
    _write(folder, Answer, store.answers.where())
    _write(folder, Judge, store.judges.where())
    _write(folder, Verdict, store.verdicts.where())


def _file(folder: Path, record: type) -> Path:
    return folder / f"{record.__name__.lower()}s.jsonl"


def _read(folder: Path, record: type[R]) -> list[R]:
    path, adapter = _file(folder, record), TypeAdapter(record)
    rows = []
    for number, row in json_rows(path):
        try:
            rows.append(adapter.validate_python(row))
        except ValidationError as error:
            problem = error.errors()[0]
            field = path_of(problem)
            raise InputError(f"{path}:{number}: {field}: {sentence(problem)}") from error
    return rows


def _told(row: Any) -> dict[str, Any]:
    """A row without what is not known of it in the fields that came later."""
    usual = {one.name: one.default for one in fields(row) if one.name in _LATER}
    told = {k: v for k, v in asdict(row).items() if k not in usual or v != usual[k]}
    if isinstance(row, Model):
        told["decoding"] = row.decoding.chosen
    return told


def _write(folder: Path, record: type, rows: Iterable[Any]) -> None:
    lines = (json.dumps(_told(row), ensure_ascii=False) + "\n" for row in rows)
    _file(folder, record).write_text("".join(lines), encoding="utf-8")
