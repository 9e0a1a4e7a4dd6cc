"""A million votes, from the file to the ranking: seconds and megabytes beside plain reads.

    python -m bench.scale                     # a million votes
    python -m bench.scale --votes 100000 --folder /tmp/scale

Every command runs in a process of its own; memory is the most that it and its children held at
once. Ratios are to a plain pandas read of the same Parquet file, and to the engine's own time for
the same votes, both taken in the same run.
"""

import argparse
import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.app import load_board, others
from bench.voters import Server, Voter

MODELS, PROMPTS, VOTERS = 200, 50_000, 20_000
CATEGORIES = ("writing", "coding", "math", "reasoning", "roleplay", "extraction", "stem", "chat")
LANGUAGES = ("en", "zh", "de", "fr")
POLL = 0.02
MORE = 100
BUSY = 2
# Once warm, best of several: the shortest is the least disturbed by other work on the machine.
PLAIN_READ = """
import time, pandas, sys
seconds = []
for _ in range(3):
    began = time.perf_counter()
    pandas.read_parquet(sys.argv[1], columns=["model_a", "model_b", "winner", "prompt", "voter"])
    seconds.append(time.perf_counter() - began)
print(min(seconds))
"""
ENGINE = """
import time, pandas, sys
from dataclasses import replace
from arena.ratings import Comparisons, bradley_terry
c = Comparisons.from_frame(pandas.read_parquet(sys.argv[1]))
seconds = []
for _ in range(3):
    began = time.perf_counter()
    bradley_terry(replace(c)).rank_low
    seconds.append(time.perf_counter() - began)
print(min(seconds))
"""
RENEWED = f"""
import sys, time
from arena.leaderboard.snapshot import Slice, compute
from arena.records import Vote, Winner
from arena.store import Store
store = Store(sys.argv[1], create=False)
compute(store, Slice())
old = [*store.votes.where(prompt_key=next(iter(store.prompts.where())).key)]
for k in range({MORE}):
    one = old[k % len(old)]
    store.votes.cast(Vote(f"more {{k}}", one.prompt_key, one.first, one.second, Winner.TIE, "me"))
began, busy = time.perf_counter(), time.process_time()
compute(store, Slice())
print(time.perf_counter() - began, time.process_time() - busy)
"""


@dataclass(frozen=True)
class Took:
    """What one command took: wall-clock seconds, and megabytes of it and its children.

    busy: seconds of a processor, which other work on the machine changes less.
    """

    seconds: float
    busy: float
    megabytes: float
    printed: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="kept; without it a temporary one is used")
    args = parser.parse_args()
    if args.folder is not None:
        args.folder.mkdir(parents=True, exist_ok=True)
        run(args.folder, args.votes)
        return
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        run(Path(name), args.votes)


def run(folder: Path, votes: int) -> None:
    make_files(folder, votes)
    parquet, load = folder / "b.parquet", os.getloadavg()[0]
    plain, engine = (
        float(took([sys.executable, "-c", code, str(parquet)]).printed)
        for code in (PLAIN_READ, ENGINE)
    )
    with others(BUSY):
        beside = float(took([sys.executable, "-c", ENGINE, str(parquet)]).printed)
    print(
        f"{votes:,} votes, {MODELS} models, {PROMPTS:,} prompts, {VOTERS:,} voters; "
        f"load before {load:.1f}\n\nA plain pandas read takes {plain:.2f} s, "
        f"the engine's fit with its rank ranges {engine:.2f} s, and {beside:.2f} s beside {BUSY} "
        "processes that never rest.\n"
    )
    print(
        "| what | seconds | of a processor | × pandas | × engine | MB |\n|---|---|---|---|---|---|"
    )
    for what, one in commands(folder):
        ratios = " | ".join(f"{one.seconds / base:.1f}" for base in (plain, engine))
        spent = f"{one.seconds:.2f} | {one.busy:.2f} | {ratios} | {one.megabytes:.0f}"
        print(f"| {what} | {spent} |", flush=True)
    size = sum(path.stat().st_size for path in folder.glob("b.db*"))
    print(f"\nThe database has {size / 1e6:.0f} MB, {size / votes:.0f} bytes a vote.")


