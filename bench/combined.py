"""What judges are worth beside people's votes, on real votes."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arena.ratings import Comparisons, combine

SHARES = (0.05, 0.10, 0.20, 0.50)


@dataclass(frozen=True)
class Real:
    """Votes on pairs, and judges' verdicts on the same; pair: (n,) number of each vote's."""

    human: Comparisons
    pair: np.ndarray
    judges: dict[str, Comparisons]


def columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def taken(table: dict[str, np.ndarray], rows: np.ndarray) -> Comparisons:
    names = ("model_a", "model_b", "winner", "prompt", "voter")
    return Comparisons.from_frame(
        {name: table[name][rows].tolist() for name in names if name in table}
    )


def llmfao(data: Path) -> Real:
    votes, verdicts = columns(data / "llmfao_votes.csv"), columns(data / "llmfao_judges.csv")
    judges = {
        str(name): taken(verdicts, verdicts["source"] == name)
        for name in np.unique(verdicts["source"])
    }
    every = np.ones(len(votes["pair"]), dtype=bool)
    return Real(taken(votes, every), np.unique(votes["pair"], return_inverse=True)[1], judges)


def pandalm(data: Path) -> Real:
    rows = columns(data / "pandalm.csv")
    read, people = rows["winner"] != "unparsed", np.char.startswith(rows["source"], "human")
    judges = {
        str(name): taken(rows, read & (rows["source"] == name))
        for name in np.unique(rows["source"][~people])
    }
    chosen = read & people
    battle = [
        " ".join(key)
        for key in zip(
            rows["prompt"][chosen], rows["model_a"][chosen], rows["model_b"][chosen], strict=True
        )
    ]
    return Real(taken(rows, chosen), np.unique(battle, return_inverse=True)[1], judges)


METHODS = ("human", "hierarchical", "ppi", "joint")


def combined(data: Path, draws: int) -> None:
    for name, real in (("LLMFAO", llmfao(data)), ("PandaLM", pandalm(data))):
        truth = combine(real.human, method="human").ratings
        pairs = int(real.pair.max()) + 1
        print(f"\n{name}: {len(truth)} models, {pairs} pairs, {draws} draws; Elo points\n")
        print(
            "| pairs with votes | method | error | of human-only | width | mean coverage "
            "| worst model |\n|---|---|---|---|---|---|---|"
        )
        for share in SHARES:
            picks = [
                np.isin(
                    real.pair,
                    np.random.default_rng(seed).choice(pairs, round(share * pairs), replace=False),
                )
                for seed in range(draws)
            ]
            compare(real, truth, share, picks)


def compare(real: Real, truth: np.ndarray, share: float, picks: list[np.ndarray]) -> None:
    alone = np.nan
    for method in METHODS:
        error, width, covered = [], [], []
        for pick in picks:
            r = combine(real.human.select(pick), real.judges, method=method)
            error.append(np.abs(r.ratings - truth).mean())
            width.append((r.ci_high - r.ci_low).mean())
            covered.append((r.ci_low <= truth) & (truth <= r.ci_high))
        alone = np.mean(error) if method == "human" else alone
        print(
            f"| {share:.0%} | {method} | {np.mean(error):.1f} | {np.mean(error) / alone:.2f} "
            f"| {np.mean(width):.0f} | {np.mean(covered):.3f} "
            f"| {np.mean(covered, axis=0).min():.2f} |",
            flush=True,
        )
