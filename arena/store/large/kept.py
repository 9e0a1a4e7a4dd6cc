"""What is known of the votes, kept as columns of numbers, so that a ranking reads no row twice.

The table of votes only grows, so the columns are kept up to a vote, block by block, and a reader
adds what has come since. What may change of old rows is not kept: withdrawals, what is archived,
categories and languages are looked up each time. A model that gets another name makes all blocks
anew; so does a database whose rows have other numbers than when a block was made.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from arena.files.tabular import Column
from arena.records.errors import StoreError
from arena.store.columns import CodedVotes, TallyColumns
from arena.store.connection import Connections

BLOCK = 65_536  # votes at most
WORTH = 1_000  # so many new votes are a block of their own
FEW = 5_000  # so many answers are looked up one by one
WINNERS = ("model_a", "model_b", "tie", "both_bad")
_SEEN = """
    SELECT v.id, v.winner, v.voter, v.propensity, v.seconds, a.rowid, b.rowid, p.rowid
    FROM votes v JOIN answers a ON a.key = v.first JOIN answers b ON b.key = v.second
                 JOIN prompts p ON p.key = v.prompt_key
    WHERE v.id > ? ORDER BY v.id LIMIT ?"""
_STRANGE = """
    SELECT EXISTS (
        SELECT 1 FROM kept_votes k LEFT JOIN answers a ON a.rowid = k.answer
                                   LEFT JOIN prompts p ON p.rowid = k.prompt
        WHERE a.key IS NOT k.answer_key OR p.key IS NOT k.prompt_key)"""
# The arrays of a block, each with the type in which it is stored.
_ARRAYS = {
    "ids": "<i8",
    "first": "<u4",
    "second": "<u4",
    "prompts": "<u4",
    "model_a": "<u4",
    "model_b": "<u4",
    "voters": "<u4",
    "winners": "u1",
    "propensity": "<f8",
    "seconds": "<f8",
}


@dataclass(frozen=True, eq=False, slots=True)
class _Block:
    """Some votes in their order: arrays as `_ARRAYS` has them, and the names that are new here."""

    arrays: dict[str, NDArray[Any]]
    models: list[str]
    voters: list[str]

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
        models = len(part.model_a.labels)
        cell = part.model_a.codes.astype(np.int64) * models + part.model_b.codes
        cells, counts = np.unique(cell * len(WINNERS) + part.winner.codes, return_counts=True)
        pairs, winner = np.divmod(cells, len(WINNERS))
        rows = sorted(
            (part.model_a.labels[a], part.model_b.labels[b], WINNERS[w], n)
            for a, b, w, n in zip(
                *(side.tolist() for side in np.divmod(pairs, max(models, 1))),
                winner.tolist(),
                counts.tolist(),
                strict=True,
            )
        )
        return TallyColumns(
            model_a=[a for a, _, _, _ in rows],
            model_b=[b for _, b, _, _ in rows],
            winner=[winner for _, _, winner, _ in rows],
            votes=[n for _, _, _, n in rows],
        )

    def keep_up(self) -> None:
        """Keep what is new, so that the next reader finds it."""
        self._all()

    def _all(self) -> list[_Block]:
        """All votes, and those that have come since the last block are kept if they are many."""
        models = self._model_names()
        blocks = list(self._blocks())
        new = list(self._made(_last(blocks), blocks))
        if sum(map(len, new)) >= WORTH:
            self._keep(_last(blocks), new, models)
        return [*blocks, *new]

    def _model_names(self) -> list[tuple[str]]:
        return self._connections.db.execute("SELECT name FROM models").fetchall()

    def _blocks(self) -> Iterator[_Block]:
        """What is kept, unless the numbers of rows are others by now; then nothing is."""
        db = self._connections.db
        if db.execute(_STRANGE).fetchone()[0]:
            with self._connections.transaction():
                forget(db)
            return
        names = ", ".join(_ARRAYS)
        for row in db.execute(
            f"SELECT last, votes, models, voter_names, {names} FROM kept_votes ORDER BY last"
        ):
            last, votes, models, voters, *blobs = row
            arrays = {
                name: _array(blob, kind, last, votes)
                for (name, kind), blob in zip(_ARRAYS.items(), blobs, strict=True)
            }
            yield _Block(arrays, json.loads(models), json.loads(voters))

    def _made(self, after: int, before: Sequence[_Block]) -> Iterator[_Block]:
        """Blocks of the votes after one, whose names go on where those before end."""
        names, models = _Names(before), _ModelsOf(self._connections)
        while rows := self._connections.db.execute(_SEEN, [after, BLOCK]).fetchall():
            after = rows[-1][0]
            yield _block(rows, names, models)
            if len(rows) < BLOCK:
                return

    def _keep(self, after: int, new: Sequence[_Block], models: list[tuple[str]]) -> None:
        """Store blocks, unless another process has, or has given a model another name.

        A database that cannot be written is only read.
        """
        columns = ("last", "votes", "models", "voter_names", "answer", "prompt", *_ARRAYS)
        keys = (
            "(SELECT key FROM answers WHERE rowid = :answer)",
            "(SELECT key FROM prompts WHERE rowid = :prompt)",
        )
        marks = [*(f":{name}" for name in columns), *keys]
        sql = (
            f"INSERT INTO kept_votes ({', '.join(columns)}, answer_key, prompt_key) "
            f"VALUES ({', '.join(marks)})"
        )
        try:
            with self._connections.transaction() as db:
                kept = db.execute("SELECT coalesce(max(last), 0) FROM kept_votes").fetchone()[0]
                if kept == after and self._model_names() == models:
                    db.conn.executemany(sql, map(_row, new))
        except StoreError:
            return

    def _standing(self, blocks: Sequence[_Block]) -> CodedVotes:
        db = self._connections.db
        names = _Names(blocks)
        found = {name: _joined(blocks, name) for name in _ARRAYS}
        back = [
            number
            for (number,) in db.execute(
                "SELECT v.id FROM withdrawals w JOIN votes v ON v.battle = w.subject"
            )
        ]
        aside = {name for (name,) in db.execute("SELECT name FROM archived WHERE kind = 'model'")}
        gone = np.array([model in aside for model in names.models], bool)
        kept = np.ones(len(found["ids"]), bool)
        if back:
            kept &= ~np.isin(found["ids"], back)
        if gone.any():
            kept &= ~(gone[found["model_a"]] | gone[found["model_b"]])
        if not kept.all():
            found = {name: column[kept] for name, column in found.items()}
        prompts = db.execute("SELECT rowid, key, category, language FROM prompts ORDER BY rowid")
        return _coded(found, [*names.models], [*names.voters], prompts.fetchall())


class _ModelsOf:
    """Says whose some answers are, which are given by their numbers."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections.db
        self._names: dict[str, int] = {}
        self._whose: NDArray[np.int32] | None = None

    def names(self, answers: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int32]]:
        """Models, and which of them each answer is by. answers: in ascending order."""
        if self._whose is None and len(answers) <= FEW:
            sql = (
                "SELECT a.rowid, model FROM json_each(?) j JOIN answers a ON a.rowid = j.value "
                "ORDER BY a.rowid"
            )
            rows = self._db.execute(sql, [json.dumps(answers.tolist())]).fetchall()
            codes = self._codes(name for _, name in rows)
            return [*self._names], codes
        if self._whose is None:
            self._whose = self._read()
        return [*self._names], self._whose[answers]

    def _read(self) -> NDArray[np.int32]:
        """All of them."""
        last = self._db.execute("SELECT coalesce(max(rowid), 0) FROM answers").fetchone()[0]
        whose = np.zeros(last + 1, np.int32)
        found = self._db.execute("SELECT rowid, model FROM answers")
        while rows := found.fetchmany(BLOCK):
            whose[[number for number, _ in rows]] = self._codes(name for _, name in rows)
        return whose

    def _codes(self, names: Iterable[str]) -> NDArray[np.int32]:
        place = self._names
        return np.array([place.setdefault(name, len(place)) for name in names], np.int32)


