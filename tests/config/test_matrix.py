"""An entry that lists values stands for every combination, named by what differs."""

from pathlib import Path

import pytest

from arena.config import Config, load_config
from arena.records.errors import InputError


def read(tmp_path: Path, models: str) -> Config:
    path = tmp_path / "arena.yaml"
    path.write_text(f"models:\n  {models}\n", encoding="utf-8")
    return load_config(path)


def test_every_combination_is_a_model(tmp_path: Path) -> None:
    config = read(tmp_path, "a: {use: smollm2, system: [Be brief., null], temperature: [0, 0.7]}")
    found = {
        name: (model.decoding.system, model.decoding.temperature)
        for name, model in config.candidates().items()
    }
    assert found == {
        "a-system-be-brief-temperature-0": ("Be brief.", 0),
        "a-system-be-brief-temperature-0.7": ("Be brief.", 0.7),
        "a-system-none-temperature-0": (None, 0),
        "a-system-none-temperature-0.7": (None, 0.7),
    }
    assert len({model.key for model in config.candidates().values()}) == 4


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ("thinking: [on, off, 900]", ["a-thinking-on", "a-thinking-off", "a-thinking-900"]),
        ("system: [请简短, 请详细]", ["a-system-请简短", "a-system-请详细"]),
        ("system: ['You are a good cook.', 'You are a good judge.']", ["a-system-1", "a-system-2"]),
        ("system: ['!', '?']", ["a-system-1", "a-system-2"]),
        ("reasoning_effort: [low, high]", ["a-reasoning_effort-low", "a-reasoning_effort-high"]),
        ("temperature: [0.5]", ["a-temperature-0.5"]),
        ("stop: [x, y]", ["a"]),
    ],
)
def test_names_tell_what_differs(tmp_path: Path, settings: str, names: list[str]) -> None:
    config = read(tmp_path, f"a: {{use: smollm2, {settings}}}")
    assert list(config.candidates()) == names


def test_entries_that_list_nothing_stay_as_they_are(tmp_path: Path) -> None:
    assert list(read(tmp_path, "b: smollm2\n  a: {use: smollm2}").candidates()) == ["b", "a"]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ("a: {use: smollm2, temperature: []}", "the list of temperature is empty"),
        ("a: {use: smollm2, temperature: [0, 3]}", "models.a-temperature-3.temperature: 3"),
        (
            "a-temperature-0: smollm2\n  a: {use: smollm2, temperature: [0, 1]}",
            "two models would be named a-temperature-0",
        ),
        ("a: {use: [smollm2, x]}", "models.a"),
    ],
)
def test_what_cannot_be_combined_is_one_sentence(tmp_path: Path, models: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, models)
    assert said in str(caught.value)
    assert "arena.yaml:" in str(caught.value)
    assert "\n" not in str(caught.value)
