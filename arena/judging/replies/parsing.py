"""From a judge's words or odds to a verdict, a score or an order; what is not clear is unparsed.

The last verdict that is stated wins (see `stated`), in the form that the card names or in one
that judges are known to write in its place. Nothing outside the offered set ever counts, as a
tie or otherwise. No text raises, and none takes more than linear time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, floor

from arena.backends import UNLIKELY, Odds
from arena.judging.replies.finding import (
    CHOOSING,
    DOUBLE,
    ORDERING,
    RATING,
    SINGLE,
    SpokenReply,
    find,
    hear,
)
from arena.judging.replies.forms import ReplyFormat, wanted
from arena.judging.replies.objects import last_list, last_object
from arena.judging.replies.stated import WrittenVerdict, marks
from arena.records import Preference

# Part of a judge's identity: a change in how replies are read is a new number.
VERSION = 5
LEAST = f"{UNLIKELY:.0%}"
VERDICTS = {
    "A": (Preference.A, False),
    "B": (Preference.B, False),
    "tie": (Preference.TIE, False),
    "A>>B": (Preference.A, True),
    "A>B": (Preference.A, False),
    "B>A": (Preference.B, False),
    "B>>A": (Preference.B, True),
}
_PREFIX = re.compile(
    r"(?:(?:the|final|overall|最终|综合)\s*)?"
    r"(?:rating|score|grade|result|评分|得分|分数|总分|打分)[\s*_]*(?:is|of|为|是)?[\s*_]*[:：=]?[\s*_]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"([0-9]{1,4}(?:\.[0-9]{1,4})?) ?(?:分|points?|stars?)?"
    r"(?: ?(?:/|out of) ?([0-9]{1,4})(?: ?分| points?| stars?)?| ?[(,]满分 ?([0-9]{1,4}) ?分?\)?)?"
)
_SLOT = re.compile(
    r"(?:the )?(?:assistant|answer|response|model|output|option|choice|verdict|"
    r"助手|回答|回复|答案|模型|选项)[ _:-]*",
    re.IGNORECASE,
)
_TIES = ("tie", "平局", "平手")
_SIGN = re.compile(r"([<>=]+)")
_COMPARED = re.compile(r"([ab])(<{1,2}|={1,2}|>{1,2})([ab])")
_EDGES = " \t\r\n*_`\"'.。,，;；!！$(){}“”‘’"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A verdict, or UNPARSED with the reason. strong: much better, on a five-step scale."""

    preference: Preference
    strong: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A number on the scale, or None with the reason. parts: the number for each criterion."""

    value: float | None
    parts: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParsedRanking:
    """The place of each answer as shown, from 1, equal ones tie; or None with the reason."""

    ranks: tuple[int, ...] | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReadOdds:
    """Probabilities of the three verdicts, summing to 1, and the mass they were read from."""

    p_first: float
    p_second: float
    p_tie: float
    mass: float


def parse_verdict(
    text: str,
    options: Mapping[str, str],
    form: ReplyFormat = ReplyFormat.BRACKETS,
    *,
    cut_at: int | None = None,
) -> Parsed:
    """Read the last verdict that is stated.

    options: each verdict (a key of VERDICTS) with the word for it. cut_at: the tokens at which
    the reply was cut off; None where it ended by itself, or where that is not known.
    """
    said = hear(text, cut_at)
    if said.is_missing:
        return Parsed(Preference.UNPARSED, reason=said.is_missing)
    mark = find(said, form, CHOOSING, lambda word: _meant(word, options) is not None)
    if mark is None:
        reason = said.lacks(wanted(form, options=options))
        return Parsed(Preference.UNPARSED, reason=reason)
    verdict = _meant(mark.said, options)
    if verdict is None:
        offered = ", ".join(options.values())
        reason = f"{mark.said[:40]!r} is none of {offered}"
        return Parsed(Preference.UNPARSED, reason=reason)
    preference, strong = VERDICTS[verdict]
    return Parsed(preference, strong)


def parse_score(
    text: str,
    scale: tuple[int, int],
    form: ReplyFormat = ReplyFormat.BRACKETS,
    criteria: Mapping[str, float] | None = None,
    *,
    cut_at: int | None = None,
) -> ParsedScore:
    """Read the last number within the scale; with criteria (name to weight), their mean."""
    said = hear(text, cut_at)
    if said.is_missing:
        return ParsedScore(None, reason=said.is_missing)
    if criteria:
        return _parse_criteria(said, scale, form, criteria)
    number = _whole_number if form is ReplyFormat.PROMETHEUS else _number
    mark = find(said, form, RATING, lambda word: number(word, scale)[0] is not None)
    if mark is None or (said.cut_at and _may_go_on(said.text, mark, scale)):
        return ParsedScore(None, reason=said.lacks(wanted(form, scale=scale)))
    value, reason = number(mark.said, scale)
    return ParsedScore(value, reason=reason)


def parse_ranking(
    text: str,
    labels: Sequence[str],
    form: ReplyFormat = ReplyFormat.BRACKETS,
    *,
    cut_at: int | None = None,
) -> ParsedRanking:
    """Read the last order, in which every label stands exactly once."""
    said = hear(text, cut_at)
    if said.is_missing:
        return ParsedRanking(None, said.is_missing)
    places = (
        _places_in_json(said) if form is ReplyFormat.JSON else _written_places(said, form, labels)
    )
    if places is None:
        return ParsedRanking(None, said.lacks(wanted(form, labels=labels)))
    named = [label for place in places for label in place]
    if sorted(named) != sorted(labels):
        return ParsedRanking(None, f"{', '.join(named)[:40]!r} does not name each answer once")
    rank_of: dict[str, int] = {}
    place_from = 1
    for place in places:
        rank_of |= dict.fromkeys(place, place_from)
        place_from += len(place)
    return ParsedRanking(tuple(rank_of[label] for label in labels))


def read_verdict(odds: Odds, options: Mapping[str, str]) -> tuple[Parsed, ReadOdds]:
    """Read the odds of the options' words, which come in the options' order."""
    mass = odds.mass
    shares = {
        verdict: exp(value) / mass if mass else 0.0
        for verdict, value in zip(options, odds.logprobs, strict=True)
    }
    read = ReadOdds(shares["A"], shares["B"], shares.get("tie", 0.0), mass)
    if mass < UNLIKELY:
        return Parsed(Preference.UNPARSED, reason=too_little("the words of a verdict", odds)), read
    return Parsed(Preference(max(shares, key=lambda verdict: shares[verdict]))), read


def too_little(what: str, odds: Odds) -> str:
    """Why odds are no verdict: the next word would likely be none of those that are read."""
    words = ", ".join(f"{word!r} ({share:.0%})" for word, share in odds.rather)
    said = f"{what} have {below_least(odds.mass)} of the probability, and need at least {LEAST}"
    return f"{said}; it would rather say {words}" if words else said


def below_least(mass: float) -> str:
    """A probability that is not enough, in per cent: not rounded up to what it does not reach."""
    return f"{floor(1000 * mass) / 10}%"


def read_score(odds: Odds, scale: tuple[int, int]) -> ParsedScore:
    """The expectation over the scale's digits, whose odds come in ascending order."""
    if odds.mass < UNLIKELY:
        return ParsedScore(None, reason=too_little("the digits", odds))
    weights = [exp(value) for value in odds.logprobs]
    numbers = range(scale[0], scale[1] + 1)
    return ParsedScore(sum(n * w for n, w in zip(numbers, weights, strict=True)) / sum(weights))


