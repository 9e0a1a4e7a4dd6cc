"""Report cards from the store, beside counts made by hand."""

import pytest

from arena.leaderboard.judge_audit import audit_judge, judges_with_verdicts
from arena.records import Preference, Prompt, Winner
from arena.records.errors import UnknownNameError
from arena.store import Store
from tests.leaderboard.evidence.rows import Filled


@pytest.fixture
def filled(answered: Store, prompts: list[Prompt]) -> Filled:
    return Filled(answered, prompts)


def test_only_who_compared_pairs_has_a_report_card(filled: Filled) -> None:
    assert judges_with_verdicts(filled.store) == []
    filled.score(filled.card("scorer"), "one", "long", 5)
    filled.order(filled.card("ranker"), "one", ["long", "short"], (1, 2))
    filled.both_orders(filled.card("kai"), "one", "long", "short")
    assert judges_with_verdicts(filled.store) == ["kai", "ranker"]
    with pytest.raises(UnknownNameError, match="no judge with verdicts named 'scorer'"):
        audit_judge(filled.store, "scorer")


def test_a_report_card_counts_what_is_stored(filled: Filled) -> None:
    card = filled.card("kai")
    filled.both_orders(card, "one", "long", "short")
    filled.both_orders(card, "two", "long", "short")
    filled.verdict(card, "three", "long", "short", Preference.A)
    filled.verdict(card, "three", "short", "long", Preference.A)
    filled.vote("one", "short", "long", Winner.MODEL_B)  # people agree
    filled.vote("two", "long", "short", Winner.MODEL_B)  # and here they do not
    found = audit_judge(filled.store, "kai")
    assert found.pairs == 3
    measures = dict(found.measures())
    assert measures["agreement"].value == 0.5
    assert measures["agreement"].n == 2
    assert measures["flip_rate"].value == pytest.approx(1 / 3)
    assert measures["first_slot_rate"].value == pytest.approx(4 / 6)
    assert found.canaries is None
    assert "cost_per_verdict" not in measures


def test_rankings_count_as_pairs(filled: Filled) -> None:
    card = filled.card("kai")
    filled.order(card, "one", ["long", "middle", "short"], (1, 2, 3))
    filled.vote("one", "long", "short", Winner.MODEL_A)
    found = audit_judge(filled.store, "kai")
    assert found.pairs == 3
    assert dict(found.measures())["agreement"].n == 1


def test_an_earlier_card_is_another_judge(filled: Filled) -> None:
    old, new = filled.card("kai", '{"v": 1}'), filled.card("kai", '{"v": 2}')
    filled.both_orders(old, "one", "long", "short")
    filled.both_orders(new, "two", "long", "short")
    assert audit_judge(filled.store, "kai").pairs == 1


def test_which_answer_is_longer_is_read_from_the_store(filled: Filled) -> None:
    card = filled.card("kai")
    for prompt, winner in (("one", Winner.MODEL_A), ("two", Winner.MODEL_B)):
        filled.both_orders(card, prompt, "long", "short")
        filled.vote(prompt, "long", "short", winner)
    assert dict(audit_judge(filled.store, "kai").measures())["length_preference"].value == 1.0


def test_as_data_every_measure_has_its_interval(filled: Filled) -> None:
    filled.both_orders(filled.card("kai"), "one", "long", "short")
    whole = audit_judge(filled.store, "kai").as_dict()
    assert (whole["judge"], whole["pairs"]) == ("kai", 1)
    assert set(whole["flip_rate"]) >= {"value", "low", "high", "n"}
    # There are no votes, so nothing is claimed of agreement.
    assert (whole["agreement"]["value"], whole["agreement"]["n"]) == (None, 0)
