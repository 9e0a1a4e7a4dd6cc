"""Each importer refuses ten kinds of damage and more, in one sentence, and stores nothing."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.formats import named
from arena.records.errors import ArenaError, InputError
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
    "wildbench": "eval/eval=gpt-4-turbo/ref=vicuna/alpaca.json",
    "alignbench": "model_answer/vicuna-13b.jsonl",
    "judgearena": "alpaca-eval-annotations.csv",
    "autoarena": "x-head-to-head.csv",
    "label-studio": "export.json",
    "argilla": "records.json",
    "preference": "pairs.jsonl",
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


def annotated(**values: Any) -> Change:
    return lambda row: row["annotations"][0]["result"][0].update(values)


def said_in(side: str, **values: Any) -> Change:
    return lambda row: row[f"conversation_{side}"][0].update(values)


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
        ("conversation_b: the user says something else", said_in("b", content="x")),
        ("conversation_a: the last message is the user's", lambda row: row["conversation_a"].pop()),
        ("conversation_a: message 1 is of 'system'", said_in("a", role="system")),
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
ROWS |= {
    "wildbench": [
        (NO_FIELD, drop("session_id")),
        ("session_id: 'zz' is not among the questions", put(session_id="zz")),
        ("parsed_result: 'x'; it must be an object", put(parsed_result="x")),
        ("it is no task, output or evaluation", drop("parsed_result")),
        ("choice: 'A'; allowed are A\\+\\+", put(parsed_result={"choice": "A"})),
        ("choice: 3; it must be a text", put(parsed_result={"choice": 3})),
        (NO_FIELD, drop("model_B")),
        ("model_B: .*; a model cannot meet itself", put(model_B=MODELS[0])),
        ("model_A: \\[\\]; it must be", put(model_A=[])),
        ("assignment: 5; it must be an object", put(assignment=5)),
        ("result: 5; it must be a text", put(result=5)),
        ("score: 'high'; it must be a number",
         lambda row: [row.pop("model_A"), row.update(model_test="m"),
                      row.update(parsed_result={"score": "high"})]),
    ],
    "alignbench": [
        (NO_FIELD, drop("question_id")),
        ("question_id: .*; it must be", put(question_id=[])),
        (NO_FIELD, drop("question")),
        ("question: 5; it must be", put(question=5)),
        ("question: ' '; there is no text", put(question=" ")),
        (NO_FIELD, drop("subcategory")),
        ("category: 3; it must be", put(category=3)),
        ("reference: 3; it must be", put(reference=3)),
        ("reference: 2 of them", put(reference=["a", "b"])),
        ("answer: 3; it must be a text", put(answer=3)),
        ("model_id: \\{\\}; it must be", put(model_id={})),
        ("nothing says who judged; --judge NAME", put(judgment="x", score=3)),
    ],
    "label-studio": [
        (NO_FIELD, drop("data")),
        ("data: 5; it must be an object", put(data=5)),
        ("data: a question", lambda row: row["data"].pop("prompt")),
        ("data: a question .* and two answers", lambda row: row["data"].pop("answer2")),
        ("it has no 'model1' and 'model2'", lambda row: row["data"].pop("model1")),
        ("a model cannot meet itself", lambda row: row["data"].update(model2=MODELS[0])),
        ("answer1: 5; it must be a text", lambda row: row["data"].update(answer1=5)),
        ("annotations: .*; it must be a list", put(annotations={"a": 1})),
        ("annotations\\[0\\]: 5; it must be an object", put(annotations=[5])),
        ("selected: 'top'; allowed are left",
         annotated(type="pairwise", value={"selected": "top"})),
        ("choices: 'Meh'; allowed are tie", annotated(value={"choices": ["Meh"]})),
        ("it says 0 things of the pair", annotated(type="rating")),
        ("completed_by", lambda row: row["annotations"][0].pop("completed_by")),
        (NO_FIELD, lambda row: row["predictions"][0].pop("model_version")),
        ("lead_time: 'x'; it must be a number",
         lambda row: row["annotations"][0].update(lead_time="x")),
    ],
    "argilla": [
        (NO_FIELD, drop("fields")),
        ("fields: 5; it must be an object", put(fields=5)),
        ("fields: a question", lambda row: row["fields"].pop("prompt")),
        (r"response_1 and response_2\) are needed", lambda row: row["fields"].pop("response_2")),
        (NO_FIELD, drop("metadata")),
        ("it has no 'model_1' and 'model_2'", lambda row: row["metadata"].pop("model_1")),
        ("a model cannot meet itself", lambda row: row["metadata"].update(model_2=MODELS[0])),
        ("response_1: 5; it must be a text", lambda row: row["fields"].update(response_1=5)),
        ("ranking: .*; it must be a list", put(responses={"ranking": 5})),
        ("value: 'x'; allowed are response_1", put(responses={"ranking": [{"value": "x",
                                                                          "user_id": "u"}]})),
        ("value: .*; it must be response_1 and", put(responses={"ranking": [
            {"value": ["response_1"], "user_id": "u"}]})),
        (NO_FIELD, put(responses={"ranking": [{"value": "response_1"}]})),
        (NO_FIELD, put(suggestions={"ranking": {"value": "response_1"}})),
    ],
    "preference": [
        (NO_FIELD, drop("chosen")),
        ("rejected: it must be a list of messages", put(rejected=5)),
        ("prompt: 5; it must be a text", put(prompt=5)),
        ("prompt: there is no text", put(prompt=" ")),
        ("it has no 'chosen_model', so nobody knows", drop("chosen_model")),
        ("rejected_model: .*; a model cannot meet itself", put(rejected_model=MODELS[0])),
        ("nothing says who preferred", drop("source")),
        ("chosen: 1 answers, and the prompt has 2 turns", put(prompt=["a", "b"])),
        ("its one message must be the assistant's",
         put(chosen=[{"role": "user", "content": "x"}])),
        ("chosen: it must be a list of messages", lambda row: [row.pop("prompt"),
                                                              row.update(chosen=[])]),
        ("prompt: the last message is not the user's",
         put(prompt=[{"role": "assistant", "content": "x"}])),
        ("winner: 'x'; allowed are chosen",
         put(said=[{"winner": "x", "first": "chosen", "by": "a", "person": True}])),
        ("person: 1; it must be true or false",
         put(said=[{"winner": "tie", "first": "chosen", "by": "a", "person": 1}])),
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
    if file.suffix == ".csv" and name not in ("a NUL", "not UTF-8", "empty"):
        return  # these are of JSON
    check(example, path, store)


CELLS = {
    "judgearena": [
        ("it has no 'judge_completion'", "judge_completion", None),
        ("it has no 'model_B'", "model_B", None),
        ("model_A: .*; it must be a name", "model_A", " "),
        ("a model cannot meet itself", "model_A", MODELS[0]),
        ("instruction: .*; it must be a text", "instruction", " "),
        ("it has no 'completion_A'", "completion_A", None),
        ("it has no 'completion_B'", "completion_B", None),
        ("judge: .*; it must be a name", "judge", " "),
        ("it has no 'judge'", "judge", None),
        ("it has no 'model_A'", "model_A", None),
    ],
    "autoarena": [
        ("prompt: it is empty", "prompt", " "),
        ("it has no 'prompt'", "prompt", None),
        ("model_a: .*; it must be a name", "model_a", " "),
        ("it has no 'model_b'", "model_b", None),
        ("a model cannot meet itself", "model_b", MODELS[0]),
        ("winner: 'C'; allowed are A, B, -", "winner", "C"),
        ("winner: ''; allowed are A, B, -", "winner", ""),
        ("it has no 'response_a'", "response_a", None),
        ("it has no 'response_b'", "response_b", None),
        ("judge: .*; it must be a name", "judge", " "),
    ],
}
CELL_CASES = [(example, *one) for example, found in CELLS.items() for one in found]


@pytest.mark.parametrize(("example", "reason", "column", "cell"), CELL_CASES)
def test_a_damaged_row_of_a_sheet_is_refused(
    example: str, reason: str, column: str, cell: str | None, tmp_path: Path, store: Store
) -> None:
    """cell: what stands in the last row; None where the file has no such column."""
    path = EXAMPLES[example][1](tmp_path / "files")
    file = tmp_path / "files" / MAIN[example]
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = list(rows[0])
    if cell is None:
        names.remove(column)
    else:
        rows[-1][column] = cell
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    error = check(example, path, store)
    assert re.search(reason, str(error)), error


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
    assert "(1 more row is refused); nothing was stored" in str(error)
