import json
from pathlib import Path

import pandas as pd
import pytest

from arena.errors import InputError
from arena.interchange.battles import read_battles
from arena.leaderboard import rank_comparisons
from tests.conftest import DATASETS

HEADER = "model_a,model_b,winner\n"


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_thirty_to_ten_is_190_848_points(tmp_path: Path) -> None:
    rows = [("x", "y", "model_a")] * 30 + [("x", "y", "model_b")] * 10
    frame = pd.DataFrame(rows, columns=["model_a", "model_b", "winner"])
    frame.to_csv(tmp_path / "b.csv", index=False)
    frame.to_json(tmp_path / "b.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "b.parquet")
    for name in ("b.csv", "b.jsonl", "b.parquet"):
        first, second = rank_comparisons(read_battles(tmp_path / name)).rows
        assert first.rating - second.rating == pytest.approx(190.848, abs=0.01)
        assert (first.model, first.comparisons) == ("x", 40)
        assert first.rating + second.rating == pytest.approx(2000)


def test_every_label_of_public_files_is_read(tmp_path: Path) -> None:
    rows = ["a,b,model_a", "a,b,model_b", "b,a,tie", "a,b,tie (bothbad)", "a,b,both_bad"]
    comparisons = read_battles(write(tmp_path, "b.csv", HEADER + "\n".join(rows)))
    assert list(comparisons.outcome) == [1.0, 0.0, 0.5, 0.5, 0.5]


def test_names_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    text = "\ufeff" + HEADER + '007,"gpt, the 4",model_a\nNA,nan,model_b\n'
    assert read_battles(write(tmp_path, "b.csv", text)).models == ("007", "NA", "gpt, the 4", "nan")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "b.csv",
            HEADER + "a,b,model_a\na,b,modelA\n",
            "b.csv:3: winner: 'modelA'; allowed are model_a, model_b, tie, tie (bothbad), both_bad",
        ),
        ("b.csv", HEADER + '"ab\nx",b,model_a\nab,b,A\n', "b.csv:4: winner: 'A'"),
        ("b.csv", HEADER + "a,,tie\n", "b.csv:2: model_b: ''; it must be a model's name"),
        ("b.csv", HEADER + "a,a,tie\n", "b.csv:2: model_b: 'a'; a model cannot meet itself"),
        ("b.csv", "model_a,winner\na,tie\n", "b.csv:1: missing column 'model_b'"),
        ("b.csv", HEADER, "no rows in it"),
        ("b.csv", "", "empty"),
        ("b.csv", HEADER + "c,a,b,tie\n", "b.csv:2: 4 values, and the header has 3 names"),
        ("b.csv", HEADER + "a,b,tie\nc,a,b,tie\n", "b.csv:3: 4 values, and the header has 3"),
        (
            "b.jsonl",
            '{"model_a": ["a"], "model_b": "b", "winner": "tie"}\n',
            "b.jsonl:1: model_a: ['a']; it must be a model's name",
        ),
        ("b.jsonl", '{"model_a": "a"\n', "b.jsonl:1: not JSON"),
        ("b.jsonl", "[1]\n", "b.jsonl:1: '1' is not an object"),
        ("b.jsonl", '{"model_a": 1, "model_b": "b", "winner": "tie"}\n', "b.jsonl:1: model_a: 1"),
        ("b.jsonl", '\n{"model_a": "a", "model_b": "b", "winner": "draw"}\n', "b.jsonl:2: winner"),
        ("b.jsonl", '{"model_a": "a", "model_b": "b"}\n', "missing column 'winner'"),
        ("b.parquet", "not parquet", "not readable as parquet"),
        ("b.xlsx", "x", "not one of the formats .csv, .tsv, .jsonl, .ndjson, .json, .parquet"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_battles(write(tmp_path, name, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_weight_is_named(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,weight\na,b,tie,1\na,b,tie,-2\n"
    with pytest.raises(InputError, match="weight"):
        read_battles(write(tmp_path, "b.csv", text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_battles(tmp_path / "none.csv")


@pytest.mark.skipif(not DATASETS.is_dir(), reason=f"the real data is not at {DATASETS}")
def test_real_votes_of_another_arena(tmp_path: Path) -> None:
    comparisons = read_battles(DATASETS / "llmfao_votes.csv")
    board = rank_comparisons(comparisons)
    assert (len(comparisons), len(board.rows)) == (8931, 59)
    assert "clustered by" in board.method
    assert json.dumps([row.rating for row in board.rows])
