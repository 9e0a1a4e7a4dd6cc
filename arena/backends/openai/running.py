"""One run over a list of work on a server, and the calls that it makes."""

import asyncio
import queue
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from arena.backends.base import Intake, Odds, Reply, TextOdds
from arena.backends.limits import Limits
from arena.backends.openai.calls import complete, open_client, token_of
from arena.backends.openai.dialect import Dialect
from arena.backends.openai.messages import thinking_tokens_of, usage_of, worst_case
from arena.backends.openai.streaming import streamed
from arena.backends.openai.traffic import Lanes, Pace, back_off, rest
from arena.records import Model, Usage
from arena.records.errors import BackendError, TransientError, UnavailableError

TRIES = 6
LEAST_BLOCK = 8
END = None  # the last of the results


class ServerRun:
    """One run over a list of work: draws it, keeps to the limits, and puts results out."""

    def __init__(
        self,
        model: Model,
        limits: Limits,
        dialect: Dialect,
        ask: Callable[["Caller", int], Awaitable[Reply | Odds | TextOdds]],
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
        self.tokens: dict[str, int | None] = {}
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
            self._results.put(END)

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
            self._results.put((index, await self._ask(Caller(self, client), index)))
        except UnavailableError as error:  # no more is begun; what is in flight may be answered
            self._fatal = self._fatal or error
            self._intake.close(str(error))
        except LeftError:
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
class Caller:
    """Makes the calls of one conversation, counting what they take and what went wrong."""

    work: ServerRun
    client: Any
    started: float = field(default_factory=time.perf_counter)
    read: int = 0
    written: int = 0
    thought: int | None = 0
    first_token: float | None = None
    retried: list[str] = field(default_factory=list)
    adjustments: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model that is asked."""
        return self.work.model

    @property
    def usage(self) -> Usage:
        """What the calls took so far."""
        return Usage(self.read, self.written, time.perf_counter() - self.started)

    async def complete(self, **body: Any) -> dict[str, Any]:
        """The first choice of a completion, tried again while its faults are transient."""
        for attempt in range(TRIES):
            try:
                choice = await self.work.dialect.put(body, self._try)
                self.adjustments |= self.work.dialect.adjustments(body)
                return choice
            except TransientError as error:
                if attempt + 1 == TRIES:
                    if error.kind == "connection" and not self.work.has_answered:
                        raise UnavailableError(str(error)) from error
                    raise
                self.retried.append(error.kind)
                await self.wait(max(error.wait, back_off(attempt)))
        raise AssertionError

    async def token_of(self, word: str) -> int | None:
        """The token that a word is to the server, asked for once in a run; None if it has none."""
        known = self.work.tokens
        if word not in known:
            known[word] = await token_of(self.client, self.model, word)
        return known[word]

    async def wait(self, seconds: float) -> None:
        """Wait without a permit, so that others go on; raises LeftError where the run ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        self.work.lanes.leave()
        try:
            await rest(lambda: end, loop.time, self.work.ended)
        finally:
            await self.work.lanes.enter()
        if self.work.ended():
            raise LeftError

    async def _try(self, body: dict[str, Any]) -> dict[str, Any]:
        worst = worst_case(body)
        if not (
            await self.work.requests_pace.take()
            and await self.work.tokens_pace.take(worst.prompt_tokens)
            and await self.work.afford(worst)
        ):
            raise LeftError
        started, used = asyncio.get_running_loop().time(), Usage()
        try:
            reply, first = await self._put(body)
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
        self.first_token = first if self.first_token is None else self.first_token
        self.read += used.prompt_tokens
        self.written += used.completion_tokens
        choice: dict[str, Any] = reply["choices"][0]
        thought = thinking_tokens_of(reply)
        known = thought is not None and self.thought is not None
        self.thought = (self.thought or 0) + (thought or 0) if known else None
        return choice

    async def _put(self, body: dict[str, Any]) -> tuple[dict[str, Any], float | None]:
        """A completion, and the seconds until its first token where it was streamed."""
        if body.get("stream"):
            return await streamed(self.client, self.model, body, self.work.dialect)
        return await complete(self.client, self.model, body), None


class LeftError(BackendError):
    """The run ends before this call: it was told to, or its budget has no room for it."""
