"""Objective benchmarks: lm-eval's tasks, sets of our own and the user's, on our backends."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.benchmarks.harness.evaluation import INSTALL, Measured, bench, check_installed
    from arena.benchmarks.items.asking import Asking, ItemMode, read_template, variants
    from arena.benchmarks.items.tasks import (
        Benchmark,
        asked_otherwise,
        builtin_tasks,
        find_benchmarks,
    )

# Imported when they are used: a module of this package alone costs little.
_HOMES = {
    "INSTALL": "arena.benchmarks.harness.evaluation",
    "Measured": "arena.benchmarks.harness.evaluation",
    "bench": "arena.benchmarks.harness.evaluation",
    "check_installed": "arena.benchmarks.harness.evaluation",
    "Asking": "arena.benchmarks.items.asking",
    "ItemMode": "arena.benchmarks.items.asking",
    "read_template": "arena.benchmarks.items.asking",
    "variants": "arena.benchmarks.items.asking",
    "Benchmark": "arena.benchmarks.items.tasks",
    "asked_otherwise": "arena.benchmarks.items.tasks",
    "builtin_tasks": "arena.benchmarks.items.tasks",
    "find_benchmarks": "arena.benchmarks.items.tasks",
}
__all__ = [
    "INSTALL",
    "Asking",
    "Benchmark",
    "ItemMode",
    "Measured",
    "asked_otherwise",
    "bench",
    "builtin_tasks",
    "check_installed",
    "find_benchmarks",
    "read_template",
    "variants",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
