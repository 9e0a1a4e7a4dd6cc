"""What every backend does: hold conversations, and read the odds of the next word."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any, Self, TypeVar

from arena.errors import BackendError
from arena.records import Usage


@dataclass(frozen=True, slots=True)
class Request:
    """A conversation to hold: the user's turns, each answered before the next is put.

    follow_up: given the last answer, one more turn to put, or None. schema: the JSON schema
    that the answer must follow, where a server can hold it to one.
    """

    turns: tuple[str, ...]
    seed: int = 0
    follow_up: Callable[[str], str | None] | None = None
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's texts, one a turn.

    finish: `stop`, or `length` where max_tokens cut it. retried: the kind of each fault on
    the way to it.
    """

    turns: tuple[str, ...]
    finish: tuple[str, ...]
    usage: Usage = field(default_factory=Usage)
    retried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OddsRequest:
    """A message, how the reply to it begins, and the words that may come next."""

    text: str
    options: tuple[str, ...]
    prefill: str = ""


@dataclass(frozen=True, slots=True)
class Odds:
    """Natural logarithms of the options' probabilities as the next word, in their order."""

    logprobs: tuple[float, ...]
    usage: Usage = field(default_factory=Usage)
    retried: tuple[str, ...] = ()

    @property
    def mass(self) -> float:
        """The share of the distribution that the options hold, in [0, 1]."""
        return min(1.0, sum(exp(value) for value in self.logprobs))


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a model can answer now, and why or why not in a few words."""

    ready: bool
    detail: str


T = TypeVar("T")
Result = list[tuple[int, T | BackendError]]


class Intake:
    """Which work may begin: all of it, until it is closed. What has begun is finished.

    within: closing that one closes this one too.
    """

    def __init__(self, within: "Intake | None" = None) -> None:
        self._within = within
        self._reason = ""

    @property
    def closed(self) -> str:
        """Why no more work may begin, in a few words; empty while it may."""
        return self._reason or (self._within.closed if self._within else "")

    def close(self, reason: str) -> None:
        """Let no more work begin; the first reason is kept."""
        self._reason = self._reason or reason

    def admit(self, positions: Sequence[int]) -> list[int]:
        """Those of `positions` that may begin now; the others are not this run's to do."""
        return [] if self.closed else list(positions)


class Backend(ABC):
    """A model that can be asked.

    Both methods take the whole list of work, so that it falls into the same batches when a
    run is taken up again and a batched model gives the same texts as in an undisturbed run;
    `intake` says what of it is to be done. They yield results as they come, with their
    positions; what failed is an error in a result's place.
    """

    def start(self) -> None:  # noqa: B027
        """Get ready for requests; raises UnavailableError where none can succeed."""

    @abstractmethod
    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """Hold conversations under the model's decoding."""

    @abstractmethod
    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """Read the odds of the first word of a reply, without writing any."""

    def close(self) -> None:  # noqa: B027
        """Let go of what the backend holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
