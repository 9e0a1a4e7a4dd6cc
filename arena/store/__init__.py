"""The one place that holds state, and the only SQL.

`Store` opens the database; its attributes are tables of records: `store.answers.add(rows)`.
"""

from arena.store.large.bulk import NewAnswers
from arena.store.queries import EvidenceColumns
from arena.store.store import Store, StoreVersion

__all__ = ["EvidenceColumns", "NewAnswers", "Store", "StoreVersion"]
