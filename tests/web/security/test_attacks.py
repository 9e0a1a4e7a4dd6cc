"""What somebody on the network may try.

Tokens and votes have theirs in test_voting.py and test_battle.py; what a browser makes of
hostile text is in test_app.py.
"""

import contextlib
import json
import re
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from arena.config import AppSettings
from arena.web.server import hosts_of, is_for_this_machine
from tests.web.running import Answer, App

pytestmark = pytest.mark.slow

JOIN = "/gradio_api/queue/join"
BODY = {"data": [], "fn_index": 0, "session_hash": "x"}
JSON = {"Content_Type": "application/json"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App(tmp_path_factory.mktemp("attacked") / "arena.db") as app:
        yield app


def post(app: App, path: str, **headers: str) -> Answer:
    given = {"Origin": app.url, **JSON, **headers}
    return app.ask(path, json.dumps(BODY), **given)


def test_pages_are_there_and_keep_to_themselves(app: App) -> None:
    for path in ("/", "/battle", "/rate", "/leaderboard", "/judges", "/browse", "/models"):
        answer = app.ask(path)
        assert answer.status == 200
        policy = answer.headers["content-security-policy"]
        assert "connect-src 'self'" in policy
        assert policy.endswith("frame-ancestors 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["X_Forwarded_Host", "X_Gradio_Server", "X_Forwarded_Prefix"])
def test_no_header_moves_the_page_elsewhere(app: App, name: str) -> None:
    for value in ("evil.example", "http://evil.example"):
        page = app.ask("/battle", **{name: value})
        assert page.status == 200
        assert "evil" not in page.text + str(page.headers)


@pytest.mark.parametrize(
    "query", ["page=nothing", "page=admin", "deep_link=../../x", "__theme=%00", "%FF=%00", "=&&="]
)
def test_a_page_is_the_same_whatever_its_address_asks(app: App, query: str) -> None:
    plain, odd = (app.ask(path).text for path in ("/", f"/?{query}"))
    assert odd == plain


def test_heads_and_odd_methods(app: App) -> None:
    assert app.ask("/health", method="HEAD").status == 200
    for method in ("OPTIONS", "TRACE", "PUT", "DELETE", "ODD"):
        assert app.ask("/", method=method, Origin=app.url).status == 405


def test_a_visitor_gets_one_cookie_that_scripts_cannot_read(app: App) -> None:
    cookie = app.ask("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    value = cookie.split(";")[0]
    assert "set-cookie" not in app.ask("/", Cookie=value).headers
    assert "set-cookie" not in app.ask("/health").headers
    assert "set-cookie" in app.ask("/", Cookie="arena_voter=IlwiZm9yZ2VkXCIi.AAAA").headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_post_from_another_page_is_refused(app: App, headers: dict[str, str]) -> None:
    answer = post(app, JOIN, **headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_post_of_our_own_page_is_taken(app: App) -> None:
    assert post(app, JOIN).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_no_other_origin_may_read_with_credentials(app: App, origin: str) -> None:
    asked = {"Origin": origin, "Access_Control_Request_Method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = app.ask("/config", method=method, **asked)
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file={db}",
        "/gradio_api/file={db}.secret",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/file/%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/file=http://169.254.169.254/latest/meta-data",
        "/gradio_api/proxy=http://169.254.169.254/",
        "/gradio_api/queue/../file={db}",
        "/gradio_api/queue/%2e%2e/file={db}",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/%2e%2e/routes.py",
        "/static//etc/passwd",
        "/svelte/../routes.py",
        "/custom_component/x/client/component/../../etc/passwd",
        "/gradio_api/custom_component/x/client/component/index.js",
        "/gradio_api/stream/x/y/z/playlist-file",
        "/gradio_api/deep_link?session_hash=x",
        "/arena.db",
        "/arena.db.secret",
        "/data/../arena.db",
        "/data/..%2farena.db",
        "/monitoring",
        "/docs",
        "/openapi.json",
        "/gradio_api/openapi.json",
        "/gradio_api/info",
        "/admin",
        "/admin/export/votes.csv",
        "/logout",
    ],
)
def test_no_file_of_the_machine_is_served(app: App, path: str) -> None:
    answer = app.ask(path.format(db=app.db))
    assert answer.status in (400, 403, 404, 405), answer.text[:200]
    assert "root:" not in answer.text
    assert "SQLite" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/run/predict",
        "/gradio_api/api/predict",
        "/gradio_api/call/predict",
        "/gradio_api/call/v2/predict",
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-edit",
        "/gradio_api/run-history/connect",
    ],
)
def test_nothing_else_of_gradio_takes_posts(app: App, path: str) -> None:
    assert post(app, path).status in (404, 405)


def test_ten_megabytes_are_refused_before_they_are_read(app: App) -> None:
    huge = json.dumps(BODY | {"data": ["x" * 10_000_000]}).encode()
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for start in range(0, len(huge), 65_536):
            sent += 65_536
            yield huge[start : start + 65_536]

    # A length that says so is enough; without one what comes is counted.
    lying = {"Origin": app.url, **JSON, "Content_Length": str(len(huge))}
    assert app.ask(JOIN, b"{}", **lying).status == 413
    with contextlib.suppress(ConnectionError):  # it may hang up while we are still sending
        assert app.ask(JOIN, parts(), Origin=app.url, **JSON).status in (400, 413)
    assert sent >= 262_144
    odd = {"Origin": app.url, **JSON, "Content_Length": "-5"}
    assert app.ask(JOIN, b"{}", **odd).status in (400, 413)


def test_a_thousand_requests_from_one_address(tmp_path: Path) -> None:
    with App(tmp_path / "arena.db", config="{}\n") as app:
        codes = [app.ask("/health").status for _ in range(1000)]
        assert codes.count(429) > 300
        assert codes[:100] == [200] * 100
        while app.ask("/health").status != 429:
            pass
        # The word of the visitor on where it comes from is not taken.
        forged = {"X_Forwarded_For": "198.51.100.7", "X_Real_Ip": "198.51.100.7"}
        assert 429 in {app.ask("/health", **forged).status for _ in range(20)}
        # What the page itself is made of is no request of anybody's.
        assert app.ask("/theme.css").status == 200


def test_behind_a_trusted_proxy_visitors_are_told_apart(tmp_path: Path) -> None:
    settings = "requests_per_minute: 10, trusted_proxies: [127.0.0.1]"
    config = f"app: {{{settings}, framed_by: ['https://example.org']}}\n"
    with App(tmp_path / "arena.db", config=config) as app:
        page = app.ask("/", X_Forwarded_Proto="https", X_Forwarded_For="198.51.100.9")
        policy, cookie = (page.headers[n] for n in ("content-security-policy", "set-cookie"))
        assert policy.endswith("frame-ancestors 'self' https://example.org")
        assert "SameSite=none; Partitioned; Secure" in cookie  # or it is lost in a frame
        one, other = ({"X_Forwarded_For": f"198.51.100.{k}"} for k in (1, 2))
        assert 429 in [app.ask("/health", **one).status for _ in range(20)]
        assert app.ask("/health", **other).status == 200


def test_the_admin_page_is_there_with_a_password_alone(tmp_path: Path) -> None:
    with App(tmp_path / "arena.db", ARENA_ADMIN_PASSWORD="correct horse") as app:
        page = app.ask("/admin")
        assert page.status == 200
        assert "correct horse" not in page.text
        assert app.ask("/admin/export/votes.csv").status == 404
        assert app.ask("/admin/export/votes.csv?ticket=forged").status == 404


def test_health_and_metrics(app: App) -> None:
    assert json.loads(app.ask("/health").text) == {"status": "ok"}
    metrics = app.ask("/metrics").text
    assert "arena_answers_rows 160" in metrics
    assert "smollm2" not in metrics


def test_a_login_guards_all_pages(tmp_path: Path) -> None:
    with App(tmp_path / "arena.db", "--auth", "team:a password") as app:
        assert post(app, JOIN).status == 401
        assert app.ask("/data/leaderboard.csv").status == 404
        form = {"Origin": app.url, "Content_Type": "application/x-www-form-urlencoded"}
        assert app.ask("/login", "username=team&password=x", **form).status == 400
        right = app.ask("/login", "username=team&password=a+password", **form)
        assert right.status == 200
        cookie = "; ".join(part.split(";")[0] for part in [right.headers["set-cookie"]])
        assert post(app, JOIN, Cookie=cookie).status == 200
        wrong = [app.ask("/login", f"username=team&password={k}", **form) for k in range(20)]
        assert {answer.status for answer in wrong} == {400, 429}
        assert "wrong passwords" in wrong[-1].text
        assert app.ask("/login/", "username=team&password=a+password", **form).status == 429


def events(app: App, page: str) -> list[dict[str, Any]]:
    """What the page may ask of the server, as it is told."""
    found = re.search(r"window.gradio_config = (\{.*?\});</script>", app.ask(page).text, re.DOTALL)
    assert found
    return [e for e in json.loads(found[1])["dependencies"] if e["backend_fn"]]


def send(app: App, event: int, data: list[Any], query: str = "", **headers: str) -> dict[str, Any]:
    """Ask for one event of a page with this query, and return what came of it."""
    session = f"s{event}-{secrets.token_hex(4)}"
    body = json.dumps({"data": data, "fn_index": event, "session_hash": session})
    assert app.ask(f"{JOIN}?{query}", body, Origin=app.url, **JSON, **headers).status == 200
    heard = app.ask(f"/gradio_api/queue/data?session_hash={session}", **headers).text
    messages = [json.loads(line[5:]) for line in heard.splitlines() if line.startswith("data:")]
    (done,) = [m for m in messages if m["msg"] == "process_completed"]
    return dict(done)


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Path]]:
    """An app, and where it would keep what it fetched."""
    folder = tmp_path_factory.mktemp("caching")
    with App(folder / "arena.db", GRADIO_TEMP_DIR=str(folder / "cache")) as app:
        yield app, folder / "cache"


