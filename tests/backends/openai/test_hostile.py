"""Servers that answer with what no server should: nothing ends a run, and nothing is guessed."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Intake, Limits, OddsRequest, Reply, Request, availability, open_backend
from arena.config import parse_model
from arena.records import Usage
from arena.records.errors import BackendError, TransientError, UnavailableError
from tests.servers import Served, completion, fault, serve

Script = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.backends.openai.running.back_off", lambda attempt: 0.0)


def raw(text: str | bytes, kind: str = "application/json") -> web.Response:
    body = text.encode() if isinstance(text, str) else text
    return web.Response(body=body, content_type=kind)


def one(script: Script) -> tuple[Any, Served]:
    """What becomes of one request to such a server."""
    with serve(script) as served:
        backend = open_backend(replace(parse_model(f"openai:m@{served.url}"), timeout=5.0))
        ((_, result),) = [r for part in backend.converse([Request(("q",))]) for r in part]
    return result, served


@pytest.mark.parametrize(
    "reply",
    [
        lambda: web.json_response(completion("x") | {"choices": []}),
        lambda: web.json_response([1]),
        lambda: web.json_response(completion("x") | {"choices": [{"message": None}]}),
        lambda: raw("null"),
        lambda: raw("{]"),
        lambda: raw(""),
        lambda: raw(b'{"choices":[{"message":{"content":"\xff"}}]}'),
        lambda: raw("[" * 200_000),
        lambda: raw("<html>All is well</html>", "text/html"),
        lambda: web.Response(status=204),
    ],
)
def test_what_is_no_completion_is_tried_again_and_then_an_error(reply: Callable[[], Any]) -> None:
    result, served = one(lambda _: reply())
    assert isinstance(result, TransientError)
    assert result.kind == "unreadable"
    assert len(served.calls) == 6


def test_an_error_in_a_whole_reply_is_said() -> None:
    result, _ = one(lambda _: web.json_response({"error": {"message": "the context is full"}}))
    assert "the context is full" in str(result)


def test_a_text_that_is_not_there_is_an_empty_one() -> None:
    body = completion("x") | {"choices": [{"message": {"content": None}, "finish_reason": 7}]}
    result, _ = one(lambda _: web.json_response(body))
    assert isinstance(result, Reply)
    assert (result.turns, result.finish) == (("",), ("stop",))


def test_half_a_character_can_be_stored_and_sent_back() -> None:
    """A reply cut inside an emoji: as JSON it is well formed, as UTF-8 it is none."""
    seen = []

    def script(body: dict[str, Any]) -> Any:
        seen.append(body["messages"])
        return raw('{"choices":[{"message":{"content":"\\ud83d! [[A]] \\ud83d"}}]}')

    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"))
        request = Request(("q",), follow_up=lambda text, finish: "once more")
        ((_, result),) = [r for part in backend.converse([request]) for r in part]
    assert result.turns == ("?! [[A]]", "?! [[A]]")  # what ends it is left out
    assert seen[1][1]["content"] == "?! [[A]]"


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 10**30, "completion_tokens": 3}, (0, 3)),
        ({"prompt_tokens": -5, "completion_tokens": 3}, (0, 3)),
        ({"prompt_tokens": "5", "completion_tokens": 1.5}, (0, 0)),
        ([5], (0, 0)),
        (None, (0, 0)),
    ],
)
def test_only_what_can_be_a_count_of_tokens_is_counted(
    usage: object, counted: tuple[int, int]
) -> None:
    result, _ = one(lambda _: web.json_response(completion("x") | {"usage": usage}))
    assert replace(result.usage, seconds=0.0) == Usage(*counted)


def top(alternatives: str) -> web.Response:
    logprobs = f'{{"content":[{{"token":"A","logprob":0,"top_logprobs":{alternatives}}}]}}'
    return raw(f'{{"choices":[{{"message":{{"content":"A"}},"logprobs":{logprobs}}}]}}')


@pytest.mark.parametrize(
    "alternatives",
    [
        "[]",
        "[5]",
        '[{"word":"A"}]',
        '[{"token":"A","logprob":"-1"}]',
        '[{"token":"A","logprob":NaN}]',
        '[{"token":"A","logprob":1000}]',
        '[{"token":"token_id:32","logprob":-0.1},{"token":"token_id:33","logprob":-2.5}]',
        '{"A":"-1"}',
        "null",
    ],
)
def test_odds_that_cannot_be_read_are_an_error_and_no_verdict(alternatives: str) -> None:
    with serve(lambda _: top(alternatives)) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"))
        ((_, result),) = next(backend.odds([OddsRequest("Which?", ("A", "B"))]))
    assert isinstance(result, BackendError)
    assert "no log-probabilities" in str(result)


def test_a_connection_that_ends_inside_the_body_is_tried_again() -> None:
    with resetting(times=2) as url:
        backend = open_backend(replace(parse_model(f"openai:m@{url}"), timeout=5.0))
        ((_, result),) = [r for part in backend.converse([Request(("q",))]) for r in part]
    assert result.turns == ("fine",)
    assert len(result.retried) == 2


@contextmanager
def resetting(times: int) -> Iterator[str]:
    """A server whose first few replies end in the middle of what they announced."""
    import socket

    whole = json.dumps(completion("fine")).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(whole)}\r\n"
    listener = socket.create_server(("127.0.0.1", 0))
    left = [times]

    def answer() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                body = whole[: len(whole) // 2] if left[0] else whole
                left[0] -= bool(left[0])
                client.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_half_an_hour_of_rest_gets_it(status: int) -> None:
    with (
        serve(lambda _: fault(status, headers={"Retry-After": "1800"})) as served,
        pytest.raises(UnavailableError, match="30 minutes"),
    ):
        list(open_backend(parse_model(f"openai:m@{served.url}")).converse([Request(("q",))]))
    assert len(served.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_run_that_is_stopped_waits_for_no_server(status: int) -> None:
    """The server asks for minutes of rest; whoever stops the run has not got them."""
    intake = Intake()

    def script(body: dict[str, Any]) -> Any:
        intake.close("interrupted")
        return fault(status, headers={"Retry-After": "500"})

    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"), Limits(concurrency=2))
        found = [r for part in backend.converse([Request(("q",))] * 20, intake) for r in part]
    assert found == []
    assert len(served.calls) <= 2


def test_a_run_that_is_stopped_does_not_wait_for_its_own_pace() -> None:
    intake = Intake()

    def script(body: dict[str, Any]) -> Any:
        intake.close("interrupted")
        return "fine"

    with serve(script) as served:
        limits = Limits(concurrency=4, requests_per_minute=0.1)
        backend = open_backend(parse_model(f"openai:m@{served.url}"), limits)
        found = [r for part in backend.converse([Request(("q",))] * 20, intake) for r in part]
    assert len(found) == len(served.calls) == 1


def test_what_is_in_flight_when_the_key_is_refused_is_not_lost() -> None:
    """A quota ends in the middle: what the server answers after that was paid for."""
    refused = threading.Event()

    async def late(body: dict[str, Any]) -> str:
        import asyncio

        while not refused.is_set():
            await asyncio.sleep(0.01)
        return "paid"

    def script(body: dict[str, Any]) -> Any:
        if body["messages"][0]["content"] == "0":
            refused.set()
            return fault(401, "no more")
        return late(body)

    found: list[Any] = []
    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"), Limits(concurrency=4))
        parts = backend.converse([Request((str(i),)) for i in range(40)])
        with pytest.raises(UnavailableError, match="no more"):
            found.extend(result for part in parts for result in part)
    assert len(found) == len(served.paid) == 3
    assert len(served.calls) == 4


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        (lambda: raw("<html>Hello</html>", "text/html"), False),
        (lambda: raw("{]"), False),
        (lambda: web.json_response([1]), False),
        (lambda: web.json_response({"data": None}), True),
        (lambda: web.json_response({"data": [5, {"id": "m"}]}), True),
        (lambda: web.Response(status=404), True),
        (lambda: web.Response(status=403), False),
    ],
)
def test_an_address_that_is_no_model_server_is_said_before_any_work(
    reply: Callable[[], web.Response], ready: bool
) -> None:
    with serve(lambda _: "x", listing=reply) as served:
        state = availability(parse_model(f"openai:m@{served.url}"))
    assert state.ready is ready
    if not ready:
        assert "127.0.0.1" in state.detail
        assert "\n" not in state.detail


@pytest.mark.parametrize(
    "listed",
    [
        {"object": "list", "data": [{"id": "other"}]},
        [{"id": "other"}],  # Together
        ["other"],
        {"models": [{"name": "other", "model": "other"}]},  # Ollama
        {"models": [{"name": "other"}], "data": []},
    ],
)
def test_a_list_of_models_is_read_in_each_shape(listed: Any) -> None:
    with serve(lambda _: "x", listing=lambda: web.json_response(listed)) as served:
        state = availability(parse_model(f"openai:m@{served.url}"))
    assert state.ready
    assert state.detail.endswith("but lists other")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_key_goes_where_a_server_sends_it(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header with a key of one's own would go along to any address."""
    monkeypatch.setenv("SECRET", "s3cret")
    with serve(lambda _: "x") as elsewhere:

        def script(_: dict[str, Any]) -> web.Response:
            place = f"{elsewhere.url}/chat/completions"
            return web.Response(status=status, headers={"Location": place})

        with serve(script) as served:
            base = parse_model(f"openai:m@{served.url}")
            model = replace(base, extra_headers=(("X-Key", "SECRET"),))
            with pytest.raises(UnavailableError) as refused:
                list(open_backend(model).converse([Request(("q",))]))
    assert elsewhere.calls == []
    assert f"{elsewhere.url}/chat/completions" in str(refused.value)
    assert "base_url" in str(refused.value)


