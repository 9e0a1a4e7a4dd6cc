"""Logits after given tokens, such that no row's depend on the rows beside it.

Padding comes after a row's own tokens, where a causal model never looks, and a beginning that
rows share has the same length in all of them, so that it needs no padding. Neither masks nor
positions are then needed, whether a layer sees everything, a window, or a state.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import get_ident
from typing import Any

import torch

from arena.backends.local.attempts import in_halves
from arena.errors import BackendError

BATCH_TOKENS = 24_576
BATCH_LOGITS = 2**29
SHARED_MIN = 32
SAME, ROUNDING_MAX = 1e-4, 0.1
PROBE_SHARED, PROBE_WINDOW, PROBE_TAILS = 10, 5, ((0, 1), (0, 4), (1, 2))


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens, at least one; the logits after each of the last `keep` of them are wanted."""

    tokens: tuple[int, ...]
    keep: int = 1


class Reader:
    """Reads a loaded model.

    shares: whether what rows begin with may be read once. together: whether rows may be in one
    batch at all. reach: how many tokens the model reads with its usual positions; beyond it
    they are scaled (LongRoPE) for a whole batch. None where they never are. tolerance: how far
    the probabilities of two ways to compute the same may be apart, by rounding alone.
    """

    def __init__(self, model: Any, ordinary: Sequence[int]) -> None:
        """Try what `model` can do on `ordinary` tokens: those that stand for text."""
        self._model = model
        self._accepted = inspect.signature(model.forward).parameters
        self._vocabulary = int(model.config.get_text_config().vocab_size)
        self.reach = _reach(model.config)
        self.shares = self.together = False
        self.tolerance = 0.0
        if ordinary:
            self._try(ordinary)

    def read(self, rows: Sequence[Row]) -> list[torch.Tensor | BackendError]:
        """For each row its logits, (keep, vocabulary), or why there are none."""
        found: dict[int, torch.Tensor | BackendError] = {}
        for together, shared in self._batches(rows):
            for batch in self._pieces(together, rows, shared):
                here = in_halves([rows[i] for i in batch], partial(self._pass, shared=shared))
                found |= zip(batch, here, strict=True)
        return [found[i] for i in range(len(rows))]

    def _batches(self, rows: Sequence[Row]) -> Iterator[tuple[list[int], int]]:
        """Rows that may be read together, and how many tokens of their beginnings once."""
        if not rows:
            return
        if not self.together:
            yield from (([i], 0) for i in range(len(rows)))
            return
        reach = self.reach or max(len(row.tokens) for row in rows)
        near = [i for i, row in enumerate(rows) if len(row.tokens) <= reach]
        far = [i for i, row in enumerate(rows) if len(row.tokens) > reach]
        if near:
            yield near, _shared([rows[i] for i in near]) if self.shares else 0
        if far:
            yield far, 0

    def _pieces(
        self, batch: Sequence[int], rows: Sequence[Row], shared: int
    ) -> Iterator[list[int]]:
        """Parts of a batch whose tokens and logits are not too many to hold at once."""
        piece: list[int] = []
        width = logits = 0
        for i in batch:
            width = max(width, len(rows[i].tokens) - shared)
            logits += rows[i].keep * self._vocabulary
            if piece and (width * (len(piece) + 1) > BATCH_TOKENS or logits > BATCH_LOGITS):
                yield piece
                piece, width = [], len(rows[i].tokens) - shared
                logits = rows[i].keep * self._vocabulary
            piece.append(i)
        yield piece

    def _pass(self, rows: Sequence[Row], shared: int = 0) -> list[torch.Tensor]:
        """Logits of rows whose first `shared` tokens are read once for all that begin so."""
        tails = [row.tokens[shared:] for row in rows]
        kept = [(i, at) for i, row in enumerate(rows) for at in _last(len(tails[i]), row.keep)]
        where = tuple(torch.tensor(kept, device=self._model.device).T)
        with torch.inference_mode():
            cache = self._beginnings([row.tokens[:shared] for row in rows]) if shared else None
            with _head_only_at(self._model, where) as narrowed:
                output = self._forward(tails, past_key_values=cache, use_cache=cache is not None)
            logits = output.logits[0] if narrowed else output.logits[where]
        if logits.isnan().any():
            raise ArithmeticError("its logits are not numbers")
        return list(logits.split([row.keep for row in rows]))

    def _beginnings(self, beginnings: Sequence[tuple[int, ...]]) -> Any:
        """The cache after each row's beginning, all of one length."""
        heads = {head: k for k, head in enumerate(dict.fromkeys(beginnings))}
        cache = self._forward(list(heads), use_cache=True, logits_to_keep=1).past_key_values
        owners = torch.tensor([heads[head] for head in beginnings], device=self._model.device)
        if owners.tolist() != list(range(len(heads))):
            cache.reorder_cache(owners)
        return cache

    def _forward(self, rows: Sequence[tuple[int, ...]], **settings: Any) -> Any:
        width = max(map(len, rows))
        tokens = [[*row, *[row[-1]] * (width - len(row))] for row in rows]
        known = {name: value for name, value in settings.items() if name in self._accepted}
        return self._model(input_ids=torch.tensor(tokens, device=self._model.device), **known)

    def _try(self, ordinary: Sequence[int]) -> None:
        """Compare rows in a batch, and with a shared beginning, with each of them alone.

        The window of layers that have one is made shorter than what is shared meanwhile, so
        that one short probe goes beyond it.
        """
        rows = [
            Row(_spread(ordinary, PROBE_SHARED, head) + _spread(ordinary, n, n), n)
            for head, n in PROBE_TAILS
        ]
        with _window(self._model.config, PROBE_WINDOW):
            try:
                alone = [self._pass([row])[0] for row in rows]
                noise = distance(alone, self._pass(rows))
                self.tolerance = _tolerance(self._model.dtype, noise)
                self.together = noise <= self.tolerance
                if self.together and self.tells and "past_key_values" in self._accepted:
                    self.shares = distance(alone, self._pass(rows, PROBE_SHARED)) <= self.tolerance
            except Exception:  # a model's own code: what cannot be done is not done
                pass

    @property
    def tells(self) -> bool:
        """Whether a probe tells how state is kept: half precision hides a little that is lost."""
        is_recurrent = getattr(self._model, "_is_stateful", False)
        return self._model.dtype == torch.float32 or not is_recurrent


