"""The questions behind stored outcomes, where the file that was asked is still there."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from arena.benchmarks.items.reading import Item, file_version, read_items
from arena.benchmarks.items.tasks import builtin_tasks
from arena.files.encodings import read_text
from arena.files.strict import parse_yaml
from arena.files.tabular import FORMATS, rows
from arena.records.errors import InputError


def known_items(
    benchmark: str, version: str, home: Path, files: Sequence[Path] = ()
) -> Mapping[str, Item]:
    """Items by name; empty where no file has them in the version that was asked.

    files: that may hold them, before those of the benchmark's name in `home` and the task files.
    An item without an answer in the file has none here.
    """
    beside = (home / f"{benchmark}{ending}" for ending in FORMATS)
    for path in (*files, *beside):
        if path.stem == benchmark and path.is_file():
            of, items = _read(path, path.stat().st_mtime_ns)
            if of == version:
                return items
    task = builtin_tasks(home).get(benchmark)
    file = _file_of(task, version) if task else None
    return _read(file, file.stat().st_mtime_ns)[1] if file else {}


def _file_of(task: Path, version: str) -> Path | None:
    """The file that a task names for its items; None where it names none, or is newer."""
    with suppress(InputError):  # one with lm-eval's own tags says nothing that we read
        _, spec = parse_yaml(read_text(task), task)
        about = spec.get("metadata") if isinstance(spec, dict) else None
        if isinstance(about, dict) and str(about.get("version")) == version:
            path = task.parent / str(about.get("file", ""))
            return path if path.is_file() else None
    return None


@lru_cache(maxsize=16)
def _read(path: Path, _: int) -> tuple[str, Mapping[str, Item]]:
    """The version of a file and its items by name, read once until the file changes."""
    try:
        found = read_items(path)
    except InputError:
        found = _questions(path)
    return file_version(path), {item.name: item for item in found}


def _questions(path: Path) -> list[Item]:
    """The items of a file of another shape, such as tasks for code: what they ask alone."""
    with suppress(InputError):
        return [
            Item(str(row.fields["id"]), row.fields["question"], ())
            for row in rows(path)
            if isinstance(row.fields.get("question"), str) and row.fields.get("id") is not None
        ]
    return []
