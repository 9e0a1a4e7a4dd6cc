"""Objective benchmarks: lm-eval's tasks, sets of our own and the user's, on our backends."""

from arena.benchmarks.harness.evaluation import INSTALL, Measured, bench, check_installed
from arena.benchmarks.items.asking import Asking, ItemMode, read_template, variants
from arena.benchmarks.items.tasks import Benchmark, asked_otherwise, builtin_tasks, find_benchmarks

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
