"""A run to its end, with a ranking and without one."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.store import Store

ITEMS = "id,question,A,B,answer\n1,What is 1+1?,2,3,A\n2,What is 2+1?,2,3,B\n"


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str) -> tuple[int, str, str]:
    monkeypatch.chdir(folder)
    (folder / "arena.yaml").write_text(config)
    (folder / "exam.csv").write_text(ITEMS)
    (folder / "judges").mkdir()
    for name in ("mute", "longer"):
        (folder / "judges" / "pair.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
        (folder / "judges" / f"{name}.yaml").write_text(
            f"model: fake:{name}\nreading: reasoned\npairwise: {{template: pair.md}}\n"
        )
    done = CliRunner().invoke(app, ["run"])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("models", "code", "why"),
    [
        ("{a: 'fake:echo'}", 0, "nothing compares models yet"),  # and nothing was left undone
        (
            "{a: 'fake:echo', b: 'fake:first'}\njudges: [longer]\nrank: {min_comparisons: 1}",
            0,
            "",
        ),
        (
            "{a: 'fake:echo', b: 'fake:first'}\njudges: [longer]\nrank: {min_comparisons: 5}",
            0,
            "each needs 5 comparisons",
        ),
    ],
)
def test_scores_are_printed_and_published_with_a_ranking_or_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: str, code: int, why: str
) -> None:
    config = f"models: {models}\nlimit: 1\nbenchmarks: [{{data: exam.csv, mode: gen}}]\n"
    ended, printed, said = run(tmp_path, monkeypatch, config)
    assert ended == code, said
    assert "exam" in printed
    assert "0.0% (0.0–" in printed
    assert why in said
    assert ("There is no ranking yet" in said) == bool(why)
    data = json.loads((tmp_path / "site" / "leaderboard.json").read_text())
    assert (data["label"] == "no ranking") == bool(why)
    assert bool(data["models"]) != bool(why)
    page = (tmp_path / "site" / "index.html").read_text()
    assert ("no ranking yet" in page) == bool(why)
    assert "exam" in page
    again = CliRunner().invoke(app, ["publish", "again"])
    assert (again.exit_code, why in again.stderr) == (code, True)
    assert (tmp_path / "again" / "index.html").read_text() == page
    asked = CliRunner().invoke(app, ["publish", "never", "--evidence", "human"])
    assert asked.exit_code != 0
    assert not (tmp_path / "never").exists()


def test_a_judge_that_is_not_understood_is_named_with_the_way_to_see_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = "models: {a: 'fake:echo', b: 'fake:first'}\nlimit: 1\njudges: [mute]\n"
    ended, _, said = run(tmp_path, monkeypatch, config)
    assert "Only 0.0% of what mute said could be read" in said
    assert "arena show verdicts --judge mute --unparsed" in said
    assert "There is no ranking yet" in said
    assert ended == 1


def test_a_ranking_does_not_hide_that_a_judge_is_not_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (
        "models: {a: 'fake:echo', b: 'fake:first'}\nlimit: 1\njudges: [longer, mute]\n"
        "rank: {min_comparisons: 1}"
    )
    ended, _, said = run(tmp_path, monkeypatch, config)
    assert "There is no ranking yet" not in said
    assert "Only 0.0% of what mute said could be read" in said
    assert ended == 1


@pytest.mark.slow
def test_a_run_that_is_stopped_says_so_and_goes_on_later(tmp_path: Path) -> None:
    (tmp_path / "arena.yaml").write_text(
        "models: {a: 'fake:echo@0.2', b: 'fake:echo'}\nlimit: 40\njudges: [j]\n"
    )
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "pair.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    (tmp_path / "judges" / "j.yaml").write_text(
        "model: fake:longer\nreading: logit\npairwise: {template: pair.md}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "arena", "run"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    database = tmp_path / "arena.db"
    while not (database.exists() and Store(database).answers.count()):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 1, said
    assert "Stopping when what is being asked has ended" in said
    assert said.rstrip().endswith(
        "Stopped. What is done is stored; run the same command again to go on."
    )
    assert not (tmp_path / "site").exists()
    assert 0 < Store(database).answers.count() < 80


def test_a_misspelt_benchmark_is_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = "models: {a: 'fake:echo'}\nlimit: 1\nbenchmarks: [short_anser]\n"
    ended, _, said = run(tmp_path, monkeypatch, config)
    assert ended == 2
    assert "did you mean 'short_answer'" in said
    assert not (tmp_path / "arena.db").exists() or not Store(tmp_path / "arena.db").answers.count()
