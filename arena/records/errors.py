"""Every error that a user can meet, as one tree.

ArenaError
├── InputError              a file, flag or field that the user can mend
│   ├── UnknownNameError    a name that is not there, with the nearest that are
│   ├── TemplateError       a judge's template that does not render
│   ├── NoEvidenceError     nothing was said yet that models could be ranked by
│   └── TooFewError         what was said is too little to rate any model by
├── StoreError              the database cannot be used, or refuses a row
│   ├── ModelConflictError  one name for two different models
│   └── SecondVoteError     a vote where only the first counts
├── BackendError            a model could not answer
│   ├── NoAnswerError       the reply holds no answer: thinking, nothing, a refusal
│   ├── UnavailableError    no later call can succeed either: the run stops
│   │   └── NoLikelihoodError   this model can write, and cannot say how likely a text is
│   └── TransientError      the same call may succeed later: it is retried
├── GateError               evidence that must not make a ranking unless told to
└── RatingError             the comparisons do not determine the ratings
    ├── UndeterminedError   more data would be needed
    │   ├── DisconnectedError   no comparison links some models to the others
    │   └── SeparatedError      some models never lost, or never won
    └── ConvergenceError    the fit did not reach its optimum

A message is one sentence or two: what, where, which value, what is allowed. Only
`arena.cli` and `arena.web` turn an error into text for a user.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from arena.records.notes import Note

SHOWN = 60
MOST_NAMES = 20  # that one message tells


def said(value: object) -> str:
    """A value as messages quote it, shortened to `SHOWN` characters."""
    text = value if isinstance(value, str) else repr(value)
    short = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    return repr(short) if isinstance(value, str) else short


class ArenaError(Exception):
    """Base of every error that this package raises on purpose.

    What it is raised with is its message: texts and notes, which follow one another.
    """

    def text(self, language: str = "en", place: str = "") -> str:
        """The message in a language, as far as it is of notes; see `Note.text`."""
        return "".join(
            part.text(language, place) if isinstance(part, Note) else str(part)
            for part in self.args
        )

    def __str__(self) -> str:
        return self.text()

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, from one process to another, whatever it was made from."""
        return _remade, (type(self), self.args, vars(self))

    @property
    def note(self) -> Note:
        """The message as a note."""
        return Note.of("message", parts=self.args)


def _remade(kind: type[ArenaError], args: tuple[Any, ...], state: dict[str, Any]) -> ArenaError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


class InputError(ArenaError):
    """Something the user wrote is wrong, and nothing was changed because of it."""


class UnknownNameError(InputError):
    """A name that is not among the known ones; the message offers the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = _near(name, names)
        offer = f"did you mean {_or(near)}?" if near else f"there is {_and(names) or 'none'}."
        super().__init__(" ".join(filter(None, [f"no {kind} named {name!r}; {offer}", hint])))


class TemplateError(InputError):
    """A template that does not render: a syntax error or an unknown variable."""


class NoEvidenceError(InputError):
    """There is no evidence of the kind that a ranking was asked for by."""


class TooFewError(InputError):
    """There is evidence, and no model has enough of it to be rated."""


class StoreError(ArenaError):
    """The database cannot be opened, or refuses what it was given."""


class ModelConflictError(StoreError):
    """A model's name is already stored with other weights or decoding."""


class SecondVoteError(StoreError):
    """A second vote on one battle, or of one voter on one pair of answers."""


class BackendError(ArenaError):
    """A model could not answer one request. kind: the sort of fault, in a word or two."""

    kind = "rejected"


class UnavailableError(BackendError):
    """The model cannot be reached or loaded at all."""

    kind = "unavailable"


class NoAnswerError(BackendError):
    """The reply holds no answer; kind: the state that it is in, one of `records.NoAnswer`."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class NoLikelihoodError(UnavailableError):
    """The model can be asked to write, but not how likely it finds a given text."""


class TransientError(BackendError):
    """A time-out, a rate limit or a server's fault: worth another try.

    wait: seconds that the server asked to be left alone for.
    """

    def __init__(self, message: str, kind: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait


class GateError(ArenaError):
    """A judge too weak to rank by, without the explicit override. reason: without the remedy."""

    def __init__(self, reason: Note, remedy: Note) -> None:
        super().__init__(Note.of("sentences", first=reason, second=remedy))
        self.reason = reason


class RatingError(ArenaError):
    """The comparisons do not determine finite ratings."""


class UndeterminedError(RatingError):
    """More data would be needed. reason: what is in the way, without what would help."""

    def __init__(self, reason: Note, remedy: Note) -> None:
        super().__init__(Note.of("clauses", first=reason, second=remedy))
        self.reason = reason


class DisconnectedError(UndeterminedError):
    """The comparisons fall into parts that never met."""


class SeparatedError(UndeterminedError):
    """A group of models won (or lost) every comparison with the rest."""


class ConvergenceError(RatingError):
    """The optimiser stopped before the gradient vanished."""


def _or(names: list[str]) -> str:
    return " or ".join(repr(name) for name in names)


def _and(names: list[str]) -> str:
    told = ", ".join(repr(name) for name in names[:MOST_NAMES])
    return f"{told} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else told


def _near(name: str, names: list[str]) -> list[str]:
    """Names that may be meant, whatever their capitals, blanks and hyphens."""
    spelt: dict[str, list[str]] = {}
    for known in names:
        spelt.setdefault(_plain(known), []).append(known)
    near = get_close_matches(_plain(name), spelt, n=3, cutoff=0.5)
    return [known for plain in near for known in spelt[plain]]


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold() or name
