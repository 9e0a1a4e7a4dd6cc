"""Between the network and the pages: what is let in, and what every reply says.

Plain ASGI, so that streams pass through untouched.
"""

from asyncio import CancelledError
from collections.abc import Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from arena.config import host_name
from arena.web.security.rate_limits import Allowances, Limit, neighbourhood
from arena.web.security.voters import COOKIE, SECONDS, Visitor, Voters

MOST_BYTES = 256 * 1024
# Model output is Markdown: whatever it names, nothing is loaded from elsewhere.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self'; "
    "img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
# Of Gradio's own routes, what its pages ask for. Files, uploads, proxies, the open API and what
# serves developers stay shut: no page here needs them.
API = "/gradio_api/"
OPEN = ("queue/join", "queue/data", "heartbeat/", "startup-events", "cancel", "reset", "theme.css")
# /logout would end the sessions of all who share the one login, whoever's page asked for it.
SHUT = ("/monitoring", "/svelte/", "/openapi.json", "/docs", "/pwa_icon", "/logout")
FILES = ("/data/", "/health", "/metrics", "/config", "/admin/")
STATIC = ("/assets/", "/static/", "/favicon.ico", "/theme.css")
LOGIN = "/login"
PROBED = ("/health", "/metrics")
# From these Gradio would take the address of the whole site, of anybody who sends them.
DROPPED = (b"x-forwarded-host", b"x-gradio-server")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[MutableMapping[str, Any]], Any]
Headers = list[tuple[bytes, bytes]]


class Refusal(Exception):  # noqa: N818
    """A request that is not let in: its status, and why in a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = []


class Moved(Refusal):
    """A page with a slash too many: links on it would lead to places below it."""

    def __init__(self, path: str, query: bytes) -> None:
        super().__init__(301, "This page is without a slash at its end.")
        # Relative, because what a proxy puts in front of it is the browser's to know.
        there = f"../{quote(path.split('/')[-2])}".encode()
        self.headers = [(b"location", there + b"?" * bool(query) + query)]


@dataclass(frozen=True, slots=True)
class PageHtml:
    """What pages have of ours. head: with which each begins; absent: where there is no page."""

    head: str = ""
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the app is. root_path: below which a proxy puts it.

    hosts: names that requests may be for; empty is any. framed_by: origins whose pages may show
    the app in a frame.
    """

    root_path: str = ""
    hosts: Collection[str] = ()
    framed_by: Collection[str] = ()


NO_HTML, ANYWHERE = PageHtml(), Address()


class Guard:
    """Wraps an ASGI app."""

    def __init__(
        self,
        app: Any,
        voters: Voters,
        requests: Limit,
        allowances: Allowances,
        html: PageHtml = NO_HTML,
        address: Address = ANYWHERE,
    ) -> None:
        """html: of the pages; Gradio would add a head when it is too late."""
        self._app = app
        self._head = html.head.encode()
        self._absent = html.absent.encode()
        self._voters = voters
        self._requests = requests
        self._allowances = allowances
        self._root = address.root_path.rstrip("/")
        self._hosts = frozenset(address.hosts)
        policy = (b"content-security-policy", " ".join([POLICY, *address.framed_by]).encode())
        self._headers = [policy, *HEADERS]
        # In a frame of another site a browser keeps a cookie only if it says that it is meant so.
        self._same_site = "none; Partitioned" if address.framed_by else "lax"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = [(name, value) for name, value in scope["headers"] if name not in DROPPED]
        scope = {**scope, "headers": kept}
        headers = {name.decode("latin-1"): value for name, value in kept}
        path = self._path(scope)
        try:
            self._check(scope, headers, path)
        except Refusal as refusal:
            if refusal.status == 404 and self._is_page(scope, path):
                await _show(send, self._absent, self._headers)
            else:
                await _say(send, refusal, self._headers)
            return
        cookie = self._new_cookie(scope, headers, path)
        if self._is_page(scope, path):
            send = _with_head(_or_absent(send, self._absent, self._headers), self._head)
            plain = [(n, v) for n, v in kept if n != b"accept-encoding"]
            # The page's script reads the query; Gradio would take one of its own from it.
            scope = {**scope, "headers": plain, "query_string": b""}
        started = False

        async def reply(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *self._headers, *cookie]
                if _is_login(scope, path) and message["status"] >= 400:
                    self._allowances.wrong_password(_stranger(scope))
            await send(message)

        try:
            await self._app(scope, _bounded(receive), reply)
        except Refusal as refusal:
            if started:
                raise
            await _say(send, refusal, self._headers)
        except CancelledError:  # the app stops, and with it the streams of pages that are open
            if not started:
                raise

    def _path(self, scope: Scope) -> str:
        path = str(scope["path"])
        inside = self._root and path.startswith(f"{self._root}/")
        return path[len(self._root) :] if inside else path

    def _check(self, scope: Scope, headers: MutableMapping[str, bytes], path: str) -> None:
        if self._hosts and not path.startswith(PROBED):
            self._refuse_misnamed(headers)
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            _refuse_foreign(headers)
            _refuse_large(headers)
        if path.startswith(API) and not path.removeprefix(API).startswith(OPEN):
            raise Refusal(404, "There is nothing here.")
        if path.startswith(SHUT) or ".." in path or "\\" in path:
            raise Refusal(404, "There is nothing here.")
        if path.startswith(STATIC):
            return
        stranger = _stranger(scope)
        if not self._requests.allows(neighbourhood(stranger.address)):
            raise Refusal(429, "Too many requests from this address; wait a minute.")
        if _is_login(scope, path) and not self._allowances.may_try_password(stranger):
            raise Refusal(429, "Too many wrong passwords from this address; wait a minute.")
        if path.strip("/") and path.endswith("/") and self._is_page(scope, path):
            raise Moved(path, scope["query_string"])

    def _refuse_misnamed(self, headers: MutableMapping[str, bytes]) -> None:
        """A page elsewhere whose name was turned to this address would be of our own origin."""
        host = headers.get("host", b"").decode("latin-1")
        if host_name(host) not in self._hosts:
            raise Refusal(
                421, f"This app does not answer to {host!r}; app: hosts: in arena.yaml lists names."
            )

    def _is_page(self, scope: Scope, path: str) -> bool:
        return scope["method"] == "GET" and not path.startswith((API, *STATIC, *FILES))

    def _new_cookie(
        self, scope: Scope, headers: MutableMapping[str, bytes], path: str
    ) -> list[tuple[bytes, bytes]]:
        """A cookie for a visitor of a page who has none of ours."""
        if not self._is_page(scope, path):
            return []
        if self._voters.identify(cookie_of(headers.get("cookie", b"").decode("latin-1"))):
            return []
        is_secure = scope["scheme"] == "https"
        site = f"{self._same_site}; Secure" if is_secure else "lax"
        where = f"; Path={self._root or '/'}; Max-Age={SECONDS}; HttpOnly; SameSite={site}"
        return [(b"set-cookie", f"{COOKIE}={self._voters.new_cookie()}{where}".encode())]


