"""A reply as a server sends it, piece by piece."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from arena.backends.base import Reply, Request, cut_at
from arena.backends.openai.calls import checked, errors_of, open_client
from arena.backends.openai.dialect import Dialect
from arena.backends.openai.messages import (
    STREAMED,
    body_of,
    finish_of,
    is_message,
    refusal_in,
    said_in,
    storable,
    text_of,
    thinking_tokens_of,
    usage_of,
)
from arena.records import Model, Usage
from arena.records.errors import TransientError

_END = None


class Growing:
    """A completion as far as it has come.

    first_token: seconds until the first token, of thinking too; None while there is none, and
    where the server sent the reply whole.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._started = time.perf_counter()
        self._message = {"content": "", "reasoning_content": "", "refusal": ""}
        self._finish = ""
        self._usage: dict[str, Any] | None = None
        self._whole: dict[str, Any] | None = None
        self.first_token: float | None = None

    @property
    def text(self) -> str:
        """What it says so far."""
        return self._message["content"] or self._message["refusal"]

    @property
    def thinking(self) -> str:
        """What it tells apart from that of what it thinks, so far."""
        return self._message["reasoning_content"]

    @property
    def ended(self) -> bool:
        """Whether the server has said why it ended."""
        return bool(self._finish)

    @property
    def counts(self) -> bool:
        """Whether the server has said how many tokens it took."""
        return self._usage is not None

    def take(self, event: Any) -> None:
        """Add one event, read without the client's types, which it fills in without checking."""
        match event:
            case {"choices": [dict(choice), *_]} if "delta" in choice or "message" in choice:
                delta = choice.get("delta", choice.get("message")) or {}
                if not (isinstance(delta, dict) and is_message({"content": "", **delta})):
                    raise self._unreadable("a piece of the reply is unreadable")
                self._add(delta, finish_of(choice))
            case {"choices": []}:
                pass
            case {"usage": dict()} if "choices" not in event and "error" not in event:
                pass
            case _:
                raise self._unreadable("a piece of the reply is unreadable")
        if isinstance(event.get("usage"), dict):
            self._usage = event["usage"]

    def _add(self, delta: dict[str, Any], finish: str) -> None:
        said, thinking = said_in(delta)
        pieces = (said, thinking, refusal_in(delta))
        if self.first_token is None and any(pieces):
            self.first_token = time.perf_counter() - self._started
        for name, piece in zip(self._message, pieces, strict=True):
            self._message[name] += piece
        self._finish = finish or self._finish

    def take_whole(self, reply: Any, body: dict[str, Any]) -> None:
        """Take a reply that came in one piece to a request with this body."""
        self._whole = checked(reply, self._model, body)

    def completion(self) -> dict[str, Any]:
        """All of it, as if it had come in one piece; raises TransientError where its end lacks."""
        if self._whole is not None:
            return self._whole
        if not self._finish:
            raise self._unreadable("the reply broke off")
        choice = {"message": self._message, "finish_reason": self._finish}
        return {"choices": [choice], "usage": self._usage}

    def _unreadable(self, why: str) -> TransientError:
        return TransientError(f"{self._model.name}: {why}", "unreadable")


async def grown(
    client: Any, model: Model, body: dict[str, Any], goes_on: Callable[[Growing], bool]
) -> Growing:
    """A chat completion that came in events; the model's time-out is for all of it.

    goes_on: is shown it after each event, and says whether to go on. A server that does not
    stream may answer in one piece. Raises TransientError where something cannot be read.
    """
    reply = Growing(model)
    with errors_of(client, model):
        try:
            async with asyncio.timeout(model.timeout):
                await _receive(client, {"model": model.asked_as, **body}, reply, goes_on)
        except TimeoutError:
            if not reply.ended:
                raise  # else the reply is whole, and the server has only not hung up
    return reply


async def _receive(
    client: Any, body: dict[str, Any], reply: Growing, goes_on: Callable[[Growing], bool]
) -> None:
    from openai import AsyncStream

    events = await client.post(
        "/chat/completions",
        cast_to=object,
        body=body,
        stream=True,
        stream_cls=AsyncStream[object],
    )
    try:
        if "json" in events.response.headers.get("content-type", ""):
            reply.take_whole((await events.response.aread()).decode(), body)
            return
        async for event in events:
            reply.take(event)
            if not goes_on(reply):
                break
    finally:
        await events.close()


async def streamed(
    client: Any, model: Model, body: dict[str, Any], dialect: Dialect
) -> tuple[dict[str, Any], float | None]:
    """A chat completion that is sent piece by piece, and the seconds until its first token.

    A server whose streams cannot be read, or tell no tokens, is asked for whole replies after it.
    """
    try:
        reply = await grown(client, model, body, lambda _: True)
        whole = reply.completion()
    except TransientError as error:
        if error.kind == "unreadable":
            dialect.give_up_streaming("the server's streams cannot be read")
        raise
    if reply.first_token is not None and not reply.counts:
        dialect.give_up_streaming("the server does not count the tokens of a stream")
    return whole, reply.first_token


def stream(model: Model, request: Request, dialect: Dialect) -> Iterator[Reply]:
    """Replies that grow; the client's loop runs in a thread, and ends when nobody reads.

    Raises TransientError where the reply breaks off: what has no end is no answer.
    """
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
    abandoned = threading.Event()
    body = body_of(model, request)

    def work() -> None:
        try:
            asyncio.run(_pass_on(model, dialect, body, pieces, abandoned))
        except Exception as error:  # the thread's edge: it is raised again where replies are read
            pieces.put(error)
        pieces.put(_END)

    started = time.perf_counter()
    threading.Thread(target=work, daemon=True).start()
    shown, last = ("", ""), Growing(model)
    try:
        while (piece := pieces.get()) is not _END:
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, Growing):
                last = piece
            elif piece != shown:
                shown = piece
                text, thinking = map(storable, shown)
                text = cut_at(text, model.decoding.stop).lstrip()
                yield Reply((text,), ("",), thinking=(thinking,))
    finally:
        abandoned.set()
    whole = last.completion()
    text, thinking, finish = text_of(whole["choices"][0], request, model.decoding.stop)
    yield Reply(
        (text,),
        (finish,),
        usage_of(whole) + Usage(seconds=time.perf_counter() - started),
        thinking=(thinking,),
        thinking_tokens=thinking_tokens_of(whole),
        first_token=last.first_token,
        adjustments=tuple(dialect.adjustments(body).items()),
    )


async def _pass_on(
    model: Model,
    dialect: Dialect,
    body: dict[str, Any],
    pieces: "queue.SimpleQueue[Any]",
    abandoned: threading.Event,
) -> None:
    """Put what a reply says and thinks into `pieces` as it grows, and in the end the reply."""
    async with open_client(model, model.timeout) as client:

        def goes_on(reply: Growing) -> bool:
            pieces.put((reply.text, reply.thinking))
            return not abandoned.is_set()

        async def ask(sent: dict[str, Any]) -> Growing:
            return await grown(client, model, sent, goes_on)

        pieces.put(await dialect.put(body | STREAMED, ask))
