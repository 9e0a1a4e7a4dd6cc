"""One database taken into another: what several machines made of one run, put together."""

from arena.interchange.exchange.intake import Count
from arena.records.errors import InputError
from arena.store import Store
from arena.store.whole.tables import CARRIED


def merge(into: Store, source: Store) -> dict[str, Count]:
    """By table, the rows that are new and those that were there; all of them or none.

    Work in progress is left behind, and so are failures: what is missing is asked for again.
    Raises InputError where both have a row that says something else in each, and
    ModelConflictError where a name stands for two models.
    """
    if into.path.resolve() == source.path.resolve():
        raise InputError(f"{source.path}: it cannot be merged into itself")
    with into.together():
        return {table: _taken(into, source, table) for table in CARRIED}


def _taken(into: Store, source: Store, table: str) -> Count:
    rows = (
        (f"{source.path}, row {k} of {table}", row)
        for k, row in enumerate(source.whole.rows(table), start=1)
    )
    return Count(*into.whole.add(table, rows, agreeing=True))
