"""LoRA adapters: as peft itself merges them, alone and in a batch; what is wrong with some."""

import copy
import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from arena.backends import Request, availability, open_backend, release
from arena.backends.cluster.worker import Did, Ended, Wants, Worker
from arena.backends.local.weights import adapters, loading
from arena.backends.serving import as_served, command
from arena.config import parse_model
from arena.config.entries import ModelSettings
from arena.records import Decoding, Model, ServerProgram
from arena.records.errors import InputError, UnavailableError
from tests.backends.local import tiny

peft = pytest.importorskip("peft", reason=adapters.INSTALL)
TOKENS = torch.tensor([[3, 9, 20, 41, 7, 66]])
GREEDY = Decoding(max_tokens=12)
ASKED = [Request((f"what is w{k} " + "and w7 " * k,), seed=k) for k in range(6)]
Logits = torch.Tensor


def lora(folder: Path, base: Any, seed: int = 1, **settings: Any) -> Logits:
    """Save an adapter of random numbers; the logits of the base with it merged in by peft."""
    torch.manual_seed(seed)
    settings = {"r": 4, "target_modules": ["q_proj", "v_proj", "down_proj"]} | settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft asks transformers in a way that it has given up
        config = peft.LoraConfig(init_lora_weights=False, **settings)
        made = peft.get_peft_model(copy.deepcopy(base), config)
        made.save_pretrained(folder)
        with torch.no_grad():
            logits: Logits = made.merge_and_unload().eval()(TOKENS).logits
    return logits


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, and two adapters of it."""
    folder = tmp_path_factory.mktemp("adapters")
    tiny.save(folder / "base")
    for number, name in enumerate(("one", "two")):
        lora(folder / name, tiny.model(), number)
    return folder


@pytest.fixture(autouse=True)
def _released() -> Iterator[None]:
    yield
    release()


def named(place: Path, adapter: str | None) -> Model:
    model = replace(parse_model(f"m={place / 'base'}"), decoding=GREEDY)
    return replace(model, adapter=adapter and str(place / adapter))


def logits(place: Path, adapter: str | None) -> Logits:
    found = loading.loaded(str(place / "base"), None, adapter and str(place / adapter))
    with torch.no_grad():
        said: Logits = found.model(TOKENS).logits
    return said


def texts(model: Model, requests: list[Request]) -> list[str]:
    with open_backend(model) as backend:
        found = {i: reply.turns[0] for part in backend.converse(requests) for i, reply in part}
    return [found[i] for i in range(len(requests))]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_dora": True},
        {"use_rslora": True, "rank_pattern": {"q_proj": 2}},
        {"modules_to_save": ["lm_head"]},
        {"target_modules": "all-linear", "bias": "lora_only"},
    ],
)
def test_logits_are_those_of_pefts_own_merge(
    settings: dict[str, Any], place: Path, tmp_path: Path
) -> None:
    base = tiny.model()
    expected = lora(tmp_path / "a", base, **settings)
    found = loading.loaded(str(place / "base"), None, str(tmp_path / "a"))
    with torch.no_grad():
        said = found.model(TOKENS).logits
        assert (base(TOKENS).logits - expected).abs().max() > 0.1
    torch.testing.assert_close(said, expected, atol=2e-5, rtol=1e-4)


def test_adapters_share_the_tensors_of_a_base_that_stays_as_it_is(place: Path) -> None:
    alone = logits(place, None)
    one, two = logits(place, "one"), logits(place, "two")
    assert (one - two).abs().max() > 0.1
    assert torch.equal(logits(place, None), alone)
    assert torch.equal(logits(place, "one"), one)
    where = [
        {p.data_ptr() for p in loading.loaded(str(place / "base"), None, a).model.parameters()}
        for a in (None, str(place / "one"), str(place / "two"))
    ]
    assert where[0] < where[1]
    assert where[1] & where[2] == where[0]
    assert loading.is_loaded(str(place / "base"), None, str(place / "two"))
    release()
    assert not loading.is_loaded(str(place / "base"), None, str(place / "two"))


def test_greedy_texts_alone_are_those_in_a_batch(place: Path) -> None:
    model = named(place, "one")
    together = texts(model, ASKED)
    assert together == [texts(model, [request])[0] for request in ASKED]
    assert together != texts(named(place, None), ASKED)


def test_a_reward_model_takes_one_too(tmp_path: Path) -> None:
    tiny.save_reward(tmp_path / "base")
    merged = lora(tmp_path / "one", tiny.reward_model())
    found = loading.loaded(str(tmp_path / "base"), None, str(tmp_path / "one"))
    rewarder = loading.reward_model_of("base", found).rewarder
    assert rewarder.read([tuple(TOKENS[0].tolist())]) == [pytest.approx(float(merged), abs=1e-5)]
    plain = loading.loaded(str(tmp_path / "base"), None).model(TOKENS).logits
    assert abs(float(plain) - float(merged)) > 1e-3


def test_a_worker_of_a_cluster_writes_with_it_as_this_process_does(place: Path) -> None:
    model = named(place, "one")
    worker, found = Worker(), {}
    said = worker.begin(model, "converse", ASKED)
    while not isinstance(said, Ended):
        if isinstance(said, Did):
            found |= {i: reply.turns[0] for i, reply in said.results}
        said = worker.go_on(said.positions if isinstance(said, Wants) else None)
    assert [found[i] for i in range(len(ASKED))] == texts(model, ASKED)


def test_an_adapter_makes_another_model_and_none_leaves_keys_as_they_were(place: Path) -> None:
    plain, one, two = (named(place, adapter) for adapter in (None, "one", "two"))
    assert len({plain.key, one.key, two.key}) == 3
    # As it was before there were adapters.
    assert parse_model("smollm2").key == "bfd82b8cf1a00664ab90ca008803c3fe"


def broken(change: Callable[[Path, dict[str, Any]], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        shutil.copytree(folder.parent / "one", folder)
        settings = json.loads((folder / adapters.CONFIG).read_text())
        change(folder, settings)

    return damage


def rewrite(**values: Any) -> Callable[[Path], None]:
    return broken(lambda f, said: void((f / adapters.CONFIG).write_text(json.dumps(said | values))))


def other(kind: str, **settings: Any) -> Callable[[Path], None]:
    targets = {"gpt2": ["c_attn"]}.get(kind, ["q_proj", "down_proj"])
    sizes = {"fan_in_fan_out": True} if kind == "gpt2" else {}
    return lambda folder: void(
        lora(folder, tiny.model(kind, **settings), target_modules=targets, **sizes)
    )


def void(_: object) -> None:
    return None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "there is no adapter_config.json in it"),
        (broken(lambda f, _: (f / adapters.FILES[0]).unlink()), "there is no adapter_model.saf"),
        (broken(lambda f, _: void((f / adapters.FILES[0]).write_bytes(b"x" * 99))), "damaged"),
        (broken(lambda f, _: void((f / adapters.CONFIG).write_text("{"))), "is not JSON"),
        (rewrite(peft_type="PROMPT_TUNING"), "of the kind PROMPT_TUNING, and only LoRA"),
        (rewrite(alora_invocation_tokens=[1]), "of the kind aLoRA"),
        (rewrite(r=8), "another shape"),
        (other("qwen3", intermediate_size=64), "another shape"),
        (other("llama", num_hidden_layers=6), "too many"),
        (other("llama", num_hidden_layers=2), "are missing"),
        (other("gpt2"), "c_attn"),
    ],
)
def test_what_is_wrong_with_an_adapter_is_one_sentence_and_the_base_stays(
    damage: Callable[[Path], None], said: str, place: Path, request: pytest.FixtureRequest
) -> None:
    folder = place / f"broken-{request.node.callspec.indices['damage']}"
    damage(folder)
    before = logits(place, None)
    with pytest.raises(UnavailableError) as caught:
        open_backend(named(place, folder.name)).start()
    message = str(caught.value)
    assert said in message
    assert str(folder) in message
    assert "\n" not in message
    assert torch.equal(logits(place, None), before)


def test_an_adapter_for_another_model_names_that_one(place: Path, tmp_path: Path) -> None:
    base = tiny.model("llama", intermediate_size=64)
    base.name_or_path = "some/base"
    lora(tmp_path / "a", base)
    with pytest.raises(UnavailableError, match="says that it is for 'some/base'"):
        loading.loaded(str(place / "base"), None, str(tmp_path / "a"))


def test_a_reward_model_takes_one_with_a_head_of_its_own(tmp_path: Path) -> None:
    base = tiny.reward_model()
    tiny.save_reward(tmp_path / "base")
    expected = lora(tmp_path / "a", base, task_type="SEQ_CLS", modules_to_save=["score"])
    found = loading.loaded(str(tmp_path / "base"), None, str(tmp_path / "a"))
    with torch.no_grad():
        torch.testing.assert_close(found.model(TOKENS).logits, expected, atol=2e-5, rtol=1e-4)
        assert (base(TOKENS).logits - expected).abs().max() > 0.01


def test_an_adapter_of_the_hub_is_that_of_its_revision_in_the_cache(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "models--me--lora" / "snapshots" / ("a" * 40)
    shutil.copytree(place / "one", snapshot)
    (tmp_path / "models--me--lora" / "refs").mkdir()
    (tmp_path / "models--me--lora" / "refs" / "v2").write_text("a" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = loading.loaded(str(place / "base"), None, "me/lora@v2")
    with torch.no_grad():
        assert torch.equal(found.model(TOKENS).logits, logits(place, "one"))
    with pytest.raises(UnavailableError, match="the adapter 'me/lora' cannot be put on ") as caught:
        loading.loaded(str(place / "base"), None, "me/lora")
    assert "\n" not in str(caught.value)


def test_an_adapter_that_is_named_as_weights_says_where_it_goes(place: Path) -> None:
    state = availability(parse_model(f"m={place / 'one'}"))
    assert not state.ready
    assert "name its base model in `use` and this folder in `adapter`" in state.detail


def test_without_peft_it_says_how_to_install_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert availability(named(place, "one")).ready
    monkeypatch.setattr(adapters, "find_spec", lambda _: None)
    for found in (str(availability(named(place, "one")).detail), refused(named(place, "one"))):
        assert "it needs peft, which is not installed: pip install 'arena-llm[adapters]'" in found


def refused(model: Model) -> str:
    with pytest.raises(UnavailableError) as caught:
        open_backend(model).start()
    return str(caught.value)


def test_an_entry_takes_a_folder_or_a_name_of_the_hub_and_servers_take_none(place: Path) -> None:
    def model(**entry: Any) -> Model:
        return ModelSettings(**entry).model("m")

    assert model(use=str(place / "base"), adapter=str(place / "one")).adapter == str(place / "one")
    assert model(use="vllm:a/b", adapter="hf:me/lora@v2").adapter == "me/lora@v2"
    with pytest.raises(InputError, match=r"neither hf:ORG/NAME nor a folder, such as ./me/lora"):
        model(use="hf:a/b", adapter="me/lora")
    with pytest.raises(InputError, match="adapter is for weights that are loaded here"):
        model(use="openai:x", adapter="./one")


def test_vllm_is_served_with_it_under_its_name_and_other_servers_refuse_it(place: Path) -> None:
    model = as_served(named(place, "one"))
    words = command(ServerProgram.VLLM, model, 8000)
    assert words[words.index("--enable-lora") :][:3] == ["--enable-lora", "--max-lora-rank", "8"]
    told = json.loads(words[words.index("--lora-modules") + 1])
    assert told == {"name": model.asked_as, "path": str(place / "one")}
    for program in set(ServerProgram) - {ServerProgram.VLLM}:
        with pytest.raises(UnavailableError, match=f"--serve {program}: it is not started with ad"):
            command(program, model, 8000)


def test_vllm_has_room_for_the_largest_rank_of_an_adapter(place: Path, tmp_path: Path) -> None:
    lora(tmp_path / "a", tiny.model(), rank_pattern={"q_proj": 20})
    assert [adapters.room_for(folder) for folder in (place / "one", tmp_path / "a")] == [8, 32]
