"""Conversations with a server, as many at once as it bears."""

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from arena.backends.base import (
    Backend,
    Intake,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    TextOdds,
    TextRequest,
)
from arena.backends.limits import Limits
from arena.backends.openai.calls import availability, complete, open_client
from arena.backends.openai.dialect import Dialect
from arena.backends.openai.messages import (
    GOES_ON,
    decoding,
    first_alternatives,
    odds_settings,
    opening,
    option_logprobs,
    text_odds,
    text_of,
    thinking_tokens_of,
    usage_of,
    worst_case,
)
from arena.backends.openai.streaming import stream
from arena.backends.openai.traffic import Lanes, Pace, back_off, rest
from arena.backends.thinking import split
from arena.errors import BackendError, NoLikelihoodError, TransientError, UnavailableError
from arena.records import Model, Usage

TRIES = 6
TRYING_SECONDS = 0.05
TOP_LOGPROBS = 20
LEAST_BLOCK, MOST_AT_ONCE = 8, 256
_END = None

In = TypeVar("In", Request, OddsRequest, TextRequest)
Out = TypeVar("Out", Reply, Odds, TextOdds)


class OpenAIBackend(Backend):
    """Chat completions. What is transient is tried again, what is not fails at once."""

    def __init__(self, model: Model, limits: Limits | None = None) -> None:
        self._spec = model
        self._limits = limits or Limits()
        self._dialect = Dialect(model)

    @property
    def notes(self) -> tuple[str, ...]:
        """What this server does not take, as far as it came up."""
        return tuple(self._dialect.notes)

    def start(self) -> None:
        """Ask for the server's models, so that a wrong address or key is said at once."""
        state = availability(self._spec)
        if not state.ready:
            raise UnavailableError(state.detail)

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """Each conversation is a task of its own; results come in the order they finish."""
        return self._all(_hold, requests, intake or Intake())

    def stream(self, request: Request) -> Iterator[Reply]:
        """As the server sends it."""
        return stream(self._spec, request, self._dialect)

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """One token with its most likely alternatives; needs a server that returns logprobs."""
        return self._all(_read, requests, intake or Intake())

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """Echoed completions with log-probabilities; hosted chat models have none."""
        return self._all(_score, requests, intake or Intake())

    def window(self) -> int | None:
        """As it was set; servers do not agree on where to say it."""
        return self._spec.context_length

    def _all(
        self,
        ask: Callable[["_Caller", In], Awaitable[Out]],
        items: Sequence[In],
        intake: Intake,
    ) -> Iterator[Result[Out]]:
        """Run `ask` over the items on an event loop of its own thread, yielding as they end."""
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        ask_one = partial(_each, ask, items)
        work = _Work(self._spec, self._limits, self._dialect, ask_one, intake, results)
        thread = threading.Thread(target=lambda: asyncio.run(work.run(len(items))), daemon=True)
        thread.start()
        try:
            ended = False
            while not ended:
                here = [results.get()]
                while not results.empty() and len(here) < MOST_AT_ONCE:
                    here.append(results.get_nowait())
                ended = here[-1] is _END
                if found := [item for item in here if isinstance(item, tuple)]:
                    yield found
                if error := next((i for i in here if isinstance(i, BaseException)), None):
                    raise error
        finally:
            work.abandon()
            thread.join()


def _each(
    ask: Callable[["_Caller", In], Awaitable[Out]],
    items: Sequence[In],
    caller: "_Caller",
    index: int,
) -> Awaitable[Out]:
    return ask(caller, items[index])


