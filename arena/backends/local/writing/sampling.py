"""The choice of each row's next token, which nothing beside the row has a part in."""

from collections.abc import Mapping, Sequence

import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from arena.backends.local.writing.rows import Draft
from arena.records import Decoding


class Chooser:
    """Takes the likeliest token, or draws one under a model's decoding.

    closers: tokens that open thinking, each with the one that closes it.
    """

    def __init__(self, decoding: Decoding, closers: Mapping[int, int]) -> None:
        self._draws = decoding.temperature > 0
        self._cuts = _cuts(decoding) if self._draws else LogitsProcessorList()
        self._budget = decoding.thinking_budget
        self._closers = dict(closers)
        self._marks = {*closers, *closers.values()}

    def __call__(self, rows: Sequence[Draft], scores: torch.Tensor) -> list[int]:
        """Each row's next token. scores: (rows, vocabulary), logits.

        Raises ArithmeticError where the scores are not numbers: no text can follow.
        """
        if scores.isnan().any():
            raise ArithmeticError("its logits are not numbers")
        scores = scores.float()
        if any(row.steps for row in rows):
            scores = torch.cat([_stepped(row, scores[i : i + 1]) for i, row in enumerate(rows)])
        if self._draws:
            scores = self._cuts(torch.empty(0), scores) + _noise(rows, scores)
        chosen = scores.argmax(-1).tolist()
        return [self._closing(row, token) for row, token in zip(rows, chosen, strict=True)]

    def _closing(self, row: Draft, token: int) -> int:
        """The token that ends a row's thinking, where that has taken its budget, or `token`.

        A template may have opened the thinking before what the model writes.
        """
        if self._budget is None or not self._marks:
            return token
        tokens = row.tokens
        at = next((k for k in reversed(range(len(tokens))) if tokens[k] in self._marks), None)
        if at is None or tokens[at] not in self._closers:
            return token
        thought = len(tokens) - max(at + 1, row.start)
        return self._closers[tokens[at]] if thought >= self._budget else token


def _stepped(row: Draft, scores: torch.Tensor) -> torch.Tensor:
    """What the model's own settings make of a row's scores, (1, vocabulary)."""
    if not row.steps:
        return scores
    stepped: torch.Tensor = row.steps(torch.tensor([row.tokens], device=scores.device), scores)
    return stepped


def _cuts(decoding: Decoding) -> LogitsProcessorList:
    """The temperature, and what of the distribution is cut off, in this order."""
    cuts = LogitsProcessorList([TemperatureLogitsWarper(decoding.temperature)])
    if decoding.top_k is not None:
        cuts.append(TopKLogitsWarper(decoding.top_k))
    if decoding.top_p < 1:
        cuts.append(TopPLogitsWarper(decoding.top_p))
    if decoding.min_p is not None:
        cuts.append(MinPLogitsWarper(decoding.min_p))
    return cuts


def _noise(rows: Sequence[Draft], scores: torch.Tensor) -> torch.Tensor:
    """Gumbel noise, (rows, vocabulary), so that the arg-max is a draw from the softmax.

    (Gumbel 1954.) Each row has a generator of its own: transformers' own sampling draws all
    rows from one, and a text would change with its neighbours.
    """
    width = scores.shape[1]
    drawn = [torch.empty(width).exponential_(generator=row.generator) for row in rows]
    return -torch.stack(drawn).log().to(scores.device)
