"""Whether judges as one keep their promises, in simulated worlds of many judges.

20 models, 3,000 battles on 1,000 prompts. A battle has a luck of its own (sd 1 in log-odds) that
people see, and judges in part. All judges of a world share an error of each model, and each has
one of its own; they answer in both orders unless the world says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from arena.ratings import WEAK_PRIOR, Comparisons, RatingResult, bradley_terry, combine
from arena.ratings.factors import Factor

MODELS, BATTLES, LUCK, SPREAD = 20, 3000, 1.0, 0.6
VOTES = (200, 1000)


@dataclass(frozen=True)
class JudgeKind:
    """How a judge comes to its log-odds.

    own: sd of its error of each model. keen: the scale. sees: its share of a battle's luck.
    noise: sd of what it makes up.
    """

    own: float = 0.0
    keen: float = 0.0
    sees: float = 0.0
    noise: float = 1.0


GOOD, FAIR = JudgeKind(0.15, 1.5, 0.8, 0.8), JudgeKind(0.3, 1.0, 0.5, 1.0)
POOR, SILENT = JudgeKind(0.6, 0.6, 0.2, 1.2), JudgeKind()


@dataclass(frozen=True)
class JudgedWorld:
    """judges: the best first. shared: sd of the error that all judges share.

    copies: how often the first judge comes again. one_order: one verdict a battle.
    length: how much judges like the longer answer, which people do not; styled: the rows say
    how long the answers are.
    """

    judges: tuple[JudgeKind, ...]
    shared: float = 0.15
    copies: int = 0
    one_order: bool = False
    length: float = 0.0
    styled: bool = False


WORLDS = {
    "one good": JudgedWorld((GOOD,)),
    "good and fair, in one order": JudgedWorld((GOOD, FAIR), one_order=True),
    "good, fair, poor": JudgedWorld((GOOD, FAIR, POOR)),
    "good, two fair, all share a bias": JudgedWorld((GOOD, FAIR, FAIR), shared=0.35),
    "good under three names, fair": JudgedWorld((GOOD, FAIR), copies=2),
    "good and five poor": JudgedWorld((GOOD, *[POOR] * 5)),
    "good and five silent": JudgedWorld((GOOD, *[SILENT] * 5)),
    "three silent": JudgedWorld((SILENT,) * 3),
    "twelve of all kinds": JudgedWorld((*[GOOD] * 3, *[FAIR] * 4, *[POOR] * 3, *[SILENT] * 2)),
    "all like length": JudgedWorld((GOOD, FAIR, FAIR), length=1.2),
    "all like length, lengths known": JudgedWorld((GOOD, FAIR, FAIR), length=1.2, styled=True),
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """One data set. truth: (m,) what endless votes would give, in Elo points."""

    truth: np.ndarray
    human: Comparisons
    judges: Mapping[str, Comparisons]


def drawn(world: JudgedWorld, votes: int, rng: np.random.Generator) -> Drawn:
    theta, common = rng.normal(0, SPREAD, MODELS), rng.normal(0, world.shared, MODELS)
    i = rng.integers(MODELS, size=BATTLES)
    j = (i + rng.integers(1, MODELS, BATTLES)) % MODELS
    luck = rng.normal(0, LUCK, BATTLES)
    longer = rng.normal(0, 0.3, MODELS)
    length = np.tanh(longer[i] - longer[j] + rng.normal(0, 0.5, BATTLES))
    prompt = Factor(
        (np.arange(BATTLES) // 3).astype(np.int32), np.arange(BATTLES // 3).astype(object)
    )

    def rows(outcome: np.ndarray) -> Comparisons:
        names = tuple(f"m{k:02d}" for k in range(MODELS))
        style = {"length": length} if world.styled else {}
        sides = (side.astype(np.int32) for side in (i, j))
        return Comparisons(names, *sides, outcome.astype(float), prompt=prompt, style=style)

    def verdicts(kind: JudgeKind) -> Comparisons:
        seen = theta + common + rng.normal(0, kind.own, MODELS)
        odds = seen[i] - seen[j] + kind.sees * luck + world.length * length
        chance = logistic(1.5 * (kind.keen * odds + kind.noise * rng.normal(size=BATTLES)))
        asked = 1 if world.one_order else 2
        return rows(rng.binomial(asked, chance) / asked)

    people = rows(rng.random(BATTLES) < logistic(theta[i] - theta[j] + luck))
    judges = {f"judge {k:02d}": verdicts(kind) for k, kind in enumerate(world.judges)}
    judges |= {f"judge 00 again {k}": judges["judge 00"] for k in range(world.copies)}
    picked = np.sort(rng.choice(BATTLES, votes, replace=False))
    return Drawn(endless(theta), people.select(picked), judges)


def logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def endless(theta: np.ndarray) -> np.ndarray:
    """Ratings by endless votes on endless battles, whose luck is averaged out."""
    points, share = np.polynomial.hermite_e.hermegauss(31)
    i, j = np.triu_indices(len(theta), 1)
    won = logistic((theta[i] - theta[j])[:, None] + LUCK * points) @ (share / share.sum())
    names = tuple(f"m{k:02d}" for k in range(len(theta)))
    sides = (side.astype(np.int32) for side in (i, j))
    return bradley_terry(Comparisons(names, *sides, won), interval=None).ratings


def ways(data: Drawn) -> dict[str, RatingResult]:
    best = {"judge 00": data.judges["judge 00"]}
    return {
        "human": bradley_terry(data.human, prior=WEAK_PRIOR),
        "hierarchical, best judge alone": combine(data.human, best, method="hierarchical"),
        "hierarchical": combine(data.human, data.judges, method="hierarchical"),
        "stacked, best judge alone": combine(data.human, best, method="stacked"),
        "stacked": combine(data.human, data.judges, method="stacked"),
    }


def judges(draws: int, only: str) -> None:
    print(f"{draws} data sets each, nominal 95 %; Elo points\n")
    print("| judges | votes | method | error | of human-only | width | mean coverage |")
    print("|---|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        for votes in VOTES if only in name else ():
            seeds = (np.random.default_rng([crc32(name.encode()), s]) for s in range(draws))
            summarise(name, votes, [drawn(world, votes, rng) for rng in seeds])


def summarise(name: str, votes: int, sets: list[Drawn]) -> None:
    found: dict[str, list[tuple[float, float, float]]] = {}
    for data in sets:
        for method, r in ways(data).items():
            assert r.ci_low is not None
            assert r.ci_high is not None
            covered = (r.ci_low <= data.truth) & (data.truth <= r.ci_high)
            error = float(np.abs(r.ratings - data.truth).mean())
            width = float((r.ci_high - r.ci_low).mean())
            found.setdefault(method, []).append((error, width, float(covered.mean())))
    alone = np.mean([error for error, _, _ in found["human"]])
    for method, figures in found.items():
        error, width, coverage = np.mean(figures, axis=0)
        print(
            f"| {name} | {votes} | {method} | {error:.1f} | {error / alone:.2f} "
            f"| {width:.0f} | {coverage:.3f} |",
            flush=True,
        )
