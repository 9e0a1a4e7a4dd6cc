"""What must be known of a result, as data: it becomes words where it is shown."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Self

COMMAND_LINE = "cli"
_SIGN = re.compile("^([+-]?)")


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence, or a part of one, that can be said in each language.

    code: the sentence's name in `notes.LANGUAGE.yaml`. values: what it is said with, by name:
    numbers, texts, other notes, or tuples of these.
    """

    code: str
    values: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, code: str, **values: object) -> Self:
        """A note with its values as keywords."""
        return cls(code, tuple(values.items()))

    def text(self, language: str = "en", place: str = "") -> str:
        """The note in words. place: where they are read, if that makes a difference."""
        sentences = load_sentences(language)
        template = sentences.get(f"{self.code}@{place}") or sentences[self.code]
        return _Words(language, place).vformat(template, (), dict(self.values))

    def __str__(self) -> str:
        return self.text()


def counted(count: float, one: str, many: str = "") -> str:
    """A number with its noun, as in `1 vote` and `1,200 votes`. many: where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def counted_rows(count: float, kind: str) -> str:
    """A number with the name of a kind of rows, which is a plural, such as `verdicts`."""
    one = f"{kind[:-3]}y" if kind.endswith("ies") else kind.removesuffix("s")
    return counted(count, one, kind)


def fill(sentence: str, *places: object, **values: object) -> str:
    """A sentence with its fields filled, which are written as in `load_sentences`."""
    return _Words("", "").vformat(sentence, places, values)


def name_of(kind: str, value: str) -> Note | str:
    """What a category or language of prompts, or a capability, is called in each language.

    kind: `category`, `language` or `dimension`. A category may have the name of a capability; what
    has no name here stays as it is.
    """
    kinds = ("category", "dimension") if kind == "category" else (kind,)
    codes = (f"name.{one}.{value}" for one in kinds)
    known = load_sentences("en")
    return next((Note.of(code) for code in codes if code in known), value)


def setting(name: str, value: object) -> Note:
    """A setting of the rating engine, which is an option on the command line."""
    shown = f"{str(value)!r}" if isinstance(value, str) else f"{value}"
    return Note.of("setting", name=name, value=shown, option=f"{value}")


@cache
def load_sentences(language: str) -> dict[str, str]:
    """The templates of a language by code, or by `CODE@PLACE` where a place has words of its own.

    A field is as in `str.format`; `{n:pair|pairs}` is a number with its noun, and what stands after
    the colon of a tuple separates its members.
    """
    import yaml

    text = (files("arena.records") / f"notes.{language}.yaml").read_text(encoding="utf-8")
    sentences: dict[str, str] = yaml.safe_load(text)
    return sentences


class _Words(Formatter):
    def __init__(self, language: str, place: str) -> None:
        self._language = language
        self._place = place

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Note):
            return value.text(self._language, self._place)
        if isinstance(value, tuple):
            return format_spec.join(self.format_field(one, "") for one in value)
        if "|" in format_spec:
            return counted(value, *format_spec.split("|"))
        if isinstance(value, float):  # what rounds to 0 has no sign
            format_spec = _SIGN.sub(r"\1z", format_spec)
        return format(value, format_spec)
