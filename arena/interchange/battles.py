"""Battle files: CSV, JSON or Parquet with `model_a, model_b, winner`."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.files.tabular import Column, Table, columns, listed, wrapped
from arena.interchange.labels import ONE_HOT, missing_winner, winners
from arena.ratings import Comparisons
from arena.ratings.arrays import Floats
from arena.records import tidy
from arena.records.errors import InputError, said

REQUIRED = ("model_a", "model_b", "winner")
GROUPS = ("prompt", "voter", "source")
# What numbers must be, in words and as a test that NaN does not pass.
NUMBERS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "weight": (" of more than 0", lambda value: 0 < value < math.inf),
    "propensity": (" of more than 0 and at most 1", lambda value: 0 < value <= 1),
}
_WRITTEN_AS_FLOAT = re.compile(r"-?\d+\.0")


@dataclass(frozen=True, eq=False, slots=True)
class BattleFile:
    """What every battle file has. winner: in the words of `Winner`; table: the other columns."""

    table: Table
    model_a: Column
    model_b: Column
    winner: Column


def read_battles(path: Path, style: Sequence[str] = ()) -> Comparisons:
    """Read a battle file. Columns other than the required and optional ones are passed over.

    style: covariates to keep: a column of differences of that name, or two columns, NAME_a and
        NAME_b, from which (a - b) / (|a| + |b|) is made.
    """
    pairs = [f"{name}_{side}" for name in style for side in "ab"]
    battles = read_columns(path, (*GROUPS, *NUMBERS, *style, *pairs))
    return _comparisons(battles, _covariates(battles.table, style))


def read_ballots(path: Path) -> tuple[Comparisons, list[float | None] | None]:
    """Votes of a file with a `voter` column, and how many seconds each took, if it says so."""
    battles = read_columns(path, (*GROUPS, *NUMBERS, "seconds"))
    table = battles.table
    if "voter" not in table:
        raise InputError(
            f"{path}:1: missing column 'voter'; an audit of votes needs it, and the file has "
            f"{listed(table.names)}"
        )
    if (row := table["voter"].first(is_missing)) is not None:
        raise InputError(f"{table.where(row)}: voter: empty; an audit of votes needs it")
    seconds = None
    if "seconds" in table:
        seconds = list(numbers(table, "seconds"))
    return _comparisons(battles, {}), seconds


def read_columns(path: Path, others: Sequence[str], *, unparsed: bool = False) -> BattleFile:
    """A battle file, its required columns checked. unparsed: whether a winner may be so."""
    table = columns(path, (*REQUIRED, *ONE_HOT, *others))
    gone = [name for name in REQUIRED[:2] if name not in table]
    if missing_winner(table):
        gone.append("winner")
    if not table.names:
        raise InputError(f"{path}: empty; it needs the columns {', '.join(REQUIRED)}")
    if gone:
        help_ = wrapped(table.sample) if len(table) == 1 else ""
        raise InputError(
            f"{path}:1: missing column {gone[0]!r}; it needs {', '.join(REQUIRED)} "
            f"and has {listed(table.names)}{'; ' if help_ else ''}{help_}"
        )
    if not len(table):
        raise InputError(f"{path}: no rows in it, only a header")
    a, b = (table[name].map(_tidied) for name in REQUIRED[:2])
    winner, problem = winners(table, a, b, unparsed=unparsed)
    _refuse(table, a, b, problem)
    return BattleFile(table, a, b, winner)


def is_missing(value: object) -> bool:
    """Whether a cell is empty: no text, null, or NaN."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def text_of(value: Any) -> str | None:
    """A cell as text, None where it is empty. Raises TypeError for a list or an object."""
    if is_missing(value):
        return None
    if isinstance(value, float) and value.is_integer():  # pandas turns 1 so where cells are empty
        return str(int(value))
    if isinstance(value, list | dict | tuple | bytes):
        raise TypeError
    return str(value)


