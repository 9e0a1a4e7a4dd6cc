import json
import math
from dataclasses import replace
from pathlib import Path

import choix
import evalica
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings import Comparisons, bradley_terry, concat, elo
from arena.ratings.factors import factorise
from arena.ratings.fitting.likelihood import local_model
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import DisconnectedError, InputError, RatingError, SeparatedError
from tests.ratings.simulated import bounds, golden_case, simulate

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())


def wins(*results: tuple[str, str, int]) -> Comparisons:
    """Comparisons of (winner, loser, times)."""
    rows = [(a, b) for a, b, times in results for _ in range(times)]
    return Comparisons.from_columns(
        [a for a, _ in rows], [b for _, b in rows], outcome=[1.0] * len(rows)
    )


def test_two_models_closed_form() -> None:
    r = bradley_terry(wins(("a", "b", 30), ("b", "a", 10)))
    assert r.ratings[0] - r.ratings[1] == pytest.approx(400 * math.log10(3), abs=1e-9)
    assert r.ratings.mean() == pytest.approx(1000.0)
    # The score's variance is n p q, and so is the Hessian: var(θa - θb) = 1 / (n p q).
    half = 1.959963985 * POINTS_PER_LOG / math.sqrt(40 * 0.75 * 0.25) / 2
    assert r.ci_high is not None
    assert r.ci_high[0] - r.ratings[0] == pytest.approx(half, rel=1e-9)


def test_three_models_in_a_chain_closed_form() -> None:
    r = bradley_terry(wins(("a", "b", 3), ("b", "a", 1), ("b", "c", 5), ("c", "b", 2)))
    a, b, c = r.ratings / POINTS_PER_LOG
    assert a - b == pytest.approx(math.log(3), abs=1e-10)
    assert b - c == pytest.approx(math.log(2.5), abs=1e-10)


def test_gradient_and_hessian_are_derivatives() -> None:
    counts = simulate(5, 200).pair_counts
    theta, h = np.array([0.3, -0.2, 0.5, 0.0, -0.6]), 1e-5
    here = local_model(counts, theta)
    for k, step in enumerate(np.eye(5) * h):
        up, down = local_model(counts, theta + step), local_model(counts, theta - step)
        assert here.gradient[k] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-5)
        assert here.hessian[k] == pytest.approx((up.gradient - down.gradient) / (2 * h), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_choix(seed: int) -> None:
    c = simulate(8, 300, ties=0.0, seed=seed)
    data = [
        (int(i), int(j)) if y else (int(j), int(i))
        for i, j, y in zip(c.i, c.j, c.outcome, strict=True)
    ]
    expected = choix.ilsr_pairwise(8, data, max_iter=10_000, tol=1e-13)
    ours = bradley_terry(c, interval=None).ratings / POINTS_PER_LOG
    assert np.abs((ours - ours.mean()) - (expected - expected.mean())).max() < 1e-8


@pytest.mark.parametrize("name", ["llmfao_votes.csv", "pandalm.csv"])
def test_agrees_with_evalica_on_real_votes(name: str, dataset) -> None:
    frame = pd.DataFrame(dataset(name))
    frame = frame[frame["winner"].isin(["model_a", "model_b"])]
    c = Comparisons.from_frame(frame[["model_a", "model_b", "winner"]])
    winners = [evalica.Winner.X if w == "model_a" else evalica.Winner.Y for w in frame["winner"]]
    peer = evalica.bradley_terry(
        frame["model_a"].tolist(),
        frame["model_b"].tolist(),
        winners,
        tolerance=1e-14,
        limit=100_000,
    ).scores
    expected = np.log(np.array([peer[model] for model in c.models]))
    ours = bradley_terry(c, interval=None).ratings / POINTS_PER_LOG
    assert np.abs((ours - ours.mean()) - (expected - expected.mean())).max() < 1e-8


@pytest.mark.parametrize("options", GOLDEN, ids=str)
def test_golden(options: str) -> None:
    r = golden_case(json.loads(options))
    expected = GOLDEN[options]
    assert r.ratings == pytest.approx(expected["ratings"], abs=1e-6)
    assert bounds(r).keys() == expected.keys() - {"ratings"}
    for name, ends in bounds(r).items():
        assert ends == pytest.approx(expected[name], abs=1e-6)


rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0, 0.3])),
    min_size=20,
    max_size=60,
)


