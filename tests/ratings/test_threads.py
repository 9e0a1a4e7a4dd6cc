"""The engine's algebra has one thread, and a caller's setting is as it was afterwards."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.fitting import newton
from arena.ratings.threads import on_one_thread, one_thread


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with threadpool_limits(2, user_api="blas"):
        if threads() != {2}:
            pytest.skip("this BLAS has one thread only")
        yield


def test_the_setting_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    solve = newton._solve

    def watched(*args: object) -> object:
        seen.append(threads())
        return solve(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(newton, "_solve", watched)
    c = Comparisons.from_columns(["x", "y", "x"], ["y", "x", "y"], ["model_a", "model_a", "tie"])
    bradley_terry(c)
    assert seen
    assert seen == [{1}] * len(seen)
    assert threads() == {2}


def test_it_comes_back_after_an_error_and_inside_itself() -> None:
    @on_one_thread
    def fails() -> None:
        raise ValueError("on purpose")

    with one_thread():
        with pytest.raises(ValueError, match="on purpose"):
            fails()
        assert threads() == {1}
    assert threads() == {2}


def test_the_last_of_several_threads_sets_it_back() -> None:
    """Whoever comes first may leave first."""
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_thread():
            inside.set()
            leave.wait()

    second = threading.Thread(target=other)
    with one_thread():
        second.start()
        inside.wait()
    assert threads() == {1}
    leave.set()
    second.join()
    assert threads() == {2}


def test_ratings_are_the_same_to_the_last_digit_whatever_the_caller_set() -> None:
    rng = np.random.default_rng(1)
    i = rng.integers(0, 80, 6_000)
    j = (i + rng.integers(1, 80, 6_000)) % 80
    names = np.array([f"m{k:02d}" for k in range(80)])
    c = Comparisons.from_columns(names[i], names[j], outcome=rng.integers(0, 3, 6_000) / 2)
    found = []
    for limit in (1, 2):
        with threadpool_limits(limit, user_api="blas"):
            result = bradley_terry(c)
            found.append((result.ratings, result.ci_low, result.covariance, result.rank_low))
    for one, other in zip(*found, strict=True):
        assert (one == other).all()
