"""A reward model's numbers: those of a plain pass, whatever is rated beside them."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from arena.backends import Intake, Message, OddsRequest, Request, RewardRequest, Rewards
from arena.backends import open_backend as opened
from arena.backends.local import backend
from arena.backends.local.backend import LocalBackend
from arena.backends.local.weights import loading as weights
from arena.config import parse_model
from arena.records.errors import BackendError, UnavailableError
from tests.backends.local import tiny

Make = Callable[..., LocalBackend]
# One with a scaled window, one with a sliding one, one with state; and Skywork's two.
QUICK = ("llama", "qwen3", "gemma2", "phi3", "jamba")
NO_CLASSIFIER = {
    "cohere2", "granite", "mamba", "mamba2", "falcon_h1", "bamba", "recurrent_gemma", "rwkv",
    "lfm2", "granitemoehybrid", "nemotron_h", "llama4_text", "xglm", "codegen",
}  # fmt: skip
OTHERS = sorted(set(tiny.FAMILIES) - NO_CLASSIFIER - set(QUICK))


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(kind: str, **settings: Any) -> LocalBackend:
        model = tiny.reward_model(kind, **settings)
        loaded = weights.ready_reward(tiny.tokenizer(tiny.CHAT), model)
        monkeypatch.setattr(backend, "loaded", lambda *_: loaded)
        return LocalBackend(parse_model("tiny=./tiny"))

    return make


def words(count: int, seed: int) -> str:
    return " ".join(random.Random(seed).choices(tiny.WORDS[3:], k=count))


def talk(*turns: str) -> tuple[Message, ...]:
    roles = ("user", "assistant") * len(turns)
    return tuple(Message(*both) for both in zip(roles, turns, strict=False))


TALKS = [talk("what is the best answer", words(n, n)) for n in (1, 2, 5, 17, 40, 70)] + [
    talk("say hello", "hello", words(9, 1), words(30, 2))
]  # two turns, rated as a whole


def rated(model: LocalBackend, requests: list[RewardRequest]) -> list[Rewards | BackendError]:
    found = dict(row for result in model.rewards(requests) for row in result)
    return [found[i] for i in range(len(requests))]


def numbers(model: LocalBackend, talks: list[tuple[Message, ...]]) -> list[float]:
    found = rated(model, [RewardRequest((one,)) for one in talks])
    return [value for one in found if isinstance(one, Rewards) for value in one.values]


def plainly(model: LocalBackend, said: tuple[Message, ...]) -> float:
    """As transformers' own documentation would rate one conversation."""
    here = model._here()
    messages = [{"role": m.role, "content": m.content} for m in said]
    ids = here.tokenizer.apply_chat_template(messages, return_tensors="pt", return_dict=False)
    with torch.inference_mode():
        return float(here.model(input_ids=ids).logits[0, 0])


@pytest.mark.parametrize(
    "kind", [*QUICK, *(pytest.param(kind, marks=pytest.mark.slow) for kind in OTHERS)]
)
def test_a_number_is_that_of_a_plain_pass_alone_and_in_a_batch(kind: str, make: Make) -> None:
    model = make(kind)
    together = numbers(model, TALKS)
    assert together == pytest.approx([plainly(model, one) for one in TALKS], abs=1e-4)
    assert together == pytest.approx([numbers(model, [one])[0] for one in TALKS], abs=1e-4)
    assert len({round(value, 2) for value in together}) > len(TALKS) // 2
    assert model._here().rewarder.together  # type: ignore[union-attr]


def test_without_a_padding_token_each_is_read_alone(make: Make) -> None:
    model = make("llama", pad_token_id=None)
    assert not model._here().rewarder.together  # type: ignore[union-attr]
    assert numbers(model, TALKS) == pytest.approx([plainly(model, one) for one in TALKS], abs=1e-5)


def test_the_same_conversation_is_read_once_so_that_equal_answers_tie(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make("qwen3")
    model._rows = 2  # its copies are in several batches
    rewarder, seen = model._here().rewarder, list[Any]()  # type: ignore[union-attr]
    read = rewarder.read
    monkeypatch.setattr(rewarder, "read", lambda rows: [seen.extend(rows), read(rows)][1])
    found = numbers(model, [TALKS[3], *TALKS, TALKS[3], TALKS[0], TALKS[3]])
    assert found[0] == found[4] == found[-1]
    assert len(seen) == len(set(seen)) == len(TALKS)


def test_what_does_not_fit_fails_alone_and_two_answers_are_rated_at_once(make: Make) -> None:
    model = make("llama")
    long = talk("what is the best answer", words(600, 3))
    requests = [RewardRequest((TALKS[0], TALKS[1])), RewardRequest((TALKS[0], long))]
    pair, failed = rated(model, requests)
    assert isinstance(pair, Rewards)
    assert pair.values == pytest.approx(numbers(model, TALKS[:2]), abs=1e-5)
    assert pair.usage.completion_tokens == 0
    assert "do not fit the context" in str(failed)


def test_only_what_is_admitted_is_rated(make: Make) -> None:
    class Odd(Intake):
        def admit(self, positions: Any, worker: str = "") -> list[int]:
            return [i for i in positions if i % 2]

    model = make("llama")
    requests = [RewardRequest((one,)) for one in TALKS]
    found = dict(row for result in model.rewards(requests, Odd()) for row in result)
    assert sorted(found) == [1, 3, 5]


def test_control_tokens_in_an_answer_are_text(make: Make) -> None:
    """Else an answer could end itself, and go on as somebody else."""
    model = make("llama")
    found = model._rated(RewardRequest((talk("say hello", "hello </s> user : yes"),)))
    ends = model._here().tokenizer.eos_token_id
    assert isinstance(found, tuple)
    assert found[0].count(ends) == 2  # one the template's for each message


def test_who_is_asked_for_what_it_is_not_is_told_in_a_sentence(tmp_path: Path) -> None:
    reward, writer = tmp_path / "reward", tmp_path / "writer"
    tiny.save_reward(reward)
    tiny.save(writer, template=tiny.CHAT)
    model = opened(parse_model(f"m={reward}"))
    for ask in (
        lambda: model.odds([OddsRequest("yes", ("A",))]),
        lambda: model.converse([Request(("yes",))]),
    ):
        with pytest.raises(UnavailableError, match=r"is a reward model.*reading: reward"):
            list(ask())
    with pytest.raises(UnavailableError, match="is no reward model: it writes"):
        list(opened(parse_model(f"m={writer}")).rewards([RewardRequest((TALKS[0],))]))


def remade(folder: Path, **config: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))


@pytest.mark.parametrize(
    ("settings", "template", "config", "said"),
    [
        ({"num_labels": 3}, tiny.CHAT, {}, "sort texts into 3 classes"),
        ({}, None, {}, "has no chat template"),
        ({}, tiny.CHAT, {"hidden_size": 16}, "another shape than config.json says"),
        (
            {},
            tiny.CHAT,
            {"architectures": ["InternLM2ForRewardModel"], "model_type": "internlm2"}
            | {"auto_map": {"AutoModel": "own.InternLM2ForRewardModel"}},
            "needs Python code that comes with it, which Arena does not run",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    tmp_path: Path,
    settings: dict[str, Any],
    template: str | None,
    config: dict[str, Any],
    said: str,
) -> None:
    tiny.save_reward(tmp_path, template=template, **settings)
    remade(tmp_path, **config)
    with pytest.raises(UnavailableError, match=said):
        opened(parse_model(f"m={tmp_path}")).start()
