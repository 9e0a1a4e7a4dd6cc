"""An OpenAI-compatible server whose replies and faults a test writes.

`python -m tests.servers` runs one in a process of its own, for benchmarks.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from enum import Enum
from inspect import isasyncgen, iscoroutine
from itertools import accumulate
from typing import Any

from aiohttp import web

# An iterator is a stream of events: each its data, or a fault with which the stream ends.
Events = AsyncGenerator["str | Fault", None]
Reply = "str | web.Response | Fault | Events"
# A token, its log-probability (None for the first of all) and the likeliest in its place.
Token = tuple[str, float | None, dict[str, float] | None]
Script = Callable[[dict[str, Any]], "Reply | Awaitable[Reply]"]


class Fault(Enum):
    """What a server may do instead of answering, beyond a status of its own (see `fault`)."""

    DROP = "drop"  # the connection ends before the reply
    CUT = "cut"  # JSON that ends in the middle
    HANG = "hang"  # no first byte before the client gives up


@dataclass
class Served:
    """What the server saw. calls: request bodies, in order of arrival, which `times` has.

    paid: the bodies that got a whole reply. words: whose tokens were asked for. most: the most
    calls that were in flight at once.
    """

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    paid: list[dict[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    most: int = 0
    now: int = 0
    batches: dict[str, "HostedBatch"] = field(default_factory=dict)


@dataclass
class HostedBatch:
    """What was handed in. order: what becomes of the results, by name, before they are fetched.

    raw: lines that come with them.
    """

    lines: list[str]
    raw: list[str] = field(default_factory=list)
    ended: bool = False
    order: Callable[[list[tuple[str, Any]]], list[tuple[str, Any]]] = lambda results: results


def completion(text: str, top: dict[str, float] | None = None) -> dict[str, Any]:
    """The body of a chat completion, with the log-probabilities of its first token."""
    content = (
        [
            {
                "token": text,
                "logprob": 0.0,
                "bytes": None,
                "top_logprobs": [{"token": t, "logprob": p, "bytes": None} for t, p in top.items()],
            }
        ]
        if top
        else None
    )
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
                "logprobs": {"content": content} if content else None,
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


def text_completion(text: str, tokens: Sequence[Token] | None = None) -> dict[str, Any]:
    """The body of a completion in OpenAI's older shape; tokens: of the echo and the text."""
    offsets = accumulate([len(token) for token, _, _ in tokens or ()], initial=0)
    logprobs = {
        "tokens": [token for token, _, _ in tokens or ()],
        "token_logprobs": [value for _, value, _ in tokens or ()],
        "top_logprobs": [top for _, _, top in tokens or ()],
        "text_offset": list(offsets)[:-1],
    }
    choice = {"index": 0, "finish_reason": "length", "text": text}
    return {
        "id": "x",
        "object": "text_completion",
        "created": 0,
        "model": "m",
        "choices": [choice | {"logprobs": logprobs if tokens else None}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    }


@contextmanager
def serve(
    script: Script,
    models: tuple[str, ...] = ("m",),
    latency: float = 0.0,
    slots: int = 10_000,
    listing: Callable[[], web.Response] | None = None,
    texts: Script | None = None,
    tokens: Callable[[dict[str, Any]], web.Response] | None = None,
) -> Iterator[Served]:
    """Run the server on a free port of this machine while the block lasts.

    latency: seconds that each reply takes. slots: how many are made at once; others wait.
    listing: what it says when asked for its models, if not `models`. texts: what it replies to
    `/v1/completions`, and tokens: to `/tokenize`, which it does not have otherwise.
    """
    served = Served()

    async def made() -> web.Application:
        app = application(script, served, models, latency, slots, listing, texts)
        if tokens is not None:
            app.add_routes([web.post("/tokenize", counted)])
        return app

    async def counted(request: web.Request) -> web.Response:
        assert tokens is not None
        body = await request.json()
        served.words.append(body["prompt"])
        return tokens(body)

    with running(made) as port:
        served.url = f"http://127.0.0.1:{port}/v1"
        yield served


@contextmanager
def running(make: Callable[[], Awaitable[web.Application]]) -> Iterator[int]:
    """An application in a thread and loop of its own, in which it is made; yields its port."""
    ready = threading.Event()
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = []

    async def main() -> None:
        runner, stop = web.AppRunner(await make(), shutdown_timeout=0.05), asyncio.Event()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started.append((asyncio.get_running_loop(), stop, runner.addresses[0][1]))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait()
    ((loop, stop, port),) = started
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def application(
    script: Script,
    served: Served,
    models: tuple[str, ...],
    latency: float,
    slots: int,
    listing: Callable[[], web.Response] | None = None,
    texts: Script | None = None,
) -> web.Application:
    """The routes of the server."""
    free = asyncio.Semaphore(slots)

    async def chat(request: web.Request) -> web.StreamResponse:
        return await complete(request, script)

    async def go_on(request: web.Request) -> web.StreamResponse:
        assert texts is not None
        return await complete(request, texts)

    async def complete(request: web.Request, script: Script) -> web.StreamResponse:
        body = await request.json()
        served.calls.append(body)
        served.keys.append(request.headers.get("Authorization", ""))
        served.headers.append(request.headers)
        served.times.append(time.monotonic())
        served.now += 1
        served.most = max(served.most, served.now)
        try:
            async with free:
                if latency:
                    await asyncio.sleep(latency)
                reply = script(body)
                return await answer(request, body, await reply if iscoroutine(reply) else reply)
        finally:
            served.now -= 1

    async def answer(
        request: web.Request, body: dict[str, Any], reply: "str | web.Response | Fault | Events"
    ) -> web.StreamResponse:
        if isinstance(reply, web.Response):
            return reply
        if isasyncgen(reply):
            return await _stream(request, reply)
        if isinstance(reply, str):
            served.paid.append(body)
            shape = text_completion if "prompt" in body else completion
            return web.json_response(shape(reply))
        return await _faults[reply](request)

    async def listed(_: web.Request) -> web.Response:
        if listing is not None:
            return listing()
        entry = {"object": "model", "created": 0, "owned_by": "t"}
        return web.json_response(
            {"object": "list", "data": [{"id": name, **entry} for name in models]}
        )

    app = web.Application(client_max_size=2**26)
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/v1/models", listed)])
    if texts is not None:
        app.add_routes([web.post("/v1/completions", go_on)])
    app.add_routes(_batch_routes(script, served))
    return app


def _batch_routes(script: Script, served: Served) -> list[web.RouteDef]:
    """A batch endpoint: what is handed in lies in `served.batches` until a test ends it."""
    files: dict[str, str] = {}

    async def upload(request: web.Request) -> web.Response:
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        form = message_from_bytes(head + await request.read())  # aiohttp's own reader warns
        (content,) = [part for part in form.walk() if part.get_filename()]
        name = f"file-{len(files)}"
        files[name] = bytes(content.get_payload(decode=True)).decode()
        return web.json_response(
            {"id": name, "object": "file", "bytes": 0, "created_at": 0, "filename": "x"}
        )

    async def create(request: web.Request) -> web.Response:
        body = await request.json()
        name = f"batch-{len(served.batches)}"
        served.batches[name] = HostedBatch(files[body["input_file_id"]].splitlines())
        return web.json_response(_shown(name, served.batches[name]))

    async def retrieve(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        batch = served.batches[name]
        if batch.ended and name not in files:
            lines = [json.loads(line) for line in batch.lines]
            replies = [(line["custom_id"], script(line["body"])) for line in lines]
            results = [*map(_result, batch.order(replies)), *batch.raw]
            files[name] = "\n".join(results)
        return web.json_response(_shown(name, batch))

    async def content(request: web.Request) -> web.Response:
        return web.Response(text=files[request.match_info["name"]])

    return [
        web.post("/v1/files", upload),
        web.post("/v1/batches", create),
        web.get("/v1/batches/{name}", retrieve),
        web.get("/v1/files/{name}/content", content),
    ]


def _shown(name: str, batch: "HostedBatch") -> dict[str, Any]:
    return {
        "id": name,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "created_at": 0,
        "input_file_id": "x",
        "status": "completed" if batch.ended else "in_progress",
        "output_file_id": name if batch.ended else None,
        "request_counts": {"completed": 0, "failed": 0, "total": len(batch.lines)},
    }


def _result(result: tuple[str, Any]) -> str:
    name, reply = result
    row: dict[str, Any] = {"custom_id": name, "error": None}
    if isinstance(reply, web.Response):
        row["response"] = {"status_code": reply.status, "body": json.loads(reply.text or "{}")}
    else:
        row["response"] = {"status_code": 200, "body": completion(reply)}
    return json.dumps(row, ensure_ascii=False)


async def _drop(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _cut(request: web.Request) -> web.Response:
    whole = json.dumps(completion("[[A]]"))
    return web.Response(text=whole[: len(whole) // 2], content_type="application/json")


async def _hang(request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


_faults: dict[Fault, Callable[[web.Request], Awaitable[web.Response]]] = {
    Fault.DROP: _drop,
    Fault.CUT: _cut,
    Fault.HANG: _hang,
}


async def _stream(request: web.Request, events: Events) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await reply.prepare(request)
    with suppress(ConnectionError):  # whoever asked may have left
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Fault):
                    return await _faults[event](request)
                await reply.write(f"data: {event}\n\n".encode())
    return reply


def piece(text: str | None, finish: str | None = None) -> str:
    """The data of one event of a stream."""
    delta = {} if text is None else {"content": text}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    shape = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return json.dumps(shape | {"choices": choices, "usage": None})


def fault(
    status: int, message: str = "fault", headers: dict[str, str] | None = None
) -> web.Response:
    """An error in the shape that servers give it."""
    return web.Response(
        status=status,
        headers=headers,
        content_type="application/json",
        text=json.dumps({"error": {"message": message, "type": "t", "code": "c"}}),
    )


def main(port: int, latency: float, slots: int) -> None:
    """Answer every call alike, in a process that has no other work."""
    app = application(lambda _: "The first is better. [[A]]", Served(), ("m",), latency, slots)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
