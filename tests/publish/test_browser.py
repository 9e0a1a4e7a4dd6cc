"""What the page's script does, in a real browser, opened from disk."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.board import Leaderboard, Mark
from arena.publish import publish
from arena.publish.pages.render import BENCHMARKS
from arena.records import Evidence
from arena.store import Store
from tests.boards import make_board, make_row, plain


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


@pytest.fixture
def long_site(store: Store, tmp_path: Path) -> Path:
    """Two rankings of sixty models, and two groups."""
    rows = [make_row(f"model-{n}", n + 1, 1100.0 - n) for n in range(60)]
    other = replace(make_board(*rows), evidence=Evidence.HUMAN)
    groups = [replace(make_board(*rows[:3]), group=name) for name in ("writing", "en")]
    board = make_board(*rows)
    return publish(store, tmp_path / "long", board, title="T", others=[other], groups=groups)


def test_the_address_keeps_tab_order_and_search(browser: Any, long_site: Path) -> None:
    page = Visit(browser, long_site).page
    page.click("#ranking [role=tab] >> nth=1")
    page.click("#view-2 thead button >> text=Model")
    page.click("#view-2 thead button >> text=Model")
    page.fill("#view-2 input", "model-1")
    page.click("#categories [role=tab] >> nth=1")
    page.click("nav >> text=How to read this")
    page.wait_for_url("**#reading&**")
    again = browser.new_context().new_page()
    again.goto(page.url)
    assert again.locator(".panel:visible").evaluate_all("all => all.map(one => one.id)") == [
        "view-2",
        "group-2",
    ]
    shown = again.locator("#view-2 tbody tr:visible .name").all_inner_texts()
    assert shown == [f"model-{n}" for n in (*range(19, 9, -1), 1)]
    assert again.locator("#view-2 input").input_value() == "model-1"


def test_an_address_that_nobody_wrote_opens_the_first_tab(browser: Any, long_site: Path) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{long_site.as_uri()}#nothing&ranking.tab=old&ranking.sort=x&other=1")
    assert page.locator("#ranking .panel:visible").get_attribute("id") == "view-1"
    page.goto(f"{long_site.as_uri()}#ranking&ranking.tab=human")
    page.wait_for_selector("#view-2:visible")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_mark_stays_at_the_end_of_its_name(
    browser: Any, store: Store, tmp_path: Path, width: int, locale: str
) -> None:
    names = [f"Model {'of a long name ' * (n % 3)}({n}{'x' * n})" for n in range(30)]
    rows = [make_row(name, n + 1, 1100.0 - n) for n, name in enumerate(names)]
    marks = tuple(Mark(subject, plain("Why.")) for subject in (*names, "smollm2", "votes"))
    board = replace(make_board(*rows), counts={"votes": 99, "smollm2": 72}, marks=marks)
    site = publish(store, tmp_path / "site", board, title="T")
    page = Visit(browser, site, locale=locale, viewport={"width": width, "height": 900}).page
    lines = page.locator(".ranking tbody .name, .counts .chip").evaluate_all(
        """all => all.map((one) => {
            const text = document.createRange();
            text.selectNodeContents([...one.querySelectorAll("bdi, span")].filter(
              (part) => part.offsetWidth && !part.closest("details")).pop());
            const last = [...text.getClientRects()].pop();
            const mark = one.querySelector("summary").getBoundingClientRect();
            const middle = (mark.top + mark.bottom) / 2;
            return last.top < middle && middle < last.bottom && mark.left >= last.right
              && mark.right <= one.getBoundingClientRect().right;
        })"""
    )
    assert lines == [True] * (len(names) + 2)


def test_five_models_of_benchmarks_fit_a_desktop(
    browser: Any, store: Store, tmp_path: Path
) -> None:
    names = tuple(f"{name}@3" for name in ("brief", "small", "tiny", "greedy", "other"))
    scores = tuple(
        BenchmarkScore(title, "acc_norm", name, 0.667, 0.211, 6, low=0.300, high=0.903)
        for title in ("exam (gen)", "exam (ppl)")
        for name in names
    )
    rows = (make_row(name, k) for k, name in enumerate(names, 1))
    board = replace(make_board(*rows), benchmarks=scores)
    site = publish(store, tmp_path / "site", board, title="T")
    for locale in ("en-GB", "zh-CN"):
        size = {"width": 1280, "height": 900}
        table = Visit(
            browser, site.with_name(BENCHMARKS), locale=locale, viewport=size
        ).page.locator("#benchmarks .wide")
        assert table.first.evaluate("one => one.scrollWidth - one.clientWidth") == 0


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_number_of_cases_is_not_broken(browser: Any, site: Path, locale: str) -> None:
    for width in range(390, 1300, 70):
        size = {"width": width, "height": 900}
        counts = Visit(browser, site, locale=locale, viewport=size).page.locator("#judges .whole")
        assert set(counts.evaluate_all("all => all.map(one => one.getClientRects().length)")) == {1}


@pytest.mark.parametrize("width", [1280, 390])
def test_names_in_the_scatter_do_not_overprint(
    browser: Any, store: Store, tmp_path: Path, width: int
) -> None:
    names = ("brief", "brief@3", "small", "tiny", "greedy")
    rows = [make_row(name, k, 1000.0 + k // 2 * 3) for k, name in enumerate(names, 1)]
    board = replace(
        make_board(*rows),
        parts={"human": tuple(rows), "objective": tuple(rows)},
        weights=(("human", 0.5), ("objective", 0.5)),
        benchmarks=(BenchmarkScore("facts", "acc", "brief", 0.5, 0.1, 20),),
    )
    site = publish(store, tmp_path / "site", board, title="T")
    size = {"width": width, "height": 900}
    page = Visit(browser, site.with_name(BENCHMARKS), viewport=size).page
    boxes = page.locator(".scatter .model").evaluate_all(
        "all => all.map(one => { const b = one.getBoundingClientRect();"
        " return [b.left, b.right, b.top + 2, b.bottom - 2]; })"
    )
    assert len(boxes) == len(names)
    for (a_left, a_right, a_top, a_end), (b_left, b_right, b_top, b_end) in combinations(boxes, 2):
        assert a_right <= b_left or b_right <= a_left or a_end <= b_top or b_end <= a_top


def test_a_table_that_goes_on_says_so(browser: Any, filled: Store, tmp_path: Path) -> None:
    names = [f"model-{k}" for k in range(6)]
    scores = tuple(BenchmarkScore("gsm8k", "acc", name, 0.5, 0.1, 30) for name in names)
    board = make_board(*(make_row(name, k) for k, name in enumerate(names, 1)))
    site = publish(filled, tmp_path / "site", replace(board, benchmarks=scores), title="T")
    size = {"width": 390, "height": 800}
    visit = Visit(browser, site.with_name(BENCHMARKS), viewport=size, locale="zh-CN")
    visit.page.wait_for_selector("#benchmarks .wide.more")
    said = "(e) => getComputedStyle(e, '::before').content"
    assert "左右滑动" in visit.page.locator("#benchmarks .wide.more").first.evaluate(said)
    visit.page.set_viewport_size({"width": 2400, "height": 800})
    visit.page.wait_for_selector("#benchmarks .wide:not(.more)")
    assert visit.complaints == []