@given(rows=rows, order=st.permutations(range(5)), flips=st.integers(0, 2**60))
@settings(deadline=None, max_examples=40)
def test_names_sides_order_and_copies_do_not_matter(rows, order, flips) -> None:
    def rated(columns, **kwargs):
        a, b, y = zip(*columns, strict=True)
        return bradley_terry(Comparisons.from_columns(a, b, outcome=y), prior=400.0, **kwargs)

    names = [f"m{k}" for k in range(5)]
    plain = [(names[i], names[(i + d) % 5], y) for i, d, y in rows]
    swapped = [(b, a, 1 - y) if flips >> k & 1 else (a, b, y) for k, (a, b, y) in enumerate(plain)]
    first, other = rated(plain), rated(swapped[::-1])
    assert other.models == first.models
    assert other.ratings == pytest.approx(first.ratings, abs=1e-6)
    assert other.covariance == pytest.approx(first.covariance, abs=1e-5)
    renamed = {name: f"n{order[k]}" for k, name in enumerate(names)}
    again = rated([(renamed[a], renamed[b], y) for a, b, y in plain])
    place = [again.models.index(renamed[name]) for name in first.models]
    assert again.ratings[place] == pytest.approx(first.ratings, abs=1e-6)


@pytest.mark.parametrize("ties", ["half", "davidson", "rao-kupper"])
def test_copies_divide_errors_by_root_k_and_weights_are_copies(ties: str) -> None:
    c = simulate(rows=300)
    one, three = bradley_terry(c, ties=ties), bradley_terry(concat([c, c, c]), ties=ties)
    weighted = Comparisons(c.models, c.i, c.j, c.outcome, weight=np.full(len(c), 3.0))
    heavy = bradley_terry(weighted, ties=ties)
    assert three.ratings == pytest.approx(one.ratings, abs=1e-8)
    assert three.covariance == pytest.approx(one.covariance / 3, rel=1e-8)
    assert heavy.covariance == pytest.approx(three.covariance, rel=1e-8)


def test_clusters_that_repeat_rows_do_not_narrow_intervals() -> None:
    c = simulate(rows=400)
    single = Comparisons.from_columns(
        [c.models[k] for k in c.i],
        [c.models[k] for k in c.j],
        outcome=c.outcome,
        prompt=range(len(c)),
    )
    alone, tripled = bradley_terry(single), bradley_terry(concat([single] * 3))
    assert tripled.settings.cluster == "prompt"
    assert tripled.covariance == pytest.approx(alone.covariance, rel=1e-9)
    naive = bradley_terry(concat([single] * 3), cluster=None)
    assert np.allclose(np.diagonal(naive.covariance) * 3, np.diagonal(alone.covariance), rtol=0.1)


def test_bootstrap_agrees_with_sandwich() -> None:
    c = simulate(6, 4000, prompts=300)
    for cluster in (None, "prompt"):
        sandwich = bradley_terry(c, cluster=cluster)
        bootstrap = bradley_terry(c, cluster=cluster, interval="bootstrap", rounds=2000)
        ratio = np.diagonal(bootstrap.covariance) / np.diagonal(sandwich.covariance)
        assert ratio == pytest.approx(np.ones(6), abs=0.15)
    again = bradley_terry(c, cluster="prompt", interval="bootstrap", rounds=2000)
    assert (again.ci_low == bootstrap.ci_low).all()


def test_soft_bootstrap_agrees_with_sandwich() -> None:
    c = simulate(4, 3000)
    soft = Comparisons(c.models, c.i, c.j, 0.8 * c.outcome + 0.1)
    sandwich = bradley_terry(soft)
    bootstrap = bradley_terry(soft, interval="bootstrap", rounds=1500)
    ratio = np.diagonal(bootstrap.covariance) / np.diagonal(sandwich.covariance)
    assert ratio == pytest.approx(np.ones(4), abs=0.15)


def test_constant_propensity_changes_nothing_and_ranks_follow_the_anchor() -> None:
    c = simulate(rows=300)
    plain = bradley_terry(c)
    drawn = Comparisons(c.models, c.i, c.j, c.outcome, propensity=np.full(len(c), 0.2))
    assert bradley_terry(drawn).covariance == pytest.approx(plain.covariance)
    anchored = bradley_terry(c, anchor=("m00", 1200.0))
    assert anchored.ratings[0] == pytest.approx(1200.0)
    assert np.ptp(anchored.ratings - plain.ratings) == pytest.approx(0.0, abs=1e-9)
    assert anchored.covariance == pytest.approx(plain.covariance)


def test_weights_undo_a_skewed_choice_of_pairs() -> None:
    # Three models that no single number fits: who is met most decides the ratings.
    rate = {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): 0.5}
    even = dict.fromkeys(rate, 100)
    skewed = {("a", "b"): 500, ("b", "c"): 50, ("a", "c"): 50}

    def rated(times, **kwargs):
        rows = [
            (a, b, y, n)
            for (a, b), n in times.items()
            for y, n in ((1, n * rate[a, b]), (0, n * (1 - rate[a, b])))
        ]
        a, b, y, n = zip(*rows, strict=True)
        columns = {
            name: [values[x, z] for x, z in zip(a, b, strict=True)]
            for name, values in kwargs.items()
        }
        return bradley_terry(Comparisons.from_columns(a, b, outcome=y, weight=n, **columns))

    chance = {pair: times / 600 for pair, times in skewed.items()}
    target = rated(even).ratings
    assert rated(skewed, propensity=chance).ratings == pytest.approx(target, abs=1e-6)
    assert np.abs(rated(skewed).ratings - target).max() > 5


