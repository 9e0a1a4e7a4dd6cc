"""Runs on a local cluster of two nodes, one of which is killed half-way, for real."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from arena.backends.cluster import INSTALL, cluster
from arena.cli.main import app
from arena.records.errors import InputError
from arena.store import Store
from tests.backends.local import tiny

PROMPTS = 400  # three waves of a local model
CHOICE = "question,A,B,answer\nWhat is the answer?,alpha,omega,A\nIs the best hello?,yes,no,B\n"
HAS_RAY = find_spec("ray") is not None
ray_is_here = pytest.mark.skipif(not HAS_RAY, reason=f"Ray is not installed: {INSTALL}")


@dataclass
class Two:
    """A cluster of two nodes with a processor each, beside a head that has none.

    After the test that kills one it has one.
    """

    cluster: Any
    nodes: list[Any]

    def kill_one(self) -> None:
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Ray's workers have nice 15, and would starve beside the other tests.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - its own spelling
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    made.wait_for_nodes()
    yield Two(made, nodes)
    made.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A slow fake and two tiny models, a judge that is one of them, and questions."""
    for name in ("one", "two"):
        tiny.save(tmp_path / name)
    lines = [
        f'{{"id": "p{k}", "turns": ["what is w{k % 60} and w{k // 9}"]}}' for k in range(PROMPTS)
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "arena.yaml").write_text(
        "models: {slow: 'fake:echo@0.03', long: {use: ./one, max_tokens: 240}, "
        "warm: {use: ./two, max_tokens: 24, temperature: 0.9}}\nprompts: [p.jsonl]\n"
    )
    (tmp_path / "choice.csv").write_text(CHOICE)
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "j.yaml").write_text(
        "model: ./two\nreading: logit\n"
        "pairwise: {template: j.md, options: {A: alpha, B: omega, tie: maybe}}\n"
    )
    (tmp_path / "judges" / "j.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    return tmp_path


def arena(folder: Path, db: str, *words: str, ray: Any = None) -> "subprocess.Popen[str]":
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    if ray is not None:
        words, variables["RAY_ADDRESS"] = (*words, "--executor", "ray"), ray.address
    return subprocess.Popen(
        [sys.executable, "-c", "from arena.cli import main; main()", *words, "--db", db],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> str:
    """What it told. A random model may say nothing, which is a failure of its own kind."""
    _, told = process.communicate()
    assert process.returncode == 0 or "empty reply" in told, told
    assert "Traceback" not in told, told
    return told


def end_state(db: Path) -> tuple[list[Any], ...]:
    """All rows of a run but for what differs by the clock; odds to five digits."""
    store = Store(db)
    answers = [(a.key, a.turns, a.finish) for a in store.answers.where()]
    verdicts = [(v.key, v.preference, round(v.p_first or 0, 5)) for v in store.verdicts.where()]
    outcomes = [(o.model, o.item, o.metric, o.value) for o in store.outcomes.where()]
    return sorted(answers), sorted(verdicts), sorted(outcomes), sorted(store.standing_unanswered())


GENERATE = ("generate",)
JUDGE = ("judge", "--judge", "j", "--limit", "60", "--min-parsed", "0")
BENCH = ("bench", "--data", "choice.csv", "--mode", "ppl", "--models", "long,warm")


@pytest.mark.slow
@ray_is_here
def test_a_run_that_lost_a_node_ends_as_one_in_one_process(folder: Path, two: Two) -> None:
    """Killed while both workers, which are warm by then, have a wave of a local model in hand."""
    calm = arena(folder, "calm.db", *GENERATE)
    Store(folder / "lost.db").close()
    running = arena(folder, "lost.db", *GENERATE, ray=two.cluster)
    store = Store(folder / "lost.db")
    waves: list[str] = []
    while running.poll() is None and len(waves) < 2:
        if store.answers.count(model="slow") == PROMPTS:
            waves = [w.worker.split(" on ")[0] for w in store.leases.at_work() if w.rows > 100]
        time.sleep(0.02)
    told = CliRunner().invoke(app, ["status", "--db", str(folder / "lost.db")]).stderr
    assert re.search(r"192 rows are in the hands of worker 2 on \S+ for process", told), told
    stored = store.answers.count(model="long")
    two.kill_one()
    assert store.answers.count(model="long") == stored  # what the lost one had is not there
    assert (running.poll(), waves) == (None, ["worker 1", "worker 2"])
    ended(running)
    ended(calm)
    for words in (JUDGE, BENCH):
        ended(arena(folder, "lost.db", *words, ray=two.cluster))
        ended(arena(folder, "calm.db", *words))
    assert end_state(folder / "lost.db") == end_state(folder / "calm.db")
    assert [*store.leases.at_work()] == []
    assert len(end_state(folder / "lost.db")[0]) > 2 * PROMPTS


@pytest.mark.slow
@ray_is_here
def test_weights_that_are_on_no_node_are_one_sentence(folder: Path, two: Two) -> None:
    config = folder / "arena.yaml"
    config.write_text("models: {gone: {use: ./gone}}\nprompts: [p.jsonl]\n")
    process = arena(folder, "x.db", *GENERATE, ray=two.cluster)
    _, told = process.communicate()
    assert process.returncode == 2
    assert "no such folder: ./gone" in told
    assert "Traceback" not in told


@pytest.mark.slow
@ray_is_here
def test_a_cluster_that_does_not_answer_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass
    class Nowhere:
        address: str = "127.0.0.1:1"

    process = arena(folder, "x.db", *GENERATE, ray=Nowhere())
    _, told = process.communicate()
    assert process.returncode == 2
    assert "no Ray cluster can be had at RAY_ADDRESS=127.0.0.1:1" in told
    assert "Traceback" not in told


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed here")
def test_without_ray_one_sentence_says_how_to_get_it() -> None:
    with pytest.raises(InputError, match=r"pip install 'arena-llm\[cluster\]'"), cluster():
        pass


def test_models_run_in_one_place(folder: Path, capsys: Callable[..., Any]) -> None:
    process = arena(folder, "x.db", "generate", "--executor", "ray", "--devices", "cpu")
    _, told = process.communicate()
    assert process.returncode != 0
    assert "--executor and --devices do not go together" in told
