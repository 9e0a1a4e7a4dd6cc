"""Folders of weights that are damaged, incomplete or of another kind: one sentence for each."""

import json
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from arena.backends import Odds, OddsRequest, availability, open_backend
from arena.backends.local.weights import loading as weights
from arena.backends.local.weights.checkpoint import READ_WITH
from arena.config import parse_model
from arena.records.errors import UnavailableError
from tests.backends.local import tiny

Damage = Callable[[Path], None]
WEIGHTS = "model.safetensors"
OWN_MODEL = {
    "model_type": "mystery",
    "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"},
}
READERS = {name.replace("-", "_") for names in READ_WITH.values() for name in names}
HERE = {name for name in READERS if find_spec(name) is not None}
OWN_TOKENIZER = {"tokenizer_class": "Mine", "auto_map": {"AutoTokenizer": ["own.Mine", None]}}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    tiny.model("llama").save_pretrained(folder, max_shard_size="30KB")
    tiny.tokenizer().save_pretrained(folder)
    return folder


def put(name: str, content: str | bytes) -> Damage:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: void((folder / name).write_bytes(data))


def cut(name: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return damage


def change(name: str, **values: Any) -> Damage:
    def damage(folder: Path) -> None:
        found = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(found | values))

    return damage


def remove(*names: str) -> Damage:
    return lambda folder: void([(folder / name).unlink() for name in names])


def only(name: str, content: bytes = b"") -> Damage:
    def damage(folder: Path) -> None:
        for path in folder.iterdir():
            path.unlink()
        (folder / name).write_bytes(content)

    return damage


def instead(name: str, content: bytes) -> Damage:
    """One file of weights in the place of the shards."""

    def damage(folder: Path) -> None:
        for path in folder.glob("model*"):
            path.unlink()
        (folder / name).write_bytes(content)

    return damage


def void(_: object) -> None:
    pass


SHARD = "model-00002-of-00006.safetensors"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut(SHARD, 0.5), f"{SHARD} is damaged or cut off"),
        (cut(SHARD, 0.02), f"{SHARD} is damaged or cut off"),
        (put(SHARD, ""), f"{SHARD} is empty"),
        (put(SHARD, b"\x93" * 5000), f"{SHARD} is damaged"),
        (put(SHARD, "version https://git-lfs.github.com/spec/v1\nsize 3\n"), "git lfs pull"),
        (remove(SHARD), SHARD),
        (put("model.safetensors.index.json", "{"), "model.safetensors.index.json is not JSON"),
        (put("model.safetensors.index.json", "[]"), "index.json has to hold a JSON object"),
        (instead("other.txt", b""), "model.safetensors"),
        (instead(WEIGHTS, b"<html>Not found</html>"), f"{WEIGHTS} is damaged"),
        (instead("pytorch_model.bin", b"\x93" * 5000), ".bin"),
        (instead("pytorch_model.bin", b""), "pytorch_model.bin is empty"),
        (change("config.json", num_hidden_layers=9), "tensors are missing"),
        (change("config.json", vocab_size=50), "of another shape"),
        (change("config.json", hidden_size="wide"), "hidden_size"),
        (change("config.json", num_attention_heads=0), "ZeroDivisionError"),
        (change("config.json", model_type="mystery"), "mystery"),
        (change("config.json", model_type="t5"), "T5Config"),
        (put("config.json", "{"), "config.json is not JSON"),
        (put("config.json", "[]"), "config.json has to hold a JSON object"),
        (put("config.json", b"\xff\xfe\x00"), "config.json is not JSON: it is no text in UTF-8"),
        (put("generation_config.json", '{"eos'), "generation_config.json is not JSON"),
        (put("tokenizer_config.json", ""), "tokenizer_config.json is not JSON"),
        (cut("tokenizer.json", 0.5), "tokenizer.json is not JSON"),
        (put("tokenizer.json", '{"model": 3}'), "the tokenizer of"),
        (remove("tokenizer.json"), "the folder holds no tokenizer"),
        (put("chat_template.jinja", b"\xff\xfe"), "the tokenizer of"),
        (change("config.json", **OWN_MODEL), "Python code that comes with it"),
        (change("tokenizer_config.json", **OWN_TOKENIZER), "Python code that comes with it"),
        (only("readme.md"), "there is no config.json in it"),
        (only("model.gguf"), "name one of them"),
        (only("adapter_model.safetensors"), "name its base model in `use`"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(
    damage: Damage, said: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    damage(folder)
    monkeypatch.setattr(sys, "stdin", None)  # a question on the terminal would fail here
    with pytest.raises(UnavailableError) as caught:
        open_backend(parse_model(f"m={folder}")).start()
    message = str(caught.value)
    assert said in message
    assert str(folder) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("kind", "libraries"),
    [
        ("gptq", "optimum and gptqmodel: pip install optimum gptqmodel;"),
        ("awq", "gptqmodel: pip install gptqmodel;"),
        ("bitsandbytes", "bitsandbytes: pip install bitsandbytes;"),
        ("compressed-tensors", "compressed-tensors: pip install compressed-tensors;"),
        ("torchao", "torchao: pip install torchao;"),
    ],
)
def test_quantised_weights_name_the_library_that_is_missing(
    kind: str, libraries: str, good: Path, tmp_path: Path
) -> None:
    if libraries.partition(":")[0].partition(" ")[0].replace("-", "_") in HERE:
        pytest.skip(f"what reads {kind} is installed here")
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    change("config.json", quantization_config={"quant_method": kind, "bits": 4})(folder)
    model = parse_model(f"m={folder}")
    with pytest.raises(UnavailableError) as caught:
        open_backend(model).start()
    said = f"they are quantised by {kind}, which needs {libraries} vLLM reads"
    assert said in str(caught.value)
    assert said in availability(model).detail


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\x07" * 400, b"<html>"])
def test_a_damaged_gguf_file_is_one_sentence(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(UnavailableError, match="cannot be loaded") as caught:
        open_backend(parse_model(f"m={file}")).start()
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_holds_no_model_is_seen_before_it_is_loaded(tmp_path: Path) -> None:
    state = availability(parse_model(f"m={tmp_path}"))
    assert not state.ready
    assert "no config.json" in state.detail


def test_code_beside_weights_that_transformers_knows_is_left_alone(
    good: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    change("config.json", auto_map={"AutoModelForCausalLM": "own.Model"})(folder)
    put("own.py", "raise SystemExit")(folder)
    (folder / "custom_generate").mkdir()
    put("custom_generate/generate.py", "raise SystemExit")(folder)
    assert type(weights.load(str(folder), None)[1]).__name__ == "LlamaForCausalLM"


def test_memory_that_runs_out_while_loading_is_said(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ready(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(weights, "ready", ready)
    with pytest.raises(UnavailableError, match="do not fit in the memory"):
        open_backend(parse_model(f"m={good}")).start()


def test_a_tokenizer_of_another_model_is_found_out(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(good, folder)
    raw = json.loads((folder / "tokenizer.json").read_text())
    raw["model"]["vocab"]["beyond"] = len(tiny.WORDS) + 5
    (folder / "tokenizer.json").write_text(json.dumps(raw))
    backend = open_backend(parse_model(f"m={folder}"))
    asked = [OddsRequest("beyond", ("A", "B")), OddsRequest("yes", ("A", "B"))]
    found = dict(row for part in backend.odds(asked) for row in part)
    assert isinstance(found[1], Odds)
    assert "do not belong together" in str(found[0])
