"""How honest counts vary: beside scipy's beta-binomial, and found again from simulated crowds."""

import numpy as np
import pytest
from scipy.stats import betabinom

from arena.ratings.voter_audit import nulls
from arena.ratings.voter_audit.nulls import Counts, Null, even, fit_null, mostly


def counts(k: list[float], n: list[float], p: list[float]) -> Counts:
    return Counts(np.array(k), np.array(n), np.array(p))


@pytest.mark.parametrize("null", [Null(0.0, 0.02), Null(0.4, 0.2), Null(-0.7, 0.001)])
def test_probabilities_of_all_counts_sum_to_one_around_the_shifted_mean(null: Null) -> None:
    k = np.arange(31.0)
    x = Counts(k, np.full(31, 30.0), np.full(31, 0.3))
    p = np.exp(null.log_probability(x))
    assert p.sum() == pytest.approx(1.0)
    odds = 0.3 / 0.7 * np.exp(null.shift)
    assert (p @ k) / 30 == pytest.approx(odds / (1 + odds))


def test_the_spread_is_the_correlation_of_two_votes() -> None:
    null, n, p = Null(0.0, 0.1), 20.0, 0.4
    k = np.arange(21.0)
    chance = np.exp(null.log_probability(Counts(k, np.full(21, n), np.full(21, p))))
    variance = chance @ (k - n * p) ** 2
    assert variance == pytest.approx(n * p * (1 - p) * (1 + (n - 1) * 0.1))


def test_tails_are_sums_of_probabilities() -> None:
    null = Null(0.2, 0.05)
    x = counts([0, 3, 10, 20, 17], [20, 20, 20, 20, 20], [0.5, 0.1, 0.5, 0.9, 0.6])
    a, b = null.shape(x.p)
    upper = betabinom.sf(x.k - 1, x.n.astype(int), a, b)
    lower = betabinom.cdf(x.k, x.n.astype(int), a, b)
    assert null.above(x) == pytest.approx(upper, abs=1e-12)
    assert null.apart(x) == pytest.approx(np.minimum(1.0, 2 * np.minimum(upper, lower)), abs=1e-12)


def test_tails_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(1, 80, 60).astype(float)
    x = Counts(np.floor(rng.random(60) * (n + 1)), n, rng.random(60))
    whole = Null(0.1, 0.03).apart(x)
    monkeypatch.setattr(nulls, "TERMS", 50)
    assert Null(0.1, 0.03).apart(x) == pytest.approx(whole)


def test_the_distribution_is_found_again() -> None:
    rng = np.random.default_rng(1)
    n, p = np.full(4000, 40), rng.uniform(0.2, 0.8, 4000)
    truth = Null(0.3, 0.08)
    k = betabinom.rvs(n, *truth.shape(p), random_state=rng)
    found = fit_null(Counts(k.astype(float), n.astype(float), p), even)
    assert found.shift == pytest.approx(0.3, abs=0.05)
    assert found.spread == pytest.approx(0.08, abs=0.015)
    held = fit_null(Counts(k.astype(float), n.astype(float), p), even, may_shift=False)
    assert held.shift == 0.0


def test_a_few_bad_counts_do_not_widen_it() -> None:
    rng = np.random.default_rng(2)
    n, p = np.full(1000, 50.0), np.full(1000, 0.5)
    k = rng.binomial(50, 0.5, 1000).astype(float)
    clean = fit_null(Counts(k, n, p), even)
    k[:30] = 50.0
    assert fit_null(Counts(k, n, p), even).spread < clean.spread + 0.01


def test_two_ways_to_be_bad() -> None:
    x = counts([0, 5, 10], [10, 10, 10], [0.5] * 3)
    assert np.exp(even(x)) == pytest.approx([1 / 11] * 3)
    # Beta(9, 1): the chance of k of 10 is C(10, k) B(k + 9, 11 - k) / B(9, 1).
    assert np.exp(mostly(x)) == pytest.approx(betabinom.pmf([0, 5, 10], 10, 9, 1))


def test_a_share_of_nothing_is_not_known() -> None:
    x = counts([0, 2], [0, 4], [0.5, 0.5])
    assert np.isnan(x.ratio[0])
    assert x.ratio[1] == 0.5
    assert x[np.array([False, True])].k.tolist() == [2.0]
