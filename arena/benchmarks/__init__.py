"""Objective benchmarks, run by lm-eval on this tool's own backends."""

from arena.benchmarks.harness import INSTALL, bench, builtin_tasks

__all__ = ["INSTALL", "bench", "builtin_tasks"]
