"""How the items of a set are put to a model: the words, the way of reading, the examples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from string import ascii_uppercase

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from arena.benchmarks.items.reading import Item
from arena.benchmarks.replies.scoring import METRICS
from arena.files.encodings import read_text
from arena.records.errors import InputError

FEW = 5
LETTERS = ascii_uppercase
# What a sound template may still run into, such as a text divided by a number.
_FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
_VARIABLES = {"question", "options", "language", *LETTERS}


class ItemMode(StrEnum):
    """`ppl`: which answer the model finds likeliest. `gen`: what it writes, and what is in it."""

    PPL = "ppl"
    GEN = "gen"


@dataclass(frozen=True)
class ItemTemplate:
    """The words around an item, in Jinja2: question, options (lettered lines), A, B, …, language.

    text: for items in English, and `zh` for Chinese ones. thinks: the reply needs room for it.
    """

    name: str
    text: str
    zh: str = ""
    thinks: bool = False

    def check(self) -> "ItemTemplate":
        """Raise InputError for a syntax error, an unknown variable, or no question."""
        try:
            _environment().from_string(self.text)
        except TemplateSyntaxError as error:
            raise InputError(f"{self.name}:{error.lineno}: {error.message}") from error
        used = self._variables
        if unknown := sorted(used - _VARIABLES):
            raise InputError(
                f"{self.name}: unknown variable {unknown[0]!r}; allowed are question, options, "
                "language, and A, B, …"
            )
        if "question" not in used:
            raise InputError(f"{self.name}: a template must use 'question'")
        return self

    @property
    def shows_options(self) -> bool:
        """Whether an item's options stand in it, and so can be called by their letters."""
        return not self._variables.isdisjoint({"options", *LETTERS})

    @property
    def _variables(self) -> set[str]:
        return meta.find_undeclared_variables(_environment().parse(self.text))

    def render(self, item: Item) -> str:
        """The item in these words."""
        text = self.zh if item.language == "zh" and self.zh else self.text
        lettered = dict(zip(LETTERS, item.choices, strict=False))
        options = "\n".join(f"{key}. {choice}" for key, choice in lettered.items())
        try:
            return (
                _environment()
                .from_string(text)
                .render(question=item.question, options=options, language=item.language, **lettered)
                .strip()
            )
        except (TemplateError, *_FAULTS) as error:
            raise InputError(f"{self.name}: item {item.name}: {error}") from error


def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined)


CLOZE = ItemTemplate("cloze", "Question: {{ question }}\nAnswer:", "问题：{{ question }}\n答案：")
LETTERED = ItemTemplate(
    "lettered",
    "Question: {{ question }}\n{{ options }}\nAnswer:",
    "问题：{{ question }}\n{{ options }}\n答案：",
)
PICK = ItemTemplate(
    "pick",
    "{{ question }}\n{{ options }}\nReply with the letter of the right option only.",
    "{{ question }}\n{{ options }}\n只回答正确选项的字母。",
)
THINK_PICK = ItemTemplate(
    "think, then pick",
    "{{ question }}\n{{ options }}\n"
    'Think step by step. End with a line "Answer: X", where X is the letter of the right option.',
    "{{ question }}\n{{ options }}\n请一步一步思考，最后一行写“答案：X”，X是正确选项的字母。",
    thinks=True,
)
TELL = ItemTemplate(
    "tell",
    "{{ question }}\nReply with the answer only.",
    "{{ question }}\n只回答答案本身。",
)
THINK_TELL = ItemTemplate(
    "think, then tell",
    '{{ question }}\nThink step by step. End with a line "Answer: …" that holds the answer only.',
    "{{ question }}\n请一步一步思考，最后一行写“答案：…”，其中只写答案。",
    thinks=True,
)
EXPLAIN = ItemTemplate("explain", "{{ question }}")


@dataclass(frozen=True)
class Asking:
    """How a benchmark is asked; what is None is as the benchmark has it.

    way: of reading an answer. few_shot: how many solved items come first. chat: whether the
    text is put as a conversation (None: what is written is, what is read is not). circular:
    each item in every rotation of its options, right only if all are. thinks: with a template
    that lets the model reason first. metric: of open items, see `marking.METRICS`. multiturn:
    examples as turns of a conversation, not as one text.
    """

    way: ItemMode | None = None
    few_shot: int | None = None
    chat: bool | None = None
    circular: bool = False
    thinks: bool = False
    template: ItemTemplate | None = None
    metric: str | None = None
    multiturn: bool = False
    name: str = ""

    @property
    def is_default(self) -> bool:
        """Whether items are put just as their benchmark has it."""
        return not (self.way or self.circular or self.thinks or self.template or self.metric)

    @property
    def variant(self) -> str:
        """The way of asking in a few words; empty where all is as the benchmark has it.

        A name stands for a template, its examples and thoughts, and for writing.
        """
        way = "" if self.name and self.way is ItemMode.GEN else str(self.way or "")
        shots = f"{self.few_shot}-shot" if self.few_shot is not None else ""
        parts = [
            self.name,
            way,
            "" if self.name else shots,
            "circular" if self.circular else "",
            "cot" if self.thinks and not self.name else "",
            self.template.name if self.template and not self.name else "",
            self.metric or "",
            {None: "", True: "chat", False: "no chat"}[self.chat],
            "multiturn" if self.multiturn else "",
        ]
        return " ".join(filter(None, parts))

    def checked(self) -> "Asking":
        """Raise InputError where the parts do not go together."""
        if self.metric is not None and self.metric not in METRICS:
            raise InputError(f"--metric {self.metric!r}; allowed are {', '.join(METRICS)}")
        if self.thinks and self.way is ItemMode.PPL:
            raise InputError("a model that only reads likelihoods writes no thoughts: --mode gen")
        if self.few_shot is not None and self.few_shot < 0:
            raise InputError(f"--few-shot {self.few_shot}; it must be 0 or more")
        return self


def read_template(path: Path) -> ItemTemplate:
    """A user's own template; it is known by its file's name."""
    return ItemTemplate(path.stem, read_text(path)).check()


def variants(names: Sequence[str], base: Asking) -> list[Asking]:
    """The ways of asking that `names` stand for: zero-shot, few-shot, cot, or a template's file."""
    base = replace(base, way=base.way or ItemMode.GEN)
    few = base.few_shot if base.few_shot is not None else FEW
    known = {
        "zero-shot": replace(base, few_shot=0, name="zero-shot"),
        "few-shot": replace(base, few_shot=few, name=f"{few}-shot"),
        "cot": replace(base, few_shot=0, thinks=True, name="cot"),
    }
    found = []
    for name in names:
        if name in known:
            found.append(known[name])
        elif "." in name or "/" in name:
            template = read_template(Path(name))
            found.append(replace(base, few_shot=0, template=template, name=template.name))
        else:
            raise InputError(f"--variants {name!r}; allowed are {', '.join(known)} and FILE")
    if len({asking.variant for asking in found}) < len(found):
        raise InputError(f"--variants {','.join(names)}: one of them is there twice")
    return [asking.checked() for asking in found]
