"""What a model says does not depend on what it is asked beside it, whatever it is made of."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from arena.backends import OddsRequest, Request, TextRequest
from arena.backends.local import backend
from arena.backends.local.backend import LocalBackend
from arena.backends.local.reading import TreeRow
from arena.backends.local.weights import loading as weights
from arena.backends.local.writing.trial import Mix
from arena.files.config import parse_model
from arena.records import Decoding
from arena.records.errors import BackendError
from tests.backends.local import tiny

pytestmark = pytest.mark.slow

# Those whose cache cannot go on from a shared beginning, or does it wrongly (Jamba, Bamba).
RECURRENT = {"mamba", "mamba2", "recurrent_gemma", "rwkv", "minimax", "jamba", "bamba"}
SPEC = replace(parse_model("tiny=./tiny"), decoding=Decoding(max_tokens=4))

Make = Callable[..., LocalBackend]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(
        kind: str, decoding: Decoding = SPEC.decoding, *, special: bool = True
    ) -> LocalBackend:
        loaded = weights.ready(tiny.tokenizer(special=special), tiny.model(kind))
        monkeypatch.setattr(backend, "loaded", lambda *_: loaded)
        return LocalBackend(replace(SPEC, decoding=decoding))

    return make


def words(count: int, seed: int) -> str:
    return " ".join(random.Random(seed).choices(tiny.WORDS[3:], k=count))


START = words(40, 0)  # longer than any window of these models
ODDS = [OddsRequest(f"{START} {words(n, n)} answer", ("A", "B")) for n in (1, 3, 20)]
TEXTS = [
    *(TextRequest(f" {words(n, n)}", context) for context in (START, "") for n in (1, 2, 7)),
    TextRequest(" yes no", words(33, 1)),
    TextRequest(" yes maybe", words(60, 2)),
]
TALKS = [Request((words(n, n),), seed=n) for n in (2, 5, 30, 47)] + [Request((words(5, 9),))]


def asked(results: Iterator[Any]) -> list[Any]:
    found = dict(row for result in results for row in result)
    assert not [reply for reply in found.values() if isinstance(reply, BackendError)]
    return [found[i] for i in range(len(found))]


def apart(left: Sequence[float], right: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("kind", tiny.FAMILIES)
def test_alone_and_in_a_batch_are_the_same(kind: str, make: Make) -> None:
    model = make(kind)
    for ask, requests in ((model.odds, ODDS), (model.likelihoods, TEXTS)):
        together = [numbers(reply) for reply in asked(ask(requests))]
        alone = [numbers(asked(ask([request]))[0]) for request in requests]
        assert max(map(apart, together, alone)) < 1e-3
    assert apart(together[0], by_hand(model, TEXTS[0])) < 1e-3
    assert model._loaded().reader.shares is (kind not in RECURRENT)
    for decoding in (SPEC.decoding, Decoding(max_tokens=2, temperature=1.0)):
        model._spec = replace(SPEC, decoding=decoding)
        texts = [reply.turns for reply in asked(model.converse(TALKS))]
        assert texts == [asked(model.converse([talk]))[0].turns for talk in TALKS]
        assert len(set(texts)) > 2


def numbers(reply: Any) -> Sequence[float]:
    return getattr(reply, "logprobs", None) or (reply.logprob,)


def by_hand(model: LocalBackend, request: TextRequest) -> list[float]:
    """As the model itself says, with nothing shared and nothing padded."""
    here = model._loaded()
    context = here.tokenizer.encode(request.context)
    text = here.tokenizer.encode(request.text)
    with torch.inference_mode():
        logits = here.model(input_ids=torch.tensor([context + text])).logits[0]
    odds = torch.log_softmax(logits[len(context) - 1 : -1], -1)
    return [float(odds.gather(1, torch.tensor(text)[:, None]).sum())]


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "mixtral", "jamba", "qwen3_next"])
def test_half_precision_is_no_reason_to_share_less_nor_to_share_wrongly(kind: str) -> None:
    here = weights.ready(tiny.tokenizer(), tiny.model(kind).to(torch.bfloat16))
    recurrent = kind in ("jamba", "qwen3_next")
    assert here.reader.together
    assert here.reader.shares is not recurrent
    assert here.writer.able.mix is (Mix.EVEN if recurrent else Mix.ANY)
    assert here.writer.able.joins is not recurrent


def test_the_window_is_as_it_was_after_the_trial() -> None:
    model = tiny.model("gemma2")
    weights.ready(tiny.tokenizer(), model)
    assert model.config.sliding_window == tiny.WINDOW


def test_a_cache_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.cache_utils import DynamicSlidingWindowLayer

    kept = DynamicSlidingWindowLayer.update

    def forget(self: Any, keys: torch.Tensor, values: torch.Tensor, *more: Any) -> Any:
        found = kept(self, keys, values, *more)
        self.values = torch.zeros_like(self.values)
        return found

    monkeypatch.setattr(DynamicSlidingWindowLayer, "update", forget)
    assert weights.ready(tiny.tokenizer(), tiny.model("llama")).reader.shares
    assert not weights.ready(tiny.tokenizer(), tiny.model("gemma2")).reader.shares


def test_positions_that_are_scaled_by_the_longest_row_are_scaled_for_all_of_a_batch(
    make: Make,
) -> None:
    reader = make("phi3")._loaded().reader
    rows = [TreeRow((5,) * 30 + tuple(range(3, 3 + n))) for n in (2, 40)]
    assert reader.reach == 48
    for row, beside in zip(rows, reader.read(rows), strict=True):
        assert torch.allclose(beside, reader.read([row])[0], atol=1e-3)


def test_what_is_too_much_for_memory_is_halved_until_it_fits(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make("llama")
    here = model._loaded()
    whole = [asked(ask(requests)) for ask, requests in asking(model)]
    forward, sizes = here.model.forward, []

    def small(*given: Any, **named: Any) -> Any:
        sizes.append(len(named["input_ids"]))
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(*given, **named)

    monkeypatch.setattr(here.model, "forward", small)
    halved = [asked(ask(requests)) for ask, requests in asking(model)]
    assert [[r.turns for r in whole[2]], *map(len, whole)] == [
        [r.turns for r in halved[2]],
        *map(len, halved),
    ]
    for before, after in zip(whole[0] + whole[1], halved[0] + halved[1], strict=True):
        assert apart(numbers(before), numbers(after)) < 1e-3
    assert max(sizes) > 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "does not fit in memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "does not fit in memory"),
        (IndexError("index out of range in self"), "the model failed: IndexError: index out of"),
    ],
)
def test_a_row_that_cannot_be_computed_fails_alone(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    model = make("llama")
    here = model._loaded()
    forward, poison = here.model.forward, here.tokenizer.encode("goodbye")[0]

    def touchy(*given: Any, **named: Any) -> Any:
        if (named["input_ids"] == poison).any():
            raise error
        return forward(*given, **named)

    monkeypatch.setattr(here.model, "forward", touchy)
    for ask, requests in asking(model, "goodbye hello"):
        found = dict(row for result in ask(requests) for row in result)
        failed = [i for i, reply in found.items() if isinstance(reply, BackendError)]
        assert failed == [len(requests) - 1]
        assert said in str(found[failed[0]])
        assert len(found) == len(requests)


def asking(model: LocalBackend, more: str = "hello") -> list[tuple[Any, list[Any]]]:
    plain = [words(n, n).replace("goodbye", "yes") for n in (9, 9, 14)]
    return [
        (model.odds, [OddsRequest(text, ("A", "B")) for text in [*plain, more]]),
        (model.likelihoods, [TextRequest(" yes no", text) for text in [*plain, more]]),
        (model.converse, [Request((text,)) for text in [*plain, more]]),
    ]


def test_what_is_not_a_number_is_no_answer(make: Make) -> None:
    model = make("llama")
    with torch.no_grad():
        model._loaded().model.lm_head.weight.fill_(float("nan"))
    for ask, requests in asking(model):
        for result in ask(requests):
            assert all("not numbers" in str(reply) for _, reply in result)


def test_a_penalty_on_repetition_does_not_see_the_padding(make: Make) -> None:
    model = make("llama")
    model._loaded().model.generation_config.repetition_penalty = 5.0
    texts = [reply.turns for reply in asked(model.converse(TALKS))]
    assert texts == [asked(model.converse([talk]))[0].turns for talk in TALKS]
    assert model._loaded().writer.able.mix is Mix.ANY


def test_rows_end_where_they_end(make: Make) -> None:
    model = make("llama", special=False)
    model._loaded().model.generation_config.eos_token_id = None
    assert model._loaded().writer.stops == []
    replies = asked(model.converse(TALKS))
    assert {reply.usage.completion_tokens for reply in replies} == {SPEC.decoding.max_tokens}


@pytest.mark.parametrize("special", [True, False])
def test_a_row_stops_where_a_stop_text_is_whole(make: Make, special: bool) -> None:
    """Whatever the tokenizer is, whatever stands beside the row, and once for all rows."""
    model = make("llama", Decoding(max_tokens=12), special=special)
    asked_for = [replace(talk, verbatim=True) for talk in TALKS]
    whole = [reply.turns[0] for reply in asked(model.converse(asked_for))]
    stop = " ".join(whole[0].split()[3:5])
    cut = asked(model.converse([replace(talk, stop=(stop, "w99")) for talk in asked_for]))
    assert [reply.turns[0] for reply in cut] == [text.split(stop)[0] for text in whole]
    assert cut[0].finish == ("stop",)
    assert cut[0].usage.completion_tokens == 5
    assert {reply.finish for reply, text in zip(cut, whole, strict=True) if stop not in text} == {
        ("length",)
    }


def test_a_special_token_may_be_a_stop_text(make: Make) -> None:
    writer = make("llama")._loaded().writer
    assert writer.ends(("<s>", "yes")) == [1, 2]


def test_what_a_tokenizer_cannot_write_is_no_number(make: Make) -> None:
    model = make("llama", special=False)
    ((_, odds),) = next(model.odds([OddsRequest("say yes", ("A", "Q"))]))
    assert "no token that begins the word 'Q'" in str(odds)
    ((_, reply),) = next(model.converse([Request(("",))]))
    assert "an empty prompt" in str(reply)
    ((_, found),) = next(model.likelihoods([TextRequest("", "say yes")]))
    assert (found.logprob, found.greedy, found.tokens) == (0.0, True, 0)
