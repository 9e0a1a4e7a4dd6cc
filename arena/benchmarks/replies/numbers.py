"""The number that a reply gives, and numbers as people write them."""

import re
from collections.abc import Iterator
from decimal import Decimal

from arena.benchmarks.replies.declared import DOUBT, WRONG, cue, declarations, last_boxes, past
from arena.benchmarks.replies.number_words import NOTHING, FoundNumber, alone
from arena.benchmarks.replies.plain import before_another_question, boxes, plain, plainly

SEVERAL_NUMBERS, TAKEN_BACK = (
    "the reply gives several numbers as its answer",
    "the reply takes its answer back and gives no other",
)
_CORE = r"""
    \d{1,3}(?:(?:\.\d{3}){1,8},\d{1,2}|(?:\.\d{3}){2,8})(?!\d)
  | \d{1,2}(?:,\d{2}){1,6},\d{3}(?!\d)(?:\.\d+)?
  | \d{1,3}(?:,\d{3}){1,12}(?!\d)(?:\.\d+)?
  | \d{1,3}(?:\ \d{3}){1,12}(?!\d)(?:\.\d+|,\d{1,2}(?!\d))?
  | \d{1,3}(?:['’_]\d{3}){1,12}(?!\d)(?:\.\d+)?
  | (?<!\d,)\d+,\d{1,2}(?![\d,])
  | \d+(?:\.\d+)? | \.\d+"""
