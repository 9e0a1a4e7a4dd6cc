"""Replies with anything at any place: each is read or refused, and nothing else is raised."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from math import isfinite
from typing import Any

import pytest

from arena.backends.base import Odds, Request, TextRequest
from arena.backends.openai.calls import checked, errors_of
from arena.backends.openai.messages import (
    first_alternatives,
    forced_logprob,
    option_logprobs,
    text_odds,
    text_of,
    thinking_tokens_of,
    usage_of,
)
from arena.backends.openai.streaming import Growing
from arena.config import parse_model
from arena.records.errors import BackendError
from tests.servers import completion, text_completion

MODEL = parse_model("m=openai:m@http://127.0.0.1:9/v1")
JUNK: list[Any] = [
    *(None, 0, -1, 1.5, True, "", "x", "NaN", 10**30, float("nan"), float("inf"), "\ud800"),
    *([], {}, [None], [[]], [1, 2, 3], {"a": None}, {"content": 5}, [{"type": "text"}]),
]


def mutated(value: Any, dice: random.Random) -> Any:
    """A copy with something else at one place or two, or without it."""
    value = {"": deepcopy(value)}
    for _ in range(dice.choice([1, 1, 2])):
        places = list(walked(value))
        inside, key = dice.choice(places)
        if dice.random() < 0.2 and isinstance(inside, dict) and len(places) > 1 and key:
            del inside[key]
        else:
            inside[key] = deepcopy(dice.choice(JUNK))
    return value[""]


def walked(value: Any) -> Any:
    """Every place in a value: what holds it, and under which key or number."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from walked(value[key])


def read_chat(body: Any) -> None:
    reply = checked(body, MODEL, {"messages": []})
    choice = reply["choices"][0]
    text, thinking, finish = text_of(choice, Request(("q",)))
    assert all(isinstance(each, str) for each in (text, thinking, finish))
    assert usage_of(reply).completion_tokens >= 0
    assert (thinking_tokens_of(reply) or 0) >= 0
    found = option_logprobs(first_alternatives(choice), ("A", "B"))
    assert found is None or 0 <= Odds(found).mass <= 1
    forced = forced_logprob(choice, "A", 0.0)
    assert forced is None or forced <= 0


def read_text(body: Any) -> None:
    reply = checked(body, MODEL, {"prompt": ""})
    found = text_odds(reply["choices"][0], TextRequest(" Paris.", "The cap"))
    assert found is None or found.logprob <= 0  # NaN is not


CHAT = completion("A", {"A": -0.5, "The": -1.5, "It": -2.5})
CHAT["choices"][0]["message"] |= {"reasoning_content": "Hm.", "refusal": None}
CHAT["usage"]["completion_tokens_details"] = {"reasoning_tokens": 1}
TEXT = text_completion(
    "The cap Paris.",
    [
        ("The", None, None),
        (" cap", -1.0, {" cap": -1.0}),
        (" Paris", -2.0, {" Paris": -2.0, " Rome": -1.0}),
        (".", -0.1, {".": -0.1}),
    ],
)
EVENTS: list[Any] = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {"choices": [{"index": 0, "delta": {"content": "Hi", "reasoning_content": "Hm"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
]


def read_events(events: Any) -> None:
    reply = Growing(MODEL)
    for event in events if isinstance(events, list) else [events]:
        reply.take(event)
        assert isinstance(reply.text, str)
    whole = reply.completion()
    read_chat(whole)
    assert reply.first_token is None or isfinite(reply.first_token)


@pytest.mark.parametrize(
    ("sample", "read"), [(CHAT, read_chat), (TEXT, read_text), (EVENTS, read_events)]
)
def test_whatever_stands_in_a_reply_it_is_read_or_refused(
    sample: Any, read: Callable[[Any], None]
) -> None:
    dice, refused = random.Random(5), 0
    read(sample)
    for _ in range(3000):
        changed = mutated(sample, dice)
        try:
            with errors_of(None, MODEL):  # as around each call
                read(json.loads(json.dumps(changed)))
        except BackendError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"{changed!r}") from error
    assert 0 < refused < 3000


def test_what_is_no_number_is_no_likelihood() -> None:
    for junk in (True, "-1", float("nan"), 1.5, [], {}):
        body = deepcopy(TEXT)
        body["choices"][0]["logprobs"]["token_logprobs"][2] = junk
        with suppress(BackendError):
            reply = checked(body, MODEL, {"prompt": ""})
            request = TextRequest(" Paris.", "The cap")
            assert text_odds(reply["choices"][0], request) is None
