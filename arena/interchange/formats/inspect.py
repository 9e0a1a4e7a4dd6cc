"""inspect_ai logs: LOG.json and LOG.eval, which is a zip of the same by sample.

Shapes: src/inspect_ai/log/_log.py of https://github.com/UKGovernmentBEIS/inspect_ai. A sample that
was asked in several epochs is one item with the mean of its values, as there.
"""

import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from arena.files.tabular import json_value
from arena.interchange.exchange.reading import Peek
from arena.interchange.results import (
    ItemResult,
    LeftOut,
    ResultSet,
    ToolResults,
    field_of,
    field_or,
    figure,
    item_name,
    list_of,
    part,
    read_json,
)
from arena.records import content_key
from arena.records.errors import InputError
from arena.records.errors import said as shown

TOOL = "inspect"
NO_ANSWER = "the scorer found no answer"
LARGEST = 2**28  # bytes of one member of a zip
_MARKS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SampleMark:
    """What a scorer gave one sample in one epoch."""

    item: str
    value: float | None
    text: str
    why: str
    request: str


def recognise(peek: Peek) -> str:
    """By the header of a log, or by the name of a zip."""
    logs = [file for file in peek.files if _is_log(peek.first(file))]
    packed = [file for file in _evals(peek.path) if file.suffix == ".eval"]
    return "logs" if logs or packed else ""


def _is_log(row: Mapping[str, Any]) -> bool:
    return {"version", "status", "eval"} <= row.keys() and isinstance(row["eval"], dict)


def results(path: Path) -> ToolResults:
    """One log, or all logs of a folder, the earlier first."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    sets: list[ResultSet] = []
    left_out: list[LeftOut] = []
    notes: list[str] = []
    found = [(file, *_log(file)) for file in _evals(path)]
    if not found:
        raise InputError(f"{path}: no .json or .eval log in it, as inspect eval writes them")
    for file, header, samples in sorted(found, key=lambda one: _created(one[1])):
        _read(file, header, samples, sets, left_out, notes)
    return ToolResults(tuple(sets), tuple(left_out), tuple(notes))


def _evals(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in (".json", ".eval"))


def _created(header: Row) -> str:
    return str(part(header, "eval").get("created", ""))


def _log(file: Path) -> tuple[Row, list[Row]]:
    """The header of a log and its samples."""
    if file.suffix != ".eval":
        log = read_json(file)
        if not _is_log(log):
            raise InputError(f"{file}: no log of inspect; it has no version, status and eval")
        return log, list_of(file, log, "samples", dict)
    try:
        with ZipFile(file) as packed:
            names = packed.namelist()
            if "header.json" not in names:
                raise InputError(f"{file}: no header.json in it; was the run cut off?")
            header = _member(file, packed, "header.json")
            samples = sorted(name for name in names if name.startswith("samples/"))
            return header, [_member(file, packed, name) for name in samples]
    except (BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{file}: cannot be unpacked ({error}); inspect log convert --to json writes it anew"
        ) from error


def _member(file: Path, packed: ZipFile, name: str) -> Row:
    with packed.open(name) as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"{file}: {name}: larger than {LARGEST // 2**20} MiB")
    try:
        value = json_value(io.TextIOWrapper(io.BytesIO(data), "utf-8").read(), f"{file}: {name}")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: {name}: not UTF-8") from error
    if not isinstance(value, dict):
        raise InputError(f"{file}: {name}: {shown(value)} is not an object")
    return value


def _read(
    file: Path,
    header: Row,
    samples: list[Row],
    sets: list[ResultSet],
    left_out: list[LeftOut],
    notes: list[str],
) -> None:
    """Each scorer of a log as a set."""
    about = field_of(file, header, "eval", dict)
    model, task = field_of(file, about, "model", str), field_of(file, about, "task", str)
    if not samples:
        left_out.append(LeftOut(f"{task} of {model}", "its log holds no samples"))
        return
    if header.get("status") != "success":
        notes.append(f"{file}: its status is {shown(header.get('status'))}; what it holds is used.")
    marks: defaultdict[str, list[SampleMark]] = defaultdict(list)
    for number, sample in enumerate(samples, start=1):
        place = f"{file}: sample {number}"
        for scorer, score in field_or(place, sample, "scores", {}).items():
            marks[scorer].append(_mark(place, sample, scorer, score))
    if not marks:
        left_out.append(LeftOut(f"{task} of {model}", "its samples have no scores"))
    version = f"{TOOL} {about.get('task_version', '')}".strip()
    for scorer, found in marks.items():
        if any(mark.value is None for mark in found):
            why = "its scores are no numbers"
            left_out.append(LeftOut(f"{task} ({scorer}) of {model}", why))
            continue
        reported = _reported(header, scorer)
        items = tuple(_items(found))
        sets.append(ResultSet(model, task, version, scorer, items, "", TOOL, reported))


def _mark(place: str, sample: Row, scorer: str, score: object) -> SampleMark:
    """One sample's mark by one scorer."""
    target, asked = sample.get("target"), sample.get("input")
    value = field_of(f"{place}: {scorer}", score, "value", object)  # type: ignore[arg-type]
    number = _number(value)
    choices = list_of(place, field_or(place, sample, "output", {}), "choices", dict)
    content = part(choices[0], "message").get("content") if choices else ""
    text = content if isinstance(content, str) else _texts(content)
    name = item_name(field_of(place, sample, "id", object), target)
    why = NO_ANSWER if value == "N" else ""
    return SampleMark(name, number, text, why, content_key(_plain(asked), target))


def _texts(content: object) -> str:
    parts = content if isinstance(content, list) else []
    return "".join(str(one.get("text", "")) for one in parts if isinstance(one, dict))


def _plain(asked: object) -> object:
    """What was asked, without the ids that every run makes anew."""
    if isinstance(asked, list):
        return [
            {key: one.get(key) for key in ("role", "content")} if isinstance(one, dict) else one
            for one in asked
        ]
    return asked


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _MARKS or value.casefold() in _MARKS:
            return _MARKS.get(value, _MARKS.get(value.casefold()))
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _items(marks: list[SampleMark]) -> Iterator[ItemResult]:
    """Epochs of one sample are one item with their mean."""
    together: defaultdict[tuple[str, str], list[SampleMark]] = defaultdict(list)
    for mark in marks:
        together[mark.item, mark.request].append(mark)
    for (item, request), found in together.items():
        values = [mark.value for mark in found if mark.value is not None]
        yield ItemResult(item, sum(values) / len(values), found[0].text, found[0].why, request)


def _reported(header: Row, scorer: str) -> tuple[str, float] | None:
    """The log's own figure: its accuracy or its mean."""
    scores = part(header, "results").get("scores")
    for one in scores if isinstance(scores, list) else []:
        if isinstance(one, dict) and scorer in (one.get("name"), one.get("scorer")):
            metrics = part(one, "metrics")
            for name in ("accuracy", "mean"):
                if found := figure(name, part(metrics, name).get("value")):
                    return found
    return None
