"""What every backend does: hold conversations, and read the odds of the next word."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any, Self, TypeVar

from arena.records import Model, Usage
from arena.records.errors import BackendError, NoLikelihoodError, UnavailableError


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said. role: `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """A conversation to hold: the user's turns, each answered before the next is put.

    follow_up: given the last answer and its finish, one more turn to put, or None. schema: the
    JSON schema that the answer must follow, where a server can hold it to one. before: messages
    that come before the first turn. plain: the one turn is a text to go on with, as it stands.
    stop: texts before which a reply ends. prefill: how the last reply begins. verbatim: replies
    keep the space around them. timed: measure the time to the first token, where that can be.
    """

    turns: tuple[str, ...]
    seed: int = 0
    follow_up: Callable[[str, str], str | None] | None = None
    schema: dict[str, Any] | None = None
    before: tuple[Message, ...] = ()
    plain: bool = False
    stop: tuple[str, ...] = ()
    prefill: str = ""
    verbatim: bool = False
    timed: bool = False


Adjustments = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's texts, one a turn.

    finish: `stop`, or `length` where max_tokens cut it, or `refusal` or `content_filter`, where
    a server says so. retried: the kind of each fault on the way to it. thinking: what the server
    told apart from each text, if it told anything. thinking_tokens: of all turns; None where
    they are not known. first_token: seconds until the first token of the first turn, thinking
    included; None where it was not measured. adjustments: what the server does not take of the
    request, each with what was sent in its place, empty where it was left out.
    """

    turns: tuple[str, ...]
    finish: tuple[str, ...]
    usage: Usage = field(default_factory=Usage)
    retried: tuple[str, ...] = ()
    thinking: tuple[str, ...] = ()
    thinking_tokens: int | None = None
    first_token: float | None = None
    adjustments: Adjustments = ()


@dataclass(frozen=True, slots=True)
class OddsRequest:
    """A message, how the reply to it begins, and the words that may come next."""

    text: str
    options: tuple[str, ...]
    prefill: str = ""


# Options that have less of the probability say nothing; what has it is told, in so many words.
UNLIKELY, RATHER = 0.5, 3


@dataclass(frozen=True, slots=True)
class Odds:
    """Natural logarithms of the options' probabilities as the next word, in their order.

    rather: the likeliest words with their probabilities, where those of the options are unlikely
    and it is known.
    """

    logprobs: tuple[float, ...]
    usage: Usage = field(default_factory=Usage)
    retried: tuple[str, ...] = ()
    adjustments: Adjustments = ()
    rather: tuple[tuple[str, float], ...] = ()

    @property
    def mass(self) -> float:
        """The share of the distribution that the options hold, in [0, 1]."""
        return min(1.0, sum(exp(value) for value in self.logprobs))


@dataclass(frozen=True, slots=True)
class RewardRequest:
    """Conversations, each of which ends with the answer that a reward model is to rate."""

    conversations: tuple[tuple[Message, ...], ...]


@dataclass(frozen=True, slots=True)
class Rewards:
    """A reward model's number for each conversation, on a scale of its own: more is better."""

    values: tuple[float, ...]
    usage: Usage = field(default_factory=Usage)
    retried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRequest:
    """A text, and what comes before it: as it stands, or as the messages of a conversation."""

    text: str
    context: str = ""
    before: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class TextOdds:
    """How likely a text is after its context.

    logprob: natural logarithm of its probability, at most 0. greedy: whether each of its
    tokens is the likeliest one. tokens: how many it has. truncated: whether the context lost
    its beginning, to fit the model's window.
    """

    logprob: float
    greedy: bool
    tokens: int
    truncated: bool = False
    usage: Usage = field(default_factory=Usage)
    retried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a model can answer now, and why or why not in a few words."""

    ready: bool
    detail: str


def with_system(messages: Sequence[Message], system: str | None) -> list[Message]:
    """Messages that begin with `system`, followed by what they say as the system themselves."""
    if not system:
        return list(messages)
    if messages and messages[0].role == "system":
        return [Message("system", f"{system}\n\n{messages[0].content}"), *messages[1:]]
    return [Message("system", system), *messages]


def as_json(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as servers and chat templates take them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def cut_at(text: str, stops: Sequence[str]) -> str:
    """A text up to the first of `stops` in it."""
    for stop in filter(None, stops):
        text = text.split(stop)[0]
    return text


def whole_characters(text: str) -> str:
    """A text up to its last whole character: the last token may end within one.

    What stands for the rest is U+FFFD, or the first half of a pair of UTF-16.
    """
    return _BROKEN_END.sub("", text)


_BROKEN_END = re.compile("[\ufffd\ud800-\udfff]+\\Z")


def estimate_tokens(text: str) -> int:
    """About four characters of an alphabet to a token, and three Chinese ones to two."""
    wide = sum(ord(letter) > WIDE for letter in text)
    return round((len(text) - wide) / 4 + wide / 1.5)


WIDE = 0x2E7F
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

    def admit(self, positions: Sequence[int], worker: str = "") -> list[int]:
        """Those of `positions` that may begin now; the others are not this run's to do.

        worker: who does them, where that is not this process.
        """
        return [] if self.closed else list(positions)

    def give_back(self, positions: Sequence[int]) -> None:
        """Take back positions that were admitted and not done, as where their worker was lost."""
        if self._within:
            self._within.give_back(positions)

    def tell(self, rows: float, again: int = 0) -> None:
        """Say how much of the work in hand is done: so many rows' worth, none of them whole yet.

        again: how many of them are asked once more now, because of what their first reply was.
        """
        if self._within:
            self._within.tell(rows, again)


class Backend(ABC):
    """A model that can be asked.

    Its methods take the whole list of work, so that it falls into the same batches when a
    run is taken up again and a batched model gives the same texts as in an undisturbed run;
    `intake` says what of it is to be done. They yield results as they come, with their
    positions; what failed is an error in a result's place.
    """

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done otherwise than it was asked for, in a sentence each."""
        return ()

    def opens_thinking(self) -> bool:
        """Whether its chat template is known to open the model's thinking."""
        return False

    @property
    def starting(self) -> str:
        """What `start` does where it takes long, in a few words; empty where it does not."""
        return ""

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

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """Read how likely given texts are; raises NoLikelihoodError where that cannot be read."""
        raise NoLikelihoodError("this backend cannot say how likely a text is")

    def rewards(
        self, requests: Sequence[RewardRequest], intake: Intake | None = None
    ) -> Iterator[Result[Rewards]]:
        """Rate answers with a reward model; raises UnavailableError where this is none."""
        raise UnavailableError(
            "a reward model runs on transformers in this process: name it hf:ORG/NAME or a folder"
        )

    def stream(self, request: Request) -> Iterator[Reply]:
        """The reply to a request of one turn as it grows: each is the whole so far.

        Its finish is empty until the last one. Raises BackendError where the model cannot
        answer. Without a way of its own a backend gives the reply when it is whole.
        """
        for result in self.converse([request]):
            for _, reply in result:
                if isinstance(reply, BackendError):
                    raise reply
                yield reply

    def count_tokens(self, text: str) -> int:
        """How long a text is for this model; an estimate where its tokenizer is not here."""
        return estimate_tokens(text)

    def window(self) -> int | None:
        """The tokens that a conversation may have, if that is known."""
        return None

    def close(self) -> None:  # noqa: B027
        """Let go of what the backend holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Machines(ABC):
    """Where models run that do not run in this process."""

    @abstractmethod
    def backend(self, model: Model) -> Backend:
        """A backend that forwards to them what `model` is asked."""
