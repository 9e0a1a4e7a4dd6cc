import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.interchange.battles import read_battles
from arena.leaderboard.ranking import rank_comparisons
from arena.ratings import Comparisons
from arena.records import alike
from arena.records.errors import InputError
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
        ("b.jsonl", '\n{"model_a": "a", "model_b": "b", "winner": "won"}\n', "b.jsonl:2: winner"),
        (
            "b.jsonl",
            '{"model_a": "a", "model_b": "b", "winner": "tie", "winner": "model_a"}\n',
            "b.jsonl:1: 'winner' stands in it twice, with two different values",
        ),
        (
            "b.csv",
            "model_a,model_b,winner,winner_model_a,winner_model_b\na,b,model_a,1,0\na,b,model_b,1,0\n",
            "b.csv:3: winner: 'model_b', and winner_model_a is 1; both must say the same",
        ),
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


def outcomes(path: Path) -> list[float]:
    """By row, the share of the win that went to the model named in the first column."""
    c = read_battles(path)
    return [float(share) for share in c.outcome]


@pytest.mark.parametrize(
    "words",
    [
        ("model_a", "model_b", "tie", "tie (bothbad)"),
        (" Model_A", "MODEL_B ", "Tie", "BothBad"),
        ("model a", "Model  B", "TIE", "both bad"),
        ("left", "Right", "tie", "both_bad"),
        ("A>>B", "B > A", "A=B", "tie(bothbad)"),
        ("B<A", "A<<B", "B=A", "tie(bothbad)"),
        ("[[A>B]]", "[[B >> A]]", "[[A=B]]", "both bad"),
        ("[[A]]", "[[B]]", "[[tie]]", "bothbad"),
        ("assistant_a", "Assistant B", "draw", "both bad"),
        ("a_win", "b_win", "平局", "both_bad"),
        ("A", "b", "tie", "Tie (both_bad)"),
        (1, 2, "tie", "tie"),
        ("1.0", "2", "tie", "tie"),
        ("gpt-4", "o1 mini", "tie", "tie"),
        (" GPT-4\u00a0", "o1\u00a0mini", "tie", "tie"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_who_won_in_other_words(tmp_path: Path, words: tuple[object, ...], suffix: str) -> None:
    rows = [{"model_a": "gpt-4", "model_b": "o1 mini", "winner": word} for word in words]
    path = tmp_path / f"b.{suffix}"
    frame = pd.DataFrame(rows, dtype=object if suffix == "jsonl" else str)
    if suffix == "csv":
        frame.to_csv(path, index=False)
    elif suffix == "parquet":
        frame.to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert outcomes(path) == [1.0, 0.0, 0.5, 0.5]


def test_who_won_as_one_column_for_each_outcome(tmp_path: Path) -> None:
    head = "model_a,model_b,winner_model_a,winner_model_b,winner_tie\n"
    path = write(tmp_path, "b.csv", head + "a,b,1,0,0\na,b,0,1,0\na,b,0.0,0.0,1.0\n")
    assert outcomes(path) == [1.0, 0.0, 0.5]
    frame = pd.read_csv(path).astype({"winner_tie": bool})
    frame.to_parquet(tmp_path / "b.parquet")
    assert outcomes(tmp_path / "b.parquet") == [1.0, 0.0, 0.5]
    said = "b.csv:3: winner_model_a, winner_model_b, winner_tie: '1', '1', '0'; exactly one"
    with pytest.raises(InputError, match=said):
        read_battles(write(tmp_path, "b.csv", head + "a,b,1,0,0\na,b,1,1,0\n"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["x,y,model_a", "x,y,A"], ":3: winner: 'A'; other rows have model_a and model_b for the"),
        (["x,y,left", "x,y,1"], ":3: winner: '1'; 0, 1 and 2 mean different things"),
        (["x,y,1", "x,y,2", "x,y,0"], ":2: winner: '1'; 0, 1 and 2 mean different things"),
        (["x,y,0", "x,y,1"], ":2: winner: '0'; 0, 1 and 2 mean different things"),
        (["x,y,A", "B,A,A"], ":3: winner: 'A'; it is a side of the pair and the name of the other"),
        (["x,y,x", "x,y,z"], ":3: winner: 'z'; allowed are model_a, model_b, tie"),
        (["x,y,tie", "x,y,"], ":3: winner: ''; allowed are"),
        (["x,\u00a0x ,tie"], ":2: model_b: 'x'; a model cannot meet itself"),
        (["\u200b,y,tie"], ":2: model_a: '\\u200b'; it must be a model's name"),
    ],
)
def test_who_won_is_not_guessed(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_battles(write(tmp_path, "b.csv", HEADER + "\n".join(rows) + "\n"))
    assert f"b.csv{said}" in str(caught.value)


def test_names_that_differ_in_blanks_are_one_model(tmp_path: Path) -> None:
    names = ["gpt 4", " gpt 4", "gpt\u00a04 ", "gpt  4", "\ufeffgpt 4"]
    rows = [f"{name},b,{side}" for name in names for side in ("model_a", "model_b")]
    path = write(tmp_path, "b.csv", HEADER + "\n".join(rows) + "\n")
    assert read_battles(path).models == ("b", "gpt 4")
    path = write(tmp_path, "c.csv", HEADER + "GPT-4,b,tie\ngpt-4,b,tie\nGPT- 4,b,tie\n")
    names = read_battles(path).models
    assert list(map(str, alike(names))) == [
        "'GPT- 4' and 'GPT-4' and 'gpt-4' are taken for 3 models: "
        "their names differ in case or spaces alone."
    ]
    result = CliRunner().invoke(app, ["rank", str(path), "--min-comparisons", "1"])
    assert "taken for 3 models" in " ".join(result.output.split())


def test_empty_optional_cells(tmp_path: Path) -> None:
    head = "Model_A, Model_B, Winner, weight, prompt, voter, source\n"
    rows = "x, y, tie, 2, 1.0, ann,\nx, y, tie, , , , s\nx, y, tie, 1.5, , , s\n"
    c = read_battles(write(tmp_path, "b.csv", head + rows))
    assert c.weight is not None
    assert list(c.weight) == [2, 1, 1.5]
    assert c.prompt is not None
    assert list(c.prompt.labels) == ["1", "b.csv: row 2", "b.csv: row 3"]
    assert c.voter is not None
    assert len(set(c.voter.codes)) == 3
    assert c.source is not None
    assert list(c.source.codes) == [0, 1, 1]
    lines = [{"model_a": "x", "model_b": "y", "winner": "tie", "prompt": p} for p in (None, 2.0)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    c = read_battles(write(tmp_path, "b.jsonl", text.replace("null", "NaN")))
    assert c.prompt is not None
    assert list(c.prompt.labels) == ["2", "b.jsonl: row 1"]
    only_empty = HEADER.replace("\n", ",prompt\n") + "x,y,tie,\n"
    assert read_battles(write(tmp_path, "b.csv", only_empty)).prompt is None


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("weight", "0", "it must be a number of more than 0"),
        ("weight", "inf", "it must be a number of more than 0"),
        ("weight", "0,5", "it must be a number of more than 0"),
        ("propensity", "1.5", "it must be a number of more than 0 and at most 1"),
    ],
)
def test_a_number_is_one(tmp_path: Path, column: str, cell: str, said: str) -> None:
    text = f'model_a,model_b,winner,{column}\na,b,tie,1\na,b,tie,"{cell}"\n'
    with pytest.raises(InputError) as caught:
        read_battles(write(tmp_path, "b.csv", text))
    assert f"b.csv:3: {column}: {cell!r}; {said}" in str(caught.value)


def test_categories_rank_like_text(tmp_path: Path) -> None:
    rows = [("x", "y", "model_a"), ("x", "z", "tie"), ("x", "y", "model_b"), ("x", "z", "model_a")]
    frame = pd.DataFrame(rows, columns=["model_a", "model_b", "winner"])
    frame.to_csv(tmp_path / "b.csv", index=False)
    frame.astype("category").to_parquet(tmp_path / "b.parquet")
    plain, coded = (read_battles(tmp_path / name) for name in ("b.csv", "b.parquet"))
    assert (plain.models, list(plain.i), list(plain.j), list(plain.outcome)) == (
        coded.models,
        list(coded.i),
        list(coded.j),
        list(coded.outcome),
    )
    framed = Comparisons.from_frame(frame.astype("category"))
    assert (framed.models, list(framed.i)) == (plain.models, list(plain.i))


def test_rows_inside_an_object_are_pointed_at(tmp_path: Path) -> None:
    row = {"model_a": "x", "model_b": "y", "winner": "tie"}
    path = write(tmp_path, "b.json", json.dumps({"data": [row]}))
    with pytest.raises(InputError, match=r"its list 'data' may hold the rows: jq \.data"):
        read_battles(path)
    path = write(tmp_path, "c.json", json.dumps({key: {"0": v} for key, v in row.items()}))
    with pytest.raises(InputError, match=r'winner.*|orient="records"'):
        read_battles(path)


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
    assert "clustered by" in str(board.method)
    assert json.dumps([row.rating for row in board.rows])


def test_a_propensity_that_is_not_known_everywhere_counts_nowhere(tmp_path: Path) -> None:
    """As votes of a database do, and so that what arena export wrote can be ranked."""
    file = tmp_path / "b.csv"
    file.write_text("model_a,model_b,winner,propensity\na,b,model_a,0.5\nb,a,model_a,\n")
    assert read_battles(file).propensity is None
    file.write_text("model_a,model_b,winner,propensity\na,b,model_a,0.5\nb,a,model_a,0.25\n")
    assert read_battles(file).propensity is not None
