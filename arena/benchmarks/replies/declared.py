"""Where a reply declares its answer: "the answer is", 答案, ####, an <answer> tag, a JSON field."""

import re
from collections.abc import Iterator

from arena.benchmarks.replies.plain import boxes

_LINK = (
    r"(?::|=|->|→|⇒|\b(?:is|was|are|(?:would|will|must|should|has\ to|have\ to)\ be|becomes"
    r"|remains)(?![A-Za-z])|(?<=[a-z])['’]s\b|\W{0,5}\n|(?=\s?[(\[【]))"
)


def cue(nouns: str, others: str = "") -> re.Pattern[str]:
    """A pattern of what comes before a declared answer.

    nouns: alternatives for "answer". others: alternatives of any other form.
    """
    return re.compile(
        rf"""(?i:(?<![A-Za-z])(?:{nouns})(?:_?(?:letter|key|choice))?(?![A-Za-z>])["'”’]?
          (?P<gap>[^.\n:;?!=(\[【]{{0,60}}?){_LINK})
        | \#\#\#\#\s? | (?i:<\|?(?:[a-z_]{{0,12}}answer|ans|choice|option|final|result)\|?>)
        | (?i:\[(?:final\s)?answer\]):?
        | (?i:["'](?:result|selected|chosen|prediction|pred|final|output)["']\s?:)
        | (?<![回问作解])答(?=:)
        | (?:答え|正解|정답)(?:は|은|:)
        | 答案(?:应该|应当|应|选项|就|只能|可能)?(?:是|为|选|】|\]|\))?:?{others}""",
        re.VERBOSE,
    )


_CONTEXT = 48
_NO_STATEMENT = re.compile(
    r"""(?i:(?:\b(?:if|whether|suppose|assum(?:e|ing)|unless|why|not|never|cannot|wouldn['’]t
      |don['’]t|didn['’]t|wrong|incorrect|other|another|tempting|worst|false|initial|first|previous
      |your|user['’]s|student['’]s|his|her|their)\s(?:that\s|say\s|think\s)?(?:the\s|an?\s|to\s)?
      (?:correct\s|right\s|final\s|best\s|common\s|likely\s|possible\s)?)
    |还是|或者?|(?:不|别|勿|未|没有?|并非|如果|若|假如|错误)(?:应该?|该|能|可以?|要|会|的)?)$""",
    re.VERBOSE,
)
# What others may take for the answer, and what the answer would be in another case.
_OF_OTHERS = re.compile(
    r"""(?i:\b(?:you|one|some|many|most|people|students?|readers?|others)\b[^.!?;\n]{0,24}
      \b(?:might|may|could|would|often|wrongly|mistakenly)\s(?:\w{1,12}\s)?
      (?:think|thinks|say|says|believe|assume|guess|choose|conclude|answer|pick|select)\s
      (?:that\s)?(?:the\s)?(?:correct\s|right\s)?
    | \b(?:second|third)[-\s](?:best|closest|most\ likely)\s)$""",
    re.VERBOSE,
)
_IN_ANOTHER_CASE = re.compile(
    r"(?i:(?:^|[(,;]\s?)(?:if|had|were|for|in case|in that case|as for|with|otherwise)\b)"
)
_WOULD = re.compile(r"(?i:\bwould(?: have been| be)?\W{0,4}$)")
_SENTENCE_START = re.compile(r"[.!?;。！？；\n](?=\s|$|[（(])|[。！？；\n]")
_LONGEST_SENTENCE = 240
_NO_GAP = re.compile(
    r"(?i)\b(?:choices|options|one of|not|cannot|never|isn|between|among which)\b|n['’]t\b"
)


def states(text: str, start: int) -> bool:
    """Whether what begins there is said outright: not denied, supposed, or said of another."""
    before = text[max(0, start - _CONTEXT) : start]
    return not (_NO_STATEMENT.search(before) or _OF_OTHERS.search(before))


def is_of_another_case(text: str, found: re.Match[str]) -> bool:
    """Whether a declaration tells what the answer would be if the question were another."""
    if not _WOULD.search(found[0]):
        return False
    before = text[max(0, found.start() - _LONGEST_SENTENCE) : found.start()]
    starts = [end.end() for end in _SENTENCE_START.finditer(before)]
    return bool(_IN_ANOTHER_CASE.search(before[starts[-1] if starts else 0 :].lstrip()))


