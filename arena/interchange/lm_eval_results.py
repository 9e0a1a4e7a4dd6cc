"""What `lm-eval --log_samples --output_path` writes: results_TIME.json, samples_TASK_TIME.jsonl.

Items, versions, metrics and ways of asking get the names that `arena bench` gives them, so that
a model that was measured there can be compared with one that was measured here.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from arena.benchmarks.harness.naming import by_item
from arena.benchmarks.items.tasks import FOUND
from arena.files.tabular import listed
from arena.interchange.exchange.reading import Peek
from arena.interchange.remark import RepliesToItem, accepted, beside
from arena.interchange.results import (
    ItemResult,
    LeftOut,
    ResultSet,
    ToolResults,
    field_of,
    field_or,
    figure,
    list_of,
    number,
    part,
    read_json,
    read_json_lines,
)
from arena.records import content_key
from arena.records.errors import InputError, said

TOOL = "lm-eval"
PLAIN = "none"
UNREAD = "the task found no answer in the reply"
_NAMES = ("peft", "delta", "pretrained", "model", "path", "engine")
_TIME = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?"
_RESULTS = re.compile(rf"(?!samples_).*_({_TIME})\.json")
_SAMPLES = re.compile(rf"samples_(.+)_({_TIME})\.jsonl")
Row = dict[str, Any]


def read_lm_eval(path: Path) -> ToolResults:
    """One run by its results file, one task by its samples file, or all runs below a folder."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    sets: list[ResultSet] = []
    left_out: list[LeftOut] = []
    if match := _SAMPLES.fullmatch(path.name):
        run = _run(_results_beside(path, match[2]))
        _read_samples(path, match[1], run, sets, left_out)
        return ToolResults(tuple(sets), tuple(left_out))
    for results in _results(path):
        run = _run(results)
        files = {
            match[1]: file
            for file in sorted(results.parent.glob(f"samples_*_{_time(results)}.jsonl"))
            if (match := _SAMPLES.fullmatch(file.name))
        }
        why = "only its sums are here; --log_samples writes the items"
        left_out += [
            LeftOut(f"{task} of {run['model_name']}", why)
            for task in run["configs"]
            if task not in files
        ]
        for task, file in files.items():
            _read_samples(file, task, run, sets, left_out)
    return ToolResults(tuple(sets), tuple(left_out))


def recognise(peek: Peek) -> str:
    """By the names of its files."""
    names = [file.name for file in peek.files]
    found = [n for n in names if _SAMPLES.fullmatch(n)], [n for n in names if _RESULTS.fullmatch(n)]
    return ", ".join(
        what for what, files in zip(("samples", "results"), found, strict=True) if files
    )


results = read_lm_eval


def _results(path: Path) -> list[Path]:
    """The results files that a path stands for, by time."""
    below = path.rglob("*.json")
    found = [path] if path.is_file() else [f for f in below if _RESULTS.fullmatch(f.name)]
    if not found:
        raise InputError(f"{path}: no results_TIME.json in it, as lm-eval's --output_path makes")
    return sorted(found, key=_time)


def _time(results: Path) -> str:
    match = _RESULTS.fullmatch(results.name)
    if match is None:
        raise InputError(
            f"{results}: lm-eval's files are named results_TIME.json and samples_TASK_TIME.jsonl"
        )
    return match[1]


def _results_beside(samples: Path, time: str) -> Path:
    for file in sorted(samples.parent.glob(f"*_{time}.json")):
        if _RESULTS.fullmatch(file.name):
            return file
    raise InputError(
        f"{samples}: results_{time}.json, which tells the model and the task's version, "
        "is not beside it"
    )


def _run(results: Path) -> Row:
    run = read_json(results)
    for name, kind in (("results", dict), ("versions", dict), ("configs", dict)):
        field_of(results, run, name, kind)
    return run | {"model_name": _model_name(results, run)}


def _model_name(results: Path, run: Row) -> str:
    """The model's name, which is empty in the file where lm-eval did not know the argument."""
    if run.get("model_name"):
        return str(field_of(results, run, "model_name", str))
    arguments = part(run, "config").get("model_args")
    named = _arguments(arguments) if isinstance(arguments, str | dict) else {}
    name = next((str(named[key]) for key in _NAMES if named.get(key)), "")
    if not name:
        raise InputError(
            f"{results}: model_name: {said(run.get('model_name'))}; it must name the model, and "
            f"config.model_args has none of {', '.join(_NAMES)}, which would name it"
        )
    return name