def test_impossible_data_is_named() -> None:
    with pytest.raises(SeparatedError, match=r"a never lost and c never won.*prior=400"):
        bradley_terry(wins(("a", "b", 3), ("b", "c", 3)))
    with pytest.raises(DisconnectedError, match="2 parts that never met: a, b; c, d"):
        bradley_terry(wins(("a", "b", 3), ("b", "a", 3), ("c", "d", 2), ("d", "c", 2)))
    groups = wins(("a", "b", 3), ("b", "a", 3), ("c", "d", 2), ("d", "c", 2), ("a", "c", 4))
    with pytest.raises(SeparatedError, match="a, b won every point"):
        bradley_terry(groups)
    finite = bradley_terry(groups, prior=400)
    assert finite.settings.prior == 400
    assert finite.ratings[0] > finite.ratings[2]
    with pytest.raises(RatingError, match="resample"):
        bradley_terry(wins(("a", "b", 5), ("b", "a", 1)), interval="bootstrap")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "ignore"}, "ties is 'ignore'; allowed are 'half', 'davidson', 'rao-kupper'"),
        ({"interval": "exact"}, "interval is 'exact'"),
        ({"cluster": "colour"}, "cluster is 'colour'; allowed are auto, prompt"),
        ({"cluster": "prompt"}, "no 'prompt' column"),
        ({"confidence": 95}, "confidence is 95"),
        ({"prior": 0.0}, "prior is 0"),
        ({"anchor": ("nobody", 1000)}, "the anchor 'nobody'"),
        ({"anchor": ("m00", math.nan)}, "the anchor's rating is nan"),
        ({"style": ["length"]}, "no style column named 'length'"),
        ({"interval": "bootstrap", "rounds": 1}, "rounds is 1"),
    ],
)
def test_bad_options_name_the_allowed_ones(options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bradley_terry(simulate(), **options)


def test_counts_over_five_orders_of_magnitude() -> None:
    # Closed form: a chain, so each difference is its own pair's log-odds.
    c = Comparisons.from_columns(
        "aabbcc", "bbccdd", outcome=[1, 0] * 3, weight=[6e6, 4e6, 60, 40, 6, 4]
    )
    r = bradley_terry(c)
    steps = -np.diff(r.ratings) / POINTS_PER_LOG
    assert steps == pytest.approx([math.log(1.5)] * 3, abs=1e-9)
    gap = np.array([0, 0, 1, -1])
    variance = float(gap @ r.covariance @ gap) / POINTS_PER_LOG**2
    assert variance == pytest.approx(1 / (10 * 0.24), rel=1e-9)


def test_ranks_and_rows() -> None:
    r = bradley_terry(simulate(6, 3000))
    lines = r.as_rows()
    assert [line.rank for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all(line.rank_low <= line.rank <= line.rank_high for line in lines)
    assert r.p_best is not None
    assert r.p_best.sum() == pytest.approx(1.0)
    unsure = bradley_terry(simulate(6, 60))
    assert (unsure.rank_high - unsure.rank_low).sum() > (r.rank_high - r.rank_low).sum()


def test_elo_by_hand_and_averaged() -> None:
    c = wins(("a", "b", 1), ("b", "a", 1))
    first = 16.0
    expected = 1 / (1 + 10 ** (-2 * first / 400))
    assert elo(c, k=32).ratings[0] == pytest.approx(1000 + first - 32 * expected)
    averaged = elo(simulate(4, 2000), permutations=100)
    assert (averaged.ci_low < averaged.ratings).all()
    assert averaged.ratings.mean() == pytest.approx(1000.0)
    assert averaged.ratings.argmax() == 3
    # Steps so long that the odds overflow.
    far = elo(wins(("a", "b", 3), ("b", "a", 4)), k=1e6, permutations=3)
    assert far.ratings.sum() == pytest.approx(2000.0)
    with pytest.raises(InputError, match="confidence is 2"):
        elo(c, permutations=3, confidence=2.0)


@pytest.mark.parametrize("cluster", ["auto", "prompt", None])
def test_the_order_of_rows_and_of_names_changes_no_bootstrap(cluster: str | None) -> None:
    c = simulate(5, 300, prompts=60)
    order = np.random.default_rng(1).permutation(len(c))
    shuffled = c.select(order)
    renamed = replace(
        shuffled, prompt=factorise("prompt", [f"q{k}" for k in shuffled.prompt.codes])
    )
    options = {"interval": "bootstrap", "cluster": cluster, "rounds": 50}
    one, other = bradley_terry(c, **options), bradley_terry(renamed, **options)
    assert other.ci_low == pytest.approx(one.ci_low, abs=1e-9)
    assert other.ci_high == pytest.approx(one.ci_high, abs=1e-9)
