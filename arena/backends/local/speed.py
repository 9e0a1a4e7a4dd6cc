"""How fast a local model reads and writes on this machine, beside what the machine can do."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from arena.backends.local.quiet import quiet_transformers
from arena.backends.local.reading import BATCH_ROWS
from arena.backends.local.weights.loading import Loaded, loaded, writer_of
from arena.backends.local.writing.batch import DraftBatch, together
from arena.backends.local.writing.rows import Begun, Draft
from arena.backends.local.writing.writer import Writing
from arena.records import Decoding, Model

READ, WRITTEN, ROUNDS = 256, 32, 3  # tokens a row; tokens a row; times
SIZES = {"cpu": 1536}  # of the square matrices whose product is timed; larger on accelerators
LARGE = 8192


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured, each as the median of some rounds.

    rows: written together. read, written: tokens a second of all rows. peak: operations a second
    of the fastest product of two matrices. share_read, share_written: of that peak, by the
    products with the weights; None for a mixture of experts, where each token has its own.
    """

    device: str
    dtype: str
    threads: int
    rows: int
    read: float
    written: float
    written_alone: float
    peak: float
    share_read: float | None
    share_written: float | None


def speed_of(model: Model, rows: int | None = None) -> Speed:
    """Read and write some tokens. rows: at most as many together. Raises UnavailableError."""
    found = loaded(model.weights, model.revision, model.adapter)
    here = writer_of(model.weights, found)
    rows = here.writer.most(rows or BATCH_ROWS, READ + WRITTEN)
    reading, writing = zip(*(once(here, rows) for _ in range(ROUNDS)), strict=True)
    read, written = rows * READ / median(reading), rows * WRITTEN / median(writing)
    alone = WRITTEN / median(once(here, 1)[1] for _ in range(ROUNDS)) if rows > 1 else written
    body, head = weights_of(here.model)
    peak = peak_of(here.model.device, here.model.dtype)
    dense = not _has_experts(here.model)
    return Speed(
        str(here.model.device),
        str(here.model.dtype).removeprefix("torch."),
        torch.get_num_threads(),
        rows,
        read,
        written,
        alone,
        peak,
        2 * body * read / peak if dense else None,
        2 * (body + head) * written / peak if dense else None,
    )


def weights_of(model: Any) -> tuple[int, int]:
    """The weights with which each token is multiplied: without the head, and those of it."""
    head = model.get_output_embeddings()
    size = head.weight.numel() if head is not None else 0
    tables = {model.get_input_embeddings().weight} | ({head.weight} if head is not None else set())
    return sum(p.numel() for p in model.parameters()) - sum(t.numel() for t in tables), size


def peak_of(device: torch.device, dtype: torch.dtype) -> float:
    """The operations a second of the fastest of some products of two square matrices."""
    size = SIZES.get(device.type, LARGE)
    matrix = torch.rand(size, size, device=device).to(dtype)
    return 2 * size**3 / min(seconds(lambda: matrix @ matrix, device) for _ in range(8))


def seconds(work: Callable[[], Any], device: torch.device | None = None) -> float:
    """How long some work takes, to the end of what it has a device do."""
    started = time.perf_counter()
    work()
    if device is not None and device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def once(here: Loaded, rows: int) -> tuple[float, float]:
    """The seconds of reading so many rows together, READ tokens each, and of writing them on."""
    model, known = here.model, max(1, here.known - 1)
    settings = here.writer.settings(Writing(Decoding()))
    tokens = [tuple(7919 * (i + r * READ) % known for i in range(READ)) for r in range(rows)]
    texts = [Draft(Begun(some)) for some in tokens]
    batches: list[DraftBatch] = []

    def read() -> None:
        batches.append(DraftBatch.begun(model, settings, texts)[0])

    def write() -> None:
        for k in range(WRITTEN):
            for row in texts:
                row.tokens.append(k)
            if k == 0 and rows > 1:
                batches[0] = together(batches)
            batches[0].step()

    with torch.inference_mode(), quiet_transformers():
        return seconds(read, model.device), seconds(write, model.device)


def _has_experts(model: Any) -> bool:
    config = model.config.get_text_config()
    names = ("num_experts", "num_local_experts", "n_routed_experts")
    return any(getattr(config, name, None) for name in names)
