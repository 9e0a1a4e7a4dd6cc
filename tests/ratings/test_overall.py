"""The overall column: a stated mean, and an interval that holds whatever parts share."""

from dataclasses import replace

import numpy as np
import pytest

from arena.ratings import Comparisons, Part, RatingResult, bradley_terry, combine, overall
from arena.ratings.scale import POINTS_PER_LOG
from tests.ratings.simulated import simulate

HUMAN = combine(simulate(5, 500, seed=1, prompts=100))
EXAM = bradley_terry(simulate(6, 800, seed=2, prompts=100), prior=400.0)


def people(weight: float, ratings: RatingResult) -> Part:
    return Part(weight, ratings, about_battles=True)


def exam(weight: float, ratings: RatingResult) -> Part:
    return Part(weight, ratings, about_battles=False)


def test_the_mean_is_weighted_over_the_models_that_all_have() -> None:
    r = overall([people(0.25, HUMAN), exam(0.75, EXAM)], "both")
    assert r is not None
    assert r.models == HUMAN.models
    of_exam = EXAM.ratings[:5] - EXAM.ratings[:5].mean()
    assert r.ratings == pytest.approx(0.25 * HUMAN.ratings + 0.75 * (1000.0 + of_exam))
    assert r.comparisons == pytest.approx(HUMAN.comparisons + EXAM.comparisons[:5])
    assert (r.settings.method, r.settings.anchor) == ("both", None)
    # The delta method: errors of votes and of a benchmark are independent.
    among = np.eye(5) - 0.2
    expected = 0.0625 * HUMAN.covariance + 0.5625 * among @ EXAM.covariance[:5, :5] @ among
    assert r.covariance == pytest.approx(expected)
    half = 1.959964 * np.sqrt(np.diagonal(expected))
    assert r.ci_high - r.ratings == pytest.approx(half, rel=1e-6)
    assert r.ratings - r.ci_low == pytest.approx(half, rel=1e-6)


def test_the_order_of_parts_changes_nothing() -> None:
    judged = combine(judges={"j": simulate(5, 400, seed=3)})
    parts = [people(0.5, HUMAN), exam(0.2, EXAM), people(0.3, judged)]
    one, other = overall(parts, "x"), overall(parts[::-1], "x")
    assert one is not None
    assert other is not None
    place = [other.models.index(name) for name in one.models]
    assert other.ratings[place] == pytest.approx(one.ratings)
    assert other.covariance[np.ix_(place, place)] == pytest.approx(one.covariance)


def test_parts_without_a_model_in_common_have_no_mean() -> None:
    names = {f"m{k:02d}": f"other{k}" for k in range(5)}
    apart = combine(simulate(5, 300).relabel(names))
    assert overall([people(0.5, HUMAN), people(0.5, apart)], "x") is None


def test_a_part_without_an_interval_adds_none() -> None:
    bare = replace(EXAM, covariance=None)
    r = overall([people(0.5, HUMAN), exam(0.5, bare)], "x")
    assert r is not None
    assert r.covariance == pytest.approx(0.25 * HUMAN.covariance)


def test_what_is_counted_twice_is_not_surer() -> None:
    r = overall([people(0.3, HUMAN), people(0.7, HUMAN)], "twice")
    assert r is not None
    assert r.ratings == pytest.approx(HUMAN.ratings)
    assert r.covariance == pytest.approx(HUMAN.covariance)


def covered(r: RatingResult, truth: np.ndarray) -> float:
    assert r.ci_low is not None
    assert r.ci_high is not None
    return float(np.mean((r.ci_low <= truth) & (truth <= r.ci_high)))


def on_the_same_battles(seed: int) -> tuple[Comparisons, Comparisons, Comparisons]:
    """Votes, a judge that mostly repeats them, and a benchmark of its own."""
    rng = np.random.default_rng(seed)
    votes = simulate(5, 600, ties=0.0, seed=seed, prompts=300)
    own = simulate(5, 600, ties=0.0, seed=seed + 10_000)
    theta = np.linspace(-1.0, 1.0, 5)
    fresh = rng.random(600) < 1 / (1 + np.exp(theta[votes.j] - theta[votes.i]))
    judge = replace(votes, outcome=np.where(rng.random(600) < 0.7, votes.outcome, fresh))
    return votes, judge, own


@pytest.mark.slow
def test_intervals_cover_the_mean_of_the_true_ratings() -> None:
    truth = 1000.0 + POINTS_PER_LOG * np.linspace(-1.0, 1.0, 5)
    with_exam, with_judge = [], []
    for seed in range(150):
        votes, judge, own = on_the_same_battles(seed)
        voted, measured = combine(votes), bradley_terry(own, prior=400.0)
        parts = [people(0.5, voted), exam(0.5, measured)]
        with_exam.append(covered(overall(parts, "x"), truth))
        judged = combine(judges={"judge": judge})
        with_judge.append(covered(overall([people(0.5, voted), people(0.5, judged)], "x"), truth))
    assert np.mean(with_exam) == pytest.approx(0.95, abs=0.025)
    assert 0.92 <= np.mean(with_judge) < 1.0