_NUMBER = re.compile(
    rf"""(?<![A-Za-z0-9_.^])(?<!\^\{{)(?<![√±])(?<!\\sqrt\{{)(?<!\\pm)(?<!\\pm\ )
    (?<!\d:)(?!\d{{1,2}}:\d\d)
    (?:(?P<sign>[-+]|(?i:\b(?:negative|minus)\ ))(?=[$€£¥]?\.?\d))?
    (?P<currency>[$€£¥])?(?P<inner>-(?=\d))?
    (?:(?P<whole>\d{{1,9}})\s(?=\d{{1,9}}/\d))?(?P<core>{_CORE})
    (?:[eE](?P<e>[-+]?\d{{1,4}})(?![A-Za-z\d])
      |\s?[×x*·]\s?10\s?\^\s?[({{]?\s?(?P<times>[-+]?\d{{1,4}})[)}}]?
      |\^\s?[({{]?\s?(?P<power>[-+]?\d{{1,3}})[)}}]?
      |\s?/\s?(?P<below>\d+(?:\.\d+)?)(?![/\d])
      |(?P<k>k)(?![A-Za-z])
      |\s?(?P<money>[KMB]|mn|bn)(?![A-Za-z])
      |\s?(?P<scale>hundred|thousand|million|billion|trillion|千万|百万|万|亿|千|百)(?![A-Za-z])
        (?:(?P<more>\d{{1,4}})(?P<smaller>千万|百万|万|千|百)(?![\d千百万亿]))?
    )?(?P<percent>\s?%|\spercent\b|\sper\ cent\b)?""",
    re.VERBOSE,
)
_SCALES = {
    "hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "k": 3,
    "K": 3, "M": 6, "mn": 6, "B": 9, "bn": 9,
    "百": 2, "千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8,
}  # fmt: skip
_LARGEST_POWER = 400
_UNIT = re.compile(r"\s?[^\d\s=+*/^()]{0,12}(?:\s[^\d\s=+*/^()]{1,12}){0,2}\.?")
_DECLARED = cue("answers?|ans")
_TOTAL = re.compile(
    r"(?i)\b(?:total|sum|result)\b[^.\n:;?!=]{0,40}?(?:[:=]|\bis\b|\bwas\b)"
    r"(?=(?:[^.\n]|\.\d){0,40}\. )"
)
_REMARK = re.compile(r"(?is)(?!.*\b(?:so|thus|hence|therefore|have|had)\b)[^.!?\n=→⇒]*[.!]?")
_CALLED = re.compile(r"(?i)[)*$]{0,3}\sis (?:the|my) (?:(?:final|correct|right) )?answer\b")
_LINE = 120
_NEAR = 40
_SUM = re.compile(r"[\d.,]+(?:\s?[A-Za-z%°]{1,12}\b)?[)\s]{0,3}[-+*/×÷x]\s*[($€£¥]{0,2}\d")
_SENTENCE_END = re.compile(r"\n|[.!?;]\s|[。！？；]")
_SPACED_MINUS = re.compile(r"\A-\s(?=\d)")
_EQUALS_MINUS = re.compile(r"(?<==)\s?-\s(?=\d)")
_RESULT = re.compile(r"\s*\$?[A-Za-z\\][\w\\]{0,20}\s?[({_][^=\n]{0,40}=\s?([^=\n]{1,40})\s*")
_IN_PARENTHESES = re.compile(r"\([^()\n]{1,200}\)")
_WORKED_OUT = re.compile(r"\s?=\s?[$€£¥(]{0,2}\d")
# The larger unit of a measure in two, as in "2 hours and 30 minutes".
_IN_TWO_UNITS = re.compile(
    r"\s?(?:hours?|hrs?|h|minutes?|mins?|dollars?|pounds?|euros?|feet|foot|ft|years?|months?|weeks?"
    r"|days?|kg|km|meters?|metres?|小时|分钟|分|元|米|年|个月|天),?\s?(?:and\s|零|又)?",
    re.IGNORECASE,
)
_SMALLER_UNIT = re.compile(
    r"\s?(?:minutes?|mins?|seconds?|secs?|cents?|pence|inch(?:es)?|months?|weeks?|days?|hours?|ounces?"
    r"|grams?|g|cm|m|meters?|metres?|分钟|分|秒|角|厘米|个月|天|小时)(?![A-Za-z])",
    re.IGNORECASE,
)
_JOINT = r"(?:,?\s?or\b|或者?|还是)"
_OTHER = re.compile(
    rf"[)\]$*\"]{{0,3}}\s{{0,3}}(?:{_JOINT}|,?\s?and\b|和|;|,)\s{{0,3}}\$?(?:[a-z]\s?=\s?)?"
)
_CHOICE = re.compile(rf"[)\]$]{{0,3}}\s{{0,3}}{_JOINT}\s{{0,3}}\$?(?:[a-z]\s?=\s?)?")
_RANGE = re.compile(r"\s?[-–—~]\s?")
_NOT = re.compile(r"(?i)(?:\bnot|n['’]t|不是|而非)\s?(?:just |only )?\$?$")
_FUNCTION = r"(?:sqrt|sin|cos|tan|log|ln|exp)"
_SYMBOLIC = re.compile(rf"\\(?:{_FUNCTION}|pi|pm|infty)|[√π±∞]|\d!")
_LETTER = r"[A-Za-z](?![A-Za-z])"
# What makes a number before it, or after it, a part of an expression: 2x, 5√2, 3:4, x > 5, log 2.
_EXPRESSION_AFTER = re.compile(
    rf"""\s?(?:[√π∞]|\\(?:{_FUNCTION}|pi|infty|frac)(?![a-z])) | [abeijnqruvwxyz](?![A-Za-z])
      | \s?[+*×·÷^]\s?(?:[\d(√π\\]|{_LETTER}) | \s?x\s?\d
      | \s?-(?:\s?[\d(]|\s?[xyz](?![A-Za-z])|{_LETTER}) | \s[xyz](?![A-Za-z]) | :\d""",
    re.VERBOSE,
)
_EXPRESSION_BEFORE = re.compile(
    rf"""(?:[√±≤≥≠]|[<>]=|[\w)]\s?<|(?<![<\w/])[\w)]\s?>|(?<![A-Za-z]){_FUNCTION}\s?[({{]?
      |[\w)]\s?[+*×÷]|\d\s-|\b[xyz]\s?-)\s?\$?$""",
    re.VERBOSE,
)
_CONTEXT = 24
_ROW = re.compile(
    r"[(\[{]\s?[-+]?[\d.]{1,20}(?:\s?;\s?|\s?,\s|,(?!\d{3}(?!\d)))[^()\[\]{}\n]{1,80}[)\]}]"
)
_SENTENCE = re.compile(r"[!?。！？\n]|\.(?!\d)|(?:,\s|[，;；])(?![^()\[\]{}\n]{0,40}[)\]}])")
_IS = re.compile(
    r"(?i)(?:\b(?:is|are|was|were|equals?|be|makes?|gives?|costs?|totals?|earns?|leaves?|gets?|has)\b|"
    r"[=≈:]|是|为|等于|共|得)\s?(?:about |only |exactly |just |approximately )?(?=[-+$€£¥.\d])"
)
_INSTEAD = re.compile(
    r"""[\s,.:;!*…—-]{0,6}(?:(?:it|that|this|the\ (?:right\ |correct\ )?(?:answer|total))\b)?
    (?:\s?(?:['’]s|is|was|(?:should|must|would)\ (?:be|have\ been)|应该?是|应为|是)\s?)?
    [\s:*]{0,4}""",
    re.VERBOSE | re.IGNORECASE,
)
_ENDS = re.compile(r"(?:\s[a-z]{1,12})?[)*$\"]{0,3}\s*(?:$|[.,;!。)\n])")
_PER = re.compile(r"(?i)\b(?:per|every|out of)\s$")


