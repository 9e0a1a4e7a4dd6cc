"""Always-valid intervals: fair games, levels at every stopping time, and what they save."""

from itertools import product

import numpy as np
import pytest

from arena.compare.differences.paired import Paired, advantage
from arena.compare.question import Aim, Decision, Question
from arena.compare.sequential import confidence_sequence, log_capital, standing, stopped_at
from arena.records.errors import InputError

SUPERIOR = Question(Aim.SUPERIOR, 0.0)


def test_the_bet_is_a_fair_game_under_its_limit() -> None:
    """Over all outcomes of four coins with that chance, the capital is 1 on average."""
    for limit in (0.3, 0.5):
        total = 0.0
        for flips in product((0.0, 1.0), repeat=4):
            chance = np.prod([limit if flip else 1 - limit for flip in flips])
            total += chance * np.exp(log_capital(flips, limit)[-1])
        assert total == pytest.approx(1.0)


def test_the_order_of_what_was_seen_does_not_matter() -> None:
    values = np.random.default_rng(1).random(50)
    assert log_capital(values, 0.4)[-1] == pytest.approx(log_capital(values[::-1], 0.4)[-1])


def test_few_sequences_ever_ship_by_mistake_however_long_one_looks() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(300):
        values = rng.choice([0.0, 0.5, 1.0], 1000, p=[0.4, 0.2, 0.4])
        wrong += stopped_at(values, SUPERIOR)[1] is Decision.SHIP
    assert wrong <= 0.05 * 300 + 3 * (300 * 0.05 * 0.95) ** 0.5
    # Looking at a usual interval after each prompt is wrong far more often.
    looks = 0
    names = tuple(map(str, range(1000)))
    for seed in range(60):
        values = np.random.default_rng([3, seed]).choice([0.0, 1.0], 1000)
        looks += any(
            advantage(Paired(names[:n], np.arange(n), values[:n], np.ones(n))).certainty(0.5)
            >= 0.95
            for n in range(20, 1000, 20)
        )
    assert looks > 0.15 * 60


def test_intervals_shrink_to_the_truth_and_never_grow() -> None:
    values = np.random.default_rng(4).choice([0.0, 1.0], 1500, p=[0.4, 0.6])
    low, high = confidence_sequence(values)
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    assert low[-1] < 0.6 < high[-1]
    assert high[-1] - low[-1] < 0.13
    fixed = advantage(Paired(tuple(map(str, range(1500))), np.arange(1500), values, np.ones(1500)))
    ends = fixed.interval(0.95)
    assert low[-1] < ends[0]
    assert ends[1] < high[-1]


def test_a_clear_case_is_over_soon_either_way() -> None:
    values = np.random.default_rng(5).choice([0.0, 1.0], 500, p=[0.2, 0.8])
    seen, decision = stopped_at(values, Question())
    assert decision is Decision.SHIP
    assert seen < 60
    assert stopped_at(1 - values, Question())[1] is Decision.DO_NOT
    assert stopped_at(np.tile([0.0, 1.0], 50), SUPERIOR) == (100, Decision.CANNOT_TELL)


def test_a_standing_says_all_at_once() -> None:
    values = np.random.default_rng(6).choice([0.0, 1.0], 200, p=[0.3, 0.7])
    found = standing(values, Question())
    assert (found.seen, found.decision) == (200, Decision.SHIP)
    assert found.share == pytest.approx(values.mean())
    assert found.low < values.mean() < found.high
    none = standing([], Question())
    assert (none.share, none.low, none.high) == (None, 0.0, 1.0)
    with pytest.raises(InputError, match="between 0 and 1"):
        standing([1.5], Question())
