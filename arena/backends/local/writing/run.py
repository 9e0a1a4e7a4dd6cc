"""Rows written one after another, many at once: those that end make room for those that wait."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from arena.backends.local.attempts import failed, free_memory, is_out_of_memory
from arena.backends.local.quiet import quiet_transformers
from arena.backends.local.writing.batch import DraftBatch, together
from arena.backends.local.writing.rows import Draft, Ends
from arena.backends.local.writing.sampling import Chooser
from arena.backends.local.writing.trial import Able, Mix
from arena.records.errors import ArenaError, BackendError

TELL_EVERY = 8  # steps
REFILL = 8  # one row in so many has ended before others take the place of those that have
ALONE = Able()


@dataclass(frozen=True)
class Rules:
    """How rows are written.

    settings: a GenerationConfig. tokens: at most so many are read in one pass, but for one row
    alone. finish: is given each row that has ended, or that cannot be written and why. tell: is
    told meanwhile how many rows what is written of those under way is worth.
    """

    settings: Any
    choose: Chooser
    ends: Ends
    tokens: int
    able: Able = ALONE
    finish: Callable[[Draft, BackendError | None], None] = lambda *_: None
    tell: Callable[[float], None] = lambda _: None


class WritingRun:
    """Writes with a model by some rules. Which rows are together depends on the rows alone."""

    def __init__(self, model: Any, rules: Rules) -> None:
        self._model = model
        self._rules = rules
        self._steps = 0

    def write(self, waiting: deque[Draft], most: int) -> None:
        """Write all rows that wait, and those that are added meanwhile: at most so many at once.

        Where they do not fit in memory half as many are tried, and a row that the model cannot
        take fails alone.
        """
        batch: DraftBatch | None = None
        alive: list[Draft] = []
        while waiting or alive:
            try:
                batch, fault = self._advanced(batch, alive, waiting, most), None
            except ArenaError:
                raise
            except Exception as error:  # the edge of a model's own code: it is the rows' fault
                fault = error.with_traceback(None)  # which holds what the pass has computed
            if fault is not None:
                batch, rows = None, alive[:]
                alive.clear()
                most = self._tried_again(rows, waiting, most, fault)

    def stream(self, row: Draft) -> Iterator[int]:
        """The tokens of one row as they are written; raises BackendError where it cannot be."""
        batch: DraftBatch | None = None
        waiting, alive = deque([row]), list[Draft]()
        while waiting or alive:
            try:
                batch = self._advanced(batch, alive, waiting, 1)
            except Exception as error:  # the edge of a model's own code: it is the row's fault
                raise failed(error) from error
            yield row.tokens[-1]

    def _tried_again(
        self, rows: Sequence[Draft], waiting: deque[Draft], most: int, fault: Exception
    ) -> int:
        """Take up rows that have failed together, and say how many may be written at once."""
        if not rows:
            raise fault
        if len(rows) == 1:
            self._rules.finish(rows[0], failed(fault))
        elif is_out_of_memory(fault):
            free_memory()
            waiting.extendleft(reversed(rows))
            return len(rows) // 2
        else:
            half = len(rows) // 2
            for some in (rows[:half], rows[half:]):
                self.write(deque(some), most)
        return most

    def _advanced(
        self, batch: DraftBatch | None, alive: list[Draft], waiting: deque[Draft], most: int
    ) -> DraftBatch | None:
        """One token more for each row under way, or the first of those that come."""
        if batch is None or self._is_due(batch, alive, waiting, most):
            batch = self._refilled(batch, alive, waiting, most)
        else:
            with _computing():
                logits = batch.step()
            self._take(batch, logits, alive)
        self._steps += 1
        if self._steps % TELL_EVERY == 0:
            self._tell(alive)
        return batch if alive else None

    def _tell(self, alive: Sequence[Draft]) -> None:
        room = self._rules.ends.room
        self._rules.tell(sum(row.worth(room) for row in alive))

    def _is_due(
        self, batch: DraftBatch, alive: Sequence[Draft], waiting: Sequence[Draft], most: int
    ) -> bool:
        """Whether enough rows have ended for others to come, or for a smaller batch to pay."""
        if not self._rules.able.joins:
            return False
        size = most if waiting else len(batch.rows)
        return size - len(alive) >= max(1, size // REFILL)

    def _refilled(
        self, batch: DraftBatch | None, alive: list[Draft], waiting: deque[Draft], most: int
    ) -> DraftBatch | None:
        """The rows of a batch that have not ended with those that come, up to so many."""
        joins = self._rules.able.joins
        batches = [batch] if batch else []
        while waiting and len(alive) < most and (joins or not batches):
            rows = self._coming(waiting, most - len(alive))
            alive += rows
            with _computing():
                fresh, logits = DraftBatch.begun(self._model, self._rules.settings, rows)
            self._take(fresh, logits, alive)
            batches.append(fresh)
            self._tell(alive)  # what is long is read for long before a step is taken
        batches = [batch for batch in batches if not all(row.ended for row in batch.rows)]
        if not joins or not batches:
            return batches[0] if batches else None
        with _computing():
            return together(batches)

    def _coming(self, waiting: deque[Draft], most: int) -> list[Draft]:
        """The next rows that may be begun in one pass."""
        rows, mix = [waiting.popleft()], self._rules.able.mix
        longest = len(rows[0].tokens)
        while waiting and len(rows) < most and mix is not Mix.NONE:
            length = len(waiting[0].tokens)
            longest = max(longest, length)
            fits = longest * (len(rows) + 1) <= self._rules.tokens
            if not fits or (mix is Mix.EVEN and length != len(rows[0].tokens)):
                break
            rows.append(waiting.popleft())
        return rows

    def _take(self, batch: DraftBatch, logits: torch.Tensor, alive: list[Draft]) -> None:
        """Give each row its next token, and let go of those that it ends."""
        places = [i for i, row in enumerate(batch.rows) if not row.ended]
        rows = [batch.rows[i] for i in places]
        with _computing():
            logits = logits if len(places) == len(logits) else logits[places]
            chosen = self._rules.choose(rows, logits)
        for row, token in zip(rows, chosen, strict=True):
            self._rules.ends.take(row, token)
        alive[:] = [row for row in alive if not row.ended]
        for row in rows:
            if row.ended:
                self._rules.finish(row, None)


@contextmanager
def _computing() -> Iterator[None]:
    with torch.inference_mode(), quiet_transformers():
        yield
