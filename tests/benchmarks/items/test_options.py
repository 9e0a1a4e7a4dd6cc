# ruff: noqa: E501
"""Options and right answers in the shapes in which public sets and people have them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from arena.benchmarks.items.reading import read_items
from arena.records.errors import InputError

TWO = ("green", "blue")
BLUE = [
    # Letters in any dress, texts, positions.
    {"choices": [*TWO], "answer": "B"},
    {"choices": [*TWO], "answer": "b"},
    {"choices": [*TWO], "answer": "Ｂ"},
    {"choices": [*TWO], "answer": "(B)"},
    {"choices": [*TWO], "answer": "[b]"},
    {"choices": [*TWO], "answer": "B."},
    {"choices": [*TWO], "answer": "B、"},
    {"choices": [*TWO], "answer": "Option B"},
    {"choices": [*TWO], "answer": "选项B"},
    {"choices": [*TWO], "answer": "B. blue"},
    {"choices": [*TWO], "answer": "(B) blue"},
    {"choices": [*TWO], "answer": "blue"},
    {"choices": [*TWO], "answer": ["B"]},
    {"choices": [*TWO], "answer": 1},
    {"choices": [*TWO, "3", "1"], "answer": 1},
    {"choices": ["x", *TWO], "answer": "2", "others": [{"choices": ["x", "y"], "answer": "0"}]},
    {"choices": ["x", *TWO], "answer": "3", "others": [{"choices": ["x", "y"], "answer": "1"}]},
    {"choices": ["x", *TWO], "answer": "3.0"},
    {"A": "green", "B": "blue", "answer": "b"},
    {"Question": "Sky?", "A": "green", "B": "blue", "C": None, "Answer": "B"},
    # An object, parallel lists, a list of objects.
    {"options": {"A": "green", "B": "blue"}, "answer": "B"},
    {"options": {"a": "green", "b": "blue"}, "answer": "B"},
    {"options": {"A": "green", "B": "blue"}, "answer": "blue"},
    {"options": {"A": "green", "B": "blue", "C": None}, "answer": "B"},
    {"options": {"1": "green", "2": "blue"}, "answer": "2"},
    {"options": {"B": "blue", "A": "green"}, "answer": "B"},
    {"choices": {"text": [*TWO], "label": ["A", "B"]}, "answerKey": "B"},
    {"choices": {"label": ["A", "B"], "text": [*TWO]}, "answerKey": "b"},
    {"choices": {"text": [*TWO], "label": ["1", "2"]}, "answerKey": "2"},
    {"choices": {"text": [*TWO], "label": ["B", "A"]}, "answerKey": "A"},
    {"choices": {"text": [*TWO]}, "answer": 1},
    {"choices": [{"label": "A", "text": "green"}, {"label": "B", "text": "blue"}], "answer": "B"},
    {"options": [{"key": "A", "value": "green"}, {"key": "B", "value": "blue"}], "answer": "B"},
    # A list or an object in a cell, as JSON and as Python write it.
    {"choices": "['green', 'blue']", "answer": "B"},
    {"choices": '["green", "blue"]', "answer": "B"},
    {"choices": "('green', 'blue')", "answer": None, "refused": "a list of two options"},
    {"choices": '{"text": ["green", "blue"], "label": ["A", "B"]}', "answer": "B"},
    {"choices": "{'A': 'green', 'B': 'blue'}", "answer": "B"},
    # Public sets: MedQA, OpenBookQA, CommonsenseQA, HellaSwag, MMLU-Pro, C-Eval.
    {"options": {"A": "green", "B": "blue"}, "answer": "blue", "answer_idx": "B", "meta_info": "s"},
    {"options": {"A": "green", "B": "blue"}, "answer": "Blue!", "answer_idx": "B"},
    {"question_stem": "Sky?", "choices": {"text": [*TWO], "label": ["A", "B"]}, "answerKey": "B"},
    {"ctx": "Sky?", "endings": [*TWO], "label": "1", "ind": 4},
    {"options": [*TWO], "answer": "B", "answer_index": 1, "category": "x"},
    # Letters before the texts, columns of other names, an empty column before the one that tells.
    {"choices": ["A. green", "B. blue"], "answer": "B"},
    {"choices": ["(A)green", "(B)blue"], "answer": "blue"},
    {"choices": ["A. green", "B. blue"], "answer": "B. blue"},
    {"A": "A、green", "B": "B、blue", "answer": "B"},
    {"choice_a": "green", "choice_b": "blue", "answer": "b"},
    {"option_a": "green", "option_b": "blue", "answer": "option_b"},
    {"opa": "green", "opb": "blue", "answer": "B"},
    {"Ａ": "green", "Ｂ": "blue", "answer": "Ｂ"},
    {"A)": "green", "B)": "blue", "answer": "B"},
    {"A选项": "green", "B选项": "blue", "答案": "B"},
    {"options": [*TWO], "answer": None, "label": "B"},
    {"题目": "天？", "A": "green", "B": "blue", "答案": "B", "explanation": "x"},
]


def write(folder: Path, rows: list[dict[str, Any]], name: str = "x.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("row", BLUE, ids=lambda row: json.dumps(row, ensure_ascii=False))
def test_the_right_option_is_the_second(tmp_path: Path, row: dict[str, Any]) -> None:
    row = dict(row)
    others, refused = row.pop("others", []), row.pop("refused", None)
    rows = [{"question": "Sky?", "id": "it"} | row, *({"question": "q"} | one for one in others)]
    for key in ("question_stem", "ctx", "题目", "Question"):
        if key in row:
            del rows[0]["question"]
    path = write(tmp_path, rows)
    if refused:
        with pytest.raises(InputError, match=refused):
            read_items(path)
        return
    item = read_items(path)[0]
    assert item.answers == ("blue",)
    assert item.choices[item.gold] == "blue"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"choices": [*TWO, "x"], "answer": "1"}],
         ":1: answer: '1'; it may count from 0 or from 1; write the letters of the right options"),
        ([{"A": "green", "B": "blue", "answer": "0"}, {"A": "x", "B": "y", "answer": "2"}],
         ":1: answer: '0'; numbers here fit no one count; write the letters"),
        ([{"A": "1", "B": "2", "answer": "1"}, {"A": "x", "B": "y", "answer": "0"}],
         ":1: answer: '1'; it is an option's text, and line 2 has a position; write letters"),
        ([{"choices": [*TWO], "answer": 2}], ":1: answer: '2'; allowed are A, B or an option's text "
         "or its position from 0"),
        ([{"choices": [*TWO], "answer": "AB"}], ":1: answer: 'AB'; several options are right at once"),
        ([{"choices": [*TWO], "answer": "A, B"}], ":1: answer: 'A, B'; several options are right"),
        ([{"choices": [*TWO], "answer": ["A", "B"]}], "several options are right at once"),
        ([{"choices": [*TWO], "answer": "['A', 'B']"}], "several options are right at once"),
        ([{"choices": [*TWO], "answer": "C"}], ":1: answer: 'C'; allowed are A, B or"),
        ([{"choices": [*TWO], "answer": "C. blue"}], "allowed are A, B or an option's text"),
        ([{"choices": [*TWO], "answer": []}], "allowed are A, B or an option's text"),
        ([{"choices": {"text": [*TWO], "label": ["A"]}, "answer": "A"}],
         "each option needs one label of its own"),
        ([{"choices": {"text": [*TWO], "label": ["A", "A"]}, "answer": "A"}], "one label of its own"),
        ([{"choices": {"text": [*TWO], "label": ["1", "2"]}, "answer": "3"}], "allowed are 1, 2 or"),
        ([{"choices": {"A": "green"}, "answer": "A"}], "two options or more"),
        ([{"choices": "green|blue", "answer": "A"}], "it must be a list of two options or more"),
        ([{"choices": "['green', ", "answer": "A"}], "it must be a list of two options or more"),
        ([{"options": [*TWO], "answer": "A", "answer_idx": "B"}],
         ":1: answer: 'A'; answer_idx tells another option (B)"),
        ([{"choices": "['green' 'blue']", "answer": "B"}], "a list as numpy prints it, without commas"),
        ([{"answer": "['London' 'Paris']"}], "a list as numpy prints it, without commas"),
        ([{"answer": None, "label": "geography"}], ":1: answer: ''; it must be a text"),
        ([{"answer": 1e999}], ":1: answer: 'inf'; it must be a text"),
        ([{"options": [*TWO], "answer": "", "label": "geography"}], "allowed are A, B or"),
        ([{"ending0": "green", "ending1": "blue", "label": "1"}], "'ending0' is an option without a"),
        ([{"data": [{"question": "q", "answer": "5"}]}], "its list 'data' may hold the rows"),
        ([{"option1": "green", "option2": "blue", "answer": "2"}],
         ":1: the column 'option1' is an option without a letter; name the options A, B and so on"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    path = write(tmp_path, [{"question": f"q{k}"} | row for k, row in enumerate(rows)])
    with pytest.raises(InputError) as caught:
        read_items(path)
    assert message in str(caught.value)


def test_positions_in_a_table_count_as_the_whole_file_tells(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for base in (0, 1):
        with path.open("w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(["question", "A", "B", "C", "answer"])
            table.writerows([[f"q{k}", "x", "y", "z", k % 3 + base] for k in range(9)])
        assert [item.gold for item in read_items(path)] == [0, 1, 2] * 3


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (["London", "Greater London"], ("London", "Greater London")),
        ("['London', 'Greater London']", ("London", "Greater London")),
        ('["London", "Greater London"]', ("London", "Greater London")),
        ("[1, 2]", ("[1, 2]",)),
        ([18], ("18",)),
        (18, ("18",)),
        (True, ("True",)),
        ("9 * 2 = 18 <<9*2=18>>\n#### 18", ("18",)),
        ("#### 70,000", ("70,000",)),
        ("So $x = \\boxed{\\frac{1}{2}}$.", ("\\frac{1}{2}",)),
        ("5 km", ("5 km",)),
        ("#1 of all", ("#1 of all",)),
        (1990.0, ("1990",)),
        ([1990.0, "1990 AD"], ("1990", "1990 AD")),
        ({"text": ["London", "london", "London"], "answer_start": [1, 2, 3]}, ("London", "london")),
        ("['It''s' one]", ("['It''s' one]",)),
        ({"value": "London", "aliases": ["London", "Londinium"]}, ("London", "Londinium")),
    ],
)
def test_open_answers(tmp_path: Path, answer: Any, accepted: tuple[str, ...]) -> None:
    (item,) = read_items(write(tmp_path, [{"question": "q", "answer": answer}]))
    assert item.answers == accepted


def test_a_competition_problem_is_answered_by_the_box_of_its_solution(tmp_path: Path) -> None:
    row = {"problem": "1+1?", "level": "1", "type": "x", "solution": "So \\boxed{2}."}
    (item,) = read_items(write(tmp_path, [row]))
    assert item.answers == ("2",)


def test_names_that_pandas_made_numbers_are_whole_again(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,question,answer\n1.0,q,5\n1.5,r,6\n2.0,s,7\n")
    assert [item.name for item in read_items(path)] == ["1", "1.5", "2"]


def test_files_that_were_put_together_keep_a_mark_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = [json.dumps({"question": f"q{k}", "answer": "5"}) for k in range(3)]
    path.write_text("".join(f"\ufeff{line}\n" for line in lines), "utf-8")
    assert len(read_items(path)) == 3
