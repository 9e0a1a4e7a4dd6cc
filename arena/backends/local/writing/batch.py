"""Rows that are written together, and the state that the model goes on from."""

from collections.abc import Sequence
from typing import Any

import torch

from arena.backends.local.writing.caches import bytes_of, joined, right_aligned
from arena.backends.local.writing.rows import Draft

CACHES = ("past_key_values", "cache_params")


class DraftBatch:
    """Rows side by side, a column a token, their latest tokens in the last one.

    tokens: (rows, columns). state: what transformers hands from one forward pass to the next.
    """

    def __init__(self, model: Any, rows: Sequence[Draft], state: dict[str, Any]) -> None:
        self.model = model
        self.rows = list(rows)
        self.state = state
        self.tokens = torch.empty(0)

    @classmethod
    def begun(
        cls, model: Any, settings: Any, rows: Sequence[Draft]
    ) -> tuple["DraftBatch", torch.Tensor]:
        """Rows of which all tokens are read, and the logits of the next ones.

        settings: a GenerationConfig. `generate` prepares the first pass, as it knows how to do
        for each kind of model, and leaves the rest to us.
        """
        batch = cls(model, rows, {})

        def prefill(_: Any, input_ids: torch.Tensor, **state: Any) -> torch.Tensor:
            for name in ("logits_processor", "stopping_criteria", "generation_config"):
                del state[name]
            batch.state = state
            return batch._forward(input_ids, is_first_iteration=True)

        texts = _padded([row.tokens for row in rows], model.device)
        return batch, model.generate(**texts, generation_config=settings, custom_generate=prefill)

    def step(self) -> torch.Tensor:
        """The logits after the tokens that the rows were given last."""
        latest = torch.tensor([[row.tokens[-1]] for row in self.rows]).to(self.tokens)
        return self._forward(
            torch.cat([self.tokens, latest], 1),
            next_sequence_length=1 if self.state.get("use_cache") else None,
        )

    @property
    def bytes(self) -> int:
        """The memory that its rows' state takes."""
        return sum(bytes_of(self.state[name]) for name in CACHES if name in self.state)

    def _forward(self, tokens: torch.Tensor, **how: Any) -> torch.Tensor:
        self.tokens = tokens
        inputs = self.model.prepare_inputs_for_generation(tokens, **how, **self.state)
        outputs = self.model(**inputs, return_dict=True)
        self.state = self.model._update_model_kwargs_for_generation(outputs, self.state)
        logits: torch.Tensor = outputs.logits[:, -1]
        return logits


def together(batches: Sequence[DraftBatch]) -> DraftBatch:
    """One batch of those rows of some batches that have not ended; these are used up.

    Raises TypeError where the model's state cannot be taken apart.
    """
    alive = [[i for i, row in enumerate(b.rows) if not row.ended] for b in batches]
    rows = [b.rows[i] for b, some in zip(batches, alive, strict=True) for i in some]
    picked = [
        torch.tensor(some, dtype=torch.long, device=b.tokens.device)
        for b, some in zip(batches, alive, strict=True)
    ]
    texts = _padded([row.tokens for row in rows], batches[0].tokens.device)
    batch = DraftBatch(batches[0].model, rows, _state(batches, picked, texts["attention_mask"]))
    batch.tokens = texts["input_ids"][:, :-1]  # the latest is not read yet
    return batch


def _state(
    batches: Sequence[DraftBatch], picked: Sequence[torch.Tensor], mask: torch.Tensor
) -> dict[str, Any]:
    """The state of some rows of each batch, with their latest tokens side by side.

    mask: (rows, columns), which columns are a row's own, the one to come included.
    """
    whole = dict(batches[0].state)
    width = mask.shape[1]
    for name, value in batches[0].state.items():
        parts = [batch.state[name] for batch in batches]
        if name == "attention_mask":
            whole[name] = None if mask.all() else mask
        elif name in CACHES and hasattr(value, "layers"):
            whole[name] = joined(parts, picked, width - 1)
        elif isinstance(value, torch.Tensor) and value.dim() == 2:
            columns = [part.unsqueeze(-1) for part in parts]
            whole[name] = right_aligned(columns, picked, width).squeeze(-1)
        elif value is not None and not isinstance(value, bool | int | str):
            raise TypeError(f"{name} cannot be taken apart")
    return whole


def _padded(texts: Sequence[Sequence[int]], device: Any) -> dict[str, torch.Tensor]:
    """Tokens with others before the shorter ones, and which of them are a text's own."""
    width = max(map(len, texts))
    gaps = [width - len(text) for text in texts]
    tokens = [[text[0]] * gap + [*text] for text, gap in zip(texts, gaps, strict=True)]
    seen = [[0] * gap + [1] * (width - gap) for gap in gaps]
    return {
        "input_ids": torch.tensor(tokens, device=device),
        "attention_mask": torch.tensor(seen, device=device),
    }
