"""A reply that is no answer is a state of its own, is stored, and is asked again with more room."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.config import parse_model
from arena.generation.answering import generate, retry
from arena.records import Decoding, Model, NoAnswer, Prompt
from arena.records.errors import InputError
from arena.store import Store
from tests.servers import completion, fault, serve

ONE = [Prompt("one", ("One?",))]


def body(content: str | None, finish: str, **message: Any) -> dict[str, Any]:
    whole = completion("")
    whole["choices"][0]["finish_reason"] = finish
    whole["choices"][0]["message"] = {"role": "assistant", "content": content, **message}
    return whole


def model_at(url: str, **settings: Any) -> Model:
    how = Decoding(max_tokens=50, **settings)
    return replace(parse_model(f"cand=openai:m@{url}"), decoding=how)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (body("<think>Is it", "length"), NoAnswer.THINKING),
        (body(None, "length", reasoning_content="Is it"), NoAnswer.THINKING),
        (body(None, "length", reasoning="Is it"), NoAnswer.THINKING),
        (body("", "length"), NoAnswer.THINKING),
        (body("", "stop"), NoAnswer.EMPTY),
        (body("<think>so</think>", "stop"), NoAnswer.EMPTY),
        (body([{"type": "thinking", "thinking": "so"}], "stop"), NoAnswer.EMPTY),  # type: ignore[arg-type]
        (body(None, "stop", refusal="I cannot say that."), NoAnswer.REFUSAL),
        (body("Half an", "content_filter"), NoAnswer.FILTER),
        (body(None, "SAFETY"), NoAnswer.FILTER),
    ],
)
def test_each_state_is_stored_as_itself_and_asked_once(
    store: Store, said: dict[str, Any], state: NoAnswer
) -> None:
    with serve(lambda _: web.json_response(said)) as served:
        model = model_at(served.url)
        first = generate(store, model, ONE)
        second = generate(store, model, ONE)
    assert (first.stored, first.failed, first.faults) == (0, 1, {str(state): 1})
    assert (second.total, second.failed, second.unanswered) == (0, 0, 1)
    assert len(served.calls) == 1
    assert store.answers.count() == 0
    (row,) = store.standing_unanswered().values()
    assert (row.state, row.room, row.usage.completion_tokens) == (state, 50, 2)
    assert [count.kind for count in store.failure_counts()] == [str(state)]
    assert store.still_failing() == {"answer": 1}


def test_a_prompt_that_a_filter_refuses_is_in_that_state_too(store: Store) -> None:
    said = {"error": {"message": "The response was filtered", "code": "content_filter"}}
    with serve(lambda _: web.json_response(said, status=400)) as served:
        progress = generate(store, model_at(served.url), ONE)
    assert progress.faults == {"content filter": 1}
    assert [row.state for row in store.standing_unanswered().values()] == [NoAnswer.FILTER]


def test_a_refusal_is_kept_as_it_was_said(store: Store) -> None:
    said = body(None, "stop", refusal="I cannot say that.")
    with serve(lambda _: web.json_response(said)) as served:
        generate(store, model_at(served.url), ONE)
    (row,) = store.standing_unanswered().values()
    assert row.turns == ("I cannot say that.",)


def thinks(least: int) -> Any:
    """A server whose model thinks so many tokens before it answers."""

    def script(asked: dict[str, Any]) -> web.Response:
        if asked["max_tokens"] < least:
            return web.json_response(body("<think>Is it", "length"))
        return web.json_response(body("<think>Is it</think>This.", "stop"))

    return script


def test_more_room_is_given_until_there_is_an_answer(store: Store) -> None:
    with serve(thinks(700)) as served:
        model = model_at(served.url)
        generate(store, model, ONE)
        (step,) = retry(store, model, ONE)
        assert (step.stored, step.failed) == (0, 1)
        (step,) = retry(store, model, ONE)
        assert (step.stored, step.failed) == (1, 0)
        assert retry(store, model, ONE) == []
    assert [call["max_tokens"] for call in served.calls] == [50, 200, 800]
    assert len({call["seed"] for call in served.calls}) == 1
    (answer,) = store.answers.where()
    assert (answer.turns, answer.thinking, answer.room) == (("This.",), ("Is it",), 800)
    assert answer.model_key == model.key
    assert store.standing_unanswered() == {}
    assert store.still_failing() == {}
    assert generate(store, model, ONE).complete


def test_what_failed_otherwise_is_asked_again_with_the_same_room(store: Store) -> None:
    broken = [True]

    def script(asked: dict[str, Any]) -> Any:
        if "Two" in str(asked) and broken[0]:
            return fault(400, "no")
        return thinks(100)(asked)

    prompts = [*ONE, Prompt("two", ("Two?",)), Prompt("three", ("Three?",))]
    with serve(script) as served:
        model = model_at(served.url)
        generate(store, model, prompts[:2])
        broken[0] = False
        steps = retry(store, model, prompts)
    assert [(step.stored, step.failed) for step in steps] == [(0, 1), (1, 0)]
    asked = [(call["messages"][-1]["content"], call["max_tokens"]) for call in served.calls]
    assert ("Two?", 50) in asked[2:]
    assert ("One?", 200) in asked[2:]
    assert "Three?" not in dict(asked)


def test_a_rename_takes_along_what_was_no_answer(store: Store) -> None:
    with serve(thinks(100)) as served:
        model = model_at(served.url)
        generate(store, model, [*ONE])
        store.archive.rename("cand", "other")
        renamed = replace(model, name="other", first_name="cand")
        assert generate(store, renamed, ONE).unanswered == 1
        (step,) = retry(store, renamed, ONE)
    assert step.stored == 1


def test_several_answers_to_a_prompt_have_seeds_of_their_own(store: Store) -> None:
    with serve(lambda asked: f"Answer {asked['seed']}.") as served:
        model = model_at(served.url, temperature=1.0)
        progress = generate(store, model, ONE, samples=3)
        assert (progress.total, progress.stored) == (3, 3)
        assert generate(store, model, ONE, samples=4).stored == 1
    answers = list(store.answers.where())
    assert [answer.sample for answer in answers] == [0, 1, 2, 3]
    assert len({answer.turns for answer in answers}) == 4
    with pytest.raises(InputError, match="temperature above 0"):
        generate(store, replace(model, decoding=Decoding()), ONE, samples=2)


@pytest.mark.parametrize(
    ("details", "content", "thought"),
    [
        ({"reasoning_tokens": 40}, "This.", 40),
        ({"reasoning_tokens": 0}, "This.", 0),
        ({"reasoning_tokens": 0}, "<think>so</think>This.", None),
        ({}, "This.", None),
        (None, "<think>so</think>This.", None),
        ({"reasoning_tokens": "many"}, "This.", None),
    ],
)
def test_tokens_of_thinking_are_counted_where_the_server_counts_them(
    store: Store, details: Any, content: str, thought: int | None
) -> None:
    said = body(content, "stop")
    said["usage"]["completion_tokens_details"] = details
    with serve(lambda _: web.json_response(said)) as served:
        generate(store, model_at(served.url), ONE)
    (answer,) = store.answers.where()
    assert (answer.turns, answer.thinking_tokens) == (("This.",), thought)
