"""Weights that answered live are freed once nobody has asked for a while."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Idle:
    """Counts who is at work, and releases what they share when nobody has been for so long.

    Threads may share it.
    """

    def __init__(self, seconds: float, release: Callable[[], None]) -> None:
        self._seconds = seconds
        self._release = release
        self._turn = threading.Lock()
        self._at_work = 0
        self._timer: threading.Timer | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While this lasts, nothing is released."""
        with self._turn:
            self._at_work += 1
            if self._timer is not None:
                self._timer.cancel()
        try:
            yield
        finally:
            with self._turn:
                self._at_work -= 1
                if not self._at_work:
                    self._timer = threading.Timer(self._seconds, self._end)
                    self._timer.daemon = True
                    self._timer.start()

    def _end(self) -> None:
        with self._turn:
            if not self._at_work:
                self._release()