class _Work:
    """One run over a list of work: draws it, keeps to the limits, and puts results out."""

    def __init__(
        self,
        model: Model,
        limits: Limits,
        dialect: Dialect,
        ask: Callable[["_Caller", int], Awaitable[Reply | Odds | TextOdds]],
        intake: Intake,
        results: "queue.SimpleQueue[Any]",
    ) -> None:
        self.model = model
        self.limits = limits
        self.dialect = dialect
        self._ask = ask
        self._intake = intake
        self._results = results
        self._abandon: Callable[[], object] | None = None
        self._reserved = 0
        self._fatal: UnavailableError | None = None
        self.trying = False
        self.has_answered = False

    def ended(self) -> bool:
        """Whether no more is to begin; what waits for another try is left then."""
        return bool(self._intake.closed)

    def abandon(self) -> None:
        """Stop now: nobody takes the results any more. After the end it does nothing."""
        if self._abandon:
            self._abandon()

    async def run(self, count: int) -> None:
        """Ask for all that is admitted; an error of the work itself ends it."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._abandon = partial(loop.call_soon_threadsafe, task.cancel)
        self.lanes = Lanes(self.limits.concurrency, ended=self.ended)
        self.requests_pace = Pace(self.limits.requests_per_minute, self.ended)
        self.tokens_pace = Pace(self.limits.tokens_per_minute, self.ended)
        try:
            async with (
                open_client(self.model, self.model.timeout) as client,
                asyncio.TaskGroup() as group,
            ):
                async for index in self._admitted(count):
                    group.create_task(self._one(client, index))
            if self._fatal:
                raise self._fatal
        except BaseExceptionGroup as group_error:
            self._results.put(group_error.exceptions[0])
        except asyncio.CancelledError:
            pass
        except Exception as error:  # the thread's edge: it is raised again where results are read
            self._results.put(error)
        finally:
            self._abandon = None
            self._results.put(_END)

    async def _admitted(self, count: int) -> Any:
        """Positions that may begin, each with a permit; admitted in blocks, for each has a cost."""
        start = 0
        while start < count:
            block = range(start, min(count, start + max(LEAST_BLOCK, self.lanes.open)))
            start = block.stop
            for index in self._intake.admit(block):
                await self.lanes.enter()
                if self.ended():
                    self.lanes.leave()
                    return
                yield index

    async def _one(self, client: Any, index: int) -> None:
        try:
            self._results.put((index, await self._ask(_Caller(self, client), index)))
        except UnavailableError as error:  # no more is begun; what is in flight may be answered
            self._fatal = self._fatal or error
            self._intake.close(str(error))
        except _LeftError:
            pass  # for another run
        except BackendError as error:
            self._results.put((index, error))
        finally:
            self.lanes.leave()

    async def afford(self, worst: Usage) -> bool:
        """Reserve a call's worst case, waiting for what others' calls leave over."""
        budget = self.limits.budget
        while budget.bounded and not budget.fits(worst, self.model.price):
            if not self._reserved:
                self._intake.close(f"the next call could pass the budget of {budget}")
            if self.ended():
                return False
            await asyncio.sleep(0.01)
        self._reserved += 1
        budget.add(worst, self.model.price)
        return True

    def settle(self, worst: Usage, really: Usage) -> None:
        """Count what a call took in place of its worst case."""
        self._reserved -= 1
        self.limits.budget.add(worst, self.model.price, -1)
        self.limits.budget.add(really, self.model.price)


@dataclass
class _Caller:
    """Makes the calls of one conversation, counting what they take and what went wrong."""

    work: _Work
    client: Any
    started: float = field(default_factory=time.perf_counter)
    read: int = 0
    written: int = 0
    thought: int | None = 0
    retried: list[str] = field(default_factory=list)

    @property
    def model(self) -> Model:
        return self.work.model

    @property
    def usage(self) -> Usage:
        return Usage(self.read, self.written, time.perf_counter() - self.started)

    async def complete(self, **body: Any) -> dict[str, Any]:
        """The first choice of a completion, tried again while its faults are transient."""
        for attempt in range(TRIES):
            try:
                return await self.work.dialect.put(body, self._try)
            except TransientError as error:
                if attempt + 1 == TRIES:
                    if error.kind == "connection" and not self.work.has_answered:
                        raise UnavailableError(str(error)) from error
                    raise
                self.retried.append(error.kind)
                await self.wait(max(error.wait, back_off(attempt)))
        raise AssertionError

    async def wait(self, seconds: float) -> None:
        """Wait without a permit, so that others go on; raises _LeftError where the run ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        self.work.lanes.leave()
        try:
            await rest(lambda: end, loop.time, self.work.ended)
        finally:
            await self.work.lanes.enter()
        if self.work.ended():
            raise _LeftError

    async def _try(self, body: dict[str, Any]) -> dict[str, Any]:
        worst = worst_case(body)
        if not (
            await self.work.requests_pace.take()
            and await self.work.tokens_pace.take(worst.prompt_tokens)
            and await self.work.afford(worst)
        ):
            raise _LeftError
        started, used = asyncio.get_running_loop().time(), Usage()
        try:
            reply = await complete(self.client, self.model, body)
            used = usage_of(reply)
            self.work.has_answered = True
            self.work.lanes.answered(started)
        except TransientError as error:
            if error.kind in ("rate limit", "time-out"):
                self.work.lanes.refused(started, error.wait)
            raise
        finally:
            self.work.settle(worst, used)
            taken = used.prompt_tokens + used.completion_tokens
            self.work.tokens_pace.correct(taken - worst.prompt_tokens)
        self.read += used.prompt_tokens
        self.written += used.completion_tokens
        choice: dict[str, Any] = reply["choices"][0]
        thought = thinking_tokens_of(reply)
        known = thought is not None and self.thought is not None
        self.thought = (self.thought or 0) + (thought or 0) if known else None
        return choice


