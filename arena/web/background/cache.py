"""What takes long is made from the store beside the app, kept, and made anew when it has changed.

A page gets the last at once, and the new one when it is done. Making takes at most a tenth of
the time. A large store is read in a process of its own, so that no vote waits for it.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from arena.store import Store, StoreVersion

# Rows of evidence from which a process of its own is worth its start.
LARGE = 2_000
NICE = 10  # votes go first
PATIENCE = 0.6
LONG_ENOUGH = 120.0
REST = 10.0
LEAST = 0.2
MOST_KEPT = 48
# The key of what there is one of for the whole store.
WHOLE = ""

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """Something that was made from a store.

    version: of the store, when it was read. made: when that was begun, in seconds since the
    epoch. seconds: how long it took.
    """

    value: T
    version: StoreVersion
    made: float
    seconds: float

    @property
    def rests(self) -> bool:
        """Whether it was made so lately that making it again would take more than a tenth."""
        return time.time() - self.made < max(LEAST, REST * self.seconds)


class Cache(Generic[K, T]):
    """What `make` reads from a store, by key; threads may share it.

    first: the key whose last is never forgotten. make and its values go to another process where
    the store is large.
    """

    def __init__(self, store: Store, make: Callable[[Store, K], T], first: K) -> None:
        self._store = store
        self._make = make
        self._first = first
        self._turn = threading.Lock()
        self._kept: dict[K, Made[T]] = {}
        self._running: dict[K, Future[Made[T]]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cache")

    def get(self, wanted: K, patience: float = PATIENCE) -> T | None:
        """The newest that can be had within `patience` seconds; None where there is none."""
        found = self.made(wanted, patience)
        return found.value if found else None

    def made(self, wanted: K, patience: float = PATIENCE) -> Made[T] | None:
        """As `get`, with when it was made."""
        running = self._begin(wanted)
        if running is not None:
            with suppress(NotYet):
                self._keep(wanted, running.result(patience))
        return self.last(wanted)

    def last(self, wanted: K) -> Made[T] | None:
        """The last that was made; None where there is none."""
        with self._turn:
            return self._kept.get(wanted)

    def is_old(self, found: Made[T]) -> bool:
        """Whether the store has changed since."""
        return found.version != self._store.version()

    def is_under_way(self, wanted: K) -> bool:
        """Whether a newer one is being made."""
        with self._turn:
            return wanted in self._running and not self._running[wanted].done()

    def _begin(self, wanted: K) -> "Future[Made[T]] | None":
        """The work on one that is new, under way or begun now; None where none is needed."""
        version = self._store.version()
        with self._turn:
            last, running = self._kept.get(wanted), self._running.get(wanted)
            if running is not None and not (running.done() and running.exception()):
                return running
            if last is not None and (last.version == version or last.rests):
                return None
            work = _apart if version.evidence >= LARGE else _make
            future = self._worker.submit(partial(work, self._make, self._store.path, wanted))
            self._running[wanted] = future
        future.add_done_callback(partial(self._ended, wanted))
        return future

    def _ended(self, wanted: K, future: "Future[Made[T]]") -> None:
        if not future.cancelled() and future.exception() is None:
            self._keep(wanted, future.result())

    def _keep(self, wanted: K, made: Made[T]) -> None:
        with self._turn:
            self._running.pop(wanted, None)
            self._kept.pop(wanted, None)
            self._kept[wanted] = made
            while len(self._kept) > MOST_KEPT:
                self._kept.pop(next(key for key in self._kept if key != self._first))

    def close(self) -> None:
        """Let no more work begin."""
        self._worker.shutdown(wait=False, cancel_futures=True)


def _make(make: Callable[[Store, K], T], path: Path, wanted: K) -> Made[T]:
    """Read the store at a path."""
    started, begun = time.perf_counter(), time.time()
    store = Store(path, create=False)
    try:
        version = store.version()
        value = make(store, wanted)
    finally:
        store.close()
    return Made(value, version, begun, time.perf_counter() - started)


def _apart(make: Callable[[Store, K], T], path: Path, wanted: K) -> Made[T]:
    """As `_make`, in a new process: what a million votes take is given back."""
    with ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), initializer=_begin_beside
    ) as pool:
        return pool.submit(_make, make, path, wanted).result()


def _begin_beside() -> None:
    """Give way to the app, and end when it does: a killed one would leave its work waiting."""
    os.nice(NICE)
    app = multiprocessing.parent_process()
    assert app is not None

    def end_with_it() -> None:
        app.join()
        os._exit(1)

    threading.Thread(target=end_with_it, daemon=True).start()
