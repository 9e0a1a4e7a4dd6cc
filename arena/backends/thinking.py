"""What a model thought, taken apart from what it said: the one place that knows the marks.

Models set their thinking off in a few ways: between tags, between tokens of their own, in
channels (GPT-OSS calls its format harmony), or under two fixed headings. A chat template may
have put the opening mark itself, so that the reply holds only the closing one. A mark inside
of code is a text about marks. No text raises, and none takes more than linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNFINISHED = "the reply ends while thinking"

_MARK = re.compile(
    r"""
      <(?:(?:start|begin)|(?P<of>end))_of_(?:thought|thinking)>
    | [<＜]\ ?(?:\\?(?P<tag>/)\ ?)?(?:\w{1,20}[:_])?
      (?:think|(?:thinking|thought)_process|thinking|thoughts?|reason|reasoning|scratchpad
        |antthinking|inner_monologue)
      (?:\ [^<>＜＞]{0,80})?[>＞]
    | (?P<details></details>)(?=\s) | <details\ type="reasoning"[^<>]{0,200}>
    | \[(?P<square>/?)THINK\]
    | ◁(?P<triangle>/?)think▷
    | <\|(?:begin|(?P<thought>end))_of_(?:thought|thinking)\|>
    | <\|(?P<token>/?)(?:think|thinking|thought)\|>
    | <\|(?:START|(?P<cohere>END))_THINKING\|>
    | <\|inner_(?:prefix|(?P<inner>suffix))\|>
    | <unused9(?:4>(?:thought)?|(?P<medgemma>5>))
    | <\|channel>thought | (?P<gemma><channel\|>)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TOKENS = frozenset(
    (
        *("<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>", "<|constrain|>"),
        *("<|channel>", "<unused94>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        *("<|begin_of_solution|>", "<|end_of_solution|>"),
    )
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_CHANNEL = re.compile(r"<\|channel\|>([^<]{0,200})(?:<\|constrain\|>[^<]{0,80})?<\|message\|>")
_END_OF_MESSAGE = re.compile(r"<\|(?:end|return|call|start)\|>")
# The same channels where a server has left the special tokens out of the text.
_BARE_CHANNEL = re.compile(r"\s*analysis(?=[^\sa-z])")
_BARE_FINAL = "assistantfinal"
# What begins thinking, and what begins the answer after it: Granite's, HuatuoGPT-o1's, Ollama's.
_HEADINGS = (
    (
        re.compile(r"\s*Here(?:'s| is) my thought process:"),
        re.compile(r"^Here(?:'s| is) my response:", re.MULTILINE),
    ),
    (re.compile(r"\s*## Thinking\s*\n"), re.compile(r"^## Final Response\b", re.MULTILINE)),
    (re.compile(r"\s*Thinking\.\.\.\n"), re.compile(r"^\.\.\.done thinking\.", re.MULTILINE)),
)
_WRAPPERS = (
    ("<|begin_of_box|>", "<|end_of_box|>"),
    ("<output>", "</output>"),
    ("<answer>", "</answer>"),
    ("<response>", "</response>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
)
_END_TOKEN = re.compile(r"<\|\w{1,30}\|>|<｜[\w▁]{1,30}｜>|<end_of_turn>|<eos>")
_MOST_END_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply taken apart.

    answer: what was said, without space around it; all of the text, as it stands, where there
    was no thinking. thinking: what was thought, empty where the text shows none. unfinished:
    whether the text ends in the middle of thinking, so that an answer is still to come.
    """

    answer: str
    thinking: str = ""
    unfinished: bool = False


def is_mark(token: str) -> bool:
    """Whether a token of a model's own vocabulary is a mark of thinking, or a part of one."""
    return token in _TOKENS or _MARK.fullmatch(token) is not None


def opened_by(token: str) -> str:
    """The mark that a closing one closes, spelled as such pairs are; empty for other marks."""
    found = _MARK.fullmatch(token)
    if not found or not any(found.groups()):
        return ""
    return token.replace("/", "", 1).replace("END", "START", 1).replace("end", "begin", 1)


def left_open(text: str) -> str:
    """The mark with which a template opens thinking and does not close it; empty without one."""
    marks = list(_MARK.finditer(text))
    return "" if not marks or any(marks[-1].groups()) else marks[-1][0]


def split(text: str) -> Spoken:
    """Take a reply apart into what was thought and what was said."""
    found = _in_channels(text) or _under_headings(text) or _between_marks(text)
    if found is None:
        return Spoken(_without_end_tokens(text))
    return Spoken(
        _unwrapped(_without_end_tokens(found.answer).strip()),
        found.thinking.strip(),
        found.unfinished,
    )


def _in_channels(text: str) -> Spoken | None:
    """Messages that name their channel; what is said stands in the last one named `final`."""
    if bare := _BARE_CHANNEL.match(text):
        before, final, after = text[bare.end() :].rpartition(_BARE_FINAL)
        return Spoken(after, before) if final else Spoken("", after, unfinished=True)
    heads = list(_CHANNEL.finditer(text))
    if not heads:
        return None
    ends = [*(head.start() for head in heads[1:]), len(text)]
    said: str | None = None
    thought = [text[: heads[0].start()].removesuffix("<|start|>assistant")]
    for head, end in zip(heads, ends, strict=True):
        message = _END_OF_MESSAGE.split(text[head.end() : end], maxsplit=1)[0]
        if head[1].split(" ", 1)[0] == "final":
            said = message
        else:
            thought.append(message)
    return Spoken(said or "", "\n".join(thought), unfinished=said is None)


def _under_headings(text: str) -> Spoken | None:
    """Two fixed headings; the first alone is thinking only where no answer begins so."""
    for heading, response in _HEADINGS:
        if not (start := heading.match(text)):
            continue
        if end := response.search(text, start.end()):
            return Spoken(text[end.end() :], text[start.end() : end.start()])
        if heading is _HEADINGS[0][0]:
            return Spoken("", text[start.end() :], unfinished=True)
    return None


def _between_marks(text: str) -> Spoken | None:
    """Text between an opening and a closing mark, and all before a closing mark without one."""
    said: list[str] = []
    thought: list[str] = []
    marks, start, thinking = list(_marks(text)), 0, False
    for mark, is_closing in marks:
        if is_closing and not thinking:
            thought += [*said, text[start : mark.start()]]
            said = []
        else:
            (thought if thinking else said).append(text[start : mark.start()])
        thinking, start = not is_closing, mark.end()
    (thought if thinking else said).append(text[start:])
    return Spoken(_joined(said), _joined(thought), thinking) if marks else None


def _joined(parts: list[str]) -> str:
    return "\n".join(filter(None, map(str.strip, parts)))


def _marks(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """The marks that count, and whether each closes.

    Inside of code none does, unless it closes what was opened before. An opening mark in the
    middle of a line counts only where a closing one follows.
    """
    found = [(mark, any(mark.groups())) for mark in _MARK.finditer(text)]
    last_closing = max((mark.start() for mark, closes in found if closes), default=-1)
    fences = [fence.start() for fence in _FENCE.finditer(text)] if found else []
    fence, in_code, thinking, said_from, opening = 0, False, False, 0, ""
    for mark, closes in found:
        if mark["details"] and not opening.startswith("<details"):
            continue  # what ends no thinking ends a fold of the answer's own
        while fence < len(fences) and fences[fence] < mark.start():
            in_code = not in_code if fences[fence] >= said_from else in_code
            fence += 1
        if not (thinking and closes):
            quoted = (
                text[mark.start() - 1 : mark.start()] == "`" == text[mark.end() : mark.end() + 1]
            )
            begins = closes or mark.start() < last_closing or _begins_line(text, said_from, mark)
            if in_code or quoted or thinking or not begins or _is_named(text, said_from, mark):
                continue
        thinking, said_from, in_code = not closes, mark.end(), False
        opening = "" if closes else mark[0]
        yield mark, closes


def _is_named(text: str, said_from: int, mark: re.Match[str]) -> bool:
    """Whether a sentence speaks of the mark: words before it, and after it no more than a stop."""
    rest = text[mark.end() : mark.end() + 8].strip()
    return not _begins_line(text, said_from, mark) and rest in (".", "!", "?", "。", "！", "？")


def _begins_line(text: str, said_from: int, mark: re.Match[str]) -> bool:
    before = text[max(said_from, mark.start() - 80) : mark.start()].rstrip(" \t")
    return not before or before.endswith("\n")


def _unwrapped(answer: str) -> str:
    """An answer without the tags that some models put around it after thinking."""
    for opening, closing in _WRAPPERS:
        if answer.startswith(opening):
            return answer.removeprefix(opening).removesuffix(closing).strip()
    return answer


def _without_end_tokens(text: str) -> str:
    """A text without the special tokens that some servers leave at its end."""
    for _ in range(_MOST_END_TOKENS):
        kept = text.rstrip()
        start = kept.rfind("<")
        is_eos = kept.endswith("</s>") and "<s>" not in kept
        if start < 0 or not (is_eos or _END_TOKEN.fullmatch(kept, start)):
            break
        text = kept[:start]
    return text
