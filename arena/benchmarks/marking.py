"""Finding the answer in a reply, and marking it; the metrics of open items.

Each marker returns a `Mark`: the value, and whether the reply held an answer at all, so that
a wrong answer and a reply that nobody can read are told apart.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from string import ascii_uppercase
from types import MappingProxyType

_NUMERAL = "[〇零一二两三四五六七八九十百千万0-9]"
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?")
_DECLARED = re.compile(
    r"(?:answer|final answer|答案|所以选|故选|因此选|应选|选择)\s*(?:is|为|是|should be)?\s*"
    r"(?:option|选项)?\s*[:：]?\s*[*_$\\(（\[【{\"“']*\s*(?:boxed\{)?",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_ARTICLE = re.compile(r"\bA (?!or\b|and\b|is\b)[a-z]")
_WORDS = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Mark:
    """value: in [0, 1]. found: whether the reply held anything to mark."""

    value: float
    found: bool = True


NOTHING = Mark(0.0, found=False)
JUDGED = "judged"
LONG_ANSWER_WORDS = 12


def letter(reply: str, choices: Sequence[str]) -> int | None:
    """The option that a reply picks, None where it picks none or several.

    In this order: the last declared answer ("the answer is B", 答案是B), a reply that begins
    with a letter alone, one letter alone in the whole reply, one option's text alone in it.
    """
    text = _plain(reply)
    letters = ascii_uppercase[: len(choices)]
    alone = rf"(?<![A-Za-z])([{letters}])(?![A-Za-z'])"
    declared = [
        match[1]
        for end in (found.end() for found in _DECLARED.finditer(text))
        if (match := re.compile(alone).match(text, end))
    ]
    boxed = [b.strip() for b in _BOXED.findall(text) if b.strip() in letters and b.strip()]
    opening = re.match(rf"[\s*_(（\[]*([{letters}])(?=$|[\s.,:;)）\]*、。，：])(?! [a-z])", text)
    singles = set(re.findall(alone, text)) - ({"A"} if _ARTICLE.search(text) else set())
    if declared or boxed:
        return letters.index((declared or boxed)[-1])
    if opening:
        return letters.index(opening[1])
    if len(singles) == 1:
        return letters.index(singles.pop())
    named = [k for k, choice in enumerate(choices) if contains(text, choice)]
    longest = [k for k in named if not any(choices[k] in choices[j] for j in named if j != k)]
    return longest[0] if len(longest) == 1 else None


def number(reply: str) -> Decimal | None:
    """The last declared number of a reply, else its last number; None where it has none."""
    text = _plain(reply).replace("−", "-")
    ends = [found.end() for found in _DECLARED.finditer(text)]
    declared = [found for end in ends if (found := _NUMBER.search(text, end, end + 40))]
    boxed = [found for part in _BOXED.findall(text) if (found := _NUMBER.search(part))]
    numbers = declared[-1:] or boxed[-1:] or list(_NUMBER.finditer(text))[-1:]
    return _value(numbers[0][0]) if numbers else None


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
    if not reply.strip():
        return NOTHING
    return Mark(float(any(contains(reply, answer) for answer in answers)))


def mark_exact(reply: str, answers: Sequence[str]) -> Mark:
    """1 where the reply is an answer, whatever the case, width, punctuation and articles."""
    if not reply.strip():
        return NOTHING
    return Mark(float(any(_words(reply) == _words(answer) for answer in answers)))


def mark_recall(reply: str, answers: Sequence[str]) -> Mark:
    """The share of the answers, all of which are wanted, that stand in the reply."""
    if not reply.strip():
        return NOTHING
    return Mark(sum(contains(reply, answer) for answer in answers) / len(answers))


def mark_later(reply: str, answers: Sequence[str]) -> Mark:
    """No mark at all: every reply is left to a judge."""
    return NOTHING


def mark_f1(reply: str, answers: Sequence[str]) -> Mark:
    """Token F1 with the closest answer; Chinese by characters (as SQuAD and CMRC have it)."""
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
    text, wanted = (unicodedata.normalize("NFKC", s).casefold() for s in (reply, answer))
    if wanted.isascii():
        pattern = rf"(?<![a-z0-9.]){re.escape(wanted)}(?![a-z0-9]|\.[0-9])"
    else:
        pattern = rf"(?<!{_NUMERAL}){re.escape(wanted)}(?!{_NUMERAL})"
    return re.search(pattern, text) is not None


def _plain(text: str) -> str:
    """What follows the model's thinking, its full-width letters plain, without emphasis marks."""
    return unicodedata.normalize("NFKC", text.split("</think>")[-1]).replace("**", "")


def _value(text: str) -> Decimal | None:
    text = unicodedata.normalize("NFKC", text).strip().replace("−", "-").replace(",", "")
    text = text.strip("$¥€£ ").removesuffix("%")
    above, slash, below = text.partition("/")
    try:
        value = Decimal(above) / Decimal(below) if slash else Decimal(above)
    except (InvalidOperation, ZeroDivisionError):
        return None
    return value if value.is_finite() else None


def _words(text: str) -> list[str]:
    words = _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
    return [word for word in words if word not in ("a", "an", "the")]


def _f1(said: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(said) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)
