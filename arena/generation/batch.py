"""A run is a set of missing rows: ask for what is not stored, store it as it comes."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Generic, TypeVar

from arena.backends import Backend, Intake, Limits, Result, cost_of
from arena.records import Failure, Usage
from arena.records.errors import BackendError, StoreError, UnavailableError
from arena.store import Store
from arena.store.leases import LEASE_SECONDS, new_owner, through
from arena.store.rows import Record, Rows

INTERRUPTED = "interrupted"  # why a run ended early that somebody has stopped
R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    unit: what its rows are, as a plural, where they are not what the run is about.
    found: rows that were stored before it. under_way: rows' worth of work that is done in rows
    that are not whole yet. again: rows that are asked once more now, because nothing could be
    read of their first reply. doing: what goes on before the first row, in a few words.
    elsewhere: rows that another process works on.
    faults: how often calls went wrong in each way, those that were tried again included.
    cost: US dollars. seconds: since it began. stopped: why it ended early, in a few words.
    notes: what the model's backend did otherwise than it was asked to, in a sentence each.
    unanswered: replies of earlier runs that were no answers, and are not asked for again.
    unavailable: why the model could not be asked at all, as a sentence; empty where it was.
    """

    stage: str
    total: int
    found: int = 0
    under_way: float = 0.0
    again: int = 0
    doing: str = ""
    stored: int = 0
    failed: int = 0
    elsewhere: int = 0
    unparsed: int = 0
    truncated: int = 0
    retried: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    seconds: float = 0.0
    last_error: str = ""
    stopped: str = ""
    notes: tuple[str, ...] = ()
    ended: bool = False
    unanswered: int = 0
    unavailable: str = ""
    unit: str = ""

    @property
    def done(self) -> float:
        """Rows' worth of work that this run has done."""
        return self.stored + self.under_way

    @property
    def complete(self) -> bool:
        """Whether every row of the run is stored."""
        return self.found + self.stored == self.total


OnProgress = Callable[[Progress], None]


def quiet(_: Progress) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class Control:
    """How a run is watched, held back and stopped: closing `intake` ends it in good order."""

    on_progress: OnProgress = quiet
    limits: Limits = field(default_factory=Limits)
    intake: Intake = field(default_factory=Intake)


Watch = Callable[[str], Control]


def unwatched(_: str) -> Control:
    """Watch no step and hold none back."""
    return Control()


@dataclass(frozen=True, slots=True)
class Work(Generic[R, T]):
    """What to do, one row for each key.

    ask: yields results for the positions that are admitted. make: turns a position and a
    reply into its row. prepare: stores what the rows refer to, once some of them are claimed.
    price: of the model's tokens. aside: keys that this run leaves alone and does not count;
    they stay in the list, which decides what is in a batch. unit: as of Progress.
    """

    stage: str
    table: Rows[R]
    keys: Sequence[str]
    ask: Callable[[Intake], Iterator[Result[T]]]
    make: Callable[[int, T], R]
    prepare: Callable[[], None]
    price: tuple[float, float] | None = None
    aside: frozenset[str] = frozenset()
    unit: str = ""


def run(
    store: Store, backend: Backend, work: Work[R, T], control: Control | None = None
) -> Progress:
    """Store a row for each key that has none; nothing is stored if the backend cannot start.

    Each batch of results is one transaction. A reply that failed is recorded as a failure
    and left for the next run. Raises UnavailableError where no request can succeed.
    """
    control = control or Control()
    present = work.table.present(work.keys)
    found, aside = sum(key in present for key in work.keys), work.aside - present
    total = sum(key not in aside for key in work.keys)
    progress = Progress(work.stage, total, found=found, ended=found == total, unit=work.unit)
    control.on_progress(progress)
    if progress.complete:
        return progress
    if backend.starting:
        control.on_progress(replace(progress, doing=backend.starting))
    try:
        backend.start()
    except UnavailableError as error:
        control.on_progress(replace(progress, ended=True, stopped=str(error)))
        raise
    control.on_progress(progress)
    asked = time.perf_counter()  # the rate is that of the rows, without what comes before them
    with _claims(store, work, present | aside, control.intake) as claims:
        claims.on_tell = lambda rows, again: control.on_progress(
            replace(progress, under_way=rows, again=again, seconds=time.perf_counter() - asked)
        )
        for results in work.ask(claims):
            rows = [work.make(i, r) for i, r in results if not isinstance(r, BackendError)]
            failures = [
                Failure(work.stage, work.keys[i], error.kind, str(error))
                for i, error in results
                if isinstance(error, BackendError)
            ]
            work.table.add(rows)
            claims.end(i for i, r in results if not isinstance(r, BackendError))
            if failures:
                store.add_failures(failures)
            progress = _advance(progress, work, results, rows, time.perf_counter() - asked)
            control.on_progress(progress)
    progress = replace(
        progress,
        elsewhere=claims.elsewhere,
        stopped=claims.closed,
        notes=backend.notes,
        ended=True,
    )
    control.on_progress(progress)
    return progress


