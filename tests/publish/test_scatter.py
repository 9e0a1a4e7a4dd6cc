"""Names of points that lie on each other stand below each other."""

from itertools import combinations

import pytest

from arena.leaderboard.contrasts import Point
from arena.publish.chart import axis_over
from arena.publish.scatter import Name, placed

AXIS = axis_over([0.0, 1000.0])


def names(*points: tuple[str, float, float]) -> tuple[Name, ...]:
    made = [Point(model, x, y, 10.0, 10.0, 0.0, off=True) for model, x, y in points]
    return placed(made, AXIS, AXIS)


def test_a_name_alone_stands_at_its_point() -> None:
    near, far = names(("a", 100.0, 900.0), ("b", 900.0, 100.0))
    assert (near.x, near.y, near.left) == (AXIS.place(100.0), 100 - AXIS.place(900.0), False)
    assert (far.x, far.y, far.left) == (AXIS.place(900.0), 100 - AXIS.place(100.0), True)


def test_a_long_name_stands_where_there_is_room() -> None:
    (left,) = names(("a-model-with-a-longer-name", 600.0, 500.0))
    assert (left.left, left.is_long) == (True, True)
    assert left.ends[0] > -30  # which smaller letters make good
    (right,) = names(("a-model-with-a-longer-name", 100.0, 500.0))
    assert (right.left, right.is_long) == (False, False)


@pytest.mark.parametrize("x", [100.0, 500.0, 900.0])
def test_names_at_one_place_do_not_overprint(x: float) -> None:
    found = names(*((f"model-{k}", x, 500.0 + k / 10) for k in range(6)))
    assert all(one.is_clear_of(other) for one, other in combinations(found, 2))
    assert [name.model for name in found] == [f"model-{k}" for k in reversed(range(6))]


def test_a_name_moved_down_does_not_meet_the_next_one() -> None:
    found = names(("a", 100.0, 500.0), ("b", 110.0, 499.0), ("c", 120.0, 460.0))
    assert all(one.is_clear_of(other) for one, other in combinations(found, 2))


def test_names_far_apart_across_share_a_height() -> None:
    left, right = names(("a", 0.0, 500.0), ("b", 600.0, 500.0))
    assert left.y == right.y
