"""A run is a set of missing rows: ask for what is not stored, store it as it comes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from arena.backends import Backend, Result
from arena.errors import BackendError
from arena.records import Failure, Usage
from arena.store import Store
from arena.store.rows import Record, Rows

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. found: rows that were stored before it; seconds: since it began."""

    stage: str
    total: int
    found: int = 0
    stored: int = 0
    failed: int = 0
    unparsed: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    last_error: str = ""

    @property
    def complete(self) -> bool:
        """Whether every row of the run is stored."""
        return self.found + self.stored == self.total


OnProgress = Callable[[Progress], None]


def quiet(_: Progress) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class Work(Generic[R, T]):
    """What to do, one row for each key.

    ask: given the positions that are done, yields results for the others. make: turns a
    position and a reply into its row. prepare: stores what the rows refer to.
    """

    stage: str
    table: Rows[R]
    keys: Sequence[str]
    ask: Callable[[set[int]], Iterator[Result[T]]]
    make: Callable[[int, T], R]
    prepare: Callable[[], None]


def run(
    store: Store, backend: Backend, work: Work[R, T], on_progress: OnProgress = quiet
) -> Progress:
    """Store a row for each key that has none; nothing is stored if the backend cannot start.

    Each batch of results is one transaction. A reply that failed is recorded as a failure
    and left for the next run. Raises UnavailableError where no request can succeed.
    """
    started = time.perf_counter()
    present = work.table.present(work.keys)
    done = {index for index, key in enumerate(work.keys) if key in present}
    progress = Progress(work.stage, len(work.keys), found=len(done))
    on_progress(progress)
    if progress.complete:
        return progress
    backend.start()
    work.prepare()
    for results in work.ask(done):
        rows = [work.make(i, reply) for i, reply in results if not isinstance(reply, BackendError)]
        failures = [
            Failure(work.stage, work.keys[i], type(error).__name__, str(error))
            for i, error in results
            if isinstance(error, BackendError)
        ]
        work.table.add(rows)
        if failures:
            store.add_failures(failures)
        progress = _advance(progress, rows, failures, time.perf_counter() - started)
        on_progress(progress)
    return progress


def _advance(
    progress: Progress, rows: Sequence[Record], failures: Sequence[Failure], seconds: float
) -> Progress:
    usages = [progress.usage, *(getattr(row, "usage", Usage()) for row in rows)]
    return replace(
        progress,
        stored=progress.stored + len(rows),
        failed=progress.failed + len(failures),
        unparsed=progress.unparsed + sum(bool(getattr(row, "reason", "")) for row in rows),
        usage=Usage(
            sum(u.prompt_tokens for u in usages),
            sum(u.completion_tokens for u in usages),
            sum(u.seconds for u in usages),
        ),
        seconds=seconds,
        last_error=failures[-1].message if failures else progress.last_error,
    )
