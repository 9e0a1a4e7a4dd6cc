"""What the app says, in English and Chinese: the files beside this one."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import yaml

from arena.records import Note, name_of
from arena.records.notes import fill

# From the name of a word to what Gradio shows in the language of the browser.
Say = Callable[[str], Any]
LANGUAGES = ("en", "zh")


class Sentence(str):
    """A word or a sentence of the page."""

    __slots__ = ()

    def format(self, *places: object, **values: object) -> str:
        """With its fields filled; one may be a number with its noun, as `{count:vote|votes}`."""
        return fill(self, *places, **values)


Words = Mapping[str, str]


def _read(language: str) -> dict[str, str]:
    text = (files("arena.web.views") / f"words.{language}.yaml").read_text(encoding="utf-8")
    return {str(name): Sentence(said) for name, said in yaml.safe_load(text).items()}


WORDS: Mapping[str, Words] = {language: _read(language) for language in LANGUAGES}


def group_name(words: Words, by: str, value: str) -> str:
    """What a category, language or capability is called; a name that is not known stays."""
    name = name_of(by, value)
    return name if isinstance(name, str) else said(words, name)


def sentences(words: Words, *parts: str) -> str:
    """Sentences after each other, as the language has it; empty ones are left out."""
    return words["gap"].join(filter(None, parts))


def said(words: Words, note: Note) -> str:
    """A note in the language of these words."""
    return note.text("zh" if words is WORDS["zh"] else "en")


def language_of(chosen: str | None, accept_language: str | None) -> str:
    """The one chosen on the page; else `zh` where the browser asks for it before English."""
    if chosen in WORDS:
        return str(chosen)
    for part in (accept_language or "").lower().split(","):
        tag = part.split(";")[0].strip()[:2]
        if tag in WORDS:
            return tag
    return "en"
