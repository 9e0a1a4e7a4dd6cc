"""The sample data: answers and verdicts of the embedded model, to have something to vote on.

A folder of JSONL files, one record of `arena.records` a line. It never holds votes.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from arena.assets import builtin
from arena.errors import InputError
from arena.records import Answer, Judge, Model, Prompt, Verdict
from arena.store import Store
from arena.tabular import json_rows

R = TypeVar("R")


def load_sample(store: Store, folder: Path | None = None) -> None:
    """Put the sample into the store; what is there already stays.

    Everything is read and checked before anything is stored.
    """
    place = folder or builtin("data") / "sample"
    prompts, models = _read(place, Prompt), _read(place, Model)
    answers, judges, verdicts = _read(place, Answer), _read(place, Judge), _read(place, Verdict)
    store.put_prompts(prompts)
    for model in models:
        store.put_model(model)
    store.answers.add(answers)
    store.judges.add(judges)
    store.verdicts.add(verdicts)


def dump_sample(store: Store, folder: Path) -> None:
    """Write the store's prompts, models, answers, judges and verdicts into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, Prompt, store.prompts.where())
    _write(folder, Model, store.models())
    _write(folder, Answer, store.answers.where())
    _write(folder, Judge, store.judges.where())
    _write(folder, Verdict, store.verdicts.where())


def _file(folder: Path, record: type) -> Path:
    return folder / f"{record.__name__.lower()}s.jsonl"


def _read(folder: Path, record: type[R]) -> list[R]:
    path, adapter = _file(folder, record), TypeAdapter(record)
    rows = []
    for number, fields in json_rows(path):
        try:
            rows.append(adapter.validate_python(fields))
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(str(part) for part in problem["loc"])
            raise InputError(f"{path}:{number}: {field}: {problem['msg']}") from error
    return rows


def _write(folder: Path, record: type, rows: Iterable[Any]) -> None:
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    _file(folder, record).write_text("".join(lines), encoding="utf-8")
