"""Online Elo, and ratings that are kept up to date vote by vote."""

import numpy as np
import pytest

from arena.ratings import Comparisons, Online, bradley_terry, elo
from arena.ratings.online import RELINEARISE
from arena.ratings.scale import MEAN
from arena.records.errors import DisconnectedError, InputError, SeparatedError
from tests.ratings.simulated import simulate


def test_every_vote_moves_both_ratings_by_as_much() -> None:
    c = Comparisons.from_columns("aab", "bcc", ["model_a", "tie", "model_b"])
    r = elo(c, k=32)
    a, b, d = MEAN, MEAN, MEAN
    for first, won in ((1, 1.0), (2, 0.5), (3, 0.0)):
        if first == 1:
            move = 32 * (won - 1 / (1 + 10 ** ((b - a) / 400)))
            a, b = a + move, b - move
        elif first == 2:
            move = 32 * (won - 1 / (1 + 10 ** ((d - a) / 400)))
            a, d = a + move, d - move
        else:
            move = 32 * (won - 1 / (1 + 10 ** ((d - b) / 400)))
            b, d = b + move, d - move
    assert r.ratings == pytest.approx([a, b, d])
    assert r.ratings.mean() == pytest.approx(MEAN)
    assert r.ci_low is None
    assert r.rank_low is None


def test_a_vote_of_weight_two_moves_twice_as_far() -> None:
    one = elo(Comparisons.from_columns("a", "b", ["model_a"]))
    two = elo(Comparisons.from_columns("a", "b", ["model_a"], weight=[2.0]))
    assert two.ratings - MEAN == pytest.approx(2 * (one.ratings - MEAN))


def test_resampled_orders_say_how_far_the_order_and_the_sample_matter() -> None:
    c = simulate(5, 500)
    r = elo(c, permutations=50, k=8)
    assert r.ci_low is not None
    assert r.ci_high is not None
    assert (r.ci_low < r.ratings).all()
    assert (r.ratings < r.ci_high).all()
    assert r.covariance is not None
    assert r.covariance.shape == (5, 5)
    again = elo(c, permutations=50, k=8)
    assert again.ratings.tolist() == r.ratings.tolist()
    assert elo(c, permutations=50, k=8, seed=1).ratings.tolist() != r.ratings.tolist()
    # The order of the rows is resampled too, so it does not matter much.
    turned = elo(c.select(np.arange(len(c))[::-1]), permutations=50, k=8)
    assert turned.ratings == pytest.approx(r.ratings, abs=25)


def test_a_gap_too_wide_for_an_exponential_is_a_probability_of_nought() -> None:
    c = Comparisons.from_columns("a" * 3, "b" * 3, ["model_a", "model_b", "model_a"])
    r = elo(c, k=1e6)
    assert np.isfinite(r.ratings).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"k": 0.0}, "k is 0.0"),
        ({"k": float("inf")}, "k is inf"),
        ({"k": float("nan")}, "k is nan"),
        ({"permutations": 0}, "permutations is 0; allowed is 1 or more"),
        ({"confidence": 1.0}, "confidence is 1.0"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, float], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        elo(simulate(3, 20), **options)  # type: ignore[arg-type]


# Vote by vote.


def more(c: Comparisons, votes: list[tuple[int, int, float]]) -> Comparisons:
    i, j, outcome = map(np.array, zip(*votes, strict=True))
    return Comparisons(
        c.models,
        np.concatenate([c.i, i.astype(np.int32)]),
        np.concatenate([c.j, j.astype(np.int32)]),
        np.concatenate([c.outcome, outcome]),
    )


@pytest.mark.parametrize("votes", [1, 5, RELINEARISE - 1, RELINEARISE, RELINEARISE + 3])
def test_ratings_follow_the_exact_fit(votes: int) -> None:
    rng = np.random.default_rng(votes)
    base = simulate(6, 400, seed=1)
    state, cast = Online.of(base), []
    for _ in range(votes):
        i = int(rng.integers(6))
        j = int((i + rng.integers(1, 6)) % 6)
        cast.append((i, j, float(rng.choice([0.0, 0.5, 1.0]))))
        state = state.after(*cast[-1])
    exact = bradley_terry(more(base, cast), cluster=None)
    assert state.ratings == pytest.approx(exact.ratings, abs=1e-3)
    assert exact.covariance is not None
    error = np.sqrt(np.diagonal(exact.covariance))
    assert np.sqrt(np.diagonal(state.covariance)) == pytest.approx(error, rel=0.05)
    assert len(state.since) == votes % RELINEARISE


def test_a_state_is_not_changed_by_the_next_one() -> None:
    before = Online.of(simulate(4, 100))
    ratings = before.ratings.copy()
    before.after(0, 1, 1.0)
    assert before.ratings.tolist() == ratings.tolist()
    assert before.since == ()


@pytest.mark.parametrize("vote", [(1, 1, 1.0), (0, 1, 1.5), (0, 1, float("nan"))])
def test_what_is_no_comparison_is_refused(vote: tuple[int, int, float]) -> None:
    with pytest.raises(InputError, match="are no comparison"):
        Online.of(simulate(4, 100)).after(*vote)


def test_a_start_without_finite_ratings_is_named() -> None:
    with pytest.raises(SeparatedError):
        Online.of(Comparisons.from_columns("a", "b", ["model_a"]))
    with pytest.raises(DisconnectedError):
        Online.of(Comparisons.from_columns("ac", "bd", ["tie", "tie"]))
