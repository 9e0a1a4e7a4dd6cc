"""`--prompts question.jsonl` of other tools: turns, references, system texts and categories."""

import json
from pathlib import Path
from typing import Any

import pytest

from arena.generation.foreign_prompts import asked_of
from arena.generation.prompts import load_prompts, read_prompts
from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.formats import named
from arena.records.errors import InputError
from arena.store import Store
from tests.exchange_files import EXAMPLES, lines

Row = dict[str, Any]
SHAPES: dict[str, tuple[Row, tuple[str, tuple[str, ...], str, tuple[str, ...]]]] = {
    "mt-bench": (
        {"question_id": 81, "category": "math", "turns": ["One?", "Two?"], "reference": ["1"]},
        ("81", ("One?", "Two?"), "math", ("1", "")),
    ),
    "arena-hard 2.0": (
        {"uid": "ab", "category": "hard_prompt", "subcategory": "coding", "prompt": "Write x. "},
        ("ab", ("Write x. ",), "hard_prompt/coding", ()),
    ),
    "arena-hard 0.1": (
        {"question_id": "cd", "category": "arena-hard-v0.1", "turns": [{"content": "Hi?"}]},
        ("cd", ("Hi?",), "arena-hard-v0.1", ()),
    ),
    "alpacaeval": (
        {"dataset": "koala", "instruction": "Say hi.\n", "output": "Hi.", "generator": "m"},
        ("koala-40b2ad09", ("Say hi.\n",), "koala", ()),
    ),
    "wildbench": (
        {"id": "w1", "session_id": "w1", "primary_tag": "Math", "checklist": ["True?", "Short?"],
         "conversation_input": [{"role": "user", "content": "Hi"},
                                {"role": "assistant", "content": "Hello."},
                                {"role": "user", "content": "2+2?"}]},
        ("w1", ("User: Hi\n\nAssistant: Hello.\n\nUser: 2+2?",), "Math", ("- True?\n- Short?",)),
    ),
    "alignbench": (
        {"question_id": 3, "category": "数学", "subcategory": "代数", "question": "几？",
         "reference": "四"},
        ("3", ("几？",), "数学/代数", ("四",)),
    ),
    "messages": (
        {"id": 9, "messages": [{"role": "system", "content": "Be brief."},
                               {"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        ("9", ("Be brief.\n\nHi",), "general", ()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_questions_of_other_tools_are_read(name: str, tmp_path: Path) -> None:
    row, expected = SHAPES[name]
    lines(tmp_path / "q.jsonl", [row])
    (prompt,) = load_prompts([str(tmp_path / "q.jsonl")], tmp_path)
    found = prompt.name, prompt.turns, prompt.category, prompt.references
    if name == "alpacaeval":  # the name is made of the text's key
        expected = (f"koala-{prompt.key[:8]}", *expected[1:])
    assert found == expected
    assert prompt.language == ("zh" if name == "alignbench" else "en")


def test_what_is_asked_is_what_an_import_brings(tmp_path: Path, store: Store) -> None:
    """The questions of a file have the keys of those that came in with answers."""
    for example in ("fastchat", "arena-hard", "arena-hard 0.1"):
        name, make = EXAMPLES[example]
        folder = make(tmp_path / example)
        read = named(name).read
        assert read is not None
        other = Store(tmp_path / f"{example}.db")
        take_in(other, read(folder, Hints()))
        asked = {prompt.key for prompt in read_prompts(folder / "question.jsonl")}
        assert asked == {prompt.key for prompt in other.prompts.where()}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question_id": None, "turns": ["x"]}, "question_id: None; it must be"),
        ({"question_id": 1, "turns": []}, "turns: .*; it must be a text or a list"),
        ({"question_id": 1, "turns": [" "]}, "there is no text in it"),
        ({"question_id": 1, "turns": ["x"], "category": 5}, "category: 5; it must be a text"),
        ({"question_id": 1, "turns": ["x"], "reference": ["a", "b"]}, "2 of them, and there are 1"),
        ({"uid": "x", "prompt": {"a": 1}}, "prompt: .*; it must be a text"),
        ({"instruction": ""}, "instruction: ''; it must be a text"),
        ({"session_id": 1, "conversation_input": [{"role": "user"}]}, "a message needs role and"),
        ({"id": 1, "messages": [{"role": "assistant", "content": "x"}]}, "last message is not the"),
        ({"session_id": 1, "conversation_input": "x", "checklist": 5}, "checklist: 5; it must be"),
    ],
)
def test_a_bad_question_is_named(row: Row, reason: str, tmp_path: Path) -> None:
    lines(tmp_path / "q.jsonl", [{"question_id": 7, "turns": ["fine"]}, row])
    with pytest.raises(InputError, match=reason) as caught:
        read_prompts(tmp_path / "q.jsonl")
    assert f"{tmp_path / 'q.jsonl'}:2: " in str(caught.value)


def test_the_same_id_twice_is_named(tmp_path: Path) -> None:
    row = {"question_id": 7, "turns": ["fine"]}
    lines(tmp_path / "q.jsonl", [row, row])
    with pytest.raises(InputError, match=r"q\.jsonl:2: id: '7' is also on line 1"):
        read_prompts(tmp_path / "q.jsonl")


def test_our_own_files_are_read_as_before(tmp_path: Path) -> None:
    lines(tmp_path / "q.jsonl", [{"id": "a", "turns": [" x "], "references": ["y"]}])
    (prompt,) = read_prompts(tmp_path / "q.jsonl")
    assert (prompt.turns, prompt.references) == (("x",), ("y",))
    lines(tmp_path / "q.jsonl", [{"id": "a", "turn": ["x"]}])
    with pytest.raises(InputError, match="turn"):
        read_prompts(tmp_path / "q.jsonl")


def test_user_messages_alone_are_turns() -> None:
    messages = [{"role": "user", "content": text} for text in ("One?", "Two?")]
    assert asked_of(messages) == ("One?", "Two?")
    assert asked_of([{"from": "human", "value": "Hi"}]) == ("Hi",)
    assert json.loads(json.dumps(asked_of("Hi"))) == ["Hi"]
