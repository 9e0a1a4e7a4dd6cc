"""Sampling that depends on a row's own seed, whatever else is in its batch."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
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


def logits_processors(decoding: Decoding, seeds: Sequence[int]) -> LogitsProcessorList:
    """Numbers only; and unless decoding is greedy temperature, nucleus and noise, in this order."""
    steps = LogitsProcessorList([NumbersOnly()])
    if decoding.temperature > 0:
        steps.append(TemperatureLogitsWarper(decoding.temperature))
        if decoding.top_p < 1:
            steps.append(TopPLogitsWarper(decoding.top_p))
        steps.append(SeededGumbel(seeds))
    return steps
