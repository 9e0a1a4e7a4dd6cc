from dataclasses import replace
from pathlib import Path

import pytest

from arena.leaderboard.board import Leaderboard
from arena.publish import publish
from arena.publish.outlets.embed import FILES, MOST, to_embed
from arena.store import Store
from tests.boards import make_board, make_row


@pytest.mark.parametrize(("language", "word"), [("en", "Rating"), ("zh", "评分")])
def test_it_has_the_first_ranks(language: str, word: str) -> None:
    board = make_board(*(make_row(f"m{k:02}", k + 1, 1000.0 - k) for k in range(MOST + 7)))
    page = to_embed(board, "<b>T", language)
    assert word in page
    assert "&lt;b&gt;T" in page
    assert page.count('<th scope="row">') == MOST
    assert ("and 7 more" if language == "en" else "另有 7 个") in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_without_a_ranking_it_says_so(board: Leaderboard) -> None:
    assert "There is no ranking yet" in to_embed(replace(board, rows=()), "T", "en")


def test_it_stands_beside_the_page(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    publish(filled, tmp_path, board, title="T")
    for name in FILES.values():
        assert 'href="index.html"' in (tmp_path / name).read_text("utf-8")


@pytest.mark.parametrize("width", [280, 900])
def test_it_fits_into_a_frame(browser: object, board: Leaderboard, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 400})  # type: ignore[attr-defined]
    long = replace(board, rows=(*board.rows, make_row("n" * 200, 5, 900.0)))
    page.set_content(to_embed(long, "T " * 60, "en"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
