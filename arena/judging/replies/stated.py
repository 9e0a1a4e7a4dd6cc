"""Which of the verdicts in a judge's reply is stated, and not listed, quoted, denied or taken back.

A reply names verdicts that are none: it repeats the options that it was given, cites what an
answer says, or weighs one before it decides on another. The last one that is stated counts.
All looks at the sentence around a mark, so no text takes more than linear time.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

IsOffered = Callable[[str], bool]

_WINDOW = 200  # characters of a sentence that are looked at on each side of a mark
_LONGEST_GAP = 60  # characters between two marks of one list
_ENDS = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!vs)[.!?;](?=\s|$)|[。！？；\n]")
_WORD = re.compile(r"[^\W_]")
_BULLET = re.compile(r"[ \t>]*(?:[-*•·]|\(?[0-9a-zA-Z][.)])[ \t]")
_SEPARATOR = re.compile(
    r"[\W_]*(?:(?:and|or|nor|vs|versus|to|through|或者?|和|与|还是)[\W_]*(?:(?:maybe|perhaps)[\W_]*)?)?",
    re.I,
)
_TAIL = r"[\s\"'“‘`*_:：]*$"  # all that may stand between such words and the mark
_KEYWORD = (
    r"(?:verdict|decision|choice|choose|pick|select|judge?ment|answer|rating|score|rate|result|"
    r"preference|prefer|winner|conclusion|ranking|order|选择|结论|判断|评分|得分|分数|打分|结果|排序|胜者)"
)
_BETWEEN = re.compile(r"\bbetween\W*$|在\W*$", re.I)
# What a line of several is about, as in "Accuracy: [[B]]", and what the last of them sums up.
_LABEL = re.compile(r"[\W_]*([^\W_][\w /&-]{1,39}?)[ \t*_]*[:：|][\W_]*")
_SUMS_UP = re.compile(
    r"\b(?:my|final|overall|total|all|sum|average|revised|corrected|now|so|thus|therefore|after)\b|"
    rf"总|综合|最终|{_KEYWORD}",
    re.I,
)
_DECLARED = re.compile(rf"{_KEYWORD}[^\n]{{0,80}}$", re.I)
_OWN = re.compile(
    rf"\b(?:my|final|overall)\b[^\n]{{0,30}}{_KEYWORD}|(?:我的|最终|综合){_KEYWORD}|"
    r"\bI(?:'d|'ll| would| will)? (?:\w+ )?"
    r"(?:choose|pick|select|prefer|rate|vote|conclude|give|go)",
    re.I,
)
# What comes before it in a sentence speaks no more of what follows.
_TURN = re.compile(
    r"\b(?:but|however|yet|though|so|therefore|thus|hence|actually|instead|on reflection|"
    r"overall)\b|但|不过|然而|所以|因此|综上",
    re.I,
)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|whether|in case)\b[^\n]{0,80}\b(?:better|best|worse|tied?|equal\w*|"
    r"good|similar|same|wins?|prefer\w*|superior)\b|(?:如果|假如|若)[^\n]{0,40}(?:更|好|优|平|相当|一样)",
    re.I,
)
_AT_FIRST = re.compile(
    r"\b(?:at first|initially|first (?:thought|impression|instinct))\b|起初|乍看|一开始", re.I
)
_HEDGED = re.compile(
    r"(?:\b(?:maybe|perhaps|possibly|(?:might|may|could) be|tempted by|considered|considering)|"
    r"也许|或许|可能是?)(?: \w+){0,2}" + _TAIL,
    re.I,
)
_ASKED = re.compile(
    r"\b(?:must|should|need to|asked to|told to|supposed to|please) "
    r"(?:\w+ ){0,2}?(?:answer|reply|respond|output|say|write|return|print|end|use)\b|"
    r"\b(?:and|then|just|only) (?:output|reply|respond|write|print|return)(?: with)? [\"'“]?$|"
    r"\byou(?:r \w+)? (?:must|should|have to|need to)\b|\bone of\b|请(?:输出|回复|只)",
    re.I,
)
_WORSE = r"(?:worse|weaker|poorer|inferior)"
_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\bnor|rather than|instead of|\bover|\bversus|\bvs\.?|"
    r"\bagainst|(?<!worse )(?<!weaker )(?<!poorer )\bthan|\bbetween|\b(?:retract|withdraw)|\belse|"
    r"\botherwise|否则|不是|并非|而非|不选|"
    # The other side of a comparison, or of a change of mind.
    r"\b(?:beats?|outperforms?|surpass(?:es)?|exceeds?|out of)|优于|胜过|好于|强于|超过|"
    r"\b(?:chang|switch|revis|mov|updat)\w*\b[^\n]{0,40}\bfrom|^\W{0,4}from|"
    r"\b(?:runner-up|second(?:[ -](?:place|best))?|2nd(?: place)?|los(?:er|ing (?:answer|side))|"
    r"previous(?:ly)?|formerly|deduct\w*|worse(?: (?:one|answer|response|side))?)|"
    r"第二名?|败者|输家)"
    r"(?: (?:is|was))?(?: (?:a|an|the|just|simply))?" + _TAIL,
    re.I,
)
# What a judge says it will not do, up to the mark; a comma or "and" begins what it does.
_REFUSED = re.compile(
    r"(?:\b(?:ignor\w*|refus\w*|disregard\w*|despite|in spite of|inject\w*|wrong to|"
    r"tr(?:y|ies|ied|ying) to|attempts? to|trick\w*)|忽略|无视|拒绝|注入|诱导)"
    r"(?:(?!\band\b)[^,，;:：\n]){0,60}$",
    re.I,
)
_CITED = re.compile(
    r"(?:\b(?:says|said|writes|wrote|claims|claimed|states|reads|contains|includes|tells me|"
    r"asks for|demands|ends with|mentions|quotes|inserts|such as|e\.g\.,?|"
    r"for (?:example|instance)|examples?|format(?: is)?|the (?:string|text|phrase|token))|"
    r"例如|比如|格式[为是]?|写着|声称)"
    r"(?: (?:only|just|simply|that|like|the \w+))?[,，]?" + _TAIL,
    re.I,
)
_QUOTES_WORDS = re.compile(r"[^\W_][^\"“]*[\"“][^\"“”]*[^\W_][^\"“”]*$")
_SINGLE_QUOTED = re.compile(r"(?:^|[\s(])['‘]\w[^'’\n]{0,60}$")
_NOT_MEANT = re.compile(
    r"[\"'”’`*_\s,.:;]*(?:\?|？|(?:otherwise|else|if|when|whenever|unless|means?|meaning|indicates?|denotes|"
    r"stands for|represents|for (?:a |the )?tie|at first|initially|(?:was|is) tempting|"
    r"seem(?:s|ed)|look(?:s|ed)|appear(?:s|ed)|might|may|could|would (?:be|have)|"
    r"was my (?:first|initial)|(?:is|was) (?:wrong|incorrect|not)|isn't|wasn't|"
    rf"(?:is|was) (?:\w+ ){{0,2}}{_WORSE}|loses to)\b|"
    r"如果|若|表示|代表|意味|似乎|看起来|不如|不及|逊于|比[^\n]{1,12}?(?:差|弱|逊))",
    re.I,
)
_TAKEN_BACK = re.compile(
    r"(?:^|[.!?。！？\n…—-])[\s*_]*(?:hmm+,? |but |oh,? |no,? )?"
    r"(?:wait\b|scratch that|correction\b|on second thought|i take (?:that|it) back|"
    r"let me re(?:consider|think|evaluate)|actually,? no\b|no, (?:that|actually)|"
    r"不对|等等|等一下|我收回|更正)",
    re.I,
)
_GOES_ON_TO_DOUBT = re.compile(
    r"\b(?:but|however|although|though|yet|wait|actually|hmm+|nevertheless|that said|"
    r"sorry|apolog\w*|mistak\w*|let me (?:re\w*|double)|on (?:reflection|second thought|closer))\b|"
    r"但|不过|然而|虽然|不对|等等|抱歉|更正",
    re.I,
)


@dataclass(frozen=True, slots=True)
class WrittenVerdict:
    """A verdict as it is written. said: without its brackets. start, end: where they stand."""

    said: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Around:
    """The sentence around a mark, as far as to the marks beside it."""

    before: str
    after: str

    @property
    def is_whole(self) -> bool:
        """Whether the sentence is nothing but the mark, and at most words that announce it."""
        before = self.before
        is_announced = not _WORD.search(before) or bool(_DECLARED.search(before))
        return is_announced and not _WORD.search(self.after)


def marks(pattern: re.Pattern[str], text: str) -> list[WrittenVerdict]:
    """All that a pattern finds; its one group that matched is what is said."""
    return [
        WrittenVerdict(found[found.lastindex or 0].strip(), found.start(), found.end())
        for found in pattern.finditer(text)
    ]


def last_stated(
    text: str, found: Sequence[WrittenVerdict], is_offered: IsOffered
) -> WrittenVerdict | None:
    """The last mark that states a verdict; None where there is none, or it was taken back."""
    listed = set(_in_one_line(text, found, is_offered)) | set(_line_by_line(text, found))
    last, condition = None, False
    for i, mark in enumerate(found):
        around = _around(text, found, i)
        gap = text[found[i - 1].end : mark.start] if i else ""
        condition = _is_conditional(around) or (condition and _continues(gap))
        if i not in listed and not condition and _is_stated(text, mark, around):
            last = mark
    return None if last and _TAKEN_BACK.search(text, last.end) else last


def whole(text: str, found: Sequence[WrittenVerdict]) -> list[WrittenVerdict]:
    """The marks that are a sentence of their own, announced or not."""
    return [mark for i, mark in enumerate(found) if _around(text, found, i).is_whole]


def outlasts_cut(text: str, mark: WrittenVerdict) -> bool:
    """Whether a mark in a reply that was cut off is a verdict all the same.

    It is where it is the reply's last sentence, whole; or announced in a whole sentence which
    is then explained, not doubted, in what came before the cut.
    """
    around = _around(text, [mark], 0)
    rest = text[mark.end :]
    if not around.is_whole:
        return False
    if not _WORD.search(rest):
        return True
    is_announced = _WORD.search(around.before) and "\n" in rest
    return bool(is_announced) and not _GOES_ON_TO_DOUBT.search(rest)


def _around(text: str, found: Sequence[WrittenVerdict], i: int) -> _Around:
    mark = found[i]
    since = max(mark.start - _WINDOW, found[i - 1].end if i else 0)
    until = min(mark.end + _WINDOW, found[i + 1].start if i + 1 < len(found) else len(text))
    before, after = text[since : mark.start], text[mark.end : until]
    start = max((end.end() for end in _ENDS.finditer(before)), default=0)
    end = _ENDS.search(after)
    return _Around(before[start:], after[: end.end()] if end else after)


def _is_stated(text: str, mark: WrittenVerdict, around: _Around) -> bool:
    before, after = around.before, around.after
    if before.rstrip().endswith("比"):  # "A比B好" is for A, and "A比B差" is for B
        return bool(re.match(r"\W{0,4}(?:\w{0,2})(?:差|弱|逊)", after))
    if _NOT_MEANT.match(text[mark.end : mark.end + _WINDOW]):
        return False
    if any(p.search(before) for p in (_DENIED, _CITED, _HEDGED, _REFUSED)):
        return False
    if before.lstrip().startswith(">") and _WORD.search(text, mark.end):
        return False
    if _QUOTES_WORDS.search(before) and re.search('["”]', after):
        return False
    if _SINGLE_QUOTED.search(before) and re.search("['’]", after):
        return False
    clause = before[max((turn.end() for turn in _TURN.finditer(before)), default=0) :]
    if _ASKED.search(clause):
        return False
    return not _AT_FIRST.search(clause) or bool(_OWN.search(before))


def _is_conditional(around: _Around) -> bool:
    """Whether it holds only in a case that is named before it."""
    before = around.before
    clause = before[max((turn.end() for turn in _TURN.finditer(before)), default=0) :]
    return bool(_CONDITION.search(clause)) and not _OWN.search(before)


def _continues(gap: str) -> bool:
    """Whether words between two marks go on with the sentence of the first, without a turn."""
    return not (_TURN.search(gap) or _OWN.search(gap) or _ENDS.search(gap))


def _in_one_line(
    text: str, found: Sequence[WrittenVerdict], is_offered: IsOffered
) -> Iterator[int]:
    """Marks of several verdicts with nothing between them but commas and the like."""
    for run in _runs(found, lambda a, b: _is_separator(text[a.end : b.start])):
        said = {
            _plain(found[i].said)
            for i in run
            if is_offered(found[i].said) and not _DENIED.search(_around(text, found, i).before)
        }
        if len(said) > 1 or _BETWEEN.search(_around(text, found, run[0]).before):
            yield from run


def _is_separator(gap: str) -> bool:
    return len(gap) <= _LONGEST_GAP and bool(_SEPARATOR.fullmatch(gap))


def _line_by_line(text: str, found: Sequence[WrittenVerdict]) -> Iterator[int]:
    """Marks of several verdicts on lines that follow each other, as options are explained."""
    for run in _runs(found, lambda a, b: _on_next_line(text, a, b)):
        said = {_plain(found[i].said) for i in run}
        labels = [_label(text, found[i]) for i in run]
        are_stated = all(_is_stated(text, found[i], _around(text, found, i)) for i in run)
        if len(said) > 1 and all(labels) and len(set(labels)) == len(labels) and are_stated:
            is_summed_up = _SUMS_UP.search(labels[-1]) and not _SUMS_UP.search(labels[0])
            yield from run[:-1] if is_summed_up else run
        elif len(said) > 2 or (len(said) > 1 and all(_has_bullet(text, found[i]) for i in run)):
            yield from run


def _label(text: str, mark: WrittenVerdict) -> str:
    """What stands before a mark on its line, where it names what the mark is about."""
    start = text.rfind("\n", max(0, mark.start - _WINDOW), mark.start) + 1
    found = _LABEL.fullmatch(text, start, mark.start)
    return found[1].casefold() if found else ""


def _on_next_line(text: str, a: WrittenVerdict, b: WrittenVerdict) -> bool:
    return b.start - a.end <= _WINDOW and text.count("\n", a.end, b.start) == 1


def _has_bullet(text: str, mark: WrittenVerdict) -> bool:
    start = text.rfind("\n", max(0, mark.start - _WINDOW), mark.start) + 1
    return bool(_BULLET.match(text, start, mark.start))


def _runs(
    found: Sequence[WrittenVerdict], together: Callable[[WrittenVerdict, WrittenVerdict], bool]
) -> Iterator[list[int]]:
    """The indices of neighbours that belong together, two or more."""
    run = [0]
    for i, (a, b) in enumerate(pairwise(found), start=1):
        if together(a, b):
            run.append(i)
            continue
        if len(run) > 1:
            yield run
        run = [i]
    if len(run) > 1:
        yield run


def _plain(said: str) -> str:
    return "".join(letter for letter in said.casefold() if letter.isalnum() or letter in "<>=+.")
