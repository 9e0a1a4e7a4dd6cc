"""Where the verdict in a judge's reply stands, by the form that the card names.

Judges write what is near to the form too: single brackets, a line that announces the verdict,
JSON of a sort. Each form is read as the projects that made it read it.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from arena.backends.thinking import UNFINISHED, split
from arena.judging.replies.forms import ReplyFormat
from arena.judging.replies.objects import last_object
from arena.judging.replies.stated import (
    IsOffered,
    WrittenVerdict,
    last_stated,
    marks,
    outlasts_cut,
    whole,
)

DOUBLE = re.compile(r"\[ ?\[([^\[\]]*)\] ?\]")
SINGLE = re.compile(
    r"\[{1,2}([^\[\]\n]{1,60})\]{1,2}|\((score:? ?[0-9.]{1,6})\)|"
    r"<(?:final_)?(?:verdict|choice|score|rating|answer|winner|preference|result|decision)>"
    r"([^\n]{1,60}?)</\w{1,20}>",
    re.IGNORECASE,
)
_BEFORE = r"^[ \t>*#_`$-]*(?:(?:my|the|so|所以|我的) )?(?:最终|综合|最后|final |overall )?"
# A line that only announces it is followed by it.
_AFTER = r"(?: is)?[ \t*_`]*(?:[:：]|(?=\n))[ \t*_`]*(?:\n[ \t]*){0,2}[ \t*_`]*(.*)$"
_LINES = re.IGNORECASE | re.MULTILINE
_CHOICE = re.compile(
    _BEFORE
    + r"(?:选择|结论|判断|结果|胜者|choice|verdict|decision|judge?ment|winner|result|preference|"
    r"(?:better|preferred|best) (?:answer|response|output|assistant))" + _AFTER,
    _LINES,
)
_SCORE = re.compile(
    _BEFORE
    + r"(?:综合得分|评分|得分|分数|打分|总分|score|rating|grade|result)"
    + _AFTER
    # A number with its scale needs no announcement.
    + r"|^[ \t>*#_-]*(?:overall[ :*]*)?([0-9.]{1,5} ?(?:/|out of) ?[0-9]{1,4})[ .*_]*$",
    _LINES,
)
_RANKING = re.compile(_BEFORE + r"(?:排序|排名|顺序|ranking|order)" + _AFTER, _LINES)
# What Prometheus writes: github.com/prometheus-eval/prometheus-eval.
_RESULT = re.compile(
    r"\[(?:result|score)\][ \t]*:?\s*((?:(?!\[result)[^\n])*)|"
    r"\[(?:result|score)[ \t]*:[ \t]*([^\]\n]*)\]|"
    r"^[ \t*_#]*result[ \t]*:[ \t*_]*([^\n]*)$",
    _LINES,
)
_RESULT_AT_END = re.compile(
    r"\[((?:response|score)[ \t]+[^\]\n]{1,9})\]\W*\Z|\((score[ \t]+[0-9]{1,2})\)\W*\Z|"
    r"\b(?:(?:score|result):|score of)[ \t*]*([0-9.]{1,4}(?: ?(?:/|out of) ?[0-9]{1,3})?)\W*\Z|"
    r"\[([0-9]{1,2})\]\W*\Z",
    re.IGNORECASE,
)
# The dictionary at the end of a CompassJudger or AlignBench review:
# github.com/open-compass/CompassJudger, github.com/THUDM/AlignBench.
_OVERALL = re.compile(
    r"[\"'“]?(?:综合得分|综合评分|总分|overall[ _]score)[\"'”]?[ \t]*[:：][ \t]*[\"']?"
    r"([0-9.]+(?: ?/ ?[0-9]+)?)",
    re.IGNORECASE,
)
# Full-width forms stand for the plain characters, as they do on a Chinese keyboard.
_PLAIN: dict[int, int | str | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= {ord("【"): "[", ord("】"): "]", ord("≫"): ">>", ord("≪"): "<<", ord("\xa0"): " "}
_PLAIN |= {ord(sign): "[" for sign in "〔〖"} | {ord(sign): "]" for sign in "〕〗"}
_PLAIN |= dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\xad"))
_LATEX = re.compile(r"\\(?:text|textbf|mathbf|mathrm)\{([^{}\n]{0,80})\}")
_BOXED = re.compile(r"\\boxed\{([^{}\n]{0,80})\}")
_STRUCK_OUT = re.compile(r"~~[^~\n]{1,200}~~")
# Where a model that does not stop goes on with another pair.
_NEXT_TURN = re.compile(
    r"^[ \t]*(?:\[(?:User |Next )?Question\]|\[The Start of |(?:System|User|Human|用户)[ \t]*[:：]|"
    r"#{2,4} ?(?:Task Description|Instruction|User|Human)\b|"
    r"<\|im_start\|>|<start_of_turn>|\[INST\])|<\|(?:endoftext|im_end|eot_id|end)\|>|</s>|"
    r"<end_of_turn>",
    _LINES,
)
_ENDED = re.compile(
    r"\]\]|\[(?:result|score)\b|^[ \t*#]*(?:choice|verdict|score|选择|评分)\b", _LINES
)
_WORD = re.compile(r"[^\W_]")
# Words that come after a verdict in the place of one, as in "[RESULT] A (clearer) [END]".
_REMARK = re.compile(
    r"\s*(?:[,，]?\s?(?P<reason>\b(?:because|since)\b|因为)|[(（,，;；]|[.。](?=\s)|\s[-–—]\s|"
    r"\bis (?:[a-z]{4,15} )?better\b|\[/?\w{1,10}\])",
    re.IGNORECASE,
)
_ANOTHER = re.compile(r"\b[A-Z]\b|[0-9]|\b(?:tie|both|neither|or|not)\b|平", re.ASCII)


@dataclass(frozen=True, slots=True)
class SpokenReply:
    """What a judge said aloud, in plain characters.

    thinking: whether the reply ends before anything was said. cut_at: see `parse_verdict`.
    """

    text: str
    thinking: bool
    cut_at: int | None

    @property
    def is_missing(self) -> str:
        """Why there can be no verdict; empty where there can be one."""
        if not self.thinking and self.text.strip():
            return ""
        reason = UNFINISHED if self.thinking else "the reply is empty"
        if self.cut_at:
            return f"{reason}: {self.cut_at:,} max_tokens are too few for this judge"
        return f"{reason}; more max_tokens may help" if self.thinking else reason

    def lost_after(self, end: int) -> bool:
        """Whether the reply was cut off in words that come after this place."""
        return self.cut_at is not None and bool(_WORD.search(self.text, end))

    def lacks(self, form: str) -> str:
        """Why no verdict was found."""
        if self.cut_at:
            return f"the reply was cut off at {self.cut_at:,} tokens (max_tokens), before {form}"
        return f"the reply has no {form}"


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """What is looked for. field: its name in JSON. line: how a line announces it."""

    field: str
    line: re.Pattern[str]


CHOOSING, RATING = AnswerKind("choice", _CHOICE), AnswerKind("score", _SCORE)
ORDERING = AnswerKind("ranking", _RANKING)


def hear(text: str, cut_at: int | None) -> SpokenReply:
    """Take what was said aloud out of a reply, in plain characters."""
    spoken = split(html.unescape(text))
    plain = _STRUCK_OUT.sub("", _first_turn(spoken.answer.translate(_PLAIN)))
    for written, meant in (("\\[", "["), ("\\]", "]"), ("\\>", ">"), ("\\gg", ">>"), ("\\gt", ">")):
        plain = plain.replace(written, meant)
    plain = _BOXED.sub(r"[\1]", _LATEX.sub(r"\1", plain))
    return SpokenReply(plain, spoken.unfinished, cut_at)


def _first_turn(text: str) -> str:
    """A reply up to where its model, having given a verdict, goes on with somebody else's turn."""
    ended = _ENDED.search(text)
    next_turn = ended and _NEXT_TURN.search(text, ended.end())
    return text[: next_turn.start()] if next_turn else text


