"""A question's options as people write them, and which of them is right."""

import ast
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any
from warnings import catch_warnings, simplefilter

LONGEST_CELL = 100_000
_LETTER = re.compile(r"(?i:option|choice|选项)?[\s_(\[]*([A-Z])[)\].:、。\s]*")
_LETTERS = re.compile(r"[A-Z](?:\s?[,;/&+、和]?\s?[A-Z])+")
_PREFIX = r"\s*\(?{}[).:、]\s*(?=\S)"
# Texts side by side without a comma, which Python would read as one text.
_AS_NUMPY = re.compile(r"""(?:'[^'\\]*'|"[^"\\]*")\s+['"]""")
_NUMBER = re.compile(r"(\d{1,2})(?:\.0+)?")
_TEXTS, _LABELS = ("text", "texts", "content", "value", "option"), ("label", "labels", "key", "id")


class RowError(ValueError):
    """What is wrong with a field of a row: its value, and what is allowed."""

    def __init__(self, value: object, rule: str) -> None:
        super().__init__(rule)
        self.value = value
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Options:
    """texts: in order. labels: what each is called in the file, as A or 1; empty where in order."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()


def options_of(found: object) -> Options:
    """Options from a list, an object {A: …}, parallel lists {text, label}, or such in a cell."""
    held = in_cell(found)
    if isinstance(held, Mapping):
        return _of_object(held, found)
    if isinstance(held, list) and held and all(isinstance(one, Mapping) for one in held):
        return Options(
            tuple(_text(_first(one, _TEXTS)) for one in held),
            tuple(_label(_first(one, _LABELS)) for one in held),
        )
    if not isinstance(held, list) or len(held) < 2:
        raise RowError(found, "it must be a list of two options or more")
    return Options(without_letters(tuple(map(_text, held))))


def without_letters(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Options without their own letters, where each begins with its own, as "A. Paris"."""
    patterns = [re.compile(_PREFIX.format(letter)) for letter in ascii_uppercase[: len(texts)]]
    plain = [unicodedata.normalize("NFKC", text) for text in texts]
    found = [pattern.match(text) for pattern, text in zip(patterns, plain, strict=False)]
    if len(found) < len(texts) or not all(found):
        return texts
    return tuple(text[one.end() :] for text, one in zip(plain, found, strict=True) if one)


def in_cell(found: object) -> object:
    """A list or object that is written into a cell, as JSON or as Python writes it."""
    if (
        not isinstance(found, str)
        or found.strip()[:1] not in ("[", "{")
        or len(found) > LONGEST_CELL
    ):
        return found
    if found.strip()[0] == "[" and _AS_NUMPY.match(found.strip()[1:].lstrip()):
        raise RowError(found, "a list as numpy prints it, without commas; write it as JSON")
    for read in (json.loads, ast.literal_eval):
        try:
            with catch_warnings():
                simplefilter("ignore")  # a \\d in the text of an option is no matter
                return read(found.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return found


def right_option(wanted: object, options: Options) -> int | None:
    """The position of the right option: by its label, letter or text; a JSON number counts from 0.

    None for a number as a text, which may count from 0 or from 1. Raises RowError.
    """
    held = in_cell(wanted)
    if isinstance(held, list):
        if len(held) != 1:
            raise RowError(wanted, _SEVERAL if held else _allowed(options))
        held = held[0]
    texts = options.texts
    if options.labels and (by_label := _by_label(held, options)) is not None:
        return by_label
    if isinstance(held, int) and not isinstance(held, bool) and not options.labels:
        if 0 <= held < len(texts):
            return held
        raise RowError(held, f"{_allowed(options)} or its position from 0")
    text = _text(held)
    by_letter = _by_letter(text, texts)
    if by_letter is not None:
        if text in texts and text != texts[by_letter]:
            letter = ascii_uppercase[by_letter]
            rule = f"it is one option's letter and another's text; write its letter as ({letter})"
            raise RowError(text, rule)
        return by_letter
    if text in texts:
        return texts.index(text)
    if _NUMBER.fullmatch(text) and not options.labels:
        return None
    letters = unicodedata.normalize("NFKC", text).upper()
    several = _LETTERS.fullmatch(letters) and set(re.findall("[A-Z]", letters)) <= set(
        ascii_uppercase[: len(texts)]
    )
    raise RowError(text, _SEVERAL if several else _allowed(options))


_SEVERAL = "several options are right at once; one letter, one text or one number is allowed"


def number_in(wanted: object) -> int | None:
    """A number that is written as a text, 1.0 included."""
    found = _NUMBER.fullmatch(_text(in_cell(wanted)))
    return int(found[1]) if found else None


def base_of(numbers: Sequence[tuple[int, int]]) -> int | None:
    """Where positions count from, 0 or 1, as the positions of a file tell; None where they do not.

    numbers: each position with the number of options that it points into.
    """
    from_0 = all(0 <= number < count for number, count in numbers)
    from_1 = all(1 <= number <= count for number, count in numbers)
    return None if from_0 == from_1 else int(from_1)


def _of_object(held: Mapping[Any, Any], found: object) -> Options:
    texts = _first(held, _TEXTS)
    if isinstance(texts, list):
        labels = _first(held, _LABELS)
        names = tuple(map(_label, labels)) if isinstance(labels, list) else ()
        if names and (len(names) != len(texts) or len(set(names)) < len(names)):
            raise RowError(found, "each option needs one label of its own")
        if len(texts) < 2:
            raise RowError(found, "it must be a list of two options or more")
        return Options(tuple(map(_text, texts)), names)
    kept = {_label(name): _text(text) for name, text in held.items() if text not in (None, "")}
    if len(kept) < 2 or any(isinstance(text, list | dict) for text in held.values()):
        raise RowError(found, 'it must be {"A": …, "B": …} with two options or more')
    return Options(tuple(kept.values()), tuple(kept))


def _by_label(wanted: object, options: Options) -> int | None:
    label = _label(wanted)
    letter = _LETTER.fullmatch(label)
    for name in (label, letter[1] if letter else label):
        if name in options.labels:
            return options.labels.index(name)
    return None


def _by_letter(text: str, texts: Sequence[str]) -> int | None:
    """By a letter alone, or by a letter with its option's own text."""
    plain = unicodedata.normalize("NFKC", text).upper()
    letter = _LETTER.fullmatch(plain) or _LETTER.match(plain)
    if not letter or letter[1] not in ascii_uppercase[: len(texts)]:
        return None
    k = ascii_uppercase.index(letter[1])
    rest = plain[letter.end() :].strip()
    own = unicodedata.normalize("NFKC", texts[k]).upper().strip()
    return k if not rest or (rest == own and letter.end() > len(letter[1])) else None


def _allowed(options: Options) -> str:
    names = options.labels or tuple(ascii_uppercase[: len(options.texts)])
    return f"allowed are {', '.join(names)} or an option's text"


def _first(held: Mapping[Any, Any], names: Sequence[str]) -> Any:
    return next((held[name] for name in names if name in held), None)


def _label(value: object) -> str:
    return unicodedata.normalize("NFKC", _text(value)).strip("()[].:、。 ").upper()


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
