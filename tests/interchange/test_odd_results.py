"""Files of other tools with any value in any place: read, or refused in a sentence."""

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.interchange.evalscope import read_evalscope
from arena.interchange.lm_eval_results import read_lm_eval
from arena.interchange.opencompass import read_opencompass
from arena.interchange.results import ToolResults, import_results
from arena.records.errors import ArenaError
from arena.store import Store
from tests.result_files import EVALSCOPE, LM_EVAL, OPENCOMPASS, TIME, write

ODD = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [1],
    ["a"],
    {"a": 1},
    [[]],
    [{}],
    float("nan"),
    10**30,
)
TRIES = 120


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in nested objects and lists."""
    yield before
    if isinstance(value, dict | list):
        for key, held in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(held, (*before, key))


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """The same with `new` at a place."""
    if not place:
        return new
    held = copy.copy(value)
    held[place[0]] = put(held[place[0]], place[1:], new)
    return held


@pytest.mark.parametrize(
    ("files", "read"),
    [(LM_EVAL, read_lm_eval), (EVALSCOPE, read_evalscope), (OPENCOMPASS, read_opencompass)],
    ids=["lm-eval", "evalscope", "opencompass"],
)
def test_any_value_in_any_place(
    store: Store, tmp_path: Path, files: dict[str, Any], read: Callable[[Path], ToolResults]
) -> None:
    write(tmp_path, files)
    assert import_results(store, read(tmp_path)).new == 2
    every = [(name, place, odd) for name in files for place in places(files[name]) for odd in ODD]
    refusals: list[str] = []
    for name, place, odd in random.Random(1).sample(every, TRIES):
        write(tmp_path, files | {name: put(files[name], place, odd)})
        try:
            import_results(store, read(tmp_path))
        except ArenaError as error:
            refusals.append(str(error))
    assert 0 < len(refusals) < TRIES
    assert not any("\n" in text for text in refusals)


def lm_eval_rows(folder: Path, *changed: dict[str, Any]) -> ToolResults:
    """A run of lm-eval whose rows have these fields in place of those of the first row above."""
    first = LM_EVAL[f"m/samples_sums_{TIME}.jsonl"][0]
    rows = [first | {"doc_hash": f"h{k}"} | change for k, change in enumerate(changed)]
    write(folder, LM_EVAL | {f"m/samples_sums_{TIME}.jsonl": rows})
    return read_lm_eval(folder)


def test_a_name_that_several_documents_share_makes_them_not_one_item(tmp_path: Path) -> None:
    """A document's id may be a topic, and a set may hold a document twice."""
    docs = [{"id": 7, "question": "a"}, {"id": 7, "question": "b"}, {"id": 8, "question": "c"}]
    rows = [{"doc": doc, "exact_match": mark} for doc, mark in zip(docs, (1, 0, 1), strict=True)]
    (one,) = lm_eval_rows(tmp_path, *rows).sets
    assert one.mean == pytest.approx(2 / 3)
    assert [item.item.partition("#")[0] for item in one.items] == ["7", "7", "8"]
    assert len({item.item for item in one.items}) == 3
    (fewer,) = lm_eval_rows(tmp_path, rows[0], rows[2]).sets
    assert {item.item for item in fewer.items} <= {item.item for item in one.items}
    twice = [{"doc_hash": "h", "exact_match": 1}, {"doc_hash": "h", "exact_match": 0}]
    (one,) = lm_eval_rows(tmp_path, *twice).sets
    assert [(item.item, item.value) for item in one.items] == [("h", 1), ("h#2", 0)]


def test_the_rotations_of_one_question_are_one_item(tmp_path: Path) -> None:
    doc = {"id": 7, "question": "a"}
    rows = [
        {"doc": doc | {"choices": choices}, "exact_match": mark}
        for choices, mark in ((["x", "y"], 1), (["y", "x"], 0))
    ]
    (one,) = lm_eval_rows(tmp_path, *rows).sets
    assert [(item.item, item.value) for item in one.items] == [("7", 0)]


def test_a_metric_that_only_some_items_have_is_read_of_those(tmp_path: Path) -> None:
    """Also where the first row has it not; and numbers of numpy's are written as texts."""
    plain, hard = {"metrics": ["acc"], "acc": "1.0"}, {"metrics": ["hard"], "hard": "False"}
    found = lm_eval_rows(tmp_path, plain, hard, plain | {"acc": 0})
    assert {one.metric: [item.value for item in one.items] for one in found.sets} == {
        "acc": [1, None, 0],
        "hard": [None, 0, None],
    }


def test_a_run_that_does_not_name_its_model_is_named_by_its_arguments(tmp_path: Path) -> None:
    name = f"m/results_{TIME}.json"
    for config, found in (
        ({"model_args": "pretrained=org/x,dtype=auto"}, "org/x"),
        ({"model_args": {"model": "gpt"}}, "gpt"),
    ):
        write(tmp_path, LM_EVAL | {name: LM_EVAL[name] | {"model_name": "", "config": config}})
        assert [one.model for one in read_lm_eval(tmp_path).sets] == [found]
    write(tmp_path, LM_EVAL | {name: LM_EVAL[name] | {"model_name": ""}})
    with pytest.raises(ArenaError, match="model_name: ''; it must name the model"):
        read_lm_eval(tmp_path)


def test_a_prediction_that_failed_is_an_empty_reply(tmp_path: Path, store: Store) -> None:
    rows = {
        "0": {"origin_prompt": "q", "prediction": None, "gold": "18"},
        "1": {"origin_prompt": "r", "prediction": "18", "gold": "18"},
    }
    write(tmp_path, {"20250101_120000/predictions/m/sums.json": rows})
    (one,) = import_results(store, read_opencompass(tmp_path)).sets
    assert [(item.value, item.why) for item in one.items] == [(0, "the reply is empty"), (1, "")]
