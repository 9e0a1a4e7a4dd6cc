"""The app below a path of another server, as docs/app.md has it: a small proxy stands in front."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from arena.store import Store
from tests.servers import running
from tests.web.running import App
from tests.web.test_app import LIVE, Visitor

pytestmark = pytest.mark.slow

ROOT = "/arena"
CONFIG = LIVE.replace("app: {", f"app: {{trusted_proxies: [127.0.0.1], root_path: {ROOT}, ")


@dataclass(frozen=True)
class Front:
    """Where the proxy is reached."""

    url: str


@contextmanager
def proxy(app: App) -> Iterator[Front]:
    """Passes on what is asked below `ROOT`, piece by piece, as nginx does in docs/app.md."""

    async def made() -> web.Application:
        session = ClientSession(auto_decompress=False)

        async def forward(request: web.Request) -> web.StreamResponse:
            return await _forward(session, app.url, request)

        async def close(_: web.Application) -> None:
            await session.close()

        server = web.Application()
        server.router.add_route("*", f"{ROOT}/{{path:.*}}", forward)
        server.on_cleanup.append(close)
        return server

    with running(made) as port:
        yield Front(f"http://127.0.0.1:{port}{ROOT}")


async def _forward(session: ClientSession, where: str, request: web.Request) -> web.StreamResponse:
    path = request.raw_path.removeprefix(ROOT)
    said = {"X-Forwarded-For": request.remote or "", "X-Forwarded-Proto": request.scheme}
    headers = {**request.headers, **said}
    async with session.request(
        request.method,
        where + path,
        headers=headers,
        data=await request.read(),
        allow_redirects=False,
    ) as answer:
        reply = web.StreamResponse(status=answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                reply.headers.add(name, value)
        await reply.prepare(request)
        with suppress(ConnectionError):  # whoever asked may have left
            async for piece in answer.content.iter_any():
                await reply.write(piece)
            await reply.write_eof()
        return reply


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App(tmp_path_factory.mktemp("proxied") / "arena.db", config=CONFIG) as app:
        yield app


@pytest.fixture(scope="module")
def front(app: App) -> Iterator[Any]:
    with proxy(app) as front:
        yield front


def test_all_pages_work_below_a_path(browser: Any, app: App, front: Any) -> None:
    visitor = Visitor(browser, front)
    page = visitor.page
    assert "Your vote is counted" in visitor.vote("#vote-model_a")
    assert len(app.votes()) == 1
    visitor.open("leaderboard?view=judge&weak=1")
    visitor.wait_for("#board table")
    with page.expect_download() as csv:
        page.get_by_role("link", name="leaderboard.csv").click()
    assert csv.value.url.startswith(f"{front.url}/data/leaderboard.csv")
    assert "smollm2-" in Path(csv.value.path()).read_text()
    visitor.open("browse")
    page.locator("#rows a").first.click()
    visitor.wait_for("#about h3")
    visitor.open(page.url.rpartition("/")[2])
    visitor.wait_for("#about h3")
    page.click("#arena-header nav a >> nth=0")
    visitor.wait_for("#vote-tie:visible")
    page.click("#speak")
    page.wait_for_function("document.querySelector('#vote-tie')?.innerText === '平局'")
    assert page.url == f"{front.url}/"
    assert all(url.startswith((front.url, "data:", "blob:")) for url in visitor.asked)
    assert visitor.complaints == []


def test_answers_grow_through_a_proxy(browser: Any, app: App, front: Any) -> None:
    for name in ("greedy", "warm", "hot", "brief"):
        pause(app, f"smollm2-{name}")
    visitor = Visitor(browser, front, "battle")
    page = visitor.page
    page.evaluate(LENGTHS)
    page.fill("#prompt-text textarea", "Seven swift swans swam " * 9)
    page.click("#send")
    visitor.wait_for("#vote-model_b:visible")
    assert len(page.evaluate("[...window.lengths].filter((n) => n > 0)")) >= 3
    assert "Your vote is counted" in visitor.vote("#vote-model_b")
    assert visitor.complaints == []


def pause(app: App, model: str) -> None:
    store = Store(app.db)
    store.withhold("model", model, True)
    store.close()


LENGTHS = """window.lengths = new Set();
new MutationObserver(() => {
  const answer = document.querySelector("#answer-a");
  if (answer) window.lengths.add(answer.innerText.length);
}).observe(document.body, {subtree: true, childList: true, characterData: true});
"""


def test_the_cookie_is_for_this_path_and_kept_to_https(app: App) -> None:
    plain, secure = (
        app.ask("/battle", X_Forwarded_Proto=scheme).headers["set-cookie"]
        for scheme in ("http", "https")
    )
    assert f"Path={ROOT};" in plain
    assert "Secure" not in plain
    assert secure.endswith("; Secure")


@pytest.mark.parametrize("path", ["/battle/", "/browse/?prompt=x", f"{ROOT}/battle/"])
def test_a_slash_too_many_leads_to_the_page(app: App, path: str) -> None:
    answer = app.ask(path)
    assert answer.status == 301
    assert answer.headers["location"] == f"../{path.split('/')[-2]}{path.rpartition('/')[2]}"


def test_whom_nobody_trusts_names_no_visitor(tmp_path: Path) -> None:
    config = "app: {requests_per_minute: 10, trusted_proxies: [192.0.2.1]}\n"
    with App(tmp_path / "arena.db", config=config) as app:
        assert "Secure" not in app.ask("/", X_Forwarded_Proto="https").headers["set-cookie"]
        said = [{"X_Forwarded_For": f"198.51.100.{k}"} for k in range(20)]
        assert 429 in [app.ask("/health", **headers).status for headers in said]


def test_told_to_stop_it_stops_though_pages_are_open(tmp_path: Path) -> None:
    with App(tmp_path / "arena.db") as app:
        open_page = http.client.HTTPConnection("127.0.0.1", app.port)
        open_page.request("GET", "/gradio_api/heartbeat/abc")
        stream = open_page.getresponse()
        assert stream.readline() == b"data: ALIVE\n"
        app.process.terminate()
        app.process.wait()
        open_page.close()
        assert "Traceback" not in app.log.read_text()
