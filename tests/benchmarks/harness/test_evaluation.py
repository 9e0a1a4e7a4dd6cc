"""lm-eval, for real, on fakes and on the embedded model."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.machinery import ModuleSpec
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from arena.backends.local.weights.loading import load
from arena.benchmarks import Asking, Benchmark, ItemMode, bench, find_benchmarks
from arena.benchmarks.code.code_eval import CodeEval, marking_code
from arena.benchmarks.code.sandbox import container
from arena.benchmarks.items.tasks import own_data
from arena.benchmarks.quiet import quiet_harness
from arena.benchmarks.scores import objective
from arena.config import parse_model
from arena.files.assets import builtin
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.groups import Group
from arena.records import RULE, UNSAFE, AllowCode, Completion, Decoding, Model
from arena.records.errors import BackendError, InputError, UnknownNameError
from arena.store import Store
from tests.benchmarks.code.walls import needs_container

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


@pytest.mark.model
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


@pytest.mark.slow
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
    monkeypatch.setattr("arena.benchmarks.harness.evaluation.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        bench(store, parse_model("fake:echo"), task)


def writes(monkeypatch: pytest.MonkeyPatch, *replies: str) -> None:
    """Whoever is asked gives these replies, the last one again and again."""

    def write(_: object, requests: Sequence[object], decoding: object) -> list[Completion]:
        texts = [replies[min(k, len(replies) - 1)] for k in range(len(requests))]
        return [Completion(str(k), "m", "m", text, "stop") for k, text in enumerate(texts)]

    monkeypatch.setattr("arena.benchmarks.harness.requests.ModelRequests.write", write)
    monkeypatch.setattr("arena.benchmarks.harness.requests.ModelRequests.progress", None)


@pytest.fixture
def coder(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[Benchmark, Model]:
    """A set of code, and a model that solves its first item."""
    code = "```python\ndef double(n):\n    return 2 * n\n```"
    writes(monkeypatch, code)
    model = parse_model("fake:echo")
    store.put_model(model)
    return one("code_en", store.home), model


def test_code_is_run_only_on_request(store: Store, coder: tuple[Benchmark, Model]) -> None:
    benchmark, model = coder
    with pytest.raises(InputError, match="code_en runs what models write as code; --allow-code"):
        bench(store, model, benchmark, limit=1)
    assert store.outcomes.count() == 0


@needs_container
def test_code_is_run_in_a_container(store: Store, coder: tuple[Benchmark, Model]) -> None:
    benchmark, model = coder
    done = bench(store, model, benchmark, limit=2, allow_code=AllowCode.CONTAINER)
    assert [(o.value, o.marker) for o in done.outcomes] == [(1.0, RULE), (0.0, RULE)]
    assert (done.code, done.notes) == (AllowCode.CONTAINER, ())


def test_the_result_says_that_code_ran_without_a_container(
    store: Store, coder: tuple[Benchmark, Model]
) -> None:
    benchmark, model = coder
    done = bench(store, model, benchmark, limit=2, allow_code=AllowCode.UNSAFE)
    assert [(o.value, o.marker) for o in store.outcomes.where()] == [(1.0, UNSAFE), (0.0, UNSAFE)]
    assert done.code is AllowCode.UNSAFE
    assert done.notes == (
        "code_en: what models write ran without a container (--allow-code unsafe), where it can "
        "cheat and do harm.",
    )
    said = objective(store.evidence.outcomes())
    (note,) = said.notes
    assert (
        str(note) == "code_en: the code of 2 replies ran without a container, where it can cheat."
    )
    assert note.text("zh") == "code_en：2 份回答的代码未在容器中运行，可能作弊。"
    assert said.scores[0].judged == 0


def test_where_no_container_works_code_is_refused_before_a_model_is_asked(
    store: Store, coder: tuple[Benchmark, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark, model = coder
    monkeypatch.setenv("PATH", str(tmp_path))
    container.cache_clear()
    with pytest.raises(InputError) as caught:
        bench(store, model, benchmark, limit=1, allow_code=AllowCode.CONTAINER)
    assert "bubblewrap is not installed" in str(caught.value)
    assert "this gives one: " in str(caught.value)
    assert "--allow-code unsafe does without a container" in str(caught.value)
    assert store.outcomes.count() == 0


HUMAN = """
task: human
custom_dataset: !function utils.rows
unsafe_code: true
output_type: generate_until
test_split: test
doc_to_text: "{{prompt}}"
doc_to_target: "{{test}}\\ncheck({{entry_point}})"
metric_list:
  - {metric: !function utils.first, aggregation: mean, higher_is_better: true, k: [1]}
