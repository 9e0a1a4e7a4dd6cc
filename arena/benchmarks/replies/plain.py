r"""A reply as plain text: without thinking, LaTeX, Markdown, full-width letters; and its boxes.

Models write the same answer as B, Ｂ, **B**, $\text{B}$ or \textbf{(B)}. What is read in a reply
is read in its plain form. Every function here takes time in proportion to its text.
"""

import re
import unicodedata

from arena.backends.thinking import split

CJK = "\u4e00-\u9fff"
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")
_BOX_OF_ONE = re.compile(r"\\boxed\s+(?=[^\s{])")
_BRACE = re.compile(r"(?<!\\)[{}]")
_LONGEST_OPEN_BOX = 80
_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|up|normal)?|math(?:bf|rm|it|sf|tt|bb|cal)|mbox|bm|emph|"
    r"operatorname\*?|boldsymbol|underline|overline)\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(
    r"(?:(\d)\s?)?\\[dtc]?frac\s*"
    r"(?:\{\s*(-?[\d,.]{1,40})\s*\}\s*\{\s*(-?[\d,.]{1,40})\s*\}|(\d)\s*(\d)|(\d)\s*\{(\d{1,40})\}"
    r"|\{(\d{1,40})\}(\d))"
)
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_POWER = re.compile(r"(?<=[0-9A-Za-z)\]])([⁺⁻]?[⁰¹²³⁴-⁹]{1,6})")
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_VULGAR = re.compile(r"(?<=\d)\s?(?=[¼-¾⅐-⅞])")
_SIGNS = (
    (re.compile(r"\\!"), ""),
    (re.compile(r"\{\s*,\s*\}"), ","),
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])"), "×"),
    (re.compile(r"\\div(?![A-Za-z])"), "÷"),
    (re.compile(r"\\(?:approx|simeq)(?![A-Za-z])"), "≈"),
    (re.compile(r"\\leq?(?:slant)?(?![A-Za-z])"), "≤"),
    (re.compile(r"\\geq?(?:slant)?(?![A-Za-z])"), "≥"),
    (re.compile(r"\\neq?(?![A-Za-z])"), "≠"),
    (re.compile(r"\^\s*\{?\s*\\circ(?![A-Za-z])\s*\}?|\\degree(?![A-Za-z])|\\textdegree"), "°"),
    (re.compile(r"\\(?:left|right|big|Big|bigl|bigr|displaystyle)(?![A-Za-z])\.?"), ""),
    (
        re.compile(
            r"\\(?:[lL]arge|LARGE|huge|Huge|small|bf|rm|it|sf|tt|em|bfseries|normalsize)(?![A-Za-z])\s?"
        ),
        "",
    ),
    (re.compile(r"\\(?:quad|qquad)(?![A-Za-z])|\\[ ,;:!>]|(?<!\\)~"), " "),
    (re.compile(r"\\[()\[\]]"), " "),
    (re.compile(r"\\([%$#&_{}])"), r"\1"),
)
_DASH = re.compile(r"(?<![^\W_])[‐‑‒–—−﹣－](?=\s?[$€£¥]?\s?[\d.\\])")
_STRUCK_OUT = re.compile(r"~~[^~\n]{1,200}~~")
_BRACKETS = str.maketrans("〔〕〖〗﹝﹞", "[][][]")
_MARKDOWN = re.compile(r"\*\*|__|`{1,3}(?:[a-z]{1,10}\n)?|</?(?:b|i|strong|em|u|mark)>")
_NESTED = 3
_LINE_START = r"\n[ \t#>*_]{0,8}"
# Where another speaker begins: a base model writes on, for the one who asks too.
_SPEAKER = re.compile(
    rf"""(?<=\S)\s{{0,8}}(?:{_LINE_START}(?:human|user|用户|人类)[ \t]?\d{{0,3}}[ \t]?:
      |<\|(?:im_(?:start|end)|start_header_id|eot_id|end(?:of|_of_)text|user|end)\|>
      |<(?:start|end)_of_turn>|</s>|\[INST\]|<\|(?:User|end▁of▁sentence)\|>
      |{_LINE_START}(?:\#{{2,3}}[ ])(?:human|user|instruction)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
# What a base model or a server leaves of the turn's own mark before a reply.
_OWN_TURN = re.compile(
    r"\A\s{0,8}(?:<\|assistant\|>|<\|im_start\|>assistant|<\|start_header_id\|>assistant"
    r"<\|end_header_id\|>|<start_of_turn>model|<\|Assistant\|>|\[/INST\])\s{0,8}"
)
_QUESTION = re.compile(
    rf"(?<=\S)\s{{0,8}}{_LINE_START}(?:question|problem|q|问题|题目|问)[ \t]?\d{{0,4}}[ \t]?:",
    re.IGNORECASE,
)


def plain(reply: str) -> str:
    """What a model says in its turn, without its thinking, in plain characters; boxes stay.

    A base model may go on with a dialogue of its own: what another speaker says, and all after
    that, is no part of the reply.
    """
    said = _OWN_TURN.sub("", plainly(split(reply).answer))
    return _SPEAKER.split(said, maxsplit=1)[0]


def before_another_question(text: str) -> str:
    """A plain text up to where another question is asked after an answer; all where none is.

    A reply may repeat its own question too, so who finds no answer there may read the whole.
    """
    return _QUESTION.split(text, maxsplit=1)[0]


def plainly(text: str) -> str:
    """A text in plain characters: for what people wrote, in which nobody thinks aloud."""
    text = _STRUCK_OUT.sub("", _INVISIBLE.sub("", text)).translate(_BRACKETS)
    text = _POWER.sub(lambda found: f"^{found[1].translate(_PLAIN_DIGITS)}", text)
    text = _VULGAR.sub(" ", text)
    text = _DASH.sub("-", text)
    for sign, meant in _SIGNS:
        text = sign.sub(meant, text)
    for _ in range(_NESTED):
        text, count = _TEXT.subn(r"\1", text)
        if not count:
            break
    text = _FRACTION.sub(_as_ratio, text)
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/").replace("−", "-")
    return _MARKDOWN.sub("", text)


def boxes(text: str) -> list[tuple[int, int, str]]:
    r"""Start, end and content of each \boxed{…}, whatever braces are in it, outermost only.

    A box that never ends is as long as its line.
    """
    opened = list(_BOX.finditer(text))
    found = [(m.start(), m.end() + 1, text[m.end()]) for m in _BOX_OF_ONE.finditer(text)]
    ends = _closing(text) if opened else {}
    after = 0
    for box in opened:
        if box.start() < after:
            continue
        closed = ends.get(box.end() - 1)
        if closed is None:
            line = text[box.end() : box.end() + _LONGEST_OPEN_BOX]
            inside, after = line.split("\n", 1)[0], box.end()
        else:
            inside, after = text[box.end() : closed], closed + 1
        found.append((box.start(), max(after, box.end()), inside))
    return sorted(found)


def _closing(text: str) -> dict[int, int]:
    """Each opening brace with the one that closes it."""
    waiting: list[int] = []
    ends: dict[int, int] = {}
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            waiting.append(brace.start())
        elif waiting:
            ends[waiting.pop()] = brace.start()
    return ends


def _as_ratio(found: re.Match[str]) -> str:
    """A fraction as 1/2, and after a whole number as the mixed number 2 1/2."""
    whole, *parts = found.groups()
    above, below = [part for part in parts if part is not None]
    ratio = f"{above}/{below}"
    return ratio if whole is None else f"{whole} {ratio}"
