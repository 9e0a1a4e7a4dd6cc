"""What a voter's time buys: error against votes, by how the next pair is chosen.

OMP_NUM_THREADS=1 PYTHONPATH=. python -m bench.pairing crowds|real|duel|outlook|baseline|all
"""

import argparse
import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from arena.ratings import Comparisons, believed, bradley_terry, prospect, star
from arena.ratings.fitting.likelihood import fit_counts, precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.pairing.draws import EXPLORATION, draws
from arena.ratings.scale import POINTS_PER_LOG, WEAK_PRIOR, to_log
from bench.compare import SHARED, llmfao, pandalm

BATCH = 32  # votes between two fits, as in the app
TOP = 5
# Votes a model has on average where the error is measured.
LOOKS = (10, 20, 40)
JUDGE_ERROR = 80.0  # Elo points by which what a judge predicts is taken to miss people's rating


class Target(StrEnum):
    """All ratings alike; the order of all models; that of neighbours; who is in the first few."""

    TOTAL = "total"
    ORDER = "order"
    NEIGHBOURS = "neighbours"
    TOP = "top"


def weights(theta: np.ndarray, inverse: np.ndarray, target: Target, top: int) -> np.ndarray:
    """(m, m) the Laplacian W, where tr(W V) is the cost of what is not known.

    A unit of the variance of a difference d costs the slope of the expected loss by it: with s its
    standard error, and a loss of |d| where the two are put the wrong way round, that is
    φ(d/s) / 2s.

    theta: (m,) log-strengths; inverse: (m, m) their covariance V. top: how many are the first few.
    """
    models = len(theta)
    if target is Target.TOTAL:
        return np.eye(models) - 1.0 / models
    variance = np.diagonal(inverse)
    apart = np.maximum(variance[:, None] + variance - 2.0 * inverse, np.finfo(float).tiny)
    error = np.sqrt(apart)
    z = (theta[:, None] - theta) / error
    open_ = np.exp(-0.5 * z**2) / (2.0 * math.sqrt(2.0 * math.pi) * error)
    place = np.empty(models, dtype=int)
    place[np.argsort(-theta, kind="stable")] = np.arange(models)
    distance = np.abs(place[:, None] - place)
    if target is Target.NEIGHBOURS:
        open_ = open_ * (distance == 1)
    if target is Target.TOP:
        first = place < min(top, models - 1)
        open_ = open_ * (first[:, None] != first)
    np.fill_diagonal(open_, 0.0)
    laplacian: np.ndarray = np.diag(open_.sum(axis=1)) - open_
    return laplacian


@dataclass(frozen=True)
class Rule:
    """How pairs are chosen, and ratings estimated.

    target: None is all pairs alike. informed: ratings begin with what a judge says, and so does
    the choice of pairs, where `chooses`.
    """

    name: str
    target: Target | None
    informed: bool = False
    chooses: bool = True


RULES = (
    Rule("uniform", None),
    Rule("total variance (today)", Target.TOTAL),
    Rule("order of all", Target.ORDER),
    Rule("order of neighbours", Target.NEIGHBOURS),
    Rule("the first five", Target.TOP),
    Rule("uniform, from a judge", None, informed=True),
    Rule("total variance, from a judge", Target.TOTAL, informed=True),
    Rule("order of all, from a judge", Target.ORDER, informed=True),
    Rule("the first five, from a judge", Target.TOP, informed=True),
)


@dataclass(frozen=True)
class Crowd:
    """Where votes come from.

    truth: (m,) log-strengths that votes are to find. judged: (m,) what a judge
    predicts of them; how much its ratings spread beside people's is taken to be known.
    vote: (i, j, dice) the share of the win that goes to i; None where there is none left.
    left: (m, m) 1 for each pair i < j that has votes left.
    """

    truth: np.ndarray
    judged: np.ndarray
    vote: Callable[[int, int, np.random.Generator], float]
    left: Callable[[], np.ndarray]


@dataclass
class Votes:
    """What was said so far, as columns."""

    i: list[int] = field(default_factory=list)
    j: list[int] = field(default_factory=list)
    outcome: list[float] = field(default_factory=list)
    chance: list[float] = field(default_factory=list)

    def comparisons(self, models: int, *, weighted: bool) -> Comparisons:
        return Comparisons(
            tuple(f"m{k:03d}" for k in range(models)),
            np.array(self.i, dtype=np.int32),
            np.array(self.j, dtype=np.int32),
            np.array(self.outcome),
            propensity=np.array(self.chance) if weighted else None,
        )


