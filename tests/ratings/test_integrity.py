"""Voters beside the crowd: honest ones, planted attackers, closed forms, odd data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import betabinom, binom

from arena.ratings import Comparisons, Integrity, SuspicionKind, bradley_terry, capped, integrity
from arena.ratings.voter_audit.audit import FREE, explain
from arena.ratings.voter_audit.copies import shared
from arena.ratings.voter_audit.crowd import ballots, crowd
from arena.ratings.voter_audit.nulls import Counts, Null, even, fit_null
from arena.records.errors import InputError

pytestmark = pytest.mark.slow

Dataset = Callable[[str], dict[str, list[str]]]


def votes(
    seed: int = 0, voters: int = 60, each: int = 60, models: int = 12, spread: float = 0.25
) -> dict[str, list[Any]]:
    """Honest people who see 300 battles with the sides at random, and are not all alike."""
    rng = np.random.default_rng(seed)
    strength, rows = np.linspace(-1.2, 1.2, models), voters * each
    a = rng.integers(models, size=300)
    b = (a + rng.integers(1, models, size=300)) % models
    gap = strength[a] - strength[b] + rng.normal(0.0, 0.6, 300)
    voter, battle = np.repeat(np.arange(voters), each), rng.integers(300, size=rows)
    turned = rng.random(rows) < 0.5
    slope, ties = np.exp(rng.normal(0.0, spread, voters)), rng.beta(2.0, 5.0, voters)
    odds = slope[voter] * gap[battle] * np.where(turned, -1.0, 1.0)
    won = rng.random(rows) < 1.0 / (1.0 + np.exp(-odds))
    tied = rng.random(rows) < ties[voter]
    left, right = np.where(turned, b[battle], a[battle]), np.where(turned, a[battle], b[battle])
    order = rng.permutation(rows)
    return {
        "model_a": [f"m{k:02d}" for k in left[order]],
        "model_b": [f"m{k:02d}" for k in right[order]],
        "winner": np.where(tied, "tie", np.where(won, "model_a", "model_b"))[order].tolist(),
        "prompt": [f"p{k}" for k in battle[order]],
        "voter": [f"v{k}" for k in voter[order]],
    }


def planted(columns: dict[str, list[Any]], name: str, say: Callable[[int], str]) -> Comparisons:
    """The same votes and a new voter's on 150 of them; say: the vote on a row."""
    rows = np.random.default_rng(1).choice(len(columns["voter"]), 150, replace=False)
    own = {key: [column[k] for k in rows] for key, column in columns.items()}
    own |= {"winner": [say(int(k)) for k in rows], "voter": [name] * len(rows)}
    return Comparisons.from_columns(**{key: columns[key] + own[key] for key in columns})


def report_of(found: Integrity, name: str) -> Any:
    return next(voter for voter in found.voters if voter.voter == name)


@pytest.mark.parametrize("seed", range(6))
def test_honest_crowds_are_left_alone(seed: int) -> None:
    found = integrity(Comparisons.from_columns(**votes(seed, spread=(0.0, 0.25)[seed % 2])))
    assert found.flagged == ()
    assert len(found.voters) == 60


def test_p_values_of_honest_voters_are_no_smaller_than_uniform_ones() -> None:
    seen: dict[SuspicionKind, list[float]] = {}
    for seed in range(4):
        for voter in integrity(Comparisons.from_columns(**votes(seed))).voters:
            for finding in voter.findings:
                seen.setdefault(finding.kind, []).append(finding.p)
    for kind, p in seen.items():  # 240 of each; two standard errors above the nominal share
        for level in (0.05, 0.2):
            assert np.mean(np.array(p) <= level) <= level + 2.0 * (level / 240) ** 0.5, kind


