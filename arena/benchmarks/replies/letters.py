"""Which option of several a reply picks, by its letter or its text.

What a reply declares to be its answer outweighs whatever else it mentions. Of several
declarations the last one counts, and what is denied ("not B", 不选B) is no declaration.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_uppercase

from arena.benchmarks.replies.declared import (
    DOUBT,
    PAUSE,
    WRONG,
    cue,
    declarations,
    is_denied,
    last_boxes,
    past,
    states,
)
from arena.benchmarks.replies.letter_patterns import letter_patterns
from arena.benchmarks.replies.plain import before_another_question, plain, plainly


class Unread(StrEnum):
    """Why no answer could be found in a reply."""

    EMPTY = "the reply is empty"
    NONE = "the reply names no option"
    SEVERAL = "the reply names several options"
    TAKEN_BACK = "the reply takes its answer back and gives no other"


@dataclass(frozen=True, slots=True)
class Pick:
    """option: its position, None where none or several are picked, and `why` then."""

    option: int | None
    why: Unread | None = None


_DECLARED = cue(
    "answers?|ans|option|choice|selection|letter",
    r"""
    | (?:正确|最佳|最合适|合适|符合题意)的?(?:答案|选项|选择|一项)?(?:应该|应)?(?:是|为|选|:)
    | 选(?!项)(?:择|出|定)?(?:的?(?:选项|答案))?(?:是|为)?
    | 选项(?:应该|应)?(?:是|为|:)""",
)
_LEANS = re.compile(
    r"""(?i:\b(?:choose|pick|select|go\ with|going\ with|opt\ for|vote\ for|chose|selected
        |picked|prefer)\s
    | \b(?:we|I)\ get\s
    | \bleav(?:es|ing)\s
    | \b(?:so|therefore|thus|hence|conclu(?:sion|de))\b[,:]?\s
    | \b(?:it|that|this)(?:['’]s|\ is|\ must\ be|\ should\ be|\ has\ to\ be)\s)
    | (?:所以|因此|应该|应当|应|就)(?:是|为)""",
    re.VERBOSE,
)
_FILLER = re.compile(
    r"""(?:[\s*_$\\(\[{【《"“'‘「<:>=,]{1,20}
    |(?i:the|option|choice|letter|answer|correct|right|best|only|probably|likely|most|definitely
      |clearly|therefore|thus|hence|indeed|simply|just|obviously|actually|now|think|believe|say
      |I\ think|I\ believe|I['’]d\ say|I\ would\ say|go\ with|it|is|it['’]s|be|that|this|number|as
      |follows|one|given|by|both|either|must|should|would)(?![A-Za-z])
    |选项|应该|应|是|为|选){0,12}""",
    re.VERBOSE,
)
_OPENS = re.compile(r"""[\s*_$\\(\[{【《"“'‘「<:>=]{0,20}""")
_LONGEST_NOUN = 16
_NOUN_BEFORE = re.compile(
    r"(?i)(?:\b(?:option|choice|answer)|选项)\s?[(\[*\"']{0,3}$|[(\[*\"']{1,3}$"
)
_INSTEAD_ENDS = re.compile(r"[)\]\"'”’*_$]{0,4}\s*(?:$|[.!;。)\n])")
_ALONE = re.compile(
    r"[\s*_$\\(\[{【「《<\"'“‘]{0,10}(?i:(?:option|choice|letter|answer|ans|选项?)\s{0,2})?"
    r"[(\[]?([A-Za-z])[\s*_$\\)\]}】」》>\"'”’.:。!?,;]{0,10}"
)
_ITEM = re.compile(r"^[ \t*_(\[-]{0,6}([A-Z])[.):、]", re.MULTILINE)
# What follows an option's text where a reply begins with it and goes on to explain it.
_EXPLAINED = re.compile(r"[*\"”)]{0,3}(?:[.!:]\s|,?\s(?:because|since|as it)\b)")
# The A of "Q: …" and "A: …", which is no option where an option follows it.
_AFTER_A = re.compile(r"(?:\AQ:[^\n]{0,400}\n\s{0,4})?A:\s{0,3}")


def letter(reply: str, choices: Sequence[str]) -> int | None:
    """The position of the option that a reply picks, None where it picks none or several."""
    return pick(reply, choices).option


def pick(reply: str, choices: Sequence[str]) -> Pick:
    """The option that a reply picks, or why none.

    In this order: the last declared answer ("the answer is B", a box, 答案是B), the last that it
    leans to ("so it is B", "B is correct"), a last line or a beginning that is a letter, the only
    option that it names. A base model may go on with a question of its own; what it says before
    that counts.
    """
    text = plain(reply).strip()
    if not text or not choices:
        return Pick(None, Unread.NONE if text else Unread.EMPTY)
    reader = _Reader(tuple(choices))
    first = before_another_question(text)
    picked = reader.read(first)
    return reader.read(text) if picked.option is None and first != text else picked


class _Reader:
    """Reads replies to one question."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.letters = ascii_uppercase[: len(choices)]
        self.patterns = letter_patterns(self.letters)
        self.texts = [_squeezed(plainly(choice)).strip(" .。$") for choice in choices]

    def read(self, text: str) -> Pick:
        whole = _squeezed(text).strip(" .。!\"'“”$")
        if whole in self.texts and self.texts.count(whole) == 1:
            return Pick(self.texts.index(whole))
        declared, leans = self._last(self._declared(text)), self._last(self._leans(text))
        if declared is None and (answer := self._after_a(text)) is not None:
            return answer
        if declared is not None:
            after = text[declared[0] :]
            doubt = DOUBT.search(after)
            if doubt and leans is not None and leans[0] > declared[0] + doubt.start():
                declared = leans
            elif doubt and WRONG.search(after):
                return Pick(None, Unread.TAKEN_BACK)
        judged = self._judged(text) if declared is None else None
        for found in (declared, judged, leans):
            if found is not None:
                return found[1]
        return self._undeclared(text)

    def _after_a(self, text: str) -> Pick | None:
        """The option that alone follows an `A:`, which stands for "answer" then."""
        found = _AFTER_A.match(text)
        rest = text[found.end() :].strip() if found else ""
        if not found or "\n" in rest:
            return None
        by_text = self._text_at(rest, 0)
        if by_text is not None and _squeezed(rest).strip(" .。!") == self.texts[by_text]:
            return Pick(by_text)
        alone = _ALONE.fullmatch(rest)
        is_option = alone and alone[1].upper() in self.letters
        return Pick(self.letters.index(alone[1].upper())) if alone and is_option else None

    def _judged(self, text: str) -> tuple[int, Pick] | None:
        """The one option that is called right where each in turn is called right or wrong."""
        said = list(self.patterns.judged.finditer(text))
        if len({found["letter"] for found in said}) < max(2, len(self.letters) - 1):
            return None
        right = {found["letter"].upper() for found in said if found["right"]}
        if not right:
            return None
        several = Pick(None, Unread.SEVERAL)
        option = Pick(self.letters.index(right.pop())) if len(right) == 1 else several
        return said[-1].end(), option

    @staticmethod
    def _last(found: Iterator[tuple[int, Pick]]) -> tuple[int, Pick] | None:
        return max(found, key=lambda one: one[0], default=None)

    def _declared(self, text: str) -> Iterator[tuple[int, Pick]]:
        """Where an answer is declared, and which; a first line may be the answer alone."""
        first, newline, _ = text.partition("\n")
        alone, last = _ALONE.fullmatch(first), _ALONE.fullmatch(text.rpartition("\n")[2])
        if newline and alone and not last and alone[1].upper() in self.letters:
            yield 0, Pick(self.letters.index(alone[1].upper()))
        for found in declarations(text, _DECLARED):
            if not self.patterns.letter.search(found["gap"] or "") and (
                stated := self._stated(text, found.end())
            ):
                yield found.end(), stated
        equals = last_boxes(text)
        boxed = [one for _, inside in equals if (one := self._stated(inside, 0, alone=True))]
        if boxed:
            are_several = len({one.option for one in boxed}) > 1
            yield equals[-1][0], Pick(None, Unread.SEVERAL) if are_several else boxed[-1]
        yield from self._called(text, self.patterns.called_right)

    def _leans(self, text: str) -> Iterator[tuple[int, Pick]]:
        for found in _LEANS.finditer(text):
            if states(text, found.start()) and (
                stated := self._stated(text, found.end(), texts=False)
            ):
                yield found.end(), stated
        for doubt in DOUBT.finditer(text):
            if instead := self._instead(text, doubt.end()):
                yield doubt.end(), instead
        yield from self._called(text, self.patterns.fits)

    def _instead(self, text: str, start: int) -> Pick | None:
        """The letter that alone follows a word of doubt, as in "Scratch that: B."."""
        found = self.patterns.stated.match(text, past(_FILLER, text, past(PAUSE, text, start)))
        if not found or not _INSTEAD_ENDS.match(text, found.end()):
            return None
        return Pick(self.letters.index(found[1].upper()))

    def _called(self, text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, Pick]]:
        """Letters that are called right, as in "B is the answer"."""
        for found in pattern.finditer(text):
            noun = _NOUN_BEFORE.search(text[max(0, found.start() - _LONGEST_NOUN) : found.start()])
            if states(text, found.start() - (len(noun[0]) if noun else 0)):
                yield found.start(), Pick(self.letters.index((found[1] or found[2]).upper()))

    def _stated(
        self, text: str, start: int, *, alone: bool = False, texts: bool = True
    ) -> Pick | None:
        """What is said at a place where an answer is declared; None where it is no option."""
        for place in (past(_OPENS, text, start), past(_FILLER, text, start)):
            if texts and (by_text := self._text_at(text, place)) is not None:
                return Pick(by_text)
            if found := self._letter_at(text, place, alone=alone):
                return found
        return None

    def _letter_at(self, text: str, place: int, *, alone: bool) -> Pick | None:
        if several := self.patterns.several.match(text, place):
            letters = several[1].split() if " " in several[1] else several[1]
            return Pick(None, Unread.SEVERAL) if sorted(set(letters)) == list(letters) else None
        found = self.patterns.stated.match(text, place) or (
            self.patterns.small_alone.match(text, place) if alone else None
        )
        if not found or self.patterns.denied.match(text, found.end()):
            return None
        option = self.letters.index(found[1].upper())
        other = self.patterns.another.match(text, found.end())
        if other and self.letters.index(other[1].upper()) != option:
            return Pick(None, Unread.SEVERAL)
        return Pick(option)

    def _text_at(self, text: str, place: int) -> int | None:
        """The option whose text stands at a place, the longest of those that do."""
        best: int | None = None
        for k, wanted in enumerate(self.texts):
            here = _squeezed(text[place : place + 2 * len(wanted) + 8])
            longer = best is None or len(wanted) > len(self.texts[best])
            if len(wanted) > 1 and longer and here.startswith(wanted):
                after = here[len(wanted) : len(wanted) + 1]
                if not (after.isalnum() and after.isascii() and wanted[-1].isalnum()):
                    best = k
        return best

    def _undeclared(self, text: str) -> Pick:
        row = self.patterns.several.fullmatch(text.strip(" .()[]"))
        if row and len(set(row[1].split())) > 1:
            return Pick(None, Unread.SEVERAL)
        last = _ALONE.fullmatch(text.rpartition("\n")[2])
        if last and last[1].upper() in self.letters:
            return Pick(self.letters.index(last[1].upper()))
        if (again := self._restated(text)) is not None:
            return Pick(again)
        listed = [item for item in _ITEM.findall(text) if item in self.letters]
        is_list = len(set(listed)) > 1 and listed[0] == self.letters[0]
        if not is_list and (opening := self.patterns.opening.match(text)):
            option = self.letters.index(opening[1].upper())
            if not self.patterns.denied.match(text, opening.end(1)):
                other = self.patterns.another.match(text, opening.end(1))
                if not other or other[1].upper() == opening[1].upper():
                    return Pick(option)
        place = past(_OPENS, text)
        begins = self._text_at(text, place)
        if begins is not None and _EXPLAINED.match(
            _squeezed(text[place:]), len(self.texts[begins])
        ):
            return Pick(begins)
        return self._only_one(text)

    def _restated(self, text: str) -> int | None:
        """The option that a last line gives by its text, after others and itself were named."""
        before, newline, last = text.rpartition("\n")
        item = _ITEM.match(last)
        place = past(_OPENS, last, item.end() if item else 0)
        by_text = self._text_at(last, place)
        if not newline or before.strip() == "" or by_text is None:
            return None
        if item and item[1] != self.letters[by_text]:
            return None
        is_all = _squeezed(last[place:]).strip(" .。!*_") == self.texts[by_text]
        return by_text if is_all and _says(_squeezed(before), self.texts[by_text]) else None

    def _only_one(self, text: str) -> Pick:
        denied = {c for found in self.patterns.denials.findall(text) for c in found if c.isupper()}
        named = {
            found[1] or found[2] or found[3] for found in self.patterns.named.finditer(text)
        } - denied
        named |= {c for row in self.patterns.row.findall(text) for c in row.split()}
        if len(named) == 1:
            return Pick(self.letters.index(named.pop()))
        folded = _squeezed(text)
        found = [k for k, wanted in enumerate(self.texts) if _says(folded, wanted)]
        longest = [
            k for k in found if not any(self.texts[k] in self.texts[j] for j in found if j != k)
        ]
        if len(longest) == 1 and not named:
            return Pick(longest[0])
        return Pick(None, Unread.SEVERAL if named or longest else Unread.NONE)


def _squeezed(text: str) -> str:
    return " ".join(text.split()).casefold()


def _says(text: str, wanted: str) -> bool:
    """Whether an option's text stands in a text, other than as what is denied."""
    if not wanted:
        return False
    before = r"(?<!\w)" if wanted[0].isascii() and wanted[0].isalnum() else ""
    after = r"(?!\w)" if wanted[-1].isascii() and wanted[-1].isalnum() else ""
    found = re.finditer(f"{before}{re.escape(wanted)}{after}", text)
    return not all(is_denied(text, one) for one in found)
