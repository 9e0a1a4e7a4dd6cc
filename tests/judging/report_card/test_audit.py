"""The report card, on pairs small enough to count by hand."""

from dataclasses import fields, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.judging.report_card.audit import Audit, AuditPair, audit
from arena.judging.report_card.measures import mean_of
from arena.records import Preference

A, B, TIE, UNPARSED = Preference.A, Preference.B, Preference.TIE, Preference.UNPARSED
MIRRORED = {A: B, B: A, TIE: TIE, UNPARSED: UNPARSED, None: None, "A": "B", "B": "A", "tie": "tie"}


def pair(
    item: str, forward: Preference, backward: Preference | None = None, *people: str
) -> AuditPair:
    return AuditPair(item, forward, backward, people)


HAND = [
    pair("1", A, B, "A", "A", "B"),  # both orders for A, people too
    pair("2", A, A, "B", "B", "B"),  # the first in both orders: a tie
    pair("3", UNPARSED, B, "A"),
    pair("4", TIE, TIE, "tie", "A"),
    pair("5", B, A, "A"),  # both orders for B, people for A
]


def value(measure: str, pairs: list[AuditPair] = HAND) -> tuple[float | None, int]:
    found = getattr(audit(pairs), measure)
    return found.value, found.n


def test_agreement_counts_the_unparsed_against_the_judge() -> None:
    assert value("agreement") == (pytest.approx(2 / 5), 5)  # 1 and 4
    assert value("decided_agreement") == (pytest.approx(1 / 2), 2)  # 1, not 5


def test_kappa_is_what_chance_leaves() -> None:
    """Verdicts A, tie, tie, B against A, B, tie, A: 2 of 4 agree, 5/16 would by chance."""
    assert value("kappa_parsed") == (pytest.approx((2 / 4 - 5 / 16) / (1 - 5 / 16)), 4)
    # With the unparsed one 2 of 5 agree; chance is (1·3 + 2·1 + 1·1)/25.
    assert value("kappa") == (pytest.approx((2 / 5 - 6 / 25) / (1 - 6 / 25)), 5)


def test_the_ceiling_is_how_far_people_agree_with_each_other() -> None:
    assert value("human_agreement") == (pytest.approx((1 / 3 + 1 + 0) / 3), 3)


def test_orders() -> None:
    assert value("flip_rate") == (pytest.approx(1 / 4), 4)  # 2; 3 has no second reading
    assert value("first_slot_rate") == (pytest.approx(4 / 7), 7)
    assert value("tie_rate") == (pytest.approx(2 / 10), 10)
    assert value("unparsed_rate") == (pytest.approx(1 / 10), 10)


def test_a_preference_for_length_is_told_from_people_who_like_the_longer() -> None:
    """Who is right nine times of ten does not lean, though people prefer the longer."""
    longer, shorter = (20, 10), (10, 20)
    fair = [
        replace(pair(f"{n}", A if n % 10 else B, None, "A"), length=longer if n < 80 else shorter)
        for n in range(100)
    ]
    assert audit(fair).length_preference.value == pytest.approx(0.5, abs=0.01)
    assert audit(fair).longest_agreement.value == 0.8
    led = [replace(p, forward=A if p.length == longer else B) for p in fair]
    assert audit(led).length_preference.value == 1.0
    assert audit(led).length_matched_agreement.n == 0


def test_markup_and_matched_lengths() -> None:
    rows = [
        replace(pair("1", A, None, "B"), length=(100, 95), markup=(3, 0)),
        replace(pair("2", A, None, "A"), length=(100, 95), markup=(3, 0)),
    ]
    assert audit(rows).length_matched_agreement.value == 0.5
    assert audit(rows).markdown_preference.value == 1.0


def test_self_preference_is_what_people_do_not_share() -> None:
    rows = [
        replace(pair("1", A, None, "B"), models=("judge", "x"), families=("f", "g")),
        replace(pair("2", A, None, "B"), models=("x", "judge"), families=("g", "f")),
        replace(pair("3", B, None, "tie"), models=("x", "cousin"), families=("g", "f")),
    ]
    found = audit(rows, own={"judge"}, family="f")
    assert (found.self_preference.value, found.self_preference.n) == (pytest.approx(0.0), 2)
    assert (found.family_preference.value, found.family_preference.n) == (pytest.approx(0.5), 1)