filter_list:
  - name: whole
    filter:
      - {function: custom, filter_fn: !function utils.whole}
metadata: {version: 1.0}
"""
HUMAN_UTILS = """
import evaluate
metric = evaluate.load("code_eval")
assert metric.compute(references=["assert f()"], predictions=[["def f(): 0"]], k=[1])
def rows(**_):
    from datasets import Dataset
    prompt = "def twice(n):\\n    \\"\\"\\"%d\\"\\"\\"\\n"
    test = "def check(candidate):\\n    assert candidate(2) == 4\\n    assert candidate(-1) == -2"
    return {"test": Dataset.from_list([
        {"prompt": prompt % k, "test": test, "entry_point": "twice"} for k in range(2)])}
def first(references, predictions, k):
    return metric.compute(references=references, predictions=predictions, k=k)[0]["pass@1"]
def whole(resps, docs):
    return [[doc["prompt"] + one for one in resp] for resp, doc in zip(resps, docs)]
"""


@pytest.fixture
def human(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Benchmark]:
    """A task in lm-eval's form of HumanEval; what it imports takes seconds, and is not needed."""
    evaluate = ModuleType("evaluate")
    evaluate.__spec__ = ModuleSpec("evaluate", None)
    theirs = SimpleNamespace(compute=lambda **_: ({"pass@1": 1.0}, {}))
    vars(evaluate)["load"] = lambda name: theirs
    monkeypatch.setitem(sys.modules, "evaluate", evaluate)
    folder = store.home / "data" / "items" / "human"
    folder.mkdir(parents=True)
    (folder / "human.yaml").write_text(HUMAN)
    (folder / "utils.py").write_text(HUMAN_UTILS)
    return partial(one, "human", store.home)


@needs_container
def test_a_task_in_the_form_of_human_eval_runs_in_our_containers(
    store: Store, human: Callable[[], Benchmark], monkeypatch: pytest.MonkeyPatch
) -> None:
    with marking_code():
        benchmark = human()
    replies = ["    return n + n", "    return 0"]
    writes(monkeypatch, *replies)
    model = parse_model("fake:echo")
    store.put_model(model)
    done = bench(store, model, benchmark, allow_code=AllowCode.CONTAINER)
    assert [(o.metric, o.value) for o in done.outcomes] == [("first,whole", 1), ("first,whole", 0)]


def test_a_task_that_runs_code_by_itself_is_in_no_container(
    store: Store, human: Callable[[], Benchmark]
) -> None:
    with pytest.raises(InputError, match="human runs what models write by code of its own"):
        bench(store, parse_model("fake:echo"), human(), allow_code=AllowCode.CONTAINER)
    assert store.completions.count() == 0


def test_pass_at_k_is_the_chance_that_one_of_k_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.benchmarks.code.code_eval.passes", lambda code, tests: code == tests)
    metric = CodeEval()
    metric.trial = False
    scores, passed = metric.compute(predictions=[["a", "b", "b"], ["a"] * 3], references=["a", "a"])
    assert scores == {"pass@1": pytest.approx((1 / 3 + 1) / 2)}
    assert passed == [[True, False, False], [True] * 3]
    scores, _ = metric.compute(predictions=[["a", "b", "b"]], references=["a"], k=[2, 3])
    assert scores == {"pass@2": pytest.approx(2 / 3), "pass@3": 1.0}


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


@pytest.mark.model
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


@pytest.mark.model
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
    from arena.records.errors import NoLikelihoodError

    def mute(self: FakeBackend, *_: object) -> Any:
        raise NoLikelihoodError("m: this server does not tell how likely a given text is")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeBackend, "likelihoods", mute)
        measured = bench(store, parse_model("m=fake:echo"), one("knowledge_en", store.home), 2)
    assert measured.benchmark.asking.way is ItemMode.GEN
    assert "is asked to write the answer instead" in measured.notes[0]
    assert len(measured.outcomes) == 2


@pytest.mark.slow
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


@pytest.mark.parametrize("chat", [None, True, False])
def test_a_system_text_that_is_not_put_is_told(
    store: Store, tmp_path: Path, chat: bool | None
) -> None:
    (tmp_path / "exam.csv").write_text("question,A,B,answer\nIs it?,yes,no,A\n")
    model = replace(parse_model("m=fake:echo"), decoding=Decoding(system="Be brief."))
    exam = own_data(tmp_path / "exam.csv", Asking(way=ItemMode.GEN, chat=chat))
    notes = bench(store, model, exam).notes
    assert any("plain text, in which its system text has no place" in note for note in notes) == (
        chat is False
    )
