"""Texts as far as they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

# What reading a token takes of writing one, about: many are read at once. It moves a bar only.
READING = 1 / 8


@dataclass(frozen=True, slots=True)
class Begun:
    """The tokens that a text goes on from, at least one, and the seed of its sampling."""

    tokens: tuple[int, ...]
    seed: int = 0


class Draft:
    """A text under way.

    place: which of the texts that were asked for it is. steps: what the model's own settings
    make of its scores, as transformers' logits processors; may be empty.
    """

    def __init__(self, begun: Begun, place: int = 0, steps: Any = None) -> None:
        self.place = place
        self.steps = steps
        self.tokens = list(begun.tokens)
        self.start = len(begun.tokens)
        self.generator = torch.Generator().manual_seed(begun.seed % 2**63)
        self.ended = False

    @property
    def written(self) -> list[int]:
        """The tokens that were added."""
        return self.tokens[self.start :]

    def worth(self, room: int) -> float:
        """The part of its work that is done, where so many tokens may be added."""
        read = self.start * READING
        return (read + len(self.tokens) - self.start) / (read + room)


class Ends:
    """Where texts end: after one of some tokens, so many tokens, or one of some texts.

    The texts are looked for in what the tokenizer makes of the last tokens: their own spelling
    is not what every tokenizer gives.
    """

    def __init__(
        self, tokenizer: Any, tokens: Sequence[int], room: int, stops: Sequence[str]
    ) -> None:
        self._tokenizer = tokenizer
        self._tokens = frozenset(tokens)
        self.room = room
        self._stops = [stop for stop in stops if stop]
        # A token adds a letter or more, but for some that are part of one.
        self._tail = 8 + 4 * max(map(len, self._stops), default=0)

    def take(self, row: Draft, token: int) -> None:
        """Add a token to a row, and say whether that ends it."""
        row.tokens.append(token)
        count = len(row.tokens) - row.start
        row.ended = token in self._tokens or count >= self.room or self._stopped(row)

    def _stopped(self, row: Draft) -> bool:
        if not self._stops:
            return False
        tail = row.tokens[max(row.start, len(row.tokens) - self._tail) :]
        text = self._tokenizer.decode(tail, skip_special_tokens=True)
        return any(stop in text for stop in self._stops)
