"""Whether `arena compare` errs no more often than it says, and sees what it promises to see.

OMP_NUM_THREADS=1 PYTHONPATH=. python -m bench.compare level|power|...|all
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from arena.compare.boards.place import next_opponents, place, predicted
from arena.compare.boards.resampled import CountedEvidence, change_errors
from arena.compare.differences.advantage import PREFERENCE, Advantage
from arena.compare.differences.board_fit import through_board
from arena.compare.differences.corrected import corrected
from arena.compare.differences.paired import Paired, advantage
from arena.compare.power import prompts_needed, variation
from arena.compare.question import Aim, Decision, Question
from arena.compare.sequential import stopped_at
from arena.leaderboard.board import Policy
from arena.ratings import Comparisons, bradley_terry, concat
from arena.records import Evidence

SHARED = Path(__file__).resolve().parents[2] / "shared" / "datasets"
NAMES_OF_PARTS = ("level", "power", "sequential", "halves", "place", "predict", "diff")
CLEAR = (15.0, 20.0, -15.0)
NAMES = tuple(f"p{k:06d}" for k in range(100_000))


@dataclass(frozen=True)
class World:
    """How data come about. Log-odds that B is preferred: of a prompt, of a sample, of a reading.

    prompt, sample: standard deviations of what each prompt and each sample of both answers add.
    tie: a preference within this of even is a tie. first: what the slot shown first adds.
    lean: what a judge adds for B; sharp: what it multiplies the preference by.
    orders, samples: readings of each prompt are their product. voters: who each have a lean.
    voted: the part of the prompts that people vote on, beside a judge who sees all.
    """

    name: str
    prompt: float = 1.5
    sample: float = 0.8
    tie: float = 0.5
    first: float = 0.0
    lean: float = 0.0
    sharp: float = 1.0
    orders: int = 1
    samples: int = 1
    voters: int = 0
    voted: float = 0.0
    prompts: int = 400


WORLDS = (
    World("votes, one a prompt, ties"),
    World("votes, 40 prompts", prompts=40),
    World("votes, five in six are ties", tie=3.4),
    World("votes of 25 people who lean", voters=25),
    World("judge, both orders, 2 samples an answer", orders=2, samples=2),
    World("judge biased to the first slot, both orders, 2 samples", orders=2, samples=2, first=1.5),
    World(
        "judge who leans to B, put right by votes on a quarter",
        orders=2, samples=2, first=0.8, lean=0.6, sharp=1.5, voted=0.25,
    ),
)  # fmt: skip


def readings(world: World, centre: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, samples × orders) B's share of the win in each reading by the world's rater."""
    of_prompt = rng.normal(centre, world.prompt, (n, 1, 1))
    of_sample = rng.normal(0.0, world.sample, (n, world.samples, 1))
    truth = np.broadcast_to(of_prompt + of_sample, (n, world.samples, world.orders))
    return _read(world, truth, rng), truth


