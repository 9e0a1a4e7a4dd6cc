"""What is known of the votes, kept as columns of numbers, so that a ranking reads no row twice.

The table of votes only grows, so the columns are kept up to a vote, block by block, and a reader
adds what has come since. What may change of old rows is not kept: withdrawals, what is archived,
names of models, categories and languages are looked up each time.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.files.tabular import Column
from arena.records.errors import StoreError
from arena.store.columns import CodedVotes, TallyColumns
from arena.store.connection import Connections
from arena.store.schema.packing import WINNERS

BLOCK = 65_536  # votes at most
WORTH = 1_000  # so many new votes are a block of their own
_SEEN = """
    SELECT v.id, v.first, v.second, v.prompt, a.writer, b.writer, v.voter, v.winner, v.propensity,
           v.seconds
    FROM vote_rows v JOIN answer_rows a ON a.id = v.first JOIN answer_rows b ON b.id = v.second
    WHERE v.id > ? ORDER BY v.id LIMIT ?"""
# The columns of a block, in the order of `_SEEN`. Whole numbers are stored in as few bytes as the
# largest of them needs; the others are numbers or NaN.
_WHOLE = ("ids", "first", "second", "prompts", "writers_a", "writers_b", "voters", "winners")
_COLUMNS = (*_WHOLE, "propensity", "seconds")


@dataclass(frozen=True, eq=False, slots=True)
class _Block:
    """Some votes in their order: an array for each of `_COLUMNS`."""

    arrays: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.arrays["ids"])


class KeptVotes:
    """Reads votes as columns of numbers, and keeps them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._last: tuple[tuple[int, ...], CodedVotes] | None = None

    def read(self) -> CodedVotes:
        """All votes that were not taken back, of models that are not archived.

        Those that were read last are given again while nothing in the database has changed.
        """
        known, conn = self._last, self._connections.db.conn
        others = threading.get_ident(), conn.execute("PRAGMA data_version").fetchone()[0]
        if known is not None and known[0] == (*others, conn.total_changes):
            return known[1]
        votes = self._standing(self._all())
        self._last = (*others, conn.total_changes), votes
        return votes

    def tally(self, after: int, until: int) -> TallyColumns:
        """The votes whose ids are above `after` and at most `until`, counted by pair."""
        votes = self.read()
        start, end = np.searchsorted(votes.ids, [after, until], side="right").tolist()
        part = votes.take(slice(start, end))
        a, b, winner = (_by_name(c) for c in (part.model_a, part.model_b, part.winner))
        models, outcomes = max(len(a.labels), 1), len(winner.labels)
        cell = (a.codes.astype(np.int64) * models + b.codes) * outcomes + winner.codes
        cells, counts = np.unique(cell, return_counts=True)
        pairs, won = np.divmod(cells, outcomes)
        first, second = np.divmod(pairs, models)
        return TallyColumns(
            model_a=Column(first, a.labels),
            model_b=Column(second, b.labels),
            winner=Column(won, winner.labels),
            votes=counts,
        )

    def keep_up(self) -> None:
        """Keep what is new, if that is much, so that the next reader finds it.

        A database that cannot be written is only read.
        """
        sql = (
            "SELECT (SELECT coalesce(max(last), 0) FROM kept_votes), "
            "(SELECT coalesce(max(id), 0) FROM vote_rows)"
        )
        kept, last = self._connections.db.execute(sql).fetchone()
        if last - kept >= WORTH:
            with suppress(StoreError):
                self._keep(kept)

    def _all(self) -> list[_Block]:
        self.keep_up()
        blocks = list(self._blocks())
        return [*blocks, *self._made(int(blocks[-1].arrays["ids"][-1]) if blocks else 0)]

    def _blocks(self) -> Iterator[_Block]:
        """What is kept."""
        sql = f"SELECT last, votes, {', '.join(_COLUMNS)} FROM kept_votes ORDER BY last"
        for last, votes, *blobs in self._connections.db.execute(sql):
            columns = zip(_COLUMNS, blobs, strict=True)
            yield _Block({name: _array(name, blob, last, votes) for name, blob in columns})

    def _made(self, after: int) -> Iterator[_Block]:
        """Blocks of the votes after one."""
        while rows := self._connections.db.execute(_SEEN, [after, BLOCK]).fetchall():
            after = rows[-1][0]
            columns = zip(_COLUMNS, zip(*rows, strict=True), strict=True)
            yield _Block({n: np.array(v, int if n in _WHOLE else float) for n, v in columns})
            if len(rows) < BLOCK:
                return

    def _keep(self, after: int) -> None:
        """Store blocks of the votes after one, unless another process has."""
        names = ("last", "votes", *_COLUMNS)
        marks = ", ".join("?" * len(names))
        with self._connections.transaction() as db:
            kept = db.execute("SELECT coalesce(max(last), 0) FROM kept_votes").fetchone()[0]
            if kept == after:
                sql = f"INSERT INTO kept_votes ({', '.join(names)}) VALUES ({marks})"
                db.conn.executemany(sql, map(_row, self._made(after)))

    def _standing(self, blocks: Sequence[_Block]) -> CodedVotes:
        db = self._connections.db
        found = {name: _joined(blocks, name) for name in _COLUMNS}
        models, aside = self._models(np.concatenate([found["writers_a"], found["writers_b"]]))
        for side in ("writers_a", "writers_b"):
            found[side] = models.codes[found[side]]
        back = db.execute(
            "SELECT v.id FROM withdrawals w JOIN vote_rows v ON v.battle = packed(w.subject)"
        ).fetchall()
        kept = ~(aside[found["writers_a"]] | aside[found["writers_b"]])
        if back:
            kept &= ~np.isin(found["ids"], [number for (number,) in back])
        if not kept.all():
            found = {name: column[kept] for name, column in found.items()}
        return self._coded(found, models.labels)

    def _models(self, writers: NDArray[Any]) -> tuple[Column, NDArray[np.bool_]]:
        """The models of the writers that are named, by number, and which are put aside."""
        rows = self._connections.db.execute(
            "SELECT id, model, model IN (SELECT name FROM archived WHERE kind = 'model') "
            "FROM writers ORDER BY id"
        ).fetchall()
        used = set(np.flatnonzero(np.bincount(writers)).tolist())
        aside = {model: bool(is_aside) for number, model, is_aside in rows if number in used}
        place = {model: k for k, model in enumerate(aside)}
        codes = np.zeros(max([0, *used]) + 1, np.int32)
        for number, model, _ in rows:
            if number in used:
                codes[number] = place[model]
        return Column(codes, [*place]), np.array([*aside.values()], bool)

    def _coded(self, found: dict[str, NDArray[Any]], models: Sequence[str]) -> CodedVotes:
        db = self._connections.db
        rows = db.execute("SELECT id, key, category, language FROM prompts ORDER BY id").fetchall()
        prompts, keys, categories, languages = zip(*rows, strict=True) if rows else ((),) * 4
        prompt = _places(prompts, found["prompts"])
        voters = db.execute("SELECT id, name FROM voters ORDER BY id").fetchall()
        voter = _places([number for number, _ in voters], found["voters"])
        known = {n: None if np.isnan(found[n]).all() else found[n] for n in _COLUMNS[-2:]}
        return CodedVotes(
            ids=found["ids"],
            model_a=Column(found["writers_a"], models),
            model_b=Column(found["writers_b"], models),
            winner=Column(found["winners"], WINNERS),
            prompt=Column(prompt, keys),
            voter=Column(voter, [name for _, name in voters]),
            category=_of_prompt(categories, prompt),
            language=_of_prompt(languages, prompt),
            answer_a=found["first"],
            answer_b=found["second"],
            propensity=known["propensity"],
            seconds=known["seconds"],
        )