def test_who_has_to_be_paid_first_is_not_asked_again_and_again() -> None:
    with serve(lambda _: fault(402, "add credits")) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"), Limits(concurrency=1))
        with pytest.raises(UnavailableError, match="add credits"):
            list(backend.converse([Request((str(i),)) for i in range(9)]))
    assert len(served.calls) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream"])
@pytest.mark.parametrize("timed", [False, True])
def test_json_under_another_name_is_read(kind: str, timed: bool) -> None:
    with serve(lambda _: raw(json.dumps(completion("x")), kind)) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"))
        requests = [Request(("q",), timed=timed)]
        ((_, result),) = [r for part in backend.converse(requests) for r in part]
    assert result.turns == ("x",)


@pytest.mark.parametrize(
    "wait", ["soon", "-5", "nan", "", "Mon, 01 Jan 0001 00:00:00 GMT", "2020-01-01", "١"]
)
def test_a_wait_that_is_none_is_passed_over(wait: str) -> None:
    busy = [fault(429, headers={"Retry-After": wait, "retry-after-ms": "never"})]
    result, served = one(lambda _: busy.pop() if busy else "fine")
    assert result.turns == ("fine",)
    assert len(served.calls) == 2


@pytest.mark.parametrize("wait", ["inf", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_without_end_is_an_end(wait: str) -> None:
    with (
        serve(lambda _: fault(429, headers={"Retry-After": wait})) as served,
        pytest.raises(UnavailableError, match="fault"),
    ):
        list(open_backend(parse_model(f"openai:m@{served.url}")).converse([Request(("q",))]))
    assert len(served.calls) == 1


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"\\x1f\\x8b\\x08cut", "gzip"), (b"no zip at all", "gzip"), (b"\\x78\\x9c", "deflate")],
)
def test_a_body_that_cannot_be_unpacked_is_tried_again(body: bytes, encoding: str) -> None:
    def script(_: dict[str, Any]) -> web.Response:
        headers = {"Content-Encoding": encoding}
        return web.Response(body=body, headers=headers, content_type="application/json")

    with serve(script) as served:
        backend = open_backend(replace(parse_model(f"openai:m@{served.url}"), timeout=5.0))
        try:
            found = [r for part in backend.converse([Request(("q",))]) for _, r in part]
        except UnavailableError:
            found = []
    assert all(isinstance(result, BackendError) for result in found)
    assert len(served.calls) == 6


def test_a_body_that_is_packed_is_read() -> None:
    import gzip

    packed = gzip.compress(json.dumps(completion("x")).encode())
    headers = {"Content-Encoding": "gzip"}
    result, _ = one(
        lambda _: web.Response(body=packed, headers=headers, content_type="application/json")
    )
    assert result.turns == ("x",)