def test_models_are_hardly_met_often_by_honest_voters_of_many() -> None:
    """Voters with few votes on each of many models, and no two on the same battle."""
    rng = np.random.default_rng(3)
    i = rng.integers(150, size=6000)
    j = (i + rng.integers(1, 150, size=6000)) % 150
    won = rng.random(6000) < 1.0 / (1.0 + np.exp((j - i) / 75.0))
    c = Comparisons.from_columns(
        [f"m{k}" for k in i],
        [f"m{k}" for k in j],
        outcome=won.astype(float),
        prompt=range(6000),
        voter=rng.integers(150, size=6000).tolist(),
    )
    assert integrity(c).flagged == ()


@pytest.mark.parametrize(
    ("kind", "vote"),
    [
        (SuspicionKind.SIDE, lambda columns, k: "model_a"),
        (SuspicionKind.SIDE, lambda columns, k: "model_b"),
        (SuspicionKind.CARELESS, lambda columns, k: ("model_a", "model_b", "tie")[k * 7919 % 3]),
        (SuspicionKind.COPY, None),
    ],
)
def test_an_attacker_is_flagged_for_what_it_does(kind: SuspicionKind, vote: Any) -> None:
    columns = votes()
    if kind is SuspicionKind.COPY:
        rows = [k for k, voter in enumerate(columns["voter"]) if voter == "v7"]
        whole = {name: [*column, *(column[k] for k in rows)] for name, column in columns.items()}
        whole["voter"][-len(rows) :] = ["bad"] * len(rows)
        found = integrity(Comparisons.from_columns(**whole))
        assert report_of(found, "bad").finding(SuspicionKind.COPY).about == "v7"
    else:
        found = integrity(planted(columns, "bad", lambda k: vote(columns, k)))
    assert [voter.voter for voter in found.flagged] == ["bad"]
    assert kind in report_of(found, "bad").kinds


def test_votes_for_one_model_name_it() -> None:
    columns = votes()
    mine = [k for k, a in enumerate(columns["model_a"]) if "m03" in (a, columns["model_b"][k])]
    whole = {key: [*column, *(column[k] for k in mine[:60])] for key, column in columns.items()}
    whole["voter"][-60:] = ["bad"] * 60
    whole["winner"][-60:] = [
        "model_a" if columns["model_a"][k] == "m03" else "model_b" for k in mine[:60]
    ]
    bad = report_of(integrity(Comparisons.from_columns(**whole)), "bad")
    assert SuspicionKind.TARGET in bad.kinds
    assert (bad.finding(SuspicionKind.TARGET).value, bad.finding(SuspicionKind.TARGET).about) == (
        1.0,
        "m03",
    )


def test_haste_and_the_same_vote_again_and_again() -> None:
    columns = votes()
    rows = len(columns["voter"])
    seconds = np.random.default_rng(0).gamma(4.0, 3.0, rows)
    hasty = np.array(columns["voter"]) == "v5"
    seconds[hasty] = 0.4
    found = integrity(Comparisons.from_columns(**columns), seconds=seconds.tolist())
    assert [(v.voter, v.kinds) for v in found.flagged] == [("v5", (SuspicionKind.SPEED,))]
    own = np.flatnonzero(hasty)
    for n, k in enumerate(own):  # left, right, left, right: no side, and yet no look
        columns["winner"][k] = ("model_a", "model_b")[n % 2]
    found = integrity(Comparisons.from_columns(**columns))
    assert SuspicionKind.REPETITION in report_of(found, "v5").kinds
    assert report_of(found, "v5").finding(SuspicionKind.REPETITION).value == 0.0


def test_neither_names_nor_sides_nor_the_order_of_models_matter() -> None:
    columns = votes(voters=20)
    c = planted(columns, "bad", lambda k: ("model_a", "model_b", "tie")[k * 7919 % 3])
    base = {v.voter: v for v in integrity(c).voters}
    renamed = c.relabel({name: f"x{99 - int(name[1:])}" for name in c.models})
    for voter in integrity(renamed).voters:
        assert voter.honest == pytest.approx(base[voter.voter].honest, abs=1e-3)
    for voter in integrity(c.swapped()).voters:
        side, mirrored = (v.finding(SuspicionKind.SIDE) for v in (voter, base[voter.voter]))
        assert side.value == pytest.approx(1.0 - mirrored.value)
        assert side.p == pytest.approx(mirrored.p, abs=0.01)
        assert voter.flagged == base[voter.voter].flagged


