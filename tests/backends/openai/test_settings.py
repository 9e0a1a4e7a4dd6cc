"""What a model entry sets reaches the server, in each way of asking it."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.backends import OddsRequest, Reply, Request, open_backend
from arena.backends.limits import Budget
from arena.backends.openai.batches import parts
from arena.backends.openai.dialect import Dialect
from arena.backends.openai.messages import body_of
from arena.config import parse_model
from arena.records import Decoding, Model
from arena.records.errors import BackendError, UnavailableError
from tests.servers import completion, piece, serve

SET = Decoding(
    max_tokens=50,
    top_k=20,
    min_p=0.1,
    repetition_penalty=1.2,
    stop=("END",),
    reasoning_effort="low",
    thinking=True,
    thinking_budget=100,
    chat_template_kwargs='{"style": "short"}',
    extra_body='{"think": true}',
)
SENT = {
    "max_tokens": 150,
    "top_k": 20,
    "min_p": 0.1,
    "repetition_penalty": 1.2,
    "stop": ["END"],
    "reasoning_effort": "low",
    "chat_template_kwargs": {
        "enable_thinking": True,
        "thinking": True,
        "thinking_budget": 100,
        "style": "short",
    },
    "thinking_token_budget": 100,
    "thinking_budget_tokens": 100,
    "think": True,
}


def reply_of(model: Model, *, streamed: bool = False) -> Reply:
    backend = open_backend(model)
    if streamed:
        *_, reply = backend.stream(Request(("One?",)))
        return reply
    ((_, found),) = next(iter(backend.converse([Request(("One?",))])))
    if isinstance(found, BackendError):
        raise found
    return found


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_set_is_sent_and_nothing_else(streamed: bool) -> None:
    async def events() -> Any:
        yield piece("This. EN")
        yield piece("D and more", "stop")

    def script(body: dict[str, Any]) -> Any:
        return events() if body.get("stream") else "This. END and more"

    with serve(script) as served:
        plain = parse_model(f"m=openai:m@{served.url}")
        reply_of(plain, streamed=streamed)
        reply = reply_of(replace(plain, decoding=SET), streamed=streamed)
    before, body = served.calls
    assert {name: body[name] for name in SENT} == SENT
    assert set(body) - set(before) == set(SENT) - {"max_tokens"}
    assert reply.turns == ("This.",)


def test_a_batch_is_asked_alike() -> None:
    model = replace(parse_model("m=openai:m@http://h/v1"), decoding=SET)
    body = body_of(model, Request(("One?",)))
    assert {name: body[name] for name in SENT} == SENT
    (lines,) = parts(model, {"a": Request(("One?",))}, Budget())
    assert '"thinking_token_budget": 100' in lines["a"]


def test_odds_are_read_after_the_prompt_that_the_settings_make() -> None:
    """Without the cuts and penalties, which would change the odds themselves."""
    with serve(lambda _: web.json_response(completion("A", {"A": -0.1, "B": -2.5}))) as served:
        model = replace(parse_model(f"m=openai:m@{served.url}"), decoding=SET)
        list(open_backend(model).odds([OddsRequest("A or B?", ("A", "B"))]))
    (body,) = served.calls
    kept = {"reasoning_effort", "chat_template_kwargs", "think"}
    assert set(SENT) & set(body) == kept | {"max_tokens"}
    assert body["max_tokens"] == 1


@pytest.mark.parametrize(
    ("how", "field", "said"),
    [
        (Decoding(top_k=5), "top_k", "take `top_k` out of the model's entry"),
        (Decoding(reasoning_effort="low"), "reasoning_effort", "take `reasoning_effort` out"),
        (Decoding(thinking=False), "chat_template_kwargs", "take `thinking` out"),
        (Decoding(chat_template_kwargs='{"a": 1}'), "chat_template_kwargs", "take `chat_template_"),
        (Decoding(extra_body='{"think": 1}'), "think", "out of the model's entry's extra_body"),
        (Decoding(temperature=0.5), "temperature", "set `temperature: 1`"),
    ],
)
def test_what_the_user_chose_is_never_left_out_on_the_quiet(
    how: Decoding, field: str, said: str
) -> None:
    def script(body: dict[str, Any]) -> Any:
        message = {"error": {"message": f"Unsupported parameter: '{field}'", "param": field}}
        return web.json_response(message, status=400) if field in body else "This."

    with serve(script) as served:
        model = replace(parse_model(f"m=openai:m@{served.url}"), decoding=how)
        with pytest.raises(UnavailableError) as caught:
            reply_of(model)
    assert said in str(caught.value)


def test_a_budget_that_has_one_of_two_names_is_sent_under_that_one() -> None:
    def refusing(*names: str) -> Any:
        def script(body: dict[str, Any]) -> Any:
            for name in names:
                if name in body:
                    said = {"error": {"message": f"Unrecognized argument: {name}", "param": name}}
                    return web.json_response(said, status=400)
            return "This."

        return script

    how = Decoding(thinking=True, thinking_budget=100)
    with serve(refusing("thinking_budget_tokens")) as served:
        model = replace(parse_model(f"m=openai:m@{served.url}"), decoding=how)
        assert reply_of(model).turns == ("This.",)
    assert "thinking_budget_tokens" not in served.calls[-1]
    assert served.calls[-1]["thinking_token_budget"] == 100
    with serve(refusing("thinking_budget_tokens", "thinking_token_budget")) as served:
        model = replace(parse_model(f"m=openai:m@{served.url}"), decoding=how)
        with pytest.raises(UnavailableError, match="set `thinking: on` in place of 100"):
            reply_of(model)


def test_headers_have_their_values_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TITLE", "very-secret")
    said = {"error": {"message": "no such very-secret"}}
    with serve(lambda _: web.json_response(said, status=400)) as served:
        model = parse_model(f"m=openai:m@{served.url}")
        model = replace(model, extra_headers=(("X-Title", "TITLE"),))
        with pytest.raises(BackendError, match="no such …"):
            reply_of(model)
        monkeypatch.delenv("TITLE")
        with pytest.raises(UnavailableError, match="TITLE, which the header X-Title names, is not"):
            reply_of(model)
    assert [seen["X-Title"] for seen in served.headers] == ["very-secret"]


def test_stops_beyond_what_servers_take_are_cut_here() -> None:
    with serve(lambda _: "one two three four five six") as served:
        how = Decoding(stop=("a1", "b1", "c1", "d1", " five"))
        reply = reply_of(replace(parse_model(f"m=openai:m@{served.url}"), decoding=how))
    assert reply.turns == ("one two three four",)
    assert served.calls[0]["stop"] == ["a1", "b1", "c1", "d1"]


def test_a_dialect_that_was_learned_holds_for_all_of_a_run() -> None:
    model = replace(parse_model("m=openai:m@http://h/v1"), decoding=SET)
    dialect = Dialect(model)
    sent = body_of(model, Request(("One?",)))
    dialect.learn(sent, {"param": "stop", "message": "stop is not supported"})
    assert "stop" not in dialect.speak(sent)
    assert len(dialect.notes) == 1
