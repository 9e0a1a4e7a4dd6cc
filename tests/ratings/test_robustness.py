"""Whatever the data: finite ratings inside their intervals, or an error of the engine's own."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.ratings import (
    Comparisons,
    RatingResult,
    bradley_terry,
    combine,
    elo,
    goodness_of_fit,
    influence,
    integrity,
    next_pairs,
)
from arena.records.errors import ArenaError, InputError
from tests.ratings.simulated import simulate

METHODS = ("auto", "hierarchical", "ppi", "joint", "human")


def odd_data(rng: np.random.Generator, rows: int) -> Comparisons:
    """Few rows, few prompts, one-sided or tied outcomes, wild weights and covariates."""
    models = int(rng.integers(2, 11))
    i = rng.integers(0, models, rows)
    j = (i + rng.integers(1, models, rows)) % models
    shares = ((0.4, 0.2, 0.4), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))[rng.integers(3)]
    outcome = rng.random(rows) if rng.random() < 0.3 else rng.choice([0, 0.5, 1], rows, p=shares)
    columns: dict[str, Any] = {
        "prompt": [f"p{k}" for k in rng.integers(0, max(2, rows // 3), rows)],
        "voter": [f"v{k}" for k in rng.integers(0, 4, rows)],
        "weight": rng.random(rows) * 3 + 1e-3,
        "propensity": rng.random(rows) * 0.9 + 0.05,
        "style": {"length": rng.normal(size=rows) * rng.choice([1, 1000])},
    }
    kept = {name: column for name, column in columns.items() if rng.random() < 0.5}
    sides = ([f"m{k}" for k in side] for side in (i, j))
    return Comparisons.from_columns(*sides, outcome=outcome, **kept)


def is_sound(result: RatingResult) -> bool:
    if not np.isfinite(result.ratings).all():
        return False
    if result.ci_low is None or result.ci_high is None:
        return True
    slack = 1e-9
    below = (result.ci_low <= result.ratings + slack).all()
    above = (result.ci_high >= result.ratings - slack).all()
    return bool(below and above and len(result.as_rows()) == len(result.models))


def attempts(c: Comparisons, judge: Comparisons) -> list[Callable[[], Any]]:
    rated: list[Callable[[], RatingResult]] = [
        lambda ties=ties, prior=prior: bradley_terry(c, ties=ties, prior=prior)
        for ties in ("half", "davidson", "rao-kupper")
        for prior in (None, 400.0, 1.0)
    ]
    rated += [
        lambda method=method: combine(c, {"judge": judge}, method=method) for method in METHODS
    ]
    rated += [
        lambda: combine(None, {"judge": judge}),
        lambda: bradley_terry(c, interval="bootstrap", rounds=20, prior=400.0),
        lambda: bradley_terry(c, style=list(c.style)),
        lambda: elo(c, permutations=3),
    ]
    return [
        *(lambda rate=rate: is_sound(rate()) for rate in rated),
        lambda: len(next_pairs(c, 5)),
        lambda: influence(c) is not None,
        lambda: goodness_of_fit(c, bradley_terry(c, prior=400.0)).degrees > 0,
    ]


@pytest.mark.parametrize("seed", range(40))
def test_odd_data_gives_sound_ratings_or_a_sentence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    c, judge = odd_data(rng, int(rng.integers(1, 60))), odd_data(rng, int(rng.integers(1, 80)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for attempt in attempts(c, judge):
            with suppress(ArenaError):
                assert attempt()


@pytest.mark.parametrize("outcome", [0.0, 0.5, 1.0])
def test_the_first_vote_beside_many_verdicts_already_ranks(outcome: float) -> None:
    names = [f"m{k}" for k in range(9)]
    pairs = [(a, b, f"p{k}") for k in range(6) for a in names for b in names if a < b]
    judge = Comparisons.from_columns(
        *([pair[side] for pair in pairs] for side in (0, 1)),
        outcome=[0.0 if k % 4 else 1.0 for k in range(len(pairs))],
        prompt=[pair[2] for pair in pairs],
    )
    vote = Comparisons.from_columns(["m0"], ["m1"], outcome=[outcome], prompt=["p0"])
    result = combine(vote, {"judge": judge})
    assert result.settings.method == "hierarchical"
    assert is_sound(result)


def test_votes_that_are_all_ties_leave_a_wide_interval() -> None:
    """Twelve ties: no variance was seen, but a quarter of the votes may yet be decisive."""
    c = Comparisons.from_columns(["a"] * 12, ["b"] * 12, ["tie"] * 12)
    result = bradley_terry(c, cluster=None)
    assert result.ci_high is not None
    half = 1.959964 * np.sqrt(0.25 / (12 * 0.25)) * 400 / np.log(10) / 2
    assert result.ci_high[0] - result.ratings[0] == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("rate", [bradley_terry, elo, influence, integrity, combine])
def test_a_data_frame_is_refused_in_a_sentence(rate: Any) -> None:
    frame = pd.DataFrame({"model_a": ["a"], "model_b": ["b"], "winner": ["tie"]})
    with pytest.raises(InputError, match=r"takes Comparisons, not DataFrame.*from_frame"):
        rate(frame)
    with pytest.raises(InputError, match="next_pairs takes Comparisons"):
        next_pairs(frame, 3)


def test_judges_are_named_and_an_anchor_is_a_pair() -> None:
    c = simulate(4, 200)
    with pytest.raises(InputError, match="judges is Comparisons; it maps names"):
        combine(c, judges=c)  # type: ignore[arg-type]
    for anchor in ("red", ("m00", "red"), ("m00",)):
        with pytest.raises(InputError, match="it is a pair: a model and its rating"):
            bradley_terry(c, anchor=anchor)  # type: ignore[arg-type]


def test_comparisons_are_printed_in_a_line() -> None:
    c = Comparisons.from_columns("ab", "bc", ["tie"] * 2, prompt=[1, 2], style={"length": [0, 1]})
    assert repr(c) == "<2 comparisons of 3 models, with prompt, style 'length'>"