def test_the_null_is_binomial_without_spread_and_found_again_with_it() -> None:
    x = Counts(np.array([3.0, 0.0]), np.array([10.0, 0.0]), np.array([0.4, 0.5]))
    tight = Null(0.0, 1e-9)
    assert np.exp(tight.log_probability(x)[0]) == pytest.approx(binom.pmf(3, 10, 0.4), rel=1e-4)
    assert tight.above(x)[0] == pytest.approx(binom.sf(2, 10, 0.4), rel=1e-4)
    assert (tight.apart(x)[1], even(x)[1]) == (1.0, 0.0)
    rng, n, p = np.random.default_rng(0), np.full(800, 40.0), np.full(800, 0.3)
    wide = betabinom.rvs(40, 0.3 * 32.3, 0.7 * 32.3, size=800, random_state=rng).astype(float)
    wide[:80] = 40.0  # bad actors do not widen it
    assert 0.01 < fit_null(Counts(wide, n, p), even).spread < 0.04


@pytest.mark.parametrize("null", [Null(0.1, 0.02), Null(-0.5, 0.6), Null(0.0, 1e-3)])
def test_tails_are_those_of_scipy_however_many_terms_they_have(null: Null) -> None:
    rng = np.random.default_rng(0)
    n = np.append(rng.integers(0, 300, 200), [0, 5000, 300_000]).astype(float)
    k = np.append(np.floor(rng.random(202) * (n[:-1] + 1.0)), 7.0)
    x = Counts(k, n, rng.uniform(0.01, 0.99, len(n)))
    below = betabinom.cdf(x.k, x.n, *null.shape(x.p))
    above = betabinom.sf(x.k - 1.0, x.n, *null.shape(x.p))
    assert null.above(x) == pytest.approx(above, abs=1e-9)
    assert null.apart(x) == pytest.approx(np.minimum(1.0, 2.0 * np.minimum(below, above)), abs=1e-9)
    far = Counts(np.array([200.0]), np.array([200.0]), np.array([0.01]))
    assert null.above(far)[0] == pytest.approx(np.exp(null.log_probability(far)[0]), rel=1e-9)


def test_bayes_rule_over_kinds() -> None:
    none = explain(np.zeros((50, 2)))  # votes that tell nothing leave what was expected
    assert none == pytest.approx(np.tile([0.9, 0.05, 0.05], (50, 1)))
    sure = explain(np.array([[40.0, 0.0], *[[-40.0, -40.0]] * 49]))
    assert sure[0] == pytest.approx([0.0, 1.0, 0.0], abs=1e-6)
    assert sure[1:, 1:].max() < 1e-10


def test_pairs_of_voters_by_hand() -> None:
    same = ["model_a", "model_b", "tie", "model_a", "model_a", "model_b"]
    first = {"model_a": ["x"] * 6, "model_b": ["y"] * 6, "prompt": list("abcdef"), "winner": same}
    second = first | {"model_a": ["y"] * 6, "model_b": ["x"] * 6}
    whole = {key: first[key] + second[key] for key in first}
    c = Comparisons.from_columns(**whole, voter=["u"] * 6 + ["w"] * 6)
    pairs = shared(crowd(ballots(c)))
    # The second saw the sides the other way round: the same word is the opposite vote.
    assert (pairs.counts.n.tolist(), pairs.counts.k.tolist()) == ([6.0], [1.0])
    assert (pairs.later.tolist(), pairs.earlier.tolist()) == ([1], [0])


def test_nobody_is_above_the_cap() -> None:
    columns = votes(voters=40)
    c = planted(columns, "busy", lambda k: "model_a")
    light = capped(c, 0.04)
    assert light.weight is not None
    voter = c.group("voter").codes
    for model in range(len(c.models)):
        here = (c.i == model) | (c.j == model)
        own = np.bincount(voter[here], light.weight[here])
        limit = 0.04 * np.minimum(np.bincount(voter[here]), own.max()).sum()
        assert own.max() <= max(FREE, limit) + 1e-9
    assert capped(c, 1.0).weight == pytest.approx(np.ones(len(c)))


