"""One answer shown to one person, and the one grade that it allows. No page in here."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from arena import __version__
from arena.errors import InputError
from arena.records import REASONS, Answer, Grade, Prompt, Showing
from arena.store import Store
from arena.web.security.voters import TOKEN_SECONDS
from arena.web.voting.casting import ReplacedError, VoteRefusedError
from arena.web.voting.pool import NothingToShowError, Pool

SCALE = range(1, 6)


@dataclass(frozen=True, slots=True)
class Single:
    """An answer with its prompt, as it is shown."""

    showing: Showing
    prompt: Prompt
    answer: Answer


class UnknownShowingError(VoteRefusedError):
    """A grade of what was never shown to this voter."""

    word = "unknown_grade"


class GradedAlreadyError(VoteRefusedError):
    """A second grade of one showing."""

    word = "graded_already"


def show(
    store: Store,
    pool: Pool,
    voter: str,
    *,
    worn: Collection[str] = (),
    instead_of: str = "",
) -> Single:
    """The answer that this voter has open, else a new one; see `battles.start`."""
    kept = store.showings.open_to(voter, TOKEN_SECONDS)
    if kept is not None and not pool.shows(kept.answer):
        instead_of = kept.key
    if kept is not None and kept.key != instead_of:
        return read(store, kept)
    try:
        prompt, answer = pool.answer(voter, worn)
    except NothingToShowError:
        if kept is None or not pool.shows(kept.answer):
            raise
        return read(store, kept)
    showing = Showing(secrets.token_urlsafe(24), prompt, answer, voter)
    return read(store, store.showings.show(showing, TOKEN_SECONDS, instead_of))


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

    Raises UnknownShowingError for what was never shown to this voter, ReplacedError for what
    is not open any more, and GradedAlreadyError for what was graded.
    """
    showing = store.showings.get([key]).get(key)
    if showing is None or not secrets.compare_digest(showing.voter, voter):
        raise UnknownShowingError("this answer was not shown to you")
    if store.grades.count(key=key):
        raise GradedAlreadyError("this showing has been graded already; the first grade counts")
    if store.showings.open_to(voter, TOKEN_SECONDS) != showing:
        raise ReplacedError("another answer was shown since")
    if value not in SCALE:
        raise InputError(f"a grade is {value}; allowed are {SCALE[0]} to {SCALE[-1]}")
    given = tuple((name, parts[name]) for name in REASONS if parts and parts.get(name) in SCALE)
    row = Grade(
        key, showing.prompt_key, showing.answer, voter, value, given, language, seconds, __version__
    )
    if not store.grades.add([row]):
        raise GradedAlreadyError("this showing has been graded already; the first grade counts")
    return read(store, showing)
