"""Logits after given tokens, such that no row's depend on the rows beside it.

Padding comes after a row's own tokens, where a causal model never looks, and a beginning that
rows share has the same length in all of them, so that it needs no padding. Neither masks nor
positions are then needed, whether a layer sees everything, a window, or a state.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from threading import get_ident
from typing import Any

import torch

from arena.backends.local.attempts import in_halves
from arena.backends.local.memory import attention_room
from arena.backends.local.tree import Pass, PassLimits, Tokens, TreeRow, plan
from arena.records.errors import BackendError

BATCH_ROWS = 48
BATCH_TOKENS = 24_576
# A processor is busy with far fewer, and then the first rows are not long awaited.
BATCH_TOKENS_CPU = 2_048
BATCH_LOGITS = 2**29
SAME, ROUNDING_MAX = 1e-4, 0.1
# A trial: rows that share so many tokens, in two steps, and part; a window that is shorter.
PROBE_DEPTHS, PROBE_WINDOW, PROBE_TAILS = (6, 10), 5, (1, 4, 2)


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
        self.reach = reach_of(model.config)
        self.shares = self.together = False
        self.tolerance = 0.0
        if ordinary:
            self._try(ordinary)

    def read(self, rows: Sequence[TreeRow]) -> list[torch.Tensor | BackendError]:
        """For each row its logits, (keep, vocabulary), or why there are none."""
        reading = self.reading(rows)
        found = {i: logits for one in reading.passes for i, logits in reading.read(one, one.rows)}
        return [found[i] for i in range(len(rows))]

    def reading(self, rows: Sequence[TreeRow], most: int = BATCH_ROWS) -> "TreeReading":
        """The reading of rows, at most so many in one pass."""
        limits = PassLimits(
            most if self.together else 1,
            tokens_of_a_pass(self._model.device),
            max(1, BATCH_LOGITS // self._vocabulary),
            attention_room(self._model),
        )
        reach = self.reach or max((len(row.tokens) for row in rows), default=0)
        near = [i for i, row in enumerate(rows) if len(row.tokens) <= reach]
        far = [i for i, row in enumerate(rows) if len(row.tokens) > reach]
        passes = [
            Pass(tuple(group[k] for k in one.rows), one.depths)
            for group, share in ((near, self.shares), (far, False))
            for one in plan([rows[i] for i in group], limits, share=share)
        ]
        return TreeReading(self, rows, passes)

    def logits(
        self, rows: Sequence[TreeRow], start: int = 0, cache: Any = None
    ) -> list[torch.Tensor]:
        """Logits of rows whose first `start` tokens are in a cache of one row, used up by it."""
        tails = [row.tokens[start:] for row in rows]
        kept = [(i, at) for i, row in enumerate(rows) for at in _last(len(tails[i]), row.keep)]
        where = tuple(torch.tensor(kept, device=self._model.device).T)
        with torch.inference_mode():
            if cache is not None and len(rows) > 1:
                cache.reorder_cache(
                    torch.zeros(len(rows), dtype=torch.long, device=where[0].device)
                )
            with _head_only_at(self._model, where) as narrowed:
                output = self._forward(tails, past_key_values=cache, use_cache=cache is not None)
            logits = output.logits[0] if narrowed else output.logits[where]
        if logits.isnan().any():
            raise ArithmeticError("its logits are not numbers")
        return list(logits.split([row.keep for row in rows]))

    def after(self, tokens: Tokens, cache: Any = None) -> Any:
        """The cache after one row goes on with `tokens`; the one before it stays as it is."""
        with torch.inference_mode():
            output = self._forward(
                [tokens], past_key_values=deepcopy(cache), use_cache=True, logits_to_keep=1
            )
        return output.past_key_values

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
        beginning = spread(ordinary, PROBE_DEPTHS[-1], 0)
        rows = [TreeRow(beginning + spread(ordinary, n, n), n) for n in PROBE_TAILS]
        tree = TreeReading(self, rows, [Pass(tuple(range(len(rows))), PROBE_DEPTHS)])
        with shorter_window(self._model.config, PROBE_WINDOW):
            try:
                alone = [self.logits([row])[0] for row in rows]
                noise = distance(alone, self.logits(rows))
                self.tolerance = _tolerance(self._model.dtype, noise)
                self.together = noise <= self.tolerance
                if self.together and self.tells and "past_key_values" in self._accepted:
                    self.shares = distance(alone, tree.probe()) <= self.tolerance
            except Exception:  # a model's own code: what cannot be done is not done
                pass

    @property
    def tells(self) -> bool:
        """Whether a probe tells how state is kept: half precision hides a little that is lost."""
        is_recurrent = getattr(self._model, "_is_stateful", False)
        return self._model.dtype == torch.float32 or not is_recurrent


class TreeReading:
    """Reads rows pass by pass; what the rows of later passes begin with is kept meanwhile.

    passes: all rows, in the order in which they have to be read.
    """

    def __init__(self, reader: Reader, rows: Sequence[TreeRow], passes: Sequence[Pass]) -> None:
        self.passes = passes
        self._reader = reader
        self._rows = rows
        self._path: list[tuple[Tokens, Any]] = []  # caches, each of what goes on the one before

    def read(
        self, one: Pass, wanted: Sequence[int]
    ) -> list[tuple[int, torch.Tensor | BackendError]]:
        """The logits of those rows of a pass that are wanted, or why there are none."""
        compute = partial(self._logits, depths=one.depths)
        found = in_halves([self._rows[i] for i in wanted], compute)
        return list(zip(wanted, found, strict=True))

    def probe(self) -> list[torch.Tensor]:
        """The logits of the only pass; what fails is raised."""
        (one,) = self.passes
        return self._logits([self._rows[i] for i in one.rows], one.depths)

    def _logits(self, rows: Sequence[TreeRow], depths: tuple[int, ...]) -> list[torch.Tensor]:
        if not depths:
            return self._reader.logits(rows)
        cache = self._after(rows[0].tokens[: depths[-1]], depths)
        return self._reader.logits(rows, depths[-1], deepcopy(cache))

    def _after(self, beginning: Tokens, depths: tuple[int, ...]) -> Any:
        while self._path and self._path[-1][0] != beginning[: len(self._path[-1][0])]:
            self._path.pop()
        for depth in depths:
            known, cache = self._path[-1] if self._path else ((), None)
            if depth > len(known):
                cache = self._reader.after(beginning[len(known) : depth], cache)
                self._path.append((beginning[:depth], cache))
        return self._path[-1][1]


def tokens_of_a_pass(device: torch.device) -> int:
    """How many tokens keep a device busy, and so are as many as one pass need have."""
    return BATCH_TOKENS_CPU if device.type == "cpu" else BATCH_TOKENS


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
def shorter_window(config: Any, size: int) -> Iterator[None]:
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


def reach_of(config: Any) -> int | None:
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


def spread(ordinary: Sequence[int], count: int, start: int) -> tuple[int, ...]:
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
