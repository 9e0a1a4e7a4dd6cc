"""Rows found by the names that people use."""

import pytest

from arena.records import Preference, Prompt, Score, Verdict
from arena.records.errors import InputError, UnknownNameError
from arena.store import Store
from arena.store.lookup import find_answers, find_prompt, judgements
from tests.store.world import World, make_world


@pytest.fixture
def world(store: Store) -> World:
    return make_world(store, 3)


def test_a_prompt_is_found_by_name_by_key_and_by_the_beginning_of_a_key(world: World) -> None:
    prompt = next(iter(world.prompts.values()))
    for text in (prompt.name, prompt.key, prompt.key[:8]):
        assert find_prompt(world.store, text) == prompt
    with pytest.raises(UnknownNameError):
        find_prompt(world.store, prompt.key[:5])  # fewer than six characters are no key


def test_a_name_comes_before_a_key(store: Store) -> None:
    first = Prompt("first", ("One?",))
    second = Prompt(first.key, ("Two?",))  # named as the other's key
    store.put_prompts([first, second])
    assert find_prompt(store, first.key) == second


def test_two_prompts_of_one_name_are_told_by_their_keys(store: Store) -> None:
    prompts = [Prompt("same", (text,)) for text in ("One?", "Two?")]
    store.put_prompts(prompts)
    with pytest.raises(InputError) as error:
        find_prompt(store, "same")
    for prompt in prompts:
        assert prompt.key[:8] in str(error.value)
        assert prompt.turns[0] in str(error.value)


def test_answers_stand_in_the_order_of_models_and_samples(world: World) -> None:
    for prompt in world.prompts.values():
        found = find_answers(world.store, prompt)
        expected = sorted(
            (a for a in world.answers.values() if a.prompt_key == prompt.key),
            key=lambda a: (a.model, a.sample),
        )
        assert found == expected
        for answer in expected:
            assert find_answers(world.store, prompt, answer.model) == [answer]
    with pytest.raises(UnknownNameError, match="model with an answer to"):
        find_answers(world.store, prompt, "nobody")


def reading(row: Verdict | Score) -> tuple[object, ...]:
    return (
        (row.judge, row.first, row.second, row.turn, row.sample)
        if isinstance(row, Verdict)
        else (row.judge, row.answer, row.turn, row.sample)
    )


def test_judgements_come_latest_first_and_know_whether_a_later_one_took_their_place(
    world: World,
) -> None:
    found = list(judgements(world.store))
    verdicts = [one for one in found if isinstance(one.judgement, Verdict)]
    assert [one.judgement for one in verdicts] == world.verdicts[::-1]
    latest: dict[tuple[object, ...], str] = {}
    for row in (*world.verdicts, *world.scores):
        latest[reading(row)] = row.key
    for one in found:
        assert isinstance(one.judgement, Verdict | Score)
        assert one.latest == (latest[reading(one.judgement)] == one.judgement.key)
        keys = [answer.key for answer in one.answers]
        first = one.judgement.first if isinstance(one.judgement, Verdict) else one.judgement.answer
        assert keys[0] == first
        assert one.models == tuple(world.answers[key].model for key in keys)


def test_judgements_are_chosen_by_judge_prompt_and_model(world: World) -> None:
    prompt = next(iter(world.prompts.values()))
    for one in judgements(world.store, judge="j", prompt=prompt, model="ada"):
        assert one.judgement.judge == "j"
        assert one.prompt == prompt
        assert "ada" in one.models
    every = list(judgements(world.store))
    chosen = list(judgements(world.store, judge="j"))
    assert 0 < len(chosen) < len(every)
    assert len(chosen) + len(list(judgements(world.store, judge="k"))) == len(every)
    with pytest.raises(UnknownNameError, match="judge with verdicts"):
        next(judgements(world.store, judge="nobody"))


def test_what_could_not_be_read_is_left_out_where_it_was_read_later(world: World) -> None:
    found = list(judgements(world.store, unparsed=True))
    assert found
    for one in found:
        assert one.judgement.reason
        assert one.latest
    read = Preference.UNPARSED
    open_ = {reading(row): row for row in (*world.verdicts, *world.scores)}
    cards = {(type(row), row.judge): row.judge_key for row in (*world.verdicts, *world.scores)}
    assert len(found) == sum(
        (row.preference is read if isinstance(row, Verdict) else row.value is None)
        for row in open_.values()
        if row.judge_key == cards[type(row), row.judge]
    )
    counts = world.store.unparsed_counts()
    assert counts["verdicts"] + counts["scores"] == len(found)
