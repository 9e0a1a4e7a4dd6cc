"""Models run in this process with transformers."""

from arena.backends.base import Availability, Backend
from arena.backends.limits import Limits
from arena.backends.local.weights import availability as _availability
from arena.backends.local.weights import release as release
from arena.records import Model


def open_backend(model: Model, limits: Limits) -> Backend:
    """A backend on `model`'s weights, which load at the first request."""
    from arena.backends.local.backend import LocalBackend

    return LocalBackend(model)


def availability(model: Model) -> Availability:
    """Whether the libraries and the weights are on this machine."""
    return _availability(model)