def number(reply: str) -> Decimal | None:
    """The number that a reply gives as its answer, None where it gives none; 50% is 50."""
    return find_number(reply).value


def find_number(reply: str) -> FoundNumber:
    """The last declared number of a reply, else the one its last statement gives.

    Numerals and words count where they are declared, or all that is said.
    """
    text = _EQUALS_MINUS.sub("-", plain(reply).strip().replace("$$", "$"))
    first = before_another_question(text)
    found = _read(first)
    return _read(text) if found is NOTHING and first != text else found


def same_number(said: FoundNumber, gold: str) -> bool:
    """Whether a number is the one that is wanted; 50% is 50, and 0.5 where no % is."""
    wanted = value_of(gold, with_unit=True)
    if said.value is None or wanted.value is None:
        return False
    if said.value == wanted.value:
        return True
    if said.percent == wanted.percent:
        return False
    share, other = (said, wanted) if said.percent else (wanted, said)
    assert share.value is not None
    return share.value / 100 == other.value


def value_of(text: str, *, with_unit: bool = False) -> FoundNumber:
    """A text that is a number and nothing else, but for a currency or, if asked, a unit."""
    text = plainly(text.rpartition("####")[2])
    for _, _, inside in boxes(text)[-1:]:
        text = inside
    text = text.strip().rstrip("$€£¥. ").removeprefix("$$")
    found = _NUMBER.match(text)
    if not found or ((rest := text[found.end() :]) and not (with_unit and _UNIT.fullmatch(rest))):
        return NOTHING
    return _valued(found)


def _read(text: str) -> FoundNumber:
    declared = max(_declared(text), key=lambda one: one[0], default=None)
    if declared:
        return _unless_taken_back(declared[1], text[declared[0] :])
    if boxes(text):
        return NOTHING  # what it boxed is no number
    return _total(text) or _last_said(text) or alone(text) or NOTHING


def _total(text: str) -> FoundNumber | None:
    """The last total, where what follows is one remark that says of no number what it is."""
    totals = list(_TOTAL.finditer(text))
    said, stop, remark = text[totals[-1].end() :].partition(". ") if totals else ("", "", "")
    is_remark = stop and _REMARK.fullmatch(remark) and not _IS.search(remark)
    return _stated(said, 0) if is_remark and _NUMBER.search(remark) else None


