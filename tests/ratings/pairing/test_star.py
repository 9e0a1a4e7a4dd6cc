"""What a baseline costs: against closed forms, and against fits to drawn comparisons."""

import numpy as np
import pytest

from arena.ratings import Comparisons, baseline_of, bradley_terry, star


def test_of_equal_models_a_star_is_as_wide_as_the_textbook_says() -> None:
    """Var is 4/n with the centre and 8/n else; over all pairs it is 4/n. n = 1 each."""
    for models in (3, 6, 20):
        found = star([f"m{k}" for k in range(models)], np.zeros(models), "m0")
        mean = (4 * (models - 1) + 8 * (models - 1) * (models - 2) / 2) / (
            models * (models - 1) / 2
        )
        assert found.wider == pytest.approx(np.sqrt(mean / 4))
        assert found.silent == 0
        assert not found.is_lopsided


def test_a_weak_baseline_says_little_and_the_best_is_proposed() -> None:
    names, theta = ["weak", "a", "middle", "b", "c"], np.array([-5.0, -0.5, 0.0, 0.5, 1.0])
    found = star(names, theta, "weak")
    assert (found.silent, found.others, found.is_lopsided) == (4, 4, True)
    by_hand = [np.sqrt(spread([(k, j) for j in range(5) if j != k], theta)) for k in range(5)]
    even = np.sqrt(spread([(i, j) for i in range(5) for j in range(i)], theta, 4 / 10))
    assert found.wider == pytest.approx(by_hand[0] / even)
    assert found.best == names[int(np.argmin(by_hand))] != "weak"
    assert found.best_wider == pytest.approx(min(by_hand) / even)
    assert star(names, theta, "middle").silent == 1


def spread(pairs: list[tuple[int, int]], theta: np.ndarray, each: float = 1.0) -> float:
    """The mean variance of a difference, by a pseudo-inverse; each: comparisons of each pair."""
    information = np.zeros((5, 5))
    for i, j in pairs:
        p = 1 / (1 + np.exp(theta[j] - theta[i]))
        step = np.eye(5)[i] - np.eye(5)[j]
        information += each * p * (1 - p) * np.outer(step, step)
    inverse = np.linalg.pinv(information)
    gaps = [np.eye(5)[i] - np.eye(5)[j] for i in range(5) for j in range(i)]
    return float(np.mean([gap @ inverse @ gap for gap in gaps]))


@pytest.mark.slow
def test_the_widths_are_those_of_fits() -> None:
    theta = np.array([0.9, 0.3, 0.0, -0.4, -0.8])
    names = tuple("abcde")
    rng = np.random.default_rng(3)

    def width(i: np.ndarray, j: np.ndarray) -> float:
        """Root mean square error of differences, from repeated data."""
        gaps = []
        for _ in range(300):
            won = (rng.random(len(i)) < 1 / (1 + np.exp(theta[j] - theta[i]))).astype(float)
            found = bradley_terry(Comparisons(names, i, j, won), interval=None).ratings
            away = found / 173.7178 - theta
            gaps.append(np.mean([(away[x] - away[y]) ** 2 for x in range(5) for y in range(x)]))
        return float(np.sqrt(np.mean(gaps)))

    i, j = (np.repeat(side, 200) for side in np.triu_indices(5, 1))
    other = np.repeat([1, 2, 3, 4], 500)
    centre = np.zeros(2000, dtype=int)
    ratio = width(centre, other) / width(i, j)
    assert star(names, theta, "a").wider == pytest.approx(ratio, rel=0.06)


def test_only_a_star_has_a_baseline() -> None:
    assert baseline_of(Comparisons.from_columns("aaa", "bcd", ["tie"] * 3)) == "a"
    assert baseline_of(Comparisons.from_columns("abd", "cca", ["tie"] * 3)) is None
    assert baseline_of(Comparisons.from_columns("aab", "bcc", ["tie"] * 3)) is None
    assert baseline_of(Comparisons.from_columns("a", "b", ["tie"])) is None
