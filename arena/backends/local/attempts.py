"""Rows computed together; where that fails they are tried in halves, down to each alone."""

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

from arena.records.errors import ArenaError, BackendError

R = TypeVar("R")
T = TypeVar("T")


def in_halves(
    rows: Sequence[R], compute: Callable[[Sequence[R]], Sequence[T]]
) -> list[T | BackendError]:
    """What `compute` makes of each row, or why it can make nothing of that one.

    A batch that does not fit in memory is halved, and a row that the model cannot take fails
    alone.
    """
    try:
        return list(compute(rows))
    except ArenaError:
        raise
    except Exception as error:  # the edge of a model's own code: it is recorded for the row
        if len(rows) == 1:
            return [failed(error)]
        ran_out = is_out_of_memory(error)
    if ran_out:
        free_memory()
    half = len(rows) // 2
    return [*in_halves(rows[:half], compute), *in_halves(rows[half:], compute)]


def failed(error: BaseException) -> BackendError:
    """That the model could not compute a row, and why."""
    if is_out_of_memory(error):
        return BackendError(
            "this row alone does not fit in memory: ask for less (a shorter prompt, a smaller "
            "max_tokens), or use a smaller model or a machine with more memory"
        )
    return BackendError(f"the model failed: {first_line(error)}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on an accelerator or on this machine."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # Torch raises a plain RuntimeError where the machine's own memory runs out.
    said = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "can't allocate memory" in said
    )


def first_line(error: BaseException, most: int = 300) -> str:
    """An error of another library in one line, with its type where it says little."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])
    if not isinstance(error, OSError | ValueError | ImportError) or not said:
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return said if len(said) <= most else f"{said[: most - 1]}…"


def free_memory() -> None:
    """Give back what a pass has taken that did not fit."""
    import torch

    if torch.cuda.is_available():
        gc.collect()  # the failed pass may still be held by a cycle
        torch.cuda.empty_cache()