def _last_said(text: str) -> FoundNumber | None:
    """What the last statement with a number gives."""
    shares: FoundNumber | None = None
    for clause in reversed(_SENTENCE.split(text)):
        numbers = list(_NUMBER.finditer(clause))
        if numbers and len(numbers) == 1 and _is_share(clause, numbers[0]):
            shares = shares or _of_clause(clause, numbers)  # "…, out of 20" gives no answer
        elif numbers:
            return _of_clause(clause, numbers)
    return shares


def _is_share(clause: str, found: re.Match[str]) -> bool:
    return not clause[: found.start()].strip().lower().replace("out of", "", 1)


def _unless_taken_back(said: FoundNumber, after: str) -> FoundNumber:
    """A declared number, or the one that the reply puts in its place afterwards."""
    doubts = list(DOUBT.finditer(after))
    if not doubts:
        return said
    rest = after[doubts[-1].end() :]
    found = _NUMBER.match(rest, past(_INSTEAD, rest))
    if found and _ENDS.match(rest, found.end()):
        return _in_its_place(rest, found)
    other = _last_said(rest)
    if other is None:
        return FoundNumber(None, why=TAKEN_BACK) if WRONG.search(after) else said
    return said if other.value == said.value else FoundNumber(None, why=TAKEN_BACK)


def _declared(text: str) -> Iterator[tuple[int, FoundNumber]]:
    """Where a number is declared, and which."""
    for found in declarations(text, _DECLARED):
        if (stated := _stated(text, found.end())) is not None:
            yield found.end(), stated
    for found in _CALLED.finditer(text):
        before = list(_NUMBER.finditer(text, max(0, found.start() - _NEAR), found.start()))
        if before and before[-1].end() == found.start():
            yield found.start(), _valued(before[-1])
    last = last_boxes(text)
    said = [(start, _stated(inside, 0)) for start, inside in last if not _SYMBOLIC.search(inside)]
    given = [(start, one) for start, one in said if one is not None]
    if len({one.value for _, one in given}) > 1:
        yield given[-1][0], FoundNumber(None, why=SEVERAL_NUMBERS)
    else:
        yield from given


def _stated(text: str, start: int) -> FoundNumber | None:
    """The number that stands after `start`: of a sum that is worked out there, its result."""
    line = _SENTENCE_END.split(text[start : start + _LINE].lstrip(), maxsplit=1)[0]
    line = _SPACED_MINUS.sub("-", line)
    if (result := _RESULT.fullmatch(line)) and _NUMBER.fullmatch(result[1]):
        line = result[1]
    left, equals, right = line.partition("=")
    while equals and not _NUMBER.search(left):
        line = right
        left, equals, right = line.partition("=")
    if equals and (first := _NUMBER.search(left)) and _SUM.match(left, first.start("core")):
        line = line.rpartition("=")[2]
    for found in _NUMBER.finditer(line):
        if found.start() > _NEAR:
            break
        if not _NOT.search(line[: found.start()]):
            return _in_its_place(line, found)
    return alone(line, begins=True) if line.strip() else None


def _in_its_place(text: str, found: re.Match[str], joint: re.Pattern[str] = _OTHER) -> FoundNumber:
    """A number as what stands around it leaves it: alone, one of several, part of a formula."""
    value = _valued(found)
    before = text[max(0, found.start() - _CONTEXT) : found.start()]
    if any(row.start() < found.start() < row.end() for row in _ROW.finditer(text)):
        return FoundNumber(None, why=SEVERAL_NUMBERS)
    if joined := joint.match(text, found.end()):
        other = _NUMBER.match(text, joined.end())
        if other and _valued(other).value not in (value.value, None):
            return FoundNumber(None, why=SEVERAL_NUMBERS)
    if upto := _RANGE.match(text, found.end()):
        end = _NUMBER.match(text, upto.end())
        if end and value.value is not None and (_valued(end).value or 0) > value.value:
            return FoundNumber(None, why=SEVERAL_NUMBERS)
    if _EXPRESSION_BEFORE.search(before) or _EXPRESSION_AFTER.match(text, found.end()):
        return NOTHING
    return value


