"""Which pair is compared next: gains by exact refits, chances that are honest."""

from collections import Counter

import numpy as np
import pytest

from arena.ratings import Comparisons, next_pairs
from arena.ratings.fitting.likelihood import fit_counts, precision_of, win_probability
from arena.ratings.fitting.newton import bread
from arena.ratings.pairing.draws import EXPLORATION, after_one_more, information_gain
from arena.ratings.scale import WEAK_PRIOR
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


def state(c: Comparisons) -> tuple[np.ndarray, np.ndarray]:
    models = len(c.models)
    theta, hessian = fit_counts(c.pair_counts, precision_of(models, WEAK_PRIOR))
    return theta, bread(hessian, models)


def test_the_gain_is_the_drop_in_total_variance() -> None:
    theta, inverse = state(simulate(5, 60))
    gain = information_gain(theta, inverse, inverse @ inverse)
    p = win_probability(theta)
    for i in range(5):
        for j in range(5):
            if i == j:
                continue
            step = np.zeros(5)
            step[i], step[j] = 1.0, -1.0
            weight = p[i, j] * p[j, i]
            after = np.linalg.pinv(np.linalg.pinv(inverse) + weight * np.outer(step, step))
            assert gain[i, j] == pytest.approx(np.trace(inverse) - np.trace(after))
    assert gain == pytest.approx(gain.T)


def test_one_more_comparison_updates_covariance_and_square() -> None:
    theta, inverse = state(simulate(5, 60))
    p = float(win_probability(theta)[1, 3])
    step = np.zeros(5)
    step[1], step[3] = 1.0, -1.0
    exact = np.linalg.pinv(np.linalg.pinv(inverse) + p * (1 - p) * np.outer(step, step))
    found, square = after_one_more(inverse, inverse @ inverse, 1, 3, p)
    assert found == pytest.approx(exact, abs=1e-10)
    assert square == pytest.approx(exact @ exact, abs=1e-10)


@pytest.mark.slow
def test_propensities_are_the_chances_of_being_drawn() -> None:
    """The first pair of many draws comes as often as it says."""
    c = simulate(4, 60)
    drawn = [next_pairs(c, 1, seed=seed)[0] for seed in range(3000)]
    told = {frozenset((pair.model_a, pair.model_b)): pair.propensity for pair in drawn}
    seen = Counter(frozenset((pair.model_a, pair.model_b)) for pair in drawn)
    assert sum(told.values()) == pytest.approx(1.0)
    for pair, chance in told.items():
        error = np.sqrt(chance * (1 - chance) / 3000)
        assert seen[pair] / 3000 == pytest.approx(chance, abs=4 * error)
    left = sum(pair.model_a < pair.model_b for pair in drawn)
    assert left / 3000 == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(3000))


def test_every_pair_keeps_a_chance() -> None:
    c = simulate(5, 200)
    for pair in next_pairs(c, 40, seed=1):
        assert pair.propensity >= EXPLORATION / 10 - 1e-12
        assert pair.model_a != pair.model_b
    even = next_pairs(c, 5, exploration=1.0)
    assert {round(pair.propensity, 12) for pair in even} == {0.1}


def test_only_allowed_pairs_are_drawn() -> None:
    c = simulate(5, 200)
    allowed = [("m01", "m03"), ("m04", "m00"), ("m00", "nobody")]
    drawn = {frozenset((p.model_a, p.model_b)) for p in next_pairs(c, 60, allowed=allowed)}
    assert drawn == {frozenset(("m01", "m03")), frozenset(("m04", "m00"))}


@pytest.mark.parametrize(
    ("n", "options", "sentence"),
    [
        (0, {}, "n is 0; allowed is 1 or more"),
        (1, {"exploration": 0.0}, "exploration is 0.0"),
        (1, {"exploration": 1.1}, "exploration is 1.1"),
        (1, {"allowed": [("x", "y")]}, "none of the allowed pairs"),
        (1, {"prior": 0.0}, "prior is 0.0"),
    ],
)
def test_what_cannot_be_drawn_is_named(n: int, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        next_pairs(simulate(3, 30), n, **options)  # type: ignore[arg-type]


def test_draws_by_gain_lower_the_variance_more_than_even_ones() -> None:
    """A newcomer with one comparison among models that are well known."""
    old = simulate(6, 3000)
    c = Comparisons(
        (*old.models, "new"),
        np.append(old.i, 6).astype(np.int32),
        np.append(old.j, 2).astype(np.int32),
        np.append(old.outcome, 0.5),
    )
    theta, inverse = state(c)

    def total_after(exploration: float) -> float:
        left, square = inverse, inverse @ inverse
        for pair in next_pairs(c, 40, exploration=exploration, seed=3):
            i, j = c.models.index(pair.model_a), c.models.index(pair.model_b)
            left, square = after_one_more(left, square, i, j, float(win_probability(theta)[i, j]))
        return float(np.trace(left))

    assert total_after(EXPLORATION) < 0.6 * total_after(1.0)


def test_a_gain_is_the_drop_of_what_is_wanted() -> None:
    theta, inverse = state(simulate(5, 60))
    graph = np.abs(np.random.default_rng(1).normal(size=(5, 5)))
    graph = np.triu(graph, 1) + np.triu(graph, 1).T
    wanted = np.diag(graph.sum(axis=1)) - graph
    gain = information_gain(theta, inverse, inverse @ wanted @ inverse)
    p = float(win_probability(theta)[1, 3])
    step = np.array([0, 1.0, 0, -1.0, 0])
    after = np.linalg.pinv(np.linalg.pinv(inverse) + p * (1 - p) * np.outer(step, step))
    assert gain[1, 3] == pytest.approx(np.trace(wanted @ inverse) - np.trace(wanted @ after))
    square = after_one_more(inverse, inverse @ wanted @ inverse, 1, 3, p)[1]
    assert square == pytest.approx(after @ wanted @ after, abs=1e-10)
