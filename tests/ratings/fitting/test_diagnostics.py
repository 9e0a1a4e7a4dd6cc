"""Whether ratings are finite, beside a plain search through the graph of who beat whom."""

from contextlib import suppress

import numpy as np
import pytest

from arena.ratings import Comparisons
from arena.ratings.fitting.diagnostics import (
    components,
    never_lost,
    never_won,
    require_finite,
    strong_components,
    undetermined,
)
from arena.ratings.fitting.likelihood import fit_counts
from arena.records.errors import ConvergenceError, DisconnectedError, SeparatedError


def reach(edges: np.ndarray) -> np.ndarray:
    """(m, m) whether one can get from the row's model to the column's, by closure."""
    path = (edges > 0) | np.eye(len(edges), dtype=bool)
    for middle in range(len(edges)):
        path |= path[:, [middle]] & path[[middle]]
    return path


def groups_by_closure(edges: np.ndarray) -> list[list[int]]:
    path = reach(edges)
    both = path & path.T
    found = {tuple(np.flatnonzero(row).tolist()) for row in both}
    return sorted((list(group) for group in found), key=lambda group: (-len(group), group))


def sparse_points(models: int, share: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = rng.integers(1, 4, (models, models)) * (rng.random((models, models)) < share)
    np.fill_diagonal(points, 0)
    return points.astype(float)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_groups_are_those_of_a_plain_search(share: float, seed: int) -> None:
    points = sparse_points(7, share, seed)
    assert strong_components(points) == groups_by_closure(points)
    assert components(points) == groups_by_closure(points + points.T)
    assert never_lost(points) == [k for k in range(7) if not points[:, k].any()]
    assert never_won(points) == [k for k in range(7) if not points[k].any()]


def of_points(points: np.ndarray) -> Comparisons:
    i, j = np.nonzero(points)
    names = [f"m{k}" for k in range(len(points))]
    return Comparisons(
        tuple(names),
        i.astype(np.int32),
        j.astype(np.int32),
        np.ones(len(i)),
        weight=points[i, j],
    )


@pytest.mark.parametrize("seed", range(20))
def test_ratings_are_finite_exactly_where_nothing_is_found(seed: int) -> None:
    """Ford (1957), seen from the other side: the fit itself settles or does not."""
    points = sparse_points(5, 0.4, seed)
    c = of_points(points).observed()
    problem = undetermined(c.pair_counts.points, c.models)
    if problem is None:
        theta, _ = fit_counts(c.pair_counts)
        assert np.isfinite(theta).all()
        require_finite(c.pair_counts.points, c.models)
        return
    with pytest.raises(type(problem)):
        require_finite(c.pair_counts.points, c.models)
    # Without the check the fit fails, or stops where probabilities round to 0 and 1.
    with suppress(ConvergenceError):
        assert np.ptp(fit_counts(c.pair_counts)[0]) > 20.0


def test_a_hub_settles_it_without_a_search() -> None:
    """One model that took and gave points to all others links everybody."""
    points = np.zeros((4, 4))
    points[0, 1:] = points[1:, 0] = 1.0
    assert undetermined(points, tuple("abcd")) is None
    assert len(strong_components(points)) == 1


def test_parts_that_never_met_are_listed() -> None:
    points = np.zeros((4, 4))
    points[0, 1] = points[1, 0] = points[2, 3] = points[3, 2] = 1.0
    problem = undetermined(points, ("ann", "bob", "cid", "dan"))
    assert isinstance(problem, DisconnectedError)
    assert "ann, bob" in str(problem)
    assert "cid, dan" in str(problem)
    assert "prior" in str(problem)


@pytest.mark.parametrize(
    ("wins", "words"),
    [
        ({(0, 1), (0, 2), (1, 2), (2, 1)}, "a never lost."),
        ({(1, 0), (2, 0), (1, 2), (2, 1)}, "a never won."),
    ],
)
def test_models_that_separate_the_rest_are_named(wins: set[tuple[int, int]], words: str) -> None:
    points = np.zeros((3, 3))
    for row in wins:
        points[row] = 1.0
    problem = undetermined(points, ("a", "b", "c"))
    assert isinstance(problem, SeparatedError)
    assert str(problem).startswith(words)


def test_a_group_that_never_lost_to_the_rest_is_named() -> None:
    """Everyone won and lost, yet a and b gave no point to c and d."""
    points = np.zeros((4, 4))
    for row in ((0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (1, 3)):
        points[row] = 1.0
    problem = undetermined(points, ("a", "b", "c", "d"))
    assert isinstance(problem, SeparatedError)
    assert "a, b" in str(problem)


def test_of_many_names_the_first_five_are_shown() -> None:
    points = np.zeros((8, 8))
    points[0, 1] = points[1, 0] = 1.0
    points[0, 2:] = 1.0
    problem = undetermined(points, tuple("abcdefgh"))
    assert isinstance(problem, SeparatedError)
    assert str(problem).startswith("c, d, e, f, g")
    assert ", h" not in str(problem)