def commands(folder: Path) -> Iterator[tuple[str, Took]]:
    """What a user would type, and how long the app takes to renew its table."""
    db = folder / "b.db"
    for old in folder.glob("b.db*"):
        old.unlink()
    stored = ["--db", str(db)]
    yield "import b.parquet", arena("import", "battles", str(folder / "b.parquet"), *stored)
    yield "import b.parquet again", arena("import", "battles", str(folder / "b.parquet"), *stored)
    yield "rank, the first time", arena("rank", *stored)
    yield "rank", arena("rank", *stored)
    yield "rank --by category", arena("rank", "--by", "category", *stored)
    yield "audit votes", arena("audit", "votes", *stored)
    yield "rank b.parquet", arena("rank", str(folder / "b.parquet"))
    yield "rank b.csv", arena("rank", str(folder / "b.csv"))
    yield "rank small.csv", arena("rank", str(folder / "small.csv"))
    yield "the app's first table after its start", asyncio.run(first_table(db))
    renewed = took([sys.executable, "-c", RENEWED, str(db)])
    seconds, busy = map(float, renewed.printed.split())
    yield f"the app's table after {MORE} votes more", replace(renewed, seconds=seconds, busy=busy)


async def first_table(db: Path) -> Took:
    """Start the app and load its leaderboard until the table is there."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    server = Server(db)
    await server.ready()
    async with Voter(server, 0) as reader:
        while not (await load_board(reader))[1]:
            await asyncio.sleep(POLL)
    seconds, megabytes = time.perf_counter() - began, server.memory()
    server.stop(signal.SIGTERM)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds, busy, megabytes, "")


def arena(*words: str) -> Took:
    return took([sys.executable, "-m", "arena", *words])


def took(command: list[str]) -> Took:
    """Run a command to its end and watch the memory of it and its children."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    most, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(POLL):
            most[0] = max(most[0], sum(resident(pid) for pid in family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    printed, problem = process.communicate()
    seconds = time.perf_counter() - began
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:6])} failed: {problem}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds, busy, most[0], printed)


def family(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))
    except OSError:  # it has just ended
        return


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds; none once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def make_files(folder: Path, votes: int) -> None:
    """The same votes as Parquet and CSV, and a small file beside them."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    i = rng.integers(0, MODELS, votes)
    j = (i + rng.integers(1, MODELS, votes)) % MODELS
    theta = rng.normal(0, 1, MODELS)
    won = rng.random(votes) < 1 / (1 + np.exp(theta[j] - theta[i]))
    label = np.where(rng.random(votes) < 0.2, 2, np.where(won, 0, 1))
    prompt = rng.integers(0, PROMPTS, votes)
    frame = pd.DataFrame(
        {
            "model_a": named("model", i),
            "model_b": named("model", j),
            "winner": np.array(["model_a", "model_b", "tie"])[label],
            "prompt": named("prompt", prompt),
            "voter": named("voter", rng.integers(0, VOTERS, votes)),
            "category": np.array(CATEGORIES)[prompt % len(CATEGORIES)],
            "language": np.array(LANGUAGES)[prompt // 7 % len(LANGUAGES)],
        }
    )
    frame.to_parquet(folder / "b.parquet")
    frame.to_csv(folder / "b.csv", index=False)
    frame.head(2_000).to_csv(folder / "small.csv", index=False)


def named(what: str, numbers: Any) -> Any:
    import numpy as np

    codes = np.asarray(numbers)
    return np.array([f"{what}-{k:05d}" for k in range(int(codes.max()) + 1)], dtype=object)[codes]


if __name__ == "__main__":
    main()
