"""Opening the database file: what it must be, and how it is written to."""

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from arena.records.errors import StoreError
from arena.store.schema import NAMES, migrations
from arena.store.schema.driver import Database
from arena.store.schema.driver import sqlite3 as sqlite3
from arena.store.schema.numbered import m017_numbers
from arena.store.schema.packing import add_functions

BUSY_MS = 30_000
LARGE = 10  # megabytes
# Below this, several connections can lose WAL frames when the log is reset.
# https://sqlite.org/wal.html#walresetbug
WAL_IS_SAFE_FROM = (3, 51, 3)


_log = logging.getLogger(__name__)


class Connections:
    """One connection for each thread, all on one file."""

    def __init__(self, path: Path, called: Path | None = None) -> None:
        """called: what messages call the file, if it is a copy of that one."""
        self.path = path
        self.called = called or path
        self._local = threading.local()
        # Threads take turns here; SQLite would let them sleep and try again instead.
        self._turn = threading.RLock()

    @property
    def db(self) -> Database:
        """This thread's connection, opened at first use."""
        if not hasattr(self._local, "db"):
            self._local.db = _connect(self.path)
        return self._local.db  # type: ignore[no-any-return]

    @contextmanager
    def transaction(self, durable: bool = True) -> Iterator[Database]:
        """Take the write lock at once, so that what is read inside cannot change before commit.

        durable: wait until it is on the disk. Otherwise it outlives the process at once, and a
        loss of power only when something durable has followed.

        Inside another transaction of this thread it is a part of that one.
        """
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        if not durable:
            db.conn.execute("PRAGMA synchronous = NORMAL")
        try:
            with self._turn:
                db.conn.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    db.conn.rollback()
                    raise
                db.conn.commit()
        except (sqlite3.OperationalError, UnicodeEncodeError) as error:
            raise StoreError(f"{self.called}: {error}; nothing of this step was stored") from error
        finally:
            if not durable:
                db.conn.execute("PRAGMA synchronous = FULL")

    def migrate(self) -> None:
        """Bring the tables up to date; refuse a database of something else, or a newer one.

        All is one transaction: a process that is killed leaves the database as it was.
        """
        try:
            self._refuse_strangers()
            if pending := {step.name for step in migrations.pending(self.db)}:
                self._tell(pending)
                self._apply()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.called}: not an arena database ({error})") from error

    def _tell(self, pending: Collection[str]) -> None:
        """Say what is going to take long."""
        size = self.path.stat().st_size
        if m017_numbers.__name__ in pending and size > LARGE * 10**6:
            _log.warning(
                "%s (%s MB) is brought into the form of this version, once; a large database "
                "takes minutes",
                self.called,
                f"{size / 10**6:,.0f}",
            )

    def _apply(self) -> None:
        self.db.execute("PRAGMA foreign_keys = OFF")  # which nobody can inside a transaction
        try:
            with self.transaction() as db:
                migrations.apply(db)
        finally:
            self.db.execute("PRAGMA foreign_keys = ON")
        self._shrink()

    def _shrink(self) -> None:
        """Give back what a large database needs no more, unless somebody else reads it now."""
        free, pages, size = (
            self.db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("freelist_count", "page_count", "page_size")
        )
        if pages * size > LARGE * 10**6 and free > pages // 3:
            with suppress(sqlite3.OperationalError):
                self.db.execute("VACUUM")

    def _refuse_strangers(self) -> None:
        tables = set(self.db.table_names())
        applied = {migration.name for migration in migrations.applied(self.db)}
        if tables - {"_sqlite_migrations"} and not applied:
            raise StoreError(
                f"{self.called}: a SQLite database, but not an arena's (it has the tables "
                f"{', '.join(sorted(tables)[:3])}); name another file"
            )
        if newer := sorted(applied - NAMES):
            raise StoreError(
                f"{self.called}: written by a newer version ({', '.join(newer)}); "
                "upgrade this package"
            )

    def close(self) -> None:
        """Close this thread's connection; other threads' close with them."""
        if hasattr(self._local, "db"):
            self._local.db.close()
            del self._local.db


def _connect(path: Path) -> Database:
    try:
        conn = sqlite3.connect(
            str(path), timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("PRAGMA synchronous = FULL")
        mode = "WAL" if sqlite3.sqlite_version_info >= WAL_IS_SAFE_FROM else "DELETE"
        conn.execute(f"PRAGMA journal_mode = {mode}")
        add_functions(conn)
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: cannot be used as a database ({error})") from error
    return Database(conn)