def test_a_model_under_several_decodings_is_itself_under_each() -> None:
    rows = [
        replace(pair("1", A, None, "B"), models=("cold", "x"), families=("f", "g")),
        replace(pair("2", B, None, "B"), models=("x", "warm"), families=("g", "f")),
        replace(pair("3", A, None, "B"), models=("cold", "warm"), families=("f", "f")),
    ]
    found = audit(rows, own={"cold", "warm"}, family="f")
    assert (found.self_preference.value, found.self_preference.n) == (pytest.approx(0.5), 2)
    assert found.family_preference.n == 0


def test_a_mean_has_the_interval_of_independent_values() -> None:
    found = mean_of([1.0, 2.0, 3.0])
    assert (found.value, found.n) == (2.0, 3)
    assert found.high == pytest.approx(2 + 4.302653 / 3**0.5)  # Student's, two degrees of freedom
    assert mean_of([4.0]).low is None
    assert mean_of([]).n == 0


def test_probabilities_are_held_against_the_majority() -> None:
    rows = [
        replace(pair("1", A, None, "A"), preference=0.9),
        replace(pair("2", A, None, "B"), preference=0.7),
    ]
    found = audit(rows)
    assert found.brier.value == pytest.approx((0.01 + 0.49) / 2)
    assert found.ece.value == pytest.approx((0.1 + 0.7) / 2)


def test_where_there_is_no_case_nothing_is_claimed() -> None:
    found = audit([pair("1", A)])
    assert found.agreement.value is None
    assert found.agreement.n == found.flip_rate.n == 0
    assert audit([]).unparsed_rate.value is None


def test_a_share_that_no_resample_changes_still_has_an_interval() -> None:
    same = [pair(item, A, A) for item in ("1", "2", "3") for _ in range(10)]
    found = audit(same).flip_rate
    assert (found.value, found.n) == (1.0, 30)
    assert found.low is not None
    assert found.low < 0.5  # three prompts, not thirty


def mirror(one: AuditPair) -> AuditPair:
    """The same pair with a and b exchanged, and so the two orders."""
    forward, backward = one.forward, one.backward
    return replace(
        one,
        forward=backward if backward else MIRRORED[forward],
        backward=forward if backward else None,
        people=tuple(MIRRORED[label] for label in one.people),
        preference=None if one.preference is None else 1 - one.preference,
        length=one.length and one.length[::-1],
        markup=one.markup and one.markup[::-1],
        models=one.models[::-1],
        families=one.families[::-1],
    )


PREFERENCES = st.sampled_from([A, B, TIE, UNPARSED])
PAIRS = st.lists(
    st.builds(
        AuditPair,
        st.sampled_from("pqr"),
        PREFERENCES,
        PREFERENCES,
        st.lists(st.sampled_from(["A", "B", "tie"]), max_size=3).map(tuple),
        st.none() | st.floats(0, 1),
        st.none() | st.tuples(st.integers(1, 50), st.integers(1, 50)),
        st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)),
        st.sampled_from([("m", "x"), ("x", "m"), ("x", "y")]),
        st.sampled_from([("f", None), (None, "f"), ("f", "f")]),
    ),
    max_size=8,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(PAIRS)
def test_which_answer_is_called_a_changes_nothing(pairs: list[AuditPair]) -> None:
    there = audit(pairs, own={"m"}, family="f")
    here = audit([mirror(one) for one in pairs], own={"m"}, family="f")
    for field in fields(Audit):
        if field.name != "ece":  # bins have sides
            mine, other = getattr(there, field.name), getattr(here, field.name)
            assert mine.n == other.n, field.name
            assert mine.value == pytest.approx(other.value, abs=1e-9), field.name


@pytest.mark.slow
def test_which_answer_is_called_a_changes_no_measure() -> None:
    dice = Random(1)
    pairs = [
        AuditPair(str(k), said, MIRRORED[said], (people,), preference=dice.random())
        for k in range(60)
        for said, people in [(dice.choice([A, B, TIE]), dice.choice(["A", "A", "B", "tie"]))]
    ]
    turned = [
        replace(
            one,
            forward=one.backward,
            backward=one.forward,
            people=tuple(MIRRORED[label] for label in one.people),
            preference=1 - one.preference,
        )
        for one in pairs
    ]
    for measure in ("agreement", "kappa", "kappa_parsed", "brier", "ece"):
        assert value(measure, turned) == pytest.approx(value(measure, pairs), abs=1e-9), measure
