"""Sampling that depends on a row's own seed, whatever else is in its batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from arena.records import Decoding


class SeededGumbel(LogitsProcessor):
    """Adds Gumbel noise, so that the arg-max is a draw from the softmax (Gumbel 1954).

    Each row has a generator of its own: transformers' own sampling draws all rows from one,
    and a text would change with its neighbours.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [torch.Generator().manual_seed(seed % 2**63) for seed in seeds]

    def __call__(self, input_ids: Any, scores: torch.Tensor) -> torch.Tensor:
        """scores: (rows, vocabulary), log-probabilities up to a constant."""
        width = scores.shape[1]
        noise = torch.stack(
            [torch.empty(width).exponential_(generator=g) for g in self._generators]
        )
        return scores - noise.log().to(scores.device)


class NumbersOnly(LogitsProcessor):
    """Raises ArithmeticError where a model's output is not a number: no text can follow."""

    def __call__(self, input_ids: Any, scores: torch.Tensor) -> torch.Tensor:
        """scores: (rows, vocabulary)."""
        if scores.isnan().any():
            raise ArithmeticError("its logits are not numbers")
        return scores


class ThinkingBudget(LogitsProcessor):
    """Ends each row's thinking once it has taken so many tokens.

    budget: in tokens. closers: tokens that open thinking, each with the one that closes it.
    start: where what the model writes begins; a template may have opened the thinking before.
    """

    def __init__(self, budget: int, closers: Mapping[int, int], start: int) -> None:
        self._budget = budget
        self._closers = dict(closers)
        self._marks = {*closers, *closers.values()}
        self._start = start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """scores: (rows, vocabulary)."""
        due = {i: self._due(row) for i, row in enumerate(input_ids.tolist())}
        scores = scores.clone()
        for i, token in due.items():
            if token is not None:
                scores[i] = -torch.inf
                scores[i, token] = 0.0
        return scores

    def _due(self, row: Sequence[int]) -> int | None:
        """The token that has to come now, if one has."""
        at = next((k for k in reversed(range(len(row))) if row[k] in self._marks), None)
        if at is None or row[at] not in self._closers:
            return None
        thought = len(row) - max(at + 1, self._start)
        return self._closers[row[at]] if thought >= self._budget else None


def logits_processors(
    decoding: Decoding, seeds: Sequence[int], closers: Mapping[int, int], start: int
) -> LogitsProcessorList:
    """What becomes of the logits before the likeliest token is taken.

    Numbers only; the penalty on repetition; unless decoding is greedy temperature, the cuts and
    noise, in this order; the end of thinking. closers, start: as in `ThinkingBudget`.
    """
    steps = LogitsProcessorList([NumbersOnly()])
    if decoding.repetition_penalty is not None:
        steps.append(RepetitionPenaltyLogitsProcessor(decoding.repetition_penalty))
    if decoding.temperature > 0:
        steps.append(TemperatureLogitsWarper(decoding.temperature))
        if decoding.top_k is not None:
            steps.append(TopKLogitsWarper(decoding.top_k))
        if decoding.top_p < 1:
            steps.append(TopPLogitsWarper(decoding.top_p))
        if decoding.min_p is not None:
            steps.append(MinPLogitsWarper(decoding.min_p))
        steps.append(SeededGumbel(seeds))
    if decoding.thinking_budget is not None and closers:
        steps.append(ThinkingBudget(decoding.thinking_budget, closers, start))
    return steps