def estimate(
    votes: Votes, models: int, judged: np.ndarray | None, *, weighted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Log-strengths and their covariance; judged: the mean of a prior, None is a weak one."""
    prior = WEAK_PRIOR if judged is None else JUDGE_ERROR
    precision = precision_of(models, prior)
    if not votes.i:
        mean = np.zeros(models) if judged is None else judged
        return mean, np.linalg.pinv(precision)
    counts = votes.comparisons(models, weighted=weighted).pair_counts
    theta, hessian = fit_counts(counts, precision, judged)
    return theta, bread(hessian, models)


def replay(
    crowd: Crowd, rule: Rule, looks: Sequence[int], seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Estimates, plain and weighted by inverse propensity, after so many votes."""
    rng, models = np.random.default_rng(seed), len(crowd.truth)
    votes, found = Votes(), []
    judged = crowd.judged if rule.informed else None
    known = judged if rule.chooses else None
    for look in looks:
        while len(votes.i) < look:
            before = len(votes.i)
            _batch(crowd, rule, known, votes, min(BATCH, look - before), rng)
            assert len(votes.i) > before, "no votes are left"
        found.append(tuple(estimate(votes, models, judged, weighted=w)[0] for w in (False, True)))
    return found


def _batch(
    crowd: Crowd,
    rule: Rule,
    judged: np.ndarray | None,
    votes: Votes,
    n: int,
    rng: np.random.Generator,
) -> None:
    """n votes, on pairs chosen by what is known before the first of them."""
    models = len(crowd.truth)
    theta, inverse = estimate(votes, models, judged, weighted=False)
    uniform = rule.target is None
    wanted = weights(theta, inverse, rule.target or Target.TOTAL, TOP)
    exploration = 1.0 if uniform else EXPLORATION
    steps = draws(theta, inverse, exploration, crowd.left(), rng, wanted)
    for _ in range(n):
        step = next(steps)
        if not crowd.left()[step.i, step.j]:
            return  # used up within the batch; the next one knows
        votes.i.append(step.i)
        votes.j.append(step.j)
        votes.outcome.append(crowd.vote(step.i, step.j, rng))
        votes.chance.append(step.chance)


def simulated(models: int, spread: float, odd: float, seed: int) -> Crowd:
    """Strengths that spread by so many Elo points; ties; pairs that are odd by `odd` log-odds.

    The truth of odd pairs is the rating by all of them alike.
    """
    rng = np.random.default_rng([11, models, seed])
    theta = rng.normal(0.0, spread / POINTS_PER_LOG, models)
    gap = theta[:, None] - theta
    noise = np.triu(rng.normal(0.0, odd, (models, models)), 1)
    gap = gap + noise - noise.T
    p = 1.0 / (1.0 + np.exp(-gap))
    tie = 0.3 * np.sqrt(p * (1.0 - p)) * 2.0
    judged = theta + rng.normal(0.0, 100.0 / POINTS_PER_LOG, models)
    even = np.triu(np.ones((models, models)), 1)

    def vote(i: int, j: int, dice: np.random.Generator) -> float:
        if dice.random() < tie[i, j]:
            return 0.5
        won = (p[i, j] - tie[i, j] / 2) / (1.0 - tie[i, j])
        return float(dice.random() < won)

    truth = _all_alike(p)
    return Crowd(truth, _on_scale(judged, truth), vote, lambda: even)


def _on_scale(judged: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The judge's ratings as they predict people's, by a line."""
    said, known = judged - judged.mean(), truth - truth.mean()
    predicted: np.ndarray = said * float(said @ known) / float(said @ said)
    return predicted


def _all_alike(p: np.ndarray) -> np.ndarray:
    """(m,) log-strengths of expected shares (m, m), each pair counting the same."""
    models = len(p)
    i, j = np.triu_indices(models, 1)
    names = tuple(f"m{k:03d}" for k in range(models))
    c = Comparisons(names, i.astype(np.int32), j.astype(np.int32), p[i, j])
    return to_log(bradley_terry(c, interval=None).ratings)


def stored(c: Comparisons, judged: np.ndarray, seed: int) -> Crowd:
    """Half of the votes, chosen by chance, to draw from; the other half says what is true."""
    rng = np.random.default_rng([12, seed])
    half = rng.random(len(c)) < 0.5
    truth = to_log(bradley_terry(c.select(~half), interval=None, prior="auto").ratings)
    low, high = np.minimum(c.i, c.j), np.maximum(c.i, c.j)
    share = np.where(c.i == low, c.outcome, 1.0 - c.outcome)
    left: dict[tuple[int, int], list[float]] = {}
    for row in rng.permutation(np.flatnonzero(half)):
        left.setdefault((int(low[row]), int(high[row])), []).append(float(share[row]))
    possible = np.zeros((len(c.models), len(c.models)))
    for pair in left:
        possible[pair] = 1.0

    def vote(i: int, j: int, _: np.random.Generator) -> float:
        said = left[i, j].pop()
        possible[i, j] = float(bool(left[i, j]))
        return said

    return Crowd(truth, _on_scale(judged, truth), vote, lambda: possible)


def judge_of(file: str, source: str, models: Sequence[str], prompt: str) -> np.ndarray:
    """(m,) a judge's log-strengths of these models."""
    with (SHARED / file).open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["source"] == source]
    rows = [row for row in rows if row["winner"] != "unparsed"]
    said = Comparisons.from_columns(
        [row["model_a"] for row in rows],
        [row["model_b"] for row in rows],
        [row["winner"] for row in rows],
        prompt=[row[prompt] for row in rows],
    ).aligned(list(models))
    return to_log(bradley_terry(said, interval=None, prior="auto").ratings)


def errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Root mean square in Elo points; shares of pairs and of neighbours the wrong way round, and
    of the true first five that were missed."""
    away = (found - found.mean()) - (truth - truth.mean())
    i, j = np.triu_indices(len(truth), 1)
    wrong = (found[i] - found[j]) * (truth[i] - truth[j]) <= 0.0
    order = np.argsort(-truth)
    beside = (found[order[:-1]] - found[order[1:]]) <= 0.0
    top = min(TOP, len(truth) - 1)
    missed = 1.0 - len(set(order[:top]) & set(np.argsort(-found)[:top])) / top
    rms = POINTS_PER_LOG * float(np.sqrt(np.mean(away**2)))
    return np.array([rms, 100 * wrong.mean(), 100 * beside.mean(), 100 * missed])


def table(name: str, crowd_of: Callable[[int], Crowd], repeats: int) -> None:
    models = len(crowd_of(0).truth)
    looks = [models * each for each in LOOKS]
    print(f"\n### {name}: {models} models, {repeats} runs\n")
    heads = "error, Elo | pairs wrong | neighbours wrong | first five missed"
    print(f"| rule | votes a model | {heads} | error, weighted | pairs wrong, weighted |")
    print("|---|---|---|---|---|---|---|---|")
    for rule in RULES:
        runs = []
        for seed in range(repeats):
            crowd = crowd_of(seed)
            found = replay(crowd, rule, looks, seed)
            runs.append([[errors(one, crowd.truth) for one in look] for look in found])
        for k, each in enumerate(LOOKS):
            plain, weighted = np.mean(runs, axis=0)[k]
            cells = [f"{plain[0]:.1f}", *(f"{value:.1f} %" for value in plain[1:])]
            cells += [f"{weighted[0]:.1f}", f"{weighted[1]:.1f} %"]
            print(f"| {rule.name} | {each} | {' | '.join(cells)} |", flush=True)


def crowds(repeats: int) -> None:
    for name, models, spread, odd in (
        ("a crowd", 12, 120.0, 0.0),
        ("a crowd with odd pairs", 12, 120.0, 0.5),
        ("a large crowd", 40, 150.0, 0.3),
    ):
        kept = {seed: simulated(models, spread, odd, seed) for seed in range(repeats)}
        table(name, kept.__getitem__, repeats)


DUEL = (
    Rule("uniform", None, informed=True),
    Rule("total variance (today)", Target.TOTAL, informed=True, chooses=False),
    Rule("order of all", Target.ORDER, informed=True, chooses=False),
    Rule("total variance, from the judge", Target.TOTAL, informed=True),
    Rule("order of all, from the judge", Target.ORDER, informed=True),
)


def duel(repeats: int) -> None:
    """Whether the choice of pairs matters where ratings begin with a judge, as the app's do."""
    looks, runs = (60, 120, 240), 10 * repeats
    for name, odd in (("a crowd", 0.0), ("a crowd with odd pairs", 0.5)):
        print(f"\n### {name} of 12 models, {runs} runs; pairs wrong, weighted, minus uniform\n")
        print(f"| rule | {' | '.join(f'{look} votes' for look in looks)} |\n|---|---|---|---|")
        even = np.zeros((runs, len(looks)))
        for rule in DUEL:
            wrong = np.array([_wrong(simulated(12, 120.0, odd, s), rule, looks, s)
                              for s in range(runs)])  # fmt: skip
            even = wrong if rule.target is None else even
            gap, error = (wrong - even).mean(axis=0), (wrong - even).std(axis=0) / math.sqrt(runs)
            cells = [
                f"{wrong.mean(axis=0)[k]:.1f} % ({gap[k]:+.2f} ± {error[k]:.2f})"
                for k in range(len(looks))
            ]
            print(f"| {rule.name} | {' | '.join(cells)} |", flush=True)


def _wrong(crowd: Crowd, rule: Rule, looks: Sequence[int], seed: int) -> list[float]:
    """The share of pairs that the weighted estimate has the wrong way round, in per cent."""
    return [float(errors(look[1], crowd.truth)[1]) for look in replay(crowd, rule, looks, seed)]


def real(repeats: int) -> None:
    votes = llmfao()
    judged = judge_of("llmfao_judges.csv", "gpt-4", votes.models, "pair")
    table("LLMFAO", lambda seed: stored(votes, judged, seed), repeats)
    votes = pandalm()
    judged = judge_of("pandalm.csv", "gpt-3.5-turbo", votes.models, "prompt")
    table("PandaLM", lambda seed: stored(votes, judged, seed), repeats)


def outlook(repeats: int) -> None:
    """What the next 100 votes were expected to settle, and what they did."""
    print(f"\n### What 100 votes settle, {10 * repeats} crowds of 12 models\n")
    print("| votes before | open neighbours | expected to be settled | settled |")
    print("|---|---|---|---|")
    for before in (120, 240, 480):
        rows = [_settled(before, seed) for seed in range(10 * repeats)]
        open_, expected, settled = np.mean([row for row in rows if row], axis=0)
        print(f"| {before} | {open_:.2f} | {expected:.2f} | {settled:.2f} |", flush=True)


def _settled(before: int, seed: int) -> list[float] | None:
    crowd, rng, models = simulated(12, 120.0, 0.0, seed), np.random.default_rng([13, seed]), 12
    votes = Votes()
    _batch(crowd, Rule("", None), None, votes, before, rng)
    found = prospect(votes.comparisons(models, weighted=False))
    if found is None:
        return None
    theta, inverse = estimate(votes, models, None, weighted=False)
    order = np.argsort(-theta)
    was_open = ~_told(theta, inverse, order)
    for _ in range(4):
        _batch(crowd, Rule("", Target.TOTAL), None, votes, 25, rng)
    now = _told(*estimate(votes, models, None, weighted=False), order)
    return [float(found.open), found.settled, float((now & was_open).sum())]


def _told(theta: np.ndarray, inverse: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(m - 1,) whether the neighbours of an order are told apart."""
    upper, lower = order[:-1], order[1:]
    apart = inverse[upper, upper] + inverse[lower, lower] - 2.0 * inverse[upper, lower]
    told: np.ndarray = np.abs(theta[upper] - theta[lower]) > 1.96 * np.sqrt(apart)
    return told


def baseline(repeats: int) -> None:
    """How much wider intervals are with one baseline, as `star` says and as fits have them."""
    votes = pandalm()
    theta, _ = believed(votes)
    print(f"\n### PandaLM's votes, each model as the baseline, {repeats} draws of all pairs\n")
    print("| baseline | rating | of 4, lopsided | wider, expected | wider, by fits |")
    print("|---|---|---|---|---|")
    for k in np.argsort(-theta):
        design = star(votes.models, theta, votes.models[k])
        own = np.flatnonzero((votes.i == k) | (votes.j == k))
        rng = np.random.default_rng([14, int(k)])
        even = [_width(votes, _spread_evenly(votes, len(own), rng)) for _ in range(repeats)]
        wider = _width(votes, own) / float(np.sqrt(np.mean(np.square(even))))
        rating = f"{1000 + POINTS_PER_LOG * theta[k]:.0f}"
        cells = [votes.models[k], rating, str(design.silent), f"{design.wider:.2f}", f"{wider:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def _spread_evenly(c: Comparisons, n: int, rng: np.random.Generator) -> np.ndarray:
    """About n rows, as many of each pair of models, and all that was said of a prompt."""
    assert c.prompt is not None
    pair = np.minimum(c.i, c.j) * len(c.models) + np.maximum(c.i, c.j)
    kinds, rows = np.unique(pair), []
    for one in kinds:
        own = np.flatnonzero(pair == one)
        prompts = rng.permutation(np.unique(c.prompt.codes[own]))
        wanted = round(n / len(kinds) * len(prompts) / len(own))
        rows.append(own[np.isin(c.prompt.codes[own], prompts[:wanted])])
    return np.concatenate(rows)


def _width(c: Comparisons, rows: np.ndarray) -> float:
    """Root mean square, over pairs of models, of the error of their difference."""
    fitted = bradley_terry(c.select(rows), prior="auto")
    assert fitted.covariance is not None
    models = len(c.models)
    return float(np.sqrt(2.0 * np.trace(fitted.covariance) / (models - 1)))


PARTS: Mapping[str, Callable[[int], None]] = {
    "crowds": crowds,
    "real": real,
    "duel": duel,
    "outlook": outlook,
    "baseline": baseline,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=(*PARTS, "all"))
    parser.add_argument("--repeats", type=int, default=40)
    args = parser.parse_args()
    for name, part in PARTS.items():
        if args.what in (name, "all"):
            part(args.repeats)


if __name__ == "__main__":
    main()
