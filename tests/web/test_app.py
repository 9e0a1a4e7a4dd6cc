"""The app as people meet it: `python app.py`, and a real browser, on every page."""

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.config import parse_model
from arena.interchange.imports import import_battles
from arena.interchange.sample import load_sample
from arena.records import Answer, Outcome, Prompt, Vote, Winner
from arena.store import Store
from tests.web.running import LIMITS, ROOT, App, free_port

pytestmark = pytest.mark.slow

SCREENSHOTS = ROOT / "docs" / "screenshots"
LONGEST = 1100
NAMES = ("smollm2-greedy", "smollm2-warm", "smollm2-hot", "smollm2-brief")
PASSWORD = "correct horse battery"
LIVE = f"""{LIMITS}
models:
  one: {{use: "fake:echo@0.4", temperature: 0.8, seed: 1}}
  two: {{use: "fake:echo@0.9", temperature: 0.9, seed: 2}}
"""
# Models with something to say, for the pictures.
TALKING = f"""{LIMITS}
models:
  one: {{use: smollm2, temperature: 0, max_tokens: 96}}
  two: {{use: smollm2, temperature: 0.5, max_tokens: 96, seed: 2}}
"""
# Gradio aborts its stream of answers when it has them, so they are read on their way in.
# It also complains of a stream that the server has not closed yet when the page is left,
# which nobody sees, as the page is gone.
LISTEN = """
addEventListener("beforeunload", () => { console.error = console.warn = () => {}; });
window.sent = "";
window.asked = 0;
const ask = window.fetch;
window.fetch = async (...request) => {
  if (String(request[0].url ?? request[0]).includes("/queue/join")) window.asked++;
  const answer = await ask(...request);
  if (answer.url.includes("/queue/data")) {
    const reader = answer.clone().body.getReader(), decoder = new TextDecoder();
    (async () => {
      for (let part; !(part = await reader.read()).done; )
        window.sent += decoder.decode(part.value, {stream: true});
    })().catch(() => {});
  }
  return answer;
};
"""
# By what a box is known: the contrast of its edge, or of itself, with what is around it.
FAINT = """() => {
  const numbers = (colour) => [...colour.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const over = (top, below) =>
    [0, 1, 2].map((k) => top[k] * top[3] + below[k] * (1 - top[3])).concat(1);
  const ground = (element) => !element ? [255, 255, 255, 1] :
    over(numbers(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  const light = (colour) => [.2126, .7152, .0722].reduce((sum, share, k) => {
    const value = colour[k] / 255;
    return sum + share * (value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  };
  const boxes = document.querySelectorAll("input, textarea, button, label, .block, .block .wrap");
  return [...boxes].filter((box) => {
    const style = getComputedStyle(box), around = ground(box.parentElement), own = ground(box);
    const edge = parseFloat(style.borderTopWidth) ? style.borderTopColor :
      parseFloat(style.borderLeftWidth) ? style.borderLeftColor : "";
    return box.checkVisibility({opacityProperty: true}) && box.offsetWidth > 8 && edge &&
      Math.max(contrast(over(numbers(edge), own), around), contrast(own, around)) < 3;
  }).map((box) => box.outerHTML.slice(0, 120));
}"""
ANSWERED = "(window.sent ?? '').split('process_completed').length > (window.asked ?? 0)"
# An answer that has just come may make the page ask again in its next breath.
SETTLED = f"""() => {{
  const state = `${{window.asked}} ${{(window.sent ?? '').length}}`, now = performance.now();
  if (window.state !== state) [window.state, window.since] = [state, now];
  return {ANSWERED} && now - window.since > 200;
}}"""
READY = {
    "": "#vote-model_a:visible",
    "battle": "#prompt-text textarea:visible",
    "rate": "#grade-5:visible",
    "leaderboard": "#board p",
    "compare": "#comparison p",
    "judges": "#cards table",
    "browse": "#rows a:visible, #about:visible",
    "side_by_side": "#side-1 p, #status p",
    "models": "#models table",
    "admin": "#password input",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    db = tmp_path_factory.mktemp("app") / "arena.db"
    store = Store(db)
    load_sample(store)
    store.outcomes.add(_outcomes())
    store.close()
    with App(db, config=LIVE, ARENA_ADMIN_PASSWORD=PASSWORD) as app:
        yield app


def _outcomes() -> Iterator[Outcome]:
    """A benchmark of three capabilities, and needles, so that every chart has something."""
    for k, name in enumerate(NAMES):
        for task, dimension in (("sums", "maths"), ("facts", "knowledge"), ("logic", "reasoning")):
            for item in range(8):
                right = float((item * 7 + len(task)) % 8 < 3 + k)
                said = f"The answer is {item}."
                yield Outcome(
                    name, "key", task, "1", f"item {item}", "acc", right, said, dimension=dimension
                )
        for length in (1024, 2048):
            for depth in (0, 50, 100):
                found = float((length // 1024 + depth // 50 + k) % 3 > 0)
                where = f"en {length} tokens {depth}% 1x #0"
                yield Outcome(name, "key", "needle", "1", where, "recall", found)


class Visitor:
    """One person's browser, with all that it was sent and complained of."""

    def __init__(
        self,
        browser: Any,
        app: App,
        path: str = "",
        locale: str = "en-US",
        width: int = 1200,
        scheme: str = "light",
    ) -> None:
        size = {"width": width, "height": 900}
        self.context = browser.new_context(locale=locale, viewport=size, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)  # a busy machine is slow, and not wrong
        self.app = app
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.add_init_script(LISTEN)
        self.open(path)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        self.go(path)
        self.wait_for(READY.get(path.partition("?")[0], "body"))

    def go(self, path: str) -> None:
        """To another page, once all that this one asked for is there."""
        self.settle()
        self.page.goto(f"{self.app.url}/{path}")

    def settle(self) -> None:
        """Wait until all that this page asked for is there, and it has asked for nothing more."""
        self.page.wait_for_function(SETTLED)

    def wait_for(self, selector: str) -> None:
        self.page.wait_for_selector(selector)

    def sent(self) -> str:
        """All that the server's handlers have sent so far."""
        return str(self.page.evaluate("window.sent"))

    def vote(self, selector: str) -> str:
        self.page.click(selector)
        self.wait_for("#result p")
        self.wait_for("#next:visible")
        return str(self.page.inner_text("#result"))

    def width(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def choose(self, name: str, option: str) -> None:
        """One option of a dropdown, by what it says."""
        self.page.click(f"#{name} input")
        self.page.get_by_role("option", name=option, exact=True).last.click()


def test_a_person_votes_and_finds_the_vote_counted(browser: Any, app: App) -> None:
    before = len(app.votes())
    visitor = Visitor(browser, app)
    assert not [name for name in NAMES if name in visitor.page.content()]
    sent = visitor.sent()
    assert "process_completed" in sent
    assert not [name for name in NAMES if name in sent]
    said = visitor.vote("#vote-model_a")
    shown = [name for name in NAMES if name in said]
    assert len(shown) == 2
    assert len(app.votes()) == before + 1
    assert app.votes()[-1] == ("model_a", "en")
    visitor.page.click("#next")
    visitor.wait_for("#vote-model_a:visible")
    for hidden in ("#prompt", "#answer-a", "#answer-b", "#progress", "#result"):
        assert not [name for name in NAMES if name in visitor.page.inner_text(hidden)]
    visitor.open("leaderboard")
    visitor.wait_for("#board table")
    few = f"People have cast {before + 1} vote"  # beside benchmarks they wait for more
    counted = [few, f"{before + 1} from people's votes"]
    board = ""
    while not any(said in board for said in counted):  # the last board is shown until it is new
        assert not board or "newer votes are being counted" in board
        visitor.page.wait_for_timeout(500)
        visitor.open("leaderboard")
        visitor.wait_for("#board table")
        board = visitor.page.text_content("#board")
    assert all(name in board for name in shown)
    assert all(url.startswith((app.url, "data:", "blob:")) for url in visitor.asked)
    assert visitor.complaints == []


def test_keys_vote_and_go_on(browser: Any, app: App) -> None:
    before = len(app.votes())
    page = Visitor(browser, app).page
    for key, winner in (
        ("t", "tie"),
        ("ArrowRight", "model_b"),
        ("X", "both_bad"),
        ("a", "model_a"),
    ):
        page.wait_for_selector("#vote-model_a:visible")
        page.keyboard.press(key)
        page.wait_for_selector("#next:visible")
        assert app.votes()[-1] == (winner, "en")
        page.keyboard.press(key)  # the battle is over
        page.keyboard.press("Enter")
    page.wait_for_selector("#vote-tie:visible")
    assert len(app.votes()) == before + 4
    page.click("#why button")
    page.get_by_label("Clear").check()
    page.fill("#comment textarea, #comment input", "a better t")
    assert len(app.votes()) == before + 4
    page.click("#vote-tie")
    page.wait_for_selector("#next:visible")
    assert app.rows("SELECT reasons, comment FROM remarks") == [('["clear"]', "a better t")]


@pytest.mark.parametrize(("locale", "width"), [("en-US", 1200), ("zh-CN", 390)])
def test_whoever_looks_for_the_names_finds_them_after_the_vote(
    browser: Any, app: App, locale: str, width: int
) -> None:
    last = "SELECT prompt_key, first, second FROM battles ORDER BY rowid DESC LIMIT 1"
    visitor = Visitor(browser, app, "", locale, width)
    page = visitor.page
    skipped = page.inner_text("#prompt .md")
    page.keyboard.press("s")
    changed = "before => document.querySelector('#prompt .md').innerText !== before"
    page.wait_for_function(changed, arg=skipped)
    asked = page.inner_text("#prompt .md")
    ((key, one, other),) = app.rows(last)
    visitor.open(f"browse?prompt={key}")
    visitor.wait_for("#about .note")
    visitor.wait_for("#about .links a:visible")
    assert not [name for name in NAMES if name in page.content() + visitor.sent()]
    writers = app.rows(f"SELECT model FROM answers WHERE key IN ('{one}', '{other}')")
    (first,), (second,) = writers
    visitor.go(f"side_by_side?first={first}&second={second}&prompt={key}")
    visitor.wait_for("#side-1 p")  # another prompt's
    assert asked not in page.inner_text("body")
    visitor.open("")
    assert page.inner_text("#prompt .md") == asked
    assert app.rows(last) == [(key, one, other)]
    said = visitor.vote("#vote-tie")
    assert all(name in said for (name,) in writers)
    visitor.open(str(page.get_attribute("#result a", "href")).removeprefix("./"))
    visitor.wait_for("#about h3")
    named = "all => all.every(name => document.querySelector('#detail').innerText.includes(name))"
    page.wait_for_function(named, arg=list(NAMES))
    assert visitor.complaints == []


def test_a_double_click_counts_once(browser: Any, app: App) -> None:
    before = len(app.votes())
    visitor = Visitor(browser, app)
    visitor.page.evaluate("for (let k = 0; k < 3; k++) document.getElementById('vote-tie').click()")
    visitor.wait_for("#next:visible")
    visitor.open("")
    assert len(app.votes()) == before + 1


def test_a_live_battle_in_several_turns(browser: Any, tmp_path: Path) -> None:
    """Between the fakes alone: on a busy machine the embedded model may write for minutes."""
    db = tmp_path / "arena.db"
    store = Store(db)
    load_sample(store)
    for name in NAMES:
        store.withhold("model", name, True)
    store.close()
    with App(db, config=LIVE) as app:
        visitor = Visitor(browser, app, "battle")
        page = visitor.page
        page.fill("#prompt-text textarea", "Seven swift swans swam " * 6)
        page.click("#send")
        visitor.wait_for("#vote-model_a:visible")
        visitor.settle()
        page.fill("#prompt-text textarea", "And eight geese?")
        page.click("#send")
        page.wait_for_function("document.querySelector('#answer-b').innerText.includes('Turn 2')")
        visitor.wait_for("#vote-model_a:visible")
        traffic = visitor.sent()
        assert '"one"' not in traffic
        assert '"two"' not in traffic
        said = visitor.vote("#vote-model_b")
        assert "Your vote is counted" in said
        (turns,) = app.rows("SELECT turns FROM prompts WHERE source = 'live'")[-1]
        assert json.loads(turns)[1] == "And eight geese?"
        page.click("#next")
        page.wait_for_selector("#answer-a", state="hidden")
        assert visitor.complaints == []


def test_the_embedded_model_answers_live(browser: Any, tmp_path: Path) -> None:
    with App(tmp_path / "arena.db") as app:
        visitor = Visitor(browser, app, "battle")
        visitor.page.fill("#prompt-text textarea", "Say hello.")
        visitor.page.click("#send")
        visitor.page.wait_for_selector("#vote-tie:visible", timeout=300_000)
        said = visitor.vote("#vote-tie")
        assert sum(name in said for name in NAMES) == 2


def test_without_live_models_stored_pairs_are_offered(browser: Any, tmp_path: Path) -> None:
    db = tmp_path / "arena.db"
    store = Store(db)
    load_sample(store)
    for name in NAMES:
        store.withhold("model", name, True)
    store.close()
    with App(db) as app:
        visitor = Visitor(browser, app, "models")
        visitor.go("battle")
        visitor.wait_for("#no-live:visible")
        assert "No model can answer live" in visitor.page.inner_text("#no-live")
        visitor.page.click("#to-vote")
        visitor.page.wait_for_url(f"{app.url}/")


def test_rating_answers(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "rate")
    page = visitor.page
    assert not [name for name in NAMES if name in page.content() + visitor.sent()]
    page.keyboard.press("4")
    visitor.wait_for("#next:visible")
    assert any(name in page.inner_text("#result") for name in NAMES)
    assert "Ratings so far: 1, 1 of them yours." in page.inner_text("#progress")
    page.keyboard.press("Enter")
    visitor.wait_for("#grade-2:visible")
    page.click("#grade-2")
    visitor.wait_for("#next:visible")
    assert app.rows("SELECT value FROM grades") == [(4,), (2,)]


VISIBLE_ROWS = "document.querySelectorAll('#board tbody tr:not([hidden])').length"


def test_the_leaderboard_is_filtered_and_downloaded(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "leaderboard?view=objective")
    page = visitor.page
    visitor.wait_for("#board table")
    assert "objective-only" in page.inner_text("#board")
    assert page.locator("#board tbody tr").count() == len(NAMES)
    page.fill("#search input, #search textarea", "GREEDY")
    page.wait_for_function(f"{VISIBLE_ROWS} === 1")
    page.fill("#search input, #search textarea", "nobody is named so")
    page.wait_for_selector("#board .nobody:visible")
    page.fill("#search input, #search textarea", "smol")
    page.wait_for_function(f"{VISIBLE_ROWS} === 4")
    assert not page.is_visible("#board .nobody")
    order = page.locator("#board tbody th").all_inner_texts()
    page.get_by_role("button", name="Rating").click()
    page.get_by_role("button", name="Rating").click()
    assert page.locator("#board tbody th").all_inner_texts() == order[::-1]
    visitor.settle()
    page.reload()  # the address keeps the view, the filter and the order
    visitor.wait_for("#board table")
    page.wait_for_function(f"document.querySelector('#board tbody th').innerText === '{order[-1]}'")
    assert "objective-only" in page.inner_text("#board")
    assert page.input_value("#search input, #search textarea") == "smol"
    visitor.choose("chart", "Capabilities")
    visitor.wait_for("#plot .polar")
    visitor.choose("chart", "Needle in a haystack")
    visitor.wait_for("#plot .heatmaplayer")
    visitor.choose("chart", "Categories against all prompts")
    page.wait_for_function("document.querySelector('#chart-hint').innerText.trim()")
    assert "facts" in page.inner_text("#tasks")
    with page.expect_download() as csv:
        page.get_by_role("link", name="leaderboard.csv").click()
    assert "smollm2-greedy" in Path(csv.value.path()).read_text()
    with page.expect_download() as wins:
        page.get_by_role("link", name="wins.json").click()
    assert {"observed", "predicted"} <= json.loads(Path(wins.value.path()).read_text())[0].keys()
    visitor.choose("evidence", "Judge models")
    page.wait_for_selector("#board .empty")
    assert "changes its verdict" in page.inner_text("#board")
    page.get_by_label("Show weak judges all the same").check()
    visitor.wait_for("#board table")
    assert "judge-only" in page.inner_text("#board")
    page.click("#group label:has-text('maths')")
    page.wait_for_function("!document.querySelector('#board').innerText.includes('480')")
    page.wait_for_function("location.search.includes('value=maths')")
    visitor.settle()
    assert {"view=judge", "weak=1", "by=category", "value=maths"} <= set(
        page.url.partition("?")[2].split("&")
    )
    page.get_by_role("link", name="smollm2-greedy").click()
    visitor.wait_for("#models table")
    # Nobody may have voted yet, and the judge is too weak to count on the page of a model, too.
    assert {"smollm2-greedy", "Benchmarks"} <= set(re.split(r"[\n\t]+", page.inner_text("#models")))
    assert visitor.complaints == []


def test_a_newcomer_is_told_why_there_is_no_ranking_and_what_to_do(
    browser: Any, tmp_path: Path
) -> None:
    with App(tmp_path / "arena.db") as app:
        visitor = Visitor(browser, app, "leaderboard", "zh-CN", 390)
        visitor.wait_for("#board .empty")
        seen = visitor.page.inner_text("#board")
        assert "还没有榜单" in seen
        assert "随顺序改变判断" in seen
        assert not re.search("[a-z]{3,} [a-z]{3,}", seen)
        visitor = Visitor(browser, app, "leaderboard")
        page = visitor.page
        visitor.wait_for("#board .empty")
        assert "There is no ranking yet" in page.inner_text("#board")
        for name in ("#chart", "#refresh", "#columns"):
            assert not page.is_visible(name)
        page.get_by_role("link", name="Show weak judges all the same").click()
        visitor.wait_for("#board table")
        assert "judge-only" in page.inner_text("#board")
        assert page.get_by_label("Show weak judges all the same").is_checked()
        visitor.wait_for("#chart:visible")
        visitor.wait_for("#columns:visible")
        assert page.locator("#refresh").bounding_box()["width"] < 150
        visitor.open("leaderboard?view=human")
        page.get_by_role("link", name="Vote on stored pairs").click()
        visitor.wait_for("#vote-model_a:visible")
        assert visitor.complaints == []


def test_votes_without_texts_leave_no_empty_boxes(browser: Any, tmp_path: Path) -> None:
    db, battles = tmp_path / "arena.db", tmp_path / "battles.csv"
    battles.write_text(
        "prompt,model_a,model_b,winner,voter\n"
        + "".join(f"{k},one,two,{'tie' if k % 2 else 'model_a'},v{k}\n" for k in range(20))
    )
    store = Store(db)
    import_battles(store, battles)
    store.close()
    with App(db) as app:
        visitor = Visitor(browser, app, "leaderboard")
        page = visitor.page
        visitor.wait_for("#board table")
        for path, said, hidden in (
            ("", "#prompt p", ("#answer-a", "#answer-b", "#why", "#vote-tie")),
            ("rate", "#prompt p", ("#answer", "#criteria", "#grade-1")),
            ("side_by_side", "#status p", ("#prompt", "#side-1", "#side-2", "#stored")),
            ("browse", "#rows p", ("#previous", "#following", "#page")),
            ("judges", "#cards p", ("#chart", "#plot")),
        ):
            visitor.go(path)
            visitor.wait_for(said)
            assert not [name for name in hidden if page.is_visible(name)]
        assert visitor.complaints == []


def test_browsing_to_a_prompt_and_back_by_its_link(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "browse")
    page = visitor.page
    assert page.locator("#rows a").count() == 20
    assert not page.is_visible("#page")
    page.click("#following")
    page.wait_for_function("document.querySelector('#rows').innerText.includes('2 of')")
    page.click("#previous")
    page.wait_for_function("document.querySelector('#rows').innerText.includes('1 of')")
    visitor.choose("category", "maths")
    page.wait_for_function("document.querySelectorAll('#rows a').length < 20")
    assert all("maths" in text for text in page.locator("#rows a small").all_inner_texts())
    visitor.settle()
    page.locator("#rows a").first.click()
    visitor.wait_for("#about h3")
    address = page.url
    assert all(name in page.inner_text("#detail") for name in NAMES)
    assert "smollm2" in page.inner_text("#about")
    again = Visitor(browser, app, address.rpartition("/")[2], "zh-CN")
    again.wait_for("#about h3")
    assert "裁判的判断" in again.page.inner_text("#about")
    visitor.settle()
    page.go_back()
    visitor.wait_for("#rows a:visible")
    visitor.settle()
    assert page.input_value("#category input") == "maths"
    kept = page.locator("#rows a").count()
    page.locator("#search input, #search textarea").press_sequentially("ZZ", delay=20)
    page.wait_for_function("location.search.includes('search=ZZ')")
    visitor.settle()
    assert page.locator("#rows a").count() == 0
    assert "category=maths" in page.url
    page.fill("#search input, #search textarea", "")
    page.wait_for_function(f"document.querySelectorAll('#rows a').length === {kept}")
    visitor.settle()
    page.locator("#rows a").first.click()
    visitor.wait_for("#about h3")
    visitor.settle()
    page.click("#about .links a")  # all prompts, as they were
    visitor.wait_for("#rows a:visible")
    page.wait_for_function(f"document.querySelectorAll('#rows a').length === {kept}")
    visitor.open("browse")
    page.get_by_label("Benchmark outcomes").check()
    page.wait_for_selector("#rows details")
    page.locator("#rows details summary").first.click()
    opened = page.locator("#rows details[open]")
    assert opened.locator("tbody tr").count() == len(NAMES)
    assert "The answer is 0." in opened.locator("td").first.inner_text()
    visitor.go("browse?prompt=nothing")
    visitor.wait_for("#about .note")
    assert visitor.complaints == []


def test_judges_models_and_side_by_side(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "judges")
    page = visitor.page
    assert "100.0%" in page.inner_text("#cards")
    visitor.wait_for("#plot .js-plotly-plot")
    visitor.choose("chart", "Order of the answers, by pair of models")
    page.wait_for_function("document.querySelector('#plot').innerText.includes('smollm2-brief')")
    assert "dotted line" in page.inner_text("#chart-hint")
    assert not page.is_visible("#judge")
    visitor.open("models")
    table = page.inner_text("#models")
    assert all(name in table for name in (*NAMES, "one", "two"))
    visitor.open("side_by_side")
    visitor.choose("model-1", "smollm2-hot")
    visitor.choose("model-2", "smollm2-warm")
    visitor.wait_for("#side-1 p")
    visitor.wait_for("#side-2 p")
    visitor.go("side_by_side?first=one&second=two")
    visitor.wait_for("#ask-live")
    page.click("#ask-live button")
    page.fill("#prompt-text textarea", "Both of you, please.")
    page.click("#send")
    page.wait_for_function("document.querySelector('#side-2')?.innerText.includes('please')")
    page.wait_for_function("!document.querySelector('#status').innerText.trim()")
    assert visitor.complaints == []


def test_the_admin_pauses_hides_adds_and_exports(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "admin")
    page = visitor.page
    page.fill("#password input", "wrong")
    page.click("#enter")
    visitor.wait_for("#said p")
    assert "not the password" in page.inner_text("#said")
    assert not page.is_visible("#inside")
    page.fill("#password input", PASSWORD)
    page.click("#enter")
    visitor.wait_for("#inside:visible")
    page.fill("#new-prompts textarea", "What is dew?\n什么是露水？")
    page.click("#add button, button#add")
    page.wait_for_function("document.querySelector('#said').innerText.includes('2 prompts added')")
    assert app.rows("SELECT language FROM prompts WHERE source = 'admin' ORDER BY rowid") == [
        ("en",),
        ("zh",),
    ]
    visitor.choose("pause-model", "one")
    page.click("#pause")
    page.wait_for_function("document.querySelector('#state').innerText.includes('models: one')")
    page.click("#resume")
    page.wait_for_function("!document.querySelector('#state').innerText.includes('models: one')")
    page.click("#integrity")
    visitor.wait_for("#report p")
    assert "is whole" in page.inner_text("#report")
    page.click("#export")
    visitor.wait_for("#said a")
    links = page.eval_on_selector_all("#said a", "all => all.map((a) => a.href)")
    heads = {page.request.get(link).text().partition(",")[0] for link in links}
    assert heads == {"battle", "key", "prompt_key", "model", "name"}
    visitor.open("browse")
    visitor.settle()
    page.locator("#rows a").first.click()
    page.click("#hide")
    visitor.wait_for("#unhide:visible")
    ((kind, key),) = app.rows("SELECT kind, name FROM withheld")
    assert kind == "prompt"
    stranger = Visitor(browser, app, f"browse?prompt={key}")
    stranger.wait_for("#about .note")
    assert not stranger.page.is_visible("#unhide")
    visitor.settle()
    page.reload()
    page.click("#unhide")
    visitor.wait_for("#hide:visible")
    assert app.rows("SELECT * FROM withheld") == []
    visitor.open("admin")
    assert not page.is_visible("#inside")
    assert visitor.complaints == []


def test_no_column_of_a_prompt_is_too_narrow_to_read_on_a_phone(browser: Any, app: App) -> None:
    ((key,),) = app.rows("SELECT prompt_key FROM verdicts LIMIT 1")
    visitor = Visitor(browser, app, f"browse?prompt={key}", "zh-CN", 390)
    visitor.wait_for("#about h3")
    narrowest = """all => Math.min(...all.map(
        (cell) => cell.clientWidth / parseFloat(getComputedStyle(cell).fontSize)))"""
    assert visitor.page.eval_on_selector_all("#about td", narrowest) >= 4
    assert visitor.page.eval_on_selector_all("#about td.text", narrowest) >= 11
    assert visitor.width() == 390


@pytest.mark.parametrize("path", list(READY))
def test_every_page_on_a_phone_in_chinese_and_dark(browser: Any, app: App, path: str) -> None:
    visitor = Visitor(browser, app, path, "zh-CN", 390, "dark")
    page = visitor.page
    assert visitor.width() == 390
    assert page.evaluate("document.documentElement.lang").startswith("zh")
    assert page.evaluate("document.body.classList.contains('dark')")
    seen = page.inner_text("gradio-app")
    assert re.search(r"[\u4e00-\u9fff]{3}", seen)
    assert "arena_" not in seen
    names = page.evaluate("""[...document.querySelectorAll(
        'button, input:not([type=hidden]), textarea, a[href]')].filter(
        (e) => e.offsetParent && !(e.innerText || e.ariaLabel || e.labels?.length ||
          e.closest('label')?.innerText || e.title)).map((e) => e.outerHTML.slice(0, 200))""")
    assert names == []
    for dark in (True, False):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.wait_for_timeout(400)  # colours change by degrees
        assert page.evaluate(FAINT) == []
    assert visitor.complaints == []


def test_on_a_phone_in_chinese_a_vote_is_counted(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "", "zh-CN", 390)
    assert visitor.page.inner_text("#vote-both_bad") == "都不好"
    assert "你的一票已计入" in visitor.vote("#vote-both_bad")
    assert visitor.width() == 390
    assert app.votes()[-1] == ("both_bad", "zh")


def test_language_and_theme_are_switched_and_kept(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app)
    page = visitor.page
    page.click("#speak")
    page.wait_for_function("document.querySelector('#vote-tie')?.innerText === '平局'")
    visitor.wait_for("#vote-tie:visible")
    assert "计入" in visitor.vote("#vote-tie")
    assert app.votes()[-1] == ("tie", "zh")
    assert not page.evaluate("document.body.classList.contains('dark')")
    page.click("#shade")
    visitor.open("leaderboard")
    page.wait_for_function("document.body.classList.contains('dark')")
    assert "排行榜" in page.title()


HOSTILE = f"""Code:

```python
{"x = [" + "123456, " * 90 + "]"}
```

|{" column |" * 30}
|{"---|" * 30}
|{" number 1 |" * 30}

$$ {" + ".join(f"x_{{{k}}}" for k in range(90))} $$

{"w" * 900} <img src="http://evil.example/x.png" width="3000"> <div style="width: 3000px">wide</div>
<script>document.title = "hacked"</script><img src=x onerror="document.title='hacked'">
![picture](http://evil.example/y.png) <style>body {{ display: none }}</style>
<div style="position:fixed;inset:0;z-index:99999;background:red">over it all</div>
<a id="vote-model_b" href="javascript:document.title='hacked'">b</a>
[click](javascript:document.title='hacked') <iframe src="http://evil.example"></iframe>
"""
EVIL = "evil<img src=x onerror=document.title='hacked'>"


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_hostile_runs_loads_or_widens_the_page(
    browser: Any, tmp_path: Path, width: int
) -> None:
    db = tmp_path / "arena.db"
    store = Store(db)
    prompt = Prompt("wide", (HOSTILE,), EVIL, "en")
    base = parse_model("fake:echo")
    models = [base.__class__(name, base.backend, base.weights) for name in (EVIL, "other")]
    store.put_prompts([prompt])
    for model in models:
        store.put_model(model)
    store.answers.add(
        Answer(model.name, model.key, prompt.key, (HOSTILE,), ("stop",)) for model in models
    )
    store.close()
    with App(db) as app:
        visitor = Visitor(browser, app, width=width)
        page = visitor.page
        page.wait_for_selector("#answer-b table")
        assert visitor.width() == width
        boxes = [
            page.locator(name).bounding_box() for name in ("#prompt", "#answer-a", "#answer-b")
        ]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert "<script>" in page.inner_text("#answer-a")
        said = visitor.vote("button#vote-model_b")
        assert EVIL in said
        for path in ("leaderboard", "browse", f"browse?prompt={prompt.key}", "models"):
            for _ in range(120):  # what was made before the vote is shown until it is made anew
                visitor.go(path)
                visitor.settle()
                if "evil" in page.inner_text("gradio-app"):
                    break
                page.wait_for_timeout(500)
            assert "evil" in page.inner_text("gradio-app")
            assert visitor.width() == width
        assert "hacked" not in page.title()
        assert not [url for url in visitor.asked if "evil.example" in url]
        assert page.locator("gradio-app iframe").count() == 0
        assert visitor.complaints == []


LONG = "\n\n".join(f"{k}. A paragraph of an answer that goes on and on." for k in range(80))


@pytest.fixture(scope="module")
def long_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Answers of several thousand characters, and models that write as much live."""
    db = tmp_path_factory.mktemp("long") / "arena.db"
    store = Store(db)
    prompts = [Prompt(f"long {k}", (f"Go on, {k} times.",), "talk", "en") for k in range(4)]
    models = [parse_model("long=fake:echo@0.4"), parse_model("longer=fake:echo@0.9")]
    store.put_prompts(prompts)
    for model in models:
        store.put_model(model)
        store.answers.add(
            Answer(model.name, model.key, prompt.key, (LONG,), ("stop",)) for prompt in prompts
        )
    store.close()
    with App(db, config=LIVE) as app:
        yield app


def in_sight(page: Any, *selectors: str) -> bool:
    """Whether all of them are within the window."""
    height = page.viewport_size["height"]
    boxes = [page.locator(selector).bounding_box() for selector in selectors]
    return all(box and box["y"] >= 0 and box["y"] + box["height"] <= height for box in boxes)


@pytest.mark.parametrize("width", [390, 1200])
def test_what_decides_stays_in_sight_below_long_answers(
    browser: Any, long_app: App, width: int
) -> None:
    visitor = Visitor(browser, long_app, width=width)
    page = visitor.page
    buttons = [f"#vote-{winner}" for winner in ("model_a", "tie", "both_bad", "model_b")]
    assert page.evaluate("document.documentElement.scrollHeight") > 2000
    assert in_sight(page, *buttons)
    page.keyboard.press("t")
    visitor.wait_for("#next:visible")
    assert in_sight(page, "#result", "#next")
    page.evaluate("scrollTo(0, 1500)")
    assert in_sight(page, "#result", "#next")
    page.keyboard.press("Enter")
    visitor.wait_for("#vote-model_a:visible")
    assert page.evaluate("scrollY") == 0
    assert in_sight(page, *buttons)
    visitor.open("rate")
    grades = [f"#grade-{k}" for k in range(1, 6)]
    assert in_sight(page, *grades)
    page.keyboard.press("3")
    visitor.wait_for("#next:visible")
    assert in_sight(page, "#result", "#next")
    visitor.open("battle")
    page.fill("#prompt-text textarea", LONG)
    page.click("#send")
    visitor.wait_for("#vote-tie:visible")
    assert in_sight(page, *buttons)
    assert visitor.complaints == []


def run_app(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *options]
    env = os.environ | environment
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=env)


def test_a_port_in_use_is_one_sentence(app: App, tmp_path: Path) -> None:
    done = run_app("--db", str(tmp_path / "new.db"), "--port", str(app.port))
    assert done.returncode == 2
    assert re.search(rf"127\.0\.0\.1:{app.port} cannot be listened on", done.stderr)
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (["--auth", "nobody"], {}, "NAME:PASSWORD"),
        ([], {"ARENA_ADMIN_PASSWORD": "short"}, "ARENA_ADMIN_PASSWORD has 5 characters"),
        (["--config", "no.yaml"], {}, "guidelines names 'gone.md', and there is no such file"),
    ],
)
def test_wrong_settings_are_one_sentence(
    tmp_path: Path, options: list[str], environment: dict[str, str], said: str
) -> None:
    port = str(free_port())
    (tmp_path / "no.yaml").write_text("app: {guidelines: gone.md}")
    options = [str(tmp_path / part) if part == "no.yaml" else part for part in options]
    done = run_app("--db", str(tmp_path / "new.db"), "--port", port, *options, **environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_a_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("not a database, " * 20)
    done = run_app("--db", str(path), "--port", str(free_port()))
    assert done.returncode == 2
    assert "notes.db" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(
    "ARENA_SCREENSHOTS" not in os.environ, reason="ARENA_SCREENSHOTS=1 makes the README's pictures"
)
@pytest.mark.parametrize(
    ("locale", "width", "scheme", "suffix"),
    [
        ("en-US", 1200, "light", ""),
        ("zh-CN", 1200, "light", "-zh"),
        ("zh-CN", 390, "dark", "-zh-phone-dark"),
    ],
)
def test_pictures_for_the_readme(
    browser: Any, crowded: App, locale: str, width: int, scheme: str, suffix: str
) -> None:
    visitor = Visitor(browser, crowded, "", locale, width, scheme)
    page = visitor.page
    sample = Store(crowded.db)
    hot = {beginning(one.turns[0]) for one in sample.answers.where(model="smollm2-hot")}
    sample.close()
    while not is_readable(page, locale, hot):
        visitor.vote("#vote-tie")
        page.click("#next")
        visitor.wait_for("#vote-model_a:visible")
    take(page, f"vote{suffix}")
    for path in list(READY)[1:]:
        visitor.open(path)
        if path == "battle":
            page.fill("#prompt-text textarea", "Why is the sky blue, and the sunset red?")
            page.click("#send")
            visitor.wait_for("#vote-model_a:visible")
        if path == "leaderboard":
            visitor.wait_for("#plot .scatterlayer")
        take(page, f"{path}{suffix}")
    visitor.open("browse")
    page.locator("#rows a").first.click()
    visitor.wait_for("#about h3")
    take(page, f"prompt{suffix}")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The sample after 400 votes of a simulated crowd, which likes each model so much."""
    db = tmp_path_factory.mktemp("crowd") / "arena.db"
    store = Store(db)
    load_sample(store)
    store.outcomes.add(_outcomes())
    liked = dict(zip(NAMES, (0.5, 0.3, -0.9, 0.1), strict=True))
    keys = {(a.model, a.prompt_key): a.key for a in store.answers.where()}
    prompts, dice, votes = sorted({prompt for _, prompt in keys}), random.Random(11), []
    for n in range(400):
        first, second = dice.sample(NAMES, 2)
        prompt = dice.choice(prompts)
        odds = liked[first] - liked[second] + dice.gauss(0, 0.6)
        won = Winner.TIE if abs(odds) < 0.25 else Winner.MODEL_A if odds > 0 else Winner.MODEL_B
        pair = keys[first, prompt], keys[second, prompt]
        votes.append(Vote(f"{n}", prompt, *pair, won, f"voter {n % 16}", seconds=9.0))
    store.votes.cast_all(votes)
    store.close()
    with App(db, config=TALKING, ARENA_ADMIN_PASSWORD=PASSWORD) as app:
        yield app


def take(page: Any, name: str) -> None:
    """A picture of a page from its top, no longer than a reader of the README wants to scroll."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(600)
    before, height = page.viewport_size, page.evaluate("document.body.scrollHeight")
    page.set_viewport_size({"width": before["width"], "height": min(height, LONGEST)})
    page.wait_for_timeout(200)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(before)


def is_readable(page: Any, locale: str, hot: set[str]) -> bool:
    """Whether one turn is asked, in the reader's language, and no answer is of the hot decoding.

    hot: how its answers begin.
    """
    prompt = page.inner_text("#prompt")
    is_chinese = re.search(r"[\u4e00-\u9fff]", prompt) is not None
    fits = is_chinese == (locale == "zh-CN") and page.locator("#prompt .turn").count() == 0
    return fits and not hot & {beginning(page.inner_text(f"#answer-{side}")) for side in "ab"}


def beginning(text: str) -> str:
    """The first words of a text, without its marks."""
    return " ".join(re.findall(r"\w+", text)[:4])
