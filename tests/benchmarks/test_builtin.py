"""The sets of our own: whole, balanced, solvable, and as their scripts write them."""

import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from arena.benchmarks import Asking, builtin_tasks, find_benchmarks
from arena.benchmarks.code.sandbox import run
from arena.benchmarks.items.dimensions import Dimension
from arena.benchmarks.items.reading import read_items
from arena.benchmarks.replies.scoring import mark_contains
from arena.files.assets import builtin
from data import make_items
from tests.benchmarks.code.walls import ANY

FOLDER = builtin("data") / "items"
CHOICE = ("knowledge", "reasoning", "language", "understanding", "safety")
REWORDED = {"knowledge_en", "knowledge_zh", "arithmetic_en", "arithmetic_zh"}
Row = dict[str, Any]


def rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


SETS = {path.stem: rows(path) for path in sorted(FOLDER.glob("*.jsonl"))}
CHOICES = [f"{name}_{language}" for name in CHOICE for language in ("en", "zh")]
CODE = [item for name in ("code_en", "code_zh") for item in SETS[name]]


def test_there_are_enough_and_no_two_are_alike() -> None:
    every = [item for items in SETS.values() for item in items]
    assert len(every) >= 400
    assert len({item["id"] for item in every}) == len(every)
    asked = Counter(
        (item["question"], *sorted(str(item.get(key)) for key in "ABCD")) for item in every
    )
    assert asked.most_common(1)[0][1] == 1


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_has_one_right_answer_and_no_rule_finds_it(name: str) -> None:
    items, letters = SETS[name], Counter(item["answer"] for item in SETS[name])
    assert len(items) >= 24
    assert set(letters) == set("ABCD")
    assert max(letters.values()) - min(letters.values()) <= 1
    for item in items:
        assert len({item[key].strip().casefold() for key in "ABCD"}) == 4
    for longest in (max, min):
        assert share_found(items, longest) <= 0.4


def share_found(items: list[Row], extreme: Any) -> float:
    """How often the longest (or shortest) option is the right one, ties shared."""
    right = 0.0
    for item in items:
        lengths = {key: len(item[key]) for key in "ABCD"}
        picked = [key for key in lengths if lengths[key] == extreme(lengths.values())]
        right += (item["answer"] in picked) / len(picked)
    return right / len(items)


@pytest.mark.parametrize("name", sorted(REWORDED))
def test_a_rewording_is_another_text(name: str) -> None:
    items = SETS[name]
    texts = [item["question"] for item in items] + [item["reworded"] for item in items]
    assert len(set(texts)) == 2 * len(items)


def test_only_these_sets_are_reworded() -> None:
    assert {name for name, items in SETS.items() if "reworded" in items[0]} == REWORDED


def test_an_answer_is_not_in_its_question() -> None:
    for item in SETS["short_answer"]:
        assert mark_contains(item["answers"][0], item["answers"]).value == 1.0
        assert mark_contains(item["question"], item["answers"]).value == 0.0, item["id"]


def test_the_script_writes_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_items, "ITEMS", tmp_path)
    make_items.main()
    for path in tmp_path.rglob("*.jsonl"):
        assert path.read_bytes() == (FOLDER / path.relative_to(tmp_path)).read_bytes()


def test_fresh_items_are_other_ones() -> None:
    for path in (FOLDER / "fresh").glob("*.jsonl"):
        known = {item[key] for item in SETS[path.stem] for key in ("question", "reworded")}
        assert not known & {item["question"] for item in rows(path)}


@pytest.mark.parametrize("item", CODE, ids=lambda item: str(item["id"]))
def test_code_is_solved_by_its_solution_alone(item: Row) -> None:
    name = item["question"].split("`")[1].split("(")[0]
    assert run(ANY[0], item["solution"], item["tests"])
    assert not run(ANY[0], f"def {name}(*_):\n    return None", item["tests"])
    assert not run(ANY[0], f"def {name}(x, *_):\n    return x", item["tests"])


@pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None, reason="lm-eval is not installed: extra `bench`"
)
@pytest.mark.parametrize("name", ["core", "code"])
def test_lm_eval_loads_every_task(name: str, tmp_path: Path) -> None:
    found = {task.name: task for task in find_benchmarks(name, tmp_path, Asking())}
    ours = {task for task in builtin_tasks(tmp_path) if task not in ("core", "code")}
    assert set(found) == {task for task in ours if task.startswith("code") == (name == "code")}
    for task, benchmark in found.items():
        assert len(benchmark.task.eval_docs) == len(SETS[task])
        assert benchmark.dimension in set(Dimension)


def test_the_items_are_read() -> None:
    for name in [*CHOICES, *sorted(REWORDED), "short_answer"]:
        assert len(read_items(FOLDER / f"{name}.jsonl")) == len(SETS[name])
