"""Benchmarks beside preference, on rankings made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.board import Leaderboard, Row
from arena.leaderboard.contrasts import contrast, movers
from tests.boards import make_board

NAMES = tuple("abcdef")
HALF = float(norm.ppf(0.975)) * 10  # a standard error of ten points


def rows(ratings: list[float]) -> tuple[Row, ...]:
    return tuple(
        Row(name, rating, rating - HALF, rating + HALF, 1, 1, 6, 50, 0.2)
        for name, rating in zip(NAMES, ratings, strict=True)
    )


def board_of(objective: list[float], human: list[float]) -> Leaderboard:
    return replace(
        make_board(*rows(human)),
        parts={"human": rows(human), "objective": rows(objective)},
        weights=(("human", 0.75), ("objective", 0.25)),
    )


def test_a_model_that_leaves_the_line_is_named() -> None:
    objective = [900.0, 940.0, 980.0, 1020.0, 1060.0, 1100.0]
    human = [800.0, 880.0, 960.0, 1040.0, 1120.0, 1200.0]
    straight = contrast(board_of(objective, human))
    assert straight is not None
    assert straight.slope == pytest.approx(2.0)
    assert straight.correlation == pytest.approx(1.0)
    assert not any(point.off for point in straight.points)
    assert np.allclose([p.gap for p in straight.points], 0.0)
    human[2] += 200
    bent = contrast(board_of(objective, human))
    assert bent is not None
    assert [p.model for p in bent.points if p.off][:1] == ["c"]
    assert bent.low < bent.correlation < bent.high < 1.0
    assert bent.points[0].x_half == pytest.approx(19.6, abs=0.01)


def test_noise_alone_takes_no_model_off_the_line() -> None:
    rng = np.random.default_rng(5)
    off = points = 0
    for _ in range(300):
        true = rng.normal(0, 150, 6)
        found = contrast(
            board_of(
                list(1000 + true + rng.normal(0, 10, 6)),
                list(1000 + 1.5 * true + rng.normal(0, 10, 6)),
            )
        )
        assert found is not None
        off += sum(point.off for point in found.points)
        points += len(found.points)
    assert off / points < 0.05


def test_preference_falls_back_to_judges_and_few_models_make_no_contrast() -> None:
    board = board_of([900.0] * 6, [1000.0] * 6)
    judged = replace(board, parts={"judge": board.parts["human"], **board.parts})
    judged.parts.pop("human")
    found = contrast(judged)
    assert found is None or found.kind == "judge"
    few = replace(board, rows=board.rows[:3])
    assert contrast(few) is None
    assert contrast(make_board(*rows([1000.0] * 6))) is None


def test_what_moves_a_model_adds_up_to_its_overall_rating() -> None:
    board = board_of([900, 940, 980, 1020, 1060, 1100], [1100, 1060, 1020, 980, 940, 900])
    means = {"a": 0.9, "b": 0.5, "c": 0.5, "d": 0.5, "e": 0.5, "f": 0.1}
    scores = tuple(
        BenchmarkScore("maths", "acc", n, m, 0.02, 100, low=m - 0.04, high=m + 0.04)
        for n, m in means.items()
    )
    by_model = {m.model: m for m in movers(replace(board, benchmarks=scores))}
    assert sum(points for _, points in by_model["a"].parts) == pytest.approx(75 - 25)
    (gap,) = by_model["a"].gaps
    assert (gap.benchmark, gap.points) == ("maths", pytest.approx(0.4))
    assert by_model["b"].gaps == ()
    assert by_model["f"].gaps[0].points == pytest.approx(-0.4)
