"""Each kind of constraint at its edges, and each instruction item kept and broken."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.benchmarks.replies.constraints import CHECKS, follows
from arena.files.assets import builtin
from arena.records.errors import InputError

Row = dict[str, Any]


def rows(path: Path) -> dict[str, Row]:
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {row["id"]: row for row in found}


SETS = [builtin("data") / "items" / f"instructions_{language}.jsonl" for language in ("en", "zh")]
ITEMS = {name: item for path in SETS for name, item in rows(path).items()}
REPLIES = rows(Path(__file__).with_name("instruction_replies.jsonl"))


def test_each_item_has_replies() -> None:
    assert list(REPLIES) == list(ITEMS)


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_can_be_kept_and_each_of_its_constraints_broken(name: str) -> None:
    constraints, reply = ITEMS[name]["constraints"], REPLIES[name]
    assert all(follows(reply["keeps"], constraints))
    assert len(reply["breaks"]) == len(constraints)
    for place, text in enumerate(reply["breaks"]):
        assert not follows(text, constraints)[place], text
    assert not all(follows("", constraints))


def one(kind: str, **arguments: object) -> list[Row]:
    return [{"kind": kind, **arguments}]


def exactly(kind: str, count: int) -> list[Row]:
    return one(kind, least=count, most=count)


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("One two - three!", exactly("words", 3)),
        ("我有3只cat。", exactly("characters", 3)),
        ("Mr. Smith paid 3.50, e.g. in coins. He left.", exactly("sentences", 2)),
        ('He said "Go!" Then he left', exactly("sentences", 2)),
        ("I love it! 😊", exactly("sentences", 1)),
        ("1. First one.\n2. Second one.", exactly("sentences", 2)),
        ("你好！！我很好。“再见。”", exactly("sentences", 3)),
        ("你好!我很好", exactly("sentences", 2)),
        ("**Bold one.** Two.", exactly("sentences", 2)),
        ("a\n\n \nb\nc", exactly("paragraphs", 2)),
        ("- a\n* b\n• c\n-丁", exactly("bullets", 4)),
        ("**bold**\n---\n-5 degrees\n1. a", exactly("bullets", 0)),
        ("1. a\n2) b\n3、丙\n（4）丁\n⑤戊", exactly("numbered", 5)),
        ("3.5 million\n2024 was\n- a", exactly("numbered", 0)),
        ("a\n\nb", exactly("lines", 2)),
        ("- a\n\n  - b", one("each_line", text="-")),
        ("A river, the RIVER", one("include", words=["river"], times=2)),
        ("rivers", one("exclude", words=["river"])),
        ("today's", one("begins", text="Today")),
        ("今天真好", one("begins", text="今天")),
        ('Well. "That is all!"', one("ends", text="that is all.")),
        ("好。谢谢！", one("ends", text="谢谢")),
        ("a b 1", one("lowercase")),
        ("A 1", one("uppercase")),
        ('```JSON\n{"a": [1]}\n```', one("json", keys=["a"], lists={"a": 1})),
        ("[1]", one("json")),
        ("「好」", one("quoted")),
        ("See <<It>>", one("title")),
        ("［甲］和[b]", one("placeholders", least=2)),
        ("法国的首都是巴黎(Paris)", one("language", **{"is": "zh"})),
        ("Paris 巴黎", one("language", **{"is": "en"})),
        ("甲、乙", one("no_commas")),
        ("<think>one, two</think>three", one("no_commas")),
    ],
)
def test_kept(text: str, constraint: list[Row]) -> None:
    assert follows(text, constraint) == [True]


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("Todays", one("begins", text="today")),
        ("That is all folks", one("ends", text="that is all")),
        ("wethat is all", one("ends", text="that is all")),
        ("123", one("lowercase")),
        ("好", one("lowercase")),
        ("好", one("uppercase")),
        ("Ab", one("uppercase")),
        ("NaN", one("json")),
        ("9" * 5000, one("json")),
        ("[" * 100_000, one("json")),
        ("[1]", one("json", keys=["a"])),
        ('{"a": 1}', one("json", keys=["a"], lists={"a": 1})),
        ('"', one("quoted")),
        ('""', one("quoted")),
        ('"a" and "b"', one("quoted")),
        ('“a"', one("quoted")),
        ("<<>>", one("title")),
        ("[]", one("placeholders", least=1)),
        ("Привет", one("language", **{"is": "en"})),
        ("12", one("language", **{"is": "en"})),
        ("甲，乙", one("no_commas")),
        ("", one("no_commas")),
        ("a\n- b", one("each_line", text="-")),
    ],
)
def test_broken(text: str, constraint: list[Row]) -> None:
    assert follows(text, constraint) == [False]


def test_what_is_no_constraint_is_named() -> None:
    with pytest.raises(InputError, match=r"'wrods'; allowed are words"):
        follows("a", one("wrods"))
    with pytest.raises(InputError, match=r"constraint words: .*max"):
        follows("a", one("words", max=3))
    with pytest.raises(InputError, match="constraint begins"):
        follows("a", one("begins"))


USED = [c for item in ITEMS.values() for c in item["constraints"]]


def test_every_kind_is_used() -> None:
    assert {c["kind"] for c in USED} == set(CHECKS)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert len(follows(text, USED)) == len(USED)
