"""A pair as it is shown, and the one vote that it allows. No page in here."""

import secrets
from dataclasses import dataclass

from arena import __version__
from arena.errors import StoreError
from arena.records import REASONS, Answer, Battle, Prompt, Remark, Vote, Winner
from arena.store import Store
from arena.web.casting import RefusedError
from arena.web.pool import Pool

MOST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Shown:
    """A battle with what a person reads; nothing in it names a model before the vote."""

    battle: Battle
    prompt: Prompt
    first: Answer
    second: Answer


class NotShownError(RefusedError):
    """A vote on what was never shown to this voter."""

    word = "unknown_battle"


class VotedAlreadyError(RefusedError):
    """A second vote on one battle."""

    word = "voted_already"


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a person says of a battle. seconds: since it was shown."""

    winner: Winner
    language: str = ""
    seconds: float | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""


def start(store: Store, pool: Pool, voter: str) -> Shown:
    """Draw a pair, and remember that it was shown to this voter."""
    drawn = pool.draw(voter)
    battle = Battle(
        secrets.token_urlsafe(24),
        drawn.prompt,
        drawn.first,
        drawn.second,
        voter,
        drawn.propensity,
    )
    store.battles.add([battle], durable=False)
    return read(store, battle)


def read(store: Store, battle: Battle) -> Shown:
    """What was shown in a battle."""
    answers = store.answers.get([battle.first, battle.second])
    (prompt,) = store.prompts.get([battle.prompt_key]).values()
    return Shown(battle, prompt, answers[battle.first], answers[battle.second])


def vote(store: Store, key: str, voter: str, ballot: Ballot) -> Shown:
    """Store the vote on a battle, and return it to be revealed.

    Raises NotShownError for a battle that was never shown to this voter, and
    VotedAlreadyError for one that was voted on.
    """
    battle = store.battles.get([key]).get(key)
    if battle is None or not secrets.compare_digest(battle.voter, voter):
        raise NotShownError("this pair was not shown to you")
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
        store.votes.cast(cast)
    except StoreError as error:
        if store.votes.count(battle=key):
            raise VotedAlreadyError(str(error)) from error
        raise
    reasons = tuple(reason for reason in REASONS if reason in ballot.reasons)
    comment = ballot.comment.strip()[:MOST_COMMENT]
    if reasons or comment:
        store.remarks.add([Remark(battle.key, reasons, comment)])
    return read(store, battle)
