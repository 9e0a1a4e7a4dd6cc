"""`arena import` and `arena export`: what is said, and that bad input is one sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.interchange.formats import FORMATS
from arena.store import Store
from tests.exchange_files import EXAMPLES, MODELS

Arena = Callable[..., tuple[str, int]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_path_alone_is_enough(example: str, arena: Arena, tmp_path: Path) -> None:
    name, make = EXAMPLES[example]
    path = make(tmp_path / "files").relative_to(tmp_path)
    said, code = arena(f"import {path} --format csv")
    assert code == 0, said
    assert f"{path}: read as {name} (" in said
    assert "prompts,2,0" in said if example == "wildbench" else "prompts,3,0" in said
    assert "arena.db: new are " in said
    assert f"{2 if example == 'wildbench' else 3} prompts" in said
    again, code = arena(f"import {name} {path} --format csv")
    assert code == 0, again
    assert "arena.db: nothing is new." in again


def test_options_may_come_first(arena: Arena, tmp_path: Path) -> None:
    EXAMPLES["table"][1](tmp_path / "files")
    said, code = arena("import --db other.db files/battles.jsonl")
    assert code == 0, said
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "arena.db").exists()


def test_a_bad_row_leaves_no_database(arena: Arena, tmp_path: Path) -> None:
    path = EXAMPLES["table"][1](tmp_path / "files")
    path.write_text(path.read_text("utf-8").replace('"tie"', '"maybe"'), encoding="utf-8")
    said, code = arena("import files")
    assert code == 2
    assert "battles.jsonl:2: winner: 'maybe'" in said
    assert "--rejects FILE" in said
    assert not (tmp_path / "arena.db").exists()
    said, code = arena("import files --rejects bad.jsonl --format csv")
    assert code == 0, said
    assert "1 row is refused; bad.jsonl says which, and why." in said
    assert "votes,1,0" in said
    (row,) = (json.loads(line) for line in Path("bad.jsonl").read_text().splitlines())
    assert row["row"] == "files/battles.jsonl:2"


def test_a_format_that_is_misspelt_is_named(arena: Arena, tmp_path: Path) -> None:
    EXAMPLES["fastchat"][1](tmp_path / "files")
    said, code = arena("import fastchatt files")
    assert code == 2
    assert "no format named 'fastchatt'; did you mean 'fastchat'" in said
    said, code = arena("import nowhere")
    assert (code, "nowhere: no such file or folder" in said) == (2, True)
    said, code = arena("export fastchatt out")
    assert code == 2


def test_what_goes_out_comes_in(arena: Arena, tmp_path: Path) -> None:
    EXAMPLES["arena-hard"][1](tmp_path / "files")
    assert arena("import files")[1] == 0
    said, code = arena("export arena-hard out")
    assert code == 2
    assert "--baseline NAME says which" in said
    said, code = arena(f"export arena-hard out --baseline {MODELS[2]}")
    assert code == 0, said
    assert "out: 3 questions, 9 answers, 6 judgments." in said
    assert arena("import out --db other.db")[1] == 0
    counts = [Store(tmp_path / name).counts() for name in ("arena.db", "other.db")]
    assert counts[0] == counts[1]
    said, code = arena("export fastchat out")
    assert code == 2
    assert "there is something already" in said
    said, code = arena("export chatbot-arena votes.xml")
    assert code == 2
    assert "its name must end in .jsonl or .json or .csv or .parquet" in said


def test_what_does_not_fit_is_counted(arena: Arena, tmp_path: Path) -> None:
    EXAMPLES["table"][1](tmp_path / "files")
    assert arena("import files")[1] == 0
    said, code = arena("export chatbot-arena votes.json")
    assert code == 0
    assert "Left out: 1 verdict: arena export table writes them." in said
    assert "votes.json: 2 votes." in said


def test_help_names_every_format(arena: Arena) -> None:
    said, code = arena("import --help")
    assert code == 0
    for one in FORMATS:
        assert f" {one.name} " in said
    said, _ = arena("import fastchat --help")
    assert "--rejects" in said


def test_export_needs_a_database(arena: Arena) -> None:
    said, code = arena("export table t.csv")
    assert code == 2
    assert "no such database" in said
