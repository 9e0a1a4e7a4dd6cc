"""Elo in the order of votes, one vote more, the pair to ask next, and what settles a ranking."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import norm

from arena.ratings import (
    Comparisons,
    Online,
    bradley_terry,
    elo,
    influence,
    next_pairs,
    settling,
)
from arena.ratings.fitting.likelihood import fit_counts, precision_of
from arena.ratings.fitting.newton import bread
from arena.ratings.pairing import after_one_more, information_gain
from arena.ratings.scale import POINTS_PER_LOG
from tests.ratings.simulated import simulate


def of(*rows: tuple[str, str, float], **columns: object) -> Comparisons:
    a, b, outcome = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, **columns)


def elo_slowly(c: Comparisons, k: float) -> dict[str, float]:
    """The rule of the chess federations, written out."""
    rating = dict.fromkeys(c.models, 1000.0)
    for i, j, outcome in zip(c.i, c.j, c.outcome, strict=True):
        a, b = c.models[i], c.models[j]
        expected = 1 / (1 + 10 ** ((rating[b] - rating[a]) / 400))
        rating[a], rating[b] = (
            rating[a] + k * (outcome - expected),
            rating[b] - k * (outcome - expected),
        )
    return rating


@pytest.mark.parametrize("k", [4.0, 32.0])
@pytest.mark.parametrize("seed", range(3))
def test_elo_is_the_rule_written_out(k: float, seed: int) -> None:
    c = simulate(models=5, rows=120, seed=seed)
    expected = elo_slowly(c, k)
    found = elo(c, k=k)
    assert dict(zip(found.models, found.ratings, strict=True)) == pytest.approx(expected)


def test_elo_gives_no_points_away() -> None:
    """What one side wins the other loses, whatever the order, the weights or the resamples."""
    c = simulate(models=6, rows=200, seed=1)
    for result in (elo(c), elo(c, permutations=15, seed=2)):
        assert result.ratings.mean() == pytest.approx(1000.0)


def test_elo_sees_neither_names_nor_sides_but_the_order() -> None:
    c = simulate(models=4, rows=80, seed=3)
    names = {name: f"z{k}" for k, name in enumerate(reversed(c.models))}
    there = elo(c)
    renamed = elo(c.relabel(names))
    for model, rating in zip(there.models, there.ratings, strict=True):
        assert renamed.ratings[renamed.models.index(names[model])] == pytest.approx(rating)
    assert elo(c.swapped()).ratings == pytest.approx(there.ratings)
    assert elo(c.select(np.arange(len(c))[::-1])).ratings != pytest.approx(there.ratings)


def test_elo_averaged_over_orders_nears_bradley_terry() -> None:
    """Small steps in many orders: the order is averaged out, up to where Elo has come."""
    c = simulate(models=4, rows=3000, seed=4)
    found, exact = elo(c, k=1.0, permutations=60, seed=1), bradley_terry(c)
    assert np.corrcoef(found.ratings, exact.ratings)[0, 1] > 0.999
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert (found.ci_low < found.ratings).all()
    assert (found.ratings < found.ci_high).all()


def test_elo_of_a_gap_that_overflows_an_exponential_stays_finite() -> None:
    c = of(*[("a", "b", 1.0)] * 5, weight=[1e6] * 5)
    assert np.isfinite(elo(c, k=1000.0).ratings).all()


@pytest.mark.parametrize(("rows", "within"), [(2000, 1e-6), (200, 1e-3)])
@pytest.mark.parametrize("seed", range(2))
def test_a_vote_more_is_the_fit_with_that_vote(rows: int, within: float, seed: int) -> None:
    """As near as the module says, in log-strength, through the votes after which it is refitted."""
    c = simulate(models=5, rows=rows, seed=seed)
    rng = np.random.default_rng(seed)
    state, added = Online.of(c), []
    for _ in range(40):
        i, j = rng.choice(5, 2, replace=False)
        added.append((int(i), int(j), float(rng.choice([0.0, 0.5, 1.0]))))
        state = state.after(*added[-1])
        first, second, outcome = zip(*added, strict=True)
        whole = Comparisons(
            c.models, np.r_[c.i, first], np.r_[c.j, second], np.r_[c.outcome, outcome]
        )
        exact = bradley_terry(whole, cluster=None)
        assert np.abs(state.ratings - exact.ratings).max() / POINTS_PER_LOG < within
    assert exact.covariance is not None
    assert state.covariance == pytest.approx(exact.covariance, rel=0.1, abs=1.0)


def test_the_gain_of_a_comparison_is_the_variance_that_it_takes_away() -> None:
    c = simulate(models=4, rows=100, seed=7)
    precision = precision_of(4, 400.0)
    theta, hessian = fit_counts(c.pair_counts, precision)
    inverse = bread(hessian, 4)
    gain = information_gain(theta, inverse)
    for i, j in itertools.combinations(range(4), 2):
        p = 1 / (1 + math.exp(theta[j] - theta[i]))
        step = np.zeros(4)
        step[i], step[j] = 1.0, -1.0
        more = bread(hessian + p * (1 - p) * np.outer(step, step), 4)
        assert gain[i, j] == pytest.approx(np.trace(inverse) - np.trace(more), rel=1e-6)
        after, square = after_one_more(inverse, inverse @ inverse, i, j, p)
        assert after == pytest.approx(more, abs=1e-9)
        assert square == pytest.approx(more @ more, abs=1e-9)


def test_pairs_are_drawn_with_the_chances_that_are_written_beside_them() -> None:
    c = simulate(models=4, rows=60, seed=8)
    drawn = [next_pairs(c, 1, seed=seed)[0] for seed in range(900)]
    chances = {frozenset((d.model_a, d.model_b)): d.propensity for d in drawn}
    assert len(chances) == 6
    assert sum(chances.values()) == pytest.approx(1.0)
    for pair, chance in chances.items():
        share = sum({d.model_a, d.model_b} == set(pair) for d in drawn) / len(drawn)
        assert share == pytest.approx(chance, abs=4 * (chance / len(drawn)) ** 0.5)
    first = sum(d.model_a < d.model_b for d in drawn) / len(drawn)
    assert first == pytest.approx(0.5, abs=0.06)  # no model is always on the left


def test_exploration_is_a_floor_under_every_chance() -> None:
    """A model of which much is known is still shown now and then."""
    c = of(*[("a", "b", 1.0), ("b", "a", 1.0)] * 400, ("a", "c", 1.0), ("c", "a", 1.0))
    drawn = [next_pairs(c, 1, seed=seed, exploration=0.3)[0] for seed in range(60)]
    for one in drawn:
        assert one.propensity >= 0.3 / 3 - 1e-12
    even = next_pairs(c, 3, exploration=1.0)
    assert [one.propensity for one in even] == pytest.approx([1 / 3] * 3)


def test_only_allowed_pairs_are_drawn() -> None:
    c = simulate(models=5, rows=50)
    allowed = [("m00", "m03"), ("m04", "m01"), ("m00", "unknown")]
    drawn = next_pairs(c, 40, allowed=allowed)
    assert {frozenset((d.model_a, d.model_b)) for d in drawn} == {
        frozenset(("m00", "m03")),
        frozenset(("m01", "m04")),
    }


def test_a_gap_is_settled_when_its_error_has_shrunk_to_it() -> None:
    """Two models: the information needed is (z / d)², of which 1 / error is there."""
    c = of(*[("a", "b", 1.0)] * 60, *[("b", "a", 1.0)] * 50)
    found = settling(c)
    assert found is not None
    theta, hessian = fit_counts(c.pair_counts, precision_of(2, 400.0))
    inverse = bread(hessian, 2)
    gap = abs(theta[0] - theta[1])
    error = inverse[0, 0] + inverse[1, 1] - 2 * inverse[0, 1]
    p = 1 / (1 + math.exp(-gap))
    wanted = (norm.ppf(0.975) / gap) ** 2 - 1 / error
    assert (found.rank, found.votes) == (1, math.ceil(wanted / (p * (1 - p))))


def test_what_is_settled_already_asks_for_no_votes() -> None:
    clear = of(*[("a", "b", 1.0)] * 900, *[("b", "a", 1.0)] * 100)
    assert settling(clear) is None
    assert settling(of(("a", "b", 0.5))) is None  # a difference of 0 is never settled


def test_votes_said_to_settle_a_ranking_do_if_all_stays_as_it_is() -> None:
    c = of(*[("a", "b", 1.0)] * 60, *[("b", "a", 1.0)] * 50)
    found = settling(c)
    assert found is not None
    theta, hessian = fit_counts(c.pair_counts, precision_of(2, 400.0))
    p = 1 / (1 + math.exp(theta[1] - theta[0]))
    for votes, apart in ((found.votes, True), (found.votes - 2, False)):
        step = votes * p * (1 - p) * np.array([[1.0, -1.0], [-1.0, 1.0]])
        inverse = bread(hessian + step, 2)
        error = (inverse[0, 0] + inverse[1, 1] - 2 * inverse[0, 1]) ** 0.5
        assert ((theta[0] - theta[1]) / error >= norm.ppf(0.975)) == apart


def test_the_votes_that_hold_up_the_first_place_are_found_where_they_can_be_counted() -> None:
    """a leads b by seven wins to three: without five of them it does not."""
    c = of(*[("a", "b", 1.0)] * 7, *[("b", "a", 1.0)] * 3, voter=[f"v{k % 4}" for k in range(10)])
    found = influence(c)
    assert (found.first, found.successor, len(found.rows)) == ("a", "b", 5)
    assert set(found.rows) <= set(range(7))
    assert sum(count for _, count in found.voters) == 5
    counts = [count for _, count in found.voters]
    assert counts == sorted(counts, reverse=True)
    rest = c.select(np.setdiff1d(np.arange(10), found.rows))
    a, b = bradley_terry(rest).ratings
    assert b > a


def test_points_of_a_log_are_those_of_ten_to_one() -> None:
    assert 400 / math.log(10) == POINTS_PER_LOG
