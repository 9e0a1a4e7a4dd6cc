"""An arena for open-ended answers: people's votes, judge models and benchmarks in one ranking.

In a notebook, `arena.open("arena.db")` gives a database with a method for each stage (see
`arena.pipeline.api`), and `arena.ratings` is the rating engine by itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Arena", "open", "ratings"]

if TYPE_CHECKING:
    from arena import ratings
    from arena.pipeline.api import Arena
    from arena.pipeline.api import open_arena as open  # noqa: A004 - as in `gzip.open`

# Imported when they are used, so that `import arena` costs nothing.
_HOMES = {
    "Arena": ("arena.pipeline.api", "Arena"),
    "open": ("arena.pipeline.api", "open_arena"),
}


def __getattr__(name: str) -> Any:
    if name == "ratings":
        return import_module("arena.ratings")
    if name in _HOMES:
        module, function = _HOMES[name]
        return getattr(import_module(module), function)
    raise AttributeError(f"module 'arena' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
