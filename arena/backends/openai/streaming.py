"""A reply as a server sends it, piece by piece."""

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from arena.backends.base import Reply, Request
from arena.backends.openai.calls import errors_of, open_client
from arena.backends.openai.messages import decoding, opening
from arena.records import Model, Usage

_END = None


def stream(model: Model, request: Request) -> Iterator[Reply]:
    """Replies that grow; the client's loop runs in a thread, and ends when nobody reads."""
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
    abandoned = threading.Event()

    def work() -> None:
        try:
            asyncio.run(_receive(model, request, pieces, abandoned))
        except Exception as error:  # the thread's edge: it is raised again where replies are read
            pieces.put(error)
        pieces.put(_END)

    started = time.perf_counter()
    threading.Thread(target=work, daemon=True).start()
    text, finish, usage = "", "stop", Usage()
    try:
        while (piece := pieces.get()) is not _END:
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, Usage):
                usage = piece
                continue
            said, ended = piece
            text, finish = text + said, ended or finish
            if said:
                yield Reply((text.lstrip(),), ("",))
    finally:
        abandoned.set()
    yield Reply((text.strip(),), (finish,), usage + Usage(seconds=time.perf_counter() - started))


async def _receive(
    model: Model, request: Request, pieces: "queue.SimpleQueue[Any]", abandoned: threading.Event
) -> None:
    messages = [*opening(model, request), {"role": "user", "content": request.turns[0]}]
    async with open_client(model, model.timeout) as client:
        with errors_of(client, model):
            events = await client.chat.completions.create(
                model=model.weights,
                messages=messages,
                stream=True,
                **decoding(model, request.seed),
            )
            async for event in events:
                if abandoned.is_set():
                    await events.close()
                    return
                for choice in event.choices[:1]:
                    pieces.put((choice.delta.content or "", choice.finish_reason))
                if event.usage:
                    read, written = event.usage.prompt_tokens, event.usage.completion_tokens
                    pieces.put(Usage(read, written))
