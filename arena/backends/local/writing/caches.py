"""The state that rows go on from, put together anew when rows come or leave."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from transformers import cache_utils
from transformers.cache_utils import (
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionLayer,
)

ROOM = 64  # columns


class RoomyLayer(DynamicLayer):
    """A layer with room for the columns to come: one more copies none of those before it."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """keys, values: (rows, heads, columns, size); the last `ROOM` of them are not filled."""
        super().__init__()
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._room = [keys, values]
        self._fill(keys.shape[-2] - ROOM)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take new columns, (rows, heads, new, size); gives all that there are."""
        start, end = self.keys.shape[-2], self.keys.shape[-2] + key_states.shape[-2]
        more = end + ROOM if end > self._room[0].shape[-2] else 0
        for i, new in enumerate((key_states, value_states)):
            if more:
                known = self._room[i][..., :start, :]
                self._room[i] = new.new_empty((*new.shape[:-2], more, new.shape[-1]))
                self._room[i][..., :start, :] = known
            self._room[i][..., start:end, :] = new
        self._fill(end)
        return self.keys, self.values

    def _fill(self, columns: int) -> None:
        self.keys, self.values = (whole[..., :columns, :] for whole in self._room)


# Not all of them are in every release.
_NAMES = (
    *("DummyLayer", "DynamicLayer", "DynamicSlidingWindowLayer", "LinearAttentionLayer"),
    *("LinearAttentionAndFullAttentionLayer", "LinearAttentionAndSlidingWindowAttentionLayer"),
)
_LAYERS = {RoomyLayer, *(getattr(cache_utils, name, RoomyLayer) for name in _NAMES)}


def joined(caches: Sequence[Any], picked: Sequence[torch.Tensor], width: int) -> Any:
    """One cache of those rows of each that are picked, whose latest columns stand side by side.

    The caches are used up. picked: indices of each cache's rows. width: how many columns all
    rows have then; where a row has fewer, what is before them is to be masked. Raises TypeError
    for a kind of layer whose rows are not known to stand for themselves.
    """
    whole = copy(caches[0])
    whole.layers = []
    for i in range(len(caches[0].layers)):
        layers = [cache.layers[i] for cache in caches]
        whole.layers.append(_joined(layers, picked, width))
        for cache in caches:
            cache.layers[i] = None  # its memory is free before the next layer takes as much
    return whole


def _joined(layers: Sequence[Any], picked: Sequence[torch.Tensor], width: int) -> Any:
    if unknown := {type(layer) for layer in layers} - _LAYERS:
        raise TypeError(f"layers of the kind {unknown.pop().__name__} cannot be joined")
    layer = copy(layers[0])
    if isinstance(layer, LinearAttentionLayer):
        for name in ("conv_states", "recurrent_states"):
            states = [getattr(one, name) for one in layers]
            setattr(layer, name, {k: _rows([s[k] for s in states], picked) for k in states[0]})
    if not isinstance(layer, DynamicLayer) or not layer.is_initialized:
        return layer
    if isinstance(layer, DynamicSlidingWindowLayer):
        layer.cumulative_length, width = width, min(width, layer.sliding_window - 1)
    room = ROOM if type(layer) in (DynamicLayer, RoomyLayer) else 0
    keys, values = (
        right_aligned([getattr(one, name) for one in layers], picked, width, room)
        for name in ("keys", "values")
    )
    if room:
        return RoomyLayer(keys, values)
    layer.keys, layer.values = keys, values
    return layer


def _rows(states: Sequence[Any], picked: Sequence[torch.Tensor]) -> Any:
    """Rows of states that have no columns; None where a layer keeps none."""
    if states[0] is None:
        return None
    return torch.cat([state[rows] for state, rows in zip(states, picked, strict=True)])


def right_aligned(
    tensors: Sequence[torch.Tensor], picked: Sequence[torch.Tensor], length: int, room: int = 0
) -> torch.Tensor:
    """The picked rows of (rows, …, columns, size) tensors with zeros before the shorter ones.

    Returns (all picked rows, …, length + room, size); the room is not filled.
    """
    shape, count = list(tensors[0].shape), sum(map(len, picked))
    whole = tensors[0].new_empty((count, *shape[1:-2], length + room, shape[-1]))
    start = 0
    for tensor, rows in zip(tensors, picked, strict=True):
        known, end = min(length, tensor.shape[-2]), start + len(rows)
        whole[start:end, ..., : length - known, :] = 0
        columns = tensor[..., tensor.shape[-2] - known :, :]
        whole[start:end, ..., length - known : length, :] = columns[rows]
        start = end
    return whole


def bytes_of(cache: Any) -> int:
    """How much memory a cache takes."""
    kept = [value for layer in cache.layers for value in vars(layer).values()]
    kept += [value for some in kept if isinstance(some, dict) for value in some.values()]
    return sum(t.numel() * t.element_size() for t in kept if isinstance(t, torch.Tensor))
