"""The app as people meet it: `python app.py`, and a real browser."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.config import parse_model
from arena.records import Answer, Prompt
from arena.store import Store

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "docs" / "screenshots"
NAMES = ("smollm2-greedy", "smollm2-warm", "smollm2-hot", "smollm2-brief")
# Gradio aborts its stream of answers when it has them, so they are read on their way in.
LISTEN = """
window.sent = "";
const ask = window.fetch;
window.fetch = async (...request) => {
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class App:
    """`python app.py` on a database that does not exist yet."""

    def __init__(self, db: Path) -> None:
        self.db = db
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = db.with_suffix(".log")
        command = [sys.executable, "app.py", "--db", str(db), "--port", str(self.port)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                urllib.request.urlopen(self.url).close()
                return
            except OSError:
                time.sleep(0.2)

    def votes(self) -> list[tuple[Any, ...]]:
        conn = sqlite3.connect(self.db)
        try:
            return conn.execute("SELECT winner, language FROM votes ORDER BY id").fetchall()
        finally:
            conn.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(tmp_path_factory.mktemp("app") / "arena.db")
    yield app
    app.process.terminate()
    app.process.wait()


class Visitor:
    """One person's browser, with all that it was sent and complained of."""

    def __init__(self, browser: Any, app: App, locale: str = "en-US", width: int = 1200) -> None:
        size = {"width": width, "height": 900}
        self.context = browser.new_context(locale=locale, viewport=size)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.add_init_script(LISTEN)
        self.page.goto(app.url)
        self.wait_for_pair()

    def sent(self) -> str:
        """All that the server's handlers have sent so far."""
        return str(self.page.evaluate("window.sent"))

    def wait_for_pair(self) -> None:
        self.page.wait_for_selector("#vote-model_a:not([disabled])", timeout=60_000)

    def vote(self, selector: str) -> str:
        self.page.click(selector)
        self.page.wait_for_selector("#next:visible")
        return str(self.page.inner_text("#result"))

    def board(self) -> str:
        self.page.get_by_role("tab").nth(1).click()
        self.page.wait_for_selector("#board p")
        return str(self.page.inner_text("#board"))


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
    visitor.page.reload()
    visitor.wait_for_pair()
    board = visitor.board()
    assert "human-anchored" in board
    assert f"{before + 1} from people's votes" in board
    assert all(name in board for name in shown)
    assert all(url.startswith((app.url, "data:", "blob:")) for url in visitor.asked)
    assert visitor.complaints == []


def test_keys_vote_and_go_on(browser: Any, app: App) -> None:
    before = len(app.votes())
    page = Visitor(browser, app).page
    page.keyboard.press("t")
    page.wait_for_selector("#next:visible")
    assert app.votes()[before:] == [("tie", "en")]
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.wait_for_selector("#vote-tie:not([disabled])")
    assert len(app.votes()) == before + 1


def test_on_a_phone_in_chinese(browser: Any, app: App) -> None:
    visitor = Visitor(browser, app, "zh-CN", 390)
    assert visitor.page.inner_text("#vote-both_bad") == "都不好"
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 390
    assert "你的一票已计入" in visitor.vote("#vote-both_bad")
    assert app.votes()[-1] == ("both_bad", "zh")
    assert "人的投票" in visitor.board()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 390


HOSTILE = f"""Code:

```python
{"x = [" + "123456, " * 90 + "]"}
```

|{" column |" * 30}
|{"---|" * 30}
|{" number 1 |" * 30}

$$ {" + ".join(f"x_{{{k}}}" for k in range(90))} $$

{"w" * 900} <img src="http://evil.example/x.png" width="3000"> <div style="width: 3000px">wide</div>
"""


@pytest.mark.parametrize("width", [390, 1200])
def test_no_answer_widens_the_page(browser: Any, tmp_path: Path, width: int) -> None:
    db = tmp_path / "arena.db"
    store = Store(db)
    prompt = Prompt("wide", (HOSTILE,), "code", "en")
    models = [parse_model(f"{name}=fake:echo") for name in ("one", "two")]
    store.put_prompts([prompt])
    for model in models:
        store.put_model(model)
    store.answers.add(
        Answer(model.name, model.key, prompt.key, (HOSTILE,), ("stop",)) for model in models
    )
    app = App(db)
    try:
        page = Visitor(browser, app, width=width).page
        page.wait_for_selector("#answer-b table")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        boxes = [
            page.locator(name).bounding_box() for name in ("#prompt", "#answer-a", "#answer-b")
        ]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    finally:
        app.process.terminate()
        app.process.wait()


def post(app: App, path: str, body: Any, **headers: str) -> int:
    request = urllib.request.Request(
        app.url + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_post_from_another_page_is_refused(app: App) -> None:
    body = {"data": [], "fn_index": 0, "session_hash": "x"}
    assert post(app, "/gradio_api/queue/join", body, Origin="http://evil.example") == 403
    assert post(app, "/gradio_api/queue/join", body, Origin=app.url) == 200


def test_headers_keep_the_page_to_itself(app: App) -> None:
    with urllib.request.urlopen(app.url) as answer:
        assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize("name", ["arena.db", "arena.db.secret"])
def test_the_database_is_not_served(app: App, name: str) -> None:
    for path in (f"/gradio_api/file={app.db.with_name(name)}", f"/{name}"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(app.url + path)
        refused.value.close()
        assert refused.value.code in (403, 404)


def run_app(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_port_in_use_is_one_sentence(app: App, tmp_path: Path) -> None:
    done = run_app("--db", str(tmp_path / "new.db"), "--port", str(app.port))
    assert done.returncode == 2
    assert re.search(rf"127\.0\.0\.1:{app.port} cannot be listened on", done.stderr)
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


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
@pytest.mark.parametrize(("locale", "suffix"), [("en-US", ""), ("zh-CN", "-zh")])
def test_pictures_for_the_readme(browser: Any, tmp_path: Path, locale: str, suffix: str) -> None:
    app = App(tmp_path / "arena.db")
    try:
        visitor = Visitor(browser, app, locale)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        visitor.page.screenshot(path=SCREENSHOTS / f"vote{suffix}.png")
        for choice in 4 * ("model_a", "tie", "model_b", "model_a"):
            visitor.vote(f"#vote-{choice}")
            visitor.page.click("#next")
            visitor.wait_for_pair()
        visitor.board()
        visitor.page.wait_for_timeout(500)
        visitor.page.screenshot(path=SCREENSHOTS / f"leaderboard{suffix}.png")
        assert len(Store(app.db).evidence.votes().winner) == 16
    finally:
        app.process.terminate()
        app.process.wait()
