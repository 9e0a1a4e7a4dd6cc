"""From a judge's words or odds to a verdict, a score or an order; what is not clear is unparsed.

The last verdict wins, in the one form that the card names. Nothing outside the offered set
ever counts, as a tie or otherwise. No text raises, and none takes more than linear time.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from arena.backends import Odds
from arena.judging.forms import Format, wanted
from arena.records import Preference

# Part of a judge's identity: a change in how replies are read is a new number.
VERSION = 2
LEAST_MASS = 0.5
VERDICTS = {
    "A": (Preference.A, False),
    "B": (Preference.B, False),
    "tie": (Preference.TIE, False),
    "A>>B": (Preference.A, True),
    "A>B": (Preference.A, False),
    "B>A": (Preference.B, False),
    "B>>A": (Preference.B, True),
}
_THINKING = re.compile(r"[<\[](/?)(?:think|thinking|thought|reasoning)[>\]]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[\[([^\[\]]*)\]\]")
_CHOICE = re.compile(
    r"^[ \t>*#_-]*(?:最终|final )?(?:选择|结论|choice|verdict)[ \t*_]*:(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SCORE = re.compile(
    r"^[ \t>*#_-]*(?:最终|综合|final |overall )?(?:评分|得分|分数|score|rating)[ \t*_]*:(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
# The dictionary at the end of a CompassJudger review: github.com/open-compass/CompassJudger.
_OVERALL = re.compile(r"[\"'](?:综合得分|overall score)[\"'][ \t]*:[ \t]*([\d.]+)", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?) ?(?:分|points?)?(?: ?/ ?([0-9]{1,4}))?")
# Full-width forms stand for the plain characters, as they do on a Chinese keyboard.
_PLAIN: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= {ord("【"): "[", ord("】"): "]", ord("≫"): ">>", ord("≪"): "<<"}
_EDGES = " \t\r\n*_`\"'.。,，;；!！"
_JSON_TAIL = 50_000


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


def parse_verdict(text: str, options: Mapping[str, str], form: Format = Format.BRACKETS) -> Parsed:
    """Read the last verdict; options: each verdict (a key of VERDICTS) with the word for it."""
    spoken, unfinished = _spoken(text)
    said = _VERDICT[form](spoken, options)
    if said is None:
        reason = _why_silent(text, unfinished, wanted(form, options=options))
        return Parsed(Preference.UNPARSED, reason=reason)
    for verdict, word in options.items():
        if _same(said, word):
            preference, strong = VERDICTS[verdict]
            return Parsed(preference, strong)
    offered = ", ".join(options.values())
    return Parsed(Preference.UNPARSED, reason=f"{said[:40]!r} is none of {offered}")


def parse_score(
    text: str,
    scale: tuple[int, int],
    form: Format = Format.BRACKETS,
    criteria: Mapping[str, float] | None = None,
) -> ParsedScore:
    """Read the last number within the scale; with criteria (name to weight), their mean."""
    spoken, unfinished = _spoken(text)
    if criteria:
        return _parse_criteria(spoken, scale, form, criteria, unfinished)
    said = _NUMBERS[form](spoken)
    if said is None:
        return ParsedScore(None, reason=_why_silent(text, unfinished, wanted(form, scale=scale)))
    value, reason = _number(said, scale)
    return ParsedScore(value, reason=reason)


def parse_ranking(
    text: str, labels: Sequence[str], form: Format = Format.BRACKETS
) -> ParsedRanking:
    """Read the last order, in which every label stands exactly once."""
    spoken, unfinished = _spoken(text)
    places = _json_places(spoken) if form is Format.JSON else _written_places(spoken)
    if places is None:
        return ParsedRanking(None, _why_silent(text, unfinished, wanted(form, labels=labels)))
    named = [label.strip().upper() for place in places for label in place]
    if sorted(named) != sorted(labels):
        return ParsedRanking(None, f"{', '.join(named)[:40]!r} does not name each answer once")
    rank_of: dict[str, int] = {}
    place_from = 1
    for place in places:
        rank_of |= {label.strip().upper(): place_from for label in place}
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


def _parse_criteria(
    spoken: str,
    scale: tuple[int, int],
    form: Format,
    criteria: Mapping[str, float],
    unfinished: bool,
) -> ParsedScore:
    said = _json_object(spoken, criteria) if form is Format.JSON else _named_numbers(spoken)
    parts = []
    for name in criteria:
        if said is None or name.casefold() not in said:
            reason = _why_silent(spoken, unfinished, wanted(form, scale=scale, criteria=criteria))
            return ParsedScore(None, reason=f"nothing for {name}: {reason}")
        value, reason = _number(said[name.casefold()], scale)
        if value is None:
            return ParsedScore(None, reason=f"{name}: {reason}")
        parts.append((name, value))
    total = sum(criteria[name] * value for name, value in parts) / sum(criteria.values())
    return ParsedScore(total, tuple(parts))


def _spoken(text: str) -> tuple[str, bool]:
    """What is said aloud, in plain characters; and whether the reply ends while thinking."""
    plain = text.translate(_PLAIN).replace("\\[", "[").replace("\\]", "]").replace("\\>", ">")
    kept: list[str] = []
    start, thinking = 0, False
    for tag in _THINKING.finditer(plain):
        if tag[1]:
            # Without an opening tag, which a chat template may have put, all before was thought.
            kept = kept if thinking else []
            thinking, start = False, tag.end()
        elif not thinking:
            kept.append(plain[start : tag.start()])
            thinking = True
    return "\n".join(kept if thinking else [*kept, plain[start:]]), thinking


def _bracketed(spoken: str, _: object = None) -> str | None:
    return _last(found[1] for found in _BRACKETS.finditer(spoken))


def _chosen(spoken: str, _: object = None) -> str | None:
    return _last(found[1] for found in _CHOICE.finditer(spoken))


def _scored(spoken: str) -> str | None:
    return _last(found[1] for found in _SCORE.finditer(spoken))


def _prometheus(spoken: str, _: object = None) -> str | None:
    _, mark, said = spoken.casefold().rpartition("[result]")
    if not mark:
        return None
    return said.strip(_EDGES + ":").removeprefix("response").strip(_EDGES + "()[]")


def _compassjudger(spoken: str, options: Mapping[str, str]) -> str | None:
    """The last line where it is a bare option, or a verdict as other judges write it."""
    last = spoken.strip().rpartition("\n")[2]
    if any(_same(last, word) for word in options.values()):
        return last
    return _bracketed(last) or _chosen(last)


def _compassjudger_score(spoken: str) -> str | None:
    return _last(found[1] for found in _OVERALL.finditer(spoken)) or _bracketed(spoken)


def _json_choice(spoken: str, _: object = None) -> str | None:
    return (_json_object(spoken, ["choice"]) or {}).get("choice")


def _json_score(spoken: str) -> str | None:
    return (_json_object(spoken, ["score"]) or {}).get("score")


_VERDICT: dict[Format, Callable[[str, Mapping[str, str]], str | None]] = {
    Format.BRACKETS: _bracketed,
    Format.CHOICE: _chosen,
    Format.JSON: _json_choice,
    Format.COMPASSJUDGER: _compassjudger,
    Format.PROMETHEUS: _prometheus,
}
_NUMBERS: dict[Format, Callable[[str], str | None]] = {
    Format.BRACKETS: _bracketed,
    Format.CHOICE: _scored,
    Format.JSON: _json_score,
    Format.COMPASSJUDGER: _compassjudger_score,
    Format.PROMETHEUS: _prometheus,
}


def _named_numbers(spoken: str) -> dict[str, str]:
    """The last `[[name: number]]` of each name."""
    pairs = (found[1].rpartition(":") for found in _BRACKETS.finditer(spoken))
    return {name.strip().casefold(): number for name, mark, number in pairs if mark}


def _json_object(spoken: str, fields: Iterable[str]) -> dict[str, str] | None:
    """The last object with all these fields, their values as text; booleans are no values."""
    for found in reversed(_json_objects(spoken)):
        values = {name.casefold(): value for name, value in found.items()}
        wanted_values = {name.casefold(): values.get(name.casefold()) for name in fields}
        if all(type(value) in (str, int, float) for value in wanted_values.values()):
            return {name: str(value) for name, value in wanted_values.items()}
    return None


def _json_objects(spoken: str) -> list[dict[str, Any]]:
    """The outermost JSON objects near the end of a text."""
    tail, decoder, start, found = spoken[-_JSON_TAIL:], json.JSONDecoder(), 0, []
    while (start := tail.find("{", start)) >= 0:
        try:
            value, start = decoder.raw_decode(tail, start)
            found.append(value)
        except (ValueError, RecursionError):
            start += 1
    return found


def _json_places(spoken: str) -> list[list[str]] | None:
    for found in reversed(_json_objects(spoken)):
        if isinstance(order := found.get("ranking"), list):
            places = [place if isinstance(place, list) else [place] for place in order]
            return [[str(label) for label in place] for place in places]
    return None


def _written_places(spoken: str) -> list[list[str]] | None:
    said = _bracketed(spoken)
    return None if said is None else [place.split("=") for place in said.split(">")]


def _number(said: str, scale: tuple[int, int]) -> tuple[float | None, str]:
    found = _NUMBER.fullmatch(said.strip(" \t\r\n*_`\"'").rstrip(_EDGES))
    if not found or (found[2] and int(found[2]) != scale[1]):
        return None, f"{said.strip()[:40]!r} is not a number on the scale"
    value = float(found[1])
    if not scale[0] <= value <= scale[1]:
        return None, f"{said.strip()[:40]} is outside {scale[0]} to {scale[1]}"
    return value, ""


def _same(said: str, word: str) -> bool:
    """Whether a word is meant: case, spaces and marks around it do not matter."""
    said = said.strip(_EDGES).strip("[]").strip(_EDGES)
    return said.casefold().replace(" ", "") == word.casefold().replace(" ", "")


def _last(found: Iterable[str]) -> str | None:
    last = deque(found, maxlen=1)
    return last[0].strip() if last else None


def _why_silent(text: str, unfinished: bool, form: str) -> str:
    if not text.strip():
        return "the reply is empty"
    if unfinished:
        return "the reply ends while thinking"
    return f"the reply has no {form}"
