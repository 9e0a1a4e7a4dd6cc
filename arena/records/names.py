"""How models' names are compared: blanks are no part of them, the case of letters is."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from unicodedata import normalize

from arena.records.notes import Note

_VERSION = re.compile(r"(.+)@([1-9]\d*)")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


def tidy(name: str) -> str:
    """A name without blanks at its ends; any run of blanks inside it is one space.

    Letters with accents are spelled in one way (Unicode's NFC): the two look the same.
    """
    return " ".join(normalize("NFC", name).translate(_INVISIBLE).split())


def alike(names: Iterable[str]) -> Iterator[Note]:
    """A note for each group of names that differ in nothing but case or spaces."""
    together: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        together["".join(name.split()).casefold()].append(name)
    for group in together.values():
        if len(group) > 1:
            yield Note.of("names.alike", names=tuple(map(repr, group)), count=len(group))


def apart(name: str) -> tuple[str, int]:
    """A name without its version, and the version: 1 where it has none."""
    found = _VERSION.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, 1)


def old_versions(names: Iterable[str], in_use: Iterable[str] = ()) -> dict[str, str]:
    """The names that another version took the place of, each with the one that is in use.

    in_use: what runs took last, in that order; see `Store.in_use`. Where nothing is known of it,
    the version with the highest number is in use.
    """
    known = set(names)
    latest: dict[str, str] = {}
    for name in known:
        stem, _ = apart(name)
        if stem in known:
            latest[stem] = max(latest.get(stem, stem), name, key=lambda one: apart(one)[1])
    latest |= {apart(name)[0]: name for name in in_use if name in known and apart(name)[0] in known}
    return {n: latest[s] for n in known if (s := apart(n)[0]) in latest and n != latest[s]}
