"""The interval of a mean over a benchmark's items."""

import pytest

from arena.config import parse_model
from arena.objective import mark, objective
from arena.ratings import wilson
from arena.records import Outcome
from arena.store import Store


def test_right_and_wrong_have_wilsons_interval() -> None:
    found = mark([0.0, 0.0, 0.0, 0.0])
    assert (found.mean, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(wilson(0, 4).ci_high)
    assert found.stderr == 0.0


def test_graded_marks_have_students_within_the_scale() -> None:
    found = mark([0.2, 0.9, 1.0])
    assert found.mean == pytest.approx(0.7)
    assert found.low == 0.0  # 0.7 - 4.30 standard errors is below
    assert found.high == 1.0
    assert mark([0.5]).low is None


def test_means_by_capability_join_the_sides_of_intervals(store: Store) -> None:
    model = parse_model("m=fake:echo")
    store.put_model(model)
    store.outcomes.add(
        Outcome("m", model.key, task, "1", f"{k}", "acc", value, "", dimension="maths")
        for task, values in (("sums", [1.0, 1.0, 1.0]), ("roots", [0.0, 0.0, 1.0]))
        for k, value in enumerate(values)
    )
    found = objective(store.evidence.outcomes())
    (whole,) = found.dimensions
    sums, roots = sorted(found.scores, key=lambda score: -score.mean)
    assert whole.mean == pytest.approx(2 / 3)
    assert sums.low is not None
    assert roots.low is not None
    assert roots.high is not None
    below = (((1 - sums.low) ** 2 + (1 / 3 - roots.low) ** 2) ** 0.5) / 2
    assert whole.low == pytest.approx(2 / 3 - below)
    assert whole.high == pytest.approx(2 / 3 + (roots.high - 1 / 3) / 2)
