"""Sheets kept in memory, computed beside the app when the store has changed.

A page gets the last sheet at once, and the new one when it is done. Computing takes at most a
tenth of the time. A large store is read in a process of its own, so that no vote waits for it.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress

from arena.board import Row
from arena.records import Evidence
from arena.store import Store
from arena.web.sheets import Sheet, Slice, compute

# Rows of evidence from which a process of its own is worth its start.
LARGE = 2_000
NICE = 10  # votes go first
PATIENCE = 0.6
REST = 10.0
LEAST = 0.2
MOST_KEPT = 48


class Boards:
    """Threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = threading.Lock()
        self._sheets: dict[Slice, Sheet] = {}
        self._running: dict[Slice, Future[Sheet]] = {}
        self._small = ThreadPoolExecutor(1, thread_name_prefix="boards")
        self._large: Executor | None = None

    def get(self, wanted: Slice, patience: float = PATIENCE) -> Sheet | None:
        """The newest sheet that can be had within `patience` seconds; None where there is none."""
        running = self._begin(wanted)
        if running is not None:
            with suppress(NotYet):
                self._keep(running.result(patience))
        with self._turn:
            return self._sheets.get(wanted)

    def is_old(self, sheet: Sheet) -> bool:
        """Whether the store has changed since."""
        return sheet.version != self._store.version()

    def known_rows(self, view: str = Evidence.COMBINED) -> Mapping[str, Row]:
        """The ranking as last computed, by model; nobody waits for a newer one."""
        with self._turn:
            sheet = self._sheets.get(Slice())
        if sheet is None or not _rests(sheet):
            sheet = self.get(Slice(), 0.0)
        board = sheet.boards.get(view) if sheet else None
        return {row.model: row for row in board.rows} if board else {}

    def _begin(self, wanted: Slice) -> "Future[Sheet] | None":
        """The work on a sheet that is new, under way or begun now; None where none is needed."""
        version = self._store.version()
        with self._turn:
            sheet, running = self._sheets.get(wanted), self._running.get(wanted)
            if running is not None and not (running.done() and running.exception()):
                return running
            if sheet is not None and (sheet.version == version or _rests(sheet)):
                return None
            future = self._executor(version).submit(compute, self._store.path, wanted)
            self._running[wanted] = future
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: "Future[Sheet]") -> None:
        if not future.cancelled() and future.exception() is None:
            self._keep(future.result())

    def _keep(self, sheet: Sheet) -> None:
        with self._turn:
            self._running.pop(sheet.slice, None)
            self._sheets.pop(sheet.slice, None)
            self._sheets[sheet.slice] = sheet
            while len(self._sheets) > MOST_KEPT:
                self._sheets.pop(next(key for key in self._sheets if key != Slice()))

    def _executor(self, version: tuple[int, ...]) -> Executor:
        if sum(version[3:8]) < LARGE:
            return self._small
        if self._large is None:
            # A new process each time: what a million votes take is given back.
            self._large = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=os.nice,
                initargs=(NICE,),
                max_tasks_per_child=1,
            )
        return self._large

    def close(self) -> None:
        """Let no more work begin."""
        self._small.shutdown(wait=False, cancel_futures=True)
        if self._large is not None:
            self._large.shutdown(wait=False, cancel_futures=True)


def _rests(sheet: Sheet) -> bool:
    """Whether it was made so lately that making it again would take more than a tenth."""
    return time.time() - sheet.made < max(LEAST, REST * sheet.seconds)
