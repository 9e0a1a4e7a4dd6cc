"""Whether one number a model is enough, by hand and in simulation."""

import numpy as np
import pytest
from scipy.stats import chi2

from arena.ratings import Comparisons, bradley_terry, goodness_of_fit, win_matrix
from arena.records.errors import InputError
from tests.ratings.simulated import simulate

Wins = dict[str, tuple[int, int]]


def of(wins: Wins) -> Comparisons:
    """Comparisons "ab": how often a won, and how often b."""
    rows = [
        (pair[0], pair[1], won, count)
        for pair, (first, second) in wins.items()
        for won, count in ((1.0, first), (0.0, second))
        if count
    ]
    a, b, outcome, weight = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, weight=[float(w) for w in weight])


CIRCLE: Wins = {"ab": (30, 10), "bc": (30, 10), "ca": (30, 10)}


def test_a_circle_is_as_bad_as_it_is_by_hand() -> None:
    """All ratings are equal, so every pair is off by 10 wins of 40, where √10 is one error."""
    c = of(CIRCLE)
    fit = goodness_of_fit(c, bradley_terry(c))
    statistic = 3 * 10**2 / 10
    assert fit.statistic == pytest.approx(statistic)
    assert fit.degrees == 1
    assert fit.p_value == pytest.approx(chi2.sf(statistic, 1))
    assert fit.dispersion == pytest.approx(statistic)
    assert abs(fit.worst_deviation) == pytest.approx(np.sqrt(10))


def test_ties_that_vary_less_than_coin_flips_are_allowed_for() -> None:
    """Half of the comparisons ties: the variance is half of a coin's, so deviations count twice."""
    plain = of(CIRCLE)
    ties = Comparisons.from_columns("abc", "bca", outcome=[0.5] * 3, weight=[40.0] * 3)
    both = Comparisons(
        plain.models,
        np.concatenate([plain.i, ties.i]),
        np.concatenate([plain.j, ties.j]),
        np.concatenate([plain.outcome, ties.outcome]),
        weight=np.concatenate([plain.weight, ties.weight]),
    )
    fit = goodness_of_fit(both, bradley_terry(both))
    # 80 comparisons a pair, 10 points off; variance is 80/4 at half the size.
    assert fit.statistic == pytest.approx(3 * 10**2 / (80 / 4 / 2))


def test_the_worst_pair_is_named_with_the_sign_of_its_first() -> None:
    wins: Wins = {"ab": (20, 20), "bc": (20, 20), "cd": (20, 20), "da": (20, 20), "ac": (35, 5)}
    c = of(wins)
    fit = goodness_of_fit(c, bradley_terry(c))
    assert fit.worst == ("a", "c")
    assert fit.worst_deviation > 0
    turned = goodness_of_fit(c.swapped(), bradley_terry(c.swapped()))
    assert turned.worst == fit.worst
    assert turned.statistic == pytest.approx(fit.statistic)


def test_the_win_matrix_shows_rates_and_leaves_out_who_never_met() -> None:
    c = of({"ab": (3, 1), "bc": (1, 1)})
    m = win_matrix(c, bradley_terry(c))
    assert m.models == ("a", "b", "c")
    assert m.observed[0, 1] == 0.75
    assert m.observed[1, 0] == 0.25
    assert np.isnan(m.observed[0, 2])
    # In a chain every pair that met is fitted exactly, and the third follows from them.
    assert m.predicted[0, 1] == pytest.approx(0.75)
    assert m.predicted[0, 2] == pytest.approx(0.75)
    assert m.played[0, 1] == 4


def test_a_result_of_other_models_is_refused() -> None:
    with pytest.raises(InputError, match="other models"):
        win_matrix(of(CIRCLE), bradley_terry(simulate(3, 60)))


@pytest.mark.parametrize(
    ("wins", "sentence"),
    [({"ab": (3, 1), "bc": (2, 2)}, "too few pairs"), ({"ab": (3, 1)}, "too few pairs")],
)
def test_a_fit_without_a_pair_to_spare_cannot_be_tested(wins: Wins, sentence: str) -> None:
    c = of(wins)
    with pytest.raises(InputError, match=sentence):
        goodness_of_fit(c, bradley_terry(c))


def test_ties_alone_give_no_chance_to_measure_by() -> None:
    c = Comparisons.from_columns("abc", "bca", outcome=[0.5] * 3)
    with pytest.raises(InputError, match="every comparison is a tie"):
        goodness_of_fit(c, bradley_terry(c))
