"""From a judge's words or odds to a verdict or a score; what is not clear is unparsed.

The last verdict wins. Nothing outside the offered set ever counts, as a tie or otherwise.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp
from typing import Any

from arena.backends import Odds
from arena.records import Preference


class Format(StrEnum):
    """How a written verdict looks."""

    BRACKETS = "brackets"


@dataclass(frozen=True, slots=True)
class ParsedRanking:
    """Places from 1 of the answers as shown, or None with the reason."""

    ranks: tuple[int, ...] | None
    reason: str = ""


def parse_ranking(
    text: str, labels: Sequence[str], form: Format = Format.BRACKETS
) -> ParsedRanking:
    """Read the last `[[B > A = C]]`, in which every label stands once."""
    said = _last_bracket(text)
    if said is None:
        return ParsedRanking(None, _why_silent(text))
    places = [[label.strip() for label in place.split("=")] for place in said.split(">")]
    if sorted(label for place in places for label in place) != sorted(labels):
        return ParsedRanking(None, f"[[{said[:40]}]] does not name each answer once")
    rank_of = {label: k for k, place in enumerate(places, start=1) for label in place}
    return ParsedRanking(tuple(rank_of[label] for label in labels))


def wanted(form: Format, **offered: Any) -> str:
    """The shape that a verdict must have."""
    if options := offered.get("options"):
        return ", ".join(f"[[{word}]]" for word in options.values())
    return "[[…]]"


def response_schema(form: Format, **offered: Any) -> dict[str, Any] | None:
    """The JSON schema of a structured reply; brackets have none."""
    return None


VERSION = 1
LEAST_MASS = 0.5
_THINKING = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_OPEN_THINKING = re.compile(r"<think(?:ing)?>")
_BRACKETS = re.compile(r"\[\[([^\[\]]*)\]\]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A verdict, or UNPARSED with the reason."""

    preference: Preference
    strong: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A number on the scale, or None with the reason."""

    value: float | None
    parts: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReadOdds:
    """Probabilities of the three verdicts, summing to 1, and the mass they were read from."""

    p_first: float
    p_second: float
    p_tie: float
    mass: float


def parse_verdict(text: str, options: dict[str, str], form: Format = Format.BRACKETS) -> Parsed:
    """Read the last `[[word]]`; options: verdict (`A`, `B`, `tie`) to the word for it."""
    said = _last_bracket(text)
    if said is None:
        return Parsed(Preference.UNPARSED, reason=_why_silent(text))
    for verdict, word in options.items():
        if said.casefold() == word.casefold():
            return Parsed(Preference(verdict))
    return Parsed(
        Preference.UNPARSED, reason=f"[[{said[:40]}]] is none of {', '.join(options.values())}"
    )


def parse_score(
    text: str,
    scale: tuple[int, int],
    form: Format = Format.BRACKETS,
    criteria: dict[str, float] | None = None,
) -> ParsedScore:
    """Read the last `[[number]]` within the scale."""
    said = _last_bracket(text)
    if said is None:
        return ParsedScore(None, reason=_why_silent(text))
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", said):
        return ParsedScore(None, reason=f"[[{said[:40]}]] is not a number")
    value = float(said)
    if not scale[0] <= value <= scale[1]:
        return ParsedScore(None, reason=f"[[{said}]] is outside {scale[0]} to {scale[1]}")
    return ParsedScore(value)


def read_verdict(odds: Odds, options: dict[str, str]) -> tuple[Parsed, ReadOdds]:
    """Read the odds of the options' words, which come in the options' order."""
    mass = odds.mass
    shares = {
        verdict: exp(value) / mass if mass else 0.0
        for verdict, value in zip(options, odds.logprobs, strict=True)
    }
    read = ReadOdds(shares["A"], shares["B"], shares.get("tie", 0.0), mass)
    if mass < LEAST_MASS:
        return Parsed(Preference.UNPARSED, reason=f"the verdicts hold {mass:.2f} of the mass"), read
    return Parsed(Preference(max(shares, key=lambda verdict: shares[verdict]))), read


def read_score(odds: Odds, scale: tuple[int, int]) -> ParsedScore:
    """The expectation over the scale's digits, whose odds come in ascending order."""
    if odds.mass < LEAST_MASS:
        return ParsedScore(None, reason=f"the digits hold {odds.mass:.2f} of the mass")
    weights = [exp(value) for value in odds.logprobs]
    numbers = range(scale[0], scale[1] + 1)
    return ParsedScore(sum(n * w for n, w in zip(numbers, weights, strict=True)) / sum(weights))


def _last_bracket(text: str) -> str | None:
    spoken = _OPEN_THINKING.split(_THINKING.sub("", text))[0]
    found = _BRACKETS.findall(spoken)
    return found[-1].strip() if found else None


def _why_silent(text: str) -> str:
    if not text.strip():
        return "the reply is empty"
    if _OPEN_THINKING.search(_THINKING.sub("", text)):
        return "the reply ends while thinking"
    return "the reply has no [[verdict]]"
