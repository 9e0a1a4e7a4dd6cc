"""Finding the answer in a reply, and marking it; the metrics of open items.

Each marker returns a `Mark`: the value, and whether the reply held an answer at all, so that
a wrong answer and a reply that nobody can read are told apart.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from string import ascii_uppercase
from types import MappingProxyType

_NUMERAL = "[〇零一二两三四五六七八九十百千万0-9]"
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?")
_DECLARED = re.compile(
    r"(?:answer|option|choice|答案|所以选|故选|因此选|应选|应该选|我选|本题选|选择|选项)"
    r"\s*(?:is|would be|must be|should be|应该是|应该为|应为|应是|为|是)?\s*(?:the )?"
    r"(?:correct )?(?:option|choice|选项)?\s*:?\s*[*_$\\(\[【{\"“'《]*\s*(?:boxed\{|text\{)?",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{\s*(?:\\text\{)?([^{}]*)\}")
_FRACTION = re.compile(r"\\d?frac\{(\d+)\}\{(\d+)\}")
_NEXT = re.compile(r"\n\s*(?:question|problem|问题|题目)\s*\d*\s*:", re.IGNORECASE)
_ANOTHER = re.compile(r"\s*(?:or|and|/|,|或者?|和|、)\s*[A-Z](?![A-Za-z])")
_PRONOUN = re.compile(r"\b([AI]) (?!or\b|and\b|is\b)[a-z]")
_LONE = re.compile(r"[\s(\[]*([a-z])[\s)\].:。]*", re.IGNORECASE)
_CHINESE_NUMBER = re.compile(r"负?[零〇一二两三四五六七八九十百千万]+")
_DIGITS = {c: k for k, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_RAISED = re.compile("[⁰¹²³⁴-⁹₀-₉]")
_NEVER = re.compile(r"(?!)()")
_CJK = "\u4e00-\u9fff"
_WORDS = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


@dataclass(frozen=True, slots=True)
class Mark:
    """value: in [0, 1]. found: whether the reply held anything to mark."""

    value: float
    found: bool = True


NOTHING = Mark(0.0, found=False)
JUDGED = "judged"
LONG_ANSWER_WORDS = 12


def spoken(reply: str) -> str:
    """What a model says after its thinking; nothing where it never stopped to think."""
    return reply.rpartition("</think>")[2].partition("<think>")[0]


def letter(reply: str, choices: Sequence[str]) -> int | None:
    """The option that a reply picks, None where it picks none or several.

    In this order: the last declared answer ("the answer is B", 答案是B), a reply that begins
    with a letter alone, one letter alone in the whole reply, one option's text alone in it.
    A base model may go on with a question of its own; what it says before that counts.
    """
    text = _plain(reply)
    first = _NEXT.split(text, maxsplit=1)[0]
    picked = _picked(first, choices)
    return _picked(text, choices) if picked is None and first != text else picked


def _picked(text: str, choices: Sequence[str]) -> int | None:
    letters = ascii_uppercase[: len(choices)]
    alone = re.compile(rf"(?<![A-Za-z])([{letters}])(?![A-Za-z'])") if letters else _NEVER
    opening = re.match(
        rf"[\s*_(\[]*([{letters or '-'}])(?=$|[\s.,:;)\]*、。])(?! [a-z])(?!{_ANOTHER.pattern})",
        text,
    )
    if declared := _declared_letters(text, alone):
        return None if declared[-1] == "" else letters.index(declared[-1])
    if opening:
        return letters.index(opening[1])
    if (lone := _LONE.fullmatch(text)) and lone[1].upper() in letters:
        return letters.index(lone[1].upper())
    singles = set(alone.findall(text)) - set(_PRONOUN.findall(text))
    if len(singles) == 1:
        return letters.index(singles.pop())
    named = [k for k, choice in enumerate(choices) if contains(text, choice)]
    longest = [k for k in named if not any(choices[k] in choices[j] for j in named if j != k)]
    return longest[0] if len(longest) == 1 and len(singles) < 2 else None


def _declared_letters(text: str, alone: re.Pattern[str]) -> list[str]:
    """Letters that follow "the answer is" and the like; empty ones where several follow it."""
    ends = [found.end() for found in _DECLARED.finditer(text)]
    found = [match for end in ends if (match := alone.match(text, end))]
    said = ["" if _ANOTHER.match(text, match.end()) else match[1] for match in found]
    boxed = [part.strip(" .()") for part in _BOXED.findall(text)]
    return said or [part for part in boxed if len(part) == 1 and alone.match(part)]


def number(reply: str) -> Decimal | None:
    """The last declared number of a reply, else its last number; None where it has none.

    Chinese numerals count where they are declared, or all that is said. 50% is 50.
    """
    text = _plain(_RAISED.sub(" ", reply)).replace("−", "-").replace("\u2044", "/")
    text = _FRACTION.sub(r"\1/\2", text)
    first = _NEXT.split(text, maxsplit=1)[0]
    found = _numbered(first)
    return _numbered(text) if found is None and first != text else found


def _numbered(text: str) -> Decimal | None:
    ends = [found.end() for found in _DECLARED.finditer(text)]
    if declared := [value for end in ends if (value := _stated(text, end)) is not None]:
        return declared[-1]
    boxed = [found for part in _BOXED.findall(text) if (found := _NUMBER.search(part))]
    if numbers := boxed[-1:] or list(_NUMBER.finditer(text))[-1:]:
        return _value(numbers[0][0])
    alone = _CHINESE_NUMBER.match(text.strip())
    return _chinese(alone[0]) if alone and len(text.strip()) <= alone.end() + 3 else None


def _stated(text: str, start: int) -> Decimal | None:
    """The number that stands after `start`: of a sum that is worked out there, its result."""
    stop = text.find("\n", start)
    line = text[start : stop if stop > start else start + 40]
    left, equals, _ = line.partition("=")
    if equals and re.search(r"\d\s*[-+*/×÷]\s*\d", left):
        line = line.rpartition("=")[2]
    if found := _NUMBER.search(line[:40]):
        return _value(found[0])
    chinese = _CHINESE_NUMBER.match(line)
    return _chinese(chinese[0]) if chinese else None


def _chinese(text: str) -> Decimal:
    """Numerals below a hundred million, as 三百二十 or 二〇二五."""
    sign, text = (-1, text[1:]) if text.startswith("负") else (1, text)
    above, myriad, below = text.partition("万")
    if myriad:
        return sign * (_chinese(above) * 10000 + (_chinese(below) if below else 0))
    if not any(char in _UNITS for char in text):
        return sign * Decimal("".join(str(_DIGITS.get(char, 0)) for char in text) or "0")
    total, digit = 0, 0
    for char in text:
        if char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS.get(char, 0)
    return Decimal(sign * (total + digit))


def mark_choice(reply: str, choices: Sequence[str], gold: int) -> Mark:
    """1 where the reply picks the right option."""
    picked = letter(reply, choices)
    return NOTHING if picked is None else Mark(float(picked == gold))


def mark_number(reply: str, answers: Sequence[str]) -> Mark:
    """1 where the reply's number equals an answer's, as numbers."""
    said = number(reply)
    if said is None:
        return NOTHING
    return Mark(float(any(said == _value(answer) for answer in answers)))


def mark_contains(reply: str, answers: Sequence[str]) -> Mark:
    """1 where one of the accepted answers stands in the reply as a whole word or number."""
    reply = spoken(reply)
    if not reply.strip():
        return NOTHING
    return Mark(float(any(contains(reply, answer) for answer in answers)))


def mark_exact(reply: str, answers: Sequence[str]) -> Mark:
    """1 where the reply is an answer, whatever case, width, punctuation, articles."""
    reply = spoken(reply)
    if not reply.strip():
        return NOTHING
    return Mark(float(any(_same(reply, answer) for answer in answers)))


def mark_recall(reply: str, answers: Sequence[str]) -> Mark:
    """The share of the answers, all of which are wanted, that stand in the reply."""
    reply = spoken(reply)
    if not reply.strip():
        return NOTHING
    return Mark(sum(contains(reply, answer) for answer in answers) / len(answers))


def mark_later(reply: str, answers: Sequence[str]) -> Mark:
    """No mark at all: every reply is left to a judge."""
    return NOTHING


def mark_f1(reply: str, answers: Sequence[str]) -> Mark:
    """Token F1 with the closest answer; Chinese by characters (as SQuAD and CMRC have it)."""
    reply = spoken(reply)
    if not reply.strip():
        return NOTHING
    return Mark(max(_f1(_words(reply), _words(answer)) for answer in answers))


Marker = Callable[[str, Sequence[str]], Mark]
METRICS: Mapping[str, Marker] = MappingProxyType(
    {
        "number": mark_number,
        "contains": mark_contains,
        "exact": mark_exact,
        "f1": mark_f1,
        "recall": mark_recall,
        JUDGED: mark_later,
    }
)


def metric_for(answers: Sequence[str]) -> str:
    """The metric that fits a set's answers: numbers, short texts, or long ones."""
    if all(_value(answer) is not None for answer in answers):
        return "number"
    words = sorted(len(_words(answer)) for answer in answers)
    return "f1" if words[len(words) // 2] > LONG_ANSWER_WORDS else "contains"


def contains(reply: str, answer: str) -> bool:
    """Whether `answer` stands in `reply`: whole words and whole numbers, whatever the case."""
    text, wanted = (
        " ".join(unicodedata.normalize("NFKC", s).casefold().split()) for s in (reply, answer)
    )
    if not wanted:
        return False
    before, after = "", ""
    if not re.search(f"[{_CJK}]", wanted):
        before, after = rf"(?<![^\W_{_CJK}])(?<!\d\.)", rf"(?![^\W_{_CJK}]|\.\d)"
        if wanted[0].isdigit():
            before += r"(?<![^\w\s]-)(?<!\s-)(?<!\A-)"
            before += r"(?<!\d,)" if re.match(r"\d{3}(?!\d)", wanted) else ""
            after += r"(?!,\d{3}(?!\d))"
    if re.match(_NUMERAL, wanted):
        before += f"(?<!{_NUMERAL})"
    if re.match(_NUMERAL, wanted[-1]):
        after += f"(?!{_NUMERAL})"
    return re.search(f"{before}{re.escape(wanted)}{after}", text) is not None


def _plain(text: str) -> str:
    """What follows the model's thinking, its full-width letters plain, without emphasis marks."""
    return unicodedata.normalize("NFKC", spoken(text)).replace("**", "").replace("__", "")


def _value(text: str) -> Decimal | None:
    text = unicodedata.normalize("NFKC", text).strip().replace("−", "-").replace(",", "")
    text = text.strip("$¥€£ ").removesuffix("%").replace("\u2044", "/")
    above, slash, below = text.partition("/")
    try:
        value = Decimal(above) / Decimal(below) if slash else Decimal(above)
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def _same(reply: str, answer: str) -> bool:
    """Equal as numbers where both are such, else word by word."""
    said, wanted = _value(reply.strip().removesuffix(".")), _value(answer)
    if said is not None and wanted is not None:
        return said == wanted
    words = _words(reply)
    return words == _words(answer) if words else reply.strip() == answer.strip()


def _words(text: str) -> list[str]:
    """Words without articles, unless nothing else is there; Chinese by characters."""
    words: list[str] = _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
    return [word for word in words if word not in ("a", "an", "the")] or words


def _f1(said: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(said) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)
