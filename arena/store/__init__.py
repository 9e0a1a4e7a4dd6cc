"""The one place that holds state, and the only SQL.

`Store` opens the database; its attributes are tables of records: `store.answers.add(rows)`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.store.large.bulk import NewAnswers
    from arena.store.queries import EvidenceColumns
    from arena.store.store import Store, StoreVersion

# Imported when they are used: a module of this package alone costs little.
_HOMES = {
    "NewAnswers": "arena.store.large.bulk",
    "EvidenceColumns": "arena.store.queries",
    "Store": "arena.store.store",
    "StoreVersion": "arena.store.store",
}
__all__ = [
    "EvidenceColumns",
    "NewAnswers",
    "Store",
    "StoreVersion",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
