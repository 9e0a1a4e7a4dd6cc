"""What evalscope writes: reports/MODEL/SET.json, reviews/MODEL/SET_SUBSET.jsonl (since 1.0)."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.files.encodings import read_text
from arena.files.strict import parse_yaml
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
    item_name,
    list_of,
    number,
    part,
    read_json,
    read_json_lines,
)
from arena.records import content_key
from arena.records.errors import InputError

TOOL = "evalscope"
UNREAD = f"{TOOL} found no answer in the reply"
Row = dict[str, Any]


def read_evalscope(path: Path) -> ToolResults:
    """One report, or all reports below a folder, with the reviews that were written with each."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    sets: list[ResultSet] = []
    left_out: list[LeftOut] = []
    for file in _reports(path):
        report = read_json(file)
        for name, kind in (("model_name", str), ("dataset_name", str), ("metrics", list)):
            field_of(file, report, name, kind)
        for metric in list_of(file, report, "metrics", dict):
            for name in ("semantics", "identity"):
                field_or(file, metric, name, {})
        _read_reviews(file, report, sets, left_out)
    return ToolResults(tuple(sets), tuple(left_out))


def recognise(peek: Peek) -> str:
    """By a report of a model and a set."""
    return "reports" if peek.having("model_name", "dataset_name", "metrics") else ""


results = read_evalscope


def _reports(path: Path) -> list[Path]:
    """Reports by the run they are of, the earlier first."""
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*.json") if file.parent.parent.name == "reports")
    if not found:
        raise InputError(f"{path}: no reports/MODEL/SET.json in it, as evalscope's work_dir has")
    return found


def _read_reviews(file: Path, report: Row, sets: list[ResultSet], left_out: list[LeftOut]) -> None:
    """Each metric of a report as a set, its items from the reviews of all subsets."""
    model, dataset = report["model_name"], report["dataset_name"]
    folder = file.parents[2] / "reviews" / file.parent.name
    there = {review.name for review in folder.glob("*.jsonl")}
    rows: list[tuple[str, str, Row]] = []
    for subset in _subsets(file, report):
        reviews = folder / f"{dataset}_{subset}.jsonl"
        if reviews.name in there:
            rows += [(subset, place, row) for place, row in read_json_lines(reviews)]
        else:
            what = f"{dataset}/{subset} of {model}"
            left_out.append(LeftOut(what, f"only its sum is here; its items are in {reviews}"))
    version = f"{TOOL} {_version(file.parents[2], dataset)}".strip()
    for metric, items in _items(rows).items():
        name = f"{dataset} ({metric}) of {model}"
        if _less_is_better(report, metric):
            left_out.append(LeftOut(name, "less of it is better"))
        else:
            marked = ", judged by ".join([TOOL, *_judges(rows)])
            figure = _figure(report, metric)
            sets.append(ResultSet(model, dataset, version, metric, items, "", marked, figure))


def _subsets(file: Path, report: Row) -> list[str]:
    """The names of what was asked, without those that only add others up."""
    names: dict[str, None] = {}
    for metric in report["metrics"]:
        for category in list_of(file, metric, "categories", dict):
            for subset in list_of(file, category, "subsets", dict):
                name = field_of(file, subset, "name", str)
                if not subset.get("is_aggregate"):
                    names[name] = None
    return list(names)


def _version(run: Path, dataset: str) -> str:
    """The version that evalscope gives its benchmark, where the run's settings tell it."""
    path = run / "configs" / "task_config.yaml"
    try:
        _, said = parse_yaml(read_text(path), path)
        return str(said["evaluation_identity"]["benchmarks"][dataset]["evaluation_version"])
    except (InputError, KeyError, TypeError):
        return ""  # before 1.10 or so there was none


def _items(rows: Sequence[tuple[str, str, Row]]) -> dict[str, tuple[ItemResult, ...]]:
    """Results by metric, the main one first; repeats of one item are one, by their mean."""
    together: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    metrics: dict[str, None] = {}
    for subset, place, row in rows:
        if "sample_score" not in row:
            raise InputError(
                f"{place}: it has no 'sample_score'; reviews are read as evalscope writes them "
                f"since 1.0, and this has {listed(row)}"
            )
        sample = field_of(place, row, "sample_score", dict)
        score = field_of(place, sample, "score", dict)
        values = field_of(place, score, "value", dict)
        main = field_or(place, score, "main_score_name", "")
        list_of(place, field_or(place, score, "judge_summary", {}), "judge_models", str)
        list_of(place, row, "messages", dict)
        metrics |= dict.fromkeys(filter(None, (main, *values)))
        group = sample.get("group_id")
        index = field_of(place, row, "index", object) if group is None else group
        together[f"{subset}/{index}", str(_wanted(row))].append(row)
    return {
        metric: beside(
            [_result(index, here, metric) for (index, _), here in together.items()],
            [_written(here) for here in together.values()],
            metric,
        )
        for metric in metrics
    }


def _written(rows: Sequence[Row]) -> RepliesToItem:
    scores = [row["sample_score"]["score"] for row in rows]
    replies = tuple(str(score.get("prediction") or "") for score in scores)
    return RepliesToItem(replies, accepted(_wanted(rows[0])))


def _result(index: str, rows: Sequence[Row], metric: str) -> ItemResult:
    scores = [row["sample_score"]["score"] for row in rows]
    values = [number(score["value"][metric]) for score in scores if metric in score["value"]]
    given = [value for value in values if value is not None]
    value = sum(given) / len(given) if given else None
    wanted, messages = _wanted(rows[0]), rows[0].get("messages")
    asked = [
        m.get("content")
        for m in (messages if isinstance(messages, list) else [])
        if isinstance(m, dict) and m.get("role") == "user"
    ]
    return ItemResult(
        item_name(index, wanted),
        value,
        "\n\n".join(str(score.get("prediction") or "") for score in scores),
        "" if value != 0 or any(s.get("extracted_prediction") != "" for s in scores) else UNREAD,
        content_key(asked or rows[0].get("input"), wanted),
    )


def _wanted(row: Row) -> list[Any]:
    """The answers that count: a list, which was one text before 1.14."""
    target = row.get("target")
    return target if isinstance(target, list) else [target]


def _judges(rows: Sequence[tuple[str, str, Row]]) -> list[str]:
    summaries = (row["sample_score"]["score"].get("judge_summary") or {} for _, _, row in rows)
    return sorted({name for summary in summaries for name in summary.get("judge_models") or ()})


def _metric(report: Row, metric: str) -> Row:
    """The report's entry of that name; of an only metric the names may differ."""
    named = [m for m in report["metrics"] if metric in (_name(m), _name(m).removeprefix("mean_"))]
    only = report["metrics"] if len(report["metrics"]) == 1 else [{}]
    return dict((named or only)[0])


def _name(metric: Row) -> str:
    return str((part(metric, "identity") or metric).get("name", ""))


def _less_is_better(report: Row, metric: str) -> bool:
    semantics = _metric(report, metric).get("semantics") or {}
    return bool(semantics.get("direction") == "lower_is_better")


def _figure(report: Row, metric: str) -> tuple[str, float] | None:
    said = _metric(report, metric)
    return figure(_name(said), said.get("score"))