class _Names:
    """Models and voters by their numbers, in the order in which they came."""

    def __init__(self, blocks: Iterable[_Block]) -> None:
        self.models: dict[str, int] = {}
        self.voters: dict[str, int] = {}
        for block in blocks:
            for known, names in ((self.models, block.models), (self.voters, block.voters)):
                known.update(zip(names, range(len(known), len(known) + len(names)), strict=True))


def forget(db: Database) -> None:
    """Keep nothing, as old rows have changed; call it inside the transaction that changes them."""
    db.execute("DELETE FROM kept_votes")


def _block(rows: list[tuple[Any, ...]], names: _Names, models: _ModelsOf) -> _Block:
    ids, winners, voters, propensity, seconds, first, second, prompts = zip(*rows, strict=True)
    a, b = np.array(first, np.int64), np.array(second, np.int64)
    shown, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    of_answers, whose = models.names(shown)
    before = len(names.models), len(names.voters)
    used = {of_answers[k]: None for k in np.unique(whose).tolist()}
    for name in used:
        names.models.setdefault(name, len(names.models))
    codes = np.array([names.models.get(name, 0) for name in of_answers])[whose][place]
    arrays = {
        "ids": np.array(ids),
        "first": a,
        "second": b,
        "prompts": np.array(prompts),
        "model_a": codes[: len(a)],
        "model_b": codes[len(a) :],
        "voters": np.array([names.voters.setdefault(v, len(names.voters)) for v in voters]),
        "winners": np.array([WINNERS.index(winner) for winner in winners]),
        "propensity": np.array(propensity, float),
        "seconds": np.array(seconds, float),
    }
    typed = {name: arrays[name].astype(kind) for name, kind in _ARRAYS.items()}
    return _Block(typed, [*names.models][before[0] :], [*names.voters][before[1] :])


