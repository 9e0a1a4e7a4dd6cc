"""How many prompts are needed: against a textbook, and against data drawn as planned."""

from math import ceil

import numpy as np
import pytest
from scipy.stats import norm

from arena.compare.differences.advantage import PREFERENCE
from arena.compare.differences.paired import Paired, advantage
from arena.compare.power import Variation, detectable, power, prompts_needed, variation
from arena.compare.question import Aim, Decision, Question
from arena.records.errors import InputError


def test_the_number_is_the_textbooks_plus_a_little_for_students_t() -> None:
    question = Question(Aim.SUPERIOR, 0.0)
    found = prompts_needed(question, 5.0, 0.4, 0.8)
    normal = ceil(((norm.ppf(0.95) + norm.ppf(0.8)) * 0.4 / 0.05) ** 2)
    assert normal < found <= normal + 3
    assert power(question, 5.0, 0.4, found, PREFERENCE) >= 0.8
    assert power(question, 5.0, 0.4, found - 1, PREFERENCE) < 0.8
    assert prompts_needed(Question(margin=5.0), 0.0, 0.4, 0.8) == found
    assert prompts_needed(Question(Aim.TWO_SIDED, 0.0), 5.0, 0.4, 0.8) > found


def test_the_spread_of_prompts_is_told_from_that_within() -> None:
    rng = np.random.default_rng(1)
    level = np.repeat(rng.normal(0.5, 0.1, 4000), 3)
    share = level + rng.normal(0.0, 0.2, 12_000)
    names = tuple(map(str, range(4000)))
    found = variation([Paired(names, np.repeat(np.arange(4000), 3), share, np.ones(12_000))])
    assert found.between == pytest.approx(0.01, rel=0.1)
    assert found.within == pytest.approx(0.04, rel=0.05)
    assert found.deviation(4) == pytest.approx(0.02**0.5, rel=0.05)
    single = variation([Paired(names, np.arange(4000), share[::3], np.ones(4000))])
    assert single.within is None
    assert single.between == pytest.approx(0.05, rel=0.1)


def test_data_drawn_as_planned_are_shipped_as_often_as_promised() -> None:
    question = Question(Aim.SUPERIOR, 0.0)
    values = np.array([0.0, 0.5, 1.0])
    odds = np.array([0.36, 0.2, 0.44])
    deviation = float(np.sqrt(odds @ (values - 0.54) ** 2))
    n = prompts_needed(question, 4.0, deviation, 0.8)
    rng = np.random.default_rng(2)
    names = tuple(map(str, range(n)))
    shipped = [
        question.decide(
            advantage(Paired(names, np.arange(n), rng.choice(values, n, p=odds), np.ones(n)))
        )
        is Decision.SHIP
        for _ in range(400)
    ]
    assert np.mean(shipped) == pytest.approx(0.8, abs=0.06)


def test_the_detectable_difference_is_the_other_way_round() -> None:
    question = Question(Aim.SUPERIOR, 0.0)
    found = Variation(0.16, None, 100, 1, 1.0)
    least = detectable(question, found, 500, 0.8)
    assert least is not None
    assert prompts_needed(question, least + 0.01, 0.4, 0.8) <= 500
    assert prompts_needed(question, least - 0.05, 0.4, 0.8) > 500
    assert detectable(question, found, 1, 0.8) is None


def test_what_cannot_be_planned_is_said() -> None:
    with pytest.raises(InputError, match="none to ship"):
        prompts_needed(Question(Aim.SUPERIOR, 2.0), 1.0, 0.4, 0.8)
    with pytest.raises(InputError, match="allowed is between 0 and 1"):
        prompts_needed(Question(), 0.0, 0.4, 1.0)
    with pytest.raises(InputError, match="more than"):
        prompts_needed(Question(Aim.SUPERIOR, 0.0), 0.001, 0.4, 0.8)
    few = Paired(("x", "y"), np.arange(2), np.array([0.0, 1.0]), np.ones(2))
    with pytest.raises(InputError, match="judge a few first"):
        variation([few])
