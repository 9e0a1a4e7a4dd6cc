"""Entries of `models:` that stand for several models: every combination of the values they list."""

import re
from collections.abc import Sequence
from itertools import product
from typing import Any

# The settings that may be a list, in the order in which names have them.
LISTED = (
    *("system", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens"),
    *("reasoning_effort", "thinking", "max_thinking_tokens", "seed"),
)
_WORD = re.compile(r"\w+")
_MOST_WORDS = 3


def expanded(models: Any) -> Any:
    """`models:` as it is read, each entry that lists values replaced by what it stands for.

    A model is named after its entry and what differs: `small-temperature-0.7`. Raises ValueError
    for a list without values and for a name that is there already.
    """
    if not isinstance(models, dict):
        return models
    found: dict[Any, Any] = {}
    for name, entry in models.items():
        for own_name, own in _combinations(name, entry):
            if own_name in found:
                raise ValueError(f"two models would be named {own_name}; take another name")
            found[own_name] = own
    return found


def _combinations(name: Any, entry: Any) -> list[tuple[Any, Any]]:
    if not isinstance(entry, dict):
        return [(name, entry)]
    listed = [key for key in LISTED if isinstance(entry.get(key), list)]
    if empty := [key for key in listed if not entry[key]]:
        raise ValueError(f"{name}: the list of {empty[0]} is empty; it needs a value")
    words = [_words(key, entry[key]) for key in listed]
    return [
        (
            "-".join([str(name), *(words[n][i] for n, i in enumerate(places))]) if listed else name,
            entry | {key: entry[key][i] for key, i in zip(listed, places, strict=True)},
        )
        for places in product(*(range(len(entry[key])) for key in listed))
    ]


def _words(key: str, values: Sequence[Any]) -> list[str]:
    """What each value adds to a name; texts that begin alike are told apart by their numbers."""
    shown = [_shown(value) for value in values]
    if "" in shown or len(set(shown)) < len(shown):
        shown = [str(number) for number in range(1, len(values) + 1)]
    return [f"{key}-{word}" for word in shown]


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:g}"
    return "-".join(_WORD.findall(str(value).lower())[:_MOST_WORDS])
