"""An OpenCompass work folder: predictions/MODEL/SET.json, results/MODEL/SET.json, summary/."""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from arena.files.encodings import read_text
from arena.interchange.exchange.reading import Peek
from arena.interchange.opencompass_items import METRIC, TOOL, Marked, PredictedItem, entries, mark
from arena.interchange.results import LeftOut, ResultSet, ToolResults, figure, read_json
from arena.records.errors import InputError

PARTS = ("predictions", "results", "summary")
FIGURES = ("score", "accuracy", "exact_match", "f1")
_PART = re.compile(r"(.+)_(\d+)")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Run:
    """A timestamp folder. versions: of the sets' prompts, as its summary has them."""

    folder: Path
    versions: dict[str, str]

    def files(self, part: str, model: str) -> dict[str, Path]:
        folder = self.folder / part / model
        return {file.stem: file for file in sorted(folder.glob("*.json"))}

    @property
    def models(self) -> list[str]:
        found = (self.folder / part for part in PARTS[:2])
        return sorted({m.name for f in found if f.is_dir() for m in f.iterdir() if m.is_dir()})


def read_opencompass(folder: Path) -> ToolResults:
    """One run by its timestamp folder, or all runs of a work folder, the earlier first."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    runs = [folder] if _is_run(folder) else sorted(f for f in folder.iterdir() if _is_run(f))
    if not runs:
        raise InputError(
            f"{folder}: no run of OpenCompass: neither it nor a folder in it has {', '.join(PARTS)}"
        )
    sets: list[ResultSet] = []
    left_out: list[LeftOut] = []
    notes: list[str] = []
    for path in runs:
        run = _Run(path, _versions(path / "summary"))
        models = run.models
        if not models:
            what = f"{len(run.versions)} sets of {path.name}"
            left_out.append(LeftOut(what, "only its sums are here; items are in predictions/"))
        elif not run.versions:
            notes.append(f"{path}: no summary, so the version of the sets' prompts is not known.")
        for model in models:
            _read_model(run, model, sets, left_out, notes)
    return ToolResults(tuple(sets), tuple(left_out), tuple(notes))


def recognise(peek: Peek) -> str:
    """By the folders of a run, in which each model has its own, and no judge."""
    if any("judged-by--" in file.parent.name for file in peek.files):
        return ""
    # lm-eval's results_TIME.json lie in the folder of a model as well, often below `results`.
    files = [f for f in peek.files if f.suffix == ".json" and not f.name.startswith("results_")]
    found = {file.parent.parent.name for file in files}
    return ", ".join(sorted(found & set(PARTS)))


results = read_opencompass


def _is_run(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in PARTS)


def _versions(folder: Path) -> dict[str, str]:
    """Sets to the hash of their prompts, from the latest summary: CSV, or the block in the text."""
    tables = sorted(folder.glob("summary_*.csv")) or sorted(folder.glob("summary_*.txt"))
    if not tables:
        return {}
    text = read_text(tables[-1])
    if tables[-1].suffix == ".txt":
        text = text.partition("csv format\n")[2].partition("\n")[2].partition("\n$")[0]
    try:
        rows = list(csv.DictReader(StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"{tables[-1]}: not CSV: {error}") from error
    if rows and not {"dataset", "version"} <= set(rows[0]):
        raise InputError(f"{tables[-1]}:1: no columns dataset and version, as its summaries have")
    return {row["dataset"]: (row["version"] or "").strip("-") for row in rows}


def _read_model(
    run: _Run, model: str, sets: list[ResultSet], left_out: list[LeftOut], notes: list[str]
) -> None:
    results = run.files("results", model)
    predictions = _joined(run.files("predictions", model), {*results, *run.versions})
    notes += [
        f"{file}: of a run that was not finished; it is not read."
        for file in sorted((run.folder / "predictions" / model).glob("tmp_*.jsonl"))
    ]
    for name in sorted({*results, *predictions}):
        result = read_json(results[name]) if name in results else {}
        parts = predictions.get(name, [])
        found = _entries(parts, notes)
        own = _figure(result)
        if isinstance(found, str):
            left_out.append(LeftOut(f"{name} of {model}", found))
            continue
        details = _details(result.get("details"))
        if not found and details is None:
            why = "only its sum is here; its items are in predictions/"
            left_out.append(LeftOut(f"{name} of {model}", why))
            continue
        marked = mark(found, details, own[1] if own else None)
        if isinstance(marked, Marked):
            version = f"{TOOL} {run.versions.get(name, '')}".strip()
            way = "ppl" if found and all(entry.label for entry in found) else ""
            sets.append(ResultSet(model, name, version, METRIC, marked.items, way, marked.by, own))
        else:
            left_out.append(LeftOut(f"{name} of {model}", marked))


def _joined(files: dict[str, Path], known: set[str]) -> dict[str, list[Path | None]]:
    """Sets to their files: one, or the parts `_0`, `_1`, … in order, None where one is missing."""
    parts: defaultdict[str, dict[int, Path]] = defaultdict(dict)
    whole: dict[str, list[Path | None]] = {}
    for stem, file in files.items():
        match = None if stem in known else _PART.fullmatch(stem)
        if match and (f"{match[1]}_0" in files or match[1] in known):
            parts[match[1]][int(match[2])] = file
        else:
            whole[stem] = [file]
    split = {name: [ps.get(i) for i in range(max(ps) + 1)] for name, ps in parts.items()}
    return split | whole  # a set that is there whole was joined already


def _entries(files: Sequence[Path | None], notes: list[str]) -> list[PredictedItem] | str:
    """The items of a set, up to the first part that is missing."""
    rows: list[Row] = []
    for number, file in enumerate(files):
        if file is None:
            there = next(f for f in files if f is not None)
            gone = re.sub(r"_\d+$", f"_{number}", there.stem)
            if number == 0:
                return f"its first part, {gone}.json, is missing"
            notes.append(
                f"{there.parent / gone}.json is missing: the {len(rows)} items before it are "
                "taken, and what comes after it is not, because its places are not known."
            )
            break
        rows += _rows(file)
    return entries(files[0], rows) if rows else []


def _rows(file: Path) -> list[Row]:
    """Items in order; they are numbered from 0 in each file."""
    held = read_json(file)
    if not held:
        raise InputError(f"{file}: no items in it")
    for number in range(len(held)):
        if str(number) not in held:
            raise InputError(f"{file}: item '{number}' is missing; items are numbered from 0")
    rows = [held[str(number)] for number in range(len(held))]
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError(f"{file}: item {number}: {str(row)[:40]!r} is not an object")
    return rows


def _details(held: object) -> list[Row] | None:
    """What the evaluator dumped by item, in order; None where it is of another form."""
    if isinstance(held, dict):
        numbered = {key: value for key, value in held.items() if key != "type"}
        if not all(str(key).isdigit() for key in numbered):
            return None
        held = [numbered[key] for key in sorted(numbered, key=int)]
    if isinstance(held, list) and held and all(isinstance(one, dict) for one in held):
        return held
    return None


def _figure(result: Row) -> tuple[str, float] | None:
    """The set's own score, the one that its summary shows."""
    figures = {name: found for name, value in result.items() if (found := figure(name, value))}
    name = next((n for n in FIGURES if n in figures), next(iter(figures), None))
    return None if name is None else figures[name]
