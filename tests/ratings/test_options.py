"""What a fit may be asked: in one dataclass, or one by one."""

from dataclasses import fields

import numpy as np
import pytest

from arena.ratings import (
    CombineOptions,
    Comparisons,
    FitOptions,
    Interval,
    Ties,
    bradley_terry,
    combine,
)
from arena.ratings.comparisons import MoreColumns
from arena.ratings.options import CombineChanges, FitChanges
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


@pytest.fixture(scope="module")
def comparisons() -> Comparisons:
    return simulate(models=4, rows=300, prompts=30)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ties": "davidson"},
        {"interval": "bootstrap", "rounds": 40, "seed": 3},
        {"cluster": None, "confidence": 0.8},
        {"prior": 200.0, "anchor": ("m01", 1500.0)},
        {"interval": None},
    ],
)
def test_options_together_are_the_options_one_by_one(
    options: dict[str, object], comparisons: Comparisons
) -> None:
    one_by_one = bradley_terry(comparisons, **options)
    together = bradley_terry(comparisons, FitOptions(**options))
    assert together.settings == one_by_one.settings
    assert np.array_equal(together.ratings, one_by_one.ratings)
    for name in ("ci_low", "ci_high", "covariance"):
        first, second = getattr(together, name), getattr(one_by_one, name)
        assert (first is None) == (second is None) == (options.get("interval", "") is None)
        assert first is None or np.array_equal(first, second)


def test_an_option_by_itself_stands_in_the_place_of_the_bundles(comparisons: Comparisons) -> None:
    options = FitOptions(ties="davidson", confidence=0.8)
    found = bradley_terry(comparisons, options, confidence=0.9)
    assert (found.settings.ties, found.settings.confidence) == ("davidson", 0.9)
    assert options.confidence == 0.8
    other = combine(comparisons, None, None, "human", CombineOptions(confidence=0.8), seed=5)
    assert (other.settings.confidence, other.settings.seed) == (0.8, 5)


def test_a_style_is_a_name_or_several() -> None:
    c = simulate(models=3, rows=200)
    length = np.random.default_rng(1).normal(size=len(c))
    c = Comparisons(c.models, c.i, c.j, c.outcome, style={"length": length})
    by_name, by_list = (bradley_terry(c, style=style) for style in ("length", ["length"]))
    assert by_name.settings.style == by_list.settings.style == ("length",)
    assert np.array_equal(by_name.ratings, by_list.ratings)
    without = bradley_terry(c, FitOptions(style=("length",)), style=None)
    assert without.settings.style == ()
    assert not without.coefficients


def test_words_become_members_and_others_are_refused_with_the_allowed_ones() -> None:
    options = FitOptions(ties="rao-kupper", interval="bootstrap")
    assert options.ties is Ties.RAO_KUPPER
    assert options.interval is Interval.BOOTSTRAP
    with pytest.raises(InputError) as error:
        FitOptions(ties="drop")
    assert str(error.value) == "ties is 'drop'; allowed are 'half', 'davidson', 'rao-kupper'."
    with pytest.raises(InputError) as error:
        FitOptions(interval="wald")
    assert str(error.value) == "interval is 'wald'; allowed are 'sandwich', 'bootstrap'."


def test_what_ways_to_combine_share_is_what_is_left_of_a_fits_options() -> None:
    options = FitOptions(
        ties="davidson", style=("a",), cluster="voter", confidence=0.9, prior=7.0, seed=4,
        anchor=("m", 1.0),
    )  # fmt: skip
    assert options.shared() == CombineOptions(
        cluster="voter", confidence=0.9, prior=7.0, seed=4, anchor=("m", 1.0)
    )
    assert type(options.shared()) is CombineOptions


def test_the_options_by_name_are_those_of_the_dataclasses() -> None:
    assert set(CombineChanges.__annotations__) == {field.name for field in fields(CombineOptions)}
    assert set(FitChanges.__annotations__) == {field.name for field in fields(FitOptions)}


def test_an_unknown_option_is_a_mistake_in_the_program(comparisons: Comparisons) -> None:
    with pytest.raises(TypeError, match="tie"):
        bradley_terry(comparisons, tie="half")
    with pytest.raises(TypeError, match="ties"):
        combine(comparisons, ties="half")
    with pytest.raises(TypeError, match="no column is called 'prompts'; there are outcome, weight"):
        Comparisons.from_columns(["a"], ["b"], outcome=[1.0], prompts=["p"])


def test_columns_by_name_are_those_of_comparisons() -> None:
    known = {field.name for field in fields(Comparisons)} - {"models", "i", "j"}
    assert set(MoreColumns.__annotations__) == known


def test_auto_and_no_prior_are_the_same_for_what_combines() -> None:
    c = simulate(models=4, rows=60)
    none, auto = (combine(c, method="human", prior=prior) for prior in (None, "auto"))
    assert np.array_equal(none.ratings, auto.ratings)
    assert none.settings == auto.settings