def texts(table: Table, name: str) -> Column:
    """A column as texts, None where a cell is empty; ids that pandas made 1.0 are 1 again."""
    column = table[name]

    def is_nested(value: Any) -> bool:
        return isinstance(value, list | dict | tuple | bytes)

    if (row := column.first(is_nested)) is not None:
        raise InputError(f"{table.where(row)}: {name}: {said(column[row])}; it must be a text")
    column = column.map(text_of)
    full = [label for label in column.labels if label is not None]
    if full and all(_WRITTEN_AS_FLOAT.fullmatch(label) for label in full):
        return column.map(lambda label: label and label.removesuffix(".0"))
    return column


def _tidied(name: Any) -> Any:
    return tidy(name) if isinstance(name, str) else name


def _refuse(table: Table, a: Column, b: Column, problem: tuple[int, str] | None) -> None:
    """Find the first bad row by columns, and only then the line that it is on."""
    found = [] if problem is None else [problem]
    for name, column in (("model_a", a), ("model_b", b)):
        row = column.first(lambda label: not isinstance(label, str) or not label)
        if row is not None:
            shown = said(table[name][row])
            found.append((row, f"{name}: {shown}; it must be a model's name"))
    place: dict[Any, int] = {}
    codes = [
        np.array([place.setdefault(str(x), len(place)) for x in side.labels], np.int32)[side.codes]
        for side in (a, b)
    ]
    itself = codes[0] == codes[1]
    if itself.any():
        row = int(itself.argmax())
        found.append((row, f"model_b: {said(b[row])}; a model cannot meet itself"))
    if found:
        row, sentence = min(found, key=lambda one: one[0])
        raise InputError(f"{table.where(row)}: {sentence}")


def _comparisons(battles: BattleFile, style: dict[str, Floats]) -> Comparisons:
    table = battles.table
    given: dict[str, Any] = {name: _groups(table, name) for name in GROUPS if name in table}
    if "weight" in table:
        given["weight"] = _floats(numbers(table, "weight"), empty=1.0)
    if "propensity" in table:
        drawn = _floats(numbers(table, "propensity"))
        # One that is not known could stand for any weight, so then all weigh the same.
        given["propensity"] = None if np.isnan(drawn).any() else drawn
    return Comparisons.from_frame(
        {
            "model_a": battles.model_a,
            "model_b": battles.model_b,
            "winner": battles.winner,
            **{name: column for name, column in given.items() if column is not None},
            **style,
        }
    )


def _groups(table: Table, name: str) -> Column | None:
    """A column of groups. A row without a prompt or a voter is a group of its own."""
    column = texts(table, name)
    if not any(label is not None for label in column.labels):
        return None
    if name == "source":
        return column.map(lambda label: label or "")
    codes, labels = column.factorize()
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(labels) + np.arange(len(alone))
    return Column(codes, [*labels, *(f"{table.path.name}: row {row + 1}" for row in alone)])


def numbers(table: Table, name: str, *, full: bool = False) -> Column:
    """A column of numbers, None where a cell is empty, which it must not be where `full`."""
    column = table[name].map(_number)
    rule, allowed = NUMBERS.get(name, ("", math.isfinite))

    def is_bad(value: float | None) -> bool:
        return full if value is None else not allowed(value)

    if (row := column.first(is_bad)) is not None:
        given = said(table[name][row])
        raise InputError(f"{table.where(row)}: {name}: {given}; it must be a number{rule}")
    return column


def _number(value: Any) -> float | None:
    """A cell as a number: None where it is empty, NaN where it is none."""
    if is_missing(value):
        return None
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _floats(column: Column, empty: float = math.nan) -> Floats:
    labels = [empty if label is None else label for label in column.labels]
    return np.array(labels, dtype=float)[column.codes]


def _covariates(table: Table, style: Sequence[str]) -> dict[str, Floats]:
    found = {}
    for name in style:
        names = [name] if name in table else [f"{name}_a", f"{name}_b"]
        for own in names:
            if own not in table:
                raise InputError(
                    f"{table.path}:1: no style column {name!r}, nor {name}_a and {name}_b; "
                    f"it has {listed(table.names)}"
                )
            found[own] = _floats(numbers(table, own, full=True))
    return found
