"""Opening the database file: what it must be, and how it is written to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3 as sqlite3  # type: ignore[attr-defined]

from arena.records.errors import StoreError
from arena.store.schema import NAMES, migrations

BUSY_MS = 30_000
# Below this, several connections can lose WAL frames when the log is reset.
# https://sqlite.org/wal.html#walresetbug
WAL_IS_SAFE_FROM = (3, 51, 3)


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
        """Bring the tables up to date; refuse a database of something else, or a newer one."""
        try:
            self._refuse_strangers()
            with self.transaction() as db:
                migrations.apply(db)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.called}: not an arena database ({error})") from error

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
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: cannot be used as a database ({error})") from error
    return Database(conn)
