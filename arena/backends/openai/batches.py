"""Work that a hosted server does in its own time, at a lower price: `/v1/batches`."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from arena.backends.base import Reply, Request
from arena.backends.limits import Budget
from arena.backends.openai.calls import apart, errors_of, open_client, told
from arena.backends.openai.messages import (
    body_of,
    is_message,
    text_of,
    thinking_tokens_of,
    usage_of,
    worst_case,
)
from arena.records import Model
from arena.records.errors import BackendError, TransientError

# https://platform.openai.com/docs/guides/batch: requests in one batch, and bytes of its file.
MOST_REQUESTS, MOST_BYTES = 50_000, 190_000_000
_ENDED = {"completed", "failed", "expired", "cancelled"}


@dataclass(frozen=True, slots=True)
class Collected:
    """Where a batch stands. replies: by the request's name; None until it has ended."""

    status: str
    done: int
    total: int
    replies: dict[str, Reply | BackendError] | None


def parts(
    model: Model, requests: Mapping[str, Request], budget: Budget
) -> Iterator[dict[str, str]]:
    """The lines of each batch by the request's name, as many as one batch may hold.

    Each counts at its worst, and the first that the budget has no room for is the end.
    """
    lines: dict[str, str] = {}
    size = 0
    for name, request in requests.items():
        body = body_of(model, request)
        if not budget.fits(worst := worst_case(body), model.price):
            budget.full = True
            break
        budget.add(worst, model.price)
        line = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
        text = json.dumps(line, ensure_ascii=False) + "\n"
        if lines and (len(lines) == MOST_REQUESTS or size + len(text.encode()) > MOST_BYTES):
            yield lines
            lines, size = {}, 0
        lines[name] = text
        size += len(text.encode())
    if lines:
        yield lines


def submit(model: Model, lines: Mapping[str, str]) -> str:
    """Hand the server a batch; returns its name for it. Raises BackendError where it refuses."""

    async def send() -> str:
        async with open_client(model, model.timeout) as client:
            with errors_of(client, model):
                stream = io.BytesIO("".join(lines.values()).encode())
                file = await client.files.create(file=("batch.jsonl", stream), purpose="batch")
                asked = {
                    "input_file_id": _name_of(model, {"id": getattr(file, "id", None)}),
                    "endpoint": "/v1/chat/completions",
                    "completion_window": "24h",
                }
                return _name_of(model, await client.post("/batches", cast_to=object, body=asked))

    return apart(send)


def collect(model: Model, name: str) -> Collected:
    """What has become of a batch. Its replies come in any order, and some may be missing."""

    async def fetch() -> Collected:
        async with open_client(model, model.timeout) as client:
            with errors_of(client, model):
                batch = await client.get(f"/batches/{quote(name, safe='')}", cast_to=object)
                match batch:
                    case {"status": str(status)} if status in _ENDED:
                        pass
                    case {"status": str(status), **more}:
                        return Collected(status, *_counts(more.get("request_counts")), None)
                    case _:
                        raise TransientError(f"{model.name}: no batch came back", "unreadable")
                replies: dict[str, Reply | BackendError] = {}
                files = (batch.get(key) for key in ("output_file_id", "error_file_id"))
                for file in (file for file in files if file and isinstance(file, str)):
                    content = await client.files.content(file)
                    replies |= dict(_read(model, content.text))
            done, total = _counts(batch.get("request_counts"))
            if done and not replies:  # what is paid for is not given up for a page that says so
                said = f"{model.name}: {done} replies are done, and none of them can be read"
                raise TransientError(said, "unreadable")
            return Collected(status, done, total, replies)

    return apart(fetch)


def _name_of(model: Model, made: object) -> str:
    """The server's name for what it has made; raises TransientError where it has none."""
    match made:
        case {"id": str(name)} if name:
            return name
    raise TransientError(f"{model.name}: the server gives no name to what it took", "unreadable")


def _counts(said: object) -> tuple[int, int]:
    """How many requests are done, of how many; 0 where that is not said."""
    match said:
        case {"completed": int(done), "total": int(total)}:
            return done, total
    return 0, 0


def _read(model: Model, text: str) -> Iterator[tuple[str, Reply | BackendError]]:
    for line in text.split("\n"):  # a text may hold other ends of line, which are no end here
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # a line cut short: its request counts as missing
        match row:
            case {"custom_id": str(name), "response": {"status_code": 200, "body": dict(body)}}:
                yield name, _reply(model, body)
            case {"custom_id": str(name)}:
                yield name, BackendError(f"{model.name}: {_why(row, model)}")


def _reply(model: Model, body: dict[str, Any]) -> Reply | BackendError:
    match body:
        case {"choices": [{"message": message} as choice, *_]} if is_message(message):
            text, thinking, finish = text_of(choice, Request(()), model.decoding.stop)
            thought = thinking_tokens_of(body)
            return Reply((text,), (finish,), usage_of(body), (), (thinking,), thought)
    return BackendError(f"{model.name}: the reply is no chat completion")


def _why(row: dict[str, Any], model: Model) -> str:
    match row:
        case {"error": said} if said:
            pass
        case {"response": {"body": said}} if said:
            pass
        case _:
            said = "no reason given"
    return told(json.dumps(said, ensure_ascii=False), model)
