"""Parquet files: opened, and as rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.files.encodings import open_bytes
from arena.records.errors import InputError

_BATCH = 2**12


@contextmanager
def open_parquet(path: Path, coded: Sequence[str] = ()) -> Iterator[Any]:
    """The file; what pyarrow has against it is an InputError.

    coded: columns of text that are to be read as codes and labels.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    with open_bytes(path):
        pass  # says whether it can be read at all
    try:
        with ParquetFile(path, read_dictionary=list(coded)) as file:
            names = file.schema_arrow.names
            if twice := [name for name in names if names.count(name) > 1]:
                raise InputError(f"{path}: the column {twice[0]!r} is there twice")
            yield file
    except (ArrowException, OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not readable as parquet: {reason}") from error


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows, numbered from 1, nested values as lists and dicts."""
    number = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(_BATCH):
            for row in batch.to_pylist():
                number += 1
                yield number, row
