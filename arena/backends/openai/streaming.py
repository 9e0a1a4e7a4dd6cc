"""A reply as a server sends it, piece by piece."""

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from arena.backends.base import Reply, Request, cut_at
from arena.backends.openai.calls import errors_of, open_client
from arena.backends.openai.dialect import Dialect
from arena.backends.openai.messages import (
    REFUSED,
    body_of,
    finish_of,
    is_message,
    refusal_in,
    said_in,
    storable,
    usage_of,
)
from arena.records import Model, Usage
from arena.records.errors import TransientError

_END = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one event brings. finish: why the reply ended, empty while it goes on.

    thinking: what the server tells apart from the text. usage: so far, where it is said.
    refuses: whether the text stands in place of an answer.
    """

    text: str
    thinking: str
    finish: str
    usage: Usage | None
    refuses: bool = False


def stream(model: Model, request: Request, dialect: Dialect) -> Iterator[Reply]:
    """Replies that grow; the client's loop runs in a thread, and ends when nobody reads.

    Raises TransientError where the reply breaks off: what has no end is no answer.
    """
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
    abandoned = threading.Event()

    def work() -> None:
        try:
            asyncio.run(_receive(model, request, dialect, pieces, abandoned))
        except Exception as error:  # the thread's edge: it is raised again where replies are read
            pieces.put(error)
        pieces.put(_END)

    started = time.perf_counter()
    threading.Thread(target=work, daemon=True).start()
    text, thinking, finish, usage, refuses = "", "", "", Usage(), False
    stop = model.decoding.stop
    try:
        while (piece := pieces.get()) is not _END:
            if isinstance(piece, BaseException):
                raise piece
            text, thinking = text + piece.text, thinking + piece.thinking
            refuses |= piece.refuses
            finish, usage = piece.finish or finish, piece.usage or usage
            if piece.text:
                yield Reply((cut_at(storable(text), stop).lstrip(),), ("",))
    finally:
        abandoned.set()
    if not finish:
        raise TransientError(f"{model.name}: the reply broke off", "unreadable")
    usage += Usage(seconds=time.perf_counter() - started)
    said = cut_at(storable(text), stop).strip()
    finish = REFUSED if refuses else finish
    yield Reply((said,), (finish,), usage, (), (storable(thinking).strip(),))


async def _receive(
    model: Model,
    request: Request,
    dialect: Dialect,
    pieces: "queue.SimpleQueue[Any]",
    abandoned: threading.Event,
) -> None:
    """Put what comes into `pieces`; the model's time-out is for the whole reply, as elsewhere."""
    body = body_of(model, request)
    async with open_client(model, model.timeout) as client:
        with errors_of(client, model):
            async with asyncio.timeout(model.timeout):
                events = await _opened(client, model, dialect, body)
                async for event in events:
                    if abandoned.is_set():
                        await events.close()
                        return
                    pieces.put(_piece(model, event))


async def _opened(client: Any, model: Model, dialect: Dialect, body: dict[str, Any]) -> Any:
    """The events of a reply, asked for in the server's dialect."""
    from openai import AsyncStream

    async def ask(sent: dict[str, Any]) -> Any:
        with errors_of(client, model):
            return await client.post(
                "/chat/completions",
                cast_to=object,
                body={**sent, "stream": True},
                stream=True,
                stream_cls=AsyncStream[object],
            )

    return await dialect.put(body, ask)


def _piece(model: Model, event: Any) -> _Piece:
    """Read without the client's types, which it fills in without checking."""
    counted = isinstance(event, dict) and isinstance(event.get("usage"), dict)
    usage = usage_of(event) if counted else None
    match event:
        case {"choices": [dict(choice), *_]}:
            delta = choice.get("delta", choice.get("message", {})) or {}
            if is_message({"content": "", **delta}) and ("delta" in choice or "message" in choice):
                said, thinking = said_in(delta)
                refusal = refusal_in(delta)
                text = said or refusal
                return _Piece(text, thinking, finish_of(choice), usage, bool(refusal))
        case {"choices": []}:
            return _Piece("", "", "", usage)
        case {"usage": dict()} if "choices" not in event and "error" not in event:
            return _Piece("", "", "", usage)
    raise TransientError(f"{model.name}: a piece of the reply is unreadable", "unreadable")
