"""What the next comparisons are to tell: against the expected loss, by difference quotients."""

import numpy as np
import pytest
from scipy.stats import norm

from arena.ratings.pairing.draws import believed, information_gain
from arena.ratings.pairing.targets import Target, weights
from tests.ratings.simulated import simulate


def expected_loss(gap: float, variance: float) -> float:
    """The mean of |d| over draws in which d has the other sign than its estimate."""
    error = np.sqrt(variance)
    z = abs(gap) / error
    return float(error * norm.pdf(z) - abs(gap) * norm.sf(z))


def test_the_order_weighs_a_variance_by_what_it_costs() -> None:
    theta, inverse = believed(simulate(5, 80))
    found = weights(theta, inverse, Target.ORDER)
    for i, j in ((0, 1), (1, 4), (2, 3)):
        gap = theta[i] - theta[j]
        variance = inverse[i, i] + inverse[j, j] - 2 * inverse[i, j]
        step = 1e-5 * variance
        slope = expected_loss(gap, variance + step) - expected_loss(gap, variance - step)
        assert -found[i, j] == pytest.approx(slope / (2 * step), rel=1e-4)
    assert found.sum(axis=1) == pytest.approx(np.zeros(5), abs=1e-12)


def test_neighbours_and_the_first_few_look_at_their_own_pairs() -> None:
    theta, inverse = believed(simulate(6, 200))
    order = np.argsort(-theta)
    beside = weights(theta, inverse, Target.NEIGHBOURS)
    top = weights(theta, inverse, Target.TOP, top=2)
    for one, a in enumerate(order):
        for other, b in enumerate(order):
            if a != b:
                assert (beside[a, b] != 0) == (abs(one - other) == 1)
                assert (top[a, b] != 0) == ((one < 2) != (other < 2))


@pytest.mark.parametrize("target", list(Target))
def test_a_gain_is_the_drop_of_what_is_wanted(target: Target) -> None:
    theta, inverse = believed(simulate(5, 60))
    wanted = weights(theta, inverse, target)
    gain = information_gain(theta, inverse, inverse @ wanted @ inverse)
    p = 1 / (1 + np.exp(theta[3] - theta[1]))
    step = np.array([0, 1.0, 0, -1.0, 0])
    after = np.linalg.pinv(np.linalg.pinv(inverse) + p * (1 - p) * np.outer(step, step))
    drop = np.trace(wanted @ inverse) - np.trace(wanted @ after)
    assert gain[1, 3] == pytest.approx(drop, rel=1e-8)
    assert (gain >= -1e-12).all()
