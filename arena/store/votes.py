"""Votes: one a battle, never changed, and chained so that an edit shows."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice, repeat
from json.encoder import encode_basestring as quoted
from typing import Any

from arena.records import Vote
from arena.records.errors import SecondVoteError, StoreError
from arena.store.chain import broken, last_link, linked
from arena.store.connection import Connections, sqlite3
from arena.store.rows import Rows, encode
from arena.store.schema.driver import Database
from arena.store.schema.packing import OF_VOTES, WINNERS, moment, packed

BATCH = 10_000
# The numbers of a vote's prompt and of both answers; None is none's, and refused.
References = tuple[int | None, int | None, int | None]
_INSERT = """
    INSERT INTO vote_rows (battle, prompt, first, second, winner, voter, language, propensity,
                           seconds, app_version, created_at, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_REFERENCES = """
    SELECT (SELECT id FROM prompts WHERE key = ?), (SELECT id FROM answer_rows WHERE key = ?),
           (SELECT id FROM answer_rows WHERE key = ?)"""
# What a row is made of. The hash before its own stands in the row before.
_VALUES = (
    *("battle", "prompt_key", "first", "second", "winner", "voter", "language"),
    *("propensity", "seconds", "app_version", "created_at", "hash"),
)
_PLACES = {winner: place for place, winner in enumerate(WINNERS)}
_STANDING = "vote_rows WHERE battle NOT IN (SELECT packed(subject) FROM withdrawals)"


class Votes(Rows[Vote]):
    """The votes table, a chain; those that were taken back are read by nobody who counts."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, "votes", Vote, view="standing_votes", counted=_STANDING)

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
            try:
                add_rows(db, [linked(encode(vote) | {"created_at": now()}, last_link(db, "votes"))])
            except sqlite3.IntegrityError as error:
                raise _refusal(vote, str(error)) from error

    def _equals(self, column: str) -> str:
        """As in `Rows`; a battle is found by the index of what is stored of it."""
        if column == "battle":
            return "rowid = (SELECT id FROM vote_rows WHERE battle = packed(?))"
        return super()._equals(column)

    def _has_voted(self, vote: Vote) -> bool:
        sql = (
            "SELECT 1 FROM votes WHERE voter = ?1 AND "
            "((first = ?2 AND second = ?3) OR (first = ?3 AND second = ?2)) LIMIT 1"
        )
        values = [vote.voter, vote.first, vote.second]
        return self._connections.db.execute(sql, values).fetchone() is not None

    def cast_all(
        self,
        votes: Iterable[Vote],
        references: Iterable[References] | None = None,
        *,
        all_new: bool = False,
    ) -> int:
        """Store many votes in one transaction; those on battles voted on already are passed over.

        references: of each vote, if they are known. all_new: whether every vote is on a battle of
        its own that nobody has voted on, which need not be looked up then. Returns how many were
        new.
        """
        added, left = (
            0,
            zip(votes, repeat(None) if references is None else references, strict=False),
        )
        with self._connections.transaction() as db:
            link, voters = _Linking(last_link(db, "votes"), now()), dict[str, int]()
            while batch := list(islice(left, BATCH)):
                known = set() if all_new else self._voted([vote.battle for vote, _ in batch])
                new = {one[0].battle: one for one in reversed(batch) if one[0].battle not in known}
                rows = [(link.row(vote), refer) for vote, refer in reversed(new.values())]
                _store(db, rows, voters)
                added += len(new)
        return added

    def _voted(self, battles: list[str]) -> set[str]:
        """Those of some battles that were voted on, even if the vote was taken back."""
        sql = "SELECT value FROM json_each(?) WHERE packed(value) IN (SELECT battle FROM vote_rows)"
        found = self._connections.db.execute(sql, [json.dumps(battles)])
        return {str(row[0]) for row in found}

    def broken(self) -> Iterator[int]:
        """The ids of rows whose content or place does not fit the chain."""
        return broken(self._connections, "votes")


def add_rows(db: Database, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store votes that are linked already, in a transaction. rows: as the view `votes` has them."""
    _store(db, [(tuple(row[name] for name in _VALUES), None) for row in rows], {})


def _store(
    db: Database,
    rows: Sequence[tuple[tuple[Any, ...], References | None]],
    voters: dict[str, int],
) -> None:
    """rows: in the order of `_VALUES`, and what is known of each one's references.

    voters: their numbers by name, as far as they are known.
    """
    for name in dict.fromkeys(row[_VALUES.index("voter")] for row, _ in rows):
        if name not in voters:
            voters[name] = _number(db, name)
    made = []
    for (battle, prompt, first, second, winner, voter, *how, at, link), known in rows:
        about = known or db.execute(_REFERENCES, [prompt, first, second]).fetchone()
        said = _PLACES.get(winner), voters[voter], *how
        made.append((packed(battle), *about, *said, moment(at, OF_VOTES), bytes.fromhex(link)))
    db.conn.executemany(_INSERT, made)


def _number(db: Database, voter: str) -> int:
    """A voter's number, a new one for a new voter."""
    db.execute("INSERT INTO voters (name) VALUES (?) ON CONFLICT DO NOTHING", [voter])
    return int(db.execute("SELECT id FROM voters WHERE name = ?", [voter]).fetchone()[0])


@dataclass
class _Linking:
    """Makes rows of the chain one after the other, as `chain.linked` does and much sooner."""

    previous: str
    at: str

    def row(self, v: Vote) -> tuple[Any, ...]:
        """A vote in the order of `_VALUES`. The text of the digest is that of `json.dumps`."""
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
        self.previous = sha256(text.encode()).hexdigest()
        said = (v.battle, v.prompt_key, v.first, v.second, str(v.winner), v.voter, v.language)
        return (*said, v.propensity, v.seconds, v.app_version, self.at, self.previous)


def now() -> str:
    """The time as the column created_at of a chain has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _refusal(vote: Vote, reason: str) -> StoreError:
    if "vote_rows.battle" in reason:
        return SecondVoteError("this battle has been voted on already; its first vote counts")
    if "NOT NULL" in reason:
        reason = "its prompt or one of its answers is not stored"
    return StoreError(f"the vote on battle {vote.battle} was refused: {reason}")
