"""A file as columns: the distinct values of each, and which row has which."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from arena.files.encodings import Look, look
from arena.files.tabular import delimited, objects, parquet
from arena.files.tabular.rows import TabularRow, kind_of, place_of, rows
from arena.records.errors import InputError

if TYPE_CHECKING:  # numpy comes with the first table
    import numpy as np
    from numpy.typing import NDArray


SMALL = 500_000  # bytes, which take no longer to read than pyarrow takes to import


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """A column. codes: (n,) int32 indices into labels, which are values as the file has them."""

    codes: "NDArray[np.int32]"
    labels: Sequence[Any]

    @classmethod
    def of(cls, values: Iterable[Any]) -> "Column":
        """The column of these values."""
        maker = _Maker()
        for value in values:
            maker.add(value)
        return maker.column()

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> Any:
        return self.labels[self.codes[row]]

    def __iter__(self) -> Iterator[Any]:
        return map(self.labels.__getitem__, self.codes.tolist())

    def map(self, change: Callable[[Any], Any]) -> Self:
        """The same column with every distinct value changed once; equal values become one."""
        import numpy as np

        memo: dict[Hashable, int] = {}
        changed: list[Any] = []
        codes = np.array([_code(change(label), memo, changed) for label in self.labels], np.int32)
        return type(self)(codes[self.codes] if len(codes) else self.codes, changed)

    def factorize(self) -> tuple["NDArray[np.int32]", Sequence[Any]]:
        """As pandas does it: codes and labels, −1 where the value is None."""
        import numpy as np

        kept = [label for label in self.labels if label is not None]
        place = iter(range(len(kept)))
        codes = np.array([-1 if x is None else next(place) for x in self.labels], np.int32)
        return (codes[self.codes] if len(codes) else self.codes), kept

    def in_order(self) -> Self:
        """The same column, its labels in the order in which they come, without unused ones."""
        import numpy as np

        first = np.full(len(self.labels), len(self))
        first[self.codes[::-1]] = np.arange(len(self))[::-1]
        used = np.flatnonzero(first < len(self))
        used = used[np.argsort(first[used])]
        place = np.zeros(len(first), np.int32)
        place[used] = np.arange(len(used), dtype=np.int32)
        return type(self)(place[self.codes], [self.labels[k] for k in used.tolist()])

    def first(self, wanted: Callable[[Any], bool]) -> int | None:
        """The first row whose value is so; None where there is none."""
        import numpy as np

        bad = np.array([wanted(label) for label in self.labels], dtype=bool)
        found = bad[self.codes] if len(bad) else bad
        return int(found.argmax()) if found.any() else None


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """Columns of a file. names: of all that it has; columns: those that were asked for.

    sample: the first row, where the file is of JSON.
    """

    path: Path
    names: tuple[str, ...]
    columns: Mapping[str, Column]
    length: int
    sample: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.length

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def where(self, row: int) -> str:
        """The place of a row, counted from 0, for messages."""
        return place_of(self.path, row)


def columns(path: Path, wanted: Sequence[str]) -> Table:
    """Those of the `wanted` columns that a file has, whatever their letters' case.

    Equal to what `rows` gives, and faster where a file is Parquet or has no quotes.
    """
    kind = kind_of(path)
    if kind == "parquet":
        return _of_parquet(path, wanted)
    seen = look(path)
    if kind == "json" or objects.begins(path, seen.encoding):
        return _of_rows(path, wanted)
    return _of_csv(path, wanted, seen)


def resolve(path: Path, names: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """Wanted names to the names that the file has for them."""
    there = set(names)
    found = {name: name for name in wanted if name in there}
    for name in names:
        plain = name.strip().casefold() if isinstance(name, str) else ""
        if plain in wanted and plain != name:
            if plain in found:
                raise InputError(
                    f"{path}: the column {plain!r} is there twice, as {found[plain]!r} and {name!r}"
                )
            found[plain] = name
    return found


def _of_rows(path: Path, wanted: Sequence[str]) -> Table:
    """Any file, row by row; the keys of JSON may differ from one to the next."""
    names: dict[str, None] = {}
    makers = {name: _Maker() for name in wanted}
    keys: tuple[str, ...] | None = None
    first: TabularRow | None = None
    count = 0
    found: dict[str, str] = {}
    there: set[str] = set()
    for row in rows(path):
        here = tuple(row.fields)
        if here != keys:
            keys, found = here, resolve(path, here, wanted)
            names |= dict.fromkeys(here)
            there |= found.keys()
        first = first or row
        count += 1
        for name, maker in makers.items():
            maker.add(row.fields[found[name]] if name in found else None)
    made = {name: makers[name].column() for name in wanted if name in there}
    return Table(path, tuple(names), made, count, first.fields if first else {})


def _of_csv(path: Path, wanted: Sequence[str], seen: Look) -> Table:
    header = delimited.read_header(path, seen.encoding)
    named = [name for name in header.names if name]
    found = resolve(path, named, wanted)
    plain = seen.encoding.startswith("utf-8") and not (seen.quotes or seen.lone_returns)
    simple = plain and header.first and not header.skip and not header.padded
    if simple and found and path.stat().st_size >= SMALL:
        made = _split(path, header, found)
        if made is not None:
            return made
    places = {name: header.names.index(own) for name, own in found.items()}
    makers = {name: _Maker() for name in places}
    count = 0
    for _, record in delimited.read_records(path, seen.encoding, header):
        count += 1
        for name, place in places.items():
            makers[name].add(record[place])
    made_columns = {name: maker.column() for name, maker in makers.items()}
    return Table(path, tuple(named), made_columns, count)


def _split(path: Path, header: delimited.Header, found: Mapping[str, str]) -> Table | None:
    """A file without quotes by pyarrow; None where a row is odd, for the reader of rows to say."""
    from pyarrow import ArrowException, csv, dictionary, int32, string

    names = [name or f"\0{k}" for k, name in enumerate(header.names)]
    bare = [names[k] for k in header.bare]
    taken = [*found.values(), *bare]
    try:
        table = csv.read_csv(
            path if path.suffix.lower() != ".gz" else str(path),
            csv.ReadOptions(column_names=names, skip_rows=1, block_size=2**24),
            csv.ParseOptions(delimiter=header.delimiter, quote_char=False, double_quote=False),
            csv.ConvertOptions(
                include_columns=taken,
                column_types=dict.fromkeys(taken, dictionary(int32(), string())),
                strings_can_be_null=False,
            ),
        )
    except (ArrowException, OSError, ValueError):
        return None
    made = {name: _of_arrow(table.column(name)) for name in taken}
    blank = {name: any(not label.strip() for label in made[name].labels) for name in taken}
    if all(blank.values()) or any(label.strip() for n in bare for label in made[n].labels):
        return None  # a row may be empty, or hold a value outside the columns
    named = tuple(name for name in header.names if name)
    return Table(path, named, {n: made[own] for n, own in found.items()}, table.num_rows)


def _of_parquet(path: Path, wanted: Sequence[str]) -> Table:
    with parquet.open_parquet(path) as file:
        names, count, texts = (
            tuple(file.schema_arrow.names),
            file.metadata.num_rows,
            [f.name for f in file.schema_arrow if _is_text(f.type)],
        )
    found = resolve(path, names, wanted)
    # One column at a time, and texts as the codes that the file has for them.
    with parquet.open_parquet(path, texts) as file:
        made = {
            name: _of_arrow(file.read(columns=[own]).column(own)) for name, own in found.items()
        }
    return Table(path, names, made, count)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _of_arrow(array: Any) -> Column:
    """A column of arrow; nested values, which it has no codes for, go through Python."""
    import numpy as np
    import pyarrow as pa

    kind = array.type
    if not pa.types.is_dictionary(kind):
        if not _is_text(kind):
            return Column.of(array.to_pylist())
        array = array.dictionary_encode()
    elif not _is_text(kind.value_type):
        return Column.of(array.cast(kind.value_type).to_pylist())
    if not array.num_chunks:
        return Column(np.zeros(0, np.int32), [])
    whole = array.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # too large for one, which texts of gigabytes are
        return Column.of(array.cast(kind.value_type).to_pylist())
    labels: list[Any] = whole.dictionary.to_pylist()
    indices = whole.indices.cast(pa.int32())
    if whole.null_count:
        indices, labels = indices.fill_null(len(labels)), [*labels, None]
    # Not by `to_numpy`, which imports pandas.
    codes = np.frombuffer(indices.buffers()[1], np.int32)[indices.offset :][: len(indices)]
    return Column(codes, labels).in_order()


class _Maker:
    """Builds a column of values that come one by one."""

    def __init__(self) -> None:
        self._codes: list[int] = []
        self._labels: list[Any] = []
        self._memo: dict[Hashable, int] = {}

    def add(self, value: Any) -> None:
        code = self._memo.get(value) if type(value) is str else None
        if code is None:
            code = _code(value, self._memo, self._labels)
        self._codes.append(code)

    def column(self) -> Column:
        import numpy as np

        return Column(np.array(self._codes, np.int32), self._labels)


def _code(value: Any, memo: dict[Hashable, int], labels: list[Any]) -> int:
    """A value's index in `labels`; 1, 1.0 and True are different values."""
    key: Hashable = value if type(value) is str else (type(value), value)
    try:
        code = memo.setdefault(key, len(labels))
    except TypeError:  # a list or a dict is a value of its own
        code = len(labels)
    if code == len(labels):
        labels.append(value)
    return code
