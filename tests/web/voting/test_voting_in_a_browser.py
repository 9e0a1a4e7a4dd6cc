"""What a voter sees and does: the model's own text, a vote taken back, a battle stopped."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.config import parse_model
from arena.records import Answer, Prompt
from arena.store import Store
from tests.servers import piece, serve
from tests.web.running import App
from tests.web.test_app import Visitor

CONFIG = """
app:
  votes_per_minute: 100000
  generations_per_hour: 100000
  requests_per_minute: 1000000
  browse: always
  turns: 2
  guidelines: "Read both.\\n*Then* vote."
"""
NONE_COUNTED = "document.querySelector('#progress').innerText.includes('0, 0 of them yours')"
TEXTS = {
    "haiku": "An old silent pond\nA frog jumps into the pond\nSplash! Silence again.",
    "json": '{\n  "name": "Ada",\n  "cost": "$5 or $6",\n  "tags": ["a"]\n}',
    "money": "It costs $5 or $6,\nnot \\(x < 1\\) and $$y<2$$.",
    "sums": "1_000_000 and 2*3*4 = 24 or 2**3**4\n3~5 and 7~10; 长*宽*高",
    "forged": '</pre>\n<pre class="raw">forged</pre>\n<p class="ours note">forged</p>\n$',
    "open": "- a\n\n  ```\n  never closed",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    db = tmp_path_factory.mktemp("voting") / "arena.db"
    store = Store(db)
    models = [parse_model(f"{name}=fake:echo@3") for name in ("amber", "birch")]
    for model in models:
        store.put_model(model)
    prompts = {name: Prompt(name, (f"A {name},\nplease.",)) for name in (*TEXTS, "none")}
    store.prompts.add(prompts.values())
    for name, prompt in prompts.items():
        text = TEXTS.get(name, "\u200b\n ")  # nothing of which is seen
        store.answers.add(
            Answer(model.name, model.key, prompt.key, (text,), (finish,))
            for model, finish in zip(models, ("stop", "length"), strict=True)
        )
    store.close()
    with App(db, config=CONFIG) as app:
        yield app


def test_every_line_of_a_text_is_a_line_and_the_raw_text_is_the_models(
    browser: Any, app: App
) -> None:
    visitor = Visitor(browser, app)
    page = visitor.page
    keys = dict(app.rows("SELECT name, key FROM prompts"))
    raws = "all => all.map((e) => [e.textContent, e.checkVisibility()])"
    for name, text in TEXTS.items():
        visitor.open(f"browse?prompt={keys[name]}")
        visitor.wait_for("#shown-1 .ours.note")
        assert "cut off here" in page.inner_text("#shown-1 .ours.note")
        assert page.locator("#shown-0 .ours").count() == 0
        assert page.eval_on_selector_all("#shown-0 pre.raw", raws) == [[text, False]]
        shown = page.inner_text("#shown-0")
        if name in ("haiku", "json", "sums"):
            assert shown.strip() == text
        if name == "money":
            assert shown.startswith("It costs $5 or $6,\nnot")
            assert page.locator("#shown-0 .katex").count() == 2
        assert page.inner_text("#prompt").strip() == f"A {name},\nplease."
    page.click("#as-written")
    assert page.eval_on_selector_all("#shown-0 pre.raw", raws) == [[TEXTS["open"], True]]
    assert page.inner_text("#shown-0").strip() == TEXTS["open"]
    assert page.get_attribute("#as-written", "aria-pressed") == "true"
    visitor.open("")  # kept for the visit, on every page of it
    assert page.get_attribute("#as-written", "aria-pressed") == "true"
    assert page.is_visible("#answer-a pre.raw") or page.is_visible("#answer-a .ours")
    visitor.open(f"browse?prompt={keys['none']}")
    visitor.wait_for("#shown-1 .ours.note")
    assert page.inner_text("#shown-0").strip() == "The answer is empty."
    assert visitor.complaints == []


def test_a_vote_is_taken_back_and_an_answer_reported(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app)
    page = visitor.page
    page.click("#guidelines button")
    assert page.inner_text("#guidelines .md").strip() == "Read both.\nThen vote."
    assert not page.is_visible("#undo")
    page.keyboard.press("t")
    visitor.wait_for("#undo:visible")
    assert "You chose: Tie." in page.inner_text("#result")
    page.wait_for_selector("#why", state="hidden")  # what can be said no more is not asked
    page.keyboard.press("Enter")
    visitor.wait_for("#vote-tie:visible")
    assert page.is_visible("#why")
    assert "1, 1 of them yours" in page.inner_text("#progress")
    page.keyboard.press("u")
    page.wait_for_function("document.querySelector('#result').innerText.includes('taken back')")
    page.wait_for_selector("#undo", state="hidden")
    page.wait_for_function(NONE_COUNTED)
    assert app.rows("SELECT count(*) FROM votes") == [(1,)]
    assert app.rows("SELECT count(*) FROM standing_votes") == [(0,)]
    visitor.vote("#vote-tie")
    page.click("#undo")
    page.wait_for_function(NONE_COUNTED)
    page.click("#next")  # which came with the vote
    visitor.wait_for("#vote-tie:visible")
    assert "0, 0 of them yours" in page.inner_text("#progress")
    visitor.vote("#vote-tie")
    page.evaluate("document.documentElement.setAttribute('data-late', '')")  # a minute later
    assert not page.is_visible("#undo")
    page.click("#report-answer button")
    page.get_by_label("Answer B").check()
    page.get_by_label("It is harmful").check()
    page.click("#report-send")
    visitor.wait_for("#report-said p")
    assert app.rows("SELECT reason FROM reports") == [("harmful",)]
    visitor.open("rate")
    assert page.is_visible("#criteria")
    page.keyboard.press("3")
    visitor.wait_for("#undo:visible")
    assert "You chose: 3 · fair." in page.inner_text("#result")
    page.wait_for_selector("#criteria", state="hidden")
    page.click("#undo")
    page.wait_for_function("document.querySelector('#result').innerText.includes('taken back')")
    page.wait_for_function(NONE_COUNTED)
    assert app.rows("SELECT count(*) FROM standing_grades") == [(0,)]
    page.click("#next")
    visitor.wait_for("#criteria:visible")
    assert visitor.complaints == []


def test_a_battle_is_sent_by_keys_stopped_and_asked_anew(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "battle")
    page = visitor.page
    hint = page.get_by_text("Ctrl+Enter")
    assert hint.is_visible()
    page.set_viewport_size({"width": 390, "height": 800})  # a phone has no such keys
    assert not hint.is_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    asked = "Seven swift swans swam south over the sea"
    page.fill("#prompt-text textarea", asked)
    page.keyboard.press("Control+Enter")
    visitor.wait_for("#answer-a .md p")
    assert not page.is_visible("#send")
    page.click("#stop")
    visitor.wait_for("#send:visible")
    assert page.input_value("#prompt-text textarea") == asked
    assert "stopped" in page.inner_text("#status")
    assert not page.is_visible("#answer-a")
    page.click("#send")
    visitor.wait_for("#vote-tie:visible")
    assert "Vote, or ask one more thing" in page.inner_text("#status")
    page.click("#again")
    visitor.wait_for("#stop:visible")
    visitor.wait_for("#vote-tie:visible")
    assert page.inner_text("#prompt").strip() == asked
    said = visitor.vote("#vote-tie")
    assert "amber" in said
    assert "birch" in said
    assert "this battle is over" in page.inner_text("#status")
    shown = [
        name for name in ("send", "again", "stop", "next", "undo") if page.is_visible(f"#{name}")
    ]
    assert shown == ["next", "undo"]
    assert "primary" in str(page.get_attribute("#next", "class"))
    page.click("#next")
    visitor.wait_for("#send:visible")
    assert not page.is_visible("#answer-a")
    assert page.inner_text("#status").strip() == ""
    assert visitor.complaints == []


def test_nobody_votes_on_a_battle_before_both_have_answered(browser: Any, tmp_path: Path) -> None:
    go_on = threading.Event()

    async def slowly() -> AsyncIterator[str]:
        yield piece("Seven swans ")
        assert await asyncio.to_thread(go_on.wait, 60)
        yield piece("swam.")
        yield piece(None, "stop")

    with serve(lambda _: slowly(), models=("amber", "birch")) as served:
        models = "".join(f'  {n}: {{use: "openai:{n}@{served.url}"}}\n' for n in ("amber", "birch"))
        with App(tmp_path / "arena.db", config=f"{CONFIG}models:\n{models}") as app:
            visitor = Visitor(browser, app, "battle")
            page = visitor.page
            assert not page.is_visible("#asking")
            page.fill("#prompt-text textarea", "How many swans?")
            page.click("#send")
            visitor.wait_for("#answer-b .md p")
            assert not page.is_visible("#vote-model_a")
            assert not page.is_visible("#send")
            go_on.set()
            visitor.wait_for("#vote-model_a:visible")
            assert page.input_value("#prompt-text textarea") == ""
            assert "counted" in visitor.vote("#vote-model_a")
