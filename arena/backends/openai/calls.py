"""One call to a server: the client, its key, and its errors turned into ours."""

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from arena.backends.base import Availability
from arena.backends.openai.dialect import REFUSES_SYSTEM, SettingRefusedError
from arena.backends.openai.messages import is_message, storable
from arena.records import Model, NoAnswer
from arena.records.errors import BackendError, NoAnswerError, TransientError, UnavailableError

T = TypeVar("T")
# OpenAI's servers repeat a refused key, its middle blotted out.
_KEY = re.compile(r"\b(?:sk|pk|gsk|xai)-[\w*.-]{4,}")
# How Azure and DashScope say that they do not let a prompt through.
_FILTER = re.compile(r"content_filter|ResponsibleAIPolicyViolation|data_inspection_failed", re.I)
SHOWN = 300
PREFLIGHT_SECONDS = 10.0
NEVER_ASK_AGAIN_AFTER = 600.0
LONGEST_WAIT = 7 * 24 * 3600.0  # what is longer is no time to come back
PASSING = (408, 409, 425, 429)  # refusals that a later call may not meet; so are 5xx


def availability(model: Model) -> Availability:
    """Whether the key is set and the address answers: one cheap call, without retries."""
    from openai import APIConnectionError, APIStatusError

    async def ask() -> Availability:
        async with open_client(model, PREFLIGHT_SECONDS) as client:
            where = urlsplit(str(client.base_url)).netloc
            try:
                listed = await client.get("/models", cast_to=object)
            except APIConnectionError:
                return Availability(False, f"{model.name}: no server answers at {client.base_url}")
            except APIStatusError as error:
                refused = error.status_code in (401, 403)
                detail = f"{where} answers ({error.status_code})"
                return Availability(not refused, f"{model.name}: {detail}" if refused else detail)
            except (ValueError, RecursionError):
                listed = None
            served = _served(listed)
            if served is None:
                said = f"what answers at {client.base_url} is no model server"
                return Availability(False, f"{model.name}: {said}; an address often ends in /v1")
        if served and model.weights not in served:
            return Availability(True, f"{where} answers, but lists {', '.join(served[:3])}")
        return Availability(True, f"{where} answers")

    try:
        return apart(ask)
    except UnavailableError as error:
        return Availability(False, str(error))


def _served(listed: object) -> list[str] | None:
    """The names in a list of models, which may be bare (Together's); None where it is no list."""
    entries = listed
    if isinstance(listed, dict):
        entries = listed.get("data") or listed.get("models")
    found = [_name(entry) for entry in entries] if isinstance(entries, list) else []
    names = [name for name in found if name]
    return names if names or isinstance(listed, dict) else None


def _name(entry: object) -> str:
    """The name in an entry of a list of models, which servers put in one of three places."""
    if isinstance(entry, dict):
        return next((str(entry[key]) for key in ("id", "model", "name") if entry.get(key)), "")
    return entry if isinstance(entry, str) else ""


def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on an event loop of a thread of its own: a notebook has one running in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


def open_client(model: Model, timeout: float) -> Any:
    """The official client on its aiohttp transport; retries are ours (see `traffic`).

    It follows no server to another address: headers with keys would go along.
    """
    from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

    is_direct = _is_direct(model.base_url)
    if not is_direct:
        _check_proxies(model)
    try:
        return AsyncOpenAI(
            base_url=model.base_url,
            api_key=_api_key(model),
            default_headers=_headers(model),
            max_retries=0,
            timeout=timeout,
            http_client=DefaultAioHttpClient(trust_env=not is_direct, follow_redirects=False),
        )
    except OpenAIError as error:
        raise UnavailableError(
            f"{model.name}: set OPENAI_API_KEY, or api_key_env in arena.yaml, "
            "or name a server: openai:NAME@URL"
        ) from error


def _address(url: str | None) -> str:
    return url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com"


def _is_direct(url: str | None) -> bool:
    """Whether no proxy leads to an address: this machine's own, or one that NO_PROXY names."""
    host = urlsplit(_address(url)).hostname or ""
    with suppress(ValueError):
        if ip_address(host).is_loopback or ip_address(host).is_unspecified:
            return True
    is_here = host == "localhost" or host.endswith(".localhost")
    return is_here or bool(proxy_bypass(host))


def _check_proxies(model: Model) -> None:
    """Refuse a proxy of the environment that the client cannot be made with, or cannot use."""
    given = {key: value for key, value in getproxies_environment().items() if key != "no"}
    scheme = urlsplit(_address(model.base_url)).scheme
    used = next((key for key in (scheme, "all") if key in given), None)
    for key, value in given.items():
        try:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            usable = ("http", "https") if key == used else ("http", "https", "socks5", "socks5h")
            is_good = parts.scheme in usable and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_good = False
        if key in ("http", "https", "all") and not is_good:
            raise UnavailableError(
                f"{model.name}: {key.upper()}_PROXY names a proxy that cannot be used; it must be "
                "http://HOST:PORT or https://HOST:PORT, or be unset"
            )


def _api_key(model: Model) -> str | None:
    """The key that was named; a server named by address alone never gets OPENAI_API_KEY."""
    if model.api_key_env:
        key = os.environ.get(model.api_key_env)
        if not key:
            raise UnavailableError(
                f"{model.name}: the environment variable {model.api_key_env} is not set"
            )
        return key
    return "none" if model.base_url else None


def _headers(model: Model) -> dict[str, str]:
    """The headers that arena.yaml names, with their values from the environment."""
    found = {}
    for name, variable in model.extra_headers:
        if not (value := os.environ.get(variable)):
            raise UnavailableError(
                f"{model.name}: the environment variable {variable}, which the header {name} "
                "names, is not set"
            )
        found[name] = value
    return found


