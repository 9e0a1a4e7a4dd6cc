"""Tables as people have them: read where it is certain what they say, else refused with a reason.

`rows` and `columns` are two ways to the same: every file here is read by both.
"""

import gzip
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from arena.files.encodings import look, read_text, reads_as_chinese
from arena.files.tabular import columns, rows
from arena.records.errors import InputError

PLAIN = [{"a": "1", "b": "x"}, {"a": "2", "b": "模型"}]


def by_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    return [(row.line, row.fields) for row in rows(path)]


@pytest.fixture(autouse=True, params=["by arrow", "by row"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file in both ways, whatever its size."""
    module = sys.modules["arena.files.tabular.columns"]
    monkeypatch.setattr(module, "SMALL", 0 if request.param == "by arrow" else 2**40)


def by_columns(path: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    table = columns(path, names)
    found = {name: list(table[name]) for name in names if name in table}
    return [dict(zip(found, cells, strict=True)) for cells in zip(*found.values(), strict=True)]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


CHINESE = "问题,答案\n天空是什么颜色的？,蓝色的\n"


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.csv", "a,b\n1,x\n2,模型\n", (2, 3)),
        ("a.CSV", "\ufeffa,b\r\n1,x\r\n2,模型\r\n", (2, 3)),
        ("a.csv", "\n\na,b\n\n1,x\n\n2,模型", (5, 7)),
        ("a.csv", "a;b\n1;x\n2;模型\n", (2, 3)),
        ("a.csv", "a\tb\n1\tx\n2\t模型\n", (2, 3)),
        ("a.tsv", "a\tb\n1\tx\n2\t模型\n", (2, 3)),
        ("a.txt", "a|b\n1|x\n2|模型\n", (2, 3)),
        ("a.csv", "sep=;\na;b\n1;x\n2;模型\n", (3, 4)),
        ("a.csv", "a,b\r1,x\r2,模型\r", (2, 3)),
        ("a.csv", '"a","b"\n"1","x"\n"2","模型"\n', (2, 3)),
        ("a.csv", "a, b\n1, x\n2, 模型\n", (2, 3)),
        ("a.csv", " a ,b\u3000\n1,x\n2,模型\n", (2, 3)),
        ("a.csv", "a,b,,\n1,x,,\n2,模型,,\n,,,\n", (2, 3)),
        ("a.csv", "a,b\n1,x,\n2,模型,,\n", (2, 3)),
        ("a.csv", ",a,b\n0,1,x\n1,2,模型\n", (2, 3)),
        ("a.csv", "a,b\n1,x\n2,模型\n".encode("utf-16"), (2, 3)),
        ("a.csv", "a,b\n1,x\n2,模型\n".encode("utf-16-le"), (2, 3)),
        ("a.csv", "a,b\n1,x\n2,模型\n".encode("utf-16-be"), (2, 3)),
        ("a.txt", "a\tb\r\n1\tx\r\n2\t模型\r\n".encode("utf-16"), (2, 3)),
        ("a.csv.gz", gzip.compress("a,b\n1,x\n2,模型\n".encode(), mtime=0), (2, 3)),
        ("a.jsonl", '{"a": "1", "b": "x"}\n\n{"a": "2", "b": "模型"}\n', (1, 3)),
        ("a.NDJSON", '\ufeff{"a": "1", "b": "x"}\r\n{"a": "2", "b": "模型"}', (1, 2)),
        ("a.jsonl", '{"a": "1", "b": "x"}\r{"a": "2", "b": "\\u6a21型"}\r', (1, 2)),
        ("a.json", json.dumps(PLAIN), (1, 1)),
        ("a.jsonl", "\n" + json.dumps(PLAIN, indent=1), (3, 7)),
        ("a.csv", json.dumps(PLAIN), (1, 1)),
        ("a.json", "\n".join(json.dumps(row, indent=2) for row in PLAIN), (1, 5)),
        ("a.json", json.dumps(PLAIN).encode("utf-16"), (1, 1)),
        ("a.json.gz", gzip.compress(json.dumps(PLAIN).encode(), mtime=0), (1, 1)),
    ],
)
def test_one_table_in_many_dresses(
    tmp_path: Path, name: str, content: str | bytes, lines: tuple[int, ...]
) -> None:
    path = write(tmp_path, name, content)
    assert by_rows(path) == list(zip(lines, PLAIN, strict=True))
    assert by_columns(path, ("a", "b")) == PLAIN
    assert [columns(path, ()).where(k) for k in (0, 1)] == [f"{path}:{n}" for n in lines]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_end_lines(tmp_path: Path, mark: str) -> None:
    row = {"a": f"one{mark}two", "b": "x"}
    text = json.dumps(row, ensure_ascii=False)
    for name, content in (
        ("a.jsonl", f"{text}\n{text}\n"),
        ("b.json", f"[{text},\n{text}]"),
        ("a.csv", f"a,b\none{mark}two,x\none{mark}two,x\n"),
        ("b.csv", f'a,b\n"one{mark}two",x\none{mark}two,x\n'),
    ):
        path = write(tmp_path, name, content)
        assert [fields for _, fields in by_rows(path)] == [row, row]
        assert by_columns(path, ("a", "b")) == [row, row]


def test_quoted_fields_may_be_long_and_hold_anything(tmp_path: Path) -> None:
    long = "x" * 200_000
    path = write(tmp_path, "a.csv", f'a,b\n"one\n\ntwo, ""three""",{long}\n\n1,2\n')
    assert by_rows(path) == [
        (2, {"a": 'one\n\ntwo, "three"', "b": long}),
        (6, {"a": "1", "b": "2"}),
    ]
    assert by_columns(path, ("b",)) == [{"b": long}, {"b": "2"}]


def test_chinese_windows_writes_gb18030(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", CHINESE.encode("gb18030"))
    assert by_rows(path) == [(2, {"问题": "天空是什么颜色的？", "答案": "蓝色的"})]
    assert read_text(path) == CHINESE


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("질문,답\n하늘은 무슨 색인가요?,파란색 입니다\n" * 20, "euc-kr"),
        ("質問,答え\n空は何色ですか,青い空の色です\n" * 20, "euc-jp"),
        ("質問,答え\n空は何色ですか,青い空の色です\n" * 20, "shift-jis"),
        ("question,réponse\nthé ou café à Besançon?,thé\n" * 20, "latin-1"),
        ("вопрос,ответ\nкакого цвета небо?,синего\n" * 20, "cp1251"),
        ("問題,答案\n天空是什麼顏色的？,藍色的\n" * 20, "big5"),
    ],
)
def test_other_encodings_are_never_taken_for_chinese(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = write(tmp_path, "a.csv", text.encode(encoding))
    with pytest.raises(InputError, match=r"a\.csv:\d: not UTF-8; save it as UTF-8"):
        list(rows(path))


def test_rare_characters_are_not_read_as_chinese() -> None:
    assert reads_as_chinese("这是我们的问题和答案")
    assert not reads_as_chinese("镕镕镕镕镕镕的")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "a,b,a\n1,2,3\n", ":1: the column 'a' is there twice"),
        (
            "a.csv",
            "a,b\n1,2\n1,2,3\n",
            ":3: 3 values, and the header has 2 names; a text with a comma",
        ),
        (
            "a.csv",
            "a;b\n1;2;3\n",
            ":2: 3 values, and the header has 2 names; a text with a semicolon",
        ),
        ("a.csv", "a,b\n1\n", ":2: 1 values, and the header has 2 names"),
        ("a.csv", "a,b,\n1,2,3\n", ":2: '3' is in a column without a name"),
        ("a.csv", 'a,b\n1,"2\n3,4\n', ":2: not CSV: unexpected end of data; is a quote open?"),
        ("a.csv", "a,b\n1,2\0\n", ":2: a NUL byte"),
        ("a.csv", "a,b;c\n1,2;3;4\n5;6;7,8,9\n", ":1: the header has commas and semicolons"),
        (
            "a.csv",
            "a,b\n1,2\n".encode("utf-16")[:-1],
            ": it begins as UTF-16 and does not go on so",
        ),
        (
            "a.jsonl",
            b"version https://git-lfs.github.com/spec/v1\n",
            ": a pointer of Git LFS and not",
        ),
        ("a.csv", b"<!DOCTYPE html>\n<html>", ": a web page and no data"),
        ("a.csv", b"PK\x03\x04xx", ": a zip archive, as Excel's .xlsx is; save it as CSV UTF-8"),
        ("a.csv", b"SQLite format 3\0", ": a SQLite database"),
        ("a.csv", b"PAR1xxxx", ": a Parquet file; its name must end in .parquet"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], ": not whole gzip data"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', ":2: not JSON: Expecting value"),
        ("a.jsonl", '{"a": 1\n{"a": 2}\n', ":1: not JSON"),
        ("a.json", '[{"a": 1},\n{"a": 2}', ":2: not JSON: the list is not closed; was it cut off?"),
        ("a.json", '[{"a": 1},\n{"a": ', ":2: not JSON: Expecting value"),
        ("a.json", '[{"a": 1}]\n[{"a": 1}]', ":2: something stands after the end of the list"),
        ("a.json", '[{"a": 1},\n 2]', ":2: '2' is not an object"),
        ("a.json", "model_a,model_b\n", ":1: not JSON"),
        ("a.jsonl", '{"a": "\\ud83d"}', ":1: half a character"),
        ("a.jsonl", "[" * 99_999, ":1: not JSON: it is nested too deeply"),
        ("a.jsonl", f'{{"a": {"9" * 5000}}}', ":1: not JSON: a number has too many digits"),
        ("a.parquet", "text", ": not readable as parquet"),
        ("a.xlsx", "x", ": not one of the formats .csv, .tsv, .jsonl, .ndjson, .json, .parquet"),
    ],
)
def test_what_is_not_certain_is_refused_by_its_line(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    path = write(tmp_path, name, content)
    for read in (lambda: by_rows(path), lambda: columns(path, ("a",))):
        with pytest.raises(InputError) as caught:
            read()
        assert str(caught.value).startswith(f"{path}{said}")
        assert "\n" not in str(caught.value)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "a folder"),
        (tmp_path / "x.csv", "no such file"),
        (tmp_path / "x.csv" / "y.csv", "no such file"),
        (Path("/dev/null.csv"), "no such file"),
    ):
        with pytest.raises(InputError, match=said):
            list(rows(path))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, "\n \n")
    assert by_rows(path) == []
    assert (len(columns(path, ("a",))), columns(path, ("a",)).names) == (0, ())


