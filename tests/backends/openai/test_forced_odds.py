"""Words that a server does not list among the likeliest are asked for one by one."""

import json
from math import exp, log
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Limits, OddsRequest, open_backend
from arena.files.config import parse_model
from tests.servers import Served, completion, fault, serve

TRUE = {"B": 0.001, " B": 0.0005}
TOP = {"A": log(0.5), "The": log(0.25), "It": log(0.1)}


def forced(body: dict[str, Any]) -> str | None:
    return json.loads(body["grammar"].removeprefix("root ::= ")) if "grammar" in body else None


def odds(script: Any, times: int = 1, **more: Any) -> tuple[Any, Served]:
    with serve(script, **more) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"), Limits(concurrency=1))
        requests = [OddsRequest(f"Which, {i}?", ("A", "B")) for i in range(times)]
        found = [result for part in backend.odds(requests) for _, result in part]
    return found[-1], served


def reply(word: str, logprob: float) -> web.Response:
    body = completion(word, {word: logprob})
    body["choices"][0]["logprobs"]["content"][0]["logprob"] = logprob
    return web.json_response(body)


def raw(body: dict[str, Any]) -> web.Response:
    """As vLLM and llama.cpp: how likely the word was before it was the only one allowed."""
    word = forced(body)
    return reply(word, log(TRUE[word])) if word else web.json_response(completion("A", TOP))


def test_odds_are_exact_where_the_server_tells_of_each_word() -> None:
    found, served = odds(raw)
    assert [exp(p) for p in found.logprobs] == pytest.approx([0.5, 0.0015])
    assert [forced(body) for body in served.calls] == [None, "B", " B"]
    assert served.calls[1]["grammar"] == 'root ::= "B"'
    assert "allowed_token_ids" not in served.calls[1]


def test_a_server_that_takes_tokens_is_asked_by_token() -> None:
    """As vLLM: a word's number comes from the server, once in a run."""
    numbers = {"B": [50], " B": [389]}

    def words(body: dict[str, Any]) -> web.Response:
        return web.json_response({"tokens": numbers[body["prompt"]]})

    def script(body: dict[str, Any]) -> web.Response:
        asked = body.get("allowed_token_ids")
        word = next((word for word, number in numbers.items() if number == asked), None)
        return reply(word, log(TRUE[word])) if word else web.json_response(completion("A", TOP))

    found, served = odds(script, tokens=words)
    assert [exp(p) for p in found.logprobs] == pytest.approx([0.5, 0.0015])
    assert served.words == ["B", " B"]


def among_allowed(body: dict[str, Any]) -> web.Response:
    word = forced(body)
    return reply(word, 0.0) if word else web.json_response(completion("A", TOP))


def deaf(body: dict[str, Any]) -> web.Response:
    return web.json_response(completion("A", TOP))


def refuses(body: dict[str, Any]) -> web.Response:
    said = "Unrecognized request argument supplied: grammar"
    return fault(400, said) if forced(body) else web.json_response(completion("A", TOP))


def silent(body: dict[str, Any]) -> web.Response:
    return web.json_response(completion("A", None if forced(body) else TOP))


def breaks(body: dict[str, Any]) -> web.Response:
    return fault(500) if forced(body) else web.json_response(completion("A", TOP))


@pytest.mark.parametrize("script", [among_allowed, deaf, refuses, silent, breaks])
def test_what_does_not_tell_is_asked_once_and_bounded_as_before(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.backends.openai.running.back_off", lambda attempt: 0.0)
    monkeypatch.setattr("arena.backends.openai.running.TRIES", 1)
    found, served = odds(script, times=3)
    assert [exp(p) for p in found.logprobs] == pytest.approx([0.5, 0.1])
    assert sum(forced(body) is not None for body in served.calls) == 1


def test_a_word_without_a_token_of_its_own_has_no_odds_of_its_own() -> None:
    def script(body: dict[str, Any]) -> web.Response:
        return reply(" ", log(0.01)) if forced(body) == " B" else raw(body)

    found, served = odds(script, times=2)
    assert [exp(p) for p in found.logprobs] == pytest.approx([0.5, 0.001])
    assert len(served.calls) == 6


def test_nothing_more_is_asked_where_the_list_holds_all_that_matters() -> None:
    found, served = odds(
        lambda _: web.json_response(completion("A", {"A": log(0.9), "I": log(0.09999)}))
    )
    assert len(served.calls) == 1
    assert exp(found.logprobs[1]) <= 1e-4
