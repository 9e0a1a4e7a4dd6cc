"""Data files of one's own: both shapes, every odd but sound form, and what is wrong with others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from arena.benchmarks.items.reading import Item, item_of, read_items
from arena.files.encodings import UTF8
from arena.files.tabular import FORMATS
from arena.records.errors import InputError

CHOICE_CSV = "question,A,B,C,answer\nWhat is 2+2?,3,4,5,B\n"
OPEN_CSV = "question,answer\nWhat is 2+2?,4\n"


def read(folder: Path, name: str, content: str | bytes) -> list[Item]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_items(path)


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_both_shapes_are_the_same_items_in_both_formats(tmp_path: Path) -> None:
    row = {"question": "What is 2+2?", "answer": "B", "A": "3", "B": "4", "C": "5"}
    choice = [Item("1", "What is 2+2?", ("4",), ("3", "4", "5"))]
    assert read(tmp_path, "x.csv", CHOICE_CSV) == choice
    assert read(tmp_path, "x.jsonl", lines(row)) == choice
    plain = [Item("1", "What is 2+2?", ("4",))]
    assert read(tmp_path, "y.csv", OPEN_CSV) == plain
    assert read(tmp_path, "y.jsonl", lines({"question": "What is 2+2?", "answer": 4})) == plain


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_chinese_columns_with_and_without_a_byte_order_mark(
    tmp_path: Path, mark: bytes, end: str
) -> None:
    text = f"编号,题目,选项A,选项B,答案{end}甲,二加二等于几？,三,四,Ｂ{end}"
    (item,) = read(tmp_path, "x.csv", mark + text.encode())
    assert item == Item("甲", "二加二等于几？", ("四",), ("三", "四"), "zh")
    row = {"问题": "二加二等于几？", "答案": "四", "选项": ["三", "四"], "编号": "甲"}
    assert read(tmp_path, "x.jsonl", mark + lines(row).encode()) == [item]


def test_a_quoted_text_may_hold_newlines_commas_and_quotes(tmp_path: Path) -> None:
    text = 'question,answer\n"Two\nlines, with a ""quote""",yes\n\nNext,no\n'
    first, second = read(tmp_path, "x.csv", text)
    assert first.question == 'Two\nlines, with a "quote"'
    assert second == Item("2", "Next", ("no",))


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("B", "four"),
        ("b", "four"),
        ("(B)", "four"),
        ("B.", "four"),
        ("Ｂ", "four"),
        ("（Ｂ）", "four"),
        ("four", "four"),
        (0, "three"),
        (1, "four"),
    ],
)
def test_the_right_option_by_letter_text_or_position(
    tmp_path: Path, answer: object, right: str
) -> None:
    row = {"question": "2+2?", "options": ["three", "four"], "answer": answer}
    (item,) = read(tmp_path, "x.jsonl", lines(row))
    assert item.answers == (right,)
    assert item.choices[item.gold] == right


def test_some_rows_have_fewer_options(tmp_path: Path) -> None:
    text = "question,A,B,C,D,answer\none,a,b,,,A\ntwo,a,b,c,d,D\nthree,a,b,c,,C\n"
    assert [len(item.choices) for item in read(tmp_path, "x.csv", text)] == [2, 4, 3]
    rows = [
        {"question": "one", "A": "a", "B": "b", "C": None, "answer": "A"},
        {"question": "two", "A": "a", "B": "b", "C": "c", "answer": "C"},
        {"question": "three", "A": "a", "B": "b", "answer": "B"},
    ]
    assert [len(item.choices) for item in read(tmp_path, "x.jsonl", lines(*rows))] == [2, 3, 2]


def test_open_answers_may_be_several_and_a_question_may_be_reworded(tmp_path: Path) -> None:
    row = {"prompt": "Capital?", "answers": ["Paris", "Lutetia "], "reworded": "Which city?"}
    (item,) = read(tmp_path, "x.jsonl", lines(row))
    assert item == Item("1", "Capital?", ("Paris", "Lutetia"), reworded="Which city?")


def test_empty_lines_and_a_suffix_in_capitals_are_no_matter(tmp_path: Path) -> None:
    assert read(tmp_path, "X.CSV", f"\n{OPEN_CSV}\n") == read(tmp_path, "x.csv", OPEN_CSV)


def test_a_language_is_one_that_there_are_templates_for(tmp_path: Path) -> None:
    text = "question,answer,language\nx,y,zh-CN\nx,y,EN\n二加二？,四,中文\nDeux et deux ?,4,fr\n"
    assert [item.language for item in read(tmp_path, "x.csv", text)] == ["zh", "en", "zh", "en"]


