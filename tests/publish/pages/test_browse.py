from dataclasses import replace
from pathlib import Path

import pytest

from arena.leaderboard.board import Leaderboard
from arena.publish import publish
from arena.publish.examples import ANSWERS
from arena.publish.pages import browse
from arena.publish.pages.browse import CHARACTERS, FOLDER, examples_by_page, prompt_list
from arena.records import LIVE, Prompt
from arena.store import Store
from tests.boards import NAMES, fill, make_board, make_row, varied_prompts


def many(count: int) -> list[Prompt]:
    return [Prompt(f"p{k:03}", (f"Question {k}?",), f"c{k % 3}", "en") for k in range(count)]


def test_prompts_are_listed_by_category_and_language(filled: Store) -> None:
    found = prompt_list(filled).entries
    order = [(one.prompt.category, one.prompt.language) for one in found]
    assert order == sorted(order)
    assert {one.answers for one in found} == {len(NAMES)}
    assert len(found) == len(varied_prompts())


def test_of_many_prompts_the_same_share_of_each_kind_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "PROMPTS", 20)
    fill(store, ("a",), many(90), "something")
    found = prompt_list(store)
    assert (found.step, len(found.entries), found.left_out) == (5, 18, 72)
    assert [sum(e.prompt.category == f"c{k}" for e in found.entries) for k in range(3)] == [6, 6, 6]


def test_what_is_withheld_or_was_asked_live_is_not_there(store: Store) -> None:
    shown, hidden, live = Prompt("s", ("S?",)), Prompt("h", ("H?",)), Prompt("l", ("L?",))
    fill(store, ("a", "b"), [shown, hidden, replace(live, source=LIVE)], "something")
    store.withhold("prompt", hidden.key, True)
    store.withhold("model", "b", True)
    found = prompt_list(store)
    assert [one.prompt.name for one in found.entries] == ["s"]
    ((example,),) = examples_by_page(store, found, ("b", "a"))
    assert [reply.model for reply in example.turns[0].replies] == ["a"]


def test_the_best_come_first_and_texts_are_cut(store: Store) -> None:
    names = tuple(f"m{k}" for k in range(ANSWERS + 3))
    fill(store, names, many(1), "x" * CHARACTERS)
    ((example,),) = examples_by_page(store, prompt_list(store), ("m5", "m2"))
    replies = example.turns[0].replies
    assert [reply.model for reply in replies][:3] == ["m5", "m2", "m0"]
    assert len(replies) == ANSWERS
    assert example.hidden == 3
    assert {len(reply.text) for reply in replies} == {CHARACTERS}
    assert {reply.left_out for reply in replies} == {len("m0 says ")}


def test_ten_thousand_prompts_make_a_light_site(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured on a twentieth of each number: what a page holds does not depend on how many."""
    monkeypatch.setattr(browse, "PROMPTS", 50)
    fill(store, ("a", "b", "c"), many(500), "long " * 2000)
    publish(store, tmp_path, make_board(make_row("a", 1), make_row("b", 2)), title="T")
    pages = sorted((tmp_path / FOLDER).iterdir())
    assert [page.name for page in pages] == ["1.html", "2.html"]
    most = browse.ON_PAGE * 3 * CHARACTERS
    assert all(page.stat().st_size < 2 * most for page in pages)
    assert "450 are left out" in (tmp_path / "browse.html").read_text("utf-8")


def test_pages_that_are_left_of_a_longer_site_go(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, ("a", "b"), many(60), "something")
    board = make_board(make_row("a", 1), make_row("b", 2))
    publish(store, tmp_path, board, title="T")
    (tmp_path / FOLDER / "notes.html").write_text("my own")
    monkeypatch.setattr(browse, "PROMPTS", 25)
    publish(store, tmp_path, board, title="T")
    there = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    assert there == ["1.html", "notes.html"]


def test_without_texts_there_is_nothing_to_browse(store: Store, tmp_path: Path) -> None:
    publish(store, tmp_path, make_board(make_row("a", 1)), title="T")
    assert "No answer here has a text" in (tmp_path / "browse.html").read_text("utf-8")
    assert not (tmp_path / FOLDER).exists()


def test_every_link_leads_somewhere(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    publish(filled, tmp_path, board, title="T")
    page = (tmp_path / FOLDER / "1.html").read_text("utf-8")
    for one in prompt_list(filled).entries:
        assert one.link.startswith(f"{FOLDER}/1.html#")
        assert f'id="{one.link.partition("#")[2]}"' in page