def cookie_of(header: str) -> str | None:
    """Our cookie in a Cookie header."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def _is_login(scope: Scope, path: str) -> bool:
    return scope["method"] == "POST" and path.rstrip("/") == LOGIN


def _stranger(scope: Scope) -> Visitor:
    """Who asks, as far as the socket tells."""
    return Visitor(None, "", scope["client"][0] if scope.get("client") else "")


def _refuse_foreign(headers: MutableMapping[str, bytes]) -> None:
    """A page of another origin may not post here, whatever its browser would send along."""
    origin, host = (headers.get(name, b"").decode("latin-1") for name in ("origin", "host"))
    foreign = "origin" in headers and origin not in (f"http://{host}", f"https://{host}")
    if foreign or headers.get("sec-fetch-site", b"same-origin") == b"cross-site":
        raise Refusal(403, "This page takes posts from itself only.")


def _refuse_large(headers: MutableMapping[str, bytes]) -> None:
    length = headers.get("content-length", b"0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise Refusal(413, f"A request may have {MOST_BYTES} bytes.")


def _bounded(receive: Receive) -> Receive:
    """Counts what comes in, for a sender who did not say how much it would be."""
    taken = 0

    async def counted() -> Any:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise Refusal(413, f"A request may have {MOST_BYTES} bytes.")
        return message

    return counted


def _with_head(send: Send, head: bytes) -> Send:
    """Puts `head` into an HTML page that passes through; anything else passes as it is."""
    start: MutableMapping[str, Any] = {}
    parts: list[bytes] = []

    async def held(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            types = [v for n, v in message["headers"] if n.lower() == b"content-type"]
            if not any(kind.startswith(b"text/html") for kind in types):
                await send(message)
                return
            start.update(message)
            return
        if not start:
            await send(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts).replace(b"<head>", b"<head>" + head, 1)
        kept = [(n, v) for n, v in start["headers"] if n.lower() != b"content-length"]
        start["headers"] = [*kept, (b"content-length", b"%d" % len(body))]
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return held


def _or_absent(send: Send, absent: bytes, headers: Headers) -> Send:
    """Shows a page of ours in place of whatever says that there is none."""
    is_absent = False

    async def shown(message: MutableMapping[str, Any]) -> None:
        nonlocal is_absent
        if message["type"] == "http.response.start" and message["status"] == 404:
            is_absent = True
            await _show(send, absent, headers)
        if not is_absent:
            await send(message)

    return shown


async def _show(send: Send, absent: bytes, headers: Headers) -> None:
    """The page that says that there is none."""
    head = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(absent)),
    ]
    await send({"type": "http.response.start", "status": 404, "headers": [*head, *headers]})
    await send({"type": "http.response.body", "body": absent})


async def _say(send: Send, refusal: Refusal, headers: Headers) -> None:
    body = f"{refusal}\n".encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    head += [*headers, *refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": head})
    await send({"type": "http.response.body", "body": body})
