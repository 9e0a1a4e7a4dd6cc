import csv
import json
from pathlib import Path

from pyarrow.parquet import read_table

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.ranking import ranking
from arena.publish import publish, publish_ranking
from arena.publish.data.tables import FOLDER, TABLES
from arena.store import Store
from tests.boards import make_board, make_row

POLICY = Policy(min_comparisons=1)


def rows_of(folder: Path, table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / FOLDER / f"{table}.json").read_text())
    return found


def test_each_form_has_the_same_rows(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    publish(filled, tmp_path, board, title="T", policy=POLICY)
    for table, columns in TABLES.items():
        rows = rows_of(tmp_path, table)
        whole = [{name: row.get(name) for name in columns} for row in rows]
        assert read_table(tmp_path / FOLDER / f"{table}.parquet").to_pylist() == whole
        with (tmp_path / FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        texts = [{k: "" if v is None else str(v) for k, v in row.items()} for row in whole]
        assert lines == texts


def test_every_ranking_is_there(voted: Store, tmp_path: Path) -> None:
    publish_ranking(voted, tmp_path, ranking(voted, POLICY), POLICY)
    found = rows_of(tmp_path, "rankings")
    assert {row["group"] for row in found} == {"", "maths", "coding", "en", "zh"}
    assert [row["model"] for row in found if row["group"] == "maths"] == ["a", "b"]


def test_pairs_are_the_votes(voted: Store, tmp_path: Path) -> None:
    publish_ranking(voted, tmp_path, ranking(voted, POLICY), POLICY)
    (row,) = rows_of(tmp_path, "pairs")
    votes = {"source": "human", "model_a": "a", "model_b": "b", "comparisons": 12, "points_a": 8}
    assert row == votes


def test_judges_and_benchmarks(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    publish(filled, tmp_path, board, title="T", policy=POLICY)
    assert rows_of(tmp_path, "benchmarks")[0] == {
        "benchmark": "short_answer", "variant": "", "dimension": "", "metric": "acc",
        "model": "greedy", "mean": 0.5, "stderr": 0.1021, "low": 0.314, "high": 0.686, "items": 24,
    }  # fmt: skip


def test_a_name_is_no_formula(store: Store, tmp_path: Path) -> None:
    board = make_board(make_row("=1+1", 1), make_row("b", 2))
    publish(store, tmp_path, board, title="T")
    assert "'=1+1" in (tmp_path / FOLDER / "rankings.csv").read_text()
    assert rows_of(tmp_path, "rankings")[0]["model"] == "=1+1"
