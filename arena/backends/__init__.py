"""Where text comes from. One module a kind; each imports its library only when it is opened."""

from importlib import import_module
from typing import cast

from arena.backends.base import (
    Availability,
    Backend,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
)
from arena.records import BackendKind, Model

__all__ = [
    "Availability",
    "Backend",
    "Odds",
    "OddsRequest",
    "Reply",
    "Request",
    "Result",
    "availability",
    "open_backend",
]

_MODULES = {
    BackendKind.LOCAL: "arena.backends.local",
    BackendKind.OPENAI: "arena.backends.openai",
    BackendKind.FAKE: "arena.backends.fake",
}


def open_backend(model: Model) -> Backend:
    """The backend that answers as `model`; weights load at the first request."""
    return cast(Backend, import_module(_MODULES[model.backend]).open_backend(model))


def availability(model: Model) -> Availability:
    """Whether `model` can answer now: weights found, address answering, key set."""
    return cast(Availability, import_module(_MODULES[model.backend]).availability(model))
