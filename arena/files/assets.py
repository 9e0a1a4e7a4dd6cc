"""Where the judges, prompts and data folders are.

A user's own folders, beside the database, come before the built-in ones; the built-in ones
are inside the wheel (`arena/_assets`) or, in a checkout, at its top.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from arena.records.errors import UnknownNameError

_PACKAGE = Path(__file__).parents[1]
_ROOTS = (_PACKAGE / "_assets", _PACKAGE.parent)


def builtin(folder: str) -> Path:
    """The built-in folder of that name: `judges`, `prompts` or `data`."""
    for root in _ROOTS:
        if (root / folder).is_dir():
            return root / folder
    raise FileNotFoundError(f"the built-in folder {folder!r} is missing from {_PACKAGE}")


def folders(folder: str, home: Path) -> list[Path]:
    """The folders of that name, the user's first; `home` is the folder of the database."""
    own = home / folder
    there = [own.resolve()] if own.is_dir() else []
    return list(dict.fromkeys([*there, builtin(folder).resolve()]))


def named(folder: str, suffix: str, home: Path) -> Iterator[tuple[str, Path]]:
    """Every `NAME` + suffix in the folders, each name once, the user's before the built-in."""
    seen: set[str] = set()
    for place in folders(folder, home):
        for path in sorted(place.glob(f"*{suffix}")):
            name = path.name.removesuffix(suffix)
            if name not in seen:
                seen.add(name)
                yield name, path


def find(kind: str, folder: str, suffix: str, name: str, home: Path) -> Path:
    """The file of that name, or an error with the nearest names."""
    known = dict(named(folder, suffix, home))
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known[name]


def cache_folder() -> Path:
    """Where converted weights are kept: ARENA_CACHE, else the user's cache folder."""
    if own := os.environ.get("ARENA_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "arena"