def test_what_a_parquet_column_is_made_of_makes_no_difference(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["x", "y", None, "x"], "b": [1.0, None, 2.0, 1.0]})
    frame["turns"] = [["one", "two"], None, [], ["three"]]
    wanted = frame.astype(object).where(frame.notna(), None).to_dict("records")
    for kind in ("str", "object", "category", "large_string[pyarrow]"):
        path = tmp_path / f"{kind[:3]}.PARQUET"
        frame.assign(a=frame["a"].astype(kind)).to_parquet(path)
        got = [fields for _, fields in by_rows(path)]
        assert [row["a"] for row in got] == ["x", "y", None, "x"]
        assert [row["turns"] for row in got] == [row["turns"] for row in wanted]
        for ours, theirs in zip(by_columns(path, ("a", "b", "turns")), got, strict=True):
            assert ours["a"] == theirs["a"]
            assert ours["turns"] == theirs["turns"]
            assert ours["b"] == theirs["b"] or theirs["b"] is None or theirs["b"] != theirs["b"]
        assert columns(path, ("a",)).where(2) == f"{path}: row 3"


def test_keys_may_differ_from_row_to_row(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n{"b": [2], " A ": true}\n{"a": 1.0, "c": 0}\n')
    table = columns(path, ("a", "b"))
    assert table.names == ("a", "b", " A ", "c")
    assert list(table["a"]) == [1, True, 1.0]
    assert [type(value) for value in table["a"]] == [int, bool, float]
    assert list(table["b"]) == [None, [2], None]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "Winner,winner ,x\n1,2,3\n")
    assert list(columns(path, ("x",))["x"]) == ["3"]
    with pytest.raises(InputError, match="'winner' is there twice, as"):
        columns(write(tmp_path, "b.csv", "Winner,WINNER,x\n1,2,3\n"), ("winner",))


