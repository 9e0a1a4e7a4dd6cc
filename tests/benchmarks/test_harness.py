"""lm-eval, for real, on fakes and on the embedded model."""

import random
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from arena.assets import builtin
from arena.backends.local.weights import load
from arena.benchmarks import Asking, Benchmark, Way, bench, find_benchmarks
from arena.benchmarks.quiet import quiet_harness
from arena.config import parse_model
from arena.errors import BackendError, InputError, UnknownNameError
from arena.evidence import gather
from arena.groups import Group
from arena.records import Decoding, Model
from arena.store import Store

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")

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
def task(tmp_path: Path) -> Benchmark:
    folder = tmp_path / "data" / "items" / "mine"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(TASK)
    (folder / "task.py").write_text(CODE)
    return one("mine", tmp_path)


def one(name: str, home: Path, **asked: Any) -> Benchmark:
    (benchmark,) = find_benchmarks(name, home, Asking(**asked))
    return benchmark


def test_outcomes_of_every_item_are_stored_with_the_tasks_version(
    store: Store, task: Benchmark
) -> None:
    measured = bench(store, parse_model("m=fake:echo"), task)
    assert measured.progress.stored == 3
    outcomes = list(store.outcomes.where())
    assert sorted(o.value for o in outcomes) == [0.0, 1.0, 1.0]
    assert {(o.benchmark, o.version, o.metric) for o in outcomes} == {
        ("mine", "2.0", "exact_match")
    }
    (score,) = gather(store).benchmarks
    assert (score.model, score.items, score.mean) == ("m", 3, pytest.approx(2 / 3))
    assert score.stderr == pytest.approx((2 / 9 / 2) ** 0.5)


def test_nothing_is_asked_twice_and_a_limit_is_a_beginning(store: Store, task: Benchmark) -> None:
    model = parse_model("m=fake:echo")
    assert bench(store, model, task, limit=2).progress.stored == 2
    again = bench(store, model, task).progress
    assert (again.found, again.stored) == (2, 1)
    assert store.outcomes.count() == 3


def test_items_that_two_models_did_differently_compare_them(store: Store, task: Benchmark) -> None:
    bench(store, parse_model("good=fake:echo"), task)
    bench(store, parse_model("bad=fake:mute"), task)
    comparisons = gather(store).objective["mine"]
    assert comparisons.models == ("bad", "good")
    assert len(comparisons) == 2
    assert gather(store, Group("benchmark", "mine")).objective.keys() == {"mine"}
    assert gather(store, Group("benchmark", "other")).objective == {}


def test_a_run_that_failed_on_some_items_says_so_and_keeps_the_others(
    store: Store, task: Benchmark
) -> None:
    model = replace(parse_model("smollm2"), context_length=64, decoding=Decoding(max_tokens=8))
    with pytest.raises(BackendError, match=r"\d of 3 items are not answered .*context"):
        bench(store, model, task)
    assert store.outcomes.count() == 0
    assert store.completions.count() == 2


def test_the_global_random_generator_is_left_alone(store: Store, task: Benchmark) -> None:
    random.seed(1)
    expected = random.Random(1).random()
    bench(store, parse_model("fake:echo"), task)
    assert random.random() == expected


def test_an_unknown_task_is_named(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="short_answer"):
        find_benchmarks("short_answr", store.home, Asking())


