"""Labelled sets as their projects publish them; each row here is written by us in that shape."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

from arena.generation.batch import Control
from arena.judging import load_card
from arena.judging.report_card.labelled import read_labelled
from arena.leaderboard.judge_audit import ask_labelled, audit_labelled
from arena.records.errors import InputError
from arena.store import Store
from tests.conftest import DATASETS

PANDALM = {
    "idx": 0, "motivation_app": "Mail", "cmp_key": "one-7b_two-7b", "instruction": "Shorten this.",
    "input": "A rather long text.", "response1": "A text.", "response2": "Long.",
    "annotator1": 1, "annotator2": 0, "annotator3": 2,
}  # fmt: skip
LLMBAR = {"input": "Name a colour.", "output_1": "Red.", "output_2": "A colour.", "label": 1}
JUDGEBENCH = {
    "pair_id": "p", "original_id": 7, "source": "mmlu-pro-law", "question": "Which one?",
    "response_model": "m", "response_A": "This.", "response_B": "That.", "label": "B>A",
}  # fmt: skip
REWARDBENCH = {
    "prompt": "Say hi.", "chosen": "Hi.", "chosen_model": "m", "rejected": "No.",
    "rejected_model": "n", "subset": "alpacaeval-easy", "id": 0,
}  # fmt: skip
REWARDBENCH_2 = {
    "id": "0", "prompt": "Say hi.", "chosen": ["Hi."], "rejected": ["No.", "Why?", "Later."],
    "num_correct": 1, "num_incorrect": 3, "total_completions": 4, "models": ["m", "n", "n", "o"],
    "subset": "Focus", "additional_metadata": {"category": None},
}  # fmt: skip


def written(folder: Path, *rows: dict[str, object]) -> Path:
    """A list of JSON, as json.dump of Python writes it: what is missing may be NaN there."""
    path = folder / "set.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_pandalm_has_three_people_and_an_input(tmp_path: Path) -> None:
    given = read_labelled(written(tmp_path, PANDALM, PANDALM | {"input": float("nan")}))
    assert given.people == (("A", "tie", "B"),) * 2
    questions = [pair.prompt.turns for pair in given.pairs]
    assert questions == [("Shorten this.\n\nA rather long text.",), ("Shorten this.",)]


@pytest.mark.parametrize(
    ("row", "label", "answers"),
    [
        (LLMBAR, "A", ("Red.", "A colour.")),
        (LLMBAR | {"label": 2}, "B", ("Red.", "A colour.")),
        (LLMBAR | {"label": "2"}, "B", ("Red.", "A colour.")),
        (JUDGEBENCH, "B", ("This.", "That.")),
        (REWARDBENCH, "A", ("Hi.", "No.")),
    ],
)
def test_sets_of_one_label(
    row: dict[str, object], label: str, answers: tuple[str, str], tmp_path: Path
) -> None:
    given = read_labelled(written(tmp_path, row))
    (pair,) = given.pairs
    assert given.people == ((label,),)
    assert (pair.answer_a, pair.answer_b) == answers


@pytest.mark.parametrize("label", [0, 3, 1.5, "0", True, -1])
def test_a_number_that_names_no_answer_is_refused(label: object, tmp_path: Path) -> None:
    """A set that counts from 0 has a 0 somewhere, so none of it is taken the wrong way round."""
    path = written(tmp_path, LLMBAR, LLMBAR | {"label": label})
    with pytest.raises(InputError, match=r"set\.json.*: label: .*allowed are"):
        read_labelled(path)


def test_rewardbench_2_makes_a_pair_of_each_rejected_answer(tmp_path: Path) -> None:
    ties = REWARDBENCH_2 | {"chosen": ["Hi.", "Hello."], "rejected": ["No.", "Why?"]}
    given = read_labelled(written(tmp_path, REWARDBENCH_2, ties))
    assert [(pair.answer_a, pair.answer_b) for pair in given.pairs] == [
        ("Hi.", "No."), ("Hi.", "Why?"), ("Hi.", "Later."),
        ("Hi.", "No."), ("Hi.", "Why?"), ("Hello.", "No."), ("Hello.", "Why?"),
    ]  # fmt: skip
    assert set(given.people) == {("A",)}
    assert len({pair.item for pair in given.pairs}) == 7
    assert [pair.prompt.name for pair in given.pairs] == ["row 1"] * 3 + ["row 2"] * 4


def test_parquet_is_read_the_same(tmp_path: Path) -> None:
    row = {k: v for k, v in REWARDBENCH_2.items() if k != "additional_metadata"}
    write_table(pa.Table.from_pylist([row]), tmp_path / "set.parquet")
    whole = read_labelled(written(tmp_path, REWARDBENCH_2))
    assert read_labelled(tmp_path / "set.parquet") == whole


@pytest.mark.parametrize(
    "wrong",
    [
        REWARDBENCH | {"chosen": None},
        REWARDBENCH | {"rejected": []},
        REWARDBENCH | {"rejected": ["No.", None]},
        REWARDBENCH | {"rejected": [["No."]]},
        PANDALM | {"input": 7},
        PANDALM | {"annotator2": "nobody"},
        PANDALM | {"annotator2": None},
        LLMBAR | {"output_1": ["Red."]},
        {k: v for k, v in PANDALM.items() if k != "response2"},
        {k: v for k, v in LLMBAR.items() if k != "label"},
    ],
)
def test_a_damaged_row_is_named(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"set\.json(: item 1|:1): "):
        read_labelled(written(tmp_path, wrong))


def test_the_people_of_a_set_are_the_ceiling_of_its_judge(
    store: Store, tmp_path: Path, write_card: Callable[..., str]
) -> None:
    """Of three people two and two pairs of two agree; the longer answer is the first."""
    agreed = PANDALM | {"annotator2": 1, "annotator3": 1}
    split = PANDALM | {"annotator2": 1, "annotator3": 2, "instruction": "Shorten that."}
    given = read_labelled(written(tmp_path, agreed, split))
    card = load_card(write_card("j", "fake:longer"), store.home)
    ask_labelled(store, card, given, Control())
    found = dict(audit_labelled(store, card, given).measures())
    assert (found["agreement"].value, found["agreement"].n) == (1.0, 2)
    assert found["human_agreement"].value == pytest.approx((3 + 1) / 6)


def test_the_real_sets_are_read(tmp_path: Path) -> None:
    source = DATASETS / "llmbar_natural.json"
    if not source.exists():
        pytest.skip(f"the real labels are not here: {source}")
    given = read_labelled(source)
    assert len(given.pairs) == 100
    assert set(given.people) == {("A",), ("B",)}
