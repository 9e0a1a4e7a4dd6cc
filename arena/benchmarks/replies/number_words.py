"""Numbers in words, English and Chinese; and what a number that was found is."""

import re
from dataclasses import dataclass
from decimal import Decimal

NO_NUMBER = "the reply gives no number"
_COUNTED = re.compile(r"[^\x00-\x7f]{0,3}|\s?[A-Za-z]{0,12}")
_FRACTION_WORD = re.compile(
    r"(?i)[ -](?:half|halves|thirds?|quarters?|(?:four|fif|six|seven|eigh|nin|ten)ths?)\b"
)
_CHINESE_DIGITS = "[零〇一二两三四五六七八九十百千万]+"
_CHINESE_NUMBER = re.compile(rf"负?(?:{_CHINESE_DIGITS}分之)?{_CHINESE_DIGITS}")
_DIGITS = {c: k for k, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: k for k, word in enumerate(_SMALL)} | {w: 20 + 10 * k for k, w in enumerate(_TENS)}
_LARGE = {"thousand": 1000, "million": 10**6, "billion": 10**9}
_ANY_WORD = "|".join([*_WORDS, "hundred", *_LARGE])
_SPELLED = re.compile(
    rf"(?i)\b(?:(?:minus|negative) )?(?:a (?=hundred|thousand|million))?(?:{_ANY_WORD})"
    rf"(?:(?:[ -]|,? and )(?:{_ANY_WORD})){{0,12}}\b"
)


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """value: None where there is none, or several, and `why` then. percent: said as such."""

    value: Decimal | None
    percent: bool = False
    why: str = ""


NOTHING = FoundNumber(None, why=NO_NUMBER)


def alone(text: str, *, begins: bool = False) -> FoundNumber | None:
    """A number in numerals or words where it is all that is said, or what is said first."""
    bare = text.strip(" *_$\"'.。!")
    for pattern, read in ((_CHINESE_NUMBER, _in_chinese), (_SPELLED, _spelled)):
        found = pattern.match(bare)
        if found and _FRACTION_WORD.match(bare, found.end()):
            return NOTHING
        if found and (begins or _COUNTED.fullmatch(bare, found.end())):
            return read(found[0])
    return None


def _in_chinese(text: str) -> FoundNumber:
    """A numeral, a fraction as 三分之二, or a percentage as 百分之五."""
    bare = text.removeprefix("负")
    below, is_ratio, above = bare.rpartition("分之")
    value, divisor = _chinese(above), _chinese(below) if is_ratio else Decimal(1)
    is_percent = below == "百"
    if not divisor:
        return NOTHING
    value = value if is_percent else value / divisor
    return FoundNumber(-value if bare != text else value, is_percent)


def _chinese(text: str) -> Decimal:
    """Numerals below a hundred million, as 三百二十 or 二〇二五."""
    above, myriad, below = text.partition("万")
    if myriad:
        low = below.partition("万")[0]
        return _chinese(above) * 10000 + (_chinese(low) if low else 0)
    if not any(char in _UNITS for char in text):
        return Decimal("".join(str(_DIGITS.get(char, 0)) for char in text) or "0")
    total, digit = 0, 0
    for char in text:
        if char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS.get(char, 0)
    return Decimal(total + digit)


def _spelled(text: str) -> FoundNumber:
    """English words, as twenty-five or two hundred and six."""
    total, here = 0, 0
    for word in re.findall("[a-z]{2,}", text.lower()):
        if word == "hundred":
            here = (here or 1) * 100
        elif word in _LARGE:
            total, here = total + (here or 1) * _LARGE[word], 0
        else:
            here += _WORDS.get(word, 0)
    is_negative = text.lower().startswith(("minus", "negative"))
    return FoundNumber(Decimal(-(total + here) if is_negative else total + here))
