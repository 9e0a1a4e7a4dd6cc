"""A judge's leanings by pair of models, counted by hand."""

import math

import pytest

from arena.judging.report_card.audit import AuditPair
from arena.judging.report_card.pair_bias import pair_biases
from arena.records import Preference

A, B, TIE, UNPARSED = Preference.A, Preference.B, Preference.TIE, Preference.UNPARSED


def pair(
    models: tuple[str, str],
    forward: Preference,
    backward: Preference | None,
    *length: int,
    item: str = "p",
) -> AuditPair:
    a, b = length or (0, 0)
    return AuditPair(item, forward, backward, length=(a, b) if length else None, models=models)


PAIRS = [
    pair(("y", "x"), A, B, 200, 100),  # prefers y, twice as long
    pair(("x", "y"), B, A, 100, 800, item="q"),  # prefers y, eight times as long
    pair(("x", "y"), A, A, 100, 900),  # flips: prefers neither
    pair(("x", "y"), A, UNPARSED, 100, 900),
    pair(("x", "y"), TIE, TIE, 100, 900),
    pair(("x", "z"), A, None, 50, 100),  # one order; prefers x, half as long
    pair(("x", "z"), A, B),  # no texts
]


def test_pairs_are_gathered_by_their_models_whoever_stood_first() -> None:
    found = {bias.models: bias for bias in pair_biases(PAIRS)}
    assert list(found) == [("x", "y"), ("x", "z")]
    assert found["x", "y"].flips.value == 1 / 4
    assert found["x", "y"].flips.n == 4
    assert found["x", "z"].flips.n == 1


def test_how_much_longer_the_preferred_answer_is() -> None:
    found = {bias.models: bias.longer for bias in pair_biases(PAIRS)}
    assert found["x", "y"].value == pytest.approx(3.0)  # the mean of 2 and 8 is 4
    assert found["x", "y"].n == 2
    half = 12.706 * math.log(2)  # two prompts: Student's of one degree of freedom
    assert found["x", "y"].low == pytest.approx(4 * math.exp(-half) - 1, rel=1e-3)
    assert found["x", "y"].high == pytest.approx(4 * math.exp(half) - 1, rel=1e-3)
    assert found["x", "z"].value == pytest.approx(-0.5)
    assert found["x", "z"].low is None


def test_swapping_sides_changes_nothing() -> None:
    swapped = [
        AuditPair(
            p.item,
            p.backward,
            p.forward,
            length=p.length[::-1] if p.length else None,
            models=p.models[::-1],
        )
        for p in PAIRS
        if p.backward is not None
    ]
    kept = [p for p in PAIRS if p.backward is not None]
    assert pair_biases(swapped) == pair_biases(kept)


def test_nothing_gives_nothing() -> None:
    assert pair_biases([]) == []
