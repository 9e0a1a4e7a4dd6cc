import csv
import io
import json
import math
from dataclasses import replace

import pytest

from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.board import Leaderboard
from arena.leaderboard.formats import (
    confidence,
    decimals,
    rank_range,
    score_columns,
    spread,
    to_csv,
    to_json,
    to_markdown,
)
from tests.boards import NAMES, NOTE, make_board, make_row


def read_csv(board: Leaderboard) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(board))))


def test_json_has_exactly_the_promised_keys(board: Leaderboard) -> None:
    data = to_json(board)
    assert list(data) == [
        *("method", "evidence", "label", "settings", "counts", "notes", "models", "unrated"),
        "min_comparisons",
    ]
    assert list(data["models"][0]) == [
        *("model", "rating", "ci_low", "ci_high", "rank", "rank_low", "rank_high"),
        *("comparisons", "p_best", "rank_by_upper_end", "benchmarks"),
    ]
    assert data["models"][1]["benchmarks"] == {
        "short_answer": {
            "metric": "acc",
            "mean": 0.5625,
            "stderr": 0.1021,
            "low": 0.314,
            "high": 0.686,
            "items": 24,
        }
    }


def test_a_model_without_objective_scores_has_no_benchmarks() -> None:
    assert "benchmarks" not in to_json(make_board(make_row("a", 1)))["models"][0]


def test_a_group_is_named(board: Leaderboard) -> None:
    assert to_json(replace(board, group="maths"))["group"] == "maths"


def test_models_are_sorted_by_rating(board: Leaderboard) -> None:
    shuffled = replace(board, rows=board.rows[::-1])
    assert [model["model"] for model in to_json(shuffled)["models"]] == list(NAMES)
    assert [row["model"] for row in read_csv(shuffled)] == list(NAMES)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_cannot_say_are_null(bad: float) -> None:
    board = make_board(replace(make_row("a", 1), ci_high=bad))
    text = json.dumps(to_json(board), allow_nan=False)
    assert json.loads(text)["models"][0]["ci_high"] is None
    assert read_csv(board)[0]["ci_high"] == ""


def test_files_keep_every_digit() -> None:
    board = make_board(make_row("a", 1, rating=1000 + math.pi))
    assert to_json(board)["models"][0]["rating"] == 1000 + math.pi
    assert float(read_csv(board)[0]["rating"]) == 1000 + math.pi


def test_csv_has_columns_for_each_benchmark(board: Leaderboard) -> None:
    first = read_csv(board)[0]
    assert first["short_answer"] == "0.5"
    assert first["short_answer stderr"] == "0.1021"
    assert (first["short_answer low"], first["short_answer high"]) == ("0.314", "0.686")
    assert first["short_answer items"] == "24"


@pytest.mark.parametrize("name", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "  =1"])
def test_csv_holds_no_formula(name: str) -> None:
    board = replace(
        make_board(make_row(name, 1, rating=-5.0)),
        benchmarks=(BenchmarkScore(name, "acc", name, 0.5, None, 1),),
    )
    rows = list(csv.reader(io.StringIO(to_csv(board))))
    assert rows[1][0] == f"'{name}"
    assert rows[0][10] == f"'{name}"
    assert rows[1][1] == "-5.0"


def test_two_metrics_of_a_benchmark_stay_apart() -> None:
    board = replace(
        make_board(make_row("a", 1)),
        benchmarks=tuple(BenchmarkScore("b", m, "a", 0.5, None, 4) for m in ("em", "f1")),
    )
    assert score_columns(board) == ["b (em)", "b (f1)"]
    assert set(to_json(board)["models"][0]["benchmarks"]) == {"b (em)", "b (f1)"}


def test_markdown_is_a_table_with_notes(board: Leaderboard) -> None:
    lines = to_markdown(board).splitlines()
    assert lines[0].startswith("**judge-only** · ")
    assert lines[4] == "| 1 | 1–2 | greedy | 1042 | 1012 to 1072 | 36 | 50.0% (31.4–68.6%) |"
    assert lines[-1] == f"> {NOTE}"


def test_markdown_shows_names_as_they_are() -> None:
    text = to_markdown(make_board(make_row("a|b\n<img>[x](y)", 1)))
    assert r"| a\|b \<img\>\[x\](y) |" in text


@pytest.mark.parametrize(("level", "text"), [(0.95, "95%"), (0.999, "99.9%"), (0.5, "50%")])
def test_the_level_is_not_rounded_away(level: float, text: str) -> None:
    settings = replace(make_board().settings, confidence=level)
    assert confidence(replace(make_board(), settings=settings)) == text


def test_rounding_for_reading() -> None:
    row = replace(make_row("a", 2), ci_low=985.6, ci_high=1012.0, rank_low=1, rank_high=3)
    assert rank_range(row) == "1–3"
    assert rank_range(replace(row, rank_low=2, rank_high=2)) == "2"
    assert spread(row, 0) == "+12 / −14"
    assert spread(make_row("a", 1), 0) == "± 30"
    assert decimals(make_board(row)) == 0
    assert decimals(make_board(make_row("a", 1, half=3.2))) == 1
