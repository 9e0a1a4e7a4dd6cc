"""Constraints on a text that a program can check, for instruction following.

An item has a list of them, each an object with a `kind` and its arguments, as
`{"kind": "sentences", "least": 3, "most": 3}`. Counts of words are of words between spaces in
an alphabet, and of characters in Chinese.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from types import MappingProxyType
from typing import Any

from arena.backends.thinking import split
from arena.records.errors import InputError

_CJK = re.compile(r"[\u4e00-\u9fff]")
_SHORT = r"(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\be\.g\.)(?<!\bi\.e\.)"
_SENTENCE_END = re.compile(
    rf"(?<=[.!?]){_SHORT}[\"'”’)*_]*(?=\s|$)|[。！？]+[”」』）*]*|(?<=[\u4e00-\u9fff])[!?]+"
)
# Blanks before the mark are of its own line: of many empty lines each would else be read again.
_BULLET = re.compile(r"^[^\S\n]*(?:-(?=[^-\d\s])|[-*+]\s+(?=\S)|[•·]\s*(?=\S))", re.MULTILINE)
_NUMBERED = re.compile(
    r"^[^\S\n]*[(（]?(?:\d{1,2}(?:[.)](?!\d)|[、．）])|[①-⑳])\s*(?=\S)", re.MULTILINE
)
_QUOTES = (('"', '"'), ("“", "”"), ("「", "」"), ("『", "』"))
_CLOSING = " \n\t.!?。！？\"'”’」』)）*"

Check = Callable[..., bool]


def _words(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(sum(any(map(str.isalnum, w)) for w in text.split()), least, most)


def _characters(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(_CJK.findall(text)), least, most)


def _sentences(text: str, least: int = 0, most: int | None = None) -> bool:
    parts = _SENTENCE_END.split(_NUMBERED.sub("", text))
    return _within(sum(any(map(str.isalnum, part)) for part in parts), least, most)


def _paragraphs(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len([p for p in re.split(r"\n\s*\n", text.strip()) if p.strip()]), least, most)


def _bullets(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(_BULLET.findall(text)), least, most)


def _numbered(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(_NUMBERED.findall(text)), least, most)


def _lines(text: str, least: int = 0, most: int | None = None) -> bool:
    return _within(len(_lines_of(text)), least, most)


def _each_line(text: str, begins: str) -> bool:
    lines = _lines_of(text)
    return bool(lines) and all(line.strip().startswith(begins) for line in lines)


def _include(text: str, words: Sequence[str], times: int = 1) -> bool:
    return all(_count(text, word) >= times for word in words)


def _exclude(text: str, words: Sequence[str]) -> bool:
    return not any(_count(text, word) for word in words)


def _begins(text: str, wanted: str) -> bool:
    follows_on = r"(?![^\W_])" if wanted[-1:].isascii() else ""
    return re.match(re.escape(wanted) + follows_on, text.strip(), re.IGNORECASE) is not None


def _ends(text: str, wanted: str) -> bool:
    """With these words, whatever the punctuation after them."""
    before = r"(?<![^\W_])" if wanted[:1].isascii() else ""
    pattern = f"{before}{re.escape(wanted.strip(_CLOSING))}$"
    return re.search(pattern, text.rstrip(_CLOSING), re.IGNORECASE) is not None


def _lowercase(text: str) -> bool:
    return text.islower()


def _uppercase(text: str) -> bool:
    return text.isupper()


def _is_json(text: str, keys: Sequence[str] = (), lists: Mapping[str, int] | None = None) -> bool:
    """An object with these keys, and under some of them lists of so many; else any value."""
    fenced = re.sub(r"^```(?:json)?", "", text.strip(), flags=re.IGNORECASE)
    bare = fenced.removesuffix("```")
    try:
        value = json.loads(bare, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if not keys:
        return True
    if not isinstance(value, dict) or not set(keys) <= set(value):
        return False
    wanted = (lists or {}).items()
    return all(isinstance(value[k], list) and len(value[k]) == n for k, n in wanted)


def _quoted(text: str) -> bool:
    bare = text.strip()
    inside = bare[1:-1]
    return bool(inside) and any(
        (bare[0], bare[-1]) == pair and not set(pair) & set(inside) for pair in _QUOTES
    )


def _title(text: str) -> bool:
    return re.search(r"<<[^<>\n]+>>|《[^《》\n]+》", text) is not None


def _placeholders(text: str, least: int = 1) -> bool:
    return len(re.findall(r"[\[［][^\[\]［］\n]+[\]］]", text)) >= least


def _language(text: str, is_: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    own = _CJK.findall(text) if is_ == "zh" else [c for c in letters if c.isascii()]
    return len(own) > len(letters) / 2


def _without_commas(text: str) -> bool:
    return text.strip() != "" and not re.search("[,，]", text)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "words": _words,
        "characters": _characters,
        "sentences": _sentences,
        "paragraphs": _paragraphs,
        "bullets": _bullets,
        "numbered": _numbered,
        "lines": _lines,
        "each_line": lambda text, text_: _each_line(text, text_),
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
    """For each constraint whether the reply keeps it; raises InputError for an unknown one.

    An argument that is null is one that is not there.
    """
    text = split(reply).answer.strip()
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
    try:
        signature(CHECKS[kind]).bind(text, **arguments)
    except TypeError as error:
        raise InputError(f"constraint {kind}: {error}") from error
    return CHECKS[kind](text, **arguments)


def _lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _within(count: int, least: int, most: int | None) -> bool:
    return count >= least and (most is None or count <= most)


def _count(text: str, word: str) -> int:
    if word.isascii():
        pattern = rf"(?<![a-z0-9]){re.escape(word.casefold())}(?![a-z0-9])"
        return len(re.findall(pattern, text.casefold()))
    return text.count(word)
