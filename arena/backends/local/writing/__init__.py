"""Texts written by a loaded model: many at once, and none waits for the longest."""

from arena.backends.local.writing.rows import Begun
from arena.backends.local.writing.streaming import streamed
from arena.backends.local.writing.writer import Writer, Writing

__all__ = ["Begun", "Writer", "Writing", "streamed"]
