"""The app behind FastAPI: its pages, its files, its health, and how it is run."""

import gc
import multiprocessing
import os
import socket
import sys
import warnings
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from arena.config import AppSettings, Config
from arena.interchange.sample import load_sample
from arena.records import Model
from arena.records.errors import InputError
from arena.store import Store
from arena.web.security.guard import Address, Guard, PageHtml
from arena.web.security.rate_limits import Limit
from arena.web.security.voters import Voters, load_secret
from arena.web.services import Services, services

PASSWORD = "ARENA_ADMIN_PASSWORD"
_LEAST_PASSWORD = 8
# What is under way when the app is told to stop may end within so long.
PARTING_SECONDS = 5
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def open_database(db: Path) -> Store:
    """The store; a new one starts with the sample data, so that there is something to vote on."""
    fresh = not db.exists()
    store = Store(db)
    if fresh:
        load_sample(store)
    return store


def admin_password() -> str:
    """What the environment sets; without one there is no admin page."""
    password = os.environ.get(PASSWORD, "")
    if password and len(password) < _LEAST_PASSWORD:
        raise InputError(
            f"{PASSWORD} has {len(password)} characters; it needs {_LEAST_PASSWORD}, "
            "or none at all, and then there is no admin page"
        )
    return password


# What Gradio offers and an arena has no use for.
_WITHOUT: dict[str, Any] = {
    "footer_links": [],
    "run_history": False,
    "show_error": False,
    "allowed_paths": [],
    "max_file_size": 1,
    "ssr_mode": False,
    "enable_monitoring": False,
    "pwa": False,
    "mcp_server": False,
}


def build_server(
    store: Store,
    *,
    models: Mapping[str, Model] | None = None,
    settings: AppSettings | None = None,
    auth: tuple[str, str] | None = None,
    hosts: Collection[str] = (),
    config: Config | None = None,
) -> Any:
    """The whole app as ASGI.

    auth: name and password without which nobody sees any page. hosts: names that it answers to,
    any where there are none. config: of arena.yaml, which says how to rank and what the arena is
    called.
    """
    with _no_proxy():  # Gradio makes clients when it is imported, and needs none of them here
        import gradio as gr
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    from arena.web.app import absent, build, head
    from arena.web.files import add_routes

    settings = settings or AppSettings()
    store.describe((models or {}).values())
    voters = Voters(load_secret(store.path))
    warnings.filterwarnings("ignore", message="SSR mode", category=UserWarning)  # it is off
    shared = services(
        store,
        voters,
        models=dict(models or {}),
        settings=settings,
        password=admin_password(),
        config=config,
        shows_items=auth is not None or is_for_this_machine(hosts, settings),
    )
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_until_stopped)
    server.state.store = store
    # Its presence keeps Gradio from adding its own, which lets any origin in.
    server.add_middleware(CORSMiddleware, allow_origins=[])
    if auth is None:
        add_routes(server, shared)
    blocks, pages = build(shared)
    mounted = gr.mount_gradio_app(
        server,
        blocks,
        path="/",
        auth=auth,
        root_path=settings.root_path or None,
        blocked_paths=[str(store.home)],
        **_WITHOUT,
        **pages,
    )
    _warm(shared)
    most = settings.requests_per_minute
    requests = Limit(most / 60, most / 3)
    top = head(shared.boards.policy().title, admin=bool(shared.password))
    html = PageHtml(top, absent(settings.root_path))
    where = Address(settings.root_path, hosts, settings.framed_by)
    return Guard(mounted, voters, requests, shared.allowances, html, where)


def is_for_this_machine(hosts: Collection[str], settings: AppSettings) -> bool:
    """Whether nobody elsewhere can reach an app that answers to these names.

    An exam that everybody can read is none, so what it asks is for such an app alone.
    """
    return bool(hosts) and not (settings.hosts or settings.trusted_proxies)


def hosts_of(host: str, settings: AppSettings) -> Collection[str]:
    """The names that an app answers to which listens at `host`; empty is any."""
    if settings.hosts or settings.trusted_proxies:
        return settings.hosts
    with suppress(ValueError):
        if host == "localhost" or ip_address(host).is_loopback:
            return (*LOOPBACK, host)
    return ()


@contextmanager
def _no_proxy() -> Iterator[None]:
    """Whatever proxy the environment names, a client that is made here has none."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before


@asynccontextmanager
async def _until_stopped(server: Any) -> AsyncIterator[None]:
    """When the app stops, so does what is made beside it: it only reads, and nothing is lost.

    The database file then holds all votes by itself, so that a copy of it is a backup.
    """
    yield
    for process in multiprocessing.active_children():
        process.terminate()
    server.state.store.checkpoint()


def _warm(shared: Services) -> None:
    """Begin what takes long on a large store before the first visitor asks for it."""
    from threading import Thread

    from arena.leaderboard.snapshot import Slice
    from arena.web.background.cache import WHOLE

    def work() -> None:
        shared.pool.standing()
        shared.boards.get(Slice(), 0.0)
        shared.catalogue.get(WHOLE, 0.0)
        shared.store.close()

    Thread(target=work, daemon=True).start()


def serve(
    db: Path,
    host: str,
    port: int,
    *,
    models: Mapping[str, Model] | None = None,
    settings: AppSettings | None = None,
    auth: tuple[str, str] | None = None,
    config: Config | None = None,
) -> None:
    """Run until stopped. A port that is taken is one sentence."""
    settings = settings or AppSettings()
    admin_password()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    fresh = "" if db.exists() else ", which is new and holds the sample data"
    store = open_database(db)
    import uvicorn

    # Handlers are short and many: who has the interpreter gives it up sooner than after 5 ms.
    sys.setswitchinterval(0.001)
    hosts = hosts_of(host, settings)
    server = build_server(
        store, models=models, settings=settings, auth=auth, hosts=hosts, config=config
    )
    # What is there now stays: going through it again and again would hold up everybody.
    gc.collect()
    gc.freeze()
    print(f"Arena on http://{host}:{port} with {db}{fresh}. Stop it with Ctrl-C.", flush=True)  # noqa: T201
    uvicorn.run(
        server,
        host=host,
        port=port,
        log_level="warning",
        # Whoever may say where a visitor comes from; without a proxy nobody may.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        access_log=False,
        # Longer than anybody reads one pair: a vote finds its connection open.
        timeout_keep_alive=75,
        # An open page holds a stream open for as long as it is looked at.
        timeout_graceful_shutdown=PARTING_SECONDS,
    )
