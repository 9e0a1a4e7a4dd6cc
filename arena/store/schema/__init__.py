"""The tables, as append-only migrations: a released one is never edited, only followed."""

from arena.store.schema.numbered import m017_numbers
from arena.store.schema.steps import FIRST_STEPS, migrations

__all__ = ["NAMES", "STEPS", "migrations"]

STEPS = (*FIRST_STEPS, m017_numbers)
NAMES = frozenset(step.__name__ for step in STEPS)
