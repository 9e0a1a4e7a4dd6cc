"""Whether a reply is an answer word by word, formulas included.

Marks of a sentence, quotation marks and articles mean nothing; operators, signs, currencies and
brackets do, so that x+1 is not x-1 and [0,1) is not (0,1].
"""

import re
import unicodedata

from arena.benchmarks.replies.numbers import value_of
from arena.benchmarks.replies.plain import CJK, plainly

WORD = rf"[{CJK}]|[^\W_{CJK}]+(?:\+\+|#)?"
_TOKEN = re.compile(rf"{WORD}|(?<=\w)[.:](?=\w)|[^\w\s.:]")
_SIGNS = frozenset("^°%&@/*-!()[]{}.:")
_ARTICLES = frozenset(("a", "an", "the"))
_DASHES = re.compile("[‐‑‒–—−]")
# A hyphen inside a word, or a dash that begins an item of a list, is no minus.
_HYPHEN = re.compile(r"(?:(?<=[^\W\d_]{2})-|\A\s*-\s+)(?=[^\W\d_]{2})")
_EMPHASIS = re.compile(r"\A\s*([*_])([^*_]*)\1\W*\Z")
_MATHS = re.compile(r"\$([^$]*)\$")
_GROUP = re.compile(r"(?<=[\^_])\{\s*(\w+)\s*\}|(?<=\\sqrt)\{\s*(\w+)\s*\}")
_FRACTION_NAME = re.compile(r"\\[dtc]frac(?![a-z])")
_ONE_ARGUMENT = re.compile(r"(\\sqrt)\s?(\w)(?!\w*})")
_IN_BRACKETS = re.compile(r"(?:\(([^()\[\],;]*)\)|\[([^()\[\],;]*)\])\W?")
_TYPED = (("<=", "≤"), (">=", "≥"), ("!=", "≠"))
_SHOUT = re.compile(r"!+(?![\w=(])")
_CURRENCY = re.compile("[$€£¥]")


def is_same(reply: str, answer: str) -> bool:
    """Equal as amounts where both are numbers, else word by word and sign by sign."""
    said, wanted = value_of(reply), value_of(answer)
    if said.value is not None and wanted.value is not None:
        are_alike = said.percent == wanted.percent and _currency(reply) == _currency(answer)
        return are_alike and said.value == wanted.value
    tokens = _tokens(reply)
    return tokens == _tokens(answer) if tokens else reply.strip() == answer.strip()


def _currency(text: str) -> set[str]:
    return set(_CURRENCY.findall(_MATHS.sub(r"\1", plainly(text))))


def _tokens(text: str) -> list[str]:
    """The words and signs that mean something; without articles, unless nothing else is there."""
    text = _FRACTION_NAME.sub(r"\\frac", plainly(text))
    text = _ONE_ARGUMENT.sub(r"\1{\2}", text)
    text = _MATHS.sub(r"\1", text.casefold()).strip()
    text = _DASHES.sub("-", _EMPHASIS.sub(r"\2", text))
    if alone := _IN_BRACKETS.fullmatch(text):
        text = alone[1] or alone[2] or ""
    for typed, sign in _TYPED:
        text = text.replace(typed, sign)
    text = _GROUP.sub(lambda found: f" {found[1] or found[2]} ", text)
    text = _SHOUT.sub(" ", _HYPHEN.sub(" ", text))
    tokens = [token for token in _TOKEN.findall(text) if _means_something(token)]
    return [token for token in tokens if token not in _ARTICLES] or tokens


def _means_something(token: str) -> bool:
    return token[0].isalnum() or token in _SIGNS or unicodedata.category(token) in ("Sm", "Sc")
