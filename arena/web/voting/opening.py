"""What one voter has open to judge: a stored pair, or a single answer. No page in here."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from arena.records import Battle, Showing
from arena.store.shown import OpenToJudge
from arena.web.security.voters import TOKEN_SECONDS
from arena.web.voting.casting import ReplacedError, VoteRefusedError
from arena.web.voting.pool import NothingToShowError

S = TypeVar("S", Battle, Showing)


def open_or_next(
    table: OpenToJudge[S],
    voter: str,
    *,
    may_be_shown: Callable[[S], bool],
    draw: Callable[[], S],
    instead_of: str = "",
) -> S:
    """What this voter has open, else something new; whoever comes again sees it again.

    may_be_shown: whether what is open still may be. draw: something new; raises NothingToShowError
    where there is nothing. instead_of: key of what the voter would rather not judge; it is
    forgotten where there is something else.
    """
    kept = table.open_to(voter, TOKEN_SECONDS)
    if kept is not None and not may_be_shown(kept):
        instead_of = kept.key
    if kept is not None and kept.key != instead_of:
        return kept
    try:
        new = draw()
    except NothingToShowError:
        if kept is None or not may_be_shown(kept):
            raise
        return kept
    return table.show(new, TOKEN_SECONDS, instead_of)


def shown_to(
    table: OpenToJudge[S],
    key: str,
    voter: str,
    *,
    unknown: type[VoteRefusedError],
    judged: Callable[[], VoteRefusedError | None],
    still_open: bool = True,
) -> S:
    """What was shown under a key, for the one vote or grade that it allows.

    Raises `unknown` where it was never shown to this voter, what `judged` returns where it has been
    judged, and ReplacedError where it is not open any more. still_open: whether it has to be.
    """
    row = table.get([key]).get(key)
    if row is None or not secrets.compare_digest(row.voter, voter):
        raise unknown("this was not shown to you")
    if (refusal := judged()) is not None:
        raise refusal
    if still_open and table.open_to(voter, TOKEN_SECONDS) != row:
        raise ReplacedError("something else was shown since")
    return row


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(24)
