"""How a vote or a grade is taken: who may cast it, and the sentence that says what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from arena.records.errors import ArenaError, InputError
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.words import Words, said


class VoteRefusedError(InputError):
    """What is cast is not taken. word: of the sentence that says why. done: nor will it be."""

    word: ClassVar[str]
    done: ClassVar[bool] = True


class NoVoterError(VoteRefusedError):
    """The browser sent no cookie of ours."""

    word = "no_cookie"


class ReplacedError(VoteRefusedError):
    """What was shown is no longer open: it is too old, or something else was shown since."""

    word = "replaced"


class TooFastError(VoteRefusedError):
    """More than a person and an address may cast in a while."""

    word = "too_fast"
    done = False


@dataclass(frozen=True, slots=True)
class CastResult:
    """What came of it, as Markdown.

    done: whether there is nothing more to cast. counted: whether it is stored, by this call.
    """

    text: str
    done: bool = True
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token allows. key: of what was shown; seconds: since then."""

    voter: str
    key: str
    seconds: float


def claim(
    services: Services, visitor: Visitor, kind: str, token: str, unknown: type[VoteRefusedError]
) -> Claim:
    """Read a visitor's token; `unknown` is raised for one that is not theirs, or no longer good."""
    if visitor.voter is None:
        raise NoVoterError("the browser sent no cookie of ours")
    found = services.voters.read_token(kind, visitor.voter, token)
    if found is None:
        raise unknown("this was not shown to you")
    return Claim(visitor.voter, *found)


def skipped_key(services: Services, visitor: Visitor, kind: str, token: str) -> str:
    """The key of what a visitor would rather not judge; empty where the token names nothing."""
    if not token or visitor.voter is None:
        return ""
    found = services.voters.read_token(kind, visitor.voter, token)
    return found[0] if found else ""


def admit(services: Services, visitor: Visitor) -> None:
    """Count one thing cast; raises TooFastError where it is one too many."""
    if not services.allowances.vote(visitor):
        raise TooFastError("too many in a short time")


def outcome(words: Words, cast: Callable[[], str]) -> CastResult:
    """Cast, and say what came of it in the words of the page."""
    try:
        return CastResult(cast(), counted=True)
    except VoteRefusedError as refused:
        return CastResult(words[refused.word], refused.done)
    except ArenaError as error:
        return CastResult(words["failed"].format(reason=said(words, error.note)), done=False)
