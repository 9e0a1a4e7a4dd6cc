"""No text of a model or a person takes more than time in proportion to its length.

Each function is given long texts of its own marks, taken from the patterns that it uses. Four
times the text may take some four times as long; where time goes with the square it is sixteen.
"""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from arena.benchmarks import needle
from arena.benchmarks.replies import constraints
from arena.judging.cards import templates
from arena.leaderboard import formats
from arena.leaderboard.evidence import identity
from arena.ratings.fitting import style
from arena.web import catalogue
from arena.web.pages import browse as browse_page
from arena.web.views import markdown
from arena.web.voting import blind

pytestmark = pytest.mark.slow

LENGTH = 3_000
TOO_MUCH = 11.0
# What is done sooner than this, in seconds, tells nothing, and need not: squares take longer.
INSTANT = 0.05
COMMON = (" ", "\n", "\n ", "\t", "a", "a ", "1", "甲", "<", ">", "`", "``` ", "$", "\\", "\\(")
MARK = re.compile(r"\\?[^\w\s]|[A-Za-z]+|[^\x00-\x7f]|\d")
KINDS = {
    "sentences": {},
    "paragraphs": {},
    "bullets": {},
    "numbered": {},
    "lines": {},
    "words": {},
    "characters": {},
    "json": {"keys": ["a"]},
    "quoted": {},
    "title": {},
    "placeholders": {},
    "language": {"is": "zh"},
    "no_commas": {},
    "include": {"words": ["a", "甲"]},
    "exclude": {"words": ["aa"]},
    "begins": {"text": "a"},
    "ends": {"text": "a"},
    "each_line": {"text": "a"},
    "lowercase": {},
    "uppercase": {},
}


def kept(kind: str) -> Callable[[str], object]:
    """A constraint without what `follows` does before it, which has tests of its own."""
    check = constraints.CHECKS[kind]
    names = {"text": "text_", "is": "is_"}
    given = {names.get(name, name): value for name, value in KINDS[kind].items()}
    return lambda text: check(text, **given)


SUBJECTS: dict[str, tuple[Callable[[str], object], ModuleType]] = {
    "harmless": (markdown.harmless, markdown),
    "closed": (markdown.closed, markdown),
    "shortened": (lambda text: markdown.shortened(text, "{shown} {length}"), markdown),
    "with_raw": (lambda text: markdown.with_raw(text, text), markdown),
    "as_text": (markdown.as_text, markdown),
    "essence": (blind.essence, blind),
    "echoes": (blind.Open(asked=frozenset(["a" * 999 + "b", "1" * 99])).echoes, blind),
    "line": (lambda text: catalogue.line_of(catalogue.Prompt("p", (text,))), browse_page),
    "identity": (lambda text: identity.identity_claim(text, text[:99], ["Qwen"]), identity),
    "style": (style.style_of, style),
    "filler": (lambda text: list(needle._own(text)), needle),
    "table": (formats._plain, formats),
    "fenced": (
        lambda text: templates._CHAT_MARKS.sub(lambda mark: f"{mark[0]}-", text),
        templates,
    ),
    **{f"constraint {kind}": (kept(kind), constraints) for kind in KINDS},
}


def patterns(module: ModuleType) -> Iterator[str]:
    """The sources of a module's patterns."""
    for value in vars(module).values():
        parts = value if isinstance(value, tuple) else (value,)
        yield from (part.pattern for part in parts if isinstance(part, re.Pattern))
    if module is identity:
        yield from (pattern.pattern for pattern in identity._compiled())


def marks_of(module: ModuleType) -> list[str]:
    """The marks that a module's patterns name, alone and some of them by two."""
    found = {mark for source in patterns(module) for mark in MARK.findall(source)}
    plain = sorted({mark[1:] if len(mark) > 1 and mark[0] == "\\" else mark for mark in found})
    signs = [mark for mark in plain if not mark.isalnum()][:8]
    pairs = ["".join(pair) for pair in itertools.permutations(signs, 2)]
    return [*COMMON, *plain[:60], *pairs]


def seconds(function: Callable[[str], object], text: str) -> float:
    started = time.thread_time()
    function(text)
    return time.thread_time() - started


def growth(function: Callable[[str], object], mark: str, length: int) -> float:
    """How many times as long four times as much takes, at best of three."""
    texts = [(mark * n)[:n] + "!" for n in (length, 4 * length)]
    few, many = (min(seconds(function, text) for _ in range(3)) for text in texts)
    return many / max(few, 1e-9)


@pytest.mark.parametrize("name", SUBJECTS)
def test_time_goes_with_the_length_alone(name: str) -> None:
    function, module = SUBJECTS[name]
    for mark in marks_of(module):
        if seconds(function, (mark * 4 * LENGTH)[: 4 * LENGTH] + "!") > INSTANT:
            found = growth(function, mark, LENGTH)
            assert found < TOO_MUCH or growth(function, mark, LENGTH) < TOO_MUCH, (mark, found)


def test_the_measure_tells_a_square_from_a_line() -> None:
    square = re.compile(r"\\\(.*?\\\)", re.DOTALL)
    assert growth(lambda text: list(square.finditer(text)), "\\(", LENGTH) > TOO_MUCH
    line = re.compile(r"[^a]*")
    assert growth(lambda text: list(line.finditer(text)), "\\(", 40 * LENGTH) < TOO_MUCH
