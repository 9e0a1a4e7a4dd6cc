"""The rating engine beside its peers, its coverage, and what judges are worth on real votes.

    python -m bench.ratings speed       # with the peers installed in the same environment
    python -m bench.ratings coverage [--draws 1000]
    python -m bench.ratings combined [--draws 200] [--data ../shared/datasets] [--shares 0.05,0.1]
    python -m bench.ratings judges [--draws 40] [--only silent]

Each prints its table as Markdown. Timings are the best of several in one process; a peer
that is not installed is left out.
"""

import argparse
import importlib.util
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from arena.ratings import Comparisons, Online, bradley_terry
from bench.combined import combined
from bench.coverage import coverage
from bench.many_judges import judges

BATTLES, MODELS, TIES = 2_000_000, 200, 0.2
# What an answer has of it on average, and the log-odds of having all of what both have.
STYLE = (("length", 300.0), ("headers", 1.0), ("lists", 4.0), ("bold", 3.0))
EFFECTS = (0.8, 0.3, 0.1, 0.0)


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
    combined_.add_argument("--shares", default="0.05,0.1,0.2,0.5")
    combined_.set_defaults(
        run=lambda args: combined(args.data, args.draws, tuple(map(float, args.shares.split(","))))
    )
    judges_ = commands.add_parser("judges")
    judges_.add_argument("--draws", type=int, default=40)
    judges_.add_argument("--only", default="", help="worlds whose name holds this")
    judges_.set_defaults(run=lambda args: judges(args.draws, args.only))
    args = parser.parse_args()
    args.run(args)


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

    styled, columns = (
        plain.assign(**Comparisons.from_frame(frame).style),
        [name for name, _ in STYLE],
    )

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

    style = np.stack(list(Comparisons.from_frame(frame).style.values()), axis=1)
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


def metadata(frame: Any) -> list[dict[str, int]]:
    """The counts as FastChat's battle files hold them."""
    keys = ("sum_assistant_{}_tokens", "header_count_{}", "list_count_{}", "bold_count_{}")
    columns = {
        key.format(side): frame[f"{name}_{side}"].tolist()
        for key, (name, _) in zip(keys, STYLE, strict=True)
        for side in "ab"
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


if __name__ == "__main__":
    main()