def _read(world: World, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    slot = np.where(np.arange(world.orders) % 2 == 0, 1.0, -1.0) * world.first
    heard = world.sharp * truth + slot + world.lean + rng.logistic(size=truth.shape)
    return np.where(np.abs(heard) <= world.tie, 0.5, (heard > 0).astype(float)).reshape(
        len(truth), -1
    )


@cache
def centre_of(world: World, difference: float) -> float:
    """The log-odds at which people's share (or without votes the rater's own) is as asked."""
    rater = World("people", world.prompt, world.sample, world.tie) if world.voted else world
    nodes, weight = np.polynomial.hermite_e.hermegauss(120)
    spread, weight = nodes * np.hypot(world.prompt, world.sample), weight / weight.sum()
    low, high = -6.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2
        if _mean_share(rater, middle + spread, weight) < 0.5 + difference / 100:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _mean_share(world: World, truth: np.ndarray, weight: np.ndarray) -> float:
    """The expected share, the logistic noise taken out by its distribution."""
    found = 0.0
    for order in range(world.orders):
        heard = world.sharp * truth + (1 if order % 2 == 0 else -1) * world.first + world.lean
        above = 1 / (1 + np.exp(-(heard - world.tie)))
        below = 1 / (1 + np.exp(heard + world.tie))
        found += float(weight @ (above + (1 - above - below) / 2)) / world.orders
    return found


def paired_of(shares: np.ndarray, voter: np.ndarray | None = None) -> Paired:
    n, times = shares.shape
    weight = np.ones(n * times)
    return Paired(NAMES[:n], np.repeat(np.arange(n), times), shares.ravel(), weight, voter)


def estimate(world: World, difference: float, n: int, rng: np.random.Generator) -> Advantage:
    """One data set of n prompts, and what is made of it."""
    centre = centre_of(world, difference)
    if world.voters:
        return _voted(world, centre, n, rng)
    shares, truth = readings(world, centre, n, rng)
    if not world.voted:
        return advantage(paired_of(shares))
    people = World("people", tie=world.tie)
    votes = _read(people, truth[: int(n * world.voted), :1, :1], rng)
    found = corrected(paired_of(votes), paired_of(shares))
    assert found is not None
    return found


def _voted(world: World, centre: float, n: int, rng: np.random.Generator) -> Advantage:
    voter = rng.integers(world.voters, size=n)
    lean = rng.normal(0.0, 0.4, world.voters)
    truth = rng.normal(centre, np.hypot(world.prompt, world.sample), (n, 1, 1))
    # The leans widen the prompts' spread a little, which the truth at 0 does not feel.
    shares = _read(world, truth + lean[voter][:, None, None], rng)
    return advantage(paired_of(shares, voter))


def questions(difference: float) -> tuple[str, float, Question]:
    """The wrong "ship": what is asked, and the true difference at which the answer is no."""
    if difference == 0.0:
        return "better, truth 0", 0.0, Question(Aim.SUPERIOR, 0.0)
    return (
        f"not worse by {difference:g}, truth −{difference:g}",
        -difference,
        Question(margin=difference),
    )


def level(draws: int) -> None:
    print(
        f'\n{draws} data sets each; false "ship", nominal 5.0 %, and coverage of 95 % intervals\n'
    )
    print("| world | question and truth | false ship | coverage |\n|---|---|---|---|")
    for number_, world in enumerate(WORLDS):
        for difference in (0.0, 2.0, 5.0):
            if world.voters and difference:
                continue  # its leans move the truth elsewhere, as `_voted` says
            said, truth, question = questions(difference)
            shipped = covered = 0
            for seed in range(draws):
                rng = np.random.default_rng([1, number_, int(difference), seed])
                found = estimate(world, truth, world.prompts, rng)
                shipped += question.decide(found) is Decision.SHIP
                low, high = found.interval(0.95)
                covered += low <= 0.5 + truth / 100 <= high
            row = f"{100 * shipped / draws:.1f} % | {100 * covered / draws:.1f} %"
            print(f"| {world.name} | {said} | {row} |", flush=True)


def power(draws: int) -> None:
    print(f"\n{draws} pilots of 200 prompts, each with the data set that it plans for 80 %\n")
    print("| world | question and truth | prompts, median | told to ship |\n|---|---|---|---|")
    plans: Sequence[tuple[str, float, Question]] = (
        ("not worse by 5, truth 0", 0.0, Question(margin=5.0)),
        ("better, truth +2", 2.0, Question(Aim.SUPERIOR, 0.0)),
        ("better, truth +5", 5.0, Question(Aim.SUPERIOR, 0.0)),
    )
    for number_, world in enumerate(w for w in WORLDS if not w.voted and not w.voters):
        if world.prompts != 400:
            continue
        for number, (said, truth, question) in enumerate(plans):
            shipped, sizes = 0, []
            for seed in range(draws):
                rng = np.random.default_rng([2, number_, number, seed])
                pilot, _ = readings(world, centre_of(world, truth), 200, rng)
                times = pilot.shape[1]
                spread = variation([paired_of(pilot)]).deviation(times)
                n = prompts_needed(question, truth, spread, 0.8)
                sizes.append(n)
                shipped += question.decide(estimate(world, truth, n, rng)) is Decision.SHIP
            row = f"{int(np.median(sizes)):,} | {100 * shipped / draws:.1f} %"
            print(f"| {world.name} | {said} | {row} |", flush=True)


def sequential(draws: int) -> None:
    world = WORLDS[4]
    question = Question(Aim.SUPERIOR, 0.0)
    rng = np.random.default_rng(3)
    pilot, _ = readings(world, centre_of(world, 5.0), 4000, rng)
    spread = variation([paired_of(pilot)]).deviation(pilot.shape[1])
    planned = prompts_needed(question, 5.0, spread, 0.8)
    print(f"\n{draws} runs each, looked at after every prompt, at most {planned} prompts (80 % for")
    print("5 points); judge, both orders, 2 samples an answer\n")
    print(
        "| question and truth | ship | do not | cannot tell | saved, mean |\n|---|---|---|---|---|"
    )
    cases = [questions(d) for d in (0.0, 2.0, 5.0)]
    cases += [(f"better, truth {d:+g}", d, question) for d in (5.0, 10.0, *CLEAR)]
    for number, (said, truth, asked) in enumerate(cases):
        told = dict.fromkeys(Decision, 0)
        saved = 0.0
        for seed in range(draws):
            rng = np.random.default_rng([3, number, seed])
            shares, _ = readings(world, centre_of(world, truth), planned, rng)
            seen, decision = stopped_at(shares.mean(axis=1), asked, PREFERENCE)
            told[decision] += 1
            saved += (1 - seen / planned) / draws
        row = " | ".join(f"{100 * told[one] / draws:.1f} %" for one in Decision)
        print(f"| {said} | {row} | {100 * saved:.0f} % |", flush=True)


def llmfao() -> Comparisons:
    """The crowd's votes, the two answers to one prompt as a prompt of its own."""
    with (SHARED / "llmfao_votes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return Comparisons.from_columns(
        [row["model_a"] for row in rows],
        [row["model_b"] for row in rows],
        [row["winner"] for row in rows],
        prompt=[row["pair"] for row in rows],
    )


def pandalm() -> Comparisons:
    with (SHARED / "pandalm.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"].startswith("human")]
    return Comparisons.from_columns(
        [row["model_a"] for row in rows],
        [row["model_b"] for row in rows],
        [row["winner"] for row in rows],
        prompt=[row["prompt"] for row in rows],
    )


