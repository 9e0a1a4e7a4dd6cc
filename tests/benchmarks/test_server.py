"""Benchmarks over an OpenAI-compatible server, beside the same model in this process."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from aiohttp import web

from arena.backends import Message, Request, open_backend
from arena.backends.local.weights.loading import load
from arena.benchmarks import Asking, Benchmark, ItemMode, Measured, bench, find_benchmarks
from arena.config import parse_model
from arena.records import Decoding, Model
from arena.records.errors import InputError
from arena.store import Store
from tests.servers import Token, fault, serve, text_completion

pytestmark = pytest.mark.slow

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")


def spell(prompt: str, part: str = "") -> list[Token]:
    """The tokens of a text as smollm2 finds them, without what comes after it.

    part: how a token is shown that is not the last of those that make up a character.
    """
    tokenizer, weights = load("smollm2", None)
    found = tokenizer(prompt, return_offsets_mapping=True)
    ids, spans = found["input_ids"], found["offset_mapping"]
    with torch.inference_mode():
        logits = weights(torch.tensor([ids])).logits[0].float().log_softmax(-1)
    starts = [at for at, _ in spans[1:]] + [len(prompt)]
    shown = [
        prompt[at:until] if following >= until else part
        for (at, until), following in zip(spans, starts, strict=True)
    ]
    tokens: list[Token] = [(shown[0], None, None)]
    for row, token, text in zip(logits[:-1], ids[1:], shown[1:], strict=True):
        top = {tokenizer.decode([int(row.argmax())]): float(row.max())}
        tokens.append((text, float(row[token]), top))
    return tokens


def echo(body: dict[str, Any]) -> web.Response:
    """Echoes a prompt with its log-probabilities, a token before and one more, as servers do."""
    assert (body["echo"], body["max_tokens"]) == (True, 1)
    start: Token = ("<s>", None, None)
    more: Token = ("!", -1.0, {"!": -1.0})
    prompt = body["prompt"]
    return web.json_response(text_completion(prompt + "!", [start, *spell(prompt), more]))


def drifts(body: dict[str, Any]) -> web.Response:
    """As `echo`, by a server that counts each part of a character as one."""
    prompt = body["prompt"]
    return web.json_response(text_completion(prompt + "!", spell(prompt, "\ufffd")))


def write(body: dict[str, Any]) -> str:
    """What smollm2 writes in this process, to messages or to a text as it stands."""
    decoding = Decoding(temperature=body["temperature"], max_tokens=body["max_tokens"])
    before: tuple[Message, ...] = ()
    last = body.get("prompt")
    if last is None:
        *earlier, final = body["messages"]
        before = tuple(Message(m["role"], m["content"]) for m in earlier)
        last = final["content"]
    request = Request(
        (last,),
        before=before,
        plain="prompt" in body,
        stop=tuple(body.get("stop", ())),
        verbatim=True,
    )
    with open_backend(replace(parse_model("smollm2"), decoding=decoding)) as backend:
        ((_, reply),) = next(iter(backend.converse([request])))
    assert not isinstance(reply, Exception)
    return str(reply.turns[0])


def one(store: Store, name: str, **asked: Any) -> Benchmark:
    (benchmark,) = find_benchmarks(name, store.home, Asking(**asked))
    return benchmark


def hosted(url: str, **settings: Any) -> Model:
    return replace(parse_model(f"hosted=openai:m@{url}"), **settings)


def by_item(measured: Measured) -> dict[tuple[str, str], tuple[float, str]]:
    return {(o.item, o.metric): (o.value, o.marker) for o in measured.outcomes}


@pytest.mark.model
@pytest.mark.parametrize("name", ["knowledge_en", "knowledge_zh"])
def test_likelihoods_of_a_server_give_the_same_outcomes(store: Store, name: str) -> None:
    own = bench(store, parse_model("smollm2"), one(store, name), 5)
    with serve(write, texts=echo) as served:
        far = bench(store, hosted(served.url), one(store, name), 5)
    assert len(served.calls) == sum(len(json.loads(o.text)) for o in far.outcomes) / 2
    assert far.notes == ()
    assert by_item(far) == by_item(own)
    texts = [{o.item: json.loads(o.text) for o in run.outcomes} for run in (own, far)]
    for item, odds in texts[0].items():
        assert texts[1][item] == pytest.approx(odds, abs=1e-3)
    assert far.benchmark.asking.way is None


@pytest.mark.model
@pytest.mark.parametrize("chat", [None, False])
def test_what_a_server_writes_gives_the_same_outcomes(store: Store, chat: bool | None) -> None:
    own = bench(store, parse_model("smollm2"), one(store, "short_answer", chat=chat), 4)
    with serve(write, texts=write) as served:
        far = bench(store, hosted(served.url), one(store, "short_answer", chat=chat), 4)
    assert by_item(far) == by_item(own)
    assert {o.item: o.text for o in far.outcomes} == {o.item: o.text for o in own.outcomes}
    assert all(("prompt" in call) == (chat is False) for call in served.calls)


def refuses(_: dict[str, Any]) -> web.Response:
    return fault(400, "echo is not supported")


def bare(body: dict[str, Any]) -> web.Response:
    return web.json_response(text_completion(body["prompt"] + "!"))


@pytest.mark.model
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("knowledge_en", None),
        ("knowledge_en", refuses),
        ("knowledge_en", bare),
        ("knowledge_zh", drifts),
    ],
)
def test_a_server_that_only_chats_is_asked_to_write(store: Store, name: str, texts: Any) -> None:
    benchmark = one(store, name)
    items = benchmark.items[:3]

    def pick(body: dict[str, Any]) -> str:
        asked = body["messages"][-1]["content"]
        (item,) = [item for item in items if item.question in asked]
        return f"The answer is {'ABCD'[item.gold]}."

    with serve(pick, texts=texts) as served:
        measured = bench(store, hosted(served.url), benchmark, 3)
    assert [o.value for o in measured.outcomes] == [1.0] * 3
    assert {o.variant for o in measured.outcomes} == {"gen"}
    assert measured.benchmark.asking.way is ItemMode.GEN
    (note,) = measured.notes
    assert "hosted: this server does not tell how likely a given text is" in note
    assert f"{name} is asked to write the answer instead" in note


def test_a_task_without_items_of_a_known_shape_cannot_be_asked_otherwise(store: Store) -> None:
    task = one(store, "knowledge_en").task
    strange = Benchmark("strange", "1", Asking(), task)
    strange.__dict__["items"] = ()
    with (
        serve(lambda _: "A") as served,
        pytest.raises(InputError, match="strange needs that, and has no form that only writes"),
    ):
        bench(store, hosted(served.url), strange, 1)
    assert store.completions.count() == 0


@pytest.mark.model
def test_a_fault_of_a_server_that_has_answered_is_no_want_of_likelihoods(store: Store) -> None:
    """Else a run that broke off would be taken up in another way of asking."""
    calls = 0

    def sometimes(body: dict[str, Any]) -> web.Response:
        nonlocal calls
        calls += 1
        return echo(body) if calls <= 4 else fault(400, "broken")

    with (
        serve(write, texts=sometimes) as served,
        pytest.raises(Exception, match=r"items are not answered .*broken"),
    ):
        bench(store, hosted(served.url), one(store, "knowledge_en"), 4)
    assert 0 < store.likelihoods.count() < 16
    assert store.outcomes.count() == 0
