"""What the page's script does, in a real browser, opened from disk."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.leaderboard.board import Leaderboard
from arena.publish import publish
from arena.records import Evidence
from arena.store import Store
from tests.boards import make_board, make_row


class Visit:
    """A page from disk, with all that it asked for and complained of."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def language(self) -> str:
        return str(self.page.evaluate("document.documentElement.lang"))

    def models(self) -> list[str]:
        return list(self.page.locator("#view-1 tbody tr:visible .name").all_inner_texts())


@pytest.fixture
def site(filled: Store, board: Leaderboard, tmp_path: Path) -> Path:
    other = replace(board, evidence=Evidence.OBJECTIVE, label="objective-only")
    return publish(filled, tmp_path / "site", board, title="My arena", others=[other])


def test_it_asks_for_nothing_and_complains_of_nothing(browser: Any, site: Path) -> None:
    visit = Visit(browser, site)
    assert visit.requests == [site.as_uri()]
    assert visit.complaints == []


def test_the_language_is_the_readers_and_can_be_switched(browser: Any, site: Path) -> None:
    chinese = Visit(browser, site, locale="zh-CN")
    assert chinese.language() == "zh-Hans"
    assert chinese.page.locator("h2:visible").first.inner_text() == "排名"
    english = Visit(browser, site, locale="de-DE")
    assert english.language() == "en"
    english.page.click("text=中文")
    assert english.language() == "zh-Hans"
    english.page.reload()
    assert english.language() == "zh-Hans"


def test_without_script_everything_is_there_in_english(browser: Any, site: Path) -> None:
    visit = Visit(browser, site, java_script_enabled=False)
    assert visit.page.locator("table.ranking:visible").count() == 2
    assert visit.page.locator("h2:visible").first.inner_text() == "Ranking"


def test_tabs_show_one_ranking(browser: Any, site: Path) -> None:
    page = Visit(browser, site).page
    assert page.locator(".panel:visible").get_attribute("id") == "view-1"
    page.click("[role=tab] >> text=Benchmarks >> visible=true")
    assert page.locator(".panel:visible").get_attribute("id") == "view-2"
    page.keyboard.press("ArrowRight")
    assert page.locator(".panel:visible").get_attribute("id") == "view-1"


def test_a_column_sorts_and_sorts_back(browser: Any, site: Path) -> None:
    visit = Visit(browser, site)
    ranked = visit.models()
    head = visit.page.locator("#view-1 thead button", has_text="short_answer")
    head.click()
    assert visit.models() == ranked[::-1]
    head.click()
    assert visit.models() == ranked


def test_a_long_ranking_is_searched(browser: Any, store: Store, tmp_path: Path) -> None:
    rows = [make_row(f"model-{n}", n + 1, 1100.0 - n) for n in range(60)]
    visit = Visit(browser, publish(store, tmp_path / "site", make_board(*rows), title="T"))
    visit.page.fill("input[type=search]", "Model-7")
    assert visit.models() == ["model-7"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_down_only(browser: Any, site: Path, scheme: str) -> None:
    size = {"width": 390, "height": 844}
    page = Visit(browser, site, viewport=size, color_scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 22)"
    assert dark == (scheme == "dark")
