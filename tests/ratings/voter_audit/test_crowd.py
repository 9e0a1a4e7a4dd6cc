"""What others say of the pair of a vote: never the voter's own word, and the same on both sides."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from arena.ratings import Comparisons
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.scale import WEAK_PRIOR
from arena.ratings.voter_audit import crowd as module
from arena.ratings.voter_audit.agreement_with_crowd import following
from arena.ratings.voter_audit.crowd import Ballots, ballots, crowd, log_sigmoid
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


def cast(seed: int = 0, voters: int = 12, rows: int = 600) -> Comparisons:
    rng = np.random.default_rng(seed)
    base = simulate(6, rows, seed=seed)
    return Comparisons.from_columns(
        [base.models[k] for k in base.i],
        [base.models[k] for k in base.j],
        outcome=base.outcome,
        prompt=rng.integers(8, size=rows).tolist(),
        voter=[f"v{k}" for k in rng.integers(voters, size=rows)],
    )


def test_votes_are_read_from_the_left() -> None:
    c = Comparisons.from_columns(
        ["b", "a", "a"], ["a", "b", "b"], ["model_a", "tie", "model_b"], voter=["u", "u", "v"]
    )
    b = ballots(c)
    assert b.said.tolist() == [1, 0, -1]
    assert b.forward.tolist() == [-1, 1, 1]
    assert b.battle.tolist() == [0, 0, 0]  # without prompts a pair of models is one battle
    assert b.votes.tolist() == [2.0, 1.0]
    assert b.decided.tolist() == [True, False, True]
    assert b.names.tolist() == ["u", "v"]


def test_votes_without_voters_are_refused() -> None:
    with pytest.raises(InputError, match="no 'voter' column"):
        ballots(simulate(3, 20))


def test_meetings_count_every_model_that_a_voter_met() -> None:
    b = ballots(cast())
    by_hand: dict[tuple[int, int], int] = defaultdict(int)
    for voter, i, j in zip(b.voter, b.c.i, b.c.j, strict=True):
        by_hand[int(voter), int(i)] += 1
        by_hand[int(voter), int(j)] += 1
    cells, codes = b.meetings
    found = dict(zip(cells.tolist(), np.bincount(codes).tolist(), strict=True))
    assert found == {voter * 6 + model: n for (voter, model), n in by_hand.items()}


def others_by_loop(b: Ballots, values: np.ndarray) -> np.ndarray:
    return np.array(
        [
            values[(b.battle == b.battle[row]) & (b.voter != b.voter[row])].sum()
            for row in range(len(values))
        ]
    )


def test_a_voters_own_word_is_left_out() -> None:
    b = ballots(cast())
    values = np.random.default_rng(3).random(len(b.said))
    assert module._all_but(b, values) == pytest.approx(others_by_loop(b, values))


def test_the_forecast_is_nearly_that_of_ratings_without_the_voter() -> None:
    c = cast()
    b = ballots(c)
    quick = module._forecast(b, np.ones(len(c)))
    for voter in range(3):
        rest = c.select(b.voter != voter)
        theta = fit_half(rest, precision_of(6, WEAK_PRIOR)).theta
        rows = np.flatnonzero(b.voter == voter)
        first, second = np.minimum(c.i, c.j)[rows], np.maximum(c.i, c.j)[rows]
        exact = np.tanh((theta[first] - theta[second]) / 2)
        assert quick[rows] == pytest.approx(exact, abs=0.02)


def test_sides_that_change_places_change_the_sign_only() -> None:
    c = cast()
    one, other = crowd(ballots(c)), crowd(ballots(c.swapped()))
    # People as a whole may lean to one side, which turns with the sides.
    assert other.odds == pytest.approx(-one.odds, abs=1e-4)
    assert other.tie_push == pytest.approx(one.tie_push, abs=1e-4)
    assert other.tie_odds == pytest.approx(one.tie_odds)


def test_who_is_not_trusted_counts_for_little() -> None:
    c = cast()
    b = ballots(c)
    trust = np.ones(b.voters)
    trust[0] = 0.0
    without = c.select(b.voter != 0)
    rows = np.flatnonzero(b.voter != 0)
    fewer = crowd(b, trust).odds[rows]
    assert fewer == pytest.approx(crowd(ballots(without)).odds, abs=0.03)


def test_rates_of_ties_are_drawn_towards_everybodys() -> None:
    c = cast()
    b = ballots(c)
    rate = expit(crowd(b).tie_odds)
    everybody = (c.outcome == 0.5).mean()
    for voter in range(b.voters):
        own = (b.said[b.voter == voter] == 0).mean()
        (told,) = set(np.round(rate[b.voter == voter], 12).tolist())
        assert min(own, everybody) - 1e-3 <= told <= max(own, everybody) + 1e-3


def test_the_quick_logarithm_is_the_exact_one() -> None:
    odds = np.array([-800.0, -30.0, -1.0, 0.0, 1.0, 30.0, 800.0])
    assert log_sigmoid(odds) == pytest.approx(-np.logaddexp(0.0, -odds), abs=1e-12)


def test_a_logistic_fit_is_that_of_its_derivative() -> None:
    rng = np.random.default_rng(4)
    x, weight = rng.normal(size=500), rng.random(500)
    y = np.where(rng.random(500) < expit(0.3 + 1.5 * x), 1.0, -1.0)
    constant, slope = module._logistic(x, y, 0.0, weight)
    push = weight * y * expit(-y * (constant + slope * x))
    assert push.sum() == pytest.approx(constant, abs=1e-3)
    assert push @ x == pytest.approx(slope, abs=1e-3)


def told(seed: int, careless: int) -> tuple[Comparisons, np.ndarray]:
    """Votes of 30 people on 40 battles; the first few of them toss a coin."""
    rng = np.random.default_rng(seed)
    models, people, each = 8, 30, 80
    theta = np.linspace(-1.5, 1.5, models)
    a = rng.integers(models, size=40)
    b = (a + rng.integers(1, models, size=40)) % models
    voter = np.repeat(np.arange(people), each)
    battle = rng.integers(40, size=len(voter))
    odds = theta[a[battle]] - theta[b[battle]]
    p = np.where(voter < careless, 0.5, expit(odds))
    columns: dict[str, Any] = {
        "model_a": [f"m{k}" for k in a[battle]],
        "model_b": [f"m{k}" for k in b[battle]],
        "outcome": (rng.random(len(voter)) < p).astype(float),
        "prompt": battle.tolist(),
        "voter": [f"v{k:02d}" for k in voter],
    }
    c = Comparisons.from_columns(**columns)
    return c, np.array([int(name[1:]) for name in ballots(c).names])


def test_those_who_toss_coins_go_along_with_nobody() -> None:
    c, who = told(seed=0, careless=3)
    found = following(crowd(ballots(c)))
    coin = who < 3
    assert found.slope[coin].max() < found.slope[~coin].min()
    assert (found.odds[coin] > 0).all()
    assert (found.odds[~coin] < 0).all()
    p = found.test()
    assert (p[coin] < 0.05).all()
    assert np.median(p[~coin]) > 0.2


def test_of_honest_people_few_go_along_suspiciously_little() -> None:
    p = np.concatenate([following(crowd(ballots(told(seed, 0)[0]))).test() for seed in range(4)])
    assert (p < 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(p))
