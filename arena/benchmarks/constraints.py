"""Constraints on a text that a program can check, for instruction following.

An item has a list of them, each an object with a `kind` and its arguments, as
`{"kind": "sentences", "least": 3, "most": 3}`. Counts of words are of words between spaces in
an alphabet, and of characters in Chinese.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from arena.errors import InputError

_CJK = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*(?=\s|$)|[。！？]+[”」』）]*")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s*\S", re.MULTILINE)

Check = Callable[..., bool]


def _words(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(text.split()), least, most)


def _characters(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(_CJK.findall(text)), least, most)


def _sentences(text: str, least: int = 0, most: int | None = None) -> bool:
    parts = [part for part in _SENTENCE_END.split(text.strip()) if part.strip()]
    return _within(len(parts), least, most)


def _paragraphs(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len([p for p in re.split(r"\n\s*\n", text.strip()) if p.strip()]), least, most)


def _bullets(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(_BULLET.findall(text)), least, most)


def _lines(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len([x for x in text.splitlines() if x.strip()]), least, most)


def _include(text: str, words: Sequence[str], times: int = 1) -> bool:
    return all(_count(text, word) >= times for word in words)


def _exclude(text: str, words: Sequence[str]) -> bool:
    return not any(_count(text, word) for word in words)


def _begins(text: str, text_is: str) -> bool:
    return text.strip().casefold().startswith(text_is.casefold())


def _ends(text: str, text_is: str) -> bool:
    return text.strip().casefold().endswith(text_is.casefold())


def _lowercase(text: str) -> bool:
    return text.strip() != "" and text == text.lower()


def _uppercase(text: str) -> bool:
    return text.strip() != "" and text == text.upper() and text != text.lower()


def _is_json(text: str, keys: Sequence[str] = ()) -> bool:
    bare = re.sub(r"^```(?:json)?\s*|\s*```$", "", text.strip())
    try:
        value = json.loads(bare)
    except (json.JSONDecodeError, RecursionError):
        return False
    return isinstance(value, dict) and set(keys) <= set(value) if keys else True


def _quoted(text: str) -> bool:
    bare = text.strip()
    return len(bare) > 1 and (bare[0], bare[-1]) in (('"', '"'), ("“", "”"), ("「", "」"))


def _title(text: str) -> bool:
    return re.search(r"<<[^<>\n]+>>|《[^《》\n]+》", text) is not None


def _placeholders(text: str, least: int = 1) -> bool:
    return len(re.findall(r"\[[^\[\]\n]+\]", text)) >= least


def _language(text: str, is_: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    chinese = len(_CJK.findall(text))
    return bool(letters) and (chinese > len(letters) / 2) == (is_ == "zh")


def _without_commas(text: str) -> bool:
    return text.strip() != "" and not re.search("[,，]", text)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "words": _words,
        "characters": _characters,
        "sentences": _sentences,
        "paragraphs": _paragraphs,
        "bullets": _bullets,
        "lines": _lines,
        "include": _include,
        "exclude": _exclude,
        "begins": lambda text, text_: _begins(text, text_),
        "ends": lambda text, text_: _ends(text, text_),
        "lowercase": _lowercase,
        "uppercase": _uppercase,
        "json": _is_json,
        "quoted": _quoted,
        "title": _title,
        "placeholders": _placeholders,
        "language": _language,
        "no_commas": _without_commas,
    }
)


def follows(reply: str, constraints: Sequence[Mapping[str, Any]]) -> list[bool]:
    """For each constraint whether the reply keeps it; raises InputError for an unknown one."""
    text = reply.split("</think>")[-1].strip()
    return [_keeps(text, constraint) for constraint in constraints]


def _keeps(text: str, constraint: Mapping[str, Any]) -> bool:
    kind = str(constraint.get("kind"))
    if kind not in CHECKS:
        raise InputError(f"constraint {kind!r}; allowed are {', '.join(CHECKS)}")
    arguments = {
        {"text": "text_", "is": "is_"}.get(name, name): value
        for name, value in constraint.items()
        if name != "kind" and value is not None
    }
    return CHECKS[kind](text, **arguments)


def _within(count: int, least: int, most: int | None) -> bool:
    return count >= least and (most is None or count <= most)


def _count(text: str, word: str) -> int:
    if word.isascii():
        pattern = rf"(?<![a-z0-9]){re.escape(word.casefold())}(?![a-z0-9])"
        return len(re.findall(pattern, text.casefold()))
    return text.count(word)
