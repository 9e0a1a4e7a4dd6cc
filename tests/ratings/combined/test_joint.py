"""The joint likelihood of people and judges, beside a general optimiser."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from arena.ratings import Comparisons
from arena.ratings.combined.joint import joint
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.fitting.newton import bread
from tests.ratings.simulated import simulate


def judged(skill: float, bias: float, rows: int = 1500, seed: int = 1) -> Comparisons:
    """Verdicts with a discrimination and a preference for the first slot."""
    rng = np.random.default_rng(seed)
    theta = np.linspace(-1.0, 1.0, 5)
    i = rng.integers(5, size=rows)
    j = (i + rng.integers(1, 5, size=rows)) % 5
    p = 1 / (1 + np.exp(-(skill * (theta[i] - theta[j]) + bias)))
    names = [f"m{k:02d}" for k in range(5)]
    return Comparisons(
        tuple(names), i.astype(np.int32), j.astype(np.int32), (rng.random(rows) < p) * 1.0
    )


def every_row(*sources: Comparisons) -> list[np.ndarray]:
    ends = np.cumsum([0, *(len(c) for c in sources)])
    return [np.arange(start, end) for start, end in pairwise(ends)]


PRECISION = precision_of(5, 400.0)


def test_the_fit_is_what_a_general_optimiser_finds() -> None:
    human, judge = simulate(5, 200, seed=3), judged(0.6, 0.4, rows=300)

    def loss(x: np.ndarray) -> float:
        theta = np.append(0.0, x[:4])
        theta = theta - theta.mean()
        alpha, delta, human_bias = x[4], x[5], 0.0
        total = 0.5 * float(theta @ PRECISION @ theta)
        # Normal priors on the judge's discrimination around 1 and on its bias around 0.
        total += 0.5 * (alpha - 1.0) ** 2 + 0.5 * delta**2
        for c, scale, bias in ((human, 1.0, human_bias), (judge, alpha, delta)):
            gap = scale * (theta[c.i] - theta[c.j]) + bias
            total += float(
                (c.outcome * np.logaddexp(0, -gap) + (1 - c.outcome) * np.logaddexp(0, gap)).sum()
            )
        return total

    found = minimize(loss, np.array([0.0] * 4 + [1.0, 0.0]), tol=1e-12).x
    theta = np.append(0.0, found[:4])
    fitted = joint(human, [judge], every_row(human, judge), PRECISION)
    assert fitted.theta == pytest.approx(theta - theta.mean(), abs=2e-5)
    assert fitted.discrimination == pytest.approx([found[4]], abs=2e-5)
    assert fitted.bias == pytest.approx([found[5]], abs=2e-5)


def test_each_judge_gets_its_own_skill_and_bias() -> None:
    human = simulate(5, 4000, ties=0.0, seed=4)
    judges = [judged(1.0, 0.0, 4000, 5), judged(0.3, 0.8, 4000, 6), judged(0.0, -0.5, 4000, 7)]
    fitted = joint(human, judges, every_row(human, *judges), PRECISION)
    assert fitted.discrimination == pytest.approx([1.0, 0.3, 0.0], abs=0.15)
    assert fitted.bias == pytest.approx([0.0, 0.8, -0.5], abs=0.12)


def test_without_votes_the_first_judge_sets_the_scale() -> None:
    judges = [judged(1.0, 0.0, 3000, 5), judged(2.0, 0.0, 3000, 6)]
    fitted = joint(None, judges, every_row(*judges), PRECISION)
    assert fitted.discrimination.shape == (2,)
    assert fitted.discrimination[0] == 1.0
    assert fitted.discrimination[1] == pytest.approx(2.0, abs=0.3)


def test_a_judge_narrows_the_interval_by_what_it_knows() -> None:
    human = simulate(5, 300, seed=8)
    widths = []
    for skill in (0.0, 1.0):
        judge = judged(skill, 0.0, 3000, 9)
        fitted = joint(human, [judge], every_row(human, judge), PRECISION)
        widths.append(np.sqrt(np.diagonal(fitted.covariance)).mean())
    alone = joint(human, [], every_row(human), PRECISION)
    own = np.sqrt(np.diagonal(alone.covariance)).mean()
    assert widths[1] < 0.6 * own
    assert widths[0] == pytest.approx(own, rel=0.15)


def test_votes_alone_are_the_plain_fit_with_the_prior() -> None:
    human = simulate(5, 300, seed=8)
    fitted = joint(human, [], every_row(human), PRECISION)
    plain = fit_half(human, PRECISION)
    assert fitted.theta == pytest.approx(plain.theta, abs=1e-7)
    widths = np.sqrt(np.diagonal(bread(plain.hessian, 5)))
    assert np.sqrt(np.diagonal(fitted.covariance)) == pytest.approx(widths, rel=0.25)
