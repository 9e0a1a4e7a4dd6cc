"""What the page says in both languages, and that the app says the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.leaderboard.board import Leaderboard
from arena.publish import publish
from arena.records import BackendKind, Model, Prompt
from arena.records.notes import load_sentences
from arena.store import Store
from arena.web.views.words import WORDS
from tests.boards import NAMES, fill, make_board, make_row

NAMED = ("name.category.", "name.language.")
GROUPS = {
    code.removeprefix(start): {one: load_sentences(one)[code] for one in ("en", "zh")}
    for code in load_sentences("en")
    for start in NAMED
    if code.startswith(start)
}
assert len(GROUPS) > 8


def opened(browser: Any, site: Path, locale: str) -> Any:
    page = browser.new_context(locale=locale).new_page()
    page.goto(site.as_uri())
    return page


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh")])
def test_categories_and_languages_are_called_as_in_the_app(
    browser: Any, filled: Store, board: Leaderboard, tmp_path: Path, locale: str, language: str
) -> None:
    groups = [replace(board, group=name) for name in (*GROUPS, "maths", "my own")]
    site = publish(filled, tmp_path / "site", board, title="T", groups=groups)
    page = opened(browser, site, locale)
    maths = {"en": "maths", "zh": "数学"}[language]
    named = [*(said[language] for said in GROUPS.values()), maths, "my own"]
    assert page.locator("#categories [role=tab]").all_inner_texts() == named
    chips = page.locator("#answers summary .chip").all_inner_texts()
    assert set(chips) <= {*named, "writing" if language == "en" else "写作"}


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh")])
def test_the_view_of_all_evidence_is_called_as_in_the_app(
    browser: Any, filled: Store, board: Leaderboard, tmp_path: Path, locale: str, language: str
) -> None:
    site = publish(filled, tmp_path / "site", board, title="T", others=[board])
    tab = opened(browser, site, locale).locator("#ranking [role=tab]").first
    assert tab.inner_text() == WORDS[language]["combined"]


def test_an_old_version_names_the_new_one(store: Store, tmp_path: Path) -> None:
    fill(store, ("brief", "brief@2", "brief@10", "solo"), [Prompt("p", ("Q?",))], "x")
    rows = [make_row(name, k) for k, name in enumerate(("brief", "brief@2", "brief@10", "solo"), 1)]
    page = publish(store, tmp_path / "site", make_board(*rows), title="T").read_text()
    assert page.count("old version of brief@10<") == 2 * 2  # In the ranking and among the models.
    assert page.count("brief@10 的旧版<") == 2 * 2
    assert page.count("old version of ") == 2 * 2


def test_chinese_has_its_own_stops_and_no_space_between_its_words(
    browser: Any, filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    rows = tuple(make_row(name, k) for k, name in enumerate(NAMES, 1))
    counted = replace(
        board,
        counts={"votes": 5, "smollm2": 72},
        overall=rows,
        weights=(("human", 0.5), ("judge", 0.5)),
    )
    filled.put_model(Model("own", BackendKind.FAKE, "echo"))
    page = opened(browser, publish(filled, tmp_path / "site", counted, title="T"), "zh-CN")
    said = page.locator("main").inner_text()
    for part in (
        "5 次比较，来自人类投票",
        "72 次比较，来自 smollm2",
        "权重为人类投票 50%、裁判模型 50%。",
        "方法：",
        "贪心解码，至多",
    ):
        assert part in said
