"""The app behind FastAPI: the voter's cookie, and what a page may load and send."""

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from arena.errors import InputError
from arena.interchange.sample import load_sample
from arena.store import Store
from arena.web.voters import COOKIE, SECONDS, Voters, load_secret

if TYPE_CHECKING:
    from fastapi import FastAPI

# Model output is Markdown: whatever it names, nothing is loaded from elsewhere.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self'; img-src 'self' data: blob:; frame-ancestors 'self'; form-action 'self'"
)


def open_database(db: Path) -> Store:
    """The store; a new one starts with the sample data, so that there is something to vote on."""
    fresh = not db.exists()
    store = Store(db)
    if fresh:
        load_sample(store)
    return store


def build_server(store: Store) -> "FastAPI":
    """The whole app as ASGI."""
    import gradio as gr
    from fastapi import FastAPI, Request, Response
    from fastapi.responses import PlainTextResponse

    from arena.web.app import build

    voters = Voters(load_secret(store.path))
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @server.middleware("http")
    async def guard(
        request: Request, proceed: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if request.method not in ("GET", "HEAD", "OPTIONS") and _is_foreign(request):
            return PlainTextResponse("This page takes posts from itself only.", 403)
        response = await proceed(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        if request.url.path == "/" and voters.identify(request.cookies.get(COOKIE)) is None:
            response.set_cookie(
                COOKIE,
                voters.new_cookie(),
                max_age=SECONDS,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return response

    def _is_foreign(request: Request) -> bool:
        origin = request.headers.get("origin")
        return origin is not None and urlsplit(origin).netloc != request.headers.get("host")

    blocks, settings = build(store, voters)
    mounted: FastAPI = gr.mount_gradio_app(
        server,
        blocks,
        path="/",
        footer_links=[],
        show_error=False,
        allowed_paths=[],
        blocked_paths=[str(store.home)],
        ssr_mode=False,
        enable_monitoring=False,
        **settings,
    )
    return mounted


def serve(db: Path, host: str, port: int) -> None:
    """Run until stopped. A port that is taken is one sentence."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    store = open_database(db)
    import uvicorn

    print(f"Arena on http://{host}:{port} with {db}. Stop it with Ctrl-C.", flush=True)  # noqa: T201
    uvicorn.run(build_server(store), host=host, port=port, log_level="warning")
