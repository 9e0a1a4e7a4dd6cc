"""Replies of a server in pieces, and servers that do not bring one to its end."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Limits, Reply, Request, open_backend
from arena.config import parse_model
from arena.records import Decoding
from arena.records.errors import BackendError, TransientError, UnavailableError
from tests.servers import Fault, fault, piece, serve

ENDED = piece(None, "stop")


def replies(script: Callable[[dict[str, Any]], Any], timeout: float = 20.0) -> list[Reply]:
    with serve(script) as served:
        model = replace(parse_model(f"openai:m@{served.url}"), timeout=timeout)
        return list(open_backend(model).stream(Request(("q",))))


async def events(*data: Any) -> AsyncIterator[Any]:
    for one in data:
        yield one


def test_a_reply_is_there_while_it_grows() -> None:
    seen = threading.Event()

    async def two_halves(_: Any) -> AsyncIterator[str]:
        yield piece("Hello")
        assert await asyncio.to_thread(seen.wait, 60)  # the second half is not sent before
        yield piece(", you.")
        yield piece(None, "length")
        yield json.dumps({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
        yield "[DONE]"

    with serve(two_halves) as served:
        base = parse_model(f"openai:m@{served.url}")
        model = replace(base, decoding=Decoding(max_tokens=7, system="Be brief."))
        growing = open_backend(model).stream(Request(("q",), seed=5))
        assert next(growing) == Reply(("Hello",), ("",), thinking=("",))
        seen.set()
        *_, last = growing
    assert (last.turns, last.finish) == (("Hello, you.",), ("length",))
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (3, 4)
    (asked,) = served.calls
    assert (asked["stream"], asked["max_tokens"], asked["seed"]) == (True, 7, 5)
    assert [m["role"] for m in asked["messages"]] == ["system", "user"]


@pytest.mark.parametrize("end", [(), (Fault.DROP,), ("[DONE]",), (piece("", None),)])
def test_what_breaks_off_is_no_answer(end: tuple[Any, ...]) -> None:
    with pytest.raises(TransientError):
        replies(lambda _: events(piece("Half a rep"), *end))


@pytest.mark.parametrize(
    "garbage",
    [
        "{]",
        "null",
        "[1]",
        '{"choices": null}',
        '{"choices": [{}]}',
        '{"choices": [{"delta": {"content": 5}}]}',
        '{"error": {"message": "out of memory"}}',
        '"\\ud800"',
    ],
)
def test_garbage_in_between_is_an_error(garbage: str) -> None:
    with pytest.raises(BackendError):
        replies(lambda _: events(piece("Half"), garbage, ENDED, "[DONE]"))


def event(**choice: Any) -> str:
    return json.dumps({"choices": [choice]})


@pytest.mark.parametrize(
    "spelled",
    [
        [event(delta={"role": "assistant", "content": ""}), event(delta={"content": "Hi."}), ENDED],
        [event(delta={"content": None}), event(delta={"content": "Hi."}, finish_reason="stop")],
        [event(delta={"content": [{"type": "text", "text": "Hi."}]}), ENDED],
        [event(message={"content": "Hi."}), event(message={}, finish_reason="stop")],
        [event(delta={"content": "Hi."}), event(delta=None, finish_reason="stop")],
        ['{"choices": []}', event(delta={"content": "Hi."}, finish_reason=""), ENDED],
        [piece("Hi."), ENDED, '{"usage": {"prompt_tokens": 3, "completion_tokens": 4}}'],
        [event(delta={"content": "Hi.", "refusal": None}, finish_reason="stop")],
    ],
)
def test_a_stream_may_be_spelled_in_many_ways(spelled: list[str]) -> None:
    *_, last = replies(lambda _: events(*spelled, "[DONE]"))
    assert (last.turns, last.finish) == (("Hi.",), ("stop",))


def test_a_refusal_that_is_streamed_is_no_answer() -> None:
    data = [event(delta={"refusal": "I can"}), event(delta={"refusal": "not."}), ENDED]
    *_, last = replies(lambda _: events(*data))
    assert (last.turns, last.finish) == (("I cannot.",), ("refusal",))


@pytest.mark.parametrize(
    "whole",
    [
        lambda: web.Response(text="<html>All is well</html>", content_type="text/html"),
        lambda: web.json_response({"choices": []}),
        lambda: web.Response(status=204),
        lambda: fault(500),
        lambda: Fault.DROP,
    ],
)
def test_what_is_no_stream_is_an_error(whole: Callable[[], Any]) -> None:
    with pytest.raises(TransientError):
        replies(lambda _: whole())


def test_a_refusal_is_said_as_it_is() -> None:
    with pytest.raises(UnavailableError, match="bad key"):
        replies(lambda _: fault(401, "bad key"))


def test_half_a_character_can_be_stored() -> None:
    *_, last = replies(lambda _: events(piece("a\ud800b"), ENDED))
    assert last.turns == ("a?b",)


def test_a_stream_that_never_ends_is_given_up() -> None:
    async def without_end(_: Any) -> AsyncIterator[str]:
        while True:
            yield piece("and ")
            await asyncio.sleep(0.01)

    with pytest.raises(TransientError, match="no reply within 1 s"):
        replies(without_end, timeout=1.0)


def test_who_stops_reading_ends_the_call() -> None:
    gone = threading.Event()

    async def until_nobody_reads(_: Any) -> AsyncIterator[str]:
        try:
            while True:
                yield piece("and ")
                await asyncio.sleep(0.01)
        finally:
            gone.set()

    with serve(until_nobody_reads) as served:
        growing = open_backend(parse_model(f"openai:m@{served.url}")).stream(Request(("q",)))
        next(growing)
        growing.close()  # type: ignore[attr-defined]
        gone.wait()


def whole(script: Callable[[dict[str, Any]], Any], times: int = 1) -> tuple[list[Any], list[Any]]:
    """Timed requests one after the other in one run, and what the server was asked."""
    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"), Limits(concurrency=1))
        requests = [Request((f"q{i}",), timed=True) for i in range(times)]
        found = dict(pair for result in backend.converse(requests) for pair in result)
        return [found[i] for i in range(times)] + [backend.notes], served.calls


COUNTED = json.dumps({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})


def test_the_time_to_the_first_token_is_measured_where_the_server_streams() -> None:
    thought = json.dumps({"choices": [{"delta": {"reasoning_content": "Hm."}}]})
    (reply, notes), (asked,) = whole(
        lambda _: events(thought, piece("Hi."), ENDED, COUNTED, "[DONE]")
    )
    assert (reply.turns, reply.thinking, reply.finish) == (("Hi.",), ("Hm.",), ("stop",))
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (3, 4)
    assert 0 < reply.first_token <= reply.usage.seconds
    assert asked["stream_options"] == {"include_usage": True}
    assert (notes, reply.adjustments) == ((), ())


def test_a_server_that_answers_in_one_piece_is_read_all_the_same() -> None:
    (reply, _), calls = whole(lambda _: "Hi.")
    assert (reply.turns, reply.first_token) == (("Hi.",), None)
    assert len(calls) == 1


@pytest.mark.parametrize("field", ["stream", "stream_options"])
def test_a_server_that_does_not_stream_is_asked_for_whole_replies_and_that_is_said(
    field: str,
) -> None:
    def script(body: dict[str, Any]) -> Any:
        said = f"Extra inputs are not permitted: {field}"
        return fault(400, said) if field in body else "Hi."

    (first, second, notes), calls = whole(script, times=2)
    assert first.turns == second.turns == ("Hi.",)
    assert (first.first_token, first.adjustments) == (None, ())
    assert len(calls) == 3
    assert "time to the first token is not known" in " ".join(notes)


@pytest.mark.parametrize("streams", [[piece("Hi.")], ["{]"], [piece("Hi."), ENDED]])
def test_streams_that_cannot_be_read_or_do_not_count_are_given_up(
    streams: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.backends.openai.running.back_off", lambda attempt: 0.0)

    def script(body: dict[str, Any]) -> Any:
        return events(*streams) if "stream" in body else "Hi."

    (*replies, (note,)), calls = whole(script, times=3)
    assert [reply.turns for reply in replies] == [("Hi.",)] * 3
    assert sum("stream" in body for body in calls) == 1
    assert "asked for whole" in note


def test_an_error_in_the_middle_of_a_stream_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("arena.backends.openai.running.back_off", lambda attempt: 0.0)
    faulty = [events(piece("Ha"), '{"error": {"message": "overloaded"}}')]

    def script(_: dict[str, Any]) -> Any:
        return faulty.pop() if faulty else events(piece("Hi."), ENDED, COUNTED, "[DONE]")

    (reply, notes), calls = whole(script)
    assert (reply.turns, reply.retried) == (("Hi.",), ("server error",))
    assert (len(calls), notes) == (2, ())


def test_a_reply_that_has_ended_is_one_though_the_server_does_not_hang_up() -> None:
    async def for_ever(_: Any) -> AsyncIterator[str]:
        for one in (piece("Hi."), ENDED, COUNTED):
            yield one
        await asyncio.Event().wait()

    *_, last = replies(for_ever, timeout=1.0)
    assert (last.turns, last.usage.completion_tokens) == (("Hi.",), 4)
