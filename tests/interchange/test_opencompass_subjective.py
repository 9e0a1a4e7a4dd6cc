"""A run of OpenCompass whose judge compared answers; its files are written by us."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.formats import recognised
from arena.interchange.opencompass_subjective import read
from arena.records import Preference
from arena.records.errors import InputError
from arena.store import Store
from tests.result_files import MODELS, QUESTIONS, Files, subjective


def results(files: Files) -> dict[str, Any]:
    return next(rows for name, rows in files.items() if "judged" in name)


def test_it_is_recognised_and_twice_is_once(tmp_path: Path, store: Store) -> None:
    path = subjective(tmp_path / "outputs")
    found, _ = recognised(path)
    assert found.name == "opencompass-subjective"
    first = take_in(store, read(path, Hints()))
    assert {kind: count.new for kind, count in first.counts.items() if count.new} == {
        "prompts": 2, "models": 2, "answers": 4, "verdicts": 4,
    }  # fmt: skip
    again = take_in(store, read(path, Hints()))
    assert sum(count.new for count in again.counts.values()) == 0


def test_each_verdict_is_of_its_own_order(tmp_path: Path, store: Store) -> None:
    take_in(store, read(subjective(tmp_path), Hints()))
    models = {answer.key: answer.model for answer in store.answers.where()}
    found = [
        (models[v.first], v.preference, v.judge, v.reason == "") for v in store.verdicts.where()
    ]
    qwen, intern = MODELS
    assert [one[:3] for one in found] == [
        (qwen, Preference.A, "gpt-4o"),
        (qwen, Preference.TIE, "gpt-4o"),
        (intern, Preference.B, "gpt-4o"),
        (intern, Preference.UNPARSED, "gpt-4o"),
    ]
    prompts = {prompt.name: prompt for prompt in store.prompts.where()}
    assert prompts["corebench-1"].turns == (QUESTIONS[1],)
    assert prompts["corebench-0"].category == "knowledge"


@pytest.mark.parametrize(
    ("words", "preference"),
    [
        ("[[A>B]]", Preference.A),
        ("[[A<<B]]", Preference.B),
        ("[[B=A]]", Preference.TIE),
        ("[[C]]", Preference.TIE),
        ("理由……\n选择：B", Preference.B),
        ("Reason.\nChoice: C", Preference.TIE),
        ("[[A]] or [[B]]", Preference.UNPARSED),
        ("A++", Preference.UNPARSED),
        ("", Preference.UNPARSED),
    ],
)
def test_the_forms_of_its_sets_are_read(
    tmp_path: Path, store: Store, words: str, preference: Preference
) -> None:
    path = subjective(tmp_path, lambda files: results(files)["0"].update(prediction=words))
    take_in(store, read(path, Hints()))
    assert next(iter(store.verdicts.where())).preference is preference


def test_parts_of_a_set_are_one(tmp_path: Path, store: Store) -> None:
    take_in(store, read(subjective(tmp_path / "whole"), Hints()))

    def parted(files: Files) -> None:
        for name in list(files):
            rows = files.pop(name)
            for k, row in enumerate(rows.values()):
                files[name.replace(".json", f"_{k}.json")] = {"0": row}

    again = take_in(store, read(subjective(tmp_path / "parts", parted), Hints()))
    assert sum(count.new for count in again.counts.values()) == 0
    assert again.counts["verdicts"].there == 4


def put(**values: Any) -> Callable[[Files], object]:
    return lambda files: results(files)["1"].update(values)


def gold(**values: Any) -> Callable[[Files], object]:
    return lambda files: results(files)["1"]["gold"].update(values)


def answered(**values: Any) -> Callable[[Files], object]:
    return lambda files: files[f"predictions/{MODELS[1]}/corebench.json"]["1"].update(values)


DAMAGE: dict[str, Callable[[Files], object]] = {
    "gold: it names no answer1": put(gold="上"),
    "gold: it names no": put(gold={"capability": "x"}),
    "gold: 7 is no model": gold(answer1=7),
    "gold: None is no model": gold(answer2=None),
    "answer2: .* a model cannot meet itself": gold(answer2=MODELS[0]),
    "predictions/other/corebench.json is not there": gold(answer2="other"),
    r"prediction: \['x'\]; what the judge wrote": put(prediction=["x"]),
    "prediction: None; what the judge wrote": put(prediction=None),
    "predictions/internlm_7b: 5; an answer must be a text": answered(prediction=5),
    "origin_prompt: None; it must be": answered(origin_prompt=None),
    r"origin_prompt: \[\]; it must be": answered(origin_prompt=[]),
    "were asked different questions": answered(origin_prompt="Something else?"),
    "it has no item 1, and 3 items": lambda files: results(files).pop("1"),
}


@pytest.mark.parametrize("said", DAMAGE)
def test_damage_is_named_and_stores_nothing(tmp_path: Path, store: Store, said: str) -> None:
    path = subjective(tmp_path, DAMAGE[said])
    with pytest.raises(InputError, match=said) as error:
        take_in(store, read(path, Hints()))
    assert "\n" not in str(error.value)
    assert not any(store.counts().values())


def test_a_folder_without_a_judge_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder in it is named"):
        list(read(tmp_path, Hints()))