def declarations(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """The cues of a text after which an answer is declared.

    What the answer would be in another case counts where it is all that is declared.
    """
    stated = [
        found
        for found in pattern.finditer(text)
        if states(text, found.start()) and not _NO_GAP.search(found["gap"] or "")
    ]
    outright = [found for found in stated if not is_of_another_case(text, found)]
    yield from outright or stated


_DENIED_BEFORE = re.compile(
    r"""(?:(?:\bnot|n['’]t
        (?:\ (?:think|believe|say|agree)(?:\ that)?(?:\ (?:it|this|that)(?:['’]s|\ is|\ was)))?
      |\bnor|\bneither|\bnever|\b(?:anything|everything|all)\ (?:but|except)
      |\b(?:rather|other)\ than|\binstead\ of|不(?:会|可能|应该?|能)?(?:是|在|叫)|没有|并非|而非)
      \s?:?\s?(?:be\ |called\ |in\ |the\ |an?\ ){0,2}["'“‘「(]?|[不非无未没])$""",
    re.VERBOSE | re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"""["'”’」)]?(?:\?\s{0,2}(?:no\b|nope\b|不)|\s(?:is|was|are|were)(?:\s?n['’]t|\ not)
        (?=\ (?:the|an?|my|it|correct|right|true)\b|[.,;!]|$)
      |\s(?:is|was)\ (?:wrong|incorrect|false)\b|\s(?:cannot|can['’]t|could\ not|couldn['’]t)\ be\b
      |(?:不是|并非|不对|不正确|是错|错误))""",
    re.VERBOSE | re.IGNORECASE,
)


def is_denied(text: str, found: re.Match[str]) -> bool:
    """Whether what is found is said not to be, as in "not London" or "London is wrong"."""
    before = text[max(0, found.start() - _CONTEXT) : found.start()]
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(text, found.end()))


_IS_WRONG = r"(?:['’]s|\ is|\ was)\ (?:wrong|incorrect|not\ right|a\ mistake)\b"
DOUBT = re.compile(
    rf"""(?:(?:\A|(?<=[.,!?;:。…(—)}}$*\n-]))\s{{0,3}}
        (?:wait(?:[,.]?\ no(?![a-z]))?|no[,.]?\ wait|no(?=[,:])|hold\ on|actually
          |correction|sorry|oops|rather|my\ mistake|on\ second\ thoughts?
          |(?:scratch|strike|make)\ that)\b
      |\bI\ meant?\b|\bI\ made\ a\ mistake\b
      |\b(?:that|this){_IS_WRONG})
    |(?:^|[。!?.,\s])不对|等等|等一下|更正|说错了|我错了""",
    re.VERBOSE | re.IGNORECASE,
)
_OWN = r"""\bI\ made\ a\ mistake\b|\bmy\ mistake\b|\bno[,.]?\ wait\b|\bwait[,.]?\ no\b
    |\b(?:scratch|strike)\ that\b|说错了|我错了"""
WRONG = re.compile(
    rf"(?:that|this|it|which){_IS_WRONG}|(?:^|[。!?.,\s])不对|{_OWN}", re.VERBOSE | re.IGNORECASE
)
# A speaker's own mistake, whatever it was about; "that is wrong" may be said of what others say.
OWN_MISTAKE = re.compile(
    rf"{_OWN}|(?:\A|(?<=[.!?\n]))\s{{0,3}}correction:|\bI\ meant\b|更正", re.VERBOSE | re.IGNORECASE
)
PAUSE = re.compile(r"[\s.,:;!…—-]{0,6}")
_NEXT_ANSWER = re.compile(r"[.!?。\n]|\A[\s$]*[-+*/×÷=]")


def past(pattern: re.Pattern[str], text: str, start: int = 0) -> int:
    """Where a pattern ends that stands at `start`; `start` where it does not stand there."""
    found = pattern.match(text, start)
    return found.end() if found else start


def last_boxes(text: str) -> list[tuple[int, str]]:
    """Start and content of the last box, and of those that stand beside it as its equals.

    After a full stop, a word of doubt, or as the result of a sum, a box is an answer anew.
    """
    found = boxes(text)
    first = len(found) - 1
    while first > 0:
        between = text[found[first - 1][1] : found[first][0]]
        if _NEXT_ANSWER.search(between) or DOUBT.search(between):
            break
        first -= 1
    return [(start, inside) for start, _, inside in found[max(first, 0) :]]
