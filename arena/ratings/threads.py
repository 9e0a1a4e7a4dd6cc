"""Dense algebra on one thread.

The matrices here have a row for each model. For so few, threads of BLAS wait for each other longer
than they work, and on a busy machine many times as long; and sums that are split over threads are
rounded otherwise. A caller's own setting is as it was as soon as the engine is done.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import scipy.linalg  # noqa: F401 - loads the second BLAS, so that both are found
from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")
_lock = threading.Lock()
_inside = 0
_before: list[int] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """While this is open, by whichever thread, BLAS has one thread; it may be opened inside itself.

    The setting is the whole process's, so the first that opens this sets it, and the last that
    closes it sets it back.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _before[:] = [library.num_threads for library in _blas()]
            _set([1] * len(_before))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _set(_before)


def _set(threads: Sequence[int]) -> None:
    for library, number in zip(_blas(), threads, strict=True):
        library.set_num_threads(number)
        # From 3.8 on, the thread that sets it is the only one that may; here any may set it back.
        if release := getattr(library, "clear_controlling_thread", None):
            release()


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with `one_thread` around it."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with one_thread():
            return function(*args, **kwargs)

    return alone


@cache
def _blas() -> list[Any]:
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)
