"""Marking a reply: a metric for each kind of answer.

Each marker returns a `Mark`: the value, and why the reply held nothing to mark where it did
not, so that a wrong answer and a reply that nobody can read are told apart.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from arena.backends.thinking import UNFINISHED, split
from arena.benchmarks.replies.declared import OWN_MISTAKE, is_denied, last_boxes
from arena.benchmarks.replies.exact import WORD, is_same
from arena.benchmarks.replies.letters import Unread, letter, pick
from arena.benchmarks.replies.numbers import find_number, number, same_number, value_of
from arena.benchmarks.replies.plain import CJK, before_another_question, plain, plainly
from arena.benchmarks.replies.polarity import polarity, polarity_of

__all__ = ["METRICS", "ReplyScore", "contains", "letter", "mark_choice", "metric_for", "number"]

_NUMERAL = "[〇零一二两三四五六七八九十百千万0-9]"
_WORDS = re.compile(rf"(?:(?<![^\W_])-(?=\d))?(?:{WORD})")
# Indices and powers as H_2O, H_{2}O and x^{2} are written beside H2O and x^2.
_INDEX = re.compile(r"(?<=[A-Za-z])_(?:(\d)|\{(\w{1,8})\})|(?<=\^)\{(\w{1,8})\}")
_QUOTES = str.maketrans("‘’“”", "''\"\"")
_MEASURE = re.compile(r"([-+]?[\d.,]*\d)\s?([^\W\d_].*|[°%µ].*)")


@dataclass(frozen=True, slots=True)
class ReplyScore:
    """value: in [0, 1]. why: why the reply held nothing to mark, empty where it did."""

    value: float
    why: str = ""

    @property
    def found(self) -> bool:
        """Whether the reply held anything to mark."""
        return not self.why


JUDGED = "judged"
_SEVERAL_BOXES = "the reply gives several boxed answers"
_LATER = "the reply names the answer only after another question"
_NO_POLARITY = "the reply says neither yes nor no"
LONG_ANSWER_WORDS = 12


def mark_choice(reply: str, choices: Sequence[str], gold: int) -> ReplyScore:
    """1 where the reply picks the right option."""
    picked = pick(reply, choices)
    if picked.option is None:
        return ReplyScore(0.0, _silence(reply) or picked.why or Unread.NONE)
    return ReplyScore(float(picked.option == gold))


def mark_number(reply: str, answers: Sequence[str]) -> ReplyScore:
    """1 where the reply's number equals an answer's, as numbers."""
    said = find_number(reply)
    if said.value is None:
        return ReplyScore(0.0, _silence(reply) or said.why)
    return ReplyScore(float(any(same_number(said, answer) for answer in answers)))


def mark_contains(reply: str, answers: Sequence[str]) -> ReplyScore:
    """1 where one of the accepted answers stands in the reply as a whole word or number.

    Of answers that are a yes or a no, which of both the reply says.
    """
    if why := _silence(reply):
        return ReplyScore(0.0, why)
    polar = [said for answer in answers if (said := polarity_of(answer)) is not None]
    if len(polar) == len(answers):
        said = polarity(reply)
        return ReplyScore(0.0, _NO_POLARITY) if said is None else ReplyScore(float(said in polar))
    others = [answer for answer in answers if polarity_of(answer) is None]
    text = _said(reply)
    says = any(contains(text, answer) for answer in others)
    kept = OWN_MISTAKE.split(text)[-1]
    if says and kept != text and not any(contains(kept, answer) for answer in others):
        return ReplyScore(0.0, Unread.TAKEN_BACK)
    says = says or (bool(polar) and polarity(reply) in polar)
    if not says and any(contains(plain(reply), answer) for answer in others):
        return ReplyScore(0.0, _LATER)
    return ReplyScore(float(says))


def mark_exact(reply: str, answers: Sequence[str]) -> ReplyScore:
    """1 where the reply is an answer, whatever case, width, articles, marks of a sentence."""
    if why := _silence(reply):
        return ReplyScore(0.0, why)
    said = _said(reply)
    boxed = [inside for _, inside in last_boxes(said)]
    if any(not is_same(one, boxed[0]) for one in boxed):
        return ReplyScore(0.0, _SEVERAL_BOXES)
    texts = [said, *boxed[:1]]
    return ReplyScore(float(any(is_same(text, answer) for text in texts for answer in answers)))


def mark_recall(reply: str, answers: Sequence[str]) -> ReplyScore:
    """The share of the answers, all of which are wanted, that stand in the reply."""
    if why := _silence(reply):
        return ReplyScore(0.0, why)
    said = _said(reply)
    return ReplyScore(sum(contains(said, answer) for answer in answers) / len(answers))


def mark_later(reply: str, answers: Sequence[str]) -> ReplyScore:
    """No mark at all: every reply is left to a judge."""
    return ReplyScore(0.0, _silence(reply) or "the reply is left to a judge")


def mark_f1(reply: str, answers: Sequence[str]) -> ReplyScore:
    """Token F1 with the closest answer; Chinese by characters (as SQuAD and CMRC have it)."""
    if why := _silence(reply):
        return ReplyScore(0.0, why)
    said = _words(_said(reply))
    return ReplyScore(max(_f1(said, _words(answer)) for answer in answers))


Marker = Callable[[str, Sequence[str]], ReplyScore]
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
    if all(value_of(answer).value is not None for answer in answers):
        return "number"
    words = sorted(len(_words(answer)) for answer in answers)
    return "f1" if words[len(words) // 2] > LONG_ANSWER_WORDS else "contains"


def contains(reply: str, answer: str) -> bool:
    """Whether `answer` stands in `reply`: whole words and whole numbers, whatever the case.

    Not where it is denied, as in "not London".
    """
    text, wanted = (_levelled(said) for said in (reply, answer))
    if not wanted:
        return False
    found = re.finditer(_whole(wanted), text)
    return not all(is_denied(text, one) for one in found)


def _levelled(text: str) -> str:
    """A text in one case, without the marks of a formula, and with one form of each quote."""
    text = _INDEX.sub(lambda found: found[1] or found[2] or found[3], plainly(text))
    return " ".join(text.translate(_QUOTES).casefold().split())


def _whole(wanted: str) -> str:
    """A pattern for a text that is no part of a longer word or number."""
    before, after = "", ""
    if not re.search(f"[{CJK}]", wanted):
        before, after = rf"(?<![^\W_{CJK}])(?<!\d\.)", rf"(?![^\W_{CJK}]|\.\d)"
        if wanted[0].isdigit():
            before += r"(?<![^\w\s]-)(?<!\s-)(?<!\A-)"
            before += r"(?<!\d,)" if re.match(r"\d{3}(?!\d)", wanted) else ""
        if wanted[-1].isdigit():
            after += r"(?!,\d{3}(?!\d))"
        if wanted[-1].isalpha():
            after += r"(?!\+\+|#)"
    if re.match(_NUMERAL, wanted):
        before += f"(?<!{_NUMERAL})"
    if re.match(_NUMERAL, wanted[-1]):
        after += f"(?!{_NUMERAL})"
    if measure := _MEASURE.fullmatch(wanted):
        inside = rf"{re.escape(measure[1])}\s?{re.escape(measure[2])}"
    else:
        inside = re.escape(wanted)
    return f"{before}{inside}{after}"


def _said(reply: str) -> str:
    return before_another_question(plain(reply).strip())


def _silence(reply: str) -> str:
    """Why a reply says nothing, empty where it says something."""
    said = split(reply)
    if said.unfinished:
        return UNFINISHED
    return "" if said.answer.strip() else Unread.EMPTY


def _words(text: str) -> list[str]:
    """Words without articles, unless nothing else is there; Chinese by characters."""
    words: list[str] = _WORDS.findall(plainly(text).casefold())
    return [word for word in words if word not in ("a", "an", "the")] or words


def _f1(said: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(said) & Counter(wanted)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)