def test_the_cap_bounds_what_a_busy_voter_does() -> None:
    columns = votes()
    mine = [k for k, a in enumerate(columns["model_a"]) if "m03" in (a, columns["model_b"][k])]
    whole = {key: [*column, *(column[k] for k in mine)] for key, column in columns.items()}
    whole["voter"][-len(mine) :] = ["bad"] * len(mine)
    whole["winner"][-len(mine) :] = [
        "model_a" if columns["model_a"][k] == "m03" else "model_b" for k in mine
    ]
    clean, attacked = Comparisons.from_columns(**columns), Comparisons.from_columns(**whole)

    def gain(share: float) -> float:
        before, after = (bradley_terry(capped(c, share)).ratings for c in (clean, attacked))
        return float((after - before)[clean.models.index("m03")])

    # A share s of a model's votes, all turned, is at most s / p(1 - p) in log-odds.
    assert gain(0.05) < 400.0 / np.log(10.0) * 0.05 / 0.15 < 60.0 < gain(1.0)


def test_odd_votes_get_a_report_or_a_sentence() -> None:
    c = Comparisons.from_columns(["x", "x"], ["y", "y"], ["model_a", "tie"])
    with pytest.raises(InputError, match="no 'voter' column"):
        integrity(c)
    with pytest.raises(InputError, match="no 'voter' column"):
        capped(c)
    one = Comparisons.from_columns(["x"] * 3, ["y"] * 3, ["model_a"] * 3, voter=["me"] * 3)
    assert integrity(one).flagged == ()
    assert integrity(one).voters[0].again == 2
    for winner in ("model_a", "tie"):
        apart = Comparisons.from_columns(
            ["x"] * 9, ["y"] * 9, [winner] * 9, prompt=range(9), voter=range(9)
        )
        report = integrity(apart)
        assert report.flagged == ()
        assert all(np.isfinite([v.p, v.q, v.honest]).all() for v in report.voters)
        assert report.voters[0].finding(SuspicionKind.COPY).value is None
    with pytest.raises(InputError, match="level is 1"):
        integrity(one, level=1.0)
    with pytest.raises(InputError, match="the cap is 0"):
        capped(one, 0.0)
    with pytest.raises(InputError, match="seconds has 1 rows"):
        integrity(one, seconds=[1.0])
    nothing = [None, float("nan"), 3.0]
    assert integrity(one, seconds=nothing).voters[0].finding(SuspicionKind.SPEED) is not None
    weighted = replace(one, weight=np.array([1.0, 2.0, 3.0]))
    assert integrity(weighted).voters[0].votes == 3


def test_flagged_workers_agree_with_a_judge_as_a_coin_would(dataset: Dataset) -> None:
    """LLMFAO: GPT-4, whom the audit does not know, agrees with the flagged half of the time."""
    columns = dataset("llmfao_votes.csv")
    judges = dataset("llmfao_judges.csv")
    gpt = {
        pair: winner
        for pair, winner, source in zip(
            judges["pair"], judges["winner"], judges["source"], strict=True
        )
        if source == "gpt-4"
    }
    names = ("model_a", "model_b", "winner", "prompt", "voter")
    found = integrity(Comparisons.from_columns(**{name: columns[name] for name in names}))
    flagged = {voter.voter for voter in found.flagged}
    assert {"11", "15", "20", "70"} <= flagged
    assert len(flagged) < 15
    agreed: dict[bool, list[bool]] = {True: [], False: []}
    for pair, winner, voter in zip(
        columns["pair"], columns["winner"], columns["voter"], strict=True
    ):
        if "tie" not in (winner, gpt[pair]):
            agreed[voter in flagged].append(winner == gpt[pair])
    assert np.mean(agreed[True]) < 0.52
    assert np.mean(agreed[False]) > 0.68