def test_json_that_is_too_deep_is_one_sentence(tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(InputError, match=r"deep\.jsonl:1: not JSON: it is nested too deeply"):
        read(tmp_path, "deep.jsonl", f'{{"question": {deep}}}')


def test_other_columns_are_of_no_concern(tmp_path: Path) -> None:
    text = "question,answer,source,difficulty\nCapital of France?,Paris,me,3\n"
    assert read(tmp_path, "x.csv", text) == [Item("1", "Capital of France?", ("Paris",))]


def test_rows_of_others_are_items_where_their_shape_is_known() -> None:
    known = {"question": "2+2?", "choices": ["3", "4"], "answer": 1}
    assert item_of(known, "task") == Item("1", "2+2?", ("4",), ("3", "4"))
    assert item_of({"goal": "2+2?", "sol1": "3", "sol2": "4", "label": 1}, "task") is None


def test_rotations_move_every_option_and_keep_the_right_one() -> None:
    item = Item("x", "q", ("b",), ("a", "b", "c"))
    assert [item.rotated(k).choices for k in range(3)] == [
        ("a", "b", "c"),
        ("c", "a", "b"),
        ("b", "c", "a"),
    ]
    assert [item.rotated(k).gold for k in range(3)] == [1, 2, 0]


SHAPES = (
    "question, A, B, …, answer (multiple choice: 问题, A, B, …, 答案) "
    "or question, answer (问题, 答案)"
)
QUESTION = "question or prompt or input or problem or question_stem or ctx or 问题 or 题目 or 题干"
ANSWER = (
    "answer or answers or target or gold or label or answerkey or answer_idx or answer_index or "
    "答案 or 正确答案 or 参考答案"
)
AMBIGUOUS = "it is one option's letter and another's text; write its letter as (A)"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", "", f": no rows in it; it needs the columns {SHAPES}"),
        ("header.csv", "question,answer\n", f": no rows in it; it needs the columns {SHAPES}"),
        ("empty.jsonl", "\n\n", f": no rows in it; it needs the columns {SHAPES}"),
        (
            "fields.csv",
            OPEN_CSV + "One, two or three?,2\n",
            ":3: 3 values, and the header has 2 names; a text with a comma in it needs quotes",
        ),
        (
            "short.csv",
            CHOICE_CSV + "Which?,a,b\n",
            ":3: 3 values, and the header has 5 names; a text with a comma in it needs quotes",
        ),
        (
            "quote.csv",
            OPEN_CSV + '"What is,4\nWhat else?,5\n',
            ":3: not CSV: unexpected end of data; is a quote open?",
        ),
        (
            "quoted.csv",
            OPEN_CSV + '"A "word" of it",4\n',
            ":3: not CSV: ',' expected after '\"'; is a quote open?",
        ),
        (
            "latin.csv",
            "question,answer\nCafé or thé?,thé\n".encode("latin-1"),
            f":2: not UTF-8; {UTF8}",
        ),
        (
            "late.jsonl",
            lines({"question": "x", "answer": "y"}).encode() + '{"question": "二"}'.encode("gbk"),
            f":2: not UTF-8; {UTF8}",
        ),
        (
            "noanswer.csv",
            "question,solution\nWhat is 2+2?,4\n",
            f":1: no column for the answer ({ANSWER}); it has question, solution. "
            f"Allowed are {SHAPES}",
        ),
        (
            "noquestion.jsonl",
            lines({"text": "x", "answer": "y"}),
            f":1: no column for the question ({QUESTION}); it has text, answer. "
            f"Allowed are {SHAPES}",
        ),
        (
            "gap.csv",
            "question,A,B,D,answer\nx,1,2,3,A\n",
            ":1: the options are the columns A, B, D; they must be A, B and so on, without a gap, "
            "and at least two",
        ),
        (
            "single.csv",
            "question,A,answer\nx,1,A\n",
            ":1: the options are the columns A; they must be A, B and so on, without a gap, "
            "and at least two",
        ),
        (
            "hole.csv",
            CHOICE_CSV + "x,1,,3,A\n",
            ":3: B: ''; an option before the last one is empty",
        ),
        ("one.csv", CHOICE_CSV + "x,1,,,A\n", ":3: B: ''; a question needs at least two options"),
        ("same.csv", CHOICE_CSV + "x,1,2,1,A\n", ":3: C: '1'; two options are the same"),
        (
            "outside.csv",
            CHOICE_CSV + "x,1,2,3,D\n",
            ":3: answer: 'D'; allowed are A, B, C or an option's text",
        ),
        (
            "fewer.csv",
            CHOICE_CSV + "x,1,2,,C\n",
            ":3: answer: 'C'; allowed are A, B or an option's text",
        ),
        (
            "position.jsonl",
            lines({"question": "x", "choices": ["1", "2"], "answer": 7}),
            ":1: answer: '7'; allowed are A, B or an option's text or its position from 0",
        ),
        (
            "both.csv",
            "question,A,B,answer\nWhich?,B,A,A\n",
            f":2: answer: 'A'; {AMBIGUOUS}",
        ),
        (
            "twice.csv",
            "id,question,answer\nx1,a,b\nx2,c,d\nx1,e,f\n",
            ":4: id: 'x1'; line 2 has it too",
        ),
        (
            "column.csv",
            "question,Answer,answer\nx,y,z\n",
            ":1: the column 'answer' is there twice",
        ),
        ("blank.csv", OPEN_CSV + "  ,4\n", ":3: question: '  '; it must be a text"),
        (
            "null.jsonl",
            lines({"question": "x", "answer": None}),
            ":1: answer: ''; it must be a text",
        ),
        (
            "object.jsonl",
            lines({"question": "x", "answer": {"text": "y"}}),
            ":1: answer: \"{'text': 'y'}\"; it must be a text",
        ),
        (
            "json.jsonl",
            lines({"question": "x", "answer": "y"}) + '{"question": "x", "answer": }\n',
            ":2: not JSON: Expecting value",
        ),
        (
            "array.jsonl",
            '[["x", "y"]]\n',
            """:1: '["x", "y"]' is not an object""",
        ),
        (
            "list.jsonl",
            lines({"question": "x", "choices": "1, 2", "answer": "A"}),
            ":1: choices: '1, 2'; it must be a list of two options or more",
        ),
        (
            "mixed.jsonl",
            lines(
                {"question": "x", "answer": "y"},
                {"question": "x", "A": "1", "B": "2", "answer": "A"},
            ),
            ":2: it has options, and the first row has none",
        ),
        (
            "other.jsonl",
            lines(
                {"question": "x", "A": "1", "B": "2", "answer": "A"},
                {"question": "x", "answer": "y"},
            ),
            ":2: it has no options, and the first row has some",
        ),
        (
            "half.jsonl",
            '{"question": "x\\ud83d", "answer": "y"}\n',
            ":1: half a character (a \\ud8… without its other)",
        ),
        (
            "digits.jsonl",
            f'{{"question": "x", "answer": 1{"0" * 4300}}}\n',
            ":1: not JSON: a number has too many digits",
        ),
        (
            "many.jsonl",
            lines({"question": "x", "choices": [*range(27)], "answer": 0}),
            ":1: choices: '27'; there are letters for 26 options",
        ),
        (
            "slashes.csv",
            "question/answer\nx/y\n",
            f":1: no column for the question ({QUESTION}); it has question/answer; commas part the "
            f"columns. Allowed are {SHAPES}",
        ),
        ("data.doc", OPEN_CSV, f": not one of the formats {', '.join(FORMATS)}"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, name, content)
    assert str(caught.value) == f"{tmp_path / name}{message}"


def test_the_line_that_is_not_utf8_is_found_far_into_a_file(tmp_path: Path) -> None:
    rows = b"".join(f"Question {k} of many?,yes\n".encode() for k in range(2000))
    with pytest.raises(InputError, match=r"far\.csv:2002: not UTF-8"):
        read(tmp_path, "far.csv", b"question,answer\n" + rows + "二加二？,四\n".encode("gb18030"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv: no such file"):
        read_items(tmp_path / "absent.csv")


MEASURE = """
import gc, sys, tracemalloc
from pathlib import Path
from arena.benchmarks.items.asking import Asking
from arena.benchmarks.items.reading import read_items
from arena.benchmarks.items.tasks import item_benchmark

warm = item_benchmark("warm", "1", read_items(Path(sys.argv[2])), Asking())  # imports lm-eval
tracemalloc.start()
items = read_items(Path(sys.argv[1]))
gc.collect()
held, reading = tracemalloc.get_traced_memory()
tracemalloc.reset_peak()
benchmark = item_benchmark("big", "1", items, Asking())
assert len(benchmark.task.eval_docs) == len(items)
print(len(items), held, reading, tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["big.csv", "big.jsonl"])
def test_100_000_rows_are_held_once(tmp_path: Path, name: str) -> None:
    """What is held while reading, and for the benchmark, beside one copy of the items."""
    pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")
    small = tmp_path / f"small{Path(name).suffix}"
    for path, count in ((tmp_path / name, 100_000), (small, 2)):
        rows = [
            {"question": f"Question {k}: " + "word " * 40, "A": f"{k}", "B": "none", "answer": "A"}
            for k in range(count)
        ]
        csv = ["question,A,B,answer", *(",".join(row.values()) for row in rows)]
        path.write_text("\n".join(csv) if name.endswith("csv") else lines(*rows))
    command = [sys.executable, "-c", MEASURE, str(tmp_path / name), str(small)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, held, reading, asking = map(int, done.stdout.split())
    assert count == 100_000
    assert reading < 1.5 * held
    assert asking < 1.2 * held
