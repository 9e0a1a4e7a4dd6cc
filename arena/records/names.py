"""How models' names are compared: blanks are no part of them, the case of letters is."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from arena.records.notes import Note

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


def tidy(name: str) -> str:
    """A name without blanks at its ends; any run of blanks inside it is one space."""
    return " ".join(name.translate(_INVISIBLE).split())


def alike(names: Iterable[str]) -> Iterator[Note]:
    """A note for each group of names that differ in nothing but case or spaces."""
    together: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        together["".join(name.split()).casefold()].append(name)
    for group in together.values():
        if len(group) > 1:
            yield Note.of("names.alike", names=tuple(map(repr, group)), count=len(group))
