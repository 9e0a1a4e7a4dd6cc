"""A pair as it is shown, and the one vote that it allows. No page in here."""

from collections.abc import Collection
from dataclasses import dataclass

from arena import __version__
from arena.records import REASONS, Answer, Battle, Prompt, Remark, Vote, Winner
from arena.records.errors import SecondVoteError
from arena.store import Store
from arena.web.voting.casting import VoteRefusedError
from arena.web.voting.opening import new_key, open_or_next, shown_to
from arena.web.voting.pool import Pool

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

    def draw() -> Battle:
        new = pool.draw(voter, worn)
        return Battle(new_key(), new.prompt, new.first, new.second, voter, new.propensity)

    battle = open_or_next(
        store.battles,
        voter,
        may_be_shown=lambda kept: pool.shows(kept.first, kept.second),
        draw=draw,
        instead_of=instead_of,
    )
    return read(store, battle)


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
    again = VotedAlreadyError("this battle has been voted on already; its first vote counts")
    battle = shown_to(
        store.battles,
        key,
        voter,
        unknown=NotShownError,
        judged=lambda: again if store.votes.count(battle=key) else None,
        still_open=not live,
    )
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