def halves(splits: int) -> None:
    """Each model's prompts fall into two halves at random, as if it were two models."""
    print(
        f"\nHalves of one model, {splits} random splits of each, and pairs whose order is known\n"
    )
    print('| data | halves "not different" | pairs of models told apart |\n|---|---|---|')
    data: dict[str, Callable[[], Comparisons]] = {"LLMFAO votes": llmfao, "PandaLM votes": pandalm}
    for name, read in data.items():
        c = read()
        same = [
            _halves_differ(c, model, np.random.default_rng([4, k, seed]))
            for k, model in enumerate(c.models)
            for seed in range(splits)
        ]
        share = 100 * (1 - np.mean(same))
        print(f"| {name} | {share:.1f} % of {len(same)} | {_told_apart(c)} |", flush=True)


def _halves_differ(c: Comparisons, model: str, rng: np.random.Generator) -> bool:
    assert c.prompt is not None
    own = c.models.index(model)
    second = rng.random(len(c.prompt.labels)) < 0.5
    moved = second[c.prompt.codes] & ((c.i == own) | (c.j == own))
    names = [*c.models, f"{model} again"]
    codes = [np.where(moved & (side == own), len(c.models), side) for side in (c.i, c.j)]
    a, b = ([names[k] for k in side] for side in codes)
    prompts = [str(c.prompt.labels[k]) for k in c.prompt.codes]
    split = Comparisons.from_columns(a, b, outcome=c.outcome, prompt=prompts)
    found, _ = through_board(split, model, f"{model} again")
    return found.p_value <= 0.05


