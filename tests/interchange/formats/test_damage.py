"""Each importer refuses ten kinds of damage and more, in one sentence, and stores nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.errors import ArenaError, InputError
from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.formats import named
from arena.store import Store
from tests.exchange_files import EXAMPLES, MODELS, Row

# The file that is damaged, in each example: the last that is read.
MAIN = {
    "fastchat": "model_judgment/gpt-4_pair.jsonl",
    "arena log": "2023-06-22-conv.json",
    "arena-hard": "model_judgment/gpt-4.1/vicuna-13b.jsonl",
    "arena-hard 0.1": "model_judgment/gpt-4-1106-preview/m.jsonl",
    "alpacaeval": "org--alpaca/weighted_gpt4/annotations.json",
    "chatbot-arena": "clean_battle.json",
    "table": "battles.jsonl",
}
Change = Callable[[Row], object]
NO_FIELD = r"it has no '\w+'; it has "


def put(**values: Any) -> Change:
    return lambda row: row.update(values)


def drop(*names: str) -> Change:
    return lambda row: [row.pop(name) for name in names]


def game(**values: Any) -> Change:
    return lambda row: row["games"][0].update(values)


def state(**values: Any) -> Change:
    return lambda row: row["states"][1].update(values)


ROWS: dict[str, list[tuple[str, Change]]] = {
    "fastchat": [
        (NO_FIELD, drop("question_id")),
        ("question_id: '9999' is not among the questions", put(question_id=9999)),
        ("question_id: True; it must be", put(question_id=True)),
        (NO_FIELD, drop("model_1")),
        ("model_1: \\['x'\\]; it must be", put(model_1=["x"])),
        ("model_2: .* a model cannot meet itself", put(model_2=MODELS[0])),
        ("g1_winner: 'A'; allowed are model_1", put(g1_winner="A")),
        (NO_FIELD, put(g2_winner=None)),
        ("turn: 3; it must be from 1 to 2", put(turn=3)),
        ("judge: \\[\\]; it must be", put(judge=[])),
        ("g1_judgment: 5; it must be a text", put(g1_judgment=5)),
        ("turn: 'two'; it must be a number", put(turn="two")),
    ],
    "arena log": [
        ("type: 3; it must be a text", put(type=3)),
        ("states: 'x': not JSON|states: not JSON", put(states="x")),
        ("states: 1 of them; a vote has two", lambda row: row["states"].pop()),
        ("states\\[0\\]: 5; it must be an object", lambda row: row["states"].__setitem__(0, 5)),
        ("model_name: .*; it must be", state(model_name=[])),
        ("models: .*; a model cannot meet itself", state(model_name=MODELS[0])),
        ("messages: .*; it must be a list", state(messages=7)),
        ("messages\\[0\\]: .*; it must be a role and a text", state(messages=[["USER"]], offset=0)),
        ("the last one is the user's", state(messages=[["USER", "x"]], offset=0)),
        ("the user says something else", state(messages=[["U", "x"], ["A", "y"]], offset=0)),
        ("offset: 'x'; it must be a number", state(offset="x")),
        ("ip: \\{\\}; it must be", put(ip={})),
    ],
    "arena-hard": [
        (NO_FIELD, drop("uid")),
        ("uid: 'zz' is not among the questions", put(uid="zz")),
        (NO_FIELD, drop("model")),
        ("model: .*; a model cannot meet itself", put(model=MODELS[2])),
        ("baseline: .*; it must be", put(baseline={})),
        ("--baseline NAME says", drop("baseline")),
        ("games: 1 of them", lambda row: row["games"].pop()),
        ("games: .* must be a list", put(games={})),
        ("games: 'x'; it must be an object", lambda row: row["games"].__setitem__(0, "x")),
        ("score: 'A'; allowed are A>>B", game(score="A")),
        ("score: 3; it must be a text", game(score=3)),
        ("judge: 1.5; it must be", put(judge=1.5)),
        ("answer: 7; it must be a text", game(judgment={"answer": 7})),
    ],
    "alpacaeval": [
        ("instruction: .*; it must be a text", put(instruction=" ")),
        ("instruction: .*; it must be a text", drop("instruction")),
        (NO_FIELD, drop("generator_1")),
        ("generator_2: .*; a model cannot meet itself", put(generator_2=MODELS[0])),
        ("generator_2: \\[\\]; it must be", put(generator_2=[])),
        (NO_FIELD, put(output_1=None)),
        ("output_2: 3; it must be a text", put(output_2=3)),
        ("preference: 2.5; it must be from 1 to 2", put(preference=2.5)),
        ("preference: 'A'; it must be a number", put(preference="A")),
        ("preference: True; it must be a number", put(preference=True)),
        ("annotator: .*; it must be", put(annotator=[])),
        ("dataset: 5; it must be a text", put(dataset=5)),
    ],
    "chatbot-arena": [
        (NO_FIELD, drop("model_a")),
        ("model_a: \\['x'\\]; it must be", put(model_a=["x"])),
        ("model_b: .*; a model cannot meet itself", put(model_b=MODELS[0])),
        ("winner: 'left'; allowed are model_a", put(winner="left")),
        ("exactly one of winner_model_a", drop("winner")),
        ("conversation_a: it has no", drop("conversation_a")),
        ("conversation_b: it must be a list of messages", put(conversation_b=[])),
        ("conversation_b: the user says something else", lambda row: row["conversation_b"][0].update(content="x")),
        ("conversation_a: the last message is the user's", lambda row: row["conversation_a"].pop()),
        ("conversation_a: message 1 is of 'system'", lambda row: row["conversation_a"][0].update(role="system")),
        ("turn: 5; the conversation has 2 turns", put(turn=5)),
        ("judge: 1.5; it must be", put(judge=1.5)),
        ("language: 3; it must be a text", put(language=3)),
    ],
    "table": [
        (NO_FIELD, drop("model_a")),
        ("model_b: .*; a model cannot meet itself", put(model_b=MODELS[0])),
        ("model_b: \\{\\}; it must be", put(model_b={})),
        ("winner: 'maybe'; allowed are", put(winner="maybe")),
        ("winner: '0'; 0, 1 and 2 mean different things", put(winner="0")),
        (NO_FIELD, drop("winner")),
        ("'unparsed' is no vote", put(source="human", voter="ann")),
        ("it has neither `voter` nor `source`", put(source=None, voter=None)),
        ("answer_a: 2 turns, and there is 1 in the question", put(answer_a=["x", "y"])),
        ("question: .*; a list here holds texts", put(question=[1])),
        ("propensity: 2; it must be more than 0", put(propensity=2)),
        ("propensity: 'x'; it must be a number", put(propensity="x")),
        ("prompt: \\[\\]; it must be", put(prompt=[])),
    ],
}  # fmt: skip
ROWS["arena-hard 0.1"] = [
    (reason, change) for reason, change in ROWS["arena-hard"]
    if "baseline" not in reason.casefold() and "itself" not in reason and "answer" not in reason
    and "uid" not in reason and "no '" not in reason
]  # fmt: skip

BYTES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[:-25],
    "a NUL": lambda data: data[:40] + b"\0" + data[40:],
    "not UTF-8": lambda data: data[:-30] + b"\xff\xfe\xff" + data[-30:],
    "half a character": lambda data: data.replace(b'": "', b'": "\\ud83d', 1),
    "a bracket lost": lambda data: data.replace(b"}", b"", 1),
    "no object": lambda data: b'"text"\n' + data,
    "text after it": lambda data: data + b"\nThe end.",
    "empty": lambda data: b"",
}


def check(example: str, path: Path, store: Store, rejects: Path | None = None) -> ArenaError:
    """That the import is refused in one sentence, and that nothing was stored."""
    read = named(EXAMPLES[example][0]).read
    assert read is not None
    before = store.version(), store.counts()
    with pytest.raises(ArenaError) as caught:
        take_in(store, read(path, Hints()), rejects=rejects)
    assert "\n" not in str(caught.value)
    assert (store.version(), store.counts()) == before
    assert not store.models()
    return caught.value


def damaged(example: str, folder: Path, change: Change) -> Path:
    """An example whose last row is changed."""
    path = EXAMPLES[example][1](folder)
    file = folder / MAIN[example]
    text = file.read_text("utf-8")
    is_list = text.startswith("[")
    rows = json.loads(text) if is_list else [json.loads(line) for line in text.splitlines()]
    change(rows[-1])
    shown = json.dumps(rows) if is_list else "".join(json.dumps(row) + "\n" for row in rows)
    file.write_text(shown, encoding="utf-8")
    return path


CASES = [(example, *one) for example, found in ROWS.items() for one in found]


@pytest.mark.parametrize(("example", "reason", "change"), CASES)
def test_a_damaged_row_is_refused(
    example: str, reason: str, change: Change, tmp_path: Path, store: Store
) -> None:
    import re

    error = check(example, damaged(example, tmp_path / "files", change), store)
    assert re.search(reason, str(error)), error
    assert f"{Path(MAIN[example]).name}:" in str(error)
    assert isinstance(error, InputError)


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("example", MAIN)
def test_a_damaged_file_is_refused(example: str, name: str, tmp_path: Path, store: Store) -> None:
    path = EXAMPLES[example][1](tmp_path / "files")
    file = tmp_path / "files" / MAIN[example]
    file.write_bytes(BYTES[name](file.read_bytes()))
    if name == "empty" and path.is_dir():
        return  # a folder without its last file is a smaller import
    check(example, path, store)


def test_the_others_come_in_where_rejects_are_written(tmp_path: Path, store: Store) -> None:
    path = damaged("fastchat", tmp_path / "files", put(g1_winner="A"))
    file = tmp_path / "files" / MAIN["fastchat"]
    file.write_text(file.read_text("utf-8") + "no JSON\n", encoding="utf-8")
    read = named("fastchat").read
    assert read is not None
    rejects = tmp_path / "rejects.jsonl"
    found = take_in(store, read(path, Hints()), rejects=rejects)
    rows = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert found.refused == len(rows) == 2
    assert rows[0] == {
        "row": f"{file}:6", "reason": "g1_winner: 'A'; allowed are model_1, model_2, tie and error"
    }  # fmt: skip
    assert rows[1]["row"] == f"{file}:7"
    assert "not JSON" in rows[1]["reason"]
    assert store.verdicts.count() == 10


def test_without_one_good_row_nothing_is_taken_in(tmp_path: Path, store: Store) -> None:
    path = damaged("table", tmp_path / "files", put(winner="maybe"))
    lines = path.read_text("utf-8").splitlines()
    path.write_text(lines[-1] + "\n", encoding="utf-8")
    error = check("table", path, store, tmp_path / "rejects.jsonl")
    assert "no row of it could be taken in; the first: " in str(error)


def test_how_many_rows_are_bad_is_said(tmp_path: Path, store: Store) -> None:
    path = damaged("table", tmp_path / "files", put(winner="maybe"))
    text = path.read_text("utf-8")
    path.write_text(text + text.splitlines()[-1] + "\n", encoding="utf-8")
    error = check("table", path, store)
    assert "battles.jsonl:3: winner" in str(error)
    assert "(1 more rows are refused); nothing was stored" in str(error)
