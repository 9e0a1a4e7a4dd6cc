"""Weights loaded from checkpoints, GGUF files and InternLM2 folders."""

from arena.backends.local.weights.loading import availability, load, release

__all__ = ["availability", "load", "release"]
