"""What may be done with a model's rows, tried once on a few tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import torch

from arena.backends.local.quiet import quiet_transformers
from arena.backends.local.reading import Reader, distance, shorter_window
from arena.backends.local.writing.batch import DraftBatch, together
from arena.backends.local.writing.rows import Begun, Draft

# Both lengths are within the window, and soon beyond it. A pass of a large model takes seconds.
STEPS, WINDOW, LENGTHS = 2, 6, (4, 5)


class Mix(Enum):
    """Which rows may be begun in one pass: of any length, of one length, or each alone."""

    ANY = "any"
    EVEN = "even"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Able:
    """What a model's rows allow.

    joins: whether rows may join others that are under way, and leave them. fixed, a_token: the
    bytes of the state of one row, whatever its length and for each of its tokens.
    """

    mix: Mix = Mix.NONE
    joins: bool = False
    fixed: float = 0.0
    a_token: float = 0.0

    def bytes_of_row(self, tokens: int) -> float:
        """The memory that the state of a row of so many tokens takes."""
        return self.fixed + self.a_token * tokens


def tried(model: Any, settings: Any, reader: Reader, ordinary: Sequence[int]) -> Able:
    """Compare what a model says after one row with what it says after it beside others.

    Padding before a row's beginning changes the state of some recurrent layers, and some models
    go on from one row's state in all others. settings: a GenerationConfig. ordinary: tokens that
    stand for text.
    """
    if not reader.together or not ordinary:
        return Able()
    trial = _Trial(model, settings, reader, ordinary)
    with shorter_window(model.config, WINDOW), torch.inference_mode(), quiet_transformers():
        if reader.tells and trial.agrees([0, 1], [2]) and trial.agrees([1], [0]):
            return Able(Mix.ANY, True, *trial.sizes())  # as most models do, in two trials
        if reader.tells and trial.agrees([0, 1]):
            mix = Mix.ANY
        else:
            mix = Mix.EVEN if trial.agrees([0, 2]) else Mix.NONE
        joins = reader.tells and trial.agrees([0], [1]) and trial.agrees([1], [0])
        return Able(mix, joins, *trial.sizes())


class _Trial:
    """Rows that are given the same tokens wherever they stand."""

    def __init__(self, model: Any, settings: Any, reader: Reader, ordinary: Sequence[int]) -> None:
        self._model = model
        self._settings = settings
        self._tolerance = reader.tolerance
        self._tokens = [ordinary[k * 7919 % len(ordinary)] for k in range(64)]

    def agrees(self, first: Sequence[int], later: Sequence[int] = ()) -> bool:
        """Whether row 0 says what it says alone where some rows begin and others join them."""
        try:
            return distance(self._alone, self._scores(first, later)) <= self._tolerance
        except Exception:  # a model's own code: what cannot be done is not done
            return False

    @cached_property
    def _alone(self) -> list[torch.Tensor]:
        return self._scores([0])

    def sizes(self) -> tuple[float, float]:
        """The bytes of a row's state whatever its length, and for each token."""
        try:
            short, long = (DraftBatch.begun(*self._how([i]))[0].bytes for i in (0, 1))
        except Exception:  # as above
            return 0.0, 0.0
        each = (long - short) / (LENGTHS[1] - LENGTHS[0])
        return max(0.0, short - each * LENGTHS[0]), each

    def _how(self, places: Sequence[int]) -> tuple[Any, Any, list[Draft]]:
        """What a batch of the rows in some places begins with."""
        sizes = [LENGTHS[place == 1] for place in places]
        rows = [
            Draft(Begun(tuple(self._tokens[place : place + size])), place)
            for place, size in zip(places, sizes, strict=True)
        ]
        return self._model, self._settings, rows

    def _scores(self, first: Sequence[int], later: Sequence[int] = ()) -> list[torch.Tensor]:
        """What row 0 says: before others join it, beside them, and when they have left."""
        found: list[torch.Tensor] = []
        batch = self._begun(first, found)
        for turn in range(3):
            if later and turn == 1:
                batch = together([batch, self._begun(later, found)])
            if later and turn == 2:
                for row in batch.rows:
                    row.ended = row.place > 0
                batch = together([batch])
            for _ in range(STEPS):
                self._take(batch, batch.step(), found)
        return found

    def _begun(self, places: Sequence[int], found: list[torch.Tensor]) -> DraftBatch:
        batch, logits = DraftBatch.begun(*self._how(places))
        self._take(batch, logits, found)
        return batch

    def _take(self, batch: DraftBatch, logits: torch.Tensor, found: list[torch.Tensor]) -> None:
        """Keep what the first row says, and give each row its next token."""
        for row, scores in zip(batch.rows, logits, strict=True):
            if row.place == 0:
                found.append(scores)
            row.tokens.append(self._tokens[len(row.tokens)])
