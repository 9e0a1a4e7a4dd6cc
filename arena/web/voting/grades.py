"""One answer shown to one person, and the one grade that it allows. No page in here."""

from collections.abc import Collection
from dataclasses import dataclass

from arena import __version__
from arena.records import REASONS, Answer, Grade, Prompt, Showing
from arena.records.errors import InputError
from arena.store import Store
from arena.web.voting.casting import VoteRefusedError
from arena.web.voting.opening import new_key, open_or_next, shown_to
from arena.web.voting.pool import Pool

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

    def draw() -> Showing:
        prompt, answer = pool.answer(voter, worn)
        return Showing(new_key(), prompt, answer, voter)

    showing = open_or_next(
        store.showings,
        voter,
        may_be_shown=lambda kept: pool.shows(kept.answer),
        draw=draw,
        instead_of=instead_of,
    )
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

    Raises UnknownShowingError for what was never shown to this voter, ReplacedError for what
    is not open any more, and GradedAlreadyError for what was graded.
    """
    again = GradedAlreadyError("this showing has been graded already; the first grade counts")
    showing = shown_to(
        store.showings,
        key,
        voter,
        unknown=UnknownShowingError,
        judged=lambda: again if store.grades.count(key=key) else None,
    )
    if value not in SCALE:
        raise InputError(f"a grade is {value}; allowed are {SCALE[0]} to {SCALE[-1]}")
    given = tuple((name, parts[name]) for name in REASONS if parts and parts.get(name) in SCALE)
    row = Grade(
        key, showing.prompt_key, showing.answer, voter, value, given, language, seconds, __version__
    )
    if not store.grades.add([row]):
        raise again
    return read(store, showing)
