"""Prediction-powered ratings: with the votes alone, with a perfect judge, with a useless one."""

from dataclasses import replace

import numpy as np
import pytest

from arena.ratings import Comparisons, bradley_terry, combine
from arena.ratings.combined.battles import match
from arena.ratings.combined.ppi import Powered, ppi
from arena.ratings.fitting.likelihood import fit_counts
from arena.ratings.scale import POINTS_PER_LOG
from tests.ratings.simulated import simulate


def world(
    skill: float, votes: int = 400, battles: int = 4000, seed: int = 0
) -> tuple[Comparisons, Comparisons]:
    """Votes on a random sample of battles, and a judge of all of them.

    skill: chance that the judge says what the voter would say; else it says anything.
    """
    rng = np.random.default_rng(seed)
    base = simulate(6, battles, ties=0.0, seed=seed)
    whole = Comparisons.from_columns(
        [base.models[k] for k in base.i],
        [base.models[k] for k in base.j],
        outcome=base.outcome,
        prompt=list(range(battles)),
    )
    knows = rng.random(battles) < skill
    said = np.where(knows, whole.outcome, rng.integers(0, 2, battles))
    chosen = np.sort(rng.choice(battles, votes, replace=False))
    return whole.select(chosen), replace(whole, outcome=said.astype(float))


def powered(human: Comparisons, *judges: Comparisons) -> Powered:
    parts = match([human, *judges], by_prompt=True)
    return ppi(parts[0], parts[1:], len(human.models), None)


def test_a_useless_judge_has_no_power_and_changes_nothing() -> None:
    human, judge = world(skill=0.0)
    found = powered(human, judge)
    alone = fit_counts(human.pair_counts)[0]
    assert found.power <= 0.1
    assert found.theta == pytest.approx(alone, abs=0.05)


def test_a_judge_that_says_what_people_say_gives_the_ranking_of_all_battles() -> None:
    human, judge = world(skill=1.0)
    found = powered(human, judge)
    everything = fit_counts(judge.pair_counts)[0]
    assert found.power > 0.85
    assert found.weights == pytest.approx([1.0])
    few = np.abs(fit_counts(human.pair_counts)[0] - everything).max()
    assert np.abs(found.theta - everything).max() < 0.35 * few


def test_intervals_narrow_with_the_judges_skill() -> None:
    widths = []
    for skill in (0.0, 0.6, 1.0):
        found = powered(*world(skill))
        widths.append(np.sqrt(np.diagonal(found.covariance)).mean())
    assert widths[2] < widths[1] < widths[0]


def test_a_judge_that_says_the_opposite_is_read_the_other_way_round() -> None:
    human, judge = world(skill=0.8)
    contrary = replace(judge, outcome=1.0 - judge.outcome)
    one = powered(human, judge)
    other = powered(human, contrary)
    assert other.theta == pytest.approx(one.theta, abs=1e-8)
    assert other.weights == pytest.approx(-one.weights)


def test_a_second_copy_of_the_judge_changes_nothing() -> None:
    human, judge = world(skill=0.7)
    one = powered(human, judge)
    two = powered(human, judge, judge)
    assert two.theta == pytest.approx(one.theta, abs=1e-8)
    assert two.covariance == pytest.approx(one.covariance, rel=1e-6)
    assert two.weights.sum() == pytest.approx(one.weights.sum())


def test_a_judge_that_is_partial_to_a_model_does_not_move_it() -> None:
    """The difference to the votes is taken out, whatever the judge is worth."""
    errors = []
    truth = np.linspace(-1.0, 1.0, 6)
    for seed in range(20):
        human, judge = world(skill=0.8, votes=800, seed=seed)
        for_first = np.where(judge.i == 0, 1.0, np.where(judge.j == 0, 0.0, judge.outcome))
        found = powered(human, replace(judge, outcome=for_first))
        errors.append(found.theta - (truth - truth.mean()))
    bias = np.mean(errors, axis=0)
    spread = np.std(errors, axis=0) / np.sqrt(20)
    assert (np.abs(bias) < 3.5 * spread).all()


@pytest.mark.slow
def test_intervals_cover_the_true_ratings() -> None:
    truth = np.linspace(-1.0, 1.0, 6) * POINTS_PER_LOG + 1000.0
    inside = total = 0
    for seed in range(60):
        human, judge = world(skill=0.7, votes=500, battles=2500, seed=100 + seed)
        r = combine(human, {"judge": judge}, method="ppi")
        assert r.ci_low is not None
        assert r.ci_high is not None
        inside += int(((r.ci_low <= truth) & (truth <= r.ci_high)).sum())
        total += 6
    # Errors of the models of one draw go together: two thirds of the draws count.
    assert inside / total >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / (total / 4))


def test_it_says_how_much_it_leaned_on_the_judges() -> None:
    human, judge = world(skill=0.8)
    r = combine(human, {"judge": judge}, method="ppi")
    assert dict(r.parameters)["power"] > 0.3
    (source,) = [source for source in r.sources if source.kind == "judge"]
    assert source.weight is not None
    assert source.weight > 0
    alone = bradley_terry(human)
    assert r.models == alone.models
