"""What a file of another tool says, in one shape for all formats: read from files, or written."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from arena.records import Prompt, Usage, Winner

Turns = tuple[str, ...]
PEOPLE = "human"


@dataclass(frozen=True, slots=True)
class SaidText:
    """One model's answer.

    turns: one text a turn, None where the file does not have them. sample: which of its answers
    to the prompt, from 0; None is whichever has this text. finish: how each turn ended.
    """

    model: str
    turns: Turns | None = None
    sample: int | None = None
    finish: Turns = ()
    thinking: Turns = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a file of questions has it."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model said to a prompt."""

    prompt: Prompt
    text: SaidText


@dataclass(frozen=True, slots=True)
class Compared:
    """What a person or a judge said of an ordered pair.

    winner: None where nothing could be read. by: the voter or the judge. odds: probabilities of
    the first, the second and a tie. words: what the judge wrote. turn: the last turn that was
    shown, from 1; 0 is the whole conversation. Others as in `Vote` and `Verdict`.
    """

    prompt: Prompt
    first: SaidText
    second: SaidText
    winner: Winner | None
    by: str
    is_vote: bool
    odds: tuple[float, float, float] | None = None
    words: str = ""
    slight: bool = False
    turn: int = 0
    propensity: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """What a judge said of one answer; value: None where nothing could be read."""

    prompt: Prompt
    text: SaidText
    value: float | None
    by: str
    words: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that says nothing certain, and why, as the end of a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that holds nothing to take in, and why; nothing is wrong with it."""

    reason: str


Entry = Asked | Answered | Compared | ScoredAnswer | Refused | Passed
# Each with the place it comes from, for messages: `file:line`.
Entries = Iterator[tuple[str, Entry]]
