"""What tests may run a model's code behind, on this machine."""

import sys

import pytest

from arena.benchmarks.code import sandbox
from arena.benchmarks.code.containers import Wall, candidates
from arena.records.errors import InputError

CONTAINERS = [wall for wall in candidates() if isinstance(wall, Wall) and not sandbox._flaw(wall)]
ANY = [*CONTAINERS[:1], *([] if sys.platform == "win32" else [sandbox.unsafe()])]


def _why_none() -> str:
    try:
        return f"{sandbox.container().name} works"
    except InputError as error:
        return str(error)


needs_container = pytest.mark.skipif(not CONTAINERS, reason=_why_none())


def label(wall: Wall) -> str:
    """A wall's name for a test; a tool that is tried in two ways has two."""
    return f"{wall.name}, own user" if wall.user().isdigit() else wall.name