def _arguments(given: str | dict[str, Any]) -> dict[str, Any]:
    """The arguments of a model, which are written as `name=value,name=value` or as an object."""
    if isinstance(given, dict):
        return given
    pairs = (one.partition("=") for one in given.split(","))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read_samples(
    file: Path, task: str, run: Row, sets: list[ResultSet], left_out: list[LeftOut]
) -> None:
    """Each metric and filter of a task as a set of its own."""
    if task not in run["configs"]:
        known = listed(run["configs"])
        raise InputError(f"{file}: its results file has no task {task!r}; it has {known}")
    model, whole = run["model_name"], field_or(file, run["results"], task, {})
    better = field_or(file, field_or(file, run, "higher_is_better", {}), task, {})
    field_of(file, run["configs"], task, dict)
    by_filter: defaultdict[str, list[tuple[str, Row]]] = defaultdict(list)
    for place, row in read_json_lines(file):
        field_of(place, row, "doc", dict)
        field_of(place, row, "resps", list)
        list_of(place, row, "metrics", str)
        by_filter[field_or(place, row, "filter", PLAIN)].append((place, row))
    for filtered, rows in by_filter.items():
        metrics = dict.fromkeys(m for _, row in rows for m in _metrics(row, filtered, whole))
        for metric in metrics:
            name = metric if filtered == PLAIN else f"{metric},{filtered}"
            if better.get(metric) is False:
                left_out.append(LeftOut(f"{task} ({name}) of {model}", "less of it is better"))
                continue
            items = _items(rows, metric)
            if items is None:
                why = "it is a figure of the whole set, not of items"
                left_out.append(LeftOut(f"{task} ({name}) of {model}", why))
                continue
            reported = figure(metric, whole.get(f"{metric},{filtered}"))
            version = str(run["versions"].get(task, ""))
            variant = _variant(task, run)
            sets.append(ResultSet(model, task, version, name, items, variant, TOOL, reported))


def _metrics(row: Row, filtered: str, whole: Mapping[str, Any]) -> list[str]:
    """What was measured of an item; before lm-eval 0.4.9 only its results file tells."""
    given = row.get("metrics")
    listed = given if isinstance(given, list) else []
    names = listed or [name for name in row if f"{name},{filtered}" in whole]
    return [str(name) for name in names if name != FOUND]


def _items(rows: Sequence[tuple[str, Row]], metric: str) -> tuple[ItemResult, ...] | None:
    """Results by item: rotations of one item are one, and right only if all are.

    None where the metric is no number for each item.
    """
    for place, row in rows:
        if metric not in row and _is_of_others(row, metric):
            continue
        field_of(place, row, metric, object)
        if isinstance(row[metric], list | dict | str) and isnan(number(row[metric]) or 0.0):
            return None
    together = by_item(row for _, row in rows)
    results = [_result(item, here, metric) for item, here in together.items()]
    return beside(results, [_written(here) for here in together.values()], metric)


def _is_of_others(row: Row, metric: str) -> bool:
    """Whether a row tells what was measured of it, and this metric is not among that."""
    given = row.get("metrics")
    return isinstance(given, list) and metric not in given


def _written(rows: Sequence[Mapping[str, Any]]) -> RepliesToItem:
    """What was written to an item and its gold, where it was asked once and the text is there."""
    replies = rows[0]["resps"][0] if rows[0]["resps"] else None
    said = replies[0] if isinstance(replies, list) and replies else replies
    is_one = len(rows) == len(rows[0]["resps"]) == 1 and replies in (said, [said])
    if not is_one or not isinstance(said, str):
        return RepliesToItem((), ())
    return RepliesToItem((said,), accepted(rows[0].get("target")))


def _result(item: str, rows: Sequence[Mapping[str, Any]], metric: str) -> ItemResult:
    values = [number(row.get(metric)) for row in rows]
    given = [value for value in values if value is not None]
    odd = next((value for value in given if value != value), None)
    return ItemResult(
        item,
        odd if odd is not None else min(given) if len(given) == len(values) else None,
        "\n\n".join(_said(row) for row in rows),
        "" if all(row.get(FOUND, 1.0) for row in rows) else UNREAD,
        content_key(*[(row.get("arguments"), row.get("target")) for row in rows]),
    )


def _said(row: Mapping[str, Any]) -> str:
    """What was written, or the log-likelihoods of the options."""
    first = [
        replies[0] if isinstance(replies, list) and replies else replies for replies in row["resps"]
    ]
    if all(isinstance(reply, str) for reply in first):
        return "\n".join(first)
    return json.dumps([reply[0] if isinstance(reply, list) and reply else reply for reply in first])


def _variant(task: str, run: Row) -> str:
    """As `Asking.variant`, whose default puts what is written as a conversation, nothing else."""
    shots = field_or("n-shot", field_or(task, run, "n-shot", {}), task, 0)
    chat = run.get("chat_template") is not None
    writes = run["configs"][task].get("output_type") == "generate_until"
    parts = [f"{shots}-shot" if shots else "", "chat" if chat else "no chat"]
    return " ".join(filter(None, parts[:1] if chat == writes else parts))
