"""Battle files: CSV, JSONL or Parquet with `model_a, model_b, winner`."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from arena.errors import InputError
from arena.ratings import Comparisons

REQUIRED = ("model_a", "model_b", "winner")
OPTIONAL = ("prompt", "voter", "source", "weight", "propensity")
NUMBERS = ("weight", "propensity")
LABELS = ("model_a", "model_b", "tie", "tie (bothbad)", "both_bad")
FORMATS = (".csv", ".jsonl", ".parquet")


def read_battles(path: Path, style: Sequence[str] = ()) -> Comparisons:
    """Read a battle file. Columns other than the required and optional ones are passed over.

    style: covariates to keep: a column of differences of that name, or two columns, NAME_a and
        NAME_b, from which (a - b) / (|a| + |b|) is made.
    """
    frame = read_frame(path)
    covariates = _covariates(path, frame, style)
    kept = frame[[c for c in (*REQUIRED, *OPTIONAL) if c in frame]]
    return Comparisons.from_frame(kept.assign(**covariates))


def read_ballots(path: Path) -> tuple[Comparisons, list[float | None] | None]:
    """Votes of a file with a `voter` column, and how many seconds each took, if it says so."""
    import pandas as pd

    frame = read_frame(path)
    if "voter" not in frame:
        raise InputError(
            f"{path}:1: missing column 'voter'; an audit of votes needs it, and the file has "
            f"{', '.join(map(str, frame.columns))}"
        )
    seconds = None
    if "seconds" in frame:
        numbers = pd.to_numeric(frame["seconds"], errors="coerce")
        seconds = [None if pd.isna(s) else float(s) for s in numbers]
    return Comparisons.from_frame(frame[[c for c in (*REQUIRED, *OPTIONAL) if c in frame]]), seconds


def read_frame(path: Path, labels: Sequence[str] = LABELS) -> Any:
    """A battle file as a frame, its required columns checked. labels: allowed in `winner`."""
    frame = read_table(path, REQUIRED)
    _check(path, frame, labels)
    return frame


def read_table(path: Path, required: Sequence[str]) -> Any:
    """A CSV, JSONL or Parquet file as a frame with these columns and at least a row."""
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: not one of the formats {', '.join(FORMATS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty; it needs the columns {', '.join(required)}")
    frame = _frame(path)
    if missing := [name for name in required if name not in frame.columns]:
        raise InputError(
            f"{path}:1: missing column {missing[0]!r}; it needs {', '.join(required)} "
            f"and has {', '.join(map(str, frame.columns))}"
        )
    if frame.empty:
        raise InputError(f"{path}: no rows in it, only a header")
    return frame


def _frame(path: Path) -> Any:
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".csv":
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
            if not isinstance(frame.index, pd.RangeIndex):  # pandas took a column for row names
                raise InputError(f"{path}:2: it has more values than the header has names")
        else:
            # As objects, so that a number in a name's place is still seen as a number.
            frame = pd.DataFrame([row for _, row in _json_lines(path)], dtype=object)
        return frame.astype({name: float for name in NUMBERS if name in frame})
    except (ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{path}: not readable as {path.suffix[1:]}: {reason}") from error


def _check(path: Path, frame: Any, labels: Sequence[str]) -> None:
    """Find the first bad row by columns, and only then the line that it is on."""
    a, b, winner = (frame[name] for name in REQUIRED)
    problems = [
        (~winner.isin(labels), "winner", f"allowed are {', '.join(labels)}"),
        (_unnamed(a), "model_a", "it must be a model's name"),
        (_unnamed(b), "model_b", "it must be a model's name"),
        (a == b, "model_b", "a model cannot meet itself"),
    ]
    found = [
        (int(bad.to_numpy().argmax()), field, rule) for bad, field, rule in problems if bad.any()
    ]
    if found:
        row, field, rule = min(found)
        value = frame[field].iloc[row]
        raise InputError(f"{place_of(path, row)}: {field}: {value!r}; {rule}")


def _covariates(path: Path, frame: Any, style: Sequence[str]) -> dict[str, Any]:
    import pandas as pd

    columns = {}
    for name in style:
        names = [name] if name in frame else [f"{name}_a", f"{name}_b"]
        for column in names:
            if column not in frame:
                raise InputError(
                    f"{path}:1: no style column {name!r}, nor {name}_a and {name}_b; "
                    f"it has {', '.join(map(str, frame.columns))}"
                )
            numbers = pd.to_numeric(frame[column], errors="coerce").astype(float)
            bad = ~numbers.abs().lt(float("inf")).to_numpy()
            if bad.any():
                row = int(bad.argmax())
                value = frame[column].iloc[row]
                raise InputError(f"{place_of(path, row)}: {column}: {value!r}; it must be a number")
            columns[column] = numbers
    return columns


def _unnamed(column: Any) -> Any:
    """Which rows hold no name. Of text few values are distinct, and only those are looked at."""
    from pandas.api.types import infer_dtype

    if infer_dtype(column, skipna=False) == "string":
        return column.isin([name for name in column.unique() if not name.strip()])
    return column.map(lambda name: not isinstance(name, str) or not name.strip())


def place_of(path: Path, row: int) -> str:
    """`file:line` of a row counted from 0; a Parquet file has rows, not lines."""
    if path.suffix == ".parquet":
        return f"{path}: row {row + 1}"
    lines = _csv_lines(path) if path.suffix == ".csv" else (line for line, _ in _json_lines(path))
    for number, line in enumerate(lines):
        if number == row:
            return f"{path}:{line}"
    return str(path)


def _csv_lines(path: Path) -> Iterator[int]:
    """The line on which each row begins; a quoted field may run over several."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        next(reader, None)
        start = reader.line_num + 1
        for row in reader:
            if row:
                yield start
            start = reader.line_num + 1


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path}:{number}: not JSON: {error.msg}") from error
            if not isinstance(row, dict):
                raise InputError(f"{path}:{number}: {line.strip()[:40]!r} is not an object")
            yield number, row
