"""What people were shown and said, and what is thought of it."""

from dataclasses import dataclass
from enum import StrEnum

from arena.records.keys import content_key
from arena.records.kinds import Winner


@dataclass(frozen=True, slots=True)
class Battle:
    """An ordered pair of answers as it was shown to one person, who may vote on it once.

    propensity: the probability in (0, 1] with which these two answers were drawn.
    """

    key: str
    prompt_key: str
    first: str
    second: str
    voter: str
    propensity: float


@dataclass(frozen=True, slots=True)
class Vote:
    """What a person said of an ordered pair of answers, once per battle.

    propensity: the probability in (0, 1] with which this pair was drawn, if it is known.
    seconds: from showing the pair to the vote.
    """

    battle: str
    prompt_key: str
    first: str
    second: str
    winner: Winner
    voter: str
    language: str = ""
    propensity: float | None = None
    seconds: float | None = None
    app_version: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """That an audit of the votes thinks little of a voter; it changes no vote.

    audit: which one, see `vote_audit`. votes: of this voter by then. kinds: why. honest:
    probability that the voter is. q: share of honest ones among this voter and those who look
    worse.
    """

    audit: str
    voter: str
    votes: int
    kinds: tuple[str, ...]
    honest: float
    q: float

    @property
    def key(self) -> str:
        """Digest of the audit and the voter."""
        return content_key("flag", self.audit, self.voter)


@dataclass(frozen=True, slots=True)
class Leak:
    """The words with which an answer says who wrote it, empty where it does not.

    key: the answer's. rules: those that were looked for, see `arena.leaderboard.evidence.identity`.
    """

    key: str
    rules: str
    words: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Why somebody voted so, where they said it. key: of the battle; reasons: see `REASONS`."""

    key: str
    reasons: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That somebody takes back a vote or a grade. subject: key of the battle or the showing."""

    subject: str
    voter: str


class Complaint(StrEnum):
    """What may be wrong with an answer, so that whoever runs the arena should look at it."""

    BROKEN = "broken"
    NAMES_ITSELF = "names_itself"
    HARMFUL = "harmful"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """That somebody finds something wrong with an answer; it changes no ranking."""

    prompt_key: str
    answer: str
    voter: str
    reason: Complaint
    comment: str = ""

    @property
    def key(self) -> str:
        """Digest of the answer and the voter: each person reports an answer once."""
        return content_key("report", self.answer, self.voter)


REASONS = ("correct", "clear", "complete", "instructions", "style", "safe")


@dataclass(frozen=True, slots=True)
class Showing:
    """One answer as it was shown to one person, who may grade it once."""

    key: str
    prompt_key: str
    answer: str
    voter: str


@dataclass(frozen=True, slots=True)
class Grade:
    """How satisfied a person is with one answer, from 1 to 5, once for a showing.

    parts: the same by criterion, where it was given. Other fields as in `Vote`.
    """

    key: str
    prompt_key: str
    answer: str
    voter: str
    value: int
    parts: tuple[tuple[str, int], ...] = ()
    language: str = ""
    seconds: float | None = None
    app_version: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A live battle as far as it has come; gone once it is voted on.

    turns: what the person asked. first, second: what the models said, one text a turn; fewer
    than turns while they are answering. attempts: how often a turn was asked anew. Other fields
    as in `Battle` and `Answer`.
    """

    key: str
    voter: str
    first_model: str
    second_model: str
    propensity: float
    turns: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    second: tuple[str, ...] = ()
    first_finish: tuple[str, ...] = ()
    second_finish: tuple[str, ...] = ()
    attempts: int = 0

    @property
    def answered(self) -> bool:
        """Whether both have answered all that was asked."""
        return 0 < len(self.turns) == len(self.first) == len(self.second)
