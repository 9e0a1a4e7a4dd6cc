"""Models run in this process by vLLM's offline engine."""

from importlib.util import find_spec

from arena.backends.base import Availability, Backend
from arena.backends.limits import Limits
from arena.backends.local.weights import availability as _weights
from arena.records import Model

INSTALL = "pip install 'arena-llm[vllm]'"


def open_backend(model: Model, limits: Limits) -> Backend:
    """A backend on `model`'s weights, which load at the first request."""
    from arena.backends.vllm.backend import VllmBackend

    return VllmBackend(model)


def availability(model: Model) -> Availability:
    """Whether the library and the weights are on this machine."""
    if find_spec("vllm") is None:
        return Availability(False, f"vLLM is not installed: {INSTALL}")
    return _weights(model)


def release() -> None:
    """Let the engine that was started last go."""
    from arena.backends.vllm import engine

    engine.release()
