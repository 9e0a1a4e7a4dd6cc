from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.backends import Odds
from arena.judging.parsing import parse_score, parse_verdict, read_score, read_verdict
from arena.records import Preference

OPTIONS = {"A": "A", "B": "B", "tie": "C"}


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("Because. [[A]]", "A"),
        ("[[ b ]]", "B"),
        ("[[C]]", "tie"),
        ("[[A]] at first, but on reflection [[B]]", "B"),
        ("<think>[[A]] looks good</think> My verdict: [[B]]", "B"),
        ("[[A]] <think>or rather [[B]]", "A"),
        ("<think>[[A]]", "unparsed"),
        ("A", "unparsed"),
        ("[[D]]", "unparsed"),
        ("[[A]] [[tie]]", "unparsed"),
        ("", "unparsed"),
        ("[[]]", "unparsed"),
    ],
)
def test_the_last_verdict_of_those_offered_counts(text: str, preference: str) -> None:
    parsed = parse_verdict(text, OPTIONS)
    assert parsed.preference == preference
    assert bool(parsed.reason) == (preference == "unparsed")


@given(st.text() | st.from_regex(r"(\[\[[ABCD\]\[]*\]\]|</?think>| )*", fullmatch=True))
def test_no_text_raises_and_nothing_outside_the_set_counts(text: str) -> None:
    parsed = parse_verdict(text, {"A": "A", "B": "B"})
    assert parsed.preference is not Preference.TIE
    if parsed.preference is not Preference.UNPARSED:
        assert "[[" in text
    value = parse_score(text, (1, 10)).value
    assert value is None or 1 <= value <= 10


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[7]]", 7),
        ("[[3]] no, [[ 8.5 ]]", 8.5),
        ("[[11]]", None),
        ("[[0]]", None),
        ("[[seven]]", None),
        ("[[1e1]]", None),
        ("[[٣]]", None),
        ("7", None),
    ],
)
def test_scores(text: str, value: float | None) -> None:
    assert parse_score(text, (1, 10)).value == value


def test_odds_are_read_as_shares_of_their_mass() -> None:
    parsed, read = read_verdict(Odds((log(0.6), log(0.2), log(0.1))), OPTIONS)
    assert parsed.preference is Preference.A
    assert (read.p_first, read.p_second, read.p_tie) == pytest.approx((6 / 9, 2 / 9, 1 / 9))
    assert read.mass == pytest.approx(0.9)


def test_odds_with_less_than_half_of_the_mass_are_unparsed() -> None:
    parsed, read = read_verdict(Odds((log(0.3), log(0.1), log(0.05))), OPTIONS)
    assert parsed.preference is Preference.UNPARSED
    assert "0.45" in parsed.reason
    assert read.p_first > read.p_second
    assert read_score(Odds((log(0.2), log(0.2))), (1, 2)).value is None


def test_a_score_from_odds_is_the_expectation() -> None:
    assert read_score(Odds((log(0.2), log(0.6))), (4, 5)).value == pytest.approx(4.75)