def _parse_criteria(
    said: SpokenReply, scale: tuple[int, int], form: ReplyFormat, criteria: Mapping[str, float]
) -> ParsedScore:
    numbers = (
        _object_of(said, criteria) if form is ReplyFormat.JSON else _named_numbers(said, criteria)
    )
    parts = []
    for name in criteria:
        if name.casefold() not in numbers:
            reason = said.lacks(wanted(form, scale=scale, criteria=criteria))
            return ParsedScore(None, reason=f"nothing for {name}: {reason}")
        value, reason = _number(numbers[name.casefold()], scale)
        if value is None:
            return ParsedScore(None, reason=f"{name}: {reason}")
        parts.append((name, value))
    total = sum(criteria[name] * value for name, value in parts) / sum(criteria.values())
    return ParsedScore(total, tuple(parts))


def _named_numbers(said: SpokenReply, criteria: Mapping[str, float]) -> dict[str, str]:
    """The last `[[name: number]]` of each name; in a reply that was cut off, nothing after them."""
    found = [
        (name.strip().casefold(), number, mark)
        for mark in marks(DOUBLE, said.text) or marks(SINGLE, said.text)
        for name, colon, number in [mark.said.rpartition(":")]
        if colon
    ]
    if found and said.lost_after(found[-1][2].end):
        return {}
    return {name: number for name, number, _ in found}


