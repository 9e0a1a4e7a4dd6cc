"""One vote more, against the fit of all votes anew."""

import numpy as np
import pytest

from arena.ratings import Comparisons, Online, bradley_terry
from arena.ratings.scale import POINTS_PER_LOG
from tests.ratings.simulated import simulate


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
