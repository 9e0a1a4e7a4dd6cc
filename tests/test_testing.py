"""The assertions for releases, and the example of a GitHub Action, run step by step."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml

from arena.records import Winner
from arena.testing import assert_better, assert_not_worse
from tests.compare.stores import answered_store, outcomes, vote

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / "docs" / "action"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """new wins three in four of 60 prompts, and is as good as old on all items of a benchmark."""
    path = tmp_path / "arena.db"
    store = answered_store(path, 60)
    vote(store, lambda k: [Winner.MODEL_B if k % 4 else Winner.MODEL_A])
    outcomes(store, {"old": [1.0, 0.0] * 20, "new": [0.0, 1.0] * 20})
    store.close()
    return path


def test_a_better_model_passes_and_a_worse_one_does_not(db: Path) -> None:
    assert assert_not_worse(db, "old", "new").decides.advantage.share == pytest.approx(0.75)
    assert_better(db, "old", "new", margin=5)
    with pytest.raises(AssertionError, match="old is worse"):
        assert_not_worse(db, "new", "old")
    with pytest.raises(AssertionError, match="cannot be told yet"):
        assert_better(db, "old", "new", margin=20)


def test_too_little_to_tell_fails_unless_it_is_let_through(db: Path) -> None:
    with pytest.raises(AssertionError, match="cannot be told yet"):
        assert_not_worse(db, "old", "new", evidence="objective", margin=5)
    assert_not_worse(db, "old", "new", evidence="objective", margin=5, unsure_passes=True)


@pytest.mark.slow
def test_the_plugin_writes_one_comment(db: Path, tmp_path: Path) -> None:
    (tmp_path / "test_gate.py").write_text(
        "from arena.testing import assert_not_worse\n"
        f"def test_up(): assert_not_worse({str(db)!r}, 'old', 'new')\n"
        f"def test_down(): assert_not_worse({str(db)!r}, 'new', 'old')\n"
    )
    args = ["-q", "-p", "arena.testing", "--arena-report", "comment.md", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *args, "test_gate.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    text = (tmp_path / "comment.md").read_text()
    assert text.count("### ") == 2
    assert "### ✅ new against old" in text


FAKE = "{use: 'fake:echo', temperature: 0, max_tokens: 12}"


def run_action(
    folder: Path,
    candidate: str,
    released: str = FAKE,
    judge: str = "fake:longer",
    prompts: int | None = None,
) -> int:
    """The workflow's own steps, with these models in place of its own; the last one's exit code.

    prompts: the first so many alone.
    """
    shutil.copytree(ACTION, folder)
    gate = folder / "prompts" / "gate.jsonl"
    gate.write_text("".join(gate.read_text("utf-8").splitlines(keepends=True)[:prompts]), "utf-8")
    (folder / "arena.yaml").write_text(
        f"models:\n  released: {released}\n  candidate: {candidate}\n"
        "prompts: [gate]\njudges: [gate]\n"
    )
    card = folder / "judges" / "gate.yaml"
    settings = yaml.safe_load(card.read_text())
    card.write_text(yaml.safe_dump({**settings, "model": judge}))
    workflow = yaml.safe_load((ACTION / ".github/workflows/gate.yml").read_text())
    steps = {step.get("name"): step.get("run", "") for step in workflow["jobs"]["gate"]["steps"]}
    code = 0
    for name in ("Answer", "Judge", "Compare"):
        words = steps[name].split()
        assert words[0] == "arena"
        done = subprocess.run(
            [sys.executable, "-m", "arena", *words[1:]],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        code = done.returncode
        assert name == "Compare" or code == 0, done.stderr
        assert code in (0, 1, 3), done.stderr
    return code


@pytest.mark.slow
def test_the_actions_steps_let_the_same_decoding_pass(tmp_path: Path) -> None:
    code = run_action(tmp_path / "same", "{use: 'fake:echo', temperature: 0, max_tokens: 12}")
    assert code == 0
    assert Xml.parse(tmp_path / "same" / "gate.xml").getroot().get("failures") == "0"
    assert (tmp_path / "same" / "comment.md").read_text().startswith("### ✅")


@pytest.mark.slow
def test_the_actions_steps_stop_a_worse_decoding(tmp_path: Path) -> None:
    code = run_action(tmp_path / "worse", "{use: 'fake:echo', temperature: 1.5, max_tokens: 6}")
    assert code == 1
    failure = Xml.parse(tmp_path / "worse" / "gate.xml").getroot().find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "do-not-ship"
    assert (tmp_path / "worse" / "comment.md").read_text().startswith("### ❌ candidate")


@pytest.mark.model
@pytest.mark.slow
def test_the_actions_steps_tell_decodings_of_the_embedded_model_apart(tmp_path: Path) -> None:
    """Greedy against greedy passes; at temperature 1.5 there is more noise than English."""
    greedy = "{use: smollm2, temperature: 0, max_tokens: 8}"
    hot = "{use: smollm2, temperature: 1.5, max_tokens: 8}"
    for name, candidate, passes, few in (("same", greedy, True, None), ("hot", hot, False, 24)):
        code = run_action(tmp_path / name, candidate, greedy, "fake:plain", few)
        assert (code == 0) is passes, name
        failures = Xml.parse(tmp_path / name / "gate.xml").getroot().get("failures")
        assert failures == ("0" if passes else "1")