def _object_of(said: SpokenReply, fields: Mapping[str, float]) -> Mapping[str, str]:
    found = last_object(said.text, fields)
    if found is None or said.lost_after(found.end):
        return {}
    return found.values


def _places_in_json(said: SpokenReply) -> list[list[str]] | None:
    found = last_list(said.text, "ranking")
    if found is None or said.lost_after(found.end):
        return None
    order = found.values["ranking"]
    places = [place if isinstance(place, list) else [place] for place in order]
    return [[_label(str(label)) for label in place] for place in places]


def _written_places(
    said: SpokenReply, form: ReplyFormat, labels: Sequence[str]
) -> list[list[str]] | None:
    def places(order: str) -> list[list[str]]:
        return [[_label(label) for label in place.split("=")] for place in order.split(">")]

    def is_offered(order: str) -> bool:
        return sorted(label for place in places(order) for label in place) == sorted(labels)

    mark = find(said, form, ORDERING, is_offered)
    return places(mark.said) if mark else None


def _label(said: str) -> str:
    said = said.strip(_EDGES)
    return said[prefix.end() :].upper() if (prefix := _SLOT.match(said)) else said.upper()


def _number(said: str, scale: tuple[int, int]) -> tuple[float | None, str]:
    bare = said.strip(_EDGES + "[]")
    if prefix := _PREFIX.match(bare):
        bare = bare[prefix.end() :].strip(_EDGES + "[]")
    if bare.count("(") > bare.count(")"):
        bare += ")"
    found = _NUMBER.fullmatch(bare)
    of = found and (found[2] or found[3])
    if not found or (of and int(of) != scale[1]) or said.strip().startswith("."):
        return None, f"{said.strip()[:40]!r} is not a number on the scale"
    value = float(found[1])
    if not scale[0] <= value <= scale[1]:
        return None, f"{said.strip()[:40]} is outside {scale[0]} to {scale[1]}"
    return value, ""


def _whole_number(said: str, scale: tuple[int, int]) -> tuple[float | None, str]:
    """A number as a rubric has it: one of its steps."""
    value, reason = _number(said, scale)
    if value is not None and not value.is_integer():
        return None, f"{said.strip()[:40]!r} is no step of the rubric"
    return value, reason


def _may_go_on(text: str, mark: WrittenVerdict, scale: tuple[int, int]) -> bool:
    """Whether a number at the very end of a reply that was cut off may have lost a digit."""
    if mark.end < len(text.rstrip()) or not text.rstrip()[-1:].isdigit():
        return False
    digits = re.findall(r"[0-9]+", mark.said)[-1]
    longer = (str(n) for n in range(scale[0], scale[1] + 1))
    return any(n.startswith(digits) and n != digits for n in longer)


def _meant(said: str, options: Mapping[str, str]) -> str | None:
    """The verdict that a word stands for: case, spaces, marks and `Answer` do not matter."""
    bare = _bare(said)
    forms = {bare, "".join(map(_without_slot, _SIGN.split(bare)))}
    forms |= {turned for form in forms if (turned := _turned(form))}
    words = {verdict: _bare(word) for verdict, word in options.items()}
    if not any(_SIGN.search(word) for word in words.values()):
        forms |= {winner for form in forms if (winner := _winner(form))}
    for verdict, word in words.items():
        if word in forms or (verdict == "tie" and forms & set(_TIES)):
            return verdict
    return None


def _without_slot(form: str) -> str:
    return _bare(form[prefix.end() :]) if (prefix := _SLOT.match(form)) else form


def _winner(form: str) -> str:
    """What a comparison says of two answers where the words are for them alone."""
    found = _COMPARED.fullmatch(_turned(form) or form)
    if not found or found[1] == found[3]:
        return ""
    return _TIES[0] if "=" in found[2] else found[1]


def _turned(form: str) -> str:
    """`B<A` as `A>B`, and what is equal as `A=B`; empty for other words."""
    found = _COMPARED.fullmatch(form)
    if not found or found[1] == found[3] or ">" in found[2]:
        return ""
    return "a=b" if "=" in found[2] else f"{found[3]}{found[2].replace('<', '>')}{found[1]}"


def _bare(said: str) -> str:
    said = said.strip(_EDGES).strip("[]").strip(_EDGES)
    return said.casefold().replace(" ", "")
