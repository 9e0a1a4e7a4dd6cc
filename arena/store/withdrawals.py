"""Votes and grades that were taken back: rows of their own, chained as votes are."""

from collections.abc import Iterator

from arena.records import Withdrawal
from arena.store.chain import broken, last_link, linked
from arena.store.connection import Connections
from arena.store.rows import Rows, ago, encode
from arena.store.votes import now

_SAID = """
    SELECT 1 FROM votes WHERE rowid = (SELECT id FROM vote_rows WHERE battle = packed(:subject))
                          AND voter = :voter AND created_at >= {since}
    UNION ALL
    SELECT 1 FROM grades WHERE key = :subject AND voter = :voter AND created_at >= {since}"""


class Withdrawals(Rows[Withdrawal]):
    """What is named here stays stored, and is in none of the views that count."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, "withdrawals", Withdrawal)

    def take_back(self, withdrawal: Withdrawal, seconds: int) -> bool:
        """Store it, if this voter said that at most so many seconds ago and has not taken it back.

        Returns whether it is taken back by this call.
        """
        row = encode(withdrawal)
        with self._connections.transaction() as db:
            said = db.execute(_SAID.format(since=ago(seconds)), row).fetchone()
            if said is None or self.count(subject=withdrawal.subject):
                return False
            row = linked(row | {"created_at": now()}, last_link(db, self.table))
            columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            db.conn.execute(f"INSERT INTO withdrawals ({columns}) VALUES ({marks})", row)
        return True

    def broken(self) -> Iterator[int]:
        """The ids of rows whose content or place does not fit the chain."""
        return broken(self._connections, self.table)
