"""Conversations with a server, as many at once as it bears."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
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
from arena.backends.openai.asking import hold, read, score
from arena.backends.openai.calls import availability
from arena.backends.openai.dialect import Dialect
from arena.backends.openai.running import END, Caller, ServerRun
from arena.backends.openai.streaming import stream
from arena.records import Model
from arena.records.errors import UnavailableError

MOST_AT_ONCE = 256

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
        return self._all(hold, requests, intake or Intake())

    def stream(self, request: Request) -> Iterator[Reply]:
        """As the server sends it."""
        return stream(self._spec, request, self._dialect)

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """One token with its most likely alternatives; needs a server that returns logprobs."""
        return self._all(read, requests, intake or Intake())

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """Echoed completions with log-probabilities; hosted chat models have none."""
        return self._all(score, requests, intake or Intake())

    def window(self) -> int | None:
        """As it was set; servers do not agree on where to say it."""
        return self._spec.context_length

    def _all(
        self,
        ask: Callable[[Caller, In], Awaitable[Out]],
        items: Sequence[In],
        intake: Intake,
    ) -> Iterator[Result[Out]]:
        """Run `ask` over the items on an event loop of its own thread, yielding as they end."""
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        ask_one = partial(_each, ask, items)
        work = ServerRun(self._spec, self._limits, self._dialect, ask_one, intake, results)
        thread = threading.Thread(target=lambda: asyncio.run(work.run(len(items))), daemon=True)
        thread.start()
        try:
            ended = False
            while not ended:
                here = [results.get()]
                while not results.empty() and len(here) < MOST_AT_ONCE:
                    here.append(results.get_nowait())
                ended = here[-1] is END
                if found := [item for item in here if isinstance(item, tuple)]:
                    yield found
                if error := next((i for i in here if isinstance(i, BaseException)), None):
                    raise error
        finally:
            work.abandon()
            thread.join()


def _each(
    ask: Callable[[Caller, In], Awaitable[Out]],
    items: Sequence[In],
    caller: Caller,
    index: int,
) -> Awaitable[Out]:
    return ask(caller, items[index])