def find(
    said: SpokenReply, form: ReplyFormat, kind: AnswerKind, is_offered: IsOffered
) -> WrittenVerdict | None:
    """The last verdict that is stated, in a reply that was cut off only where it is whole."""
    mark = _FINDERS[form](said.text, kind, is_offered)
    mark = mark and _without_remark(mark, is_offered)
    if mark is None or not said.cut_at:
        return mark
    if not is_offered(mark.said):
        return None
    if form is ReplyFormat.JSON:
        return None if said.lost_after(mark.end) else mark
    return mark if outlasts_cut(said.text, mark) else None


def _without_remark(mark: WrittenVerdict, is_offered: IsOffered) -> WrittenVerdict:
    """A verdict without the reason that is written after it, which names no other."""
    remark = None if is_offered(mark.said) else _REMARK.search(mark.said)
    if not remark or not is_offered(mark.said[: remark.start()]):
        return mark
    if not remark["reason"] and _ANOTHER.search(mark.said, remark.start()):
        return mark
    bare = mark.said[: remark.start()]
    return WrittenVerdict(bare, mark.start, mark.end - len(mark.said) + len(bare))


def _in_brackets(text: str, kind: AnswerKind, is_offered: IsOffered) -> WrittenVerdict | None:
    """Double brackets; or single ones, or a line that announces it, where they are all it says."""
    found = last_stated(text, marks(DOUBLE, text), is_offered)
    return found or _in_single(text, is_offered) or _on_last_line(text, kind, is_offered)


