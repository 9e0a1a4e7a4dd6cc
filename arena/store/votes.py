"""Votes: one a battle, never changed, and chained so that an edit shows."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from arena.errors import SecondVoteError, StoreError
from arena.records import Vote
from arena.store.connection import Connections, sqlite3
from arena.store.rows import Rows, encode

GENESIS = "0" * 64


class Votes(Rows[Vote]):
    """The votes table. A row's `hash` is the digest of its content and of the row before."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, "votes", Vote)

    def cast(self, vote: Vote, *, once_a_pair: bool = False) -> None:
        """Store one vote; a second one for the same battle is refused.

        once_a_pair: so is a second one of this voter on the same two answers, whichever stood
        first.
        """
        with self._connections.transaction() as db:
            if once_a_pair and self._has_voted(vote):
                raise SecondVoteError(
                    "this voter has voted on these two answers already; the first vote counts"
                )
            last = db.execute("SELECT hash FROM votes ORDER BY id DESC LIMIT 1").fetchone()
            row = encode(vote) | {
                "created_at": datetime.now(UTC).isoformat(timespec="milliseconds")
            }
            row["previous"] = last[0] if last else GENESIS
            row["hash"] = _digest(row)
            columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            try:
                db.conn.execute(f"INSERT INTO votes ({columns}) VALUES ({marks})", row)
            except sqlite3.IntegrityError as error:
                raise _refusal(vote, str(error)) from error

    def _has_voted(self, vote: Vote) -> bool:
        sql = (
            "SELECT 1 FROM votes WHERE voter = ?1 AND "
            "((first = ?2 AND second = ?3) OR (first = ?3 AND second = ?2)) LIMIT 1"
        )
        values = [vote.voter, vote.first, vote.second]
        return self._connections.db.execute(sql, values).fetchone() is not None

    def cast_all(self, votes: Iterable[Vote]) -> int:
        """Store many votes in one transaction; those on battles voted on already are passed over.

        Returns how many were new.
        """
        votes = list(votes)
        known = {row[0] for row in self._connections.db.execute("SELECT battle FROM votes")}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._connections.transaction() as db:
            last = db.execute("SELECT hash FROM votes ORDER BY id DESC LIMIT 1").fetchone()
            previous, rows = last[0] if last else GENESIS, []
            for vote in votes:
                if vote.battle not in known:
                    row = encode(vote) | {"created_at": now, "previous": previous}
                    previous = row["hash"] = _digest(row)
                    rows.append(row)
            if rows:
                columns, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
                db.conn.executemany(f"INSERT INTO votes ({columns}) VALUES ({marks})", rows)
        return len(rows)

    def broken(self) -> Iterator[int]:
        """The ids of rows whose content or place does not fit the chain."""
        previous = GENESIS
        for row in self._connections.db.query("SELECT * FROM votes ORDER BY id"):
            identifier, stored = int(row.pop("id")), row.pop("hash")
            if row["previous"] != previous or _digest(row) != stored:
                yield identifier
            previous = str(stored)


def _digest(row: dict[str, Any]) -> str:
    return sha256(json.dumps(row, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _refusal(vote: Vote, reason: str) -> StoreError:
    if "votes.battle" in reason:
        return SecondVoteError("this battle has been voted on already; its first vote counts")
    return StoreError(f"the vote on battle {vote.battle} was refused: {reason}")
