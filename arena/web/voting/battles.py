"""A pair as it is shown, and the one vote that it allows. No page in here."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from arena import __version__
from arena.errors import SecondVoteError
from arena.records import REASONS, Answer, Battle, Prompt, Remark, Vote, Winner
from arena.store import Store
from arena.web.security.voters import TOKEN_SECONDS
from arena.web.voting.casting import ReplacedError, VoteRefusedError
from arena.web.voting.pool import NothingToShowError, Pool

MOST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A battle with what a person reads; nothing in it names a model before the vote."""

    battle: Battle
    prompt: Prompt
    first: Answer
    second: Answer


class NotShownError(VoteRefusedError):
    """A vote on what was never shown to this voter."""

    word = "unknown_battle"


class VotedAlreadyError(VoteRefusedError):
    """A second vote on one battle, or of one voter on one pair."""

    word = "voted_already"


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a person says of a battle. seconds: since it was shown."""

    winner: Winner
    language: str = ""
    seconds: float | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""


def start(
    store: Store,
    pool: Pool,
    voter: str,
    *,
    worn: Collection[str] = (),
    instead_of: str = "",
) -> ShownPair:
    """The pair that this voter has open, else a new one; whoever comes again sees it again.

    worn: keys of prompts to avoid. instead_of: the battle that the voter would rather not judge;
    it is forgotten where there is another pair.
    """
    kept = store.battles.open_to(voter, TOKEN_SECONDS)
    if kept is not None and not pool.shows(kept.first, kept.second):
        instead_of = kept.key
    if kept is not None and kept.key != instead_of:
        return read(store, kept)
    try:
        drawn = pool.draw(voter, worn)
    except NothingToShowError:
        if kept is None or not pool.shows(kept.first, kept.second):
            raise
        return read(store, kept)
    battle = Battle(
        secrets.token_urlsafe(24),
        drawn.prompt,
        drawn.first,
        drawn.second,
        voter,
        drawn.propensity,
    )
    return read(store, store.battles.show(battle, TOKEN_SECONDS, instead_of))


def read(store: Store, battle: Battle) -> ShownPair:
    """What was shown in a battle."""
    answers = store.answers.get([battle.first, battle.second])
    (prompt,) = store.prompts.get([battle.prompt_key]).values()
    return ShownPair(battle, prompt, answers[battle.first], answers[battle.second])


def vote(store: Store, key: str, voter: str, ballot: Ballot, *, live: bool = False) -> ShownPair:
    """Store the vote on a battle, and return it to be revealed.

    live: the battle is no stored pair, of which a voter has one open at a time. Raises
    NotShownError for a battle that was never shown to this voter, ReplacedError for one that is
    not open any more, and VotedAlreadyError where this voter has voted on these answers.
    """
    battle = store.battles.get([key]).get(key)
    if battle is None or not secrets.compare_digest(battle.voter, voter):
        raise NotShownError("this pair was not shown to you")
    if store.votes.count(battle=key):
        raise VotedAlreadyError("this battle has been voted on already; its first vote counts")
    if not live and store.battles.open_to(voter, TOKEN_SECONDS) != battle:
        raise ReplacedError("another pair was shown since")
    cast = Vote(
        battle.key,
        battle.prompt_key,
        battle.first,
        battle.second,
        ballot.winner,
        voter,
        ballot.language,
        battle.propensity,
        ballot.seconds,
        __version__,
    )
    try:
        store.votes.cast(cast, once_a_pair=True)
    except SecondVoteError as error:
        raise VotedAlreadyError(str(error)) from error
    reasons = tuple(reason for reason in REASONS if reason in ballot.reasons)
    comment = ballot.comment.strip()[:MOST_COMMENT]
    if reasons or comment:
        store.remarks.add([Remark(battle.key, reasons, comment)])
    return read(store, battle)
