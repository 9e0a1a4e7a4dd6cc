"""What a worker does: it goes through a list of requests as the model's backend orders them.

Before each part it asks whether that is its own to do. All workers go through the same list, and
each part is given to the one that asks first; so which requests are answered together depends on
the list alone, as in one process.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any

from arena.backends import Intake, Result, open_backend
from arena.records import Model
from arena.records.errors import ArenaError

TELLING = 2.0  # seconds between two words on how far a part is


@dataclass(frozen=True, slots=True)
class Wants:
    """A worker on this host asks which of these positions it may do, and waits for the answer."""

    positions: list[int]
    host: str


@dataclass(frozen=True, slots=True)
class Tells:
    """How far a worker is with what it has in hand; see `Intake.tell`."""

    rows: float
    again: int


@dataclass(frozen=True, slots=True)
class Did:
    """Results of a part."""

    results: Result[Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker is through with the list. notes: of its backend."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A worker cannot go on with this list."""

    error: ArenaError


Said = Wants | Tells | Did | Ended | Failed


class Worker:
    """Lives in a process of its own, which keeps the weights that were loaded last.

    One thing is asked of it at a time; what takes long is done in a thread beside.
    """

    def __init__(self) -> None:
        self._walk: _Walk | None = None

    def ask(self, model: Model, what: str) -> Any:
        """What the model's backend says of itself, such as its `window`; `start` loads it.

        What is wrong with it is returned: what is raised would come as an error of Ray's.
        """
        try:
            with open_backend(model) as backend:
                return getattr(backend, what)()
        except ArenaError as error:
            return error

    def begin(self, model: Model, what: str, requests: Sequence[Any]) -> Said:
        """Go through a list from its start; the one before it is given up."""
        if self._walk:
            self._walk.give_up()
        self._walk = _Walk(model, what, requests)
        return self._walk.next()

    def go_on(self, mine: list[int] | None) -> Said:
        """What comes next. mine: the answer, where the last word was `Wants`."""
        assert self._walk is not None
        return self._walk.next(mine)


class _Walk(Intake):
    """One way through a list, in a thread; what it has to say is taken one by one."""

    def __init__(self, model: Model, what: str, requests: Sequence[Any]) -> None:
        super().__init__()
        self._says: SimpleQueue[Said | Exception] = SimpleQueue()
        self._hears: SimpleQueue[list[int]] = SimpleQueue()
        self._told = time.monotonic()
        self._thread = Thread(target=self._go, args=(model, what, requests), daemon=True)
        self._thread.start()

    def admit(self, positions: Sequence[int], worker: str = "") -> list[int]:
        if self.closed or not positions:
            return []
        self._says.put(Wants([*positions], socket.gethostname()))
        return self._hears.get()

    def tell(self, rows: float, again: int = 0) -> None:
        if (now := time.monotonic()) > self._told + TELLING:
            self._told = now
            self._says.put(Tells(rows, again))

    def next(self, mine: list[int] | None = None) -> Said:
        """The next word; what is not a user's to mend is raised."""
        if mine is not None:
            self._hears.put(mine)
        said = self._says.get()
        if isinstance(said, Exception):
            raise said
        return said

    def give_up(self) -> None:
        """Begin no further part, and return when the one in hand has ended."""
        self.close("it was given up")
        self._hears.put([])
        self._thread.join()

    def _go(self, model: Model, what: str, requests: Sequence[Any]) -> None:
        try:
            with open_backend(model) as backend:
                backend.start()
                for results in getattr(backend, what)(requests, self):
                    self._says.put(Did(results))
                self._says.put(Ended(backend.notes))
        except ArenaError as error:
            self._says.put(Failed(error))
        except Exception as error:  # the edge of a thread: it is raised where it is waited for
            self._says.put(error)
