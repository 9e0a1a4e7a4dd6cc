"""A model that vLLM runs in this process, asked in the tokens that transformers would get."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arena.backends.base import (
    Backend,
    Intake,
    Message,
    Odds,
    OddsRequest,
    Result,
    RewardRequest,
    Rewards,
    TextOdds,
    TextRequest,
)
from arena.backends.local import likelihood
from arena.backends.local.backend import LocalBackend, first_tokens, refused
from arena.backends.vllm.engine import Engine, Read, Which, engine, is_started
from arena.records import Model, Usage
from arena.records.errors import BackendError

# Logarithms of probabilities with their ranks, or why there are none; then the seconds it took.
Numbers = list[tuple[float, int]] | BackendError
Found = tuple[int, Numbers, float]
WAVE = 512  # requests that are handed to the engine and stored together


class VllmBackend(LocalBackend):
    """As `LocalBackend`, but that vLLM writes and reads; which texts are together is its affair."""

    def __init__(self, model: Model) -> None:
        super().__init__(model, batch_rows=WAVE // 4)
        self._which = Which(
            model.weights, model.revision, model.context_length, model.gpus, model.adapter
        )

    @property
    def starting(self) -> str:
        """Starting the engine takes long; one that was started already is had at once."""
        return "" if is_started(self._which) else f"starting vLLM on {self._spec.weights}"

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """Requests of like beginnings together; the engine reads what they share once."""
        intake = intake or Intake()
        asked = [self._asked(request) for request in requests]
        yield from refused(asked, intake)
        fit = {i: one for i, one in enumerate(asked) if isinstance(one, _Asked)}
        for read in self._told({i: one.read for i, one in fit.items()}, intake):
            yield [(i, _odds(fit[i], found, seconds)) for i, found, seconds in read]

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """Each text after its context, as the engine reads a prompt."""
        intake = intake or Intake()
        scored = [self._scored(request) for request in requests]
        yield from refused(scored, intake)
        fit = {i: one for i, one in enumerate(scored) if isinstance(one, likelihood.Scored)}
        rows = {i: Read(one.context + one.text, (), len(one.text)) for i, one in fit.items()}
        for read in self._told(rows, intake):
            yield [(i, _text_odds(fit[i], found, seconds)) for i, found, seconds in read]

    def rewards(
        self, requests: Sequence[RewardRequest], intake: Intake | None = None
    ) -> Iterator[Result[Rewards]]:
        """Not here: the engine is started for writing."""
        return Backend.rewards(self, requests, intake)

    def _told(self, rows: Mapping[int, Read], intake: Intake) -> Iterator[list[Found]]:
        """Wave by wave what the engine says of rows that may be read."""
        order = sorted(rows, key=lambda i: rows[i].tokens)
        for start in range(0, len(order), WAVE):
            if not (todo := intake.admit(order[start : start + WAVE])):
                continue
            started = time.perf_counter()
            found = self._loaded().read([rows[i] for i in todo])
            seconds = (time.perf_counter() - started) / len(todo)
            yield [(i, one, seconds) for i, one in zip(todo, found, strict=True)]

    def _asked(self, request: OddsRequest) -> "_Asked | BackendError":
        tokens = self._tried(Message("user", request.text), prefill=request.prefill)
        if isinstance(tokens, BackendError):
            return tokens
        try:
            heads = [first_tokens(self._loaded().tokenizer, word) for word in request.options]
        except BackendError as error:
            return error
        wanted = tuple(sorted({token for head in heads for token in head}))
        return _Asked(Read(tokens, wanted), heads)

    def _noted(self) -> Iterator[str]:
        yield from super()._noted()
        if self._spec.decoding.thinking_budget is not None:
            yield "vLLM's engine does not hold thinking to a budget."

    def _here(self) -> Engine:  # type: ignore[override]
        return engine(self._which)

    def _loaded(self) -> Engine:  # type: ignore[override]
        return self._here()

    def window(self) -> int:
        """One token less than the engine's, which always writes one."""
        return self._loaded().window - 1


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is read for a request, and the tokens that may begin each of its options."""

    read: Read
    heads: list[list[int]]


def _odds(asked: _Asked, found: Numbers, seconds: float) -> Odds | BackendError:
    if isinstance(found, BackendError):
        return found
    known = dict(zip(asked.read.wanted, (odds for odds, _ in found), strict=True))
    logprobs = tuple(math.log(sum(math.exp(known[t]) for t in head)) for head in asked.heads)
    return Odds(logprobs, Usage(len(asked.read.tokens), 1, seconds))


def _text_odds(
    scored: likelihood.Scored, found: Numbers, seconds: float
) -> TextOdds | BackendError:
    if isinstance(found, BackendError):
        return found
    usage = Usage(len(scored.context) + len(scored.text), 0, seconds)
    greedy = all(rank == 1 for _, rank in found)
    total = sum(odds for odds, _ in found)
    return TextOdds(total, greedy, len(scored.text), scored.truncated, usage)