async def complete(client: Any, model: Model, body: dict[str, Any]) -> dict[str, Any]:
    """One completion, of a `prompt` or of `messages`, as the server's JSON with a text in it.

    The body is read without the client's types, which it fills in without checking and
    which cost half of a call's work.
    """
    path = "/completions" if "prompt" in body else "/chat/completions"
    with errors_of(client, model):
        async with asyncio.timeout(model.timeout):
            reply = await client.post(path, cast_to=object, body={"model": model.asked_as, **body})
        return checked(reply, model, body)


def checked(reply: Any, model: Model, body: dict[str, Any]) -> dict[str, Any]:
    """A reply that has the text that was asked for; raises TransientError for any other."""
    if isinstance(reply, str):  # the client parses only what is called JSON
        reply = json.loads(reply)
    match reply:
        case {"choices": [{"message": message}, *_]} if "messages" in body and is_message(message):
            return dict(reply)
        case {"choices": [{"text": str()}, *_]} if "prompt" in body:
            return dict(reply)
    said = reply.get("error") if isinstance(reply, dict) else None
    why = f" but an error: {told(str(said), model)}" if said else ""
    raise TransientError(f"{model.name}: the reply is no completion{why}", "unreadable")


async def token_of(client: Any, model: Model, word: str) -> int | None:
    """The token that a word is, as vLLM and llama.cpp tell it; None where it is not one."""
    place = f"{str(client.base_url).rstrip('/').removesuffix('/v1')}/tokenize"
    body = {
        "model": model.asked_as,
        "prompt": word,
        "content": word,
        "add_special_tokens": False,
    }
    try:
        with errors_of(client, model):
            async with asyncio.timeout(model.timeout):
                reply = await client.post(place, cast_to=object, body=body)
    except BackendError:
        return None
    match reply:
        case {"tokens": [int(token)]}:
            return token
    return None


@contextmanager
def errors_of(client: Any, model: Model) -> Iterator[None]:
    """Raise the client's errors as ours."""
    try:
        yield
    except Exception as error:
        if (ours := _ours(error, client, model)) is error:
            raise
        raise ours from error


def _ours(error: Exception, client: Any, model: Model) -> Exception:
    """The error of ours that stands for one of the client's; others are returned as they are."""
    import openai

    name, said = model.name, _short(error, model)
    # The transport calls a connection that the server dropped a time-out of connecting.
    dropped = type(error.__cause__).__name__ == "ConnectTimeout"
    match error:
        case openai.APITimeoutError() if dropped:
            return TransientError(f"{name}: the connection was lost", "connection")
        case TimeoutError() | openai.APITimeoutError():
            return TransientError(f"{name}: no reply within {model.timeout:g} s", "time-out")
        case openai.RateLimitError() if "insufficient_quota" in str(error.body):
            return UnavailableError(f"{name}: {said}")
        case openai.InternalServerError() if REFUSES_SYSTEM.search(said):  # SGLang says 500
            return SettingRefusedError(f"{name}: {said}", error.body)
        case openai.APIStatusError(status_code=code) if 300 <= code < 400:
            place = told(error.response.headers.get("location", "no address"), model)
            return UnavailableError(
                f"{name}: {client.base_url} sends this call on to {place}; if that is where it "
                "should go, set base_url to it"
            )
        case openai.APIStatusError(status_code=code) if code in PASSING or code >= 500:
            wait = _retry_after(error)
            if wait > NEVER_ASK_AGAIN_AFTER:
                return UnavailableError(f"{name}: {said}{_come_back(wait)}")
            kind = "rate limit" if code == 429 else "server error"
            return TransientError(f"{name}: {said}", kind, wait)
        case openai.APIConnectionError():
            return TransientError(f"{name}: no server answers at {client.base_url}", "connection")
        case openai.AuthenticationError() | openai.PermissionDeniedError() | openai.NotFoundError():
            return UnavailableError(f"{name}: {said}")
        case openai.APIStatusError(status_code=402):  # to be paid first
            return UnavailableError(f"{name}: {said}")
        case openai.APIStatusError(status_code=400) if _FILTER.search(f"{error.body}"):
            return NoAnswerError(f"{name}: {said}", NoAnswer.FILTER)
        case openai.APIError() if type(error) is openai.APIError:  # in the middle of a stream
            return TransientError(f"{name}: {said}", "server error")
        case openai.OpenAIError():
            return SettingRefusedError(f"{name}: {said}", getattr(error, "body", None))
        case ValueError() | RecursionError():  # a body that is not JSON
            return TransientError(f"{name}: unreadable reply ({said})", "unreadable")
    return error


def _come_back(wait: float) -> str:
    return f"; come back in {wait / 60:.0f} minutes" if wait < LONGEST_WAIT else ""


def _retry_after(error: Any) -> float:
    """Seconds to wait, as the server's headers have them; 0 where they have none.

    RFC 9110 allows a number of seconds or a date; the header in milliseconds is OpenAI's.
    """
    headers = error.response.headers
    for header, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        said = headers.get(header, "")
        with suppress(ValueError):
            return max(0.0, float(said) * unit)
        with suppress(ValueError):
            return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    return 0.0


def _short(error: Exception, model: Model) -> str:
    """The beginning of what the server says, without a key."""
    return told(str(error), model) or type(error).__name__


def told(text: str, model: Model) -> str:
    """The beginning of a server's text on one line, without a key."""
    text = " ".join(storable(text).split())
    names = (model.api_key_env, "OPENAI_API_KEY", *(name for _, name in model.extra_headers))
    for secret in {os.environ.get(name) for name in names if name}:
        text = text.replace(secret, "…") if secret else text
    return _KEY.sub("…", text)[:SHOWN]
