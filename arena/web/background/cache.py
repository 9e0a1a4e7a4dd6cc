"""One thing derived from the store, kept in memory and made anew when the store has changed."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import Generic, TypeVar

from arena.store import Store, StoreVersion

T = TypeVar("T")
REST = 10.0


class Kept(Generic[T]):
    """What `make` reads from the store. Threads may share it; making takes a tenth of the time."""

    def __init__(self, store: Store, make: Callable[[Store], T]) -> None:
        self._store = store
        self._make = make
        self._turn = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kept")
        self._running: Future[None] | None = None
        self._found: T | None = None
        self._version: StoreVersion | None = None
        self._rests_until = 0.0

    def get(self, patience: float = 0.6) -> T | None:
        """The newest that can be had within `patience` seconds; None where there is none."""
        with self._turn:
            if self._running is not None and self._running.done():
                self._running = None
            old = self._version != self._store.version()
            if old and self._running is None and time.monotonic() >= self._rests_until:
                self._running = self._worker.submit(self._renew)
            running = self._running
        if running is not None:
            with suppress(NotYet):
                running.result(patience)
        return self._found

    def _renew(self) -> None:
        started = time.monotonic()
        try:
            version = self._store.version()
            self._found = self._make(self._store)
            self._version = version
        finally:
            now = time.monotonic()
            self._rests_until = now + REST * (now - started)