def test_a_broken_task_file_is_one_sentence(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "items"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text(TASK.replace("task.load", "task.absent"))
    with pytest.raises(InputError, match="the task broken failed"):
        find_benchmarks("broken", store.home, Asking())


def test_without_lm_eval_the_way_to_get_it_is_said(
    store: Store, task: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.benchmarks.harness.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        bench(store, parse_model("fake:echo"), task)


def test_code_is_run_only_on_request(store: Store) -> None:
    benchmark = one("code_en", store.home)
    model = parse_model("fake:echo")
    with pytest.raises(InputError, match="--allow-code"):
        bench(store, model, benchmark, limit=1)
    assert store.completions.count() == 0
    assert bench(store, model, benchmark, limit=1, allow_code=True).outcomes[0].value == 0.0


def harness_alone(names: list[str], limit: int, *, chat: bool) -> dict[str, dict[str, float]]:
    """lm-eval's own evaluation with its own class for transformers, on the same weights."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    tokenizer, weights = load("smollm2", None)
    with quiet_harness():
        results = simple_evaluate(
            HFLM(pretrained=weights, tokenizer=tokenizer, batch_size=4),
            tasks=names,
            limit=limit,
            apply_chat_template=chat,
            bootstrap_iters=0,
            task_manager=TaskManager(
                include_path=str(builtin("data") / "items"), include_defaults=False
            ),
        )
    return {
        name: {str(s["doc"]["id"]): s["acc"] for s in results["samples"][name]} for name in names
    }


@pytest.mark.parametrize(
    ("names", "limit", "chat"),
    [
        (["knowledge_en", "language_zh", "understanding_zh"], 8, False),
        (["short_answer"], 6, True),
        (["short_answer"], 3, False),
        (["reasoning_en"], 3, True),
    ],
)
def test_every_item_is_marked_as_by_lm_eval_itself(
    store: Store, names: list[str], limit: int, chat: bool
) -> None:
    expected = harness_alone(names, limit, chat=chat)
    for name in names:
        found = bench(store, parse_model("smollm2"), one(name, store.home, chat=chat), limit)
        own = {o.item: o.value for o in found.outcomes if o.metric == "acc"}
        assert own == expected[name]
        assert len(own) == limit


def test_a_base_model_is_put_plain_texts(store: Store) -> None:
    benchmark = one("short_answer", store.home)
    chat = parse_model("smollm2")
    base = replace(chat, name="base", base=True)
    bench(store, base, benchmark, limit=1)
    plain = bench(
        store, replace(chat, name="plain"), one("short_answer", store.home, chat=False), 1
    )
    talked = bench(store, replace(chat, name="chat"), benchmark, limit=1)
    texts = {o.model: o.text for o in store.outcomes.where()}
    assert texts["base"] == texts["plain"] == plain.outcomes[0].text
    assert talked.outcomes[0].text != texts["base"]


def test_models_that_only_write_are_asked_to_write(store: Store) -> None:
    from arena.backends.fake import FakeBackend
    from arena.errors import NoLikelihoodError

    def mute(self: FakeBackend, *_: object) -> Any:
        raise NoLikelihoodError("m: this server does not tell how likely a given text is")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeBackend, "likelihoods", mute)
        measured = bench(store, parse_model("m=fake:echo"), one("knowledge_en", store.home), 2)
    assert measured.benchmark.asking.way is Way.GEN
    assert "is asked to write the answer instead" in measured.notes[0]
    assert len(measured.outcomes) == 2


def test_a_run_that_is_killed_asks_no_item_again(tmp_path: Path) -> None:
    """SIGKILL at six moments of a slow run; what was stored is found by the next."""
    db = tmp_path / "arena.db"
    command = [
        *(sys.executable, "-c", "from arena.cli import main; main()"),
        *("bench", "--db", str(db), "--models", "m=fake:echo@0.02", "--tasks", "short_answer"),
        *("--limit", "40", "--format", "json"),
    ]
    before = 0
    for moment in count(1):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(1.5 + 0.1 * moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        stored = Store(db).completions.count() if db.exists() else 0
        assert stored >= before
        before = stored
        if moment == 6:
            break
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{40 - before} new, {before} already there" in done.stderr
    assert Store(db).completions.count() == 40
    assert Store(db).outcomes.count(metric="acc") == 40


def test_the_model_whose_weights_changed_is_refused(store: Store, task: Benchmark) -> None:
    bench(store, parse_model("m=fake:echo"), task)
    other: Model = parse_model("m=fake:mute")
    with pytest.raises(Exception, match="already stored with other settings"):
        bench(store, other, task)
