"""A million prompts, 200 models and 64 GPUs: how much of it one store carries.

    python -m bench.cluster [--answer-rate 4000] [--judge-rate 13600] [--gpu-hour 2.5] [--json]

Measures what one process takes here to claim and to store rows, by the rows of a part. Then events
are simulated: every worker asks for a part, works on it, and hands its rows to the one process that
stores, which serves one worker at a time, as `arena/backends/cluster` does it. A GPU's rates are
inputs, in tokens a second that it writes as a candidate and computes as a judge; they are not
measured here.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from heapq import heapify, heapreplace
from pathlib import Path
from typing import Any

from arena.config import parse_model
from arena.records import Answer, Judge, Preference, Prompt, Usage, Verdict
from arena.store import Store
from arena.store.leases import new_owner

PROMPTS, MODELS, GPUS = 1_000_000, 200, 64
ANSWER = 400  # tokens
# A judge reads instructions, a question and two answers. The tree of prompts lets 2.85 times fewer
# tokens be computed (bench/inference.py, the InternLM2 template).
VERDICT = (200 + 60 + 2 * ANSWER) / 2.85
WAVE = 192  # answers that a worker hands over together
PASS = 48  # verdicts that a judge reads in one pass, at most
SIZES, ROUNDS = (1, 48, 192, 768), 15  # the shortest round is the least disturbed
SPREAD = 0.2  # how much longer or shorter one part takes than another
PARTS = 200  # a worker, in one simulation
DAY = 86_400


@dataclass(frozen=True)
class Cost:
    """Seconds that the storing process takes for a part, and for each row in it."""

    part: float
    row: float

    def of(self, rows: int) -> float:
        return self.part + rows * self.row


@dataclass(frozen=True)
class Rates:
    """What the store takes. size: bytes a row in the file."""

    claim: Cost
    add: Cost
    size: float

    def most(self, rows: int) -> float:
        """Rows a second, where the storing process does nothing else and parts have so many."""
        return rows / (self.claim.of(rows) + self.add.of(rows))


@dataclass(frozen=True)
class Outcome:
    """How a simulated day went. waiting: the share of their time that workers do nothing."""

    gpus: int
    rows_a_second: float
    waiting: float
    store_busy: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answer-rate", type=float, default=4000.0)
    parser.add_argument("--judge-rate", type=float, default=13_600.0)
    parser.add_argument("--gpu-hour", type=float, default=2.5, help="US dollars")
    parser.add_argument("--filled", type=int, default=100_000, help="rows that are there before")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        answers, verdicts = measured(Path(folder) / "a.db", args.filled)
    print(f"load {os.getloadavg()[0]:.1f}, {args.filled:,} rows of each kind there before\n")
    print("| rows | part, ms | row, ms | bytes a row | most rows a second |\n|---|---|---|---|---|")
    shown = (("answers", answers, WAVE), ("verdicts", verdicts, PASS))
    for name, rates, rows in shown:
        part, row = rates.claim.part + rates.add.part, rates.claim.row + rates.add.row
        most = f"{rates.most(rows):,.0f} in parts of {rows}"
        print(f"| {name} | {part * 1e3:.2f} | {row * 1e3:.3f} | {rates.size:,.0f} | {most} |")
    works = (
        ("answering", answers, WAVE, ANSWER / args.answer_rate, PROMPTS * MODELS),
        ("judging", verdicts, PASS, VERDICT / args.judge_rate, None),
    )
    told: dict[str, Any] = {name: asdict(rates) for name, rates, _ in shown}
    for name, rates, rows, seconds, total in works:
        found = [simulated(rates, rows, seconds, gpus) for gpus in (8, GPUS, 256, 1024)]
        print(f"\n{name}: {1 / seconds:,.1f} rows a second and GPU, in parts of {rows}\n")
        print("| GPUs | rows a second | workers wait | store busy | rows a day | dollars a day |")
        print("|---|---|---|---|---|---|")
        for one in found:
            dollars = one.gpus * 24 * args.gpu_hour
            print(
                f"| {one.gpus} | {one.rows_a_second:,.0f} | {one.waiting:.1%} | "
                f"{one.store_busy:.0%} | {one.rows_a_second * DAY:,.0f} | {dollars:,.0f} |"
            )
        if total:
            days = total / next(o for o in found if o.gpus == GPUS).rows_a_second / DAY
            size = total * rates.size / 1e9
            print(f"\n{total:,} rows take {days:.1f} days on {GPUS} GPUs, and {size:,.0f} GB.")
        told[f"{name}_by_gpus"] = [asdict(one) for one in found]
    if args.json:
        print(json.dumps(told))


def measured(path: Path, filled: int) -> tuple[Rates, Rates]:
    """The store's rates for answers of `ANSWER` tokens, and for verdicts read from odds."""
    store, dice = Store(path), random.Random(1)
    model = parse_model("m=fake:echo")
    prompts = [Prompt(f"p{k}", (f"question {k}",)) for k in range(1000)]
    store.put_model(model)
    store.put_prompts(prompts)
    store.judges.add([Judge("jk", "j", "{}")])
    words = [f"{dice.getrandbits(20):x}" for _ in range(5000)]

    def answer(k: int) -> Answer:
        text = " ".join(dice.choices(words, k=int(ANSWER * 0.75)))
        prompt = prompts[k % len(prompts)].key
        usage = Usage(60, ANSWER, 9.0)
        return Answer("m", model.key, prompt, (text,), ("stop",), usage, k // len(prompts))

    said: list[str] = []

    def verdict(k: int) -> Verdict:
        first, second = dice.sample(said, 2)
        prompt, odds = prompts[k % len(prompts)].key, (0.6, 0.3, 0.1, 0.97)
        usage = Usage(1060, 1, 0.03)
        key, request = f"{dice.getrandbits(160):040x}", f"{dice.getrandbits(160):040x}"
        return Verdict(
            key, "j", "jk", prompt, first, second, Preference.A, *odds, request=request, usage=usage
        )

    answers = rates(store, store.answers, answer, filled)
    said += [row.key for row in store.answers.where(prompt_key=prompts[0].key)]
    return answers, rates(store, store.verdicts, verdict, filled)


def rates(store: Store, table: Any, make: Callable[[int], Any], filled: int) -> Rates:
    """What it takes to claim and to store rows of one table, which has so many already."""
    numbers = iter(range(10**9))
    size = store.path.stat().st_size
    for rows in parts(make, numbers, filled, 2000):
        table.add(rows)
    store.whole.connections.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = store.path.stat().st_size - size
    owner, took, before = new_owner(), dict[int, list[tuple[float, float]]](), list[str]()
    for count in SIZES:
        for rows in parts(make, numbers, count * ROUNDS, count):
            keys = [row.key for row in rows]
            began = time.perf_counter()
            store.leases.claim(owner, keys, table.table, before)
            claimed = time.perf_counter()
            table.add(rows)
            took.setdefault(count, []).append((claimed - began, time.perf_counter() - claimed))
            before = keys
    claim, add = (fitted({n: min(t[k] for t in took[n]) for n in SIZES}) for k in (0, 1))
    return Rates(claim, add, size / filled)


def parts(
    make: Callable[[int], Any], numbers: Iterator[int], total: int, size: int
) -> Iterator[list[Any]]:
    for start in range(0, total, size):
        yield [make(next(numbers)) for _ in range(min(size, total - start))]


def fitted(seconds: dict[int, float]) -> Cost:
    """What a part takes by itself, as the smallest does, and what each row of the largest adds."""
    small, large = min(seconds), max(seconds)
    row = (seconds[large] - seconds[small]) / (large - small)
    return Cost(max(0.0, seconds[small] - small * row), row)


def simulated(rates: Rates, rows: int, seconds: float, gpus: int) -> Outcome:
    """Workers that go on for `PARTS` parts each. seconds: of a GPU for one row."""
    dice = random.Random(gpus)
    free = busy = idle = worked = 0.0  # when the store is next free, and sums of seconds
    ready = [dice.uniform(0, rows * seconds) for _ in range(gpus)]  # they start one by one
    heapify(ready)
    for _ in range(gpus * PARTS):
        heard = ready[0]
        begun = max(free, heard)
        serving = rates.add.of(rows) + rates.claim.of(rows)
        free = begun + serving
        work = rows * seconds * dice.uniform(1 - SPREAD, 1 + SPREAD)
        busy, idle, worked = busy + serving, idle + free - heard, worked + work
        heapreplace(ready, free + work)
    whole = max(ready)
    return Outcome(gpus, gpus * PARTS * rows / whole, idle / (idle + worked), busy / whole)


if __name__ == "__main__":
    main()
