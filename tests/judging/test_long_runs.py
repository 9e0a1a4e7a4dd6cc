"""Long runs against a server that fails, and processes that are killed for real."""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.backends import Limits
from arena.config import parse_model
from arena.generation.answering import generate
from arena.generation.batch import Control
from arena.generation.prompts import load_prompts
from arena.judging import JudgeCard, judge, load_card, plan
from arena.records import Decoding, Prompt
from arena.store import Store
from tests.servers import Fault, Served, fault, serve

pytestmark = pytest.mark.slow

Write = Callable[..., str]
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota")


def filled(path: Path, prompts: int, models: int = 2) -> tuple[Store, list[Prompt]]:
    """A store with answers of fakes; every answer says which it is."""
    store = Store(path)
    asked = [Prompt(f"p{i}", (f"{WORDS[i % 9]} question {i}",)) for i in range(prompts)]
    base = parse_model("fake:echo")
    for k in range(models):
        decoding = Decoding(max_tokens=k + 1, system=str(k))
        generate(store, replace(base, name=f"m{k}", decoding=decoding), asked)
    return store, asked


def asked_of(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


def verdict_on(body: dict[str, Any]) -> str:
    """The longer answer wins: a verdict that depends on the whole of what was shown."""
    answers = re.findall(r"<answer_([ab]) (\w+)>\n(.*?)\n</answer", asked_of(body), re.DOTALL)
    (_, _, a), (_, _, b) = answers
    return f"So: [[{'A' if len(a) > len(b) else 'B' if len(b) > len(a) else 'C'}]]"


def contents(store: Store) -> list[tuple[object, ...]]:
    return sorted((v.key, v.first, v.second, v.preference) for v in store.verdicts.where())


def served_card(write_card: Write, url: str, home: Path, **settings: Any) -> JudgeCard:
    extra = "".join(f", {name}: {value}" for name, value in settings.items())
    name = write_card("served", f"{{use: 'openai:m', base_url: '{url}', max_tokens: 32{extra}}}")
    return load_card(name, home)


def test_two_thousand_calls_with_faults_end_as_without_them(
    tmp_path: Path, write_card: Write
) -> None:
    store, prompts = filled(tmp_path / "faulty.db", prompts=1000)
    calm, _ = filled(tmp_path / "calm.db", prompts=1000)
    dice, tried = random.Random(5), Counter[str]()

    async def late(text: str) -> str:
        await asyncio.sleep(0.1)
        return text

    def script(body: dict[str, Any]) -> Any:
        if len(body["messages"]) > 1:  # the repair
            return verdict_on(body)
        tried[asked_of(body)] += 1
        if dice.random() >= 0.2 or tried[asked_of(body)] > 3:
            return verdict_on(body)
        headers = {"retry-after-ms": "10"}
        faults: list[Callable[[], Any]] = [
            lambda: fault(429, headers={"Retry-After": "0.01"}),
            lambda: fault(500, headers=headers),
            lambda: Fault.DROP,
            lambda: Fault.CUT,
            lambda: Fault.HANG,
            lambda: "I prefer [[the first]]",
            lambda: late(verdict_on(body)),
        ]
        return dice.choice(faults)()

    with serve(script, latency=0.002) as served:
        card = served_card(write_card, served.url, tmp_path, timeout=4)
        (progress,) = judge(
            store, card, prompts, watch=lambda _: Control(limits=Limits(concurrency=64))
        )
    with serve(verdict_on) as quiet:
        card = served_card(write_card, quiet.url, tmp_path)
        judge(calm, card, prompts)
    assert (progress.total, progress.stored, progress.failed) == (2000, 2000, 0)
    assert progress.unparsed == 0
    assert contents(store) == contents(calm)
    kinds = {"rate limit", "server error", "connection", "unreadable", "time-out"}
    assert set(progress.faults) == kinds
    assert progress.retried == sum(progress.faults.values())
    paid = Counter(asked_of(body) for body in served.paid if len(body["messages"]) == 1)
    assert set(paid.values()) == {1}


def test_what_fails_for_good_fails_alone_and_is_named(tmp_path: Path, write_card: Write) -> None:
    store, prompts = filled(tmp_path / "arena.db", prompts=10)

    def script(body: dict[str, Any]) -> Any:
        return (
            fault(400, "content filter")
            if "delta question 3" in asked_of(body)
            else verdict_on(body)
        )

    with serve(script) as served:
        card = served_card(write_card, served.url, tmp_path)
        (progress,) = judge(store, card, prompts)
        assert (progress.stored, progress.failed) == (18, 2)
        assert progress.faults == {"rejected": 2}
        assert "content filter" in progress.last_error
        assert len(served.calls) == 20


def arena(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from arena.cli import main; main()", *words],
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def slow(tmp_path: Path, write_card: Write) -> Iterator[tuple[Store, Served, list[str]]]:
    """A store with 240 verdicts to ask for, a server that takes its time, and the command."""
    store, prompts = filled(tmp_path / "arena.db", prompts=120)
    lines = [json.dumps({"id": p.name, "turns": p.turns}) for p in prompts]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    assert [p.key for p in load_prompts([str(tmp_path / "mine.jsonl")], tmp_path)] == [
        p.key for p in prompts
    ]
    with serve(verdict_on, latency=0.1) as served:
        served_card(write_card, served.url, tmp_path)
        words = ["judge", "--judge", "served", "--prompts", "mine.jsonl", "--concurrency", "4"]
        yield store, served, words


def test_twenty_kills_lose_nothing_and_nothing_is_paid_twice(
    slow: tuple[Store, Served, list[str]], tmp_path: Path
) -> None:
    store, served, words = slow
    card = load_card("served", tmp_path)
    prompts = list(store.prompts.where())
    text_of = {task.request: task.text for task in plan(store, card, prompts).tasks}
    dice, before = random.Random(11), set[str]()
    for kill in range(21):
        asked_before = len(served.calls)
        process = arena(*words, cwd=tmp_path)
        if kill < 20:
            while store.verdicts.count() <= len(before) and process.poll() is None:
                time.sleep(0.01)
            time.sleep(dice.uniform(0.0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
        stderr = process.communicate()[1]
        asked_now = {asked_of(body) for body in served.calls[asked_before:]}
        assert not asked_now & {text_of[request] for request in before}
        after = {v.request for v in store.verdicts.where()}
        assert before <= after
        have, before = len(before), after
    assert 0 < have < 240
    assert len(before) == store.verdicts.count() == 240
    assert f"{240 - have} new, {have} already there" in stderr


def test_two_processes_share_the_work_and_pay_once(
    slow: tuple[Store, Served, list[str]], tmp_path: Path
) -> None:
    store, served, words = slow
    both = [arena(*words, cwd=tmp_path) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert store.verdicts.count() == len(served.calls) == 240
    new = [int(n) for text in said for n in re.findall(r"(\d+) new", text)]
    assert sum(new) == 240
    assert min(new) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_is_in_flight_end_and_reports(
    slow: tuple[Store, Served, list[str]], tmp_path: Path, number: signal.Signals
) -> None:
    store, served, words = slow
    process = arena(*words, cwd=tmp_path)
    while store.verdicts.count() < 8:
        time.sleep(0.01)
    process.send_signal(number)
    stderr = process.communicate()[1]
    assert process.returncode == 1
    assert store.verdicts.count() == len(served.calls) < 240
    assert "stopped early: interrupted" in stderr
    assert f"{240 - store.verdicts.count()} are left (interrupted)" in stderr
