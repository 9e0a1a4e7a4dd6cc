"""Proxies of the environment: none to this machine, and one sentence where one cannot be used."""

import pytest

from arena.backends.openai.calls import availability, open_client
from arena.config import parse_model
from arena.records.errors import UnavailableError

HERE = ("127.0.0.1", "127.9.9.9", "[::1]", "localhost", "x.localhost", "0.0.0.0")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("all_proxy", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("proxy", ["socks://127.0.0.1:1", "http://[::1", "socks5://h:1", "junk://"])
@pytest.mark.parametrize("host", HERE)
def test_no_proxy_leads_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, proxy: str, host: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    open_client(parse_model(f"x=openai:x@http://{host}:9/v1"), 1.0)


@pytest.mark.parametrize(
    ("name", "proxy"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:1"),
        ("all_proxy", "socks5://127.0.0.1:1"),
        ("HTTPS_PROXY", "http://[::1"),
        ("HTTP_PROXY", "ftp://host:1"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    monkeypatch.setenv(name, proxy)
    model = parse_model("x=openai:x@https://example.org/v1")
    with pytest.raises(UnavailableError, match=f"x: {name.upper()} names a proxy that cannot"):
        open_client(model, 1.0)
    assert not availability(model).ready
    monkeypatch.setenv("NO_PROXY", "example.org")
    open_client(model, 1.0)


def test_a_proxy_that_is_not_used_may_be_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "127.0.0.1:7890")
    open_client(parse_model("x=openai:x@https://example.org/v1"), 1.0)
