"""What a model thought is stored beside what it said, and is said to nobody."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Reply
from arena.config import parse_model
from arena.generation.answering import generate
from arena.records import Decoding, Prompt
from arena.store import Store
from arena.web.voting.live import side_by_side
from tests.servers import completion, serve


def cut(text: str) -> dict[str, Any]:
    body = completion(text)
    body["choices"][0]["finish_reason"] = "length"
    return body


def test_thinking_is_stored_beside_the_answer_and_not_said_again(store: Store) -> None:
    prompt = Prompt("two", ("One?", "Two?"))
    with serve(lambda body: f"<think>so {len(body['messages'])}</think>\n\nThis.") as served:
        generate(store, parse_model(f"cand=openai:m@{served.url}"), [prompt])
    (answer,) = store.answers.where()
    assert answer.turns == ("This.", "This.")
    assert answer.thinking == ("so 1", "so 3")
    assert served.calls[1]["messages"][1] == {"role": "assistant", "content": "This."}


def test_an_answer_without_thinking_has_none(answered: Store) -> None:
    assert {answer.thinking for answer in answered.answers.where()} == {()}


@pytest.mark.parametrize("text", ["<think>Is it", "<think>", "[THINK]Is it", ""])
def test_a_reply_that_ends_before_an_answer_is_a_failure(store: Store, text: str) -> None:
    with serve(lambda body: web.json_response(cut(text))) as served:
        model = parse_model(f"cand=openai:m@{served.url}")
        model = replace(model, decoding=Decoding(max_tokens=77))
        progress = generate(store, model, [Prompt("one", ("One?",))])
    assert (progress.stored, progress.failed) == (0, 1)
    assert store.answers.count() == 0
    assert "max_tokens: 77" in progress.last_error
    assert progress.faults == {"ended while thinking": 1}


def test_thinking_is_not_shown_while_an_answer_grows() -> None:
    async def events(*pieces: str) -> Any:
        for piece in pieces:
            yield json.dumps({"choices": [{"delta": {"content": piece}}]})
        yield '{"choices": [{"delta": {}, "finish_reason": "stop"}]}'

    pieces = "<think>", "SECRET", "</think>", "Th", "is."
    with serve(lambda body: events(*pieces)) as served:
        models = [parse_model(f"{name}=openai:m@{served.url}") for name in "ab"]
        seen = list(side_by_side(models, [(), ()], "One?", 1))
    assert "SECRET" not in str(seen)
    assert seen[-1][0].first == seen[-1][0].second == "This."
    assert isinstance(seen[-1][1], tuple)
    assert [reply.turns for reply in seen[-1][1] if isinstance(reply, Reply)] == [("This.",)] * 2
