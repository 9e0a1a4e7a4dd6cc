"""Rewards of conversations: one pass of a sequence-classification model with one label.

The model itself picks the token that it is read at, the last one that is no padding. Padding
follows a row's own tokens, so a row gets what a plain pass over it alone gives.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import torch

from arena.backends.local.attempts import in_halves
from arena.backends.local.reading import SAME, reach_of, spread, tokens_of_a_pass
from arena.backends.local.tree import Tokens
from arena.records.errors import BackendError

PROBE_LENGTHS = (3, 14, 8)


class Rewarder:
    """Reads rewards of a loaded model.

    together: whether rows may be in one batch at all. reach: as in `Reader`. most: how many
    tokens one pass need have.
    """

    def __init__(self, model: Any, ordinary: Sequence[int]) -> None:
        """Try what `model` can do on `ordinary` tokens: those that stand for text."""
        self._model = model
        self.reach = reach_of(model.config)
        self.most = tokens_of_a_pass(model.device)
        self.together = bool(ordinary) and self._is_same(
            [spread(ordinary, length, length) for length in PROBE_LENGTHS]
        )

    def read(self, rows: Sequence[Tokens]) -> list[float | BackendError]:
        """The reward of each row, or why there is none; (n,), on the model's own scale."""
        reach = self.reach or max(map(len, rows), default=0)
        near = [i for i, row in enumerate(rows) if len(row) <= reach]
        far = [i for i, row in enumerate(rows) if len(row) > reach]
        passes = [near, far] if self.together else [[i] for i in near + far]
        found: dict[int, float | BackendError] = {}
        for one in filter(None, passes):
            found |= zip(one, in_halves([rows[i] for i in one], self._pass), strict=True)
        return [_number(found[i]) for i in range(len(rows))]

    def _pass(self, rows: Sequence[Tokens]) -> list[float]:
        padding = self._model.config.get_text_config().pad_token_id or 0
        width = max(map(len, rows))
        padded = [[*row, *[padding] * (width - len(row))] for row in rows]
        own = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
        device = self._model.device
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor(padded, device=device),
                attention_mask=torch.tensor(own, device=device),
                use_cache=False,
            )
        return [float(value) for value in output.logits[:, 0].float().tolist()]

    def _is_same(self, rows: Sequence[Tokens]) -> bool:
        """Whether rows in a batch get what each of them gets alone, but for rounding."""
        try:
            alone = [self._pass([row])[0] for row in rows]
            apart = max(abs(a - b) for a, b in zip(alone, self._pass(rows), strict=True))
        except Exception:  # a model's own code: what cannot be done is not done
            return False
        size = max(1.0, *map(abs, alone))
        return apart <= size * max(SAME, 4 * torch.finfo(self._model.dtype).eps)


def _number(value: float | BackendError) -> float | BackendError:
    if isinstance(value, BackendError) or isfinite(value):
        return value
    return BackendError("the model's reward is not a number")
