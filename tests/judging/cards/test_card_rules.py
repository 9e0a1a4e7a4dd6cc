"""What a card says beside its words: orders, references, room, where the judge is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena.judging import Wanted, judge, load_card, plan
from arena.leaderboard.judge_audit import audit_judge
from arena.records import Mode, Prompt
from arena.records.errors import InputError
from arena.store import Store
from tests.servers import serve

Write = Callable[..., str]
PAIR = "{{ question }}{{ reference }}\n{{ answer_a }}\n{{ answer_b }}"


def card(store: Store, text: str, model: str = "fake:longer", template: str = PAIR) -> Any:
    folder = store.home / "judges"
    folder.mkdir(exist_ok=True)
    (folder / "p.md").write_text(template)
    (folder / "j.yaml").write_text(f"model: {model}\npairwise: {{template: p.md}}\n{text}")
    return load_card("j", store.home)


def test_a_card_may_ask_in_one_order(answered: Store, prompts: list[Prompt]) -> None:
    both, one = card(answered, ""), card(answered, "orders: one\n")
    assert len(plan(answered, one, prompts).tasks) == 9
    assert one.key(Mode.PAIRWISE) == both.key(Mode.PAIRWISE)


def test_in_one_order_no_model_is_always_the_first(answered: Store) -> None:
    """Else whoever has the slot that the judge likes would have it on every prompt."""
    from arena.config import parse_model
    from arena.generation.answering import generate

    prompts = [Prompt(f"q{i}", (f"What is {i}?",)) for i in range(40)]
    for name in ("a", "b"):
        generate(answered, parse_model(f"{name}=fake:echo"), prompts)
    wanted = Wanted(both_orders=False)
    asked = plan(answered, card(answered, ""), prompts, models=["a", "b"], wanted=wanted)
    first = [task.answers[0].model for task in asked.tasks]
    assert len(first) == 40
    assert 10 < first.count("a") < 30


def test_a_card_says_what_becomes_of_references(answered: Store, prompts: list[Prompt]) -> None:
    """One of the three prompts has a reference."""

    def shown(text: str) -> list[bool]:
        planned = plan(answered, card(answered, text), prompts)
        return ["<reference" in task.text for task in planned.tasks]

    assert sorted(shown("")) == [False] * 12 + [True] * 6
    assert shown("reference: hidden\n") == [False] * 18
    assert shown("reference: needed\n") == [True] * 6
    keys = {card(answered, f"reference: {r}\n").key(Mode.PAIRWISE) for r in ("shown", "hidden")}
    assert len(keys) == 2


def test_a_context_that_the_reply_fills_is_refused(answered: Store) -> None:
    with pytest.raises(InputError, match="nothing is left to read"):
        card(answered, "", model="{use: fake:first, context_length: 512}")


def test_what_was_asked_without_a_schema_is_no_reply_to_a_request_with_one(
    answered: Store, prompts: list[Prompt]
) -> None:
    with serve(lambda _: "So A.") as served:
        where = f"{{use: 'openai:m', base_url: '{served.url}'}}"
        settings = "pairwise: {template: p.md, format: json}\n"
        plain = card(answered, "", model=where)
        path = answered.home / "judges" / "j.yaml"
        path.write_text(f"model: {where}\n{settings}")
        assert judge(answered, load_card("j", answered.home), prompts)[0].unparsed == 18
        path.write_text(f"model: {where}\n{settings}structured: true\n")
        strict = plan(answered, load_card("j", answered.home), prompts)
        assert strict.estimate(1).calls == 18
        assert strict.reparse() == 0
    assert plain.key(Mode.PAIRWISE) != strict.mode.judge_key


def test_a_server_named_for_one_run_gets_no_key_of_another(tmp_path: Path) -> None:
    there = load_card("strong-api", tmp_path, weights="openai:other@http://127.0.0.1:9/v1")
    assert (there.model.api_key_env, there.model.price) == (None, None)
    assert load_card("strong-api", tmp_path).model.api_key_env == "OPENAI_API_KEY"
    assert load_card("strong-api", tmp_path, weights="openai:gpt-5").model.price is not None


def test_a_second_opinion_that_was_paid_for_is_not_asked_again(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with serve(lambda _: "[[A]]") as served:
        write_card("careful", f"{{use: 'openai:m', base_url: '{served.url}'}}")
        name = write_card("quick", "fake:first", "logit", extra="cascade: {to: careful}\n")
        judge(answered, load_card("careful", answered.home), prompts)
        assert len(served.calls) == 18
        judge(answered, load_card(name, answered.home), prompts)
        assert len(served.calls) == 18
    assert sum(v.judge == "quick" for v in answered.verdicts.where()) == 36


def test_what_a_verdict_costs_is_of_the_calls_that_were_paid(
    answered: Store, prompts: list[Prompt]
) -> None:
    """Replies read anew are free, and say nothing of what a call takes."""
    with serve(lambda _: "A") as served:
        price = "price: {input: 1000, output: 2000}"
        where = f"{{use: 'openai:m', base_url: '{served.url}', {price}}}"
        first = card(answered, "", model=where)
        judge(answered, first, prompts[:2])
        text = "pairwise: {template: p.md, format: compassjudger}\n"
        path = answered.home / "judges" / "j.yaml"
        path.write_text(f"model: {where}\n{text}")
        after = load_card("j", answered.home)
        assert plan(answered, after, prompts).estimate(1).calls == 6
        judge(answered, after, prompts)
        assert len(served.calls) == 12 * 2 + 6
    cost = dict(audit_judge(answered, "j").measures())["cost_per_verdict"]
    assert (cost.value, cost.n) == (pytest.approx(0.009), 6)
    assert cost.low is None  # all cost the same, which does not say how far they vary
