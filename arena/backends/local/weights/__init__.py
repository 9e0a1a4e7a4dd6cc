"""Weights loaded from checkpoints, GGUF files and InternLM2 folders."""
