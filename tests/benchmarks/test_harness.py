"""lm-eval, for real, on fakes and on the embedded model."""

import importlib.util
import json
import random
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from arena.assets import builtin
from arena.benchmarks import bench, builtin_tasks
from arena.config import parse_model
from arena.errors import BackendError, InputError, UnknownNameError
from arena.evidence import gather
from arena.records import Decoding
from arena.store import Store

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None, reason="lm-eval is not installed: extra `bench`"
)

TASK = """
task: mine
custom_dataset: !function task.load
output_type: generate_until
test_split: test
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["."], max_gen_toks: 20}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: {version: 2.0}
"""
CODE = """
def load(**_):
    from datasets import Dataset
    return {"test": Dataset.from_list([
        {"question": "say this", "answer": "say this"},
        {"question": "one two. three", "answer": "one two"},
        {"question": "wrong " * 30, "answer": "right"},
    ])}
"""


@pytest.fixture
def task(tmp_path: Path) -> str:
    folder = tmp_path / "data" / "items" / "mine"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(TASK)
    (folder / "task.py").write_text(CODE)
    return "mine"


def test_outcomes_of_every_item_are_stored_with_the_tasks_version(store: Store, task: str) -> None:
    progress = bench(store, parse_model("m=fake:echo"), task)
    assert progress.stored == 3
    outcomes = list(store.outcomes.where())
    assert sorted(o.value for o in outcomes) == [0.0, 1.0, 1.0]
    assert {(o.benchmark, o.version, o.metric) for o in outcomes} == {
        ("mine", "2.0", "exact_match")
    }
    (score,) = gather(store).benchmarks
    assert (score.model, score.items, score.mean) == ("m", 3, pytest.approx(2 / 3))
    assert score.stderr == pytest.approx((2 / 9 / 2) ** 0.5)


def test_nothing_is_asked_twice_and_a_limit_is_a_beginning(store: Store, task: str) -> None:
    model = parse_model("m=fake:echo")
    assert bench(store, model, task, limit=2).stored == 2
    again = bench(store, model, task)
    assert (again.found, again.stored) == (2, 1)
    assert store.outcomes.count() == 3


def test_items_that_two_models_did_differently_compare_them(store: Store, task: str) -> None:
    bench(store, parse_model("good=fake:echo"), task)
    bench(store, parse_model("bad=fake:mute"), task)
    comparisons = gather(store).objective["mine"]
    assert comparisons.models == ("bad", "good")
    assert len(comparisons) == 2


def test_a_run_that_failed_on_some_items_says_so_and_keeps_the_others(
    store: Store, task: str
) -> None:
    model = replace(parse_model("smollm2"), context_length=64, decoding=Decoding(max_tokens=8))
    with pytest.raises(BackendError, match=r"\d of 3 items failed .*context"):
        bench(store, model, task)
    assert store.outcomes.count() == 0


def test_the_global_random_generator_is_left_alone(store: Store, task: str) -> None:
    random.seed(1)
    expected = random.Random(1).random()
    bench(store, parse_model("fake:echo"), task)
    assert random.random() == expected


def test_an_unknown_task_is_named(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="short_answer"):
        bench(store, parse_model("fake:echo"), "short_answr")
    assert store.counts()["models"] == 0


def test_without_lm_eval_the_way_to_get_it_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    monkeypatch.setattr("arena.benchmarks.harness.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        bench(store, parse_model("fake:echo"), "short_answer")


def builtin_module() -> ModuleType:
    path = builtin("data") / "items" / "short_answer" / "task.py"
    spec = importlib.util.spec_from_file_location("short_answer_task", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("reply", "answer", "right"),
    [
        ("It is Paris.", "paris", True),
        ("Parisian", "Paris", False),
        ("42", "42", True),
        ("The answer is 42.", "42", True),
        ("142", "42", False),
        ("42.5", "42", False),
        ("1,42", "42", True),
        ("四十二", "四十二", True),
        ("二十六", "十六", False),
        ("答案是十六。", "十六", True),
        ("在长江边", "长江", True),
        ("答案是４２。", "42", True),
        ("", "42", False),
    ],
)
def test_marking(reply: str, answer: str, right: bool) -> None:
    task = builtin_module()
    assert task.process_results({"answers": ["no", answer]}, [reply]) == {"acc": float(right)}


def test_the_built_in_items_are_well_formed(tmp_path: Path) -> None:
    folder = builtin_tasks(tmp_path)["short_answer"]
    task = builtin_module()
    items = [json.loads(x) for x in (folder / "items.jsonl").read_text("utf-8").splitlines()]
    assert len(items) >= 40
    assert len({item["id"] for item in items}) == len(items)
    for item in items:
        assert item["answers"]
        assert item["language"] in task.INSTRUCTIONS
        assert not any(task.contains(item["question"], answer) for answer in item["answers"])


def test_the_embedded_model_does_the_built_in_task(store: Store) -> None:
    model = replace(parse_model("smollm2"), decoding=Decoding(max_tokens=16))
    assert bench(store, model, "short_answer", limit=4).stored == 4
    assert store.outcomes.count() == 4
