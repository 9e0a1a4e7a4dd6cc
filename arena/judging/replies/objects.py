"""JSON as models write it: in fences, between sentences, wrapped, and not always JSON."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TAIL = 50_000  # characters at the end of a reply in which an object is looked for
_DEEPEST = 3  # objects around an object
_SAMPLE = re.compile(
    r"(?:\bformat (?:is|was)|\bfor (?:example|instance)|\be\.g\.,?|例如|比如)[\s:：]*$", re.I
)
_SAMPLES = {"example", "examples", "format", "schema", "template"}
_VALUE = (
    r"""(?:\\?"([^"\\\n]{0,80})\\?"|'([^'\n]{0,80})'|“([^”\n]{0,80})”|([^\s"'“”,{}\[\]]{1,20}))"""
)


@dataclass(frozen=True, slots=True)
class FoundObject:
    """The values of an object by their names in small letters.

    end: where it ends in the text. is_sample: whether it is said to be the format or an example.
    """

    values: Mapping[str, Any]
    end: int
    is_sample: bool = False


def last_object(text: str, fields: Iterable[str]) -> FoundObject | None:
    """The last object with all these fields, their values as text or numbers.

    Objects inside of others count where no outer one has the fields. Where nothing is JSON,
    the fields are looked for by their names: single quotes, a comma too many or a sign that
    JSON does not know are no reason to lose a reply. A field with two values is not read then.
    """
    wanted = [field.casefold() for field in fields]
    objects = [found for found in _outermost(text) if found.values]
    own = [found for found in objects if not found.is_sample] or objects
    for found in reversed(own):
        for value in _layers(found.values):
            if all(_is_plain(value.get(field)) for field in wanted):
                return FoundObject({field: str(value[field]) for field in wanted}, found.end)
            if any(field in value for field in wanted):
                return None
    return None if objects else _by_name(text, wanted)


def last_list(text: str, field: str) -> FoundObject | None:
    """The last object whose field is a list."""
    for found in reversed(list(_outermost(text))):
        for value in _layers(found.values):
            if isinstance(value.get(field), list):
                return FoundObject(value, found.end)
    return None


def _outermost(text: str) -> Iterator[FoundObject]:
    """The objects near the end of a text that are JSON, without those inside of others."""
    cut = max(0, len(text) - _TAIL)
    tail, decoder, start = text[cut:], json.JSONDecoder(), 0
    while (start := tail.find("{", start)) >= 0:
        try:
            _, end = decoder.raw_decode(tail, start)
            value = json.loads(tail[start:end], object_pairs_hook=_once)
            is_sample = bool(_SAMPLE.search(tail[max(0, start - 60) : start]))
            yield FoundObject(_named(value), cut + end, is_sample)
            start = end
        except (ValueError, RecursionError):
            start += 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose name with two different values has a list of them, which is no value."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = [found[name], value] if name in found and found[name] != value else value
    return found


def _layers(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """An object, and then what it is a wrapper of."""
    for _ in range(_DEEPEST):
        yield value
        inner = [v for k, v in value.items() if isinstance(v, dict) and k not in _SAMPLES]
        if len(inner) != 1:
            return
        value = _named(inner[0])


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().casefold(): said for name, said in value.items()}


def _is_plain(value: object) -> bool:
    return type(value) in (str, int, float)


def _by_name(text: str, fields: Iterable[str]) -> FoundObject | None:
    """Fields between the first brace and the last, each with one value in all of the tail."""
    start, end = text.find("{", max(0, len(text) - _TAIL)), text.rfind("}")
    if not 0 <= start < end:
        return None
    values = {}
    for field in fields:
        name = (
            rf"""[{{,\n]\s{{0,20}}\\?["'“]?{re.escape(field)}\\?["'”]?\s{{0,20}}[:：]\s{{0,20}}"""
        )
        found = re.finditer(rf"{name}{_VALUE}(?=\s{{0,20}}[,}}\n])", text[start : end + 1], re.I)
        said = {one[one.lastindex or 0].strip() for one in found}
        if len(said) != 1 or (value := said.pop()).casefold() in ("null", "true", "false", "none"):
            return None
        values[field] = value
    return FoundObject(values, end + 1)