def _told_apart(c: Comparisons) -> str:
    """The best fifth of the models against the worst, by ratings of the other half of the votes."""
    assert c.prompt is not None
    half = np.random.default_rng(5).random(len(c.prompt.labels)) < 0.5
    parts = [c.select(half[c.prompt.codes] == side).observed() for side in (False, True)]
    ranked = [row.model for row in bradley_terry(parts[0], interval=None, prior="auto").as_rows()]
    few = max(1, len(ranked) // 5)
    pairs = [(low, high) for low in ranked[-few:] for high in ranked[:few]]
    found = [
        Question(Aim.TWO_SIDED, 0.0).decide(through_board(parts[1], low, high)[0])
        for low, high in pairs
        if low in parts[1].models and high in parts[1].models
    ]
    right, wrong = (sum(one is kind for one in found) for kind in (Decision.SHIP, Decision.DO_NOT))
    return f"{right} of {len(found)} the known way, {wrong} the other"


VOTES = 60


def placing(_: int) -> None:
    """Each of LLMFAO's models left out in turn, and placed again with 60 of its votes."""
    c = llmfao()
    whole = bradley_terry(c)
    errors: dict[str, list[float]] = {
        "place": [],
        "full refit": [],
        "place, votes at random": [],
        "naive": [],
    }
    widths: dict[str, list[float]] = {name: [] for name in errors}
    covered: dict[str, list[bool]] = {name: [] for name in errors}
    for k, model in enumerate(c.models):
        own_code = c.models.index(model)
        mine = (c.i == own_code) | (c.j == own_code)
        pool, own = c.select(~mine).observed(), c.select(mine)
        rng = np.random.default_rng([6, k])
        chosen = _adaptive(pool, own, model, rng)
        even = rng.permutation(len(own))[:VOTES]
        rest = own.select(np.setdiff1d(np.arange(len(own)), chosen))
        other = place(pool, rest, model)
        truth = float(whole.ratings[own_code])
        shift = float(
            np.mean([r for n, r in zip(whole.models, whole.ratings, strict=True) if n != model])
        )
        truth -= shift - 1000.0  # the pool's mean is 1000 without the model
        found = place(pool, own.select(chosen), model)
        refit = _refitted(pool, own.select(chosen), model)
        random_ = place(pool, own.select(even), model)
        naive = _naive(pool, own.select(even), model)
        results = {
            "place": (found.rating, (found.high - found.low) / 2),
            "full refit": refit,
            "place, votes at random": (random_.rating, (random_.high - random_.low) / 2),
            "naive": naive,
        }
        for name, (rating, half) in results.items():
            errors[name].append(rating - truth)
            widths[name].append(half)
            both = np.hypot(half / 1.96, other.own)
            covered[name].append(abs(rating - other.rating) <= 1.96 * both)
    print(f"\n{len(c.models)} models of LLMFAO left out in turn, {VOTES} votes each\n")
    print("| way | error, root mean square | median half-width | coverage |\n|---|---|---|---|")
    for name in errors:
        error = np.sqrt(np.mean(np.square(errors[name])))
        share = f"{100 * np.mean(covered[name]):.1f} %"
        print(f"| {name} | {error:.1f} | {np.median(widths[name]):.0f} | {share} |", flush=True)


def _adaptive(
    pool: Comparisons, own: Comparisons, model: str, rng: np.random.Generator
) -> list[int]:
    """Rows of the model's votes, by `next_opponents`, of battles that were asked least."""
    assert own.prompt is not None
    code = own.models.index(model)
    other = np.where(own.i == code, own.j, own.i)
    free: dict[str, list[int]] = {}
    for row in rng.permutation(len(own)):
        free.setdefault(own.models[other[row]], []).append(int(row))
    taken: list[int] = []
    asked: dict[int, int] = {}
    while len(taken) < VOTES:
        so_far = own.select(np.array(taken)).observed() if taken else None
        drawn = next_opponents(pool, so_far, model, 10, free, seed=len(taken))
        for pair in drawn:
            name = pair.model_b if pair.model_a == model else pair.model_a
            if not free.get(name) or len(taken) == VOTES:
                continue
            row = min(free[name], key=lambda r: asked.get(int(own.prompt.codes[r]), 0))
            battle = int(own.prompt.codes[row])
            asked[battle] = asked.get(battle, 0) + 1
            free[name].remove(row)
            taken.append(row)
            if not free[name]:
                del free[name]
    return taken


def _refitted(pool: Comparisons, own: Comparisons, model: str) -> tuple[float, float]:
    """All models fitted anew; the rating with the others' mean at 1000."""
    result = bradley_terry(concat([pool, own.observed()]), prior="auto")
    assert result.covariance is not None
    at = result.models.index(model)
    contrast = np.full(len(result.models), -1.0 / (len(result.models) - 1))
    contrast[at] = 1.0
    error = float(np.sqrt(contrast @ result.covariance @ contrast))
    return float(1000.0 + contrast @ result.ratings), 1.96 * error


def _naive(pool: Comparisons, own: Comparisons, model: str) -> tuple[float, float]:
    """Opponents at random, the board taken for certain, every vote for independent."""
    found = place(pool, replace(own, prompt=None), model)
    return found.rating, 1.96 * found.own


def predicting(_: int) -> None:
    """People's rating of each of LLMFAO's models by a judge and the other models."""
    people, print_head = llmfao(), True
    for judge in ("gpt-4", "gpt-3.5"):
        with (SHARED / "llmfao_judges.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["source"] == judge]
        said = Comparisons.from_columns(
            [row["model_a"] for row in rows],
            [row["model_b"] for row in rows],
            [row["winner"] for row in rows],
            prompt=[row["pair"] for row in rows],
        )
        votes = bradley_terry(people, interval=None)
        hit, halves_, misses = [], [], []
        for k, model in enumerate(people.models):
            found = predicted(people, said, model)
            shift = (votes.ratings.sum() - votes.ratings[k]) / (len(votes.models) - 1) - 1000.0
            truth = float(votes.ratings[k]) - shift
            hit.append(found.low <= truth <= found.high)
            halves_.append((found.high - found.low) / 2)
            misses.append(found.rating - truth)
        if print_head:
            print("\n| judge | error, root mean square | median half-width | coverage |")
            print("|---|---|---|---|")
            print_head = False
        error = np.sqrt(np.mean(np.square(misses)))
        print(f"| {judge} | {error:.1f} | {np.median(halves_):.0f} | {100 * np.mean(hit):.1f} % |")


def differing(draws: int) -> None:
    """Two states of a board without a real change: how often one is claimed, and how wide."""
    draws //= 40  # each is 2 × 100 fits
    print(f"\n{draws} pairs of boards of 6 models, of which nothing changed; 300 prompts each\n")
    print("| prompts in common | told a change, paired | width | taken for independent | width |")
    print("|---|---|---|---|---|")
    for shared in (0, 150, 270):
        rows = np.mean([_claims(shared, seed) for seed in range(draws)], axis=0)
        share, width = rows[:2], rows[2:]
        cells = [f"{100 * share[k]:.1f} % | {width[k]:.0f}" for k in (0, 1)]
        print(f"| {shared} | {' | '.join(cells)} |", flush=True)


def _claims(shared: int, seed: int) -> list[float]:
    """Shares of models told to have changed, and half-widths: paired, and independent."""
    rng = np.random.default_rng([7, shared, seed])
    theta = rng.normal(0.0, 0.6, 6)
    old = _board_votes(theta, range(300), rng)
    same = {f"p{k}" for k in range(300 - shared, 300)}
    assert old.prompt is not None
    kept = np.isin(old.prompt.labels[old.prompt.codes], list(same))
    fresh = _board_votes(theta, range(300, 600 - shared), rng)
    new = concat([old.select(kept), fresh]) if shared else fresh
    fits = [bradley_terry(c, prior="auto") for c in (old, new)]
    paired = change_errors(_voted_board(old), _voted_board(new), old.models, 100, seed)
    moved = fits[1].ratings - fits[0].ratings
    errors = [
        np.array([paired[name] for name in old.models]),
        np.hypot(*(np.sqrt(np.diagonal(fit.covariance)) for fit in fits)),
    ]
    claims = [float((np.abs(moved) > 1.96 * error).mean()) for error in errors]
    return claims + [1.96 * float(error.mean()) for error in errors]


def _board_votes(theta: np.ndarray, prompts: range, rng: np.random.Generator) -> Comparisons:
    """Three votes on each prompt, which leans to some of the models."""
    lean = rng.normal(0.0, 0.7, (len(prompts), len(theta)))
    prompt = np.repeat(np.arange(len(prompts)), 3)
    sides = np.array([rng.choice(len(theta), 2, replace=False) for _ in prompt])
    level = theta + lean[prompt]
    rows = np.arange(len(prompt))
    gap = level[rows, sides[:, 0]] - level[rows, sides[:, 1]]
    won = (rng.random(len(gap)) < 1 / (1 + np.exp(-gap))).astype(float)
    names = [f"m{k}" for k in range(len(theta))]
    a, b = ([names[k] for k in side] for side in sides.T)
    labels = [f"p{prompts[k]}" for k in prompt]
    return Comparisons.from_columns(a, b, outcome=won, prompt=labels)


def _voted_board(c: Comparisons) -> CountedEvidence:
    kinds = {Evidence.HUMAN: {"votes": c}, Evidence.JUDGE: {}, Evidence.OBJECTIVE: {}}
    return CountedEvidence(kinds, Policy(min_comparisons=1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=(*NAMES_OF_PARTS, "all"))
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--splits", type=int, default=10)
    args = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "level": lambda: level(args.draws),
        "power": lambda: power(args.draws),
        "sequential": lambda: sequential(args.draws),
        "halves": lambda: halves(args.splits),
        "place": lambda: placing(args.draws),
        "predict": lambda: predicting(args.draws),
        "diff": lambda: differing(args.draws),
    }
    for name, part in parts.items():
        if args.what in (name, "all"):
            part()


if __name__ == "__main__":
    main()
