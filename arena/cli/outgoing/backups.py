"""A database kept safe: copied while the app runs, and brought back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copymode
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from arena.cli.options import ConfigFile, Db, db_path, open_store, settings
from arena.cli.output import say
from arena.records.errors import InputError

_AND_SECRET = ", and the secret beside it"


def backup(
    file: Annotated[Path, typer.Argument(help="The new file to write.")],
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Copy the database into a new file, whether or not anybody is voting just now.

    The copy is a database like any other. The secret by which the app knows its voters again is
    copied beside it, where there is one; both files are for you alone.

    \b
    arena backup backups/monday.db      a copy
    arena restore backups/monday.db     bring it back
    """
    from arena.web.security.voters import copy_secret

    store = open_store(db, settings(config, ()))
    if file.exists():
        raise InputError(f"{file}: there is a file already, and it stays; name a new one")
    file.absolute().parent.mkdir(parents=True, exist_ok=True)
    with _put(file) as partial:
        store.copy_to(partial)
        copymode(store.path, partial)
        held = _held(partial, store.path)
        secret = copy_secret(store.path, file)
    say(f"{file}: {held}{_AND_SECRET * secret}.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that arena backup wrote.")],
    db: Db = None,
    config: ConfigFile = None,
) -> None:
    """Bring a backup back as the database, where there is none now.

    Stop the app and move its database away first: nothing is written over. The backup is checked
    before it is taken, and stays as it is.

    \b
    arena restore backups/monday.db                  as arena.db
    arena restore backups/monday.db --db other.db    as another file
    """
    from arena.store.whole.backup import beside, copy_database
    from arena.web.security.voters import copy_secret

    place = db_path(db, settings(config, ()))
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    if taken := next((p for p in (place, *beside(place)) if p.exists()), None):
        raise InputError(
            f"{taken} is there already, and stays as it is; stop the app and move all files away "
            f"whose name begins with {place.name}, or name another database with --db"
        )
    with _put(place) as partial:
        copy_database(file, partial, at_rest=True)
        held = _held(partial, file, unchanged=True)
        secret = copy_secret(file, place)
    say(f"{place}: {held}{_AND_SECRET * secret}.")


@contextmanager
def _put(place: Path) -> Iterator[Path]:
    """A file to write that takes its place when all is well; nothing beside it stays."""
    folder = place.absolute().parent
    if not folder.is_dir():
        raise InputError(f"{place}: the folder {folder} does not exist")
    with TemporaryDirectory(prefix=".arena-", dir=folder) as aside:
        partial = Path(aside, place.name)
        yield partial
        partial.replace(place)


def _held(copy: Path, original: Path, *, unchanged: bool = False) -> str:
    """What a copy holds. unchanged: whether its votes must be as they were cast."""
    from arena.store import Store

    store = Store(copy, create=False, called=original)
    try:
        if unchanged and (broken := next(store.votes.broken(), None)) is not None:
            raise InputError(f"{original}: vote {broken} was changed after it was cast")
        counts = store.counts()
    finally:
        store.close()
    return f"{counts['votes']} votes, {counts['verdicts']} verdicts, {counts['answers']} answers"


COMMANDS = (backup, restore)
