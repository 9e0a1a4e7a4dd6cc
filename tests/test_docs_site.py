"""The docs as a site: made of the code, complete, and built without a warning."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from arena.cli.main import app
from arena.config import Config

pytest.importorskip("mkdocs", reason="mkdocs-material is not installed")

from docs import hooks

ROOT = Path(__file__).resolve().parents[1]


def every(group: Any, path: str = "arena") -> list[str]:
    found = []
    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            found += [f"{path} {name}", *every(command, f"{path} {name}")]
    return found


def test_every_command_and_option_is_told() -> None:
    page = hooks.commands()
    for path in every(typer.main.get_command(app)):
        assert f"\n## {path}\n" in page
    for option in ("--hf-dataset", "--allow-weak-judges", "--width", "--rejects"):
        assert f"`{option}" in page


def test_every_key_is_told() -> None:
    page = hooks.configuration()
    for name in Config.model_fields:
        assert f"\n| `{name}` | " in page
    for key in ("min_comparisons", "trusted_proxies", "reasoning_effort", "depths"):
        assert f"\n| `{key}` | " in page


def test_every_method_is_told() -> None:
    page = hooks.python()
    for name in ("generate", "judge", "rank", "publish"):
        assert f"\n## {name}\n" in page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING -" not in done.stderr, done.stderr
    return place


def test_it_is_built_without_a_warning_and_asks_nobody(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert {"index.html", "commands.html", "index.zh-CN.html"} <= {page.name for page in pages}
    for page in pages:
        text = page.read_text("utf-8")
        for part in ('<script src="http', '<link rel="stylesheet" href="http', "@import"):
            assert part not in text, page


def test_two_clicks_lead_to_mt_bench_and_to_publishing(site: Path) -> None:
    start = (site / "index.html").read_text("utf-8")
    for page, said in (
        ("coming-from.html", "arena import data/mt_bench"),
        ("publishing.html", "arena publish site"),
    ):
        assert f'href="{page}"' in start
        plain = re.sub("<[^>]+>", "", (site / page).read_text("utf-8"))
        assert said in plain
