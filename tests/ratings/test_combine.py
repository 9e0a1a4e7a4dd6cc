from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from arena.ratings import Comparisons, Label, RatingResult, bradley_terry, combine, concat
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import InputError
from tests.ratings.simulated import simulate

THETA = np.linspace(-1.0, 1.0, 10)
METHODS = ["hierarchical", "ppi", "joint", "human"]


def judged(
    scale: float,
    seed: int,
    rows: int = 1500,
    noise: float = 0.0,
    slot: float = 0.0,
    copied: float = 0.0,
):
    """A judge with a discrimination, an error of its own per model, and a first-slot bias.

    copied: share of the battles in which it says what votes(seed=1) say.
    The battle of row k of every source with the same number of rows is the same one.
    """
    battles = np.random.default_rng(99)
    i = battles.integers(10, size=rows)
    j = (i + battles.integers(1, 10, size=rows)) % 10
    rng = np.random.default_rng(seed)
    theta = scale * THETA + (noise * rng.normal(size=10) if noise else 0.0)
    p = 1 / (1 + np.exp(theta[j] - theta[i] - slot))
    won = rng.random(rows) < p
    people = np.random.default_rng(1).random(rows) < 1 / (1 + np.exp(THETA[j] - THETA[i]))
    won = np.where(rng.random(rows) < copied, people, won)
    names = [f"m{k}" for k in range(10)]
    return Comparisons.from_columns(
        [names[k] for k in i],
        [names[k] for k in j],
        outcome=won.astype(float),
        prompt=[str(k // 3) for k in range(rows)],
    )


def votes(rows: int = 200, seed: int = 1) -> Comparisons:
    """People's votes on every seventh battle or so."""
    c = judged(1.0, seed)
    picked = np.random.default_rng(seed).choice(len(c), rows, replace=False)
    return c.select(np.sort(picked))


HUMAN = votes()
JUDGES = {"good": judged(1.5, 5, noise=0.1), "random": judged(0.0, 6)}
# Says of most battles what people say, so that it helps ppi as well.
HELPFUL = judged(1.5, 5, noise=0.1, copied=0.7)
OTHER = judged(0.8, 8, noise=0.3)


@pytest.mark.parametrize("method", METHODS)
def test_without_judges_every_method_is_the_votes_alone(method: str) -> None:
    alone = bradley_terry(HUMAN)
    combined = combine(HUMAN, method=method)
    assert combined.ratings == pytest.approx(alone.ratings, abs=1e-9)
    assert combined.covariance == pytest.approx(alone.covariance, rel=1e-9)
    assert combined.label == Label.HUMAN_ANCHORED


@pytest.mark.parametrize("method", METHODS)
def test_names_order_and_sides_change_nothing(method: str) -> None:
    plain = combine(HUMAN, JUDGES, method=method)
    names = dict(zip(HUMAN.models, [f"z{(k * 7) % 10}" for k in range(10)], strict=True))
    order = np.random.default_rng(0).permutation(len(HUMAN))
    renamed = combine(
        HUMAN.relabel(names).select(order),
        {name: c.relabel(names) for name, c in reversed(JUDGES.items())},
        method=method,
    )
    place = [renamed.models.index(names[name]) for name in plain.models]
    assert renamed.ratings[place] == pytest.approx(plain.ratings, abs=1e-5)
    assert renamed.ci_low[place] == pytest.approx(plain.ci_low, abs=1e-4)
    swapped = combine(
        HUMAN.swapped(), {name: c.swapped() for name, c in JUDGES.items()}, method=method
    )
    assert swapped.ratings == pytest.approx(plain.ratings, abs=1e-5)


@pytest.mark.parametrize("method", ["hierarchical", "ppi", "joint"])
def test_copies_of_a_judge_change_nothing(method: str) -> None:
    two = combine(HUMAN, {"a": HELPFUL, "b": OTHER}, method=method)
    assert sum(abs(source.weight or 0.0) for source in two.sources) > 0.2
    three = combine(HUMAN, {"a": HELPFUL, "a2": HELPFUL, "b": OTHER}, method=method)
    assert three.ratings == pytest.approx(two.ratings, abs=1e-6)
    assert three.covariance == pytest.approx(two.covariance, rel=1e-6)


@pytest.mark.parametrize("method", ["hierarchical", "ppi", "joint"])
def test_rows_scales_and_both_orders_of_a_judge_change_nothing(method: str) -> None:
    two = combine(HUMAN, {"a": HELPFUL, "b": OTHER}, method=method)
    tripled = combine(HUMAN, {"a": concat([HELPFUL] * 3), "b": OTHER}, method=method)
    assert tripled.ratings == pytest.approx(two.ratings, abs=1e-6)
    assert tripled.covariance == pytest.approx(two.covariance, rel=1e-6)
    odds = np.random.default_rng(0).normal(size=len(HELPFUL)) + 2 * HELPFUL.outcome - 1
    soft = [replace(HELPFUL, outcome=1 / (1 + np.exp(-scale * odds))) for scale in (1.0, 2.0)]
    once, doubled = (combine(HUMAN, {"a": c}, method=method) for c in soft)
    assert doubled.ratings == pytest.approx(once.ratings, abs=1e-6)
    assert doubled.covariance == pytest.approx(once.covariance, rel=1e-6)
    if method != "joint":  # which takes both orders to learn the bias from
        both = combine(
            HUMAN, {"a": concat([HELPFUL, HELPFUL.swapped()]), "b": OTHER}, method=method
        )
        assert both.ratings == pytest.approx(two.ratings, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_votes_are_copies(method: str) -> None:
    judges = {"a": HELPFUL, "b": OTHER}
    heavy = replace(HUMAN, weight=np.full(len(HUMAN), 3.0))
    weighted = combine(heavy, judges, method=method)
    copied = combine(concat([HUMAN] * 3), judges, method=method)
    assert weighted.ratings == pytest.approx(copied.ratings, abs=1e-6)
    assert weighted.covariance == pytest.approx(copied.covariance, rel=1e-6)


def width(result: RatingResult) -> float:
    return float(np.mean(result.ci_high - result.ci_low))


@pytest.mark.parametrize("method", ["hierarchical", "ppi"])
@pytest.mark.parametrize("seed", range(10))
def test_a_random_judge_never_widens_intervals(method: str, seed: int) -> None:
    human = votes(seed=seed)
    alone = combine(human, method="human")
    random = combine(human, {"random": judged(0.0, seed + 50)}, method=method)
    assert width(random) <= 1.02 * width(alone)


@pytest.mark.parametrize("method", ["hierarchical", "ppi"])
def test_a_good_judge_narrows_intervals(method: str) -> None:
    assert width(combine(HUMAN, {"good": HELPFUL}, method=method)) < 0.95 * width(
        combine(HUMAN, method="human")
    )


@pytest.mark.slow
def test_a_crowd_of_judges_is_about_as_good_as_the_best_of_them() -> None:
    truth = 1000.0 + POINTS_PER_LOG * THETA
    best = {"best": judged(1.0, 5, noise=0.1)}
    crowd = best | {f"random{k}": judged(0.0, 60 + k) for k in range(5)}
    error = {"best": [], "crowd": [], "human": []}
    for seed in range(8):
        human = votes(seed=seed)
        alone, many = combine(human, best), combine(human, crowd)
        error["best"].append(np.abs(alone.ratings - truth).mean())
        error["crowd"].append(np.abs(many.ratings - truth).mean())
        voted = combine(human, method="human", prior=400.0)
        error["human"].append(np.abs(voted.ratings - truth).mean())
    best_error, crowd_error, human_error = (np.mean(error[name]) for name in error)
    # Of what the best judge gains over votes alone, most is left.
    assert human_error - crowd_error > 0.6 * (human_error - best_error)


@pytest.mark.parametrize("method", METHODS)
def test_a_judge_under_two_names_is_nearly_the_same(method: str) -> None:
    whole = combine(HUMAN, {"a": HELPFUL, "b": OTHER}, method=method)
    first = np.random.default_rng(0).random(len(HELPFUL)) < 0.5
    halves = {"a1": HELPFUL.select(first), "a2": HELPFUL.select(~first), "b": OTHER}
    split = combine(HUMAN, halves, method=method)
    errors = np.sqrt(np.diagonal(whole.covariance))
    assert (np.abs(split.ratings - whole.ratings) / errors).max() < 0.4
    assert np.sqrt(np.diagonal(split.covariance)) == pytest.approx(errors, rel=0.15)


def test_splitting_the_votes_rows_in_two_sources_changes_nothing() -> None:
    joined = combine(
        concat([HUMAN.select(np.arange(100)), HUMAN.select(np.arange(100, 200))]), JUDGES
    )
    assert joined.ratings == pytest.approx(combine(HUMAN, JUDGES).ratings, abs=1e-6)


def test_hierarchical_says_what_it_stands_on() -> None:
    r = combine(HUMAN, JUDGES)
    assert (r.settings.method, r.label) == ("hierarchical", "human-anchored")
    weights = {source.name: source.weight for source in r.sources}
    assert [source.comparisons for source in r.sources] == [200, 1500, 1500]
    # The judge's ratings are 1.5 times as far apart as people's.
    assert weights["good"] == pytest.approx(1 / 1.5, abs=0.25)
    truth = THETA * POINTS_PER_LOG + 1000
    voted = combine(HUMAN, method="human")
    assert np.abs(r.ratings - truth).mean() < np.abs(voted.ratings - truth).mean()


def test_a_model_without_votes_is_placed_by_the_judges() -> None:
    seen = HUMAN.select((HUMAN.i != 9) & (HUMAN.j != 9)).observed()
    r = combine(seen, JUDGES)
    assert r.models[9] == "m9"
    assert r.ratings[9] == pytest.approx(1173.7, abs=80)
    width = r.ci_high - r.ci_low
    assert width[9] > width[:9].max()


@pytest.mark.parametrize("method", METHODS)
def test_clusters_of_voters_are_asked_of_votes_only(method: str) -> None:
    voters = replace(HUMAN, voter=HUMAN.group("prompt"))
    r = combine(voters, JUDGES, {"exam": judged(1.0, 3)}, method=method, cluster="voter")
    plain = combine(HUMAN, JUDGES, {"exam": judged(1.0, 3)}, method=method, cluster="prompt")
    assert r.ratings == pytest.approx(plain.ratings)
    assert r.ci_low == pytest.approx(plain.ci_low)


def test_joint_finds_each_judges_discrimination_and_bias() -> None:
    r = combine(
        votes(1000), {"keen": judged(2.0, 11), "slot": judged(1.0, 12, slot=1.0)}, method="joint"
    )
    keen, slot = r.sources[1:]
    assert keen.weight == pytest.approx(2.0, abs=0.35)
    assert slot.bias == pytest.approx(1.0, abs=0.25)
    assert keen.bias == pytest.approx(0.0, abs=0.25)


def test_labels_without_votes() -> None:
    only = combine(judges=JUDGES)
    assert (only.label, only.settings.method) == ("judge-only", "judge-only")
    exam = simulate(5, 300, ties=0.0, prompts=100)
    objective = combine(objective={"exam": exam})
    assert objective.label == "objective-only"
    assert objective.ratings == pytest.approx(bradley_terry(exam).ratings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no evidence"),
        ({"human": HUMAN, "method": "average"}, "method is 'average'; allowed are 'auto'"),
        ({"judges": JUDGES, "method": "ppi"}, "needs votes"),
        ({"objective": JUDGES, "method": "ppi"}, "needs votes"),
        ({"judges": JUDGES, "method": "joint", "confidence": 1.0}, "confidence is 1.0"),
        ({"human": HUMAN, "method": "judge-only"}, "needs a judge"),
    ],
)
def test_impossible_requests_are_named(arguments, message: str) -> None:
    with pytest.raises(InputError, match=message):
        combine(**arguments)


@pytest.mark.slow
def test_default_beats_votes_alone_on_llmfao(dataset) -> None:
    rows = pd.DataFrame(dataset("llmfao_votes.csv"))
    columns = ["model_a", "model_b", "winner", "prompt"]
    human = Comparisons.from_frame(rows[columns])
    judges = {
        name: Comparisons.from_frame(part[columns])
        for name, part in pd.DataFrame(dataset("llmfao_judges.csv")).groupby("source")
    }
    truth = combine(human, method="human").ratings
    pair, errors = np.unique(rows["pair"], return_inverse=True)[1], []
    for seed in range(8):
        picked = np.random.default_rng(seed).choice(pair.max() + 1, 107, replace=False)
        few = human.select(np.isin(pair, picked))
        r, voted = combine(few, judges), combine(few, method="human", prior=400.0)
        known = dict(zip(voted.models, voted.ratings, strict=True))
        covered = (r.ci_low <= truth) & (truth <= r.ci_high)
        errors.append(
            (
                np.abs(r.ratings - truth).mean(),
                np.abs([known.get(name, 1000.0) for name in r.models] - truth).mean(),
                covered.mean(),
            )
        )
    default, alone, coverage = np.mean(errors, axis=0)
    assert default <= 0.6 * alone
    assert coverage >= 0.85
