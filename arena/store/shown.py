"""What was shown to a person to be judged once: one battle and one answer at a time."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from arena.store.connection import Connections
from arena.store.rows import Record, Rows, ago, decode, encode


class ShownTo(Record, Protocol):
    """A row of what a voter was shown."""

    @property
    def key(self) -> str:
        """Of the row."""

    @property
    def voter(self) -> str:
        """Who was shown it."""


S = TypeVar("S", bound=ShownTo)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table. drawn: which of its rows are of stored answers. judged: what says so of a row."""

    table: str
    drawn: str
    judged: str


# A live battle gets its row when it is voted on; its answers have a sample number of their own.
BATTLES = _Kind(
    "battles",
    "EXISTS (SELECT 1 FROM answer_rows WHERE key = battles.first AND sample = 0)",
    "SELECT 1 FROM vote_rows WHERE battle = packed(last.key)",
)
SHOWINGS = _Kind("showings", "TRUE", "SELECT 1 FROM grades WHERE key = last.key")


class OpenToJudge(Rows[S]):
    """Only what a voter was shown last can be open; what came before is forgotten for good."""

    def __init__(self, connections: Connections, kind: _Kind, record: type[S]) -> None:
        super().__init__(connections, kind.table, record)
        self._kind = kind

    def open_to(self, voter: str, seconds: int) -> S | None:
        """What a voter was shown last, unless it has been judged or is older than `seconds`."""
        kind = self._kind
        sql = f"""
            SELECT * FROM (SELECT * FROM {kind.table} WHERE voter = ? AND {kind.drawn}
                           ORDER BY rowid DESC LIMIT 1) AS last
            WHERE created_at >= {ago(seconds)} AND NOT EXISTS ({kind.judged})"""
        rows = list(self._connections.db.query(sql, [voter]))
        return decode(self._record, rows[0]) if rows else None

    def show(self, record: S, seconds: int, instead_of: str = "") -> S:
        """Store what is shown next, and return what is open to the voter then.

        That is another row where one was open already, unless its key is `instead_of`. It
        outlives the process at once, see `Connections.transaction`.
        """
        row = encode(record)
        columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self._connections.transaction(durable=False) as db:
            now = self.open_to(record.voter, seconds)
            if now is not None and now.key != instead_of:
                return now
            db.conn.execute(f"INSERT INTO {self.table} ({columns}) VALUES ({marks})", row)
        return record