def _row(block: _Block) -> list[Any]:
    last = int(block.arrays["ids"][-1])
    return [last, len(block), *(_blob(name, block.arrays[name]) for name in _COLUMNS)]


def _blob(name: str, array: NDArray[Any]) -> bytes | None:
    """What is stored of an array: nothing where ids are all in a row, or no number is known."""
    if name not in _WHOLE:
        return None if np.isnan(array).all() else array.astype("<f8").tobytes()
    if name == "ids" and int(array[-1]) - int(array[0]) == len(array) - 1:
        return None
    return array.astype(np.min_scalar_type(array.max()).newbyteorder("<")).tobytes()


def _array(name: str, blob: bytes | None, last: int, votes: int) -> NDArray[Any]:
    if name not in _WHOLE:
        return np.full(votes, np.nan) if blob is None else np.frombuffer(blob, "<f8")
    if blob is None:
        return np.arange(last - votes + 1, last + 1)
    return np.frombuffer(blob, f"<u{len(blob) // votes}")


def _joined(blocks: Sequence[_Block], name: str) -> NDArray[Any]:
    arrays = [block.arrays[name] for block in blocks] or [np.zeros(0)]
    kind = "f8" if name not in _WHOLE else "i8" if name == "ids" else "i4"
    return np.concatenate([array.astype(kind, copy=False) for array in arrays])


def _places(numbers: Sequence[int], wanted: NDArray[Any]) -> NDArray[np.int32]:
    """Where rows stand among all, given by their numbers."""
    place = np.zeros(max(numbers, default=0) + 1, np.int32)
    place[np.array(numbers, np.int64)] = np.arange(len(numbers), dtype=np.int32)
    return np.asarray(place[wanted])


def _by_name(column: Column) -> Column:
    """The same column with its labels in the order of the alphabet."""
    order = np.argsort(np.array(column.labels, dtype=object))
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return Column(place[column.codes], [column.labels[k] for k in order.tolist()])


def _of_prompt(values: Sequence[str], prompt: NDArray[np.int32]) -> Column:
    """What is said of each vote's prompt."""
    place = {value: k for k, value in enumerate(dict.fromkeys(values))}
    codes = np.array([*map(place.__getitem__, values)], np.int32)
    return Column(codes[prompt] if len(prompt) else prompt, list(place))
