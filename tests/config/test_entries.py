"""What a model entry may say, and what of it is in the key of the model's answers."""

from pathlib import Path
from typing import Any

import pytest

from arena.config import Config, load_config
from arena.records import BackendKind, Decoding, Model
from arena.records.errors import InputError
from arena.store import Store

SERVED = "use: 'openai:x', base_url: 'http://h/v1'"


def entry(tmp_path: Path, settings: str, use: str = "use: smollm2") -> Model:
    path = tmp_path / "arena.yaml"
    path.write_text(f"models: {{a: {{{use}, {settings}}}}}\n", encoding="utf-8")
    return load_config(path).candidates()["a"]


def test_keys_of_models_that_choose_nothing_new_stay_as_they_were() -> None:
    """The digests were made by the release before these settings were there."""
    assert Model("m", BackendKind.FAKE, "echo").key == "9b227f1a1c0c9f8f96857a3f821a627c"
    how = Decoding(temperature=0.5, top_p=0.9, max_tokens=77, system="Be brief.", seed=3)
    model = Model("m", BackendKind.OPENAI, "x", "main", how)
    assert model.key == "652f5191e9d200cc59e1df4f643d91ad"


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ("top_k: 20", "top_k", 20),
        ("min_p: 0", "min_p", 0.0),
        ("repetition_penalty: 1.1", "repetition_penalty", 1.1),
        ("stop: END", "stop", ("END",)),
        ("stop: [a, b]", "stop", ("a", "b")),
        ("reasoning_effort: high", "reasoning_effort", "high"),
        ("thinking: on", "thinking", True),
        ("thinking: 'off'", "thinking", False),
        ("thinking: 900", "thinking_budget", 900),
        ("max_thinking_tokens: 4000", "max_thinking_tokens", 4000),
        ("chat_template_kwargs: {b: 1, a: [x]}", "chat_template_kwargs", '{"a": ["x"], "b": 1}'),
    ],
)
def test_a_setting_that_changes_what_is_said_is_in_the_key(
    tmp_path: Path, settings: str, field: str, value: Any
) -> None:
    model, plain = entry(tmp_path, settings), entry(tmp_path, "seed: 0")
    assert getattr(model.decoding, field) == value
    assert model.key != plain.key
    store = Store(tmp_path / "arena.db")
    store.put_model(model)
    assert store.models() == [model]


def test_what_a_body_has_beside_is_in_the_key_and_what_a_header_has_is_not(tmp_path: Path) -> None:
    plain = entry(tmp_path, "seed: 0", SERVED)
    body = entry(tmp_path, "extra_body: {thinking: {type: enabled}}", SERVED)
    header = entry(tmp_path, "extra_headers: {X-Title: '${TITLE}'}", SERVED)
    assert body.key != plain.key == header.key
    assert header.extra_headers == (("X-Title", "TITLE"),)
    store = Store(tmp_path / "arena.db")
    store.put_model(header)
    assert store.models()[0].extra_headers == ()


def test_room_for_thinking_is_beside_the_room_for_the_answer(tmp_path: Path) -> None:
    assert entry(tmp_path, "max_tokens: 100").decoding.room == 100
    assert entry(tmp_path, "max_tokens: 100, thinking: 900").decoding.room == 1000
    how = entry(tmp_path, "max_tokens: 100, thinking: 900, max_thinking_tokens: 950").decoding
    assert how.room == 1050


@pytest.mark.parametrize(
    ("settings", "use", "said"),
    [
        ("topk: 1", SERVED, "topk: unknown key, did you mean top_k"),
        ("thinking: maybe", SERVED, "must be on, off, or a number of tokens"),
        ("thinking: 0", SERVED, "must be on, off, or a number of tokens"),
        ("stop: ['']", SERVED, "must not be empty"),
        ("reasoning_effort: 3 high", SERVED, "must be one word"),
        ("extra_body: {temperature: 1}", SERVED, "it is set by the key 'temperature'"),
        ("extra_body: {messages: []}", SERVED, "the arena decides it"),
        ("extra_body: {when: 2025-01-01}", SERVED, "such as a date"),
        ("extra_body: {a: 1}", "use: smollm2", "extra_body is for models on a server"),
        ("extra_headers: {A: '${B}'}", "use: smollm2", "extra_headers is for models on a server"),
        ("extra_headers: {'A b': '${B}'}", SERVED, "no name of a header"),
        ("chat_template_kwargs: {tokenize: false}", SERVED, "'tokenize' cannot be given here"),
        ("thinking: off, max_thinking_tokens: 9", SERVED, "give one of them"),
        ("gpus: 2", SERVED, "gpus is for models that run here or on a cluster"),
        ("gpus: 0", "use: smollm2", "gpus"),
        ("released: soon", SERVED, "must be a day, a month or a year"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    tmp_path: Path, settings: str, use: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        entry(tmp_path, settings, use)
    assert said in str(caught.value)
    assert "arena.yaml:1" in str(caught.value)


def test_a_header_that_is_written_out_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must name a variable of the environment") as caught:
        entry(tmp_path, "extra_headers: {Authorization: hunter2}", SERVED)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("day", ["2025-04-29", "2025-04", "2025"])
def test_a_release_is_a_day_a_month_or_a_year(tmp_path: Path, day: str) -> None:
    assert entry(tmp_path, f"released: {day}").released == day


def test_an_empty_file_has_no_models() -> None:
    assert Config().candidates() == {}


def test_how_many_gpus_a_model_takes_is_no_part_of_what_it_says(tmp_path: Path) -> None:
    one = entry(tmp_path, "max_tokens: 8", "use: vllm:org/name")
    two = entry(tmp_path, "max_tokens: 8, gpus: 2", "use: vllm:org/name")
    assert (one.gpus, two.gpus) == (1, 2)
    assert one.key == two.key


@pytest.mark.parametrize("name", ["meta-llama/Llama-3.1-8B", "SFT-7 (7B)", "通义千问"])
def test_a_model_is_named_as_people_name_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "arena.yaml").write_text(f"models: {{'{name}': 'fake:echo'}}\n", "utf-8")
    (model,) = load_config(tmp_path / "arena.yaml").candidates().values()
    assert model.name == name


@pytest.mark.parametrize("name", ["a,b", "a=b", "a@2", " a", "a  b", "", "n" * 121])
def test_what_is_no_name_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "arena.yaml").write_text(f"models: {{'{name}': 'fake:echo'}}\n", "utf-8")
    with pytest.raises(InputError, match="is no name for a model; a name has up to 120 char"):
        load_config(tmp_path / "arena.yaml").candidates()
