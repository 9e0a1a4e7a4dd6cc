"""Attackers planted among the real LLMFAO workers: who is found, and what it does to the ranking.

    python -m bench.integrity [--draws 50] [--json]

Each draw adds 14 attackers to the 124 workers (10 % of all voters), on real pairs: some
always choose the left answer, some choose at random, some look for one model's battles and
vote for it, some repeat another worker's votes (19 of 20 of them). Workers are no angels: a
dozen of them vote as a coin would. Who of them is honest is therefore asked of a witness
that the detector does not know, GPT-4's verdicts on the same pairs.
"""

import argparse
import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from arena.ratings import Comparisons, bradley_terry
from arena.ratings.integrity import integrity

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
ATTACKERS = 14
KINDS = ("always-A", "random", "pro-one-model", "copycat")
SLIP = 0.05
LABELS = ("model_a", "model_b", "tie")
Row = tuple[str, str, str, str, str, str]  # pair, prompt, model_a, model_b, winner, voter


@dataclass(frozen=True)
class World:
    """The real votes, their battles, and who made how many."""

    rows: list[Row]
    battles: list[Row]
    by_worker: Mapping[str, list[Row]]
    vouched: frozenset[str]


@dataclass(frozen=True)
class Draw:
    """What happened to one planting. errors, taus: to the clean ranking, with and without."""

    flagged: Mapping[str, list[bool]]
    real: int
    doubted: int
    errors: tuple[float, float]
    taus: tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    world = load()
    sizes = [len(rows) for rows in world.by_worker.values()]
    mean = round(float(np.mean(sizes)))
    scenarios: dict[str, Callable[[np.random.Generator], int]] = {
        f"{mean} votes each (the workers' mean)": lambda rng: mean,
        "as many as a worker drawn at random": lambda rng: int(rng.choice(sizes)),
        "21 votes each (the median)": lambda rng: 21,
        "7 votes each (one task)": lambda rng: 7,
    }
    found = {}
    for name, size in scenarios.items():
        draws = [draw(world, size, seed) for seed in range(options.draws)]
        found[name] = summary(draws)
        print(name, json.dumps(found[name]))
    print(json.dumps(camouflaged(world, options.draws)))


def load() -> World:
    with (DATASETS / "llmfao_votes.csv").open(newline="") as stream:
        rows = [tuple(row.values()) for row in csv.DictReader(stream)]
    by_worker: dict[str, list[Row]] = {}
    for row in rows:
        by_worker.setdefault(row[5], []).append(row)
    battles = list({row[0]: row for row in rows}.values())
    return World(rows, battles, by_worker, vouched(by_worker))


def vouched(by_worker: Mapping[str, list[Row]]) -> frozenset[str]:
    """Workers whose decided votes GPT-4 makes likelier from an honest worker than from a coin."""
    with (DATASETS / "llmfao_judges.csv").open(newline="") as stream:
        said = {r["pair"]: r["winner"] for r in csv.DictReader(stream) if r["source"] == "gpt-4"}
    hits = {
        worker: [r[4] == said[r[0]] for r in rows if "tie" not in (r[4], said[r[0]])]
        for worker, rows in by_worker.items()
    }
    q = np.mean([np.mean(h) for h in hits.values() if len(h) >= 20])
    print("honest agreement with GPT-4", q)
    return frozenset(
        worker
        for worker, h in hits.items()
        if sum(np.log(2 * q) if x else np.log(2 * (1 - q)) for x in h) >= 0.0
    )


def draw(world: World, size: Callable[[np.random.Generator], int], seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    planted = {}
    for k in range(ATTACKERS):
        kind = KINDS[(seed + k) % len(KINDS)]
        planted[f"{kind} {k}"] = PLANT[kind](world, size(rng), rng)
    rows = world.rows + [(*row[:5], name) for name, mine in planted.items() for row in mine]
    report = integrity(comparisons(rows))
    flagged = {v.voter for v in report.flagged}
    kept = [row for row in rows if row[5] not in flagged]
    clean = rate(world.rows)
    some = [rate(rows), rate(kept)]
    real = flagged & set(world.by_worker)
    return Draw(
        {kind: [n in flagged for n in planted if n.startswith(kind)] for kind in KINDS},
        len(real),
        len(real - world.vouched),
        tuple(distance(clean, r) for r in some),
        tuple(kendalltau(clean, r).statistic for r in some),
    )


def always_a(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    return [(*row[:4], "model_a", "") for row in some_of(world.battles, size, rng)]


def at_random(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    return [(*row[:4], str(rng.choice(LABELS)), "") for row in some_of(world.battles, size, rng)]


def for_one_model(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    target = str(rng.choice(sorted({row[2] for row in world.battles})))
    own = [row for row in world.battles if target in row[2:4]]
    return [
        (*row[:4], "model_a" if row[2] == target else "model_b", "")
        for row in some_of(own, size, rng)
    ]


def copied(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    busy = sorted(w for w, rows in world.by_worker.items() if len(rows) >= size)
    victim = world.by_worker[str(rng.choice(busy))]
    return [
        (*row[:4], str(rng.choice(LABELS)) if rng.random() < SLIP else row[4], "")
        for row in some_of(victim, size, rng)
    ]


PLANT = dict(zip(KINDS, (always_a, at_random, for_one_model, copied), strict=True))


def some_of(rows: Sequence[Row], size: int, rng: np.random.Generator) -> list[Row]:
    chosen = rng.permutation(len(rows))[:size]
    return [rows[k] for k in chosen]


def comparisons(rows: Sequence[Row]) -> Comparisons:
    _, prompt, a, b, winner, voter = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, winner, prompt=prompt, voter=voter)


def rate(rows: Sequence[Row]) -> np.ndarray:
    return bradley_terry(comparisons(rows), interval=None).ratings


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


def summary(draws: Sequence[Draw]) -> dict:
    every = [x for d in draws for k in KINDS for x in d.flagged[k]]
    hits = [sum(map(sum, d.flagged.values())) for d in draws]
    return {
        "power": round(float(np.mean(every)), 3),
        **{k: round(float(np.mean([x for d in draws for x in d.flagged[k]])), 3) for k in KINDS},
        "real flagged": round(float(np.mean([d.real for d in draws])), 2),
        "of them doubted by GPT-4": round(float(np.mean([d.doubted for d in draws])), 2),
        "FDR, honest as GPT-4 vouches": round(
            float(
                np.mean([(d.real - d.doubted) / max(1, d.real + h) for d, h in zip(draws, hits)])
            ),
            3,
        ),
        "FDR, all workers honest": round(
            float(np.mean([d.real / max(1, d.real + h) for d, h in zip(draws, hits)])), 3
        ),
        "errors with": round(float(np.mean([d.errors[0] for d in draws])), 2),
        "without": round(float(np.mean([d.errors[1] for d in draws])), 2),
        "closer in": round(float(np.mean([d.errors[1] < d.errors[0] for d in draws])), 2),
        "tau with": round(float(np.mean([d.taus[0] for d in draws])), 4),
        "tau without": round(float(np.mean([d.taus[1] for d in draws])), 4),
    }


def camouflaged(world, draws):
    return {}


if __name__ == "__main__":
    main()
