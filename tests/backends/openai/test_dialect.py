"""What a server refuses is learned once, and said; what matters is never left out silently."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Limits, OddsRequest, Request, open_backend
from arena.backends.openai.dialect import Dialect, folded
from arena.backends.openai.messages import said_in
from arena.config import parse_model
from arena.records import Decoding
from arena.records.errors import UnavailableError
from tests.servers import completion, fault, serve

MODEL = parse_model("m=openai:m@http://127.0.0.1:9/v1")
BODY: dict[str, Any] = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "One?"}],
    "temperature": 0.0,
    "top_p": 1.0,
    "max_tokens": 9,
    "seed": 5,
}


def pydantic(field: str) -> dict[str, Any]:
    where = {
        "type": "extra_forbidden",
        "loc": ["body", field],
        "msg": "Extra inputs",
        "input": BODY,
    }
    return {"detail": [where]}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (pydantic("seed"), "seed"),
        ({"message": pydantic("seed")}, "seed"),
        ({"message": "Unsupported parameter: 'seed'", "param": "seed"}, "seed"),
        ("seed: Extra inputs are not permitted", "seed"),
        ("Unrecognized request argument supplied: seed", "seed"),
        ({"message": "top_p is deprecated for this model", "param": None}, "top_p"),
        ("`temperature` and `top_p` cannot both be specified for this model.", "top_p"),
    ],
)
def test_a_field_that_is_refused_by_name_is_left_out_and_said(said: object, field: str) -> None:
    dialect = Dialect(MODEL)
    assert dialect.speak(BODY) == BODY
    dialect.learn(BODY, said)
    dialect.learn(BODY, said)
    assert dialect.speak(BODY) == {name: BODY[name] for name in BODY if name != field}
    (note,) = dialect.notes
    assert f"`{field}`" in note


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 8 tokens; max_tokens is too large: 9.",
        "the prompt must not hold a seed",
        {"message": "Invalid image", "param": "messages"},
        "",
        None,
        [1, {"loc": 5}, {"loc": []}],
    ],
)
def test_other_refusals_teach_nothing(said: object) -> None:
    dialect = Dialect(MODEL)
    dialect.learn(BODY, said)
    assert dialect.speak(BODY) == BODY
    assert dialect.notes == []


def test_the_other_name_of_the_length_is_taken() -> None:
    dialect = Dialect(MODEL)
    said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    dialect.learn(BODY, {"message": said, "param": "max_tokens"})
    assert dialect.speak(BODY)["max_completion_tokens"] == 9
    assert "max_tokens" not in dialect.speak(BODY)


def test_a_temperature_that_decides_is_not_left_out() -> None:
    said = "'temperature' does not support 0 with this model. Only the default (1) is supported."
    with pytest.raises(UnavailableError, match="set `temperature: 1`"):
        Dialect(MODEL).learn(BODY, {"message": said, "param": "temperature"})
    dialect, warm = Dialect(MODEL), BODY | {"temperature": 1.0}
    dialect.learn(warm, {"message": said, "param": "temperature"})
    assert "temperature" not in dialect.speak(warm)


@pytest.mark.parametrize(
    "said",
    [
        "System role not supported",
        "Conversation roles must alternate user/assistant/user/assistant",
        "Developer instruction is not enabled for models/m",
        "Only user and assistant roles are supported!",
    ],
)
def test_a_system_text_goes_before_the_first_question(said: str) -> None:
    dialect = Dialect(MODEL)
    dialect.learn(BODY, said)
    assert dialect.speak(BODY)["messages"] == [{"role": "user", "content": "Be brief.\n\nOne?"}]
    assert "before the first question" in dialect.notes[0]
    assert dialect.speak({"prompt": "One?"}) == {"prompt": "One?"}


def test_a_system_text_alone_is_a_question() -> None:
    assert folded([{"role": "system", "content": "One?"}]) == [{"role": "user", "content": "One?"}]


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal_costs_one_call_in_a_run(status: int, streamed: bool) -> None:
    async def events() -> Any:
        yield '{"choices": [{"delta": {"content": "Hi."}, "finish_reason": "stop"}]}'

    def script(body: dict[str, Any]) -> Any:
        if body["messages"][0]["role"] == "system":
            said = {"error": {"message": "System role not supported"}}
            return web.json_response(said, status=status)
        return events() if body.get("stream") else "Hi."

    with serve(script) as served:
        model = parse_model(f"m=openai:m@{served.url}")
        model = replace(model, decoding=Decoding(system="Be brief."))
        backend = open_backend(model)
        for _ in range(2):
            if streamed:
                *_, reply = backend.stream(Request(("One?",)))
            else:
                ((_, reply),) = next(iter(backend.converse([Request(("One?",))])))  # type: ignore[assignment]
            assert reply.turns == ("Hi.",)
    assert len(served.calls) == 3
    assert len(backend.notes) == 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": "Hi."}, ("Hi.", "")),
        ({"content": None}, ("", "")),
        ({"content": "Hi.", "reasoning_content": "so"}, ("Hi.", "so")),
        ({"content": "Hi.", "reasoning": "so", "reasoning_content": None}, ("Hi.", "so")),
        ({"content": None, "reasoning": {"effort": 1}}, ("", "")),
        ({"content": [{"type": "text", "text": "Hi."}, "!"]}, ("Hi.!", "")),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "so"}]},
                    {"type": "text", "text": "Hi."},
                ]
            },
            ("Hi.", "so"),
        ),
        ({"content": [{"type": "thinking", "thinking": "so"}, {"type": "image"}, 5]}, ("", "so")),
    ],
)
def test_what_a_message_says_and_thinks(message: dict[str, Any], said: tuple[str, str]) -> None:
    assert said_in(message) == said
    body = completion("")
    body["choices"][0]["message"] = message
    with serve(lambda _: web.json_response(body)) as served:
        backend = open_backend(parse_model(f"m=openai:m@{served.url}"))
        ((_, reply),) = next(iter(backend.converse([Request(("One?",))])))
    assert (reply.turns, reply.thinking) == ((said[0],), (said[1],))  # type: ignore[union-attr]


def test_a_key_is_not_told_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret")
    said = {"error": {"message": "Incorrect key very-secret or sk-ab12****wxyz; " + "x" * 500}}
    with serve(lambda _: web.json_response(said, status=400)) as served:
        model = parse_model(f"m=openai:m@{served.url}")
        model = replace(model, api_key_env="MY_KEY")
        ((_, error),) = next(iter(open_backend(model).converse([Request(("One?",))])))
    assert "Incorrect key … or …" in str(error)
    assert len(str(error)) < 320


@pytest.mark.parametrize(
    ("said", "most"),
    [
        ("Requested sample logprobs of 20, which is greater than max allowed: 5", 5),
        ({"message": "Invalid 'top_logprobs': must be less than or equal to 8."}, 8),
        ("top_logprobs: Input should be <= 10", 10),
    ],
)
def test_fewer_alternatives_are_asked_for_where_a_server_gives_fewer(
    said: object, most: int
) -> None:
    dialect, body = Dialect(MODEL), BODY | {"logprobs": True, "top_logprobs": 20}
    dialect.learn(body, said)
    assert dialect.speak(body) == body | {"top_logprobs": most}
    (note,) = dialect.notes
    assert f"more than {most} `top_logprobs`" in note


def test_a_server_that_gives_no_odds_is_asked_once_and_the_way_out_is_named() -> None:
    said = {"error": {"message": "logprobs are not supported with this model", "param": "logprobs"}}
    with serve(lambda _: web.json_response(said, status=400)) as served:
        backend = open_backend(replace(parse_model(f"m=openai:m@{served.url}")), Limits(1))
        requests = [OddsRequest("Which?", ("A", "B"))] * 40
        with pytest.raises(UnavailableError, match="`reading: reasoned`"):
            list(backend.odds(requests))
    assert len(served.calls) < 10


def test_what_a_server_says_is_shown_in_300_characters_on_one_line() -> None:
    said = {"error": {"message": "no such model\n  here " + "x" * 500}}
    with serve(lambda _: web.json_response(said, status=404)) as served:
        backend = open_backend(parse_model(f"m=openai:m@{served.url}"))
        with pytest.raises(UnavailableError) as caught:
            list(backend.converse([Request(("One?",))]))
    assert "no such model" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert 300 <= len(str(caught.value)) <= 310


def test_a_key_in_a_refusal_of_a_setting_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "very-secret")
    said = {"error": {"message": "very-secret: temperature is not supported"}}
    with serve(lambda _: web.json_response(said, status=400)) as served:
        model = replace(parse_model(f"m=openai:m@{served.url}"), api_key_env="MY_KEY")
        with pytest.raises(UnavailableError, match="set `temperature: 1`") as caught:
            list(open_backend(model).converse([Request(("One?",))]))
    assert "very-secret" not in str(caught.value)


def test_what_was_sent_otherwise_is_told_with_each_reply() -> None:
    """As data: the field, and what stood in its place, empty where nothing did."""

    def script(body: dict[str, Any]) -> Any:
        if "seed" in body:
            return fault(400, "Extra inputs are not permitted: seed")
        if "max_tokens" in body:
            said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return fault(400, said)
        if any(message["role"] == "system" for message in body["messages"]):
            return fault(400, "the system role is not supported")
        return "fine"

    with serve(script) as served:
        base = parse_model(f"openai:m@{served.url}")
        model = replace(base, decoding=Decoding(system="Be brief."))
        found = [
            dict(reply.adjustments)  # type: ignore[union-attr]
            for requests in ([Request(("a",))], [Request(("b",), timed=True)])
            for result in open_backend(model).converse(requests)
            for _, reply in result
        ]
    told = {"seed": "", "max_tokens": "max_completion_tokens", "system": "user"}
    assert found == [told, told]


def test_a_shorter_list_of_words_is_told() -> None:
    top = {"A": -0.1, "B": -2.4}

    def script(body: dict[str, Any]) -> Any:
        if body["top_logprobs"] > 5:
            return fault(400, "top_logprobs must be at most 5")
        return web.json_response(completion("A", top))

    with serve(script) as served:
        backend = open_backend(parse_model(f"openai:m@{served.url}"))
        ((_, odds),) = next(iter(backend.odds([OddsRequest("Which?", ("A", "B"))])))
    assert odds.adjustments == (("top_logprobs", "5"),)  # type: ignore[union-attr]
