"""Whether a reply says yes or no, which are too short to be looked for as words."""

import re

from arena.benchmarks.replies.declared import DOUBT, PAUSE, cue, declarations, last_boxes, past
from arena.benchmarks.replies.plain import before_another_question, plain

_YES = frozenset({"yes", "true", "correct", "是", "是的", "对", "对的", "正确", "真"})
_NO = frozenset({"no", "false", "incorrect", "否", "不是", "不对", "不正确", "错", "错误", "假"})
_WORD = re.compile(
    r"""(?P<no>\b(?:no(?!\ (?:doubt|one|matter|longer|wonder|more|idea)\b)
        |nope|false|incorrect|untrue
        |(?:not|isn['’]t|is\ not)\s(?:true|correct|right))\b
        |不是|不对|不正确|不|错误?|否(?!则)|假)
    |(?P<yes>\b(?:yes|yeah|yep|true|correct)\b|是(?!否|什么|谁|不)的?|对的?|正确|真)""",
    re.VERBOSE | re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"""(?P<no>\b(?:no(?=\s*(?:[.,;:!)*]|$))|nope|false|incorrect|untrue
        |(?:not|isn['’]t)\s(?:true|correct))\b)
    |(?P<yes>\b(?:yes|true)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_OPENS = re.compile(r"""[\s*_$\\(\[{【"'“‘「<:>#-]{0,12}(?:(?:it|that|this)\ (?:is|was)\ )?""")
_DECLARED = cue("answer|ans|statement|claim|verdict|conclusion")


def polarity_of(answer: str) -> bool | None:
    """Whether an answer that is wanted is a yes or a no, None where it is another text."""
    word = plain(answer).casefold().strip(" .!。！")
    return True if word in _YES else False if word in _NO else None


def polarity(reply: str) -> bool | None:
    """Whether a reply says yes or no, None where it says neither or both.

    In this order: what it declares last, its beginning, its last line, the only one it has.
    """
    text = before_another_question(plain(reply).strip())
    equals = last_boxes(text)
    boxed = {one for _, inside in equals if (one := _at(inside, 0)) is not None}
    if len(boxed) > 1:
        return None
    ends = [found.end() for found in declarations(text, _DECLARED)]
    ends += [past(PAUSE, text, doubt.end()) for doubt in DOUBT.finditer(text) if doubt.start()]
    said = [(end, one) for end in ends if (one := _at(text, end)) is not None]
    said += [(equals[-1][0], one) for one in boxed]
    if said:
        return max(said)[1]
    opening = _at(text, 0)
    if opening is None:
        opening = _at(text.rpartition("\n")[2], 0)
    words = {found["yes"] is not None for found in _ENGLISH.finditer(text)}
    if opening is not None:
        is_both = re.match(r"(?i)\W*(?:yes (?:and|or) no|no (?:and|or) yes|是或否)\b", text)
        return None if is_both else opening
    return words.pop() if len(words) == 1 else None


def _at(text: str, start: int) -> bool | None:
    found = _WORD.match(text, past(_OPENS, text, start))
    return None if found is None else found["yes"] is not None