def _in_single(text: str, is_offered: IsOffered) -> WrittenVerdict | None:
    found = [mark for mark in marks(SINGLE, text) if is_offered(mark.said)]
    alone = {mark.start for mark in whole(text, found)}
    last = last_stated(text, found, is_offered)
    return last if last and last.start in alone else None


def _on_last_line(text: str, kind: AnswerKind, is_offered: IsOffered) -> WrittenVerdict | None:
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    line = text[start:end]
    if re.search("[<>=]", line) and is_offered(line):  # no word that stands there by chance
        return WrittenVerdict(line, start, end)
    # The line before it may announce it.
    since = text.rfind("\n", 0, len(text[:start].rstrip())) + 1
    found = [
        mark
        for mark in marks(kind.line, text[since:end])
        if since + mark.end == end and is_offered(mark.said)
    ]
    if not found:
        return None
    return WrittenVerdict(found[-1].said, since + found[-1].start, since + found[-1].end)


def _on_lines(text: str, kind: AnswerKind, is_offered: IsOffered) -> WrittenVerdict | None:
    """A line `Choice: A`; or double brackets, where there is no such line."""
    lines = [_value_of(mark) for mark in marks(kind.line, text)]
    if lines:
        return last_stated(text, lines, is_offered)
    return last_stated(text, marks(DOUBLE, text), is_offered)


def _value_of(line: WrittenVerdict) -> WrittenVerdict:
    """The value at the end of a line, without what announces it."""
    return WrittenVerdict(line.said, line.end - len(line.said), line.end)


def _prometheus(text: str, kind: AnswerKind, is_offered: IsOffered) -> WrittenVerdict | None:
    found = marks(_RESULT, text)
    if found:
        return found[-1]
    at_end = _RESULT_AT_END.search(text, max(0, len(text) - 200))
    if at_end is None:
        return None
    mark = WrittenVerdict(at_end[at_end.lastindex or 0], at_end.start(), at_end.end())
    return mark if is_offered(mark.said) else None


def _compassjudger(text: str, kind: AnswerKind, is_offered: IsOffered) -> WrittenVerdict | None:
    """The last line where it is a bare option, or a verdict as other judges write it."""
    if kind is RATING:
        overall = marks(_OVERALL, text)
        return overall[-1] if overall else _in_brackets(text, kind, is_offered)
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    last = text[start:end]
    if is_offered(last):
        return WrittenVerdict(last, start, end)
    found = _in_brackets(last, kind, is_offered)
    return found and WrittenVerdict(found.said, start + found.start, start + found.end)


def _in_json(text: str, kind: AnswerKind, is_offered: IsOffered) -> WrittenVerdict | None:
    if not (found := last_object(text, [kind.field])):
        return None
    return WrittenVerdict(found.values[kind.field], found.end, found.end)


_FINDERS: dict[ReplyFormat, Callable[[str, AnswerKind, IsOffered], WrittenVerdict | None]] = {
    ReplyFormat.BRACKETS: _in_brackets,
    ReplyFormat.CHOICE: _on_lines,
    ReplyFormat.JSON: _in_json,
    ReplyFormat.COMPASSJUDGER: _compassjudger,
    ReplyFormat.PROMETHEUS: _prometheus,
}
