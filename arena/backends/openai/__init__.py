"""Any OpenAI-compatible server, through the official client."""

from arena.backends.base import Backend
from arena.backends.limits import Limits
from arena.backends.openai.calls import availability
from arena.records import Model

__all__ = ["availability", "open_backend"]


def open_backend(model: Model, limits: Limits) -> Backend:
    """A backend on the server that `model` names."""
    from arena.backends.openai.backend import OpenAIBackend

    return OpenAIBackend(model, limits)
