"""Votes: one a battle, never changed, and chained so that an edit shows."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from json.encoder import encode_basestring as quoted
from typing import Any

from arena.records import Vote
from arena.records.errors import SecondVoteError, StoreError
from arena.store.chain import broken, last_link, linked
from arena.store.connection import Connections, sqlite3
from arena.store.rows import Rows, chunks, encode

BATCH = 10_000
_COLUMNS = (
    "battle",
    "prompt_key",
    "first",
    "second",
    "winner",
    "voter",
    "language",
    "propensity",
    "seconds",
    "app_version",
    "created_at",
    "previous",
    "hash",
)
_INSERT = f"INSERT INTO votes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


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
        added, left = 0, iter(votes)
        with self._connections.transaction() as db:
            link = _Linking(last_link(db, "votes"), now())
            while batch := list(islice(left, BATCH)):
                known = self._voted([vote.battle for vote in batch])
                new = {vote.battle: vote for vote in reversed(batch) if vote.battle not in known}
                db.conn.executemany(_INSERT, [link.row(vote) for vote in reversed(new.values())])
                added += len(new)
        return added

    def _voted(self, battles: list[str]) -> set[str]:
        """Those of some battles that were voted on, even if the vote was taken back."""
        sql = "SELECT battle FROM votes WHERE battle IN (SELECT value FROM json_each(?))"
        found = self._connections.db.execute(sql, [json.dumps(battles)])
        return {str(row[0]) for row in found}

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


@dataclass
class _Linking:
    """Makes rows of the chain one after the other, as `chain.linked` does and much sooner."""

    previous: str
    at: str

    def row(self, v: Vote) -> tuple[Any, ...]:
        """A vote in the order of `_COLUMNS`. The text of the digest is that of `json.dumps`."""
        drawn = "null" if v.propensity is None else json.dumps(v.propensity)
        seconds = "null" if v.seconds is None else json.dumps(v.seconds)
        text = (
            f'{{"app_version": {quoted(v.app_version)}, "battle": {quoted(v.battle)}, '
            f'"created_at": "{self.at}", "first": {quoted(v.first)}, '
            f'"language": {quoted(v.language)}, "previous": "{self.previous}", '
            f'"prompt_key": {quoted(v.prompt_key)}, "propensity": {drawn}, '
            f'"second": {quoted(v.second)}, "seconds": {seconds}, "voter": {quoted(v.voter)}, '
            f'"winner": "{v.winner}"}}'
        )
        previous, self.previous = self.previous, sha256(text.encode()).hexdigest()
        said = (v.battle, v.prompt_key, v.first, v.second, str(v.winner), v.voter, v.language)
        rest = (v.propensity, v.seconds, v.app_version, self.at, previous, self.previous)
        return (*said, *rest)


def now() -> str:
    """The time as the column created_at of a chain has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _refusal(vote: Vote, reason: str) -> StoreError:
    if "votes.battle" in reason:
        return SecondVoteError("this battle has been voted on already; its first vote counts")
    return StoreError(f"the vote on battle {vote.battle} was refused: {reason}")
