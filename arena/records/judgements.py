"""What judges said, of answers and of pairs that test them."""

from dataclasses import dataclass, field

from arena.records.answers import Usage
from arena.records.kinds import Preference

REPAIRED = "\n\f\n"


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge as its verdicts met it: the card's content as JSON, under its digest."""

    key: str
    name: str
    card: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of an ordered pair of answers.

    p_first, p_second, p_tie: probabilities of the three verdicts, summing to 1, and mass:
    the share of the next-token distribution that they hold; logit reading only. text: what
    the judge wrote, and after `REPAIRED` what it wrote when it was asked to mend its form.
    slight: better by a little, on a five-step scale. request: digest of what was asked. turn: the
    last turn that was shown, from 1; 0 is the whole conversation. sample: which of several
    readings of the same pair, from 0. finish: how the text ended, `stop` or `length`; empty
    where that is not known. adjustments: as in `Answer`.
    """

    key: str
    judge: str
    judge_key: str
    prompt_key: str
    first: str
    second: str
    preference: Preference
    p_first: float | None = None
    p_second: float | None = None
    p_tie: float | None = None
    mass: float | None = None
    text: str = ""
    reason: str = ""
    truncated: bool = False
    slight: bool = False
    request: str = ""
    turn: int = 0
    sample: int = 0
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    adjustments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """What a judge said of one answer: a number on the card's scale, or None (unparsed).

    parts: the score by criterion, where the card has several. Other fields as in `Verdict`.
    """

    key: str
    judge: str
    judge_key: str
    prompt_key: str
    answer: str
    value: float | None
    mass: float | None = None
    text: str = ""
    reason: str = ""
    truncated: bool = False
    parts: tuple[tuple[str, float], ...] = ()
    request: str = ""
    turn: int = 0
    sample: int = 0
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    adjustments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a judge said of several answers to one prompt at once.

    answers: keys in the order shown. ranks: their places from 1, equal ones tie; empty is
    unparsed. Other fields as in `Verdict`.
    """

    key: str
    judge: str
    judge_key: str
    prompt_key: str
    answers: tuple[str, ...]
    ranks: tuple[int, ...]
    text: str = ""
    reason: str = ""
    truncated: bool = False
    request: str = ""
    turn: int = 0
    sample: int = 0
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    adjustments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a judge said of a pair that is there to test the judge, and ranks no model.

    suite: which test. item: which pair of it. swapped: whether the pair's second answer was
    shown first. Other fields as in `Verdict`; the verdict is in the words of what was shown.
    """

    key: str
    judge: str
    judge_key: str
    suite: str
    item: str
    swapped: bool
    preference: Preference
    p_first: float | None = None
    p_second: float | None = None
    p_tie: float | None = None
    mass: float | None = None
    text: str = ""
    reason: str = ""
    truncated: bool = False
    slight: bool = False
    request: str = ""
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    adjustments: tuple[tuple[str, str], ...] = ()
