"""`arena import` says what should be known before anything is stored, and how to undo it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.store import Store

Run = Callable[..., Result]
ROWS = "prompt,model_a,model_b,winner,voter\n1,x,Y,model_a,v\n2,y,x,model_a,v\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls `arena import` in a folder with two files of battles whose ids are the same."""
    monkeypatch.chdir(tmp_path)
    for name in ("first.csv", "second.csv"):
        Path(name).write_text(ROWS)

    def call(line: str) -> Result:
        done = CliRunner().invoke(app, ["import", *line.split()])
        assert done.exit_code == 0, done.output
        return done

    return call


def test_a_dry_run_says_all_and_stores_nothing(run: Run) -> None:
    said = run("battles first.csv --dry-run").stderr
    assert (
        "Nothing was stored. It would be, in arena.db: 2 votes. New are 2 prompts, 3 models" in said
    )
    assert "'Y' and 'y' are taken for 2 models" in said
    assert not Path("arena.db").exists()
    run("battles first.csv")
    before = Store(Path("arena.db")).counts()
    said = run("battles second.csv --dry-run").stderr
    assert "2 prompts have the ids of others that were imported from first.csv" in said
    assert Store(Path("arena.db")).counts() == before
    after = run("battles second.csv").stderr
    assert after.splitlines()[1:3] == said.splitlines()[1:3]
    assert Store(Path("arena.db")).counts()["votes"] == before["votes"] + 2


def test_an_import_with_something_to_know_says_how_to_undo_it(run: Run) -> None:
    assert "delete arena.db, which this import has made" in run("battles first.csv").stderr
    said = run("battles second.csv").stderr
    assert "arena models archive NAME" in said
    assert "--dry-run" in said
    Path("plain.csv").write_text("prompt,model_a,model_b,winner,voter\n1,q,r,model_a,v\n")
    assert "If that is not what you want" not in run("battles plain.csv --db new.db").stderr


def test_results_of_other_tools_can_be_tried_first(run: Run, tmp_path: Path) -> None:
    """A file of lm-eval's with two models' items, one of them renamed."""
    folder = tmp_path / "m"
    folder.mkdir()
    rows = [
        {"doc_id": k, "doc": {"q": k}, "target": "1", "arguments": [[f"q{k}", " 1"]],
         "resps": [["1"]], "filtered_resps": ["1"], "filter": "none", "acc": 1.0,
         "metrics": ["acc"], "doc_hash": f"d{k}", "prompt_hash": f"p{k}", "target_hash": f"t{k}"}
        for k in range(3)
    ]  # fmt: skip
    (folder / "samples_exam_2026-01-01T00-00-00.000000.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows)
    )
    results = {
        "results": {"exam": {"alias": "exam", "acc,none": 1.0}},
        "configs": {"exam": {"task": "exam"}},
        "versions": {"exam": 1},
        "n-shot": {"exam": 0},
        "higher_is_better": {"exam": {"acc": True}},
        "model_name": "m",
        "model_source": "hf",
        "config": {"model": "hf", "model_args": "pretrained=m"},
    }
    (folder / "results_2026-01-01T00-00-00.000000.json").write_text(json.dumps(results))
    said = run("lm-eval m --rename m=n --dry-run").stderr
    assert "Nothing was stored. It would be, in arena.db: 3 outcomes new" in said
    assert not Path("arena.db").exists()
    run("lm-eval m --rename m=n")
    assert {outcome.model for outcome in Store(Path("arena.db")).outcomes.where()} == {"n"}
    again = run("lm-eval m --rename m=n --dry-run").stderr
    assert "0 outcomes new, 3 there before" in again