def was_interrupted(steps: Iterable[Progress]) -> bool:
    """Whether somebody has stopped one of these steps."""
    return any(step.stopped == INTERRUPTED for step in steps)


def in_turn(
    stage: str, runs: Iterable[Callable[[], Iterable[Progress]]], *, depend: bool = False
) -> list[Progress]:
    """The steps of runs that follow each other; a model that cannot be asked stops only its own.

    depend: whether later runs need what earlier ones do, so that none begins after one was
    interrupted.

    Raises UnavailableError where no model can be asked.
    """
    steps, faults = list[Progress](), list[UnavailableError]()
    for one in runs:
        if depend and was_interrupted(steps):
            break
        try:
            for step in one():
                steps.append(step)  # one by one: what is done before a fault is done
        except UnavailableError as error:
            faults.append(error)
    if faults and not steps:
        raise faults[0]
    return steps + [Progress(stage, 0, ended=True, unavailable=str(e)) for e in faults]


class _Claims(Intake):
    """Admits what is neither stored nor claimed by another run, and claims it for this one."""

    def __init__(self, store: Store, work: Work[R, T], present: set[str], within: Intake) -> None:
        super().__init__(within)
        self.owner = new_owner()
        self.elsewhere = 0
        self._stored = SimpleQueue[str]()
        self._leases = store.leases
        self._table = work.table.table
        self._keys = work.keys
        self._present = present
        self._prepare: Callable[[], None] | None = work.prepare
        self.on_tell: Callable[[float, int], None] = lambda *_: None

    def tell(self, rows: float, again: int = 0) -> None:
        self.on_tell(rows, again)

    def admit(self, positions: Sequence[int], worker: str = "") -> list[int]:
        missing = [i for i in super().admit(positions) if self._keys[i] not in self._present]
        if not missing:
            return []
        owner = through(self.owner, worker) if worker else self.owner
        stored = [self._stored.get() for _ in range(self._stored.qsize())]
        owned = self._leases.claim(owner, [self._keys[i] for i in missing], self._table, stored)
        if self._prepare:  # after the first claim, by which other processes see this run
            self._prepare()
            self._prepare = None
        mine = [i for i in missing if self._keys[i] in owned]
        self.elsewhere += len(missing) - len(mine)
        return mine

    def give_back(self, positions: Sequence[int]) -> None:
        self._leases.release(self.owner, [self._keys[i] for i in positions])

    def end(self, positions: Iterable[int]) -> None:
        """Note that these rows are stored, so that their claims end with the next ones made."""
        for i in positions:
            self._stored.put(self._keys[i])


@contextmanager
def _claims(store: Store, work: Work[R, T], present: set[str], within: Intake) -> Iterator[_Claims]:
    """Claims that are renewed while the block lasts, and released after it."""
    claims, ended = _Claims(store, work, present, within), threading.Event()
    store.leases.release_dead()

    def renew() -> None:
        try:
            while not ended.wait(LEASE_SECONDS / 3):
                with suppress(StoreError):  # a busy database: the next turn is soon enough
                    store.leases.renew(claims.owner)
        finally:
            store.close()

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield claims
    finally:
        ended.set()
        thread.join()
        store.leases.release(claims.owner)


def _advance(
    progress: Progress,
    work: Work[R, T],
    results: Result[T],
    rows: Sequence[R],
    seconds: float,
) -> Progress:
    replies = [reply for _, reply in results if not isinstance(reply, BackendError)]
    errors = [error for _, error in results if isinstance(error, BackendError)]
    retried = [kind for reply in replies for kind in getattr(reply, "retried", ())]
    faults = dict(progress.faults)
    for kind in [*retried, *(error.kind for error in errors)]:
        faults[kind] = faults.get(kind, 0) + 1
    usages = [getattr(row, "usage", Usage()) for row in rows]
    usage = sum(usages, progress.usage)
    return replace(
        progress,
        stored=progress.stored + len(rows),
        failed=progress.failed + len(errors),
        unparsed=progress.unparsed + sum(bool(getattr(row, "reason", "")) for row in rows),
        truncated=progress.truncated + sum(bool(getattr(row, "truncated", 0)) for row in rows),
        retried=progress.retried + len(retried),
        faults=faults,
        usage=usage,
        cost=cost_of(usage, work.price),
        seconds=seconds,
        last_error=str(errors[-1]) if errors else progress.last_error,
    )
