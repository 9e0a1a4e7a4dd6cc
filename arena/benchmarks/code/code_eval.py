"""lm-eval's own code tasks (HumanEval, MBPP and their kin), marked in our sandbox.

They mark with the metric `code_eval` of the package `evaluate`, which is fetched from a server and
runs a model's code beside the tests in a process of this machine. Ours takes its place.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from math import comb
from typing import Any

from arena.benchmarks.code.sandbox import allowed, container, passes, unsafe
from arena.records import AllowCode
from arena.records.errors import InputError

NAME = "code_eval"
OURS = ("arena.benchmarks.builtin", "code")  # what marks a task file of our form
Scores = dict[str, float]


class CodeEval:
    """The metric as its callers know it."""

    def __init__(self) -> None:
        self.trial = True

    def compute(
        self,
        *,
        predictions: Sequence[Sequence[str]],
        references: Sequence[str],
        k: Sequence[int] = (1, 10, 100),
    ) -> tuple[Scores, list[list[bool]]]:
        """pass@k: the chance that one of k programs passes; and which of them do.

        predictions: programs, by problem. references: the tests of each problem.
        """
        if self.trial:  # task files try it on a program of their own when they are read
            return {f"pass@{n}": 0.0 for n in k}, []
        passed = [
            [passes(code, tests) for code in codes]
            for codes, tests in zip(predictions, references, strict=True)
        ]
        fewest = min(map(len, passed))
        scores = {f"pass@{n}": _mean_pass(passed, n) for n in k if n <= fewest}
        return scores, passed


def _mean_pass(passed: Sequence[Sequence[bool]], k: int) -> float:
    """The unbiased estimate of pass@k (Chen et al. 2021), averaged over the problems."""
    chances = [1 - comb(len(found) - sum(found), k) / comb(len(found), k) for found in passed]
    return sum(chances) / len(chances)


@contextmanager
def marking_code() -> Iterator[None]:
    """Within this, task files that load the metric get ours."""
    if find_spec("evaluate") is None:
        yield
        return
    import evaluate

    load, metric = evaluate.load, CodeEval()

    def ours(path: str, *args: Any, **kwargs: Any) -> Any:
        return metric if path == NAME else load(path, *args, **kwargs)

    evaluate.load = ours
    try:
        yield
    finally:
        evaluate.load = load
        metric.trial = False


def code_runs(task: Any) -> AllowCode | None:
    """How a task runs what the model writes, in this place; None where it does not."""
    return allowed() if getattr(task, "UNSAFE_CODE", False) else None


def check_allowed(name: str, task: Any, wanted: AllowCode | None) -> None:
    """Raise InputError where a task runs a model's code and must not, or not in this way."""
    if not getattr(task, "UNSAFE_CODE", False):
        return
    if wanted is None:
        raise InputError(
            f"{name} runs what models write as code; --allow-code lets it, in a container"
        )
    if wanted is AllowCode.UNSAFE:
        unsafe()
        return
    if not _marks_here(task):
        raise InputError(
            f"{name} runs what models write by code of its own, which would run in no container; "
            "--allow-code unsafe lets it"
        )
    try:
        container()
    except InputError as error:
        raise InputError(
            f"{name} runs what models write as code, and {error}. --allow-code unsafe does "
            "without a container"
        ) from error


def _marks_here(task: Any) -> bool:
    """Whether its marks come from our sandbox."""
    marking = task.get_config("process_results")
    if marking is not None:
        return (marking.__module__, marking.__qualname__) == OURS
    # A task file's functions find the metric among the names of their module.
    metrics = [entry["metric"] for entry in task.get_config("metric_list") or ()]
    return bool(metrics) and all(
        any(isinstance(value, CodeEval) for value in getattr(metric, "__globals__", {}).values())
        for metric in metrics
    )
