"""One answer shown to one person, and the one grade that it allows. No page in here."""

import secrets
from dataclasses import dataclass

from arena import __version__
from arena.errors import InputError
from arena.records import REASONS, Answer, Grade, Prompt, Showing
from arena.store import Store
from arena.web.casting import RefusedError
from arena.web.pool import Pool

SCALE = range(1, 6)


@dataclass(frozen=True, slots=True)
class Single:
    """An answer with its prompt, as it is shown."""

    showing: Showing
    prompt: Prompt
    answer: Answer


class UnknownShowingError(RefusedError):
    """A grade of what was never shown to this voter."""

    word = "unknown_grade"


class GradedAlreadyError(RefusedError):
    """A second grade of one showing."""

    word = "graded_already"


def show(store: Store, pool: Pool, voter: str) -> Single:
    """Draw an answer, and remember that it was shown to this voter."""
    prompt, answer = pool.answer(voter)
    showing = Showing(secrets.token_urlsafe(24), prompt, answer, voter)
    store.showings.add([showing], durable=False)
    return read(store, showing)


def read(store: Store, showing: Showing) -> Single:
    """What was shown."""
    (answer,) = store.answers.get([showing.answer]).values()
    (prompt,) = store.prompts.get([showing.prompt_key]).values()
    return Single(showing, prompt, answer)


def grade(
    store: Store,
    key: str,
    voter: str,
    value: int,
    *,
    parts: dict[str, int] | None = None,
    language: str = "",
    seconds: float | None = None,
) -> Single:
    """Store a grade from 1 to 5, and return what was graded to be revealed.

    Raises UnknownShowingError for what was never shown to this voter, GradedAlreadyError
    for what was graded.
    """
    showing = store.showings.get([key]).get(key)
    if showing is None or not secrets.compare_digest(showing.voter, voter):
        raise UnknownShowingError("this answer was not shown to you")
    if value not in SCALE:
        raise InputError(f"a grade is {value}; allowed are {SCALE[0]} to {SCALE[-1]}")
    given = tuple((name, parts[name]) for name in REASONS if parts and parts.get(name) in SCALE)
    row = Grade(
        key, showing.prompt_key, showing.answer, voter, value, given, language, seconds, __version__
    )
    if not store.grades.add([row]):
        raise GradedAlreadyError("this showing has been graded already; the first grade counts")
    return read(store, showing)
