"""What the next votes settle: against votes that are then cast."""

import numpy as np
import pytest

from arena.ratings import Comparisons, prospect
from arena.ratings.pairing.draws import believed
from tests.ratings.simulated import simulate

Z = 1.959964


def told(theta: np.ndarray, inverse: np.ndarray, order: np.ndarray) -> np.ndarray:
    upper, lower = order[:-1], order[1:]
    spread = inverse[upper, upper] + inverse[lower, lower] - 2 * inverse[upper, lower]
    return np.abs(theta[upper] - theta[lower]) > Z * np.sqrt(spread)


@pytest.mark.slow
def test_as_many_are_settled_as_was_expected() -> None:
    """Where strengths come from the belief itself, and votes are cast on the pairs drawn."""
    rng = np.random.default_rng(4)
    c = simulate(6, 300)
    theta, inverse = believed(c)
    order = np.argsort(-theta)
    was_open = ~told(theta, inverse, order)
    expected = prospect(c, 200)
    assert expected is not None
    assert expected.open == was_open.sum()
    settled = []
    for _ in range(150):
        truth = rng.multivariate_normal(theta, inverse)
        i, j = np.array([rng.choice(6, 2, replace=False) for _ in range(200)]).T
        won = (rng.random(200) < 1 / (1 + np.exp(truth[j] - truth[i]))).astype(float)
        more = Comparisons(
            c.models, np.append(c.i, i), np.append(c.j, j), np.append(c.outcome, won)
        )
        settled.append((told(*believed(more), order) & was_open).sum())
    assert np.mean(settled) == pytest.approx(expected.settled, abs=0.35)


def test_more_votes_settle_more_and_the_likeliest_is_named() -> None:
    c = simulate(6, 300, seed=2)
    few, many = prospect(c, 20), prospect(c, 2000)
    assert few is not None
    assert many is not None
    assert 0 <= few.settled < many.settled <= many.open
    assert 1 <= many.rank <= 5
    assert few.chance <= few.settled + 1e-12
    assert few.votes == 20


def test_where_all_are_apart_there_is_no_prospect() -> None:
    c = Comparisons.from_columns(
        "aabb", "bbcc", ["model_a", "model_b"] * 2, weight=[9000.0, 1000.0] * 2
    )
    assert prospect(c) is None
