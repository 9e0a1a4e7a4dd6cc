"""Attackers planted among the real LLMFAO workers: who is found, and what they do to the ranking.

    python -m bench.integrity [--draws 50] [--json]

Each draw adds 14 attackers to the 124 workers (10 % of all voters), on real pairs: some
always choose the left answer, some choose at random, some look for one model's battles and
let it win, some repeat another worker's votes but for one in twenty. Workers are no angels: a
dozen of them vote like a coin. Who of them is honest is asked of a witness that the detector
does not know, GPT-4's verdicts on the same pairs: a flagged worker counts as falsely flagged
unless a coin explains the agreement with GPT-4 better than an average worker does.
"""

import argparse
import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from arena.ratings import Comparisons, bradley_terry, capped, integrity

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
ATTACKERS = 14
KINDS = ("always-A", "random", "pro-one-model", "copycat")
SLIP = 0.05
LABELS = ("model_a", "model_b", "tie")
BUSIEST = 343
Row = tuple[str, str, str, str, str, str]  # pair, prompt, model_a, model_b, winner, voter
Size = Callable[[np.random.Generator], int]


@dataclass(frozen=True)
class World:
    """The real votes; a row of each battle; each worker's; the workers GPT-4 speaks for.

    before: workers that are flagged when nothing is planted.
    """

    rows: list[Row]
    battles: list[Row]
    by_worker: Mapping[str, list[Row]]
    vouched: frozenset[str]
    before: frozenset[str]


@dataclass(frozen=True)
class Draw:
    """One planting. found: (votes, whether flagged) of each attacker by kind.

    flagged: real workers. moved: root mean square in Elo points that the attack moves the
    ranking by all votes, and the one without the flagged. far, rho: distance from the honest
    ranking and rank correlation with it, with all votes and without the flagged.
    """

    found: Mapping[str, list[tuple[int, bool]]]
    flagged: frozenset[str]
    moved: tuple[float, float]
    far: tuple[float, float]
    rho: tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    world = load()
    sizes = [len(rows) for rows in world.by_worker.values()]
    mean = round(float(np.mean(sizes)))
    scenarios: dict[str, Size] = {
        f"{mean}, the workers' mean": lambda rng: mean,
        "as a worker drawn at random": lambda rng: int(rng.choice(sizes)),
        "21, the median": lambda rng: 21,
        "7, one task": lambda rng: 7,
    }
    found = {
        name: summary(world, [draw(world, size, seed) for seed in range(options.draws)])
        for name, size in scenarios.items()
    }
    hidden = camouflaged(world, options.draws)
    if options.json:
        first = next(iter(found.values()))
        print(json.dumps(first | hidden))
        return
    table("votes of each attacker", found)
    table("", {"one camouflaged attacker": hidden})
    print(f"Flagged when nothing is planted: {', '.join(sorted(world.before, key=int))}.")


def load() -> World:
    with (DATASETS / "llmfao_votes.csv").open(newline="", encoding="utf-8") as stream:
        rows: list[Row] = [tuple(row.values()) for row in csv.DictReader(stream)]  # type: ignore
    by_worker: dict[str, list[Row]] = {}
    for row in rows:
        by_worker.setdefault(row[5], []).append(row)
    battles = list({row[0]: row for row in rows}.values())
    before = frozenset(v.voter for v in integrity(comparisons(rows)).flagged)
    return World(rows, battles, by_worker, vouched(by_worker), before)


def vouched(by_worker: Mapping[str, list[Row]]) -> frozenset[str]:
    """Workers whose agreement with GPT-4 an average worker explains no worse than a coin."""
    with (DATASETS / "llmfao_judges.csv").open(newline="", encoding="utf-8") as stream:
        said = {r["pair"]: r["winner"] for r in csv.DictReader(stream) if r["source"] == "gpt-4"}
    hits = {
        worker: [r[4] == said[r[0]] for r in rows if "tie" not in (r[4], said[r[0]])]
        for worker, rows in by_worker.items()
    }
    average = np.mean([np.mean(h) for h in hits.values() if len(h) >= 20])
    gain = {True: np.log(2.0 * average), False: np.log(2.0 * (1.0 - average))}
    return frozenset(worker for worker, h in hits.items() if sum(gain[x] for x in h) >= 0.0)


def draw(world: World, size: Size, seed: int) -> Draw:
    """Plant, audit, rate."""
    rng = np.random.default_rng(seed)
    planted: dict[str, list[Row]] = {}
    for k in range(ATTACKERS):
        kind = KINDS[(seed + k) % len(KINDS)]
        planted[f"{kind} {k}"] = PLANT[kind](world, size(rng), rng)
    rows = world.rows + [(*row[:5], name) for name, mine in planted.items() for row in mine]
    flagged = {v.voter for v in integrity(comparisons(rows)).flagged}
    clean, cleaned = rate(world.rows), rate(without(world.rows, world.before))
    honest = rate([row for row in world.rows if row[5] in world.vouched])
    attacked, audited = rate(rows), rate(without(rows, flagged))
    return Draw(
        {
            kind: [(len(planted[n]), n in flagged) for n in planted if n.startswith(kind)]
            for kind in KINDS
        },
        frozenset(flagged & set(world.by_worker)),
        (distance(clean, attacked), distance(cleaned, audited)),
        (distance(honest, attacked), distance(honest, audited)),
        (spearmanr(honest, attacked).statistic, spearmanr(honest, audited).statistic),
    )


