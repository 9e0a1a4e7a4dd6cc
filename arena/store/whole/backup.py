"""A database copied to another file while others write to it."""

import os
from contextlib import closing
from pathlib import Path

from arena.records.errors import StoreError
from arena.store.connection import sqlite3

# What SQLite keeps beside a database: left by another, it would be taken for a part of this one.
BESIDE = ("-wal", "-shm", "-journal")


def copy_database(source: Path, place: Path, *, at_rest: bool = False) -> None:
    """Write `source` as it is at one moment into the new file `place`, page by page.

    Who writes to `source` is not kept waiting where SQLite has a write-ahead log. The copy is one
    file, safe on the disk, and rows keep their numbers. Raises StoreError where that fails.
    """
    if taken := next((p for p in (place, *beside(place)) if p.exists()), None):
        raise StoreError(f"{taken}: there is a file already, and it stays as it is")
    try:
        with closing(_reading(source, at_rest)) as old, closing(sqlite3.connect(str(place))) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
            damage = new.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise StoreError(f"{source}: it is damaged ({' '.join(damage.split())})")
        with place.open("rb") as file:
            os.fsync(file.fileno())
    except sqlite3.Error as error:
        place.unlink(missing_ok=True)
        raise StoreError(f"{source}: it cannot be copied to {place} ({error})") from error
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def beside(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a database while it is open."""
    return [path.with_name(path.name + ending) for ending in BESIDE]


def _reading(path: Path, at_rest: bool) -> sqlite3.Connection:
    how = "immutable=1" if at_rest and not any(p.exists() for p in beside(path)) else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
