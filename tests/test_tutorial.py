"""The tutorial's configuration is run as it stands, and its commands exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.config import load_config
from arena.store import Store

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")
DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = ("tutorial.md", "tutorial.zh-CN.md")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


@pytest.mark.model
def test_the_configuration_does_the_whole_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("tutorial.md", "yaml")
    Path("arena.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["run"])
    assert done.exit_code == 0, done.output
    counts = Store(tmp_path / "arena.db").counts()
    assert counts["answers"] == 6
    assert counts["verdicts"] == 6
    page = Path("site/benchmarks.html").read_text("utf-8")
    for name in ("short_answer", "knowledge_en", "reasoning_en", "made filler"):
        assert name in page
    before = counts["outcomes"]
    assert CliRunner().invoke(app, ["run"]).exit_code == 0
    assert Store(tmp_path / "arena.db").counts()["outcomes"] == before


def test_both_languages_run_the_same(tmp_path: Path) -> None:
    texts: list[Any] = []
    for page in PAGES:
        (text,) = blocks(page, "yaml")
        path = tmp_path / "arena.yaml"
        path.write_text(text, encoding="utf-8")
        texts.append(load_config(path).model_copy(update={"title": ""}))
    assert texts[0] == texts[1]
    commands = [
        [line.split("#")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
        for page in PAGES
    ]
    assert commands[0] == commands[1]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_exists(page: str) -> None:
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            words = line.split("#")[0].split()
            help_ = CliRunner().invoke(app, [words[1], "--help"], env={"COLUMNS": "200"})
            assert help_.exit_code == 0
            for word in words:
                assert not word.startswith("--") or word in help_.output, line
