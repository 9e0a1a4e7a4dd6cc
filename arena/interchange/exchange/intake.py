"""Entries of a file into the store: in one transaction, each once, with a count of everything."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from arena.interchange.exchange.entries import (
    Answered,
    Asked,
    Compared,
    Entries,
    Entry,
    Passed,
    Refused,
    SaidText,
    ScoredAnswer,
)
from arena.interchange.exchange.placing import Placed, place_answers
from arena.interchange.exchange.verdicts import JudgeNames, place_scores, place_verdicts
from arena.records import (
    BackendKind,
    Model,
    Note,
    Prompt,
    Vote,
    alike,
    content_key,
    counted,
)
from arena.records.errors import InputError
from arena.store import Store

AT_ONCE = 1000
KINDS = ("prompts", "models", "answers", "votes", "verdicts", "scores")


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of one kind: that came in, and that were there already."""

    new: int
    there: int


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a file. counts: by kind of row. refused: rows that say nothing certain, and
    passed: by reason, rows with nothing to take in.
    """

    counts: Mapping[str, Count]
    refused: int
    passed: Mapping[str, int]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class _Tally:
    """Counts while a file is read."""

    new: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    first: str = ""

    def add(self, kind: str, new: int, of: int) -> None:
        self.new[kind] += new
        self.there[kind] += of - new


def take_in(
    store: Store,
    entries: Entries,
    *,
    rejects: Path | None = None,
    rename: Mapping[str, str] | None = None,
) -> TakenIn:
    """Store what entries say, all of them or none; what was stored before changes nothing.

    rejects: where to write the rows that are refused, a line of JSON each with place and reason,
        while the others come in. Without it one such row refuses the whole. rename: models and
        judges that get another name, old to new.
    Raises InputError with the first refused row, or where there is nothing at all.
    """
    tally = _Tally()
    with _written(rejects, tally) as refuse, store.together():
        intake = _Intake(store, tally, rename or {})
        while chunk := list(islice(entries, AT_ONCE)):
            kept = [(where, entry) for where, entry in chunk if not refuse(where, entry)]
            if rejects is not None or not tally.refused:
                refused = intake.store(kept)
                for where, reason in refused:
                    refuse(where, Refused(reason))
        _check(tally, rejects, intake)
        counts = {kind: Count(tally.new[kind], tally.there[kind]) for kind in KINDS}
        return TakenIn(counts, tally.refused, dict(tally.passed), intake.notes())


def _check(tally: _Tally, rejects: Path | None, intake: "_Intake") -> None:
    if tally.refused and rejects is None:
        more = counted(tally.refused - 1, "more row is", "more rows are")
        more = f" ({more} refused)" if tally.refused > 1 else ""
        raise InputError(
            f"{tally.first}{more}; nothing was stored. --rejects FILE writes such rows there and "
            "takes in the others"
        )
    if not (tally.new.total() or tally.there.total()):
        whys = "; ".join(f"{counted(n, 'row')}: {why}" for why, n in tally.passed.items())
        first = f"; the first: {tally.first}" if tally.refused else ""
        raise InputError(f"no row of it could be taken in{first}{'; ' if whys else ''}{whys}")
    intake.finish()


class _written:  # noqa: N801  # used as a function that is a context
    """Counts what is refused or passed over, and writes the refused to a file, if there is one."""

    def __init__(self, path: Path | None, tally: _Tally) -> None:
        self._path, self._tally = path, tally
        self._stream: Any = None

    def __enter__(self) -> "_written":
        if self._path is not None:
            try:
                self._stream = self._path.open("w", encoding="utf-8")
            except OSError as error:
                raise InputError(f"{self._path}: cannot be written ({error.strerror})") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def __call__(self, where: str, entry: Entry) -> bool:
        """Whether the entry is not one to store."""
        if isinstance(entry, Passed):
            self._tally.passed[entry.reason] += 1
        elif isinstance(entry, Refused):
            self._tally.refused += 1
            self._tally.first = self._tally.first or f"{where}: {entry.reason}"
            if self._stream is not None:
                row = {"row": where, "reason": entry.reason}
                self._stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        return isinstance(entry, Passed | Refused)


class _Intake:
    """Stores chunks of entries, and remembers what must be known over all of them."""

    def __init__(self, store: Store, tally: _Tally, rename: Mapping[str, str]) -> None:
        self._store, self._tally, self._rename = store, tally, rename
        self._known = {model.name: model for model in store.models(archived=True)}
        self._before = frozenset(self._known)
        self._met: set[str] = set()
        self._used: set[str] = set()
        self._judges = JudgeNames(store)
        self._same_votes: dict[int, int] = defaultdict(int)
        self._same_verdicts: dict[int, int] = defaultdict(int)

    def store(self, chunk: Sequence[tuple[str, Entry]]) -> list[tuple[str, str]]:
        """Store a chunk; returns what of it must be refused: places and reasons."""
        self._put_prompts(chunk)
        said = [(where, *pair) for where, entry in chunk for pair in _texts(entry)]
        placed = place_answers(self._store, [(w, p, t, self._model(t.model)) for w, p, t in said])
        good = [(w, e) for w, e in chunk if not any(placed.is_bad(p, t) for p, t in _texts(e))]
        rows = {placed.key(e.prompt, e.text) for _, e in good if isinstance(e, Answered)}
        self._tally.new["answers"] += len(placed.new)
        self._tally.there["answers"] += len(rows - placed.new)
        self._put_votes(good, placed)
        pairs = [e for _, e in good if isinstance(e, Compared) and not e.is_vote]
        new, count = place_verdicts(
            self._store, self._named(pairs), placed, self._judges, self._same_verdicts
        )
        self._tally.add("verdicts", new, count)
        scores = [e for _, e in good if isinstance(e, ScoredAnswer)]
        new, count = place_scores(self._store, self._named(scores), placed, self._judges)
        self._tally.add("scores", new, count)
        return placed.refused

    def notes(self) -> tuple[Note, ...]:
        return tuple(alike(self._known))

    def finish(self) -> None:
        """Count the models, and refuse names to rename that no row has."""
        self._tally.there["models"] = len(self._used & self._before)
        for name in self._rename:
            if name not in self._met:
                raise InputError(
                    f"--rename {name}={self._rename[name]}: no model or judge of the file has that "
                    "name"
                )

    def _name(self, name: str) -> str:
        self._met.add(name)
        return self._rename.get(name, name)

    def _named(self, entries: Sequence[Any]) -> list[tuple[str, Any]]:
        """Each with the judge's name as it is stored."""
        return [(self._name(entry.by), entry) for entry in entries]

    def _model(self, name: str) -> Model:
        """The stored model of that name, or a new one whose answers come from files."""
        name = self._name(name)
        if name not in self._known:
            model = Model(name, BackendKind.IMPORTED, name)
            self._store.put_model(model)
            self._known[name] = model
            self._tally.new["models"] += 1
        self._used.add(name)
        return self._known[name]

    def _put_prompts(self, chunk: Sequence[tuple[str, Entry]]) -> None:
        """Questions of a file of questions describe a prompt anew; others only where it is new."""
        entries = [entry for _, entry in chunk if not isinstance(entry, Refused | Passed)]
        named = {id(e.prompt): e.prompt for e in entries if isinstance(e, Asked)}
        others = {id(e.prompt): e.prompt for e in entries if not isinstance(e, Asked)}
        asked = {prompt.key: prompt for prompt in named.values()}
        met = {prompt.key: prompt for one, prompt in others.items() if one not in named}
        there = self._store.prompts.present({*asked, *met})
        new = {key: prompt for key, prompt in {**met, **asked}.items() if key not in there}
        self._store.put_prompts({**new, **asked}.values())
        self._tally.new["prompts"] += len(new)
        self._tally.there["prompts"] += len(asked.keys() & there)

    def _put_votes(self, chunk: Sequence[tuple[str, Entry]], placed: Placed) -> None:
        votes = list(self._votes((e for _, e in chunk if isinstance(e, Compared)), placed))
        self._tally.add("votes", self._store.votes.cast_all(votes), len(votes))

    def _votes(self, pairs: Iterable[Compared], placed: Placed) -> Iterator[Vote]:
        for pair in pairs:
            if pair.is_vote and pair.winner is not None:
                first, second = placed.keys(pair)
                same = (first, second, pair.winner, pair.by)
                digest = int(content_key(*same)[:15], 16)
                self._same_votes[digest] += 1
                yield Vote(
                    # As `interchange.imports` has it, so that a file counts once either way.
                    content_key("imported", *same, self._same_votes[digest]),
                    placed.prompt_key(pair.prompt),
                    first,
                    second,
                    pair.winner,
                    pair.by,
                    pair.prompt.language,
                    pair.propensity,
                    pair.seconds,
                )


def _texts(entry: Entry) -> list[tuple[Prompt, SaidText]]:
    """The answers that an entry speaks of."""
    if isinstance(entry, Answered | ScoredAnswer):
        return [(entry.prompt, entry.text)]
    if isinstance(entry, Compared):
        return [(entry.prompt, entry.first), (entry.prompt, entry.second)]
    return []
