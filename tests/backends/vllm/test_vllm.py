"""vLLM's offline engine beside transformers: the same weights say the same.

It has an environment of its own (`make servers`), in which a process asks it for this one.
"""

import json
import os
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from arena.backends import (
    OddsRequest,
    Request,
    TextRequest,
    availability,
    open_backend,
)
from arena.backends.local.weights.loading import ready_folder
from arena.config import parse_model
from arena.records import BackendKind, Decoding, Model
from arena.records.errors import UnavailableError
from arena.store import Store
from tests.real_servers import HOME, INSTALL

PYTHON = HOME / "vllm" / "bin" / "python"
ROOT = Path(__file__).resolve().parents[3]
VARIABLES = {
    "PYTHONPATH": str(ROOT),
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
WAVE = 512  # as the backend has it, whose module needs torch
GREEDY = {"max_tokens": 24, "temperature": 0}
START = "You compare two answers and say which is better. " * 8
ODDS = [
    OddsRequest(f"{START} A: {a}. B: {b}. Which one?", ("A", "B"), prefill)
    for a, b in (("Paris", "Rome"), ("Rome", "Paris"), ("I do not know", "Paris"))
    for prefill in ("", "Answer")
]
TEXTS = [
    TextRequest(" Paris.", "The capital of France is"),
    TextRequest(" Berlin.", "The capital of France is"),
    TextRequest(" falls from clouds", "Rain"),
    TextRequest("Rain falls."),
]
QUESTIONS = ["What is the capital of France?", "Say hello.", "Name a fruit.", "What is 2 + 2?"]


class Engine:
    """The process that asks vLLM."""

    def __init__(self, folder: str) -> None:
        words = [str(PYTHON), str(Path(__file__).with_name("ask.py")), folder]
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | VARIABLES,
        )

    def ask(self, what: str, requests: list[Any], **decoding: Any) -> list[dict[str, Any]]:
        assert self.process.stdin
        assert self.process.stdout
        fields = [{k: v for k, v in asdict(r).items() if v} for r in requests]
        asked = {"ask": what, "requests": fields, "decoding": decoding or GREEDY}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        found: list[dict[str, Any]] = json.loads(self.process.stdout.readline())
        return found


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if not PYTHON.exists():
        pytest.skip(f"vLLM is not installed: {INSTALL}")
    started = Engine(str(ready_folder("smollm2")))
    yield started
    started.process.kill()
    started.process.communicate()


def here(what: str, requests: list[Any], **decoding: Any) -> list[Any]:
    model = replace(parse_model("smollm2"), decoding=Decoding(**(decoding or GREEDY)))
    results = getattr(open_backend(model), what)(requests)
    found = dict(row for result in results for row in result)
    return [found[i] for i in range(len(requests))]


@pytest.mark.servers
@pytest.mark.slow
def test_verdicts_are_those_of_transformers(engine: Engine) -> None:
    for there, own in zip(engine.ask("odds", ODDS), here("odds", ODDS), strict=True):
        assert there["logprobs"] == pytest.approx(own.logprobs, abs=1e-3)


@pytest.mark.servers
@pytest.mark.slow
def test_likelihoods_are_those_of_transformers(engine: Engine) -> None:
    for there, own in zip(
        engine.ask("likelihoods", TEXTS), here("likelihoods", TEXTS), strict=True
    ):
        assert there["logprob"] == pytest.approx(own.logprob, abs=1e-3)
        assert (there["greedy"], there["tokens"]) == (own.greedy, own.tokens)


@pytest.mark.servers
@pytest.mark.slow
def test_answers_are_those_of_transformers(engine: Engine) -> None:
    requests = [Request((text,), seed=k) for k, text in enumerate(QUESTIONS)]
    requests.append(Request(("My name is Zanzibar. Say hello.", "What is my name?")))
    requests.append(Request((QUESTIONS[0],), stop=("Paris",)))
    found, own = engine.ask("converse", requests), here("converse", requests)
    assert [reply["turns"] for reply in found] == [list(reply.turns) for reply in own]
    assert [reply["finish"] for reply in found] == [list(reply.finish) for reply in own]
    tokens = [reply["usage"]["completion_tokens"] for reply in found]
    assert tokens == [reply.usage.completion_tokens for reply in own]


@pytest.mark.servers
@pytest.mark.slow
def test_what_does_not_fit_fails_alone(engine: Engine) -> None:
    requests = [Request(("word " * 2000,)), Request(("Say hello.",))]
    long, short = engine.ask("converse", requests)
    assert "do not fit the context" in long["error"]
    assert short["turns"][0]


@pytest.mark.servers
@pytest.mark.slow
def test_a_run_that_was_killed_ends_in_the_same_texts(tmp_path: Path) -> None:
    """Killed after the first wave that is stored; the second is asked for by another process."""
    if not PYTHON.exists():
        pytest.skip(f"vLLM is not installed: {INSTALL}")
    prompts = [f'{{"id": "p{k}", "turns": ["What is {k} plus 1?"]}}' for k in range(WAVE + 40)]
    (tmp_path / "p.jsonl").write_text("\n".join(prompts), encoding="utf-8")
    (tmp_path / "arena.yaml").write_text(
        f"models: {{m: {{use: 'vllm:{ready_folder('smollm2')}', max_tokens: 4}}}}\n"
        "prompts: [p.jsonl]\n"
    )
    variables = os.environ | VARIABLES
    packages = sysconfig.get_paths()["purelib"]

    def started(db: str) -> "subprocess.Popen[bytes]":
        script = str(Path(__file__).with_name("command.py"))
        words = [str(PYTHON), script, packages, "generate", "--db", db]
        return subprocess.Popen(words, cwd=tmp_path, env=variables)

    def texts(db: str) -> list[tuple[str, tuple[str, ...]]]:
        return sorted((a.key, a.turns) for a in Store(tmp_path / db).answers.where())

    assert started("calm.db").wait() == 0
    Store(tmp_path / "killed.db").close()
    running = started("killed.db")
    while running.poll() is None and not texts("killed.db"):
        time.sleep(0.05)
    running.kill()
    running.wait()
    assert len(texts("killed.db")) == WAVE
    assert started("killed.db").wait() == 0
    assert texts("killed.db") == texts("calm.db")
    assert len(texts("calm.db")) == WAVE + 40


def test_a_model_is_named_by_its_folder_or_its_name_on_the_hub() -> None:
    assert parse_model("vllm:org/name") == Model("name", BackendKind.VLLM, "org/name")
    assert parse_model("m=vllm:./folder").weights == "./folder"


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_one_sentence_says_how_to_get_it() -> None:
    model = parse_model("vllm:org/name")
    assert availability(model).detail == "vLLM is not installed: pip install 'arena-llm[vllm]'"
    with pytest.raises(UnavailableError, match=r"pip install 'arena-llm\[vllm\]'"):
        open_backend(model).start()
