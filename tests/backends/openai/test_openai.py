from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Intake, OddsRequest, Reply, Request, availability, open_backend
from arena.backends.openai.calls import apart
from arena.backends.openai.messages import first_alternatives, option_logprobs
from arena.config import parse_model
from arena.records import Decoding
from arena.records.errors import BackendError, TransientError, UnavailableError
from tests.servers import completion, fault, serve


class Without(Intake):
    def __init__(self, done: set[int]) -> None:
        super().__init__()
        self._done = done

    def admit(self, positions: Sequence[int]) -> list[int]:
        return [i for i in super().admit(positions) if i not in self._done]


NOBODY = "openai:m@http://127.0.0.1:9/v1"


def ask(url: str, *requests: Request, **settings: Any) -> dict[int, Any]:
    model = replace(parse_model(f"openai:m@{url}"), **settings)
    return {i: r for results in open_backend(model).converse(requests) for i, r in results}


def test_a_conversation_carries_its_own_answers() -> None:
    with serve(lambda body: f"answer {len(body['messages'])}") as served:
        decoding = Decoding(temperature=0.5, top_p=0.9, max_tokens=7, system="Be brief.")
        found = ask(served.url, Request(("one", "two"), seed=3), decoding=decoding)
    assert found[0].turns == ("answer 2", "answer 4")
    assert found[0].usage.prompt_tokens == 10
    first, second = served.calls
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert second["messages"][2]["content"] == "answer 2"
    assert (first["temperature"], first["top_p"], first["max_tokens"]) == (0.5, 0.9, 7)
    assert (first["seed"], second["seed"]) == (3, 4)


def test_what_is_done_is_not_asked() -> None:
    with serve(lambda body: body["messages"][0]["content"]) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"))
        requests = [Request((str(i),)) for i in range(5)]
        results = list(backend.converse(requests, Without({1, 3})))
    assert sorted(i for part in results for i, _ in part) == [0, 2, 4]
    assert len(served.calls) == 3


def test_transient_faults_are_retried_and_honour_retry_after() -> None:
    faults = [
        fault(429, headers={"retry-after-ms": "5"}),
        fault(500, headers={"retry-after-ms": "5"}),
    ]
    with serve(lambda body: faults.pop() if faults else "fine") as served:
        found = ask(served.url, Request(("q",)))
    assert found[0].turns == ("fine",)
    assert len(served.calls) == 3


def test_a_request_that_the_server_rejects_fails_alone_and_at_once() -> None:
    def script(body: dict[str, Any]) -> str | web.Response:
        return fault(400, "too long") if body["messages"][0]["content"] == "bad" else "fine"

    with serve(script) as served:
        found = ask(served.url, Request(("good",)), Request(("bad",)))
    assert isinstance(found[0], Reply)
    assert isinstance(found[1], BackendError)
    assert "too long" in str(found[1])
    assert len(served.calls) == 2


def test_garbage_is_an_error_and_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.backends.openai.running.TRIES", 1)
    with serve(lambda body: web.Response(text="<html>", content_type="text/html")) as served:
        found = ask(served.url, Request(("q",)))
    assert isinstance(found[0], BackendError)


def test_a_time_out_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.backends.openai.running.TRIES", 1)

    def slow(body: dict[str, Any]) -> str:
        import time

        time.sleep(0.5)
        return "late"

    with serve(slow) as served:
        found = ask(served.url, Request(("q",)), timeout=0.1)
    assert isinstance(found[0], TransientError)


def test_an_address_where_nobody_answers_is_said_before_any_work() -> None:
    backend = open_backend(parse_model(NOBODY))
    with pytest.raises(UnavailableError, match=r"no server answers at http://127\.0\.0\.1:9"):
        backend.start()
    assert not availability(parse_model(NOBODY)).ready


def test_a_wrong_key_stops_the_run() -> None:
    with serve(lambda body: fault(401, "bad key")) as served, pytest.raises(UnavailableError):
        ask(served.url, *(Request((str(i),)) for i in range(50)))
    assert len(served.calls) <= 17


def test_keys_come_from_the_variable_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hosted-secret")
    monkeypatch.setenv("MY_KEY", "mine")
    with serve(lambda body: "x") as served:
        ask(served.url, Request(("q",)))
        ask(served.url, Request(("q",)), api_key_env="MY_KEY")
    assert served.keys == ["Bearer none", "Bearer mine"]


def test_a_key_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    model = replace(parse_model(NOBODY), api_key_env="MY_KEY")
    assert "MY_KEY is not set" in availability(model).detail


def test_without_an_address_the_clients_default_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(lambda body: "x") as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        assert availability(parse_model("openai:m")).ready
        monkeypatch.delenv("OPENAI_API_KEY")
        assert "OPENAI_API_KEY" in availability(parse_model("openai:m")).detail


