"""A judge is asked on until the answer is sure, and no further."""

from collections.abc import Callable

import pytest

from arena.compare.judged import judge_until_sure
from arena.compare.question import Aim, Decision, Question
from arena.config import parse_model
from arena.generation.answering import generate
from arena.judging import load_card
from arena.records import Answer, BackendKind, Decoding, Model, Prompt
from arena.records.errors import GateError, InputError
from arena.store import Store

Write = Callable[..., str]
SUPERIOR = Question(Aim.SUPERIOR, 0.0)


@pytest.fixture
def prompts() -> list[Prompt]:
    return [
        Prompt(f"p{k}", (f"Please tell me of the number {k}, and of more.",)) for k in range(200)
    ]


def filled(store: Store, prompts: list[Prompt], longer: Callable[[int], bool]) -> Store:
    """The new model's answer is longer where `longer` says so, and else shorter."""
    store.put_prompts(prompts)
    for name in ("old", "new"):
        model = Model(name, BackendKind.FAKE, "echo", decoding=Decoding(system=name))
        store.put_model(model)
        texts = ("word " * (5 if name == "old" else 9 if longer(k) else 2) for k in range(200))
        store.answers.add(
            Answer(name, model.key, prompt.key, (text,), ("stop",))
            for prompt, text in zip(prompts, texts, strict=True)
        )
    return store


def test_a_clear_case_saves_most_of_the_judgements(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    filled(store, prompts, lambda k: k % 10 != 0)
    card = load_card(write_card("j", "fake:longer"), store.home)
    done = judge_until_sure(store, card, prompts, "old", "new", SUPERIOR)
    assert done.decision is Decision.SHIP
    assert done.saved > 0.6
    assert store.verdicts.count() == 2 * done.judged
    assert f"after {done.judged} prompts of 200" in str(done.sentence)
    assert "省下" in done.sentence.text("zh")
    again = judge_until_sure(store, card, prompts, "old", "new", SUPERIOR)
    assert again.standing == done.standing
    assert store.verdicts.count() == 2 * done.judged


def test_an_even_case_is_judged_whole(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    filled(store, prompts, lambda k: k % 2 == 0)
    card = load_card(write_card("j", "fake:longer"), store.home)
    done = judge_until_sure(store, card, prompts, "old", "new", SUPERIOR)
    assert (done.decision, done.judged, done.saved) == (Decision.CANNOT_TELL, 200, 0.0)
    assert done.standing.share == 0.5


def test_a_judge_that_follows_the_order_is_stopped_at_once(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    filled(store, prompts, lambda k: True)
    card = load_card(write_card("weak", "fake:first"), store.home)
    with pytest.raises(GateError, match="changes its verdict"):
        judge_until_sure(store, card, prompts, "old", "new", SUPERIOR)
    assert store.verdicts.count() < 60
    let_in = judge_until_sure(store, card, prompts, "old", "new", SUPERIOR, allow_weak=True)
    assert let_in.decision is Decision.CANNOT_TELL


def test_what_cannot_be_read_counts_for_nobody(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    filled(store, prompts, lambda k: True)
    card = load_card(write_card("mute", "fake:mute"), store.home)
    done = judge_until_sure(store, card, prompts[:15], "old", "new", SUPERIOR)
    assert (done.standing.share, done.unread, done.judged) == (None, 15, 15)
    assert "Nothing could be read" in str(done.sentence)


def test_models_without_a_prompt_in_common_are_refused(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for name, part in (("old", prompts[:3]), ("new", prompts[3:6])):
        generate(store, parse_model(f"{name}=fake:echo"), part)
    card = load_card(write_card("j", "fake:longer"), store.home)
    with pytest.raises(InputError, match="none of the 200 prompts"):
        judge_until_sure(store, card, prompts, "old", "new", SUPERIOR)
