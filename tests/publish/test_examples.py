from dataclasses import replace

from arena.publish.examples import ANSWERS, CHARACTERS, PROMPTS, examples
from arena.records import LIVE, Prompt
from arena.store import Store
from tests.boards import NAMES, fill, varied_prompts


def test_categories_and_languages_take_turns(filled: Store) -> None:
    picked = examples(filled, NAMES)
    assert len(picked) == PROMPTS
    categories = [example.prompt.category for example in picked]
    languages = [example.prompt.language for example in picked]
    assert len(set(categories[:4])) == 4
    assert {languages.count("en"), languages.count("zh")} == {3}


def test_the_same_store_gives_the_same_prompts(filled: Store) -> None:
    assert examples(filled, NAMES) == examples(filled, NAMES)


def test_answers_come_in_the_order_of_the_ranking(filled: Store) -> None:
    turns = examples(filled, ("hot", "warm"))[0].turns
    assert [reply.model for reply in turns[0].replies] == ["hot", "warm"]
    assert turns[1].question == "And then?"
    assert (turns[0].reference, turns[1].reference) == ("", "Then this.")


def test_a_prompt_that_one_of_several_models_answered_compares_nothing(store: Store) -> None:
    fill(store, ("a",), varied_prompts(), "something")
    assert examples(store, ("a", "b")) == []
    assert examples(store, ("a",)) != []


def test_models_that_are_not_ranked_are_not_shown(filled: Store) -> None:
    assert examples(filled, ("stranger", "other")) == []


def test_what_is_left_out_is_counted(store: Store) -> None:
    names = tuple(f"m{n:02}" for n in range(ANSWERS + 3))
    fill(store, names, [Prompt("p", ("Q?",))], "x" * CHARACTERS)
    (example,) = examples(store, names)
    assert example.hidden == 3
    assert len(example.turns[0].replies) == ANSWERS
    reply = example.turns[0].replies[0]
    assert len(reply.text) == CHARACTERS
    assert reply.left_out == len("m00 says ")


def test_what_is_withheld_or_was_asked_live_is_not_shown(store: Store) -> None:
    shown, hidden, live = (Prompt(name, (f"{name}?",)) for name in "shl")
    fill(store, ("a", "b"), [shown, hidden, replace(live, source=LIVE)], "something")
    store.withhold("prompt", hidden.key, True)
    store.withhold("model", "b", True)
    (example,) = examples(store, ("a", "b"))
    assert example.prompt.name == "s"
    assert [reply.model for reply in example.turns[0].replies] == ["a"]
