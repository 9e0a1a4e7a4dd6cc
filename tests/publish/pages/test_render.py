import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.ranking import ranking
from arena.publish import publish, publish_ranking
from arena.store import Store
from tests.boards import NOTE, make_board, make_row
from tests.publish.test_site import EVIL, read

PAGES = ("benchmarks.html", "browse.html", "browse/1.html", "changes.html", "method.html")


@pytest.fixture
def site(filled: Store, board: Leaderboard, tmp_path: Path) -> Path:
    publish(filled, tmp_path / "site", make_board(make_row("hot", 1)), title="T")
    publish(filled, tmp_path / "site", board, title="My arena", policy=Policy(license="CC0-1.0"))
    return tmp_path / "site"


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_whole_and_in_both_languages(site: Path, name: str) -> None:
    page = read(site / name)
    assert page.count("h1") == 1
    assert {"en", "zh-Hans"} <= set(page.attributes("lang"))
    assert "default-src 'none'" in " ".join(page.attributes("content"))
    asked = [link for link in page.attributes("src") + page.attributes("href") if ":" in link]
    assert asked == []


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for link in read(path).attributes("href"):
            place, anchor = urldefrag(link)
            target = path.parent / unquote(place) if place else path
            assert target.is_file(), f"{path.name}: {link}"
            if anchor:
                assert f'id="{anchor}"' in target.read_text("utf-8"), f"{path.name}: {link}"


def test_the_method_has_the_numbers_of_this_ranking(voted: Store, tmp_path: Path) -> None:
    policy = Policy(title="T", min_comparisons=1, license="CC-BY-4.0")
    board = ranking(voted, policy)
    publish_ranking(voted, tmp_path, board, policy)
    words = read(tmp_path / "method.html").words
    assert "votes 12" in words or "human 12" in words
    assert str(board.method) in words
    assert "CC-BY-4.0" in words
    assert str(board.settings.clusters) in words
    for note in board.notes:
        assert str(note) in words
        assert note.text("zh") in words


def test_notes_and_judges_that_do_not_count_are_told(site: Path, board: Leaderboard) -> None:
    words = read(site / "method.html").words
    assert NOTE in words
    assert "CC0-1.0" in words


def test_the_changes_are_told_in_words_and_numbers(site: Path) -> None:
    page = read(site / "changes.html")
    assert page.count("article") == 2
    assert "New: brief, greedy, warm" in page.words
    assert "新增：brief、greedy、warm" in page.words
    assert "+0" in page.words


def test_nothing_hostile_gets_out_of_its_place(store: Store, tmp_path: Path) -> None:
    from arena.records import Prompt
    from tests.boards import fill

    fill(store, (EVIL, "b"), [Prompt(EVIL, (EVIL,), EVIL, "en")], EVIL)
    board = make_board(make_row(EVIL, 1), make_row("b", 2))
    policy = Policy(license=EVIL)
    publish(store, tmp_path, replace(board, counts={EVIL: 3}), title=EVIL, policy=policy)
    for path in tmp_path.rglob("*.html"):
        text = path.read_text("utf-8")
        assert "<script>alert" not in text
        assert "49" not in re.findall(r"\{\{.*?\}\}|49(?= )", text)
        assert read(path).count("script") <= 1


def opened(browser: Any, path: Path, width: int = 390) -> tuple[Any, list[str]]:
    """A page with the network cut, and what its console said."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.context.set_offline(True)
    page.goto(path.as_uri())
    return page, said


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_a_phone_and_say_nothing_in_the_console(
    browser: Any, site: Path, name: str
) -> None:
    page, said = opened(browser, site / name)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("[data-lang=zh-Hans]")
    assert page.is_visible("h1 .zh")
    assert not page.is_visible("h1 .en")
    assert said == []


def test_a_prompt_is_found_and_its_link_opens_it(browser: Any, site: Path) -> None:
    page, said = opened(browser, site / "browse.html", 1200)
    page.fill(".filter input", "coding in zh")
    assert page.locator(".listed li:visible").count() == 1
    page.reload()  # the address keeps it
    assert page.locator(".listed li:visible").count() == 1
    page.click(".listed li:visible a")
    opened_ones = page.locator("details.example[open]")
    assert opened_ones.count() == 2  # the first of the page, and this one
    assert "Question of coding in zh?" in opened_ones.last.inner_text()
    assert said == []
