"""Text of models and people made harmless before it is shown as Markdown.

No tag of it is markup and nothing that it names is loaded, whatever the browser would have
made of it: the page's sanitiser and its Content-Security-Policy stand behind this, not before.
All of it takes time in proportion to the length of the text, whatever the text is.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

# Some fifteen pages of a book: no more of one text is shown, so that no browser is held up.
MOST_SHOWN = 30_000
MOST_AMONG_MANY = 10_000
# How far what opens a span of code or mathematics may be from what closes it.
FARTHEST = {"`": 4000, "$$": 2000, "\\(": 2000, "\\[": 2000, "$": 500}
CLOSING = {"$$": "$$", "\\(": "\\)", "\\[": "\\]", "$": "$"}
# What Markdown shows as it stands, and so must we: fenced and inline code; then mathematics.
_OPENING = re.compile(
    r"^(?P<indent>[ \t>]*)(?:(?P<fence>`{3,})[^`\n]*+(?:\n|\Z)|(?P<wave>~{3,})[^\n]*+(?:\n|\Z))"
    r"|(?P<ticks>`++)|(?P<maths>\$\$|(?<![\\$\w])\$(?=\S)|\\\(|\\\[)",
    re.MULTILINE,
)
_CLOSED_FENCE = re.compile(r"^[ \t>]*(`{3,}+|~{3,}+)[`~]*+[ \t]*$", re.MULTILINE)
_DIAGRAM = re.compile(r"\A([ \t>]*`{3,})mermaid")
_TICKS = re.compile("`+")
_BLANK = re.compile(r"\n(?=[^\S\n]*\n)")
_NAME = re.compile(r"([\\`*_{}\[\]<>#|~$!])")
_SHOWN = {"<": "&lt;", "![": "!&#91;", "\\(": "&#40;", "\\[": "&#91;", "$$": "&#36;&#36;"}
# A letter or digit on both sides of a mark makes it part of a word, a product or a range, as
# CommonMark has it for "_" alone. Bold beside letters is usual where words have no spaces between
# them, and lone tildes are no mark of emphasis. Addresses and lines of code stay as they are.
_INSIDE = re.compile(
    r"(?P<whole>https?://\S+|^(?: {4}|\t)[ \t]*+(?![-*+] |\d+[.)] ).*)"
    r"|(?<=[^\W_])\*(?=[^\W_])|(?<=[A-Za-z0-9])\*{2,}(?=[A-Za-z0-9])"
    r"|(?<=[)\]）])\*+(?=[A-Za-z0-9])|(?<![~\\])~(?!~)",
    re.MULTILINE,
)
# The browser takes no single dollar for one: it could not tell amounts of money apart.
DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
    {"left": "\\[", "right": "\\]", "display": True},
]


@dataclass(frozen=True, slots=True)
class _Span:
    """A part that is shown as it stands. unclosed: what would close the block it leaves open."""

    start: int
    end: int
    is_code: bool
    unclosed: str = ""


def harmless(text: str) -> str:
    """Markdown in which tags are plain text and pictures are links."""
    parts, end = [], 0
    for span in _spans(text):
        parts.append(_plain(text[end : span.start]))
        whole = text[span.start : span.end]
        parts.append(_code(whole) if span.is_code else _mathematics(whole))
        end = span.end
    return "".join([*parts, _plain(text[end:])])


def closed(text: str) -> str:
    """Markdown in which no block of code is left open, so that more can stand after it."""
    *_, last = [None, *_spans(text)]
    return f"{text}\n{last.unclosed}" if last is not None and last.unclosed else text


def shortened(text: str, cut: str) -> str:
    """Harmless Markdown of as much of a text as is shown.

    cut: what is said where it ends too early, with the fields {shown} and {length}.
    """
    if len(text) <= MOST_SHOWN:
        return harmless(text)
    said = _said_of_cut(text, cut, MOST_SHOWN)
    return f"{closed(harmless(text[:MOST_SHOWN]))}\n\n**{said}**"


def with_raw(shown: str, text: str) -> str:
    """Harmless Markdown, and after it the text as it was written, of which the page shows one.

    What was written holds nothing that ends its block, or mathematics that began before it.
    """
    raw = escape(text[:MOST_SHOWN]).replace("$", "&#36;").replace("\\", "&#92;")
    return f'{closed(shown)}\n\n<pre class="raw">\n{raw}</pre>'


def brief(text: str, cut: str) -> str:
    """The same of a text that stands among many others, as it is and no Markdown."""
    if len(text) <= MOST_AMONG_MANY:
        return text
    return f"{text[:MOST_AMONG_MANY]}\n\n{_said_of_cut(text, cut, MOST_AMONG_MANY)}"


def as_text(text: str) -> str:
    """A name or a sentence as Markdown that shows it letter by letter, on one line."""
    return _NAME.sub(r"\\\1", " ".join(text.split()))


def _said_of_cut(text: str, cut: str, shown: int) -> str:
    return cut.format(shown=f"{shown:,}", length=f"{len(text):,}")


def _code(whole: str) -> str:
    """Code as it is; of a diagram, which Gradio would take for HTML, the code is shown too."""
    return _DIAGRAM.sub(r"\1 mermaid", whole)


def _mathematics(whole: str) -> str:
    """A formula without anything like a tag, between marks that the browser knows."""
    whole = whole.replace("<", r"\lt ")
    return whole if whole.startswith(("$$", "\\")) else rf"\({whole[1:-1]}\)"


def _plain(text: str) -> str:
    """Without tags, pictures, emphasis inside words, and marks of mathematics that nothing closes.

    Markdown shows the bracket of such a mark, and the browser's search for its end takes minutes.
    """
    text = _INSIDE.sub(_as_it_stands, text)
    for mark, shown in _SHOWN.items():
        text = text.replace(mark, shown)
    return text


def _as_it_stands(found: re.Match[str]) -> str:
    return found["whole"] or "".join(f"&#{ord(mark)};" for mark in found[0])


def _spans(text: str) -> Iterator[_Span]:
    """The parts of a text that are shown as they stand, in their order."""
    marks, at = _Marks(text), 0
    while found := _OPENING.search(text, at):
        span = marks.span(found)
        if span is not None:
            yield span
        at = found.end() if span is None else max(span.end, found.end())


class _Marks:
    """What could close a span, each kind looked up once and never searched for again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._fences = [
            (found.start(), found[1], found.end()) for found in _CLOSED_FENCE.finditer(text)
        ]
        self._fence = 0
        self._ticks: defaultdict[int, list[int]] = defaultdict(list)
        for found in _TICKS.finditer(text):
            self._ticks[found.end() - found.start()].append(found.start())
        self._blanks = [found.start() for found in _BLANK.finditer(text)]
        self._next: dict[str, int] = {}

    def span(self, opening: re.Match[str]) -> _Span | None:
        """What an opening mark begins; None where nothing closes it."""
        fence = opening["fence"] or opening["wave"]
        if fence:
            return self._block(opening, fence)
        if opening["ticks"]:
            return self._inline(opening)
        return self._maths(opening)

    def _block(self, opening: re.Match[str], fence: str) -> _Span:
        start = opening.start()
        while self._fence < len(self._fences):
            begins, mark, end = self._fences[self._fence]
            if begins >= opening.end() and mark.startswith(fence):
                return _Span(start, end, True)
            self._fence += 1
        return _Span(start, len(self._text), True, f"{opening['indent']}{fence}")

    def _inline(self, opening: re.Match[str]) -> _Span | None:
        start, inside = opening.span()
        same = self._ticks[inside - start]
        place = bisect_right(same, start)
        if place == len(same) or same[place] - inside > FARTHEST["`"]:
            return None
        blank = bisect_left(self._blanks, inside)
        if blank < len(self._blanks) and self._blanks[blank] < same[place]:
            return None
        return _Span(start, same[place] + inside - start, True)

    def _maths(self, opening: re.Match[str]) -> _Span | None:
        mark, (start, inside) = opening["maths"], opening.span()
        closing = CLOSING[mark]
        end = self._find(closing, inside + 1)
        if end < 0 or end - inside > FARTHEST[mark]:
            return None
        if mark == "$" and not self._closes(inside, end):
            return None
        return _Span(start, end + len(closing), False)

    def _closes(self, inside: int, end: int) -> bool:
        """Whether a dollar closes one that opened: amounts of money are no mathematics."""
        after, between = self._text[end + 1 : end + 2], self._text[inside:end]
        return (
            not any(mark in between for mark in ("\n", "\\(", "\\)"))
            and not self._text[end - 1].isspace()
            and not (after.isalnum() or after == "_")
        )

    def _find(self, mark: str, start: int) -> int:
        """Where the next such mark is, -1 if there is none."""
        known = self._next.get(mark)
        if known is None or (known >= 0 and known < start):
            known = self._next[mark] = self._text.find(mark, start)
        return known