def test_the_fast_way_gives_what_the_rows_give(tmp_path: Path) -> None:
    """Random small tables, odd ones among them, by pyarrow and row by row."""
    chance = random.Random(7)
    alphabet = ["a", "b", " ", "", ",", "\r\n", "\n", "模", "x y", "\t", "0"]
    for number in range(400):
        body = "".join(chance.choice(alphabet) for _ in range(chance.randrange(24)))
        path = write(tmp_path, "t.csv", chance.choice(["a,b\n", "a,b,\n", ",a,b\n", "a\n"]) + body)
        try:
            wanted: Any = [fields for _, fields in by_rows(path)]
        except InputError as error:
            wanted = str(error)
        try:
            got: Any = by_columns(path, ("a", "b"))
        except InputError as error:
            got = str(error)
        assert got == wanted, (number, body)


def test_one_look_tells_what_is_in_a_file(tmp_path: Path) -> None:
    assert not look(write(tmp_path, "a", "a,b\r\n1,2\r\n")).lone_returns
    assert look(write(tmp_path, "a", "a,b\r1,2")).lone_returns
    assert look(write(tmp_path, "a", "a\r\n" * (2**20 // 3) + "b\rc")).lone_returns
    assert not look(write(tmp_path, "a", "a" * (2**20 - 1) + "\r\n")).lone_returns
    assert look(write(tmp_path, "a", 'a,"b"')).quotes


def test_labels_stand_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """Whatever order a dictionary of Parquet has them in, and whatever it holds besides."""
    kind = pd.CategoricalDtype(["never", "b", "a"])
    values = ["a", None, "b", "a"]
    path = tmp_path / "a.parquet"
    pd.DataFrame({"x": pd.Series(values, dtype=kind)}).to_parquet(path)
    found = columns(path, ["x"])["x"]
    assert list(found) == values
    assert found.labels == ["a", None, "b"]
    assert found.codes.tolist() == [0, 1, 2, 0]
    assert found.in_order().codes.tolist() == [0, 1, 2, 0]
