"""Who works on which missing row now, so that two processes do not pay for it twice."""

import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

from arena.store.connection import Connections
from arena.store.rows import chunks

LEASE_SECONDS = 60.0
# An owner's own claims, and those that it made for its workers.
_OWN = "(owner = ?1 OR substr(owner, 1, length(?1) + 1) = ?1 || '@')"


@dataclass(frozen=True, slots=True)
class AtWork:
    """Who has rows in hand now. process: `HOST:PID`. worker: of that process's, if not itself."""

    process: str
    worker: str
    rows: int


def new_owner() -> str:
    """A name for this run of this process, from which another can see whether it still lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def through(owner: str, worker: str) -> str:
    """The name under which an owner claims what one of its workers does."""
    return f"{owner}@{worker.replace(':', '.')}"


class Leases:
    """Claims on keys of rows that are not stored yet. A claim ends by itself unless renewed."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def claim(
        self,
        owner: str,
        keys: Sequence[str],
        table: str,
        stored: Sequence[str] = (),
        *,
        seconds: float = LEASE_SECONDS,
    ) -> set[str]:
        """Those of `keys` that are neither stored in `table` nor claimed by others; now owned.

        stored: what this owner has stored since, which needs no claim any more.
        """
        now = time.time()
        owned: set[str] = set()
        with self._connections.transaction() as db:
            db.conn.executemany("DELETE FROM leases WHERE key = ?", [(key,) for key in stored])
            for part in chunks(keys):
                marks = ", ".join("?" * len(part))
                there = {
                    key
                    for (key,) in db.execute(
                        f"SELECT key FROM {table} WHERE key IN ({marks})", part
                    ).fetchall()
                }
                rows = [(key, owner, now + seconds) for key in part if key not in there]
                db.conn.executemany(
                    "INSERT INTO leases (key, owner, expires) VALUES (?, ?, ?) "
                    "ON CONFLICT(key) DO UPDATE SET owner = excluded.owner, "
                    f"expires = excluded.expires WHERE owner = excluded.owner OR expires < {now!r}",
                    rows,
                )
                found = db.execute(
                    f"SELECT key FROM leases WHERE owner = ? AND key IN ({marks})", [owner, *part]
                ).fetchall()
                owned |= {key for (key,) in found} - there
        return owned

    def renew(self, owner: str, seconds: float = LEASE_SECONDS) -> None:
        """Let the owner's claims last so many seconds from now."""
        with self._connections.transaction() as db:
            db.execute(
                f"UPDATE leases SET expires = ?2 WHERE {_OWN}", [owner, time.time() + seconds]
            )

    def hand_over(self, owner: str, to: str, keys: Sequence[str], seconds: float) -> None:
        """Let the owner's claims on these keys be another's, for so many seconds from now."""
        with self._connections.transaction() as db:
            db.conn.executemany(
                "UPDATE leases SET owner = ?, expires = ? WHERE owner = ? AND key = ?",
                [(to, time.time() + seconds, owner, key) for key in keys],
            )

    def release(self, owner: str, keys: Iterable[str] | None = None) -> None:
        """End the owner's claims, on these keys or on all."""
        with self._connections.transaction() as db:
            if keys is None:
                db.execute(f"DELETE FROM leases WHERE {_OWN}", [owner])
            else:
                db.conn.executemany(
                    f"DELETE FROM leases WHERE key = ?2 AND {_OWN}", [(owner, k) for k in keys]
                )

    def elsewhere(self) -> bool:
        """Whether another process works on missing rows now; a hosted batch is no such work."""
        here = f"{socket.gethostname()}:{os.getpid()}:"
        owners = self._connections.db.execute(
            "SELECT DISTINCT owner FROM leases WHERE expires > ?", [time.time()]
        ).fetchall()
        return any(
            not str(owner).startswith((here, "batch:")) and not _has_died(str(owner))
            for (owner,) in owners
        )

    def at_work(self) -> Iterator[AtWork]:
        """Who works on missing rows now; the hosted batches of a server are nobody's work."""
        rows = self._connections.db.execute(
            "SELECT owner, count(*) FROM leases WHERE expires > ? GROUP BY owner ORDER BY owner",
            [time.time()],
        ).fetchall()
        for owner, count in rows:
            if not owner.startswith("batch:") and not _has_died(owner):
                process, _, rest = owner.rpartition(":")
                yield AtWork(process, rest.partition("@")[2], count)

    def release_dead(self) -> None:
        """End the claims of processes of this machine that have died, without waiting."""
        owners = self._connections.db.execute("SELECT DISTINCT owner FROM leases").fetchall()
        for (owner,) in owners:
            if _has_died(str(owner)):
                self.release(owner)


def _has_died(owner: str) -> bool:
    """Whether the owner was a process of this machine that lives no more."""
    host, _, pid = owner.rpartition(":")[0].rpartition(":")
    return host == socket.gethostname() and not _lives(int(pid))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
