"""How many votes would part two neighbours, held against adding just so many."""

import numpy as np
import pytest

from arena.ratings import Comparisons, settling
from arena.ratings.fitting.likelihood import fit_counts, precision_of, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.scale import WEAK_PRIOR
from tests.ratings.simulated import simulate


def distance(c: Comparisons, rank: int, votes: float) -> float:
    """Standard errors between two neighbours after so many votes that change nothing else."""
    models = len(c.models)
    theta, hessian = fit_counts(c.pair_counts, precision_of(models, WEAK_PRIOR))
    upper, lower = np.argsort(-theta, kind="stable")[rank - 1 : rank + 1]
    p = win_probability(theta)[upper, lower]
    step = np.zeros(models)
    step[upper], step[lower] = 1.0, -1.0
    inverse = bread(hessian + votes * p * (1 - p) * np.outer(step, step), models)
    return float((theta[upper] - theta[lower]) / np.sqrt(step @ inverse @ step))


@pytest.mark.parametrize("seed", range(6))
def test_so_many_votes_part_them_and_one_fewer_does_not(seed: int) -> None:
    c = simulate(6, 300, seed=seed)
    found = settling(c)
    assert found is not None
    assert distance(c, found.rank, found.votes) >= 1.9599
    assert distance(c, found.rank, found.votes - 1) < 1.9600


def test_of_all_neighbours_it_is_the_pair_that_needs_fewest() -> None:
    c = simulate(6, 300, seed=1)
    found = settling(c)
    assert found is not None
    for rank in range(1, 6):
        if distance(c, rank, 0) < 1.96:
            assert distance(c, rank, found.votes - 1) < 1.9600


def test_more_confidence_needs_more_votes_on_a_pair() -> None:
    c = Comparisons.from_columns("aa", "bb", ["model_a", "model_b"], weight=[22.0, 18.0])
    some, more = settling(c, confidence=0.8), settling(c, confidence=0.99)
    assert some is not None
    assert more is not None
    assert some.rank == more.rank == 1
    assert some.votes < more.votes


def test_where_all_are_apart_there_is_nothing_to_settle() -> None:
    c = Comparisons.from_columns(
        "aabb", "bbcc", ["model_a", "model_b"] * 2, weight=[9000.0, 1000.0] * 2
    )
    assert settling(c) is None


def test_models_that_are_equal_are_never_parted() -> None:
    c = Comparisons.from_columns("ab", "ba", ["model_a"] * 2)
    assert settling(c) is None
