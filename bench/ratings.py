"""The rating engine beside its peers, its coverage, and what judges are worth on real votes.

    python bench/ratings.py speed       # with the peers installed in the same environment
    python bench/ratings.py coverage [--draws 1000]
    python bench/ratings.py combined [--draws 200] [--data ../shared/datasets]

Each prints its table as Markdown. Timings are the best of several in one process; a peer
that is not installed is left out.
"""

import argparse
import csv
import importlib.util
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import RatingError
from arena.ratings import Comparisons, Online, bradley_terry, combine
from arena.ratings.factors import Factor

BATTLES, MODELS, TIES = 2_000_000, 200, 0.2
# What an answer has of it on average, and the log-odds of having all of what both have.
STYLE = (("length", 300.0), ("headers", 1.0), ("lists", 4.0), ("bold", 3.0))
EFFECTS = (0.8, 0.3, 0.1, 0.0)
SHARES = (0.05, 0.10, 0.20, 0.50)
POINTS = 400 / np.log(10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    commands.add_parser("speed").set_defaults(run=lambda _: speed())
    coverage_ = commands.add_parser("coverage")
    coverage_.add_argument("--draws", type=int, default=1000)
    coverage_.add_argument("--only", default="", help="worlds whose name holds this")
    coverage_.set_defaults(run=lambda args: coverage(args.draws, args.only))
    combined_ = commands.add_parser("combined")
    combined_.add_argument("--draws", type=int, default=200)
    combined_.add_argument("--data", type=Path, default=Path("../shared/datasets"))
    combined_.set_defaults(run=lambda args: combined(args.data, args.draws))
    args = parser.parse_args()
    args.run(args)


# Speed ---------------------------------------------------------------------------------------


def battles() -> Any:
    import pandas as pd

    rng = np.random.default_rng(0)
    names = np.array([f"model-{k:03d}" for k in range(MODELS)])
    i = rng.integers(0, MODELS, BATTLES)
    j = (i + rng.integers(1, MODELS, BATTLES)) % MODELS
    theta = rng.normal(0, 1, MODELS)
    counts = {name: rng.poisson(mean * rng.gamma(2.0, 0.5, (2, BATTLES))) for name, mean in STYLE}
    odds = theta[i] - theta[j]
    for effect, (a, b) in zip(EFFECTS, counts.values(), strict=True):
        odds += effect * (a - b) / np.maximum(a + b, 1)
    won = rng.random(BATTLES) < 1 / (1 + np.exp(-odds))
    label = np.where(rng.random(BATTLES) < TIES, 2, np.where(won, 0, 1))
    winner = np.array(["model_a", "model_b", "tie"])[label]
    frame = pd.DataFrame({"model_a": names[i], "model_b": names[j], "winner": winner})
    for name, (a, b) in counts.items():
        frame[f"{name}_a"], frame[f"{name}_b"] = a, b
    return frame


def best(task: Callable[..., Any], times: int = 3, given: Callable[[], Any] | None = None) -> float:
    """Seconds of the fastest run; given: makes the argument of each, and is not timed."""
    seconds = []
    for _ in range(times):
        arguments = () if given is None else (given(),)
        start = time.perf_counter()
        task(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def fresh(c: Comparisons) -> Comparisons:
    """The same columns without what was counted before."""
    return replace(c)


def speed() -> None:
    frame = battles()
    plain = frame[["model_a", "model_b", "winner"]]
    print(f"{BATTLES:,} battles, {MODELS} models, {TIES:.0%} ties; seconds, best of 3\n")
    print("| what | seconds |\n|---|---|")
    for name, seconds in chain(ours(plain, frame), peers(plain, frame)):
        print(f"| {name} | {seconds:.4f} |", flush=True)
    tracemalloc.start()
    bradley_terry(Comparisons.from_frame(plain))
    peak = tracemalloc.get_traced_memory()[1]
    own = plain.memory_usage(deep=True).sum()
    print(f"\nPeak memory above the frame: {peak / own:.2f} of the frame's own {own / 1e6:.0f} MB")


def ours(plain: Any, frame: Any) -> Iterator[tuple[str, float]]:
    c = Comparisons.from_frame(plain)
    yield (
        "strings to ratings and 95 % intervals",
        best(lambda: bradley_terry(Comparisons.from_frame(plain)), 5),
    )
    yield "the fit after factorising", best(bradley_terry, 15, lambda: fresh(c))
    yield "the fit after counting", best(lambda: bradley_terry(c), 7)
    yield "simultaneous rank ranges", best(lambda: bradley_terry(c).rank_low)
    yield "1,000 bootstrap rounds", best(lambda: bradley_terry(c, interval="bootstrap"), 1)
    styled, style = Comparisons.from_frame(frame), [name for name, _ in STYLE]
    yield (
        "strings and counts to style control, 4 covariates, sandwich",
        best(lambda: bradley_terry(Comparisons.from_frame(frame), style=style)),
    )
    yield "the same after factorising", best(lambda: bradley_terry(fresh(styled), style=style))
    prompts = Comparisons.from_frame(plain.assign(prompt=np.arange(BATTLES) // 2))
    yield "sandwich clustered by 1,000,000 prompts", best(lambda: bradley_terry(fresh(prompts)), 2)
    state, counts = Online.of(c), c.pair_counts
    yield "one vote more: ratings and covariance", best(lambda: state.after(3, 7, 1.0), 50)
    yield (
        "one vote more: exact warm refit with intervals",
        best(lambda: Online._exact(state.models, counts, state.theta), 20),
    )


def peers(plain: Any, frame: Any) -> Iterator[tuple[str, float]]:
    if importlib.util.find_spec("arena_rank"):
        yield from arena_rank(plain, frame)
    if importlib.util.find_spec("evalica"):
        yield from evalica(plain)
    if importlib.util.find_spec("arenakit"):
        yield from arenakit(plain)
    if importlib.util.find_spec("fastchat"):
        yield from fastchat(plain, frame)


def arena_rank(plain: Any, frame: Any) -> Iterator[tuple[str, float]]:
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset, PairDataset

    def rate() -> None:
        data = PairDataset.from_pandas(plain)
        BradleyTerry(n_competitors=len(data.competitors)).compute_ratings_and_cis(data)

    styled, columns = plain.assign(**differences(frame)), [name for name, _ in STYLE]

    def rate_styled() -> None:
        data = ContextualPairDataset.from_pandas(styled, feature_cols=columns)
        model = ContextualBradleyTerry(n_competitors=len(data.competitors), n_features=4)
        model.compute_ratings_and_cis(data)

    yield "arena-rank 0.1.1, strings to ratings and intervals", best(rate)
    yield "arena-rank 0.1.1, contextual, 4 covariates", best(rate_styled, 1)


def evalica(plain: Any) -> Iterator[tuple[str, float]]:
    import evalica as peer

    label = {"model_a": peer.Winner.X, "model_b": peer.Winner.Y, "tie": peer.Winner.Draw}

    def rate() -> None:
        winners = [label[name] for name in plain["winner"]]
        peer.bradley_terry(plain["model_a"].tolist(), plain["model_b"].tolist(), winners)

    yield "evalica 0.4.2 bradley_terry, no intervals", best(rate)


def arenakit(plain: Any) -> Iterator[tuple[str, float]]:
    from arenakit.bt import fit_bt
    from arenakit.schema import PairCounts

    c = Comparisons.from_frame(plain)

    def rate() -> None:
        tables = [
            np.bincount(c.i[rows].astype(np.int64) * MODELS + c.j[rows], minlength=MODELS**2)
            .reshape(MODELS, MODELS)
            .astype(float)
            for rows in (c.outcome == 1, c.outcome == 0, c.outcome == 0.5)
        ]
        fit_bt(PairCounts(*tables))

    yield "arenakit 0.1.1 fit_bt from codes, no intervals", best(rate)


def fastchat(plain: Any, frame: Any) -> Iterator[tuple[str, float]]:
    """From its repository (`pip install git+https://…`): what PyPI has is older and slower."""
    from fastchat.serve.monitor import rating_systems as peer

    style = np.stack(list(differences(frame).values()), axis=1)
    features = (style - style.mean(axis=0)) / style.std(axis=0)
    told = plain.assign(conv_metadata=metadata(frame))

    def rate_styled() -> None:
        matchups, outcomes, models = peer.preprocess_for_elo(plain)
        peer.fit_contextual_bt(matchups, features, outcomes, models)

    yield "FastChat compute_bt, no intervals", best(lambda: peer.compute_bt(plain))
    yield (
        "FastChat compute_bootstrap_bt, 100 rounds",
        best(lambda: peer.compute_bootstrap_bt(plain, 100), 1),
    )
    yield (
        "FastChat compute_style_control, from counts, no intervals",
        best(lambda: peer.compute_style_control(told), 1),
    )
    yield "FastChat fit_contextual_bt, from features, no intervals", best(rate_styled)


def differences(frame: Any) -> dict[str, np.ndarray]:
    """(n,) each in [-1, 1]: what the first answer has more of, over what both have."""
    sides = {name: (frame[f"{name}_a"], frame[f"{name}_b"]) for name, _ in STYLE}
    return {n: ((a - b) / np.maximum(a + b, 1)).to_numpy() for n, (a, b) in sides.items()}


def metadata(frame: Any) -> list[dict[str, int]]:
    """The counts as FastChat's battle files hold them."""
    keys = ("sum_assistant_{}_tokens", "header_count_{}", "list_count_{}", "bold_count_{}")
    columns = {
        key.format(side): frame[f"{name}_{side}"].tolist()
        for key, (name, _) in zip(keys, STYLE, strict=True)
        for side in "ab"
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# Coverage ------------------------------------------------------------------------------------


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


# Real votes ----------------------------------------------------------------------------------


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


if __name__ == "__main__":
    main()
