"""Votes: one a battle, never changed, and chained so that an edit shows."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from arena.errors import SecondVoteError, StoreError
from arena.records import Vote
from arena.store.chain import broken, last_link, linked
from arena.store.connection import Connections, sqlite3
from arena.store.rows import Rows, chunks, encode


class Votes(Rows[Vote]):
    """The votes table, a chain; those that were taken back are read by nobody who counts."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, "votes", Vote, view="standing_votes")

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
            row = linked(encode(vote) | {"created_at": now()}, last_link(db, "votes"))
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
        known = self.voted({vote.battle for vote in votes})
        at = now()
        with self._connections.transaction() as db:
            previous, rows = last_link(db, "votes"), []
            for vote in votes:
                if vote.battle not in known:
                    rows.append(linked(encode(vote) | {"created_at": at}, previous))
                    previous = str(rows[-1]["hash"])
            if rows:
                columns, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
                db.conn.executemany(f"INSERT INTO votes ({columns}) VALUES ({marks})", rows)
        return len(rows)

    def voted(self, battles: Iterable[str]) -> set[str]:
        """Those of the battles that were voted on, whether the vote was taken back or not."""
        return {
            str(row[0])
            for part in chunks(list(battles))
            for row in self._connections.db.execute(
                f"SELECT battle FROM votes WHERE battle IN ({', '.join('?' * len(part))})", part
            ).fetchall()
        }

    def broken(self) -> Iterator[int]:
        """The ids of rows whose content or place does not fit the chain."""
        return broken(self._connections, "votes")


def now() -> str:
    """The time as the column created_at of a chain has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _refusal(vote: Vote, reason: str) -> StoreError:
    if "votes.battle" in reason:
        return SecondVoteError("this battle has been voted on already; its first vote counts")
    return StoreError(f"the vote on battle {vote.battle} was refused: {reason}")
