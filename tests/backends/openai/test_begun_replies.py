"""Replies that begin as they are told to: gone on from by the server, or written here."""

from dataclasses import replace
from math import exp, log
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Limits, OddsRequest, Reply, Request, open_backend
from arena.backends.base import Message
from arena.backends.local.chat import Chat
from arena.backends.local.weights.loading import tokenizer_of
from arena.files.config import parse_model
from arena.records.errors import UnavailableError
from tests.servers import completion, fault, serve, text_completion

PREFILL = "The better is"


def odds(url: str, tokenizer: str | None = None) -> Any:
    model = replace(parse_model(f"openai:m@{url}"), tokenizer=tokenizer)
    ((_, result),) = next(open_backend(model).odds([OddsRequest("Which?", ("A", "B"), PREFILL)]))
    return result


def begun(heeds: bool, tells: bool = True, refuses_both: bool = False) -> Any:
    """A server that goes on from a begun reply, or begins another, whatever it is asked."""

    def script(body: dict[str, Any]) -> web.Response:
        goes_on = heeds and body.get("continue_final_message") is True
        if refuses_both and goes_on and body["add_generation_prompt"]:
            return fault(400, "Cannot set both add_generation_prompt and continue_final_message.")
        reply = completion("A", {"A": log(0.875), "B": log(0.125)})
        reply["usage"] = {"prompt_tokens": 20 if goes_on else 26} if tells else None
        return web.json_response(reply)

    return script


@pytest.mark.parametrize("at_once", [1, 2, None])
def test_odds_are_read_after_a_begun_reply_where_the_server_goes_on_from_it(
    at_once: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.backends.openai.running.back_off", lambda attempt: 0.0)
    busy = [fault(503)]

    def script(body: dict[str, Any]) -> Any:
        return busy.pop() if busy else begun(heeds=True)(body)

    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"), Limits(at_once))
        asked = [OddsRequest(f"Which, {i}?", ("A", "B"), PREFILL) for i in range(5)]
        found = [odds for result in backend.odds(asked) for _, odds in result]
    assert [exp(p) for p in found[0].logprobs] == pytest.approx([0.875, 0.125])  # type: ignore[union-attr]
    assert len(found) == 5
    assert len(served.calls) == 1 + 3 + 5  # tried once in a run, and once more where it was busy
    last = served.calls[-1]
    assert last["messages"][-1] == {"role": "assistant", "content": PREFILL}
    assert (last["continue_final_message"], last["add_generation_prompt"]) == (True, False)
    assert last["logprobs"] is True


def test_a_server_that_refuses_the_fields_together_knows_both() -> None:
    """As llama.cpp, which goes on from a reply in any case, so that no count tells."""
    with serve(begun(heeds=True, refuses_both=True)) as served:
        found = odds(served.url)
    assert [exp(p) for p in found.logprobs] == pytest.approx([0.875, 0.125])
    assert len(served.calls) == 3


@pytest.mark.parametrize("heeds", [True, False])
def test_a_server_that_breaks_where_the_fields_contradict_is_told_by_its_count(
    heeds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.backends.openai.running.back_off", lambda attempt: 0.0)

    def script(body: dict[str, Any]) -> Any:
        both = body.get("continue_final_message") and body.get("add_generation_prompt")
        return fault(500) if both else begun(heeds)(body)

    with serve(script) as served:
        if heeds:
            found = odds(served.url)
            assert [exp(p) for p in found.logprobs] == pytest.approx([0.875, 0.125])
        else:
            with pytest.raises(UnavailableError, match="prefill"):
                odds(served.url)


def refuses(body: dict[str, Any]) -> Any:
    said = "Extra inputs: continue_final_message not permitted"
    return fault(400, said) if "continue_final_message" in body else "A"


@pytest.mark.parametrize("script", [begun(heeds=False), begun(heeds=True, tells=False), refuses])
def test_without_the_tokenizer_it_is_refused_with_the_ways_out(script: Any) -> None:
    with serve(script) as served, pytest.raises(UnavailableError) as refused:
        odds(served.url)
    for word in ("prefill", "tokenizer", "hf:ORG/NAME"):
        assert word in str(refused.value)


@pytest.mark.model
@pytest.mark.parametrize("script", [begun(heeds=False), refuses])
def test_with_the_tokenizer_the_template_is_applied_here(script: Any) -> None:
    def texts(body: dict[str, Any]) -> Any:
        reply = text_completion(" A")
        top = [{" A": log(0.875), " B": log(0.125)}]
        reply["choices"][0]["logprobs"] = {"top_logprobs": top}
        return web.json_response(reply)

    with serve(script, texts=texts) as served:
        found = odds(served.url, tokenizer="smollm2")
    assert [exp(p) for p in found.logprobs] == pytest.approx([0.875, 0.125])
    assert found.adjustments == (("messages", "prompt"),)
    chat = Chat(tokenizer_of("smollm2", None, fetch=False))
    written = chat.write([Message("user", "Which?")], prefill=PREFILL)
    assert served.calls[-1]["prompt"] == list(written.ids)
    assert written.text.endswith(PREFILL)


@pytest.mark.model
def test_a_text_goes_on_from_how_it_begins() -> None:
    with serve(refuses, texts=lambda _: " Paris.") as served:
        model = replace(parse_model(f"openai:m@{served.url}"), tokenizer="smollm2")
        request = Request(("Which city?",), prefill="It is")
        ((_, reply),) = next(iter(open_backend(model).converse([request])))
    assert isinstance(reply, Reply)
    assert (reply.turns, reply.adjustments) == (("Paris.",), (("messages", "prompt"),))
    assert served.calls[-1]["max_tokens"] == 512


def test_only_the_last_reply_begins_so_and_what_the_server_repeats_is_no_part_of_it() -> None:
    """As llama.cpp, which says the beginning once more."""

    def script(body: dict[str, Any]) -> Any:
        goes_on = body.get("continue_final_message") is True
        if goes_on and body["add_generation_prompt"]:
            return fault(400, "Cannot set both add_generation_prompt and continue_final_message.")
        return "It is Paris." if goes_on else "It is a city."

    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"))
        request = Request(("What is it?", "Which?"), prefill="It is")
        ((_, reply),) = next(iter(backend.converse([request])))
    assert isinstance(reply, Reply)
    assert reply.turns == ("It is a city.", "Paris.")