def _shared(rows: Sequence[Row]) -> int:
    """How many tokens rows should have read once for all that begin so; 0 where it saves little.

    What all of them share, or as much as all have before the first logits that they keep.
    """
    free = min(len(row.tokens) - row.keep for row in rows)
    common = min((_common(rows[0].tokens, row.tokens, free) for row in rows), default=0)
    saved = {n: n * (len(rows) - len({row.tokens[:n] for row in rows})) for n in (free, common)}
    best = max(saved, key=lambda n: saved[n])
    return best if saved[best] >= SHARED_MIN else 0


def _common(left: Sequence[int], right: Sequence[int], most: int) -> int:
    return next((k for k in range(most) if left[k] != right[k]), most)


def _last(length: int, keep: int) -> range:
    return range(length - keep, length)


@contextmanager
def _head_only_at(model: Any, where: tuple[torch.Tensor, ...]) -> Iterator[list[bool]]:
    """Let the last layer compute logits at these (row, position) only, as one row of them.

    Yields a list that is empty where the model has no such layer.
    """
    narrowed: list[bool] = []
    thread = get_ident()

    def narrow(_: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        is_ours = get_ident() == thread  # another thread may be writing with the same model
        if not is_ours or not inputs or inputs[0].ndim != 3:
            return None
        narrowed.append(True)
        rows, positions = (index.to(inputs[0].device) for index in where)
        return inputs[0][rows, positions][None], *inputs[1:]

    head = model.get_output_embeddings()
    if head is None:
        yield narrowed
        return
    handle = head.register_forward_pre_hook(narrow)
    try:
        yield narrowed
    finally:
        handle.remove()


@contextmanager
def _window(config: Any, size: int) -> Iterator[None]:
    """Let layers that see only the last tokens see no more than `size`."""
    text = config.get_text_config()
    names = ("sliding_window", "attention_chunk_size")
    before = {name: value for name in names if (value := getattr(text, name, None))}
    try:
        for name in before:
            setattr(text, name, size)
        yield
    finally:
        for name, value in before.items():
            setattr(text, name, value)


def _reach(config: Any) -> int | None:
    """The tokens up to which LongRoPE keeps its short factors; a batch has one kind of them."""
    text = config.get_text_config()
    ropes = getattr(text, "rope_parameters", None) or {}
    kinds = [ropes, *(value for value in ropes.values() if isinstance(value, dict))]
    found = [
        kind.get("original_max_position_embeddings") or text.max_position_embeddings
        for kind in kinds
        if kind.get("rope_type") == "longrope"
    ]
    return min(found, default=None)


def _spread(ordinary: Sequence[int], count: int, start: int) -> tuple[int, ...]:
    """So many different tokens from all over the vocabulary."""
    return tuple(ordinary[(start * 31 + k * 7919) % len(ordinary)] for k in range(1, count + 1))


def distance(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> float:
    """How far probabilities are apart: their total variation, in [0, 1]; the worst of the rows."""
    return max(
        float((one.float().softmax(-1) - other.float().softmax(-1)).abs().sum(-1).mean()) / 2
        for one, other in zip(left, right, strict=False)
    )


def _tolerance(dtype: torch.dtype, noise: float) -> float:
    """What rounding may do: more in half precision, and more where it did it to a batch."""
    exact = max(SAME, 4 * torch.finfo(dtype).eps)
    return exact if dtype == torch.float32 else min(ROUNDING_MAX, max(exact, 4 * noise))
