"""Runs are killed for real, half-way, and taken up again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.store import Store
from tests.backends.local import tiny

pytestmark = pytest.mark.slow

CORE = ["--prompts", "core", "--limit", "24"]


def arena(*words: str, db: Path) -> list[str]:
    return [sys.executable, "-c", "from arena.cli import main; main()", *words, "--db", str(db)]


def run(*words: str, db: Path, codes: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(arena(*words, db=db), capture_output=True, cwd=db.parent)
    assert done.returncode in codes, done.stderr


def kill_half_way(*words: str, db: Path, count: Callable[[], int], total: int) -> None:
    """Start the command, wait until it has stored some rows, and SIGKILL it."""
    process = subprocess.Popen(
        arena(*words, db=db), cwd=db.parent, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    while process.poll() is None and count() < total // 3:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 0 < count() < total


def contents(db: Path) -> tuple[list[object], list[object]]:
    """All rows that a run makes, without what differs by the clock."""
    store = Store(db)
    answers = [(a.key, a.turns, a.finish) for a in store.answers.where()]
    verdicts = [(v.key, v.first, v.second, v.preference, v.p_first) for v in store.verdicts.where()]
    return sorted(answers), sorted(verdicts, key=lambda row: row[0])


@pytest.mark.parametrize("model", ["fake:echo@0.05"])
def test_generate_and_judge_end_as_if_nothing_had_happened(tmp_path: Path, model: str) -> None:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "slow.yaml").write_text(
        "model: fake:longer@0.02\nreading: logit\npairwise: {template: slow.md}\n"
    )
    (tmp_path / "judges" / "slow.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    calm, killed = tmp_path / "calm.db", tmp_path / "killed.db"
    generate = ["generate", "--model", f"one={model}", *CORE]
    other = ["generate", "--model", "two=fake:echo", *CORE]
    judge = ["judge", "--judge", "slow", *CORE]
    for words in (generate, other, judge):
        run(*words, db=calm)

    Store(killed).close()
    kill_half_way(*generate, db=killed, count=lambda: Store(killed).answers.count(), total=24)
    run(*generate, db=killed)
    run(*other, db=killed)
    kill_half_way(*judge, db=killed, count=lambda: Store(killed).verdicts.count(), total=48)
    run(*judge, db=killed)
    assert contents(killed) == contents(calm)
    assert len(contents(killed)[1]) == 48


def test_a_local_model_killed_between_waves_writes_the_same_texts(tmp_path: Path) -> None:
    """Sampled, in four waves: the texts may depend neither on the kill nor on the batch."""
    tiny.save(tmp_path / "one")
    (tmp_path / "short.jsonl").write_text(
        "".join(
            f'{{"id": "p{i}", "turns": ["what is w{i % 60} w{i // 60}"]}}\n' for i in range(700)
        )
    )
    config = tmp_path / "arena.yaml"
    config.write_text("models: {warm: {use: ./one, temperature: 0.9, max_tokens: 24}}\n")
    words = ["generate", "--config", str(config), "--prompts", str(tmp_path / "short.jsonl")]
    calm, killed = tmp_path / "calm.db", tmp_path / "killed.db"
    said_nothing = 0, 1  # as some of a random model's replies do
    run(*words, db=calm, codes=said_nothing)
    Store(killed).close()
    kill_half_way(*words, db=killed, count=lambda: Store(killed).answers.count(), total=700)
    run(*words, db=killed, codes=said_nothing)
    assert contents(killed) == contents(calm)
    assert len(contents(killed)[0]) > 600
