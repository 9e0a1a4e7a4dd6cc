"""Results by item: inspect's logs, and that the folders of the other tools are recognised."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from arena.interchange.formats import named, recognised
from arena.interchange.formats.inspect import results
from arena.interchange.results import import_results
from arena.records.errors import ArenaError, InputError
from arena.store import Store
from tests.exchange_files import lines, listed

Log = dict[str, Any]


def sample(k: int, value: object, epoch: int = 1, scorer: str = "match") -> Log:
    return {
        "id": k,
        "epoch": epoch,
        "input": [{"id": f"random-{k}-{epoch}", "content": f"Question {k}?", "role": "user"}],
        "target": f"t{k}",
        "messages": [],
        "output": {
            "model": "llama3.1",
            "choices": [{"message": {"content": f"I say {k}", "role": "assistant"}}],
        },
        "scores": {scorer: {"value": value, "answer": "No"}},
        "metadata": {},
    }


def log(samples: list[Log], accuracy: float | None = None, model: str = "openai/gpt-4o") -> Log:
    metrics = {} if accuracy is None else {"accuracy": {"name": "accuracy", "value": accuracy}}
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "run_id": "r",
            "created": "2025-05-12T20:28:26-04:00",
            "task": "popularity",
            "task_version": 3,
            "dataset": {"name": "popularity"},
            "model": model,
            "config": {},
        },
        "results": {"scores": [{"name": "match", "scorer": "match", "metrics": metrics}]},
        "samples": samples,
    }


def write(path: Path, content: Log) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_log_is_outcomes_by_sample(tmp_path: Path, store: Store) -> None:
    samples = [sample(k, value) for k, value in enumerate(("C", "I", "P", "N"))]
    write(tmp_path / "a.json", log(samples, 0.375))
    assert recognised(tmp_path)[0].name == "inspect"
    found = import_results(store, results(tmp_path))
    (one,) = found.sets
    assert (one.model, one.benchmark, one.version) == ("openai/gpt-4o", "popularity", "inspect 3")
    assert one.reported == ("accuracy", 0.375)
    assert one.mean == 0.375
    assert not found.notes
    outcomes = list(store.outcomes.where())
    assert [o.value for o in outcomes] == [1.0, 0.0, 0.5, 0.0]
    assert outcomes[0].text == "I say 0"
    assert [o.marker for o in outcomes] == ["rule", "rule", "rule", "nobody"]
    assert import_results(store, results(tmp_path)).same == 4


def test_a_packed_log_says_the_same(tmp_path: Path, store: Store) -> None:
    content = log([sample(1, "C"), sample(2, 0.25)])
    plain = results(write(tmp_path / "a.json", content))
    with ZipFile(tmp_path / "a.eval", "w", ZIP_DEFLATED) as packed:
        packed.writestr("_journal/start.json", "{}")
        for one in content["samples"]:
            packed.writestr(f"samples/{one['id']}_epoch_1.json", json.dumps(one))
        header = {key: value for key, value in content.items() if key != "samples"}
        packed.writestr("header.json", json.dumps(header))
    (tmp_path / "a.json").unlink()
    assert recognised(tmp_path / "a.eval")[0].name == "inspect"
    assert recognised(tmp_path)[0].name == "inspect"
    assert results(tmp_path / "a.eval") == plain


def test_epochs_of_a_sample_are_one_item(tmp_path: Path) -> None:
    samples = [sample(1, "C"), sample(1, "I", 2), sample(2, True), sample(2, "yes", 2)]
    (one,) = results(write(tmp_path / "a.json", log(samples))).sets
    assert sorted(item.value or 0.0 for item in one.items) == [0.5, 1.0]


def test_scores_that_are_no_numbers_are_left_out(tmp_path: Path, store: Store) -> None:
    samples = [sample(1, {"a": 1}), sample(2, "C")]
    found = results(write(tmp_path / "a.json", log(samples)))
    assert not found.sets
    assert [one.why for one in found.left_out] == ["its scores are no numbers"]
    with pytest.raises(InputError, match="no results by item"):
        import_results(store, found)


def test_a_log_that_was_cut_off_says_so(tmp_path: Path) -> None:
    content = log([sample(1, "C")]) | {"status": "cancelled"}
    found = results(write(tmp_path / "a.json", content))
    assert "its status is 'cancelled'" in found.notes[0]


def change(path: str, value: object) -> Callable[[Log], object]:
    """Sets a value inside a log, by the names that lead to it."""

    def apply(content: Log) -> None:
        *names, last = path.split(".")
        inner: Any = content
        for name in names:
            inner = inner[int(name) if name.isdigit() else name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value

    return apply


DAMAGE: list[tuple[str, Callable[[Log], object]]] = [
    ("no log of inspect; it has no version", change("version", None)),
    ("no log of inspect", change("eval", 5)),
    ("it has no 'model'", change("eval.model", None)),
    ("task: 5; it must be of type str", change("eval.task", 5)),
    ("samples: 5; it must be of type list", change("samples", 5)),
    ("samples: 'x'; it must be of type dict", change("samples", ["x"])),
    ("scores: 5; it must be of type dict", change("samples.0.scores", 5)),
    ("it has no 'value'", change("samples.0.scores.match.value", None)),
    ("is not an object", change("samples.0.scores.match", 5)),
    ("it has no 'id'", change("samples.0.id", None)),
    ("output: 5; it must be of type dict", change("samples.0.output", 5)),
    ("choices: 5; it must be of type list", change("samples.0.output.choices", 5)),
]


@pytest.mark.parametrize(("reason", "damage"), DAMAGE)
def test_a_damaged_log_is_refused(
    reason: str, damage: Callable[[Log], object], tmp_path: Path, store: Store
) -> None:
    content = log([sample(1, "C")])
    damage(content)
    with pytest.raises(InputError, match=reason) as caught:
        import_results(store, results(write(tmp_path / "a.json", content)))
    assert "\n" not in str(caught.value)
    assert store.is_empty()


@pytest.mark.parametrize("keep", [0, 30, 200])
def test_a_damaged_zip_is_refused(keep: int, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.eval", "w") as packed:
        packed.writestr("header.json", json.dumps(log([])))
        packed.writestr("samples/1_epoch_1.json", "{")
    data = (tmp_path / "a.eval").read_bytes()
    (tmp_path / "b.eval").write_bytes(data[:keep])
    for name in ("a", "b"):
        with pytest.raises(ArenaError, match=r"cannot be unpacked|not JSON") as caught:
            results(tmp_path / f"{name}.eval")
        assert "\n" not in str(caught.value)


def test_other_tools_folders_are_recognised(tmp_path: Path) -> None:
    time = "2026-01-02T03-04-05.678901"
    listed(tmp_path / "lm" / "results" / "m" / f"results_{time}.json", [{"results": {}}])
    lines(tmp_path / "lm" / "results" / "m" / f"samples_t_{time}.jsonl", [{"doc_id": 0}])
    report = {"model_name": "m", "dataset_name": "arc", "metrics": []}
    lines(tmp_path / "es" / "reports" / "m" / "arc.json", [report])
    lines(tmp_path / "oc" / "20260101_1" / "predictions" / "m" / "gsm8k.json", [{"0": {}}])
    for folder, name in (("lm", "lm-eval"), ("es", "evalscope"), ("oc", "opencompass")):
        assert recognised(tmp_path / folder)[0].name == name
        assert named(name).results is not None
