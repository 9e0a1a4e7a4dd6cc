"""Whatever the files hold, a format takes them in or refuses them in one sentence.

Hypothesis changes one value anywhere inside a good file, or its bytes. What is refused leaves
nothing behind, and what is taken in is taken in once. `ARENA_FUZZ=1000` tries so many of each.
"""

import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.formats import named, recognised
from arena.interchange.formats.inspect import results
from arena.records.errors import ArenaError
from arena.store import Store
from tests.exchange_files import EXAMPLES
from tests.interchange.formats.test_results import log, sample

ODD: list[Any] = [
    None, True, 0, -1, 10**400, 1e308, float("nan"), "", " ", "x", "模型", "\u2028", "a\nb", "1.0",
    [], [[]], [None], {}, {"a": 1}, ["x", "y"], [1, 2], {"role": "user"}, "[" * 2000, "=1", "[]",
    [{"role": "user", "content": None}], {"id": None}, '["a", 1]', "0x1", "\ud83d"[:0],
]  # fmt: skip
BYTES = (
    b"\0",
    b"\xff",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\u",
    b":",
    b"\xef\xbb",
)
BOUNDED = settings(
    max_examples=int(os.environ.get("ARENA_FUZZ", "25")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def bent(data: bytes, chance: random.Random) -> bytes:
    """A file with a value changed, or its bytes where it is no JSON."""
    text = data.decode()
    if chance.random() < 0.25 or text[:1] not in "[{":
        at = chance.randrange(len(data) + 1)
        kept = data[chance.randrange(at, len(data) + 1) :] if chance.random() < 0.5 else data[at:]
        return data[:at] + chance.choice(BYTES) + kept
    is_list = text.startswith("[")
    rows = json.loads(text) if is_list else [json.loads(line) for line in text.splitlines()]
    change(rows, chance)
    if is_list:
        return json.dumps(rows).encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def change(value: Any, chance: random.Random) -> None:
    """Somewhere inside, a value is replaced, dropped or repeated."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = chance.choice(list(keys))
        if isinstance(value[key], dict | list) and value[key] and chance.random() < 0.8:
            value = value[key]
            continue
        what = chance.random()
        if what < 0.2:
            del value[key]
        elif what < 0.3 and isinstance(value, list):
            value.append(value[key])
        else:
            value[key] = chance.choice(ODD)
        return


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One store for all: whether an import left something behind is told by its rows."""
    return Store(tmp_path_factory.mktemp("kept") / "arena.db")


def rows_of(store: Store) -> tuple[Any, ...]:
    return store.version(), store.judges.count(), len(store.models())


@pytest.mark.parametrize("example", EXAMPLES)
@BOUNDED
@given(seed=st.integers(0, 2**32))
def test_a_bent_file_is_taken_in_or_refused(example: str, seed: int, kept: Store) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "files"
        path = EXAMPLES[example][1](folder)
        file = chance.choice(sorted(one for one in folder.rglob("*") if one.is_file()))
        file.write_bytes(bent(file.read_bytes(), chance))
        read = named(EXAMPLES[example][0]).read
        assert read is not None
        rejects = Path(name) / "rejects.jsonl" if chance.random() < 0.5 else None
        before = rows_of(kept)
        try:
            take_in(kept, read(path, Hints()), rejects=rejects)
        except ArenaError as error:
            assert "\n" not in str(error)  # noqa: PT017
            assert rows_of(kept) == before
        else:
            again = take_in(kept, read(path, Hints()), rejects=rejects)
            assert sum(count.new for count in again.counts.values()) == 0
        try:
            recognised(folder)
        except ArenaError as error:
            assert "\n" not in str(error)  # noqa: PT017


@BOUNDED
@given(seed=st.integers(0, 2**32))
def test_a_bent_log_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    content = json.dumps(log([sample(1, "C"), sample(2, 0.5)], 0.75)).encode()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "a.json").write_bytes(bent(content, chance))
        try:
            results(Path(name))
        except ArenaError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_bent_store_is_taken_in_whole_or_refused() -> None:
    from arena.interchange.exchange.source import Outgoing
    from arena.interchange.formats.store import digest_of, fill

    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        store = Store(home / "arena.db")
        read = named("table").read
        assert read is not None
        take_in(store, read(EXAMPLES["table"][1](home / "t"), Hints()))
        named("store").write(Outgoing(store), home / "out")
        for seed in range(20):
            chance = random.Random(seed)
            folder = home / f"bent-{seed}"
            shutil.copytree(home / "out", folder)
            full = [one for one in folder.glob("*.jsonl") if one.stat().st_size]
            file = chance.choice(sorted(full))
            file.write_bytes(bent(file.read_bytes(), chance))
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            for one in manifest["files"]:  # as somebody who edits both would leave it
                one["sha256"] = digest_of(folder / one["file"])
            (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
            other = Store(home / f"{seed}.db")
            try:
                fill(other, folder)
            except ArenaError as error:
                assert "\n" not in str(error), seed  # noqa: PT017
                assert other.is_empty(), seed
            other.close()
