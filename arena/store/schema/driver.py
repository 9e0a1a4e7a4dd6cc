"""sqlite-utils, imported alone: it would import numpy and pandas to know more types of columns."""

import sys

_NOT_NEEDED = [name for name in ("numpy", "pandas") if name not in sys.modules]
sys.modules |= dict.fromkeys(_NOT_NEEDED)  # type: ignore[arg-type]  # as if they were not there
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
    from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]
finally:
    for _name in _NOT_NEEDED:
        del sys.modules[_name]

__all__ = ["Database", "Migrations", "sqlite3"]
