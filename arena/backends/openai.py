"""Any OpenAI-compatible server, through the official client: many calls in flight at once."""

import asyncio
import os
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import partial
from math import exp, log
from typing import Any, TypeVar
from urllib.parse import urlsplit

from arena.backends.base import Availability, Backend, Odds, OddsRequest, Reply, Request, Result
from arena.errors import BackendError, TransientError, UnavailableError
from arena.records import Model, Usage

CONCURRENCY = 16
MAX_RETRIES = 5
TOP_LOGPROBS = 20
_PREFLIGHT_SECONDS = 10.0
_END = None

In = TypeVar("In")
Out = TypeVar("Out")


class OpenAIBackend(Backend):
    """Chat completions. The client itself retries what is transient and honours Retry-After."""

    def __init__(self, model: Model, concurrency: int = CONCURRENCY) -> None:
        self._spec = model
        self._concurrency = concurrency

    def start(self) -> None:
        """Ask for the server's models, so that a wrong address or key is said at once."""
        state = availability(self._spec)
        if not state.ready:
            raise UnavailableError(state.detail)

    def converse(
        self, requests: Sequence[Request], done: Collection[int] = ()
    ) -> Iterator[Result[Reply]]:
        """Each conversation is a task of its own; results come in the order they finish."""
        return self._all(self._hold, requests, done)

    def odds(
        self, requests: Sequence[OddsRequest], done: Collection[int] = ()
    ) -> Iterator[Result[Odds]]:
        """One token with its most likely alternatives; needs a server that returns logprobs."""
        return self._all(self._read, requests, done)

    def _all(
        self, ask: Callable[[Any, In], Awaitable[Out]], items: Sequence[In], done: Collection[int]
    ) -> Iterator[Result[Out]]:
        """Run `ask` over the items on an event loop of its own thread, yielding as they end."""
        finished = set(done)
        todo = [(index, item) for index, item in enumerate(items) if index not in finished]
        if not todo:
            return
        results: queue.Queue[tuple[int, Out | BackendError] | BaseException | None] = queue.Queue()
        stop = threading.Event()
        work = partial(self._work, ask, todo, results, stop)
        thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
        thread.start()
        try:
            while (item := results.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield [item]
        finally:
            stop.set()
            thread.join()

    async def _work(
        self,
        ask: Callable[[Any, In], Awaitable[Out]],
        todo: Sequence[tuple[int, In]],
        results: queue.Queue[Any],
        stop: threading.Event,
    ) -> None:
        """A few workers draw from one iterator; an error of the worker itself ends the run."""
        pending = iter(todo)

        async def worker(client: Any) -> None:
            for index, item in pending:
                if stop.is_set():
                    return
                try:
                    results.put((index, await ask(client, item)))
                except UnavailableError:
                    raise
                except BackendError as error:
                    results.put((index, error))

        try:
            async with _client(self._spec, MAX_RETRIES, self._spec.timeout) as client:
                workers = min(self._concurrency, len(todo))
                async with asyncio.TaskGroup() as group:
                    for _ in range(workers):
                        group.create_task(worker(client))
        except BaseExceptionGroup as group_error:
            results.put(group_error.exceptions[0])
        except Exception as error:  # the worker's edge: it is raised again where results are read
            results.put(error)
        finally:
            results.put(_END)

    async def _hold(self, client: Any, request: Request) -> Reply:
        started = time.perf_counter()
        system = self._spec.decoding.system
        messages = [{"role": "system", "content": system}] if system else []
        texts, finishes, read, written = [], [], 0, 0
        for turn, text in enumerate(request.turns):
            messages.append({"role": "user", "content": text})
            completion = await self._complete(client, messages, request.seed + turn)
            choice = completion.choices[0]
            texts.append((choice.message.content or "").strip())
            finishes.append(choice.finish_reason or "stop")
            messages.append({"role": "assistant", "content": texts[-1]})
            if completion.usage:
                read += completion.usage.prompt_tokens
                written += completion.usage.completion_tokens
        usage = Usage(read, written, time.perf_counter() - started)
        return Reply(tuple(texts), tuple(finishes), usage)

    async def _complete(self, client: Any, messages: list[dict[str, str]], seed: int) -> Any:
        decoding = self._spec.decoding
        return await _call(
            client,
            self._spec,
            messages=messages,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            max_tokens=decoding.max_tokens,
            seed=seed % 2**31,
        )

    async def _read(self, client: Any, request: OddsRequest) -> Odds:
        if request.prefill:
            raise UnavailableError(
                f"{self._spec.name}: a server cannot go on from a begun reply; "
                "leave `prefill` out of the judge card"
            )
        started = time.perf_counter()
        system = self._spec.decoding.system
        messages = [{"role": "system", "content": system}] if system else []
        completion = await _call(
            client,
            self._spec,
            messages=[*messages, {"role": "user", "content": request.text}],
            temperature=0,
            max_tokens=1,
            logprobs=True,
            top_logprobs=TOP_LOGPROBS,
        )
        content = completion.choices[0].logprobs
        if not content or not content.content:
            raise BackendError(
                f"{self._spec.name}: the server returned no log-probabilities; "
                "use a judge card with `reading: reasoned`"
            )
        usage = completion.usage
        return Odds(
            _option_logprobs(content.content[0].top_logprobs, request.options),
            Usage(usage.prompt_tokens if usage else 0, 1, time.perf_counter() - started),
        )


def open_backend(model: Model) -> OpenAIBackend:
    """A backend on the server that `model` names."""
    return OpenAIBackend(model)


def availability(model: Model) -> Availability:
    """Whether the key is set and the address answers: one cheap call, without retries."""
    from openai import APIConnectionError, APIStatusError

    async def ask() -> Availability:
        async with _client(model, 0, _PREFLIGHT_SECONDS) as client:
            where = urlsplit(str(client.base_url)).netloc
            try:
                served = [entry.id async for entry in await client.models.list()]
            except APIConnectionError:
                return Availability(False, f"{model.name}: no server answers at {client.base_url}")
            except APIStatusError as error:
                refused = error.status_code in (401, 403)
                detail = f"{where} answers ({error.status_code})"
                return Availability(not refused, f"{model.name}: {detail}" if refused else detail)
        if served and model.weights not in served:
            return Availability(True, f"{where} answers, but lists {', '.join(served[:3])}")
        return Availability(True, f"{where} answers")

    try:
        return asyncio.run(ask())
    except UnavailableError as error:
        return Availability(False, str(error))


def _client(model: Model, retries: int, timeout: float) -> Any:
    from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

    try:
        return AsyncOpenAI(
            base_url=model.base_url,
            api_key=_api_key(model),
            max_retries=retries,
            timeout=timeout,
            http_client=DefaultAioHttpClient(),
        )
    except OpenAIError as error:
        raise UnavailableError(
            f"{model.name}: set OPENAI_API_KEY, or api_key_env in arena.yaml, "
            "or name a server: openai:NAME@URL"
        ) from error


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


async def _call(client: Any, model: Model, **arguments: Any) -> Any:
    """One chat completion, its errors turned into ours."""
    import openai

    try:
        completion = await client.chat.completions.create(model=model.weights, **arguments)
    except (openai.APITimeoutError, openai.RateLimitError, openai.InternalServerError) as error:
        raise TransientError(f"{model.name}: {_short(error)}") from error
    except openai.APIConnectionError as error:
        raise UnavailableError(f"{model.name}: no server answers at {client.base_url}") from error
    except (
        openai.AuthenticationError,
        openai.PermissionDeniedError,
        openai.NotFoundError,
    ) as error:
        raise UnavailableError(f"{model.name}: {_short(error)}") from error
    except openai.OpenAIError as error:
        raise BackendError(f"{model.name}: {_short(error)}") from error
    except ValueError as error:  # a body that is not JSON
        raise TransientError(f"{model.name}: unreadable reply ({_short(error)})") from error
    # The client builds its types without checking them, so anything may be in their place.
    choices = getattr(completion, "choices", None)
    if not choices or not hasattr(getattr(choices[0], "message", None), "content"):
        raise TransientError(f"{model.name}: the reply is no chat completion")
    return completion


def _short(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


def _option_logprobs(alternatives: Sequence[Any], options: Sequence[str]) -> tuple[float, ...]:
    """The probability of each option: all alternatives that are it but for space around it.

    A server lists only the likeliest words; an option that it leaves out is at most as
    likely as the last one listed, and that bound stands for it.
    """
    floor = min((alternative.logprob for alternative in alternatives), default=0.0)
    mass = dict.fromkeys(options, 0.0)
    for alternative in alternatives:
        word = alternative.token.strip()
        if word in mass:
            mass[word] += exp(alternative.logprob)
    return tuple(log(mass[option]) if mass[option] > 0 else floor for option in options)
