"""Models whose answers came from a file: they are ranked, and cannot be asked."""

from arena.backends.base import Availability, Backend
from arena.backends.limits import Limits
from arena.records import Model
from arena.records.errors import UnavailableError

WHY = "its answers came from a file, and it cannot be asked"


def open_backend(model: Model, limits: Limits) -> Backend:
    """Raises UnavailableError: there is nothing to ask."""
    raise UnavailableError(f"{model.name}: {WHY}")


def availability(model: Model) -> Availability:
    """Never ready."""
    return Availability(False, "stored answers only")