def _last(blocks: Sequence[_Block]) -> int:
    return int(blocks[-1].arrays["ids"][-1]) if blocks else 0


def _row(block: _Block) -> dict[str, Any]:
    a = block.arrays
    return {
        "last": int(a["ids"][-1]),
        "votes": len(block),
        "models": json.dumps(block.models, ensure_ascii=False),
        "voter_names": json.dumps(block.voters, ensure_ascii=False),
        "answer": int(max(a["first"].max(), a["second"].max())),
        "prompt": int(a["prompts"].max()),
        **{name: _blob(name, array) for name, array in a.items()},
    }


def _blob(name: str, array: NDArray[Any]) -> bytes | None:
    """What is stored of an array: nothing where ids are all in a row, or no number is known."""
    is_plain = name == "ids" and int(array[-1]) - int(array[0]) == len(array) - 1
    if is_plain or (array.dtype.kind == "f" and np.isnan(array).all()):
        return None
    return array.tobytes()


def _array(blob: bytes | None, kind: str, last: int, votes: int) -> NDArray[Any]:
    if blob is not None:
        return np.frombuffer(blob, kind)
    if kind == _ARRAYS["ids"]:
        return np.arange(last - votes + 1, last + 1)
    return np.full(votes, np.nan)


def _joined(blocks: Sequence[_Block], name: str) -> NDArray[Any]:
    arrays = [block.arrays[name] for block in blocks] or [np.zeros(0)]
    kind = "f8" if _ARRAYS[name] == "<f8" else "i8" if name == "ids" else "i4"
    return np.concatenate(arrays).astype(kind, copy=False)


def _coded(
    found: dict[str, NDArray[Any]],
    models: list[str],
    voters: list[str],
    prompts: list[tuple[int, str, str, str]],
) -> CodedVotes:
    numbers, keys, categories, languages = zip(*prompts, strict=True) if prompts else ((),) * 4
    prompt = np.searchsorted(np.array(numbers, np.int64), found["prompts"]).astype(np.int32)
    unknown = {name: bool(np.isnan(found[name]).all()) for name in ("propensity", "seconds")}
    return CodedVotes(
        ids=found["ids"],
        model_a=Column(found["model_a"], models),
        model_b=Column(found["model_b"], models),
        winner=Column(found["winners"], WINNERS),
        prompt=Column(prompt, keys),
        voter=Column(found["voters"], voters),
        category=_of_prompt(categories, prompt),
        language=_of_prompt(languages, prompt),
        answer_a=found["first"],
        answer_b=found["second"],
        propensity=None if unknown["propensity"] else found["propensity"],
        seconds=None if unknown["seconds"] else found["seconds"],
    )


def _of_prompt(values: Sequence[str], prompt: NDArray[np.int32]) -> Column:
    """What is said of each vote's prompt."""
    place: dict[str, int] = {}
    codes = np.array([place.setdefault(value, len(place)) for value in values], np.int32)
    return Column(codes[prompt] if len(prompt) else prompt, list(place))
