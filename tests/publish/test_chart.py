import math
from dataclasses import replace
from itertools import pairwise

import pytest

from arena.publish.chart import axis_of
from tests.boards import make_row


def test_every_interval_is_on_the_axis() -> None:
    rows = [make_row("a", 1, 1200, 40), make_row("b", 2, 800, 90)]
    axis = axis_of(rows)
    for row in rows:
        low, middle, high = (axis.place(x) for x in (row.ci_low, row.rating, row.ci_high))
        assert 0 < low < middle < high < 100
        assert middle == pytest.approx((low + high) / 2, abs=0.01)


@pytest.mark.parametrize("half", [0.0, 0.1, 12.0, 77.0, 5000.0, 1e9])
def test_ticks_are_few_round_and_inside(half: float) -> None:
    axis = axis_of([make_row("a", 1, 1000, half)])
    assert 2 <= len(axis.ticks) <= 7
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    steps = {b - a for a, b in pairwise(axis.ticks)}
    assert len(steps) == 1
    assert str(steps.pop()).rstrip("0") in {"1", "2", "5"}


def test_an_endless_interval_ends_at_the_edge() -> None:
    endless = replace(make_row("a", 1, 1000), ci_high=math.inf)
    axis = axis_of([endless, make_row("b", 2, 900)])
    assert math.isfinite(axis.high)
    assert axis.place(math.inf) == 100


def test_no_row_has_an_axis_too() -> None:
    assert axis_of([]).ticks
