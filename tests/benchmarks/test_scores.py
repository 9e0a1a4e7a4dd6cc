"""The interval of a mean over a benchmark's items."""

import pytest

from arena.benchmarks.runs import ways_of
from arena.benchmarks.scores import mark, objective
from arena.config import BenchmarkRun, parse_model
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


def test_the_way_that_a_configuration_names_stands_for_a_benchmark(store: Store) -> None:
    """More models were asked plainly; what is asked for stands first, the other way beside it."""
    models = [parse_model(f"{name}=fake:echo") for name in ("a", "b")]
    for model in models:
        store.put_model(model)

    def outcomes(task: str, variant: str, *right: dict[str, bool]) -> None:
        store.outcomes.add(
            Outcome(m.name, m.key, task, "1", f"{k}", "acc", float(one[m.name]), variant=variant)
            for k, one in enumerate(right)
            for m in models
            if m.name in one
        )

    outcomes("sums", "", {"a": True, "b": False}, {"a": True, "b": True})
    outcomes("sums", "gen", {"a": False, "b": True}, {"a": False, "b": True})
    outcomes("roots", "", {"a": True, "b": False})
    outcomes("roots", "cot", {"a": True})
    columns = store.evidence.outcomes()

    def shown(*entries: BenchmarkRun) -> set[str]:
        found = objective(columns, ways_of(entries))
        assert all(score.leading for score in found.scores)
        return {score.title for score in found.scores if score.primary}

    assert shown() == {"sums (default)", "roots (default)"}
    assert shown(BenchmarkRun(task="sums", mode="gen")) == {"sums (gen)", "roots (default)"}
    assert shown(BenchmarkRun(task="core", mode="gen")) == {"sums (gen)", "roots (default)"}
    ways = ways_of([BenchmarkRun(data="my/roots.csv", variants=["zero-shot", "cot"])])
    assert ways == (("roots", ("zero-shot", "cot")),)
    found = objective(columns, ways)
    assert [s.title for s in found.scores if s.primary] == [
        "roots (cot)",
        "sums (default)",
        "sums (default)",
    ]
    (note,) = found.notes
    assert str(note) == (
        "roots ranks models as the configuration asks it (cot); b answered it another way and is "
        "not compared on it."
    )
    missing = BenchmarkRun(task="sums", template="not-there.txt")
    assert ways_of([missing]) == (("sums", ()),)
