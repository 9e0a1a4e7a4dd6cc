"""What judges are worth beside people's votes, on real votes."""

import csv
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np

from arena.ratings import (
    WEAK_PRIOR,
    Comparisons,
    RatingResult,
    bradley_terry,
    combine,
    style_differences,
)
from arena.ratings.combined.stacked import ALL, StackingParts, stacked

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


def with_length(real: Real, texts: Path) -> Real:
    """The same with the difference in length of the two answers on every row."""
    rows = [json.loads(line) for line in texts.read_text(encoding="utf-8").splitlines()]
    sides = ([str(row[f"answer_{side}"]) for row in rows] for side in "ab")
    length = style_differences(*sides)["length"]
    found = {}
    for row, difference in zip(rows, length, strict=True):
        found[str(row["prompt"]), row["model_a"], row["model_b"]] = difference
        found[str(row["prompt"]), row["model_b"], row["model_a"]] = -difference

    def styled(c: Comparisons) -> Comparisons:
        prompt = c.group("prompt")
        battles = zip(prompt.labels[prompt.codes], c.i, c.j, strict=True)
        column = [found[str(p), c.models[i], c.models[j]] for p, i, j in battles]
        return replace(c, style={"length": np.array(column)})

    return replace(real, judges={name: styled(c) for name, c in real.judges.items()})


METHODS = ("human", "hierarchical", "stacked", "ppi", "joint")
# What `stacked` is made of, switched on one by one; the last takes the length of answers too.
PARTS = {
    "stacked: judges as one": StackingParts(luck=False, doubt=False, spread=False),
    "and the weights' error": replace(ALL, luck=False, spread=False),
    "and a prior on τ": replace(ALL, luck=False),
    "and luck taken out": ALL,
    "and length": ALL,
}


def combined(data: Path, draws: int, shares: tuple[float, ...] = SHARES) -> None:
    sets = (
        ("LLMFAO", llmfao(data), data / "llmfao_pairs.jsonl"),
        ("PandaLM", pandalm(data), data / "pandalm_texts.jsonl"),
    )
    for name, real, texts in sets:
        truth = combine(real.human, method="human").ratings
        pairs = int(real.pair.max()) + 1
        print(f"\n{name}: {len(truth)} models, {pairs} pairs, {draws} draws; Elo points\n")
        print(
            "| pairs with votes | method | error | of human-only | width | mean coverage "
            "| worst model |\n|---|---|---|---|---|---|---|"
        )
        for share in shares:
            picks = [
                np.isin(
                    real.pair,
                    np.random.default_rng(seed).choice(pairs, round(share * pairs), replace=False),
                )
                for seed in range(draws)
            ]
            compare(real, with_length(real, texts), truth, share, picks)


def rated(real: Real, pick: np.ndarray, method: str) -> RatingResult:
    """Ratings of all models by the picked votes; without judges by a weak prior."""
    human = real.human.select(pick)
    if method == "human":
        return bradley_terry(human, prior=WEAK_PRIOR)
    if method in METHODS:
        return combine(human, real.judges, method=method)
    part = partial(stacked, parts=PARTS[method])
    with patch("arena.ratings.combined.combine.stacked", part):
        return combine(human, real.judges, method="stacked")


def compare(
    real: Real, styled: Real, truth: np.ndarray, share: float, picks: list[np.ndarray]
) -> None:
    alone = np.nan
    for method in (*METHODS, *PARTS):
        error, width, covered = [], [], []
        for pick in picks:
            r = rated(styled if method == "and length" else real, pick, method)
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
