"""An OpenAI-compatible server whose replies and faults a test writes."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Callable[[dict[str, Any]], "str | web.Response"]


@dataclass
class Served:
    """What the server saw. calls: request bodies, in order of arrival."""

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


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


@contextmanager
def serve(script: Script, models: tuple[str, ...] = ("m",)) -> Iterator[Served]:
    """Run the server on a free port of this machine while the block lasts."""
    served, ready, loop = Served(), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        served.calls.append(body)
        served.keys.append(request.headers.get("Authorization", ""))
        reply = script(body)
        if isinstance(reply, web.Response):
            return reply
        return web.json_response(completion(reply))

    async def listing(_: web.Request) -> web.Response:
        return web.json_response(
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "created": 0, "owned_by": "t"}
                    for name in models
                ],
            }
        )

    async def main() -> None:
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", complete), web.get("/v1/models", listing)])
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        served.url = f"http://127.0.0.1:{port}/v1"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


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
