"""Whether intervals cover the truth, in simulated worlds that have one."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from arena.ratings import Comparisons, bradley_terry, combine
from arena.ratings.factors import Factor
from arena.records.errors import RatingError

POINTS = 400 / np.log(10)


@dataclass(frozen=True)
class World:
    """What is true, and how data come from it.

    share: how often each model is met; a pair is met as often as the product says.
    davidson: ν of a tie model; None ties a share `ties` of all battles at random.
    repeats: rows to a prompt, all of one outcome.
    """

    theta: np.ndarray
    rows: int
    share: np.ndarray
    ties: float = 0.2
    davidson: float | None = None
    repeats: int = 1

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Both sides of every pair, and how often it is met."""
        i, j = np.triu_indices(len(self.theta), 1)
        met = self.share[i] * self.share[j]
        return i, j, met / met.sum()

    def chances(self, gap: np.ndarray) -> np.ndarray:
        """(3, n) probability of win, tie and loss."""
        if self.davidson is None:
            won = 1 / (1 + np.exp(-gap))
            tied = np.full(len(gap), self.ties)
            return np.stack([(1 - tied) * won, tied, (1 - tied) * (1 - won)])
        weight = np.stack([np.exp(gap / 2), np.full(len(gap), self.davidson), np.exp(-gap / 2)])
        return weight / weight.sum(axis=0)

    def comparisons(self, i: Any, j: Any, outcome: Any, **columns: Any) -> Comparisons:
        models = tuple(f"m{k:02d}" for k in range(len(self.theta)))
        codes = (np.asarray(side, dtype=np.int32) for side in (i, j))
        return Comparisons(models, *codes, np.asarray(outcome, dtype=float), **columns)


def target(world: World) -> np.ndarray:
    """Ratings that endless data of this world would give, in Elo points."""
    i, j, met = world.pairs()
    win, tie, _ = world.chances(world.theta[i] - world.theta[j])
    return bradley_terry(world.comparisons(i, j, win + tie / 2, weight=met), interval=None).ratings


def sample(world: World, rng: np.random.Generator) -> Comparisons:
    """One data set; rows that are alike are one row of their number's weight."""
    i, j, met = world.pairs()
    met_times = rng.multinomial(world.rows // world.repeats, met)
    chances = world.chances(world.theta[i] - world.theta[j])
    times = rng.multinomial(met_times, chances.T)
    pair, result = np.nonzero(times)
    outcome, count = 1.0 - result / 2, times[pair, result]
    if world.repeats == 1:
        return world.comparisons(i[pair], j[pair], outcome, weight=count.astype(float))
    rows = np.repeat(np.arange(len(pair)), count * world.repeats)
    prompt = np.arange(len(rows), dtype=np.int32) // world.repeats
    labels = np.arange(len(rows) // world.repeats).astype(object)
    return world.comparisons(
        i[pair][rows], j[pair][rows], outcome[rows], prompt=Factor(prompt, labels)
    )


def worlds() -> dict[str, tuple[World, dict[str, Any]]]:
    theta, even = np.linspace(-1, 1, 10), np.ones(10)
    newcomer = np.append(np.ones(9), 4 * 100 / 3.5e6)
    skewed = 10.0 ** -np.linspace(0, 2.5, 10)
    plain, bootstrap = {"cluster": None}, {"interval": "bootstrap", "rounds": 400}
    tripled, davidson = World(theta, 3000, even, repeats=3), World(theta, 2000, even, davidson=1.0)
    return {
        "well specified, sandwich": (World(theta, 2000, even), plain),
        "well specified, bootstrap": (World(theta, 2000, even), {**plain, **bootstrap}),
        "rows tripled, sandwich by prompt": (tripled, {"cluster": "prompt"}),
        "rows tripled, bootstrap by prompt": (tripled, {"cluster": "prompt", **bootstrap}),
        "rows tripled, not clustered (no claim)": (tripled, plain),
        "Davidson's ties, half-win fit": (davidson, plain),
        "Davidson's ties, Davidson fit": (davidson, {**plain, "ties": "davidson"}),
        "22 % ties": (World(theta, 2000, even, ties=0.22), plain),
        "60 % ties": (World(theta, 2000, even, ties=0.60), plain),
        "newcomer with 100 of 3.5 million": (World(theta, 3_500_000, newcomer), plain),
        "pair counts over five orders": (World(theta, 2_000_000, skewed), plain),
    }


def coverage(draws: int, only: str) -> None:
    print(f"{draws} data sets each, nominal 95 %\n")
    print("| world | mean | worst model | data sets without finite ratings |\n|---|---|---|---|")
    for place, (name, (world, options)) in enumerate(worlds().items()):
        if only not in name:
            continue
        # Davidson's own strengths are its truth; half wins have another one under its ties.
        truth = world.theta * POINTS + 1000 if "ties" in options else target(world)
        covered = []
        for seed in range(draws):
            try:
                r = bradley_terry(sample(world, np.random.default_rng([place, seed])), **options)
            except RatingError:
                continue
            covered.append((r.ci_low <= truth) & (truth <= r.ci_high))
        report(name, covered, draws)
    for method, name in product(("ppi", "hierarchical"), JUDGES):
        if only not in f"{method}, {name} judge":
            continue
        covered = []
        for seed in range(draws):
            truth, human, judge = judged(name, np.random.default_rng(seed))
            r = combine(human, {"judge": judge}, method=method)
            covered.append((r.ci_low <= truth) & (truth <= r.ci_high))
        report(f"{method}, {name} judge", covered, draws)


def report(name: str, covered: list[np.ndarray], draws: int) -> None:
    mean, worst = np.mean(covered), np.mean(covered, axis=0).min()
    print(f"| {name} | {mean:.3f} | {worst:.3f} | {draws - len(covered)} |", flush=True)


JUDGES = ("good", "length-biased", "position-biased", "random")


def judged(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, Comparisons, Comparisons]:
    """The truth, 600 votes, and a judge's verdicts on those and 2,400 battles more.

    People and judge share a battle's luck: an answer may be better than its model's usual.
    """
    world = World(np.linspace(-1, 1, 8), 3000, np.ones(8))
    i, j, met = world.pairs()
    pair = rng.choice(len(met), world.rows, p=met)
    flip = rng.random(world.rows) < 0.5
    left, right = np.where(flip, j[pair], i[pair]), np.where(flip, i[pair], j[pair])
    gap = world.theta[left] - world.theta[right]
    people = (rng.random(world.rows) < 1 / (1 + np.exp(-gap))).astype(float)
    verbosity = np.linspace(1, -1, 8)[rng.permutation(8)]
    lean = {
        "good": 3 * (people - 0.5),
        "length-biased": 2 * (people - 0.5) + 2 * (verbosity[left] - verbosity[right]),
        "position-biased": 3 * (people - 0.5) + 1.5,
        "random": np.zeros(world.rows),
    }[kind]
    verdict = (rng.random(world.rows) < 1 / (1 + np.exp(-lean))).astype(float)
    prompt = np.arange(world.rows, dtype=np.int32) // 2
    factor = Factor(prompt, np.arange(world.rows // 2).astype(object))
    voted = np.isin(prompt, rng.choice(world.rows // 2, 300, replace=False))
    human = world.comparisons(left, right, people, prompt=factor).select(voted)
    judge = world.comparisons(left, right, verdict, prompt=factor)
    return world.theta * POINTS + 1000, human, judge