def _of_clause(clause: str, numbers: list[re.Match[str]]) -> FoundNumber:
    """The number that a clause says something to be, else its last one."""
    outside = _IN_PARENTHESES.sub(lambda found: " " * len(found[0]), clause)
    if free := [one for one in numbers if outside[one.start("core")].isdigit()]:
        numbers = free
    if len(numbers) > 1 and _is_in_two_units(clause, *numbers[-2:]):
        return FoundNumber(None, why=SEVERAL_NUMBERS)
    if len(numbers) > 1 and _WORKED_OUT.match(clause, numbers[0].end()):
        result = _in_its_place(clause, numbers[-1], _CHOICE)
        if result is NOTHING:
            return _in_its_place(clause[: numbers[0].end()], numbers[0], _CHOICE)
    starts = {k: one for one in numbers for k in range(one.start(), one.start("core") + 1)}
    said = [starts[end] for end in (m.end() for m in _IS.finditer(clause)) if end in starts]
    operands = re.compile(r"\s?[-+*/×÷=^]")
    said = [found for found in said if not operands.match(clause, found.end())]
    amounts = [
        one
        for one in numbers
        if not _PER.search(clause[max(0, one.start() - _CONTEXT) : one.start()])
    ]
    last = (said or amounts or numbers)[-2:]
    if len(last) > 1 and _are_rivals(clause, *last):
        return FoundNumber(None, why=SEVERAL_NUMBERS)
    return _in_its_place(clause, last[-1], _CHOICE)


def _is_in_two_units(clause: str, one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether two numbers are one measure, as in "2 hours and 30 minutes"."""
    unit = _IN_TWO_UNITS.fullmatch(clause, one.end(), other.start())
    return bool(unit and _SMALLER_UNIT.match(clause, other.end()))


def _are_rivals(clause: str, one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether two numbers are the ends of a range or a choice, as in "18 or 20"."""
    between = clause[one.end() : other.start()]
    low, high = _valued(one).value, _valued(other).value
    if low is None or high is None or low == high:
        return False
    is_range = bool(_RANGE.fullmatch(between)) or bool(
        between.strip() in ("and", "和") and re.search(r"(?i)\bbetween\s|在", clause[: one.start()])
    )
    return bool(_CHOICE.fullmatch(between)) or (is_range and low < high)


def _valued(found: re.Match[str]) -> FoundNumber:
    try:
        value = _amount(found)
    except ArithmeticError:
        return NOTHING
    return FoundNumber(value, bool(found["percent"])) if value.is_finite() else NOTHING


def _amount(found: re.Match[str]) -> Decimal:
    value = Decimal(_point(found["core"]))
    if found["below"]:
        value /= Decimal(found["below"])
    if found["power"] and abs(int(found["power"])) <= _LARGEST_POWER:
        value **= int(found["power"])
    scale = found["k"] or found["scale"]
    if found["money"] and (found["currency"] or len(found["money"]) > 1):
        scale = found["money"]  # 15K alone may be a temperature
    shift = int(found["e"] or found["times"] or 0) + _SCALES.get(scale, 0)
    value = value.scaleb(shift) if shift else value
    if found["more"]:
        value += Decimal(found["more"]).scaleb(_SCALES[found["smaller"]])
    value += Decimal(found["whole"] or 0)
    is_negative = found["inner"] or found["sign"] not in (None, "+")
    return -value if is_negative else value


def _point(core: str) -> str:
    """Digits with a point before the decimals and without marks between thousands."""
    core = re.sub("[ '’_]", "", core)
    if core.count(".") > 1 or ("." in core and "," in core and core.rindex(",") > core.rindex(".")):
        core = core.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d+,\d{1,2}", core):
        core = core.replace(",", ".")
    return core.replace(",", "")