def odds(url: str, prefill: str = "") -> Any:
    backend = open_backend(parse_model(f"openai:m@{url}"))
    request = OddsRequest("Which?", ("A", "B", "C"), prefill)
    ((_, result),) = next(backend.odds([request]))
    return result


def test_odds_add_up_the_spellings_of_a_word_and_bound_what_is_not_listed() -> None:
    top = {"A": log(0.5), " A": log(0.2), "B": log(0.1), "Z": log(0.05)}
    with serve(lambda body: web.json_response(completion("A", top))) as served:
        result = odds(served.url)
    assert [exp(p) for p in result.logprobs] == pytest.approx([0.7, 0.1, 0.05])
    assert served.calls[0]["max_tokens"] == 1
    assert served.calls[0]["top_logprobs"] == 20


def test_what_a_model_would_rather_say_than_the_options_is_told() -> None:
    top = {"The": log(0.6), "A": log(0.2), "I": log(0.1), "B": log(0.05)}
    with serve(lambda body: web.json_response(completion("A", top))) as served:
        result = odds(served.url)
    assert [word for word, _ in result.rather] == ["The", "A", "I"]
    assert [share for _, share in result.rather] == pytest.approx([0.6, 0.2, 0.1])


def listed(*words: tuple[str, float], **more: Any) -> dict[str, Any]:
    return {"content": [{"top_logprobs": [{"token": w, "logprob": p} | more for w, p in words]}]}


@pytest.mark.parametrize(
    ("logprobs", "shares"),
    [
        (listed(("A", -0.1), ("B", -2.5)), (exp(-0.1), exp(-2.5))),
        (listed(("ĠA", -0.1), ("▁B", -2.5)), (exp(-0.1), exp(-2.5))),
        (listed((" A", -0.3), ("A", -3.0), ("B", -2.5)), (exp(-0.3) + exp(-3), exp(-2.5))),
        (listed(("?", -0.1), bytes=[32, 65]), (exp(-0.1), 1 - exp(-0.1))),
        (listed(("A", -0.1), bytes=[]), (exp(-0.1), 1 - exp(-0.1))),
        ({"top_logprobs": [{"A": -0.1, "B": -2.5}]}, (exp(-0.1), exp(-2.5))),
        (
            # Together, for chat.
            {
                "content": None,
                "tokens": ["A"],
                "token_logprobs": [-0.1],
                "top_logprobs": [{"A": -0.1, "B": -2.5}],
            },
            (exp(-0.1), exp(-2.5)),
        ),
        (listed(("A", -0.1), ("B", -2.5))["content"], (exp(-0.1), exp(-2.5))),  # Ollama
        (
            {"content": [{"top_probs": [{"token": "A", "prob": 0.9}, {"token": "B", "prob": 0}]}]},
            (0.9, 0.1),
        ),
        ({"content": [{"top_logprobs": {"A": -0.1, "B": -2.5}}]}, (exp(-0.1), exp(-2.5))),
        (listed(("A", -0.5), ("The", -1.5)), (exp(-0.5), 1 - exp(-0.5) - exp(-1.5))),
        (listed(("Hello", -0.01)), (0.0, 0.0)),
        (listed(("Hello", -1.0), ("The", -1.2)), (0.0, 0.0)),
        (listed(("a", -0.1)), (0.0, 0.0)),
    ],
)
def test_odds_are_read_in_each_form_and_made_of_nothing_else(
    logprobs: dict[str, Any], shares: tuple[float, float]
) -> None:
    found = option_logprobs(first_alternatives({"logprobs": logprobs}), ("A", "B"))
    assert found is not None
    assert [exp(value) for value in found] == pytest.approx(list(shares))


@pytest.mark.parametrize("words", ["top_probs", "probs"])
def test_the_fields_of_llama_cpp_are_read(words: str) -> None:
    name = "token" if words == "top_probs" else "tok_str"
    listed = [{name: " A", "prob": 0.75}, {name: "B", "prob": 0.125}, {name: "C", "prob": "?"}]
    choice = {"completion_probabilities": [{"content": "A", words: listed}]}
    found = option_logprobs(first_alternatives(choice), ("A", "B"))
    assert found is not None
    assert [exp(value) for value in found] == pytest.approx([0.75, 0.125])


def test_a_server_without_logprobs_is_an_error_that_names_the_way_out() -> None:
    with serve(lambda body: "A") as served:
        assert "reading: reasoned" in str(odds(served.url))


def test_it_works_where_an_event_loop_runs_already() -> None:
    """As in a notebook."""

    async def in_a_notebook(url: str) -> dict[int, Any]:
        assert availability(parse_model(f"openai:m@{url}")).ready
        return ask(url, Request(("q",)))

    with serve(lambda body: "x") as served:
        assert apart(lambda: in_a_notebook(served.url))[0].turns == ("x",)