@pytest.mark.parametrize(
    "page", ["/", "/battle", "/rate", "/leaderboard", "/browse", "/side_by_side"]
)
def test_no_input_is_taken_for_a_file_or_an_address(
    caching: tuple[App, Path], tmp_path: Path, page: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody else's")
    app, cache = caching
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        for path in (str(secret), f"http://127.0.0.1:{inside.getsockname()[1]}/x.txt"):
            file = {"path": path, "meta": {"_type": "gradio.FileData"}}
            for event in events(app, page):
                if width := len(event["inputs"]):
                    assert not send(app, event["id"], [[file]] * width)["success"]
                    assert not send(app, event["id"], [file] * width)["success"]
        assert not list(cache.rglob("*.txt"))
        with pytest.raises(BlockingIOError):  # nobody has come to fetch anything
            inside.accept()


ODD: tuple[Any, ...] = (
    None,
    "",
    -1,
    10**30,
    True,
    [],
    [None],
    ["x"],
    "x" * 9000,
    "\x00\u202e",
    "²",
)


@pytest.mark.parametrize("page", ["/", "/rate", "/leaderboard", "/judges", "/browse"])
def test_what_no_page_sends_is_refused_without_a_trace(app: App, page: str) -> None:
    """Whatever the inputs are, nothing fails inside, and nobody can fill the log."""
    before = app.log.read_text()
    cookie = {"Cookie": app.ask("/").headers["set-cookie"].split(";")[0]}
    for event in events(app, page):
        for value in ODD:
            send(app, event["id"], [value] * len(event["inputs"]), **cookie)
    assert "Traceback" not in app.log.read_text().removeprefix(before)


def test_half_a_character_costs_no_vote(app: App) -> None:
    before = len(app.votes())
    cookie = {"Cookie": app.ask("/").headers["set-cookie"].split(";")[0]}
    show, choose = (e["id"] for e in events(app, "/")[:2])
    token = send(app, show, [], **cookie)["output"]["data"][0]
    done = send(app, choose, [token, ["clear"], "a \ud800 half \x00", ""], **cookie)
    assert done["success"]
    assert len(app.votes()) == before + 1
    assert app.rows("SELECT comment FROM remarks") == [("a ? half \x00",)]


def letters(text: str) -> str:
    """A text without what Markdown and JSON may change in it."""
    return "".join(filter(str.isalnum, text))


def all_about(app: App, prompt: str, **headers: str) -> str:
    """What every event of the pages that show named answers sends of one prompt."""
    first, second, *others = (str(name) for (name,) in app.rows("SELECT name FROM models"))
    answers = [key for (key,) in app.rows(f"SELECT key FROM answers WHERE prompt_key = '{prompt}'")]
    browse = {0: [], 2: [prompt, answers]}
    sides = {0: [], 3: [first, second, prompt]}
    sent = []
    for page, asked, query in (
        ("/browse", browse, f"prompt={prompt}"),
        ("/side_by_side", sides, f"first={first}&second={second}&prompt={prompt}"),
        ("/side_by_side", sides, f"first={others[0]}&second={second}&prompt={prompt}"),
    ):
        for event in events(app, page):
            data = asked.get(len(event["inputs"]))
            if data is not None and event["targets"][0][1] != "click":
                sent.append(send(app, event["id"], data, query, **headers)["output"])
    found = app.ask(f"/data/prompt.json?key={prompt}", **headers).text
    return json.dumps(sent, ensure_ascii=False) + found


def test_a_prompt_that_is_open_to_a_voter_is_sent_without_its_answers(app: App) -> None:
    cookie = {"Cookie": app.ask("/").headers["set-cookie"].split(";")[0]}
    show, choose = (e["id"] for e in events(app, "/")[:2])
    with ThreadPoolExecutor(6) as tabs:
        drawn = list(tabs.map(lambda _: send(app, show, [], **cookie)["output"]["data"], range(30)))
    assert len({(pair[2], pair[3]) for pair in drawn}) == 1
    ((prompt, voter),) = app.rows(
        "SELECT prompt_key, voter FROM battles ORDER BY rowid DESC LIMIT 1"
    )
    ((asked,),) = app.rows(f"SELECT turns FROM prompts WHERE key = '{prompt}'")
    begun = [
        letters(json.loads(turns)[0].strip().split("\n")[0])[:20]
        for (turns,) in app.rows(f"SELECT turns FROM answers WHERE prompt_key = '{prompt}'")
    ]
    answers = [text for text in begun if text and text not in letters(asked)]
    sealed = all_about(app, prompt, **cookie)
    assert answers
    assert not [text for text in answers if text in letters(sealed)]
    assert "Once that is done" in sealed
    assert app.ask(f"/data/prompt.json?key={prompt}", **cookie).status == 403
    public = app.ask(f"/data/prompt.json?key={prompt}")
    assert public.status == 200
    assert public.headers["cache-control"] == "no-store"

    def vote(pair: list[Any]) -> str:
        return str(send(app, choose, [pair[0], [], "", ""], **cookie)["output"]["data"][0])

    with ThreadPoolExecutor(6) as tabs:
        said = list(tabs.map(vote, drawn[:12]))
    assert sum("is counted." in text and "not counted" not in text for text in said) == 1
    assert app.rows(f"SELECT count(*) FROM votes WHERE voter = '{voter}'") == [(1,)]
    # What is kept of the prompts is made anew after the vote; on a busy machine it takes a while.
    for _ in range(60):
        opened = letters(all_about(app, prompt, **cookie))
        if shown := all(opened.count(text) >= 2 for text in answers):
            break
        time.sleep(0.5)
    assert shown


def test_an_admins_event_needs_the_password(tmp_path: Path) -> None:
    with App(tmp_path / "arena.db", ARENA_ADMIN_PASSWORD="correct horse") as app:
        admin = [e["id"] for e in events(app, "/admin") if e["targets"]]
        widths = {e["id"]: len(e["inputs"]) for e in events(app, "/admin")}
        prompts = app.rows("SELECT count(*) FROM prompts")
        for event in admin:
            for word in ("", None, "wrong"):
                done = send(app, event, [word, *["smollm2-hot"] * (widths[event] - 1)])
                assert "ticket" not in str(done)
        assert app.rows("SELECT * FROM withheld") == []
        assert app.rows("SELECT count(*) FROM prompts") == prompts


def test_a_page_whose_name_was_turned_to_this_machine_gets_nothing(app: App) -> None:
    """DNS rebinding: to the browser such a page and the app are of one origin."""
    foreign = {"Host": f"evil.example:{app.port}", "Origin": f"http://evil.example:{app.port}"}
    refused = app.ask("/leaderboard", **foreign)
    assert refused.status == 421
    assert "app: hosts:" in refused.text
    assert post(app, JOIN, **foreign).status == 421
    assert app.ask("/data/leaderboard.json", Host="evil.example").status == 421
    assert app.ask("/health", Host="probe.internal").status == 200
    for name in (f"localhost:{app.port}", "LOCALHOST.", "[::1]:80"):
        assert app.ask("/leaderboard", Host=name).status == 200


def test_an_app_answers_to_the_names_it_is_given(tmp_path: Path) -> None:
    config = "app: {hosts: [Arena.Example.org]}\n"
    with App(tmp_path / "arena.db", config=config, ready="/health") as app:
        assert app.ask("/", Host="arena.example.org").status == 200
        assert app.ask("/").status == 421


@pytest.mark.parametrize(
    ("host", "proxies", "names"),
    [
        ("127.0.0.1", [], {"localhost", "127.0.0.1", "[::1]"}),
        ("127.0.0.2", [], {"localhost", "127.0.0.1", "127.0.0.2", "[::1]"}),
        ("0.0.0.0", [], set()),
        ("127.0.0.1", ["127.0.0.1"], set()),
    ],
)
def test_who_can_be_reached_from_elsewhere_answers_to_any_name(
    host: str, proxies: list[str], names: set[str]
) -> None:
    settings = AppSettings(trusted_proxies=proxies)
    assert set(hosts_of(host, settings)) == names
    assert is_for_this_machine(hosts_of(host, settings), settings) == bool(names)


def test_an_app_with_names_of_its_own_is_for_everybody() -> None:
    settings = AppSettings(hosts=["arena.example.org"])
    assert not is_for_this_machine(hosts_of("127.0.0.1", settings), settings)
