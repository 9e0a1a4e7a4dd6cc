"""What is known of a model beside its rating; and prompts without an answer, as lost battles."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from arena.config import Config, parse_model
from arena.generation.answering import generate
from arena.judging import judge, load_card
from arena.leaderboard.board import ModelFacts, Policy
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.lost import lost_battles
from arena.leaderboard.facts import luck_of, model_facts
from arena.leaderboard.formats import to_csv, to_json
from arena.leaderboard.ranking import leaderboard
from arena.records import (
    Answer,
    Decoding,
    Evidence,
    Judge,
    Model,
    Preference,
    Prompt,
    Usage,
    Verdict,
)
from arena.store import Store
from tests.servers import completion, serve

Write = Callable[..., str]


def served_model(store: Store, prompts: list[Prompt], price: Any = (1.0, 10.0)) -> Model:
    """A model on a server that thinks for 30 of 40 tokens, and has no answer to the last prompt."""

    def script(asked: dict[str, Any]) -> web.Response:
        body = completion("This.")
        body["usage"] = {
            "prompt_tokens": 100,
            "completion_tokens": 40,
            "completion_tokens_details": {"reasoning_tokens": 30},
        }
        if prompts[-1].turns[0] in str(asked["messages"]):
            body["choices"][0]["message"]["content"] = "<think>Hm"
            body["choices"][0]["finish_reason"] = "length"
        return web.json_response(body)

    with serve(script, latency=0.01) as served:
        model = replace(
            parse_model(f"thinker=openai:m@{served.url}"),
            price=price,
            organization="Lab",
            license="MIT",
            released="2025-04",
            context_length=4096,
        )
        generate(store, model, prompts)
    return model


def test_facts_are_of_what_the_answers_took(store: Store, prompts: list[Prompt]) -> None:
    single = [replace(prompt, turns=prompt.turns[:1]) for prompt in prompts]
    served_model(store, single)
    found = model_facts(store)["thinker"]
    assert (found.organization, found.license, found.released) == ("Lab", "MIT", "2025-04")
    assert (found.input_price, found.output_price, found.context_length) == (1.0, 10.0, 4096)
    assert (found.tokens, found.thinking_tokens, found.answer_tokens) == (40, 30, 10)
    assert found.no_answer == pytest.approx(1 / 3)
    # Three replies of 100 tokens read and 40 written were paid for two answers.
    assert found.cost_per_1000 == pytest.approx(1000 * 3 * (100 * 1 + 40 * 10) / 1e6 / 2)
    assert found.seconds is not None
    assert found.seconds >= 0.01
    assert found.tokens_per_second == pytest.approx(40 / found.seconds, rel=0.5)


def test_what_is_not_known_is_absent_and_never_zero(answered: Store) -> None:
    for found in model_facts(answered).values():
        assert (found.cost_per_1000, found.input_price, found.thinking_tokens) == (None,) * 3
        assert (found.license, found.released, found.context_length) == (None,) * 3
        assert found.no_answer == 0


def test_what_arena_yaml_says_now_comes_before_what_was_stored(answered: Store) -> None:
    now = replace(answered.models()[0], license="MIT", price=(1.0, 2.0))
    stranger = replace(now, name="stranger")
    found = model_facts(answered, [now, stranger])
    assert found[now.name].license == "MIT"
    assert found[now.name].cost_per_1000 is not None
    assert "stranger" not in found


def judged(store: Store, write_card: Write, prompts: list[Prompt]) -> None:
    judge(store, load_card(write_card("shorter", "fake:longer"), store.path.parent), prompts)


def test_facts_are_columns_of_the_files(
    answered: Store, write_card: Write, prompts: list[Prompt]
) -> None:
    judged(answered, write_card, prompts)
    board = leaderboard(answered, evidence=Evidence.JUDGE)
    assert set(board.facts) == {"long", "middle", "short"}
    board = replace(board, facts={"long": ModelFacts(organization="=Lab", seconds=1.5)})
    entries = {entry["model"]: entry for entry in to_json(board)["models"]}
    assert entries["long"]["facts"]["seconds"] == 1.5
    assert entries["long"]["facts"]["license"] is None
    assert "facts" not in entries["short"]
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(to_csv(board)))}
    assert rows["long"]["organization"] == "'=Lab"
    assert (rows["long"]["seconds"], rows["short"]["seconds"]) == ("1.5", "")
    assert "seconds" not in to_csv(replace(board, facts={})).splitlines()[0]


def with_silence(store: Store, prompts: list[Prompt], write_card: Write) -> None:
    """Two models that are judged alike on two prompts, and one that has no answer to a third."""
    served_model(store, prompts)
    other = replace(parse_model("other=fake:echo"), decoding=Decoding(max_tokens=1))
    generate(store, other, prompts)
    judged(store, write_card, prompts)


def test_a_prompt_without_an_answer_is_lost_only_where_the_config_says_so(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with_silence(store, prompts, write_card)
    before = gather(store).judges["shorter"]
    policies = [
        Policy.configured(Config.model_validate({"rank": rank}))
        for rank in ({}, {"no_answer": "leave_out"}, {"no_answer": "lose"})
    ]
    plain, left_out, lost = [gather(store, rules=policy.rules) for policy in policies]
    assert len(plain.judges["shorter"]) == len(left_out.judges["shorter"]) == len(before)
    comparisons = lost.judges["shorter"]
    assert len(comparisons) == len(before) + 1
    assert [note.code for note in lost.notes if note not in plain.notes] == ["answers.lost"]
    assert "holds for 1 prompt." in str(lost.notes[0])
    places = {name: place for place, name in enumerate(comparisons.models)}
    assert comparisons.i[-1] == places["other"]
    assert comparisons.j[-1] == places["thinker"]
    assert comparisons.outcome[-1] == 1.0


def test_lost_prompts_stay_in_their_group(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with_silence(store, prompts, write_card)
    assert [row[:3] for row in lost_battles(store)] == [("thinker", prompts[-1].key, "other")]
    assert lost_battles(store, Group("category", "maths")) == lost_battles(store)
    assert lost_battles(store, Group("category", "writing")) == []


def test_own_luck_is_read_from_what_judges_said_of_several_samples(
    store: Store, prompts: list[Prompt]
) -> None:
    """One model says good things or bad ones, by chance; the others are always the same."""
    models = [replace(parse_model("fake:echo"), name=name) for name in "abc"]
    for model in models:
        store.put_model(model)
    store.put_prompts(prompts)
    store.judges.add([Judge("k", "judge", "{}")])
    assert luck_of(store) == {}
    for p, prompt in enumerate(prompts):
        for sample in range(4):
            answers = [
                Answer(m.name, m.key, prompt.key, (f"{sample}",), ("stop",), sample=sample)
                for m in models
            ]
            store.answers.add(answers)
            wins = (sample + p) % 2 == 0
            store.verdicts.add(both_orders(answers[0], answers[1], wins))
            store.verdicts.add(both_orders(answers[2], answers[0], not wins))
    found = luck_of(store)
    assert set(found) == {"a"}
    assert found["a"].share == pytest.approx(1, abs=0.35)
    assert model_facts(store)["a"].luck == found["a"].share
    assert model_facts(store)["b"].luck is None


def both_orders(first: Answer, second: Answer, first_wins: bool) -> list[Verdict]:
    wins, loses = Preference.A, Preference.B
    forward, backward = (wins, loses) if first_wins else (loses, wins)
    pairs = ((first, second, forward), (second, first, backward))
    return [
        Verdict(f"{a.key}{b.key}", "judge", "k", a.prompt_key, a.key, b.key, said)
        for a, b, said in pairs
    ]


def test_the_median_time_to_the_first_token_is_known_where_it_was_measured(
    store: Store, prompts: list[Prompt]
) -> None:
    model = parse_model("a=fake:echo")
    store.put_model(model)
    store.put_prompts(prompts)
    for prompt, first in zip(prompts, (0.5, None, 0.25), strict=True):
        usage = Usage(1, 2, 3.0)
        answer = Answer("a", model.key, prompt.key, ("x",), ("stop",), usage, first_token=first)
        store.answers.add([answer])
    assert model_facts(store)["a"].first_token == 0.375
