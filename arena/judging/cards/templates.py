"""Judge prompts from Jinja2 templates, with every outside text fenced.

A template never sees the bare text of a question or an answer: each variable holds blocks
like

    <answer_a 5e0c81f2>
    …
    </answer_a 5e0c81f2>

whose boundary word is a digest of the text and of all that stands before it. The text
cannot hold its own boundary (if it did, another would be taken), so it cannot close its
block; and equal beginnings give equal boundaries, so a server's prefix cache still works.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

from jinja2 import StrictUndefined, TemplateSyntaxError, meta
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from arena.records import Mode, Prompt
from arena.records.errors import TemplateError

_COMMON = frozenset({"question", "reference", "language", "category", "turns"})
VARIABLES = {
    Mode.PAIRWISE: _COMMON | {"answer_a", "answer_b", "options"},
    Mode.SCORE: _COMMON | {"answer", "low", "high"},
    Mode.RANK: _COMMON | {"answers", "labels"},
}
_REQUIRED = {
    Mode.PAIRWISE: ("question", "answer_a", "answer_b"),
    Mode.SCORE: ("question", "answer"),
    Mode.RANK: ("question", "answers"),
}


# What a server's tokenizer could take for a mark of its own: `<|im_end|>`, `<｜User｜>`, `</s>`,
# `<end_of_turn>`, `[/INST]`, `[UNUSED_TOKEN_145]` (which is InternLM2's end of a message).
# A zero-width space after the bracket leaves them text; in this process the tokenizer does.
_CHAT_MARKS = re.compile(
    r"<(?=\|[^|<>\s]{1,40}\|>|｜[^｜<>\s]{1,40}｜>|/?s>|<?/?SYS>>|(?:start|end)_of_turn>|[be]os>)"
    r"|\[(?=/?INST\]|UNUSED_TOKEN_\d+\])"
)


class Template:
    """One judge prompt, checked when it is read: syntax, unknown and missing variables."""

    def __init__(self, path: Path, text: str, mode: Mode) -> None:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        try:
            used = meta.find_undeclared_variables(environment.parse(text))
            self._template = environment.from_string(text)
        except TemplateSyntaxError as error:
            raise TemplateError(f"{path}:{error.lineno}: {error.message}") from error
        if unknown := sorted(used - VARIABLES[mode]):
            allowed = ", ".join(sorted(VARIABLES[mode]))
            raise TemplateError(
                f"{path}: unknown variable {unknown[0]!r}; a {mode} template may use: {allowed}"
            )
        if missing := [name for name in _REQUIRED[mode] if name not in used]:
            raise TemplateError(f"{path}: a {mode} template must use {missing[0]!r}")
        self.path = path
        self.text = text
        self.mode = mode

    def __reduce__(self) -> tuple[type["Template"], tuple[Path, str, Mode]]:
        """As it was read: what it was compiled to goes to no other process."""
        return Template, (self.path, self.text, self.mode)

    def pair(
        self, prompt: Prompt, first: Sequence[str], second: Sequence[str], options: dict[str, str]
    ) -> str:
        """The judge prompt for an ordered pair of answers, each a text a turn."""
        fence = Fences()
        blocks = _blocks(fence, prompt)
        return self._render(
            **blocks,
            options=options,
            answer_a=fence.blocks("answer_a", first),
            answer_b=fence.blocks("answer_b", second),
        )

    def single(self, prompt: Prompt, answer: Sequence[str], scale: tuple[int, int]) -> str:
        """The judge prompt for one answer."""
        fence = Fences()
        blocks = _blocks(fence, prompt)
        low, high = scale
        return self._render(**blocks, answer=fence.blocks("answer", answer), low=low, high=high)

    def ranking(
        self, prompt: Prompt, answers: Sequence[Sequence[str]], labels: Sequence[str]
    ) -> str:
        """The judge prompt for several answers at once."""
        fence = Fences()
        blocks = _blocks(fence, prompt)
        shown = [
            fence.blocks(f"answer_{label.lower()}", answer)
            for label, answer in zip(labels, answers, strict=True)
        ]
        return self._render(**blocks, labels=labels, answers="\n\n".join(shown))

    def _render(self, **variables: object) -> str:
        try:
            return self._template.render(**variables).strip()
        except (JinjaError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise TemplateError(f"{self.path}: {error}") from error


def _blocks(fence: "Fences", prompt: Prompt) -> dict[str, object]:
    return {
        "language": prompt.language,
        "category": prompt.category,
        "turns": len(prompt.turns),
        "question": fence.blocks("question", prompt.turns),
        "reference": fence.blocks("reference", prompt.references),
    }


class Fences:
    """Makes the blocks of one judge prompt, each boundary following from all before it."""

    def __init__(self) -> None:
        self._chain = b""

    def blocks(self, tag: str, texts: Iterable[str]) -> str:
        """Each text between its fences, under its tag."""
        texts = tuple(texts)
        numbered = len(texts) > 1
        return "\n".join(
            self._block(f"{tag}_{number}" if numbered else tag, text)
            for number, text in enumerate(texts, start=1)
        )

    def _block(self, tag: str, text: str) -> str:
        text = _CHAT_MARKS.sub(lambda mark: f"{mark[0]}\u200b", text)
        self._chain = blake2b(self._chain + text.encode(errors="replace")).digest()
        boundary = self._chain[:4].hex()
        while boundary in text:
            self._chain = blake2b(self._chain).digest()
            boundary = self._chain[:4].hex()
        return f"<{tag} {boundary}>\n{text}\n</{tag} {boundary}>"