class _LeftError(BackendError):
    """The run ends before this call: it was told to, or its budget has no room for it."""


async def _hold(caller: _Caller, request: Request) -> Reply:
    """All turns, and the follow-up, without which what was answered still stands."""
    if request.prefill:
        raise UnavailableError(_no_prefill(caller.model))
    messages = opening(caller.model, request)
    texts, thinking, finishes = [], [], []
    turns: list[str] = list(request.turns)
    for turn, text in enumerate(turns):
        messages.append({"role": "user", "content": text})
        try:
            asked = {"prompt": text} if request.plain else {"messages": messages}
            settings = decoding(caller.model, request.seed + turn, request.schema, request.stop)
            choice = await caller.complete(**asked, **settings)
        except BackendError:
            if turn < len(request.turns):
                raise
            break
        text, thought, finish = text_of(choice, request, caller.model.decoding.stop)
        texts.append(text)
        thinking.append(thought)
        finishes.append(finish)
        messages.append({"role": "assistant", "content": split(text).answer})
        if turn + 1 == len(request.turns) and request.follow_up:
            more = request.follow_up(text, finish)
            turns += [] if more is None else [more]
    return Reply(
        tuple(texts),
        tuple(finishes),
        caller.usage,
        tuple(caller.retried),
        tuple(thinking),
        caller.thought,
    )


async def _read(caller: _Caller, request: OddsRequest) -> Odds:
    messages = [*opening(caller.model), {"role": "user", "content": request.text}]
    goes_on: dict[str, Any] = {}
    if request.prefill:
        messages.append({"role": "assistant", "content": request.prefill})
        if not await _continues(caller, messages):
            raise UnavailableError(
                f"{_no_prefill(caller.model)}; leave `prefill` out of the judge card"
            )
        goes_on = GOES_ON
    choice = await caller.complete(
        messages=messages,
        logprobs=True,
        top_logprobs=TOP_LOGPROBS,
        **odds_settings(caller.model),
        **goes_on,
    )
    logprobs = option_logprobs(first_alternatives(choice), request.options)
    if logprobs is not None:
        return Odds(logprobs, caller.usage, tuple(caller.retried))
    raise BackendError(
        f"{caller.model.name}: the server returned no log-probabilities that can be read; "
        "use a judge card with `reading: reasoned`"
    )


async def _continues(caller: _Caller, messages: list[dict[str, str]]) -> bool:
    """Whether the server goes on from a begun reply: tried once, for servers pass over fields.

    One that goes on reads fewer tokens than where it ends the reply and begins another.
    """
    work, dialect = caller.work, caller.work.dialect
    while dialect.continues is None and work.trying:
        await caller.wait(TRYING_SECONDS)  # without a permit: who tries may need it
    if dialect.continues is not None:
        return dialect.continues
    work.trying, settings = True, odds_settings(caller.model)
    try:
        await caller.complete(messages=messages, **settings, **GOES_ON)
        first = caller.read
        await caller.complete(messages=messages, **settings)
        dialect.continues = 0 < first < caller.read - first
    except (TransientError, UnavailableError, _LeftError):
        raise
    except BackendError:
        dialect.continues = False
    finally:
        work.trying = False
    return dialect.continues


async def _score(caller: _Caller, request: TextRequest) -> TextOdds:
    if request.before:
        raise NoLikelihoodError(f"{caller.model.name}: {_NO_LIKELIHOOD} inside a conversation")
    try:
        # One token more is written, because some servers refuse to write none.
        choice = await caller.complete(
            prompt=request.context + request.text,
            max_tokens=1,
            temperature=0,
            logprobs=1,
            echo=True,
        )
    except (UnavailableError, BackendError) as error:
        if isinstance(error, TransientError) or caller.work.has_answered:
            raise
        raise NoLikelihoodError(f"{caller.model.name}: {_NO_LIKELIHOOD} ({error})") from error
    odds = text_odds(choice, request, usage=caller.usage, retried=tuple(caller.retried))
    if odds is None:
        raise NoLikelihoodError(f"{caller.model.name}: {_NO_LIKELIHOOD}")
    return odds


_NO_LIKELIHOOD = "this server does not tell how likely a given text is"


def _no_prefill(model: Model) -> str:
    return f"{model.name}: a server cannot go on from a begun reply"
