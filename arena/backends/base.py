"""What every backend does: hold conversations, and read the odds of the next word."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Self, TypeVar

from arena.errors import BackendError
from arena.records import Usage


@dataclass(frozen=True, slots=True)
class Request:
    """A conversation to hold: the user's turns, each answered before the next is put."""

    turns: tuple[str, ...]
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's texts, one a turn. finish: `stop`, or `length` where max_tokens cut it."""

    turns: tuple[str, ...]
    finish: tuple[str, ...]
    usage: Usage = field(default_factory=Usage)


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


class Backend(ABC):
    """A model that can be asked.

    Both methods take the whole list of work and the positions in it that are `done`
    already, so that work falls into the same batches when a run is taken up again and a
    batched model gives the same texts as in an undisturbed run. They yield results as they
    come, with their positions; what failed is an error in a result's place.
    """

    def start(self) -> None:  # noqa: B027
        """Get ready for requests; raises UnavailableError where none can succeed."""

    @abstractmethod
    def converse(
        self, requests: Sequence[Request], done: Collection[int] = ()
    ) -> Iterator[Result[Reply]]:
        """Hold conversations under the model's decoding."""

    @abstractmethod
    def odds(
        self, requests: Sequence[OddsRequest], done: Collection[int] = ()
    ) -> Iterator[Result[Odds]]:
        """Read the odds of the first word of a reply, without writing any."""

    def close(self) -> None:  # noqa: B027
        """Let go of what the backend holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