def always_a(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    return [(*row[:4], "model_a", "") for row in some_of(world.battles, size, rng)]


def at_random(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    return [(*row[:4], str(rng.choice(LABELS)), "") for row in some_of(world.battles, size, rng)]


def for_one_model(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    """Only a model's own battles, of which most have 39; the model wins them all."""
    target = str(rng.choice(sorted({row[2] for row in world.battles})))
    own = [row for row in world.battles if target in row[2:4]]
    return [won_by(target, row) for row in some_of(own, size, rng)]


def copied(world: World, size: int, rng: np.random.Generator) -> list[Row]:
    busy = sorted(w for w, rows in world.by_worker.items() if len(rows) >= size)
    victim = world.by_worker[str(rng.choice(busy))]
    return [
        (*row[:4], str(rng.choice(LABELS)) if rng.random() < SLIP else row[4], "")
        for row in some_of(victim, size, rng)
    ]


PLANT = dict(zip(KINDS, (always_a, at_random, for_one_model, copied), strict=True))


def camouflaged(world: World, draws: int) -> dict[str, float]:
    """As busy as the busiest; one model wins all of its battles, else as some worker voted."""
    votes: dict[str, list[str]] = {}
    for row in world.rows:
        votes.setdefault(row[0], []).append(row[4])
    plain = comparisons(world.rows)
    start = [ratings(plain), ratings(capped(plain))]
    gains, flags = [], []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        target = str(rng.choice(plain.models))
        own = [row for row in world.battles if target in row[2:4]]
        own = some_of(own, BUSIEST // 2, rng)
        rest = [row for row in world.battles if target not in row[2:4]]
        mine = [won_by(target, row) for row in own]
        mine += [
            (*row[:4], str(rng.choice(votes[row[0]])), "")
            for row in some_of(rest, BUSIEST - len(own), rng)
        ]
        attacked = comparisons(world.rows + [(*row[:5], "attacker") for row in mine])
        at = plain.models.index(target)
        after = [ratings(attacked), ratings(capped(attacked))]
        gains.append([a[at] - s[at] for a, s in zip(after, start, strict=True)])
        flags.append(any(v.voter == "attacker" for v in integrity(attacked).flagged))
    mean, most = np.mean(gains, axis=0), np.max(gains, axis=0)
    return {
        "camouflaged flagged": round(float(np.mean(flags)), 3),
        "gain, points": round(float(mean[0]), 1),
        "gain at most": round(float(most[0]), 1),
        "gain capped": round(float(mean[1]), 1),
        "capped at most": round(float(most[1]), 1),
        "the cap itself moves": round(distance(*start), 1),
    }


def won_by(target: str, row: Row) -> Row:
    return (*row[:4], "model_a" if row[2] == target else "model_b", "")


def some_of(rows: Sequence[Row], size: int, rng: np.random.Generator) -> list[Row]:
    return [rows[k] for k in rng.permutation(len(rows))[:size]]


def without(rows: Sequence[Row], voters: frozenset[str] | set[str]) -> list[Row]:
    return [row for row in rows if row[5] not in voters]


def comparisons(rows: Sequence[Row]) -> Comparisons:
    _, prompt, a, b, winner, voter = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, winner, prompt=prompt, voter=voter)


def ratings(c: Comparisons) -> np.ndarray:
    return bradley_terry(c, interval=None).ratings


def rate(rows: Sequence[Row]) -> np.ndarray:
    return ratings(comparisons(rows))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


def summary(world: World, draws: Sequence[Draw]) -> dict[str, float]:
    """Means over draws."""
    of = {kind: [x for d in draws for x in d.found[kind]] for kind in KINDS}
    every = [x for kind in KINDS for x in of[kind]]
    caught = [sum(flag for kind in KINDS for _, flag in d.found[kind]) for d in draws]
    false = [len(d.flagged & world.vouched) for d in draws]
    real = [len(d.flagged) for d in draws]

    def rate_of(wrong: Sequence[int]) -> float:
        return float(
            np.mean([w / max(1, c + r) for w, c, r in zip(wrong, caught, real, strict=True)])
        )

    numbers = {
        "attackers flagged": np.mean([flag for _, flag in every]),
        **{f"{kind} flagged": np.mean([flag for _, flag in of[kind]]) for kind in KINDS},
        "their votes flagged": sum(n for n, flag in every if flag) / sum(n for n, _ in every),
        "false discovery rate": rate_of(false),
        "the same, all workers honest": rate_of(real),
        "workers flagged": np.mean(real),
        "of them vouched for by GPT-4": np.mean(false),
        "attack moves all votes, points": np.mean([d.moved[0] for d in draws]),
        "attack moves without flagged": np.mean([d.moved[1] for d in draws]),
        "from the honest, all votes": np.mean([d.far[0] for d in draws]),
        "from the honest, without": np.mean([d.far[1] for d in draws]),
        "closer in, of draws": np.mean([d.far[1] < d.far[0] for d in draws]),
        "rank correlation, all votes": np.mean([d.rho[0] for d in draws]),
        "rank correlation, without": np.mean([d.rho[1] for d in draws]),
    }
    return {name: round(float(value), 3) for name, value in numbers.items()}


def table(corner: str, columns: Mapping[str, Mapping[str, float]]) -> None:
    names = list(next(iter(columns.values())))
    print(f"| {corner} | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in names:
        print(f"| {name} | {' | '.join(str(column[name]) for column in columns.values())} |")
    print()


if __name__ == "__main__":
    main()
