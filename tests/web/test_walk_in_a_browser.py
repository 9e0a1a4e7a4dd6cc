"""What a fresh user's walk through the app met: on a desktop and on a phone."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from arena.config import parse_model
from arena.records import Answer, Judge, Preference, Prompt, Verdict, Vote, Winner
from arena.store import Store
from arena.web.views.words import WORDS
from tests.web.running import App
from tests.web.test_app import LIVE, PASSWORD, READY, Visitor

NAMES = (
    "meta-llama/Meta-Llama-3.1-8B-Instruct",
    "meta-llama/Meta-Llama-3.1-70B-Instruct",
    "greedy",
    "greedy@2",
)
JUDGES = ("a-judge-of-some-length", "gpt-4", "gpt-3.5")
SLOW = LIVE.replace("fake:echo@0.4", "fake:echo@3").replace("fake:echo@0.9", "fake:echo@3")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    db = tmp_path_factory.mktemp("walk") / "arena.db"
    store = Store(db)
    fill(store)
    store.close()
    with App(db, config=SLOW, ARENA_ADMIN_PASSWORD=PASSWORD) as app:
        yield app


def fill(store: Store) -> None:
    """Four models, one of them an old version, with votes and the verdicts of three judges."""
    models = [replace(parse_model("fake:echo"), name=name) for name in NAMES]
    prompts = [Prompt(f"p{k}", (f"Question {k}?",), "knowledge", "en") for k in range(12)]
    store.put_prompts(prompts)
    store.judges.add(Judge(name, name, "{}") for name in JUDGES)
    for model in models:
        store.put_model(model)
        store.answers.add(
            Answer(model.name, model.key, prompt.key, (f"I am sure of {k}.",), ("stop",))
            for k, prompt in enumerate(prompts)
        )
    keys = {(a.model, a.prompt_key): a.key for a in store.answers.where()}
    for k, prompt in enumerate(prompts):
        for n, (one, other) in enumerate(combinations(NAMES, 2)):
            pair = keys[one, prompt.key], keys[other, prompt.key]
            won = Winner.MODEL_A if (k + n) % 3 else Winner.MODEL_B
            store.votes.cast_all([Vote(f"{k} {n}", prompt.key, *pair, won, f"v{k}", seconds=9.0)])
            store.verdicts.add(
                Verdict(f"{judge} {k} {n}", judge, judge, prompt.key, *pair, Preference.A)
                for judge in JUDGES
            )


def test_the_report_is_shut_with_the_next_pair(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app)
    page = visitor.page
    for way in ("next", "skip"):
        page.click("#report-answer > button, #report-answer .label-wrap")
        page.get_by_label("It is harmful").check()
        if way == "next":
            visitor.vote("#vote-tie")
        page.click(f"#{way}")
        page.wait_for_selector("#report-send", state="hidden")
        visitor.wait_for("#vote-tie:visible")
    page.click("#report-answer > button, #report-answer .label-wrap")
    assert not page.get_by_label("It is harmful").is_checked()
    visitor.open("rate")
    page.click("#report-answer > button, #report-answer .label-wrap")
    page.keyboard.press("Escape")
    page.click("#skip")
    page.wait_for_selector("#report-send", state="hidden")
    assert visitor.complaints == []


def test_a_battle_under_way_comes_back(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "battle")
    page = visitor.page
    assert "everybody can read the battle in Browse" in page.inner_text("#live")
    asked = "Seven swift swans swam south over the sea"
    page.fill("#prompt-text textarea", asked)
    page.click("#send")
    visitor.wait_for("#answer-a .md p")
    page.reload()  # in the middle of what both write
    page.wait_for_function(
        "asked => document.querySelector('#vote-tie')?.checkVisibility() ||"
        " document.querySelector('#prompt-text textarea')?.value === asked",
        arg=asked,
        timeout=60_000,
    )
    if not page.is_visible("#vote-tie"):
        page.click("#send")
        visitor.wait_for("#vote-tie:visible")
    words = page.inner_text("#answer-a")
    page.reload()  # between two turns
    visitor.wait_for("#vote-tie:visible")
    assert page.inner_text("#prompt").strip() == asked
    assert page.inner_text("#answer-a") == words
    assert "Vote, or ask one more thing" in page.inner_text("#status")
    assert "another tab of yours may show it too" in page.inner_text("#status")
    assert "counted" in visitor.vote("#vote-tie")
    page.reload()  # and after the vote there is none
    visitor.wait_for("#send:visible")
    visitor.settle()
    assert not page.is_visible("#answer-a")
    assert app.rows("SELECT count(*) FROM talks") == [(0,)]


def test_two_named_models_are_stopped(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "side_by_side?first=one&second=two")
    page = visitor.page
    page.click("#ask-live > button, #ask-live .label-wrap")
    page.fill("#prompt-text textarea", "Both of you, please, and take your time.")
    assert not page.is_visible("#stop")
    page.click("#send")
    page.wait_for_selector("#stop:visible")
    assert not page.is_visible("#send")
    page.click("#stop")
    visitor.wait_for("#send:visible")
    assert "stopped" in page.inner_text("#status")
    assert not page.is_visible("#stop")
    assert visitor.complaints == []


def test_the_admin_page_is_linked_and_its_door_goes(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app)
    page = visitor.page
    page.get_by_role("link", name="Admin").click()
    visitor.wait_for("#password input")
    page.fill("#password input", PASSWORD)
    page.click("#enter")
    visitor.wait_for("#inside:visible")
    page.wait_for_selector("#password", state="hidden")
    assert not page.is_visible("#enter")
    page.click("#reports")
    page.wait_for_function("document.querySelector('#report').innerText.trim()")
    assert visitor.complaints == []


def test_a_page_that_does_not_exist_shows_the_way_home(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app)
    page = visitor.page
    for path in ("nowhere", "browse/deeper", "docs", "no.php"):
        assert page.request.get(f"{app.url}/{path}").status == 404
        page.goto(f"{app.url}/{path}")
        assert "There is no such page" in page.inner_text("body")
        assert "没有这个页面" in page.inner_text("body")
    page.get_by_role("link", name="To the arena").click()
    visitor.wait_for("#vote-tie:visible")
    assert "Not Found" in page.request.get(f"{app.url}/data/nothing.csv").text()


def test_the_chart_follows_the_table_and_style_says_where_it_goes(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "leaderboard")
    page = visitor.page
    visitor.wait_for("#board table")
    assert "old version of greedy@2" in page.inner_text("#board")
    assert page.get_by_label("Style control").is_disabled()
    assert "alone" in page.inner_text("#style")
    visitor.wait_for("#plot .ytick")
    ticks = "document.querySelectorAll('#plot .ytick').length"
    page.wait_for_function(f"{ticks} === 4")
    drawn = page.inner_text("#plot").replace("\n", "")
    assert all(name in drawn for name in NAMES)
    page.locator("#search input, #search textarea").press_sequentially("llama", delay=30)
    page.wait_for_function(f"{ticks} === 2")
    page.fill("#search input, #search textarea", "")
    page.wait_for_function(f"{ticks} === 4")
    page.fill("#search input, #search textarea", "nobody")
    page.wait_for_function("document.querySelector('#chart-hint').innerText.includes('No model')")
    visitor.settle()
    page.fill("#search input, #search textarea", "")
    visitor.choose("evidence", "People's votes")
    page.wait_for_function("!document.querySelector('#style input').disabled")
    page.get_by_label("Style control").check()
    page.wait_for_function("location.search.includes('style=1')")
    visitor.settle()
    visitor.choose("evidence", "Everything")
    page.wait_for_function("document.querySelector('#style input').disabled")
    assert not page.get_by_label("Style control").is_checked()
    assert visitor.complaints == []


BESIDE = """name => {
  const cells = [...document.querySelectorAll("#board tbody th")];
  const cell = cells.find((th) => th.dataset.value === name);
  const box = (part) => cell.querySelector(part)?.getBoundingClientRect();
  const text = box("a.model"), mark = box("details.mark");
  return !mark || (mark.left >= text.right - 1 && mark.top < text.top + 20);
}"""


def test_on_a_phone_nothing_is_cut_or_lies_over_another(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "side_by_side", "zh-CN", 390)
    page = visitor.page
    boxes = [page.locator(f"#model-{k}").bounding_box() for k in (1, 2)]
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"] - 1  # one below the other
    field = page.locator("#model-1 input").evaluate(
        "(e) => parseFloat(getComputedStyle(e).paddingRight)"
    )
    assert field >= 20  # room for the arrow
    visitor.open("judges")
    table = page.locator("#cards .table")
    width = table.evaluate("(e) => [e.scrollWidth, e.clientWidth]")
    first = page.locator("#cards tbody th").first.bounding_box()
    if width[0] > width[1]:  # three judges: the names of the rows stay while it is moved
        assert table.get_attribute("data-more") == WORDS["zh"]["scroll_more"]
        table.evaluate("(e) => { e.scrollLeft = 500; }")
        assert page.locator("#cards tbody th").first.bounding_box()["x"] == first["x"]
    visitor.open("leaderboard")
    visitor.wait_for("#board table")
    assert all(page.evaluate(BESIDE, name) for name in NAMES)
    assert visitor.width() == 390
    assert visitor.complaints == []


def test_nothing_is_on_a_page_that_is_for_the_page_alone(browser: Any, app: App) -> None:
    """Gradio shows what is hidden in a part that is made visible twice."""
    visitor = Visitor(browser, app)
    for path in READY:
        visitor.open(path)
        visitor.settle()
        found = visitor.page.get_by_text("Textbox", exact=True).filter(visible=True)
        assert not found.count(), path
    assert visitor.complaints == []


def test_columns_without_an_entry_are_left_out(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "models")
    visitor.settle()
    heads = visitor.page.locator("#models thead th").all_inner_texts()
    assert heads == ["Name", "Now", "Runs on", "Weights", "Answers", "Decoding"]
