"""Whose votes decide, beside trying all sets; and the cap on one voter."""

from itertools import combinations

import numpy as np
import pytest

from arena.ratings import Comparisons, capped, influence
from arena.ratings.fitting.fitted import fit_half
from arena.ratings.fitting.likelihood import precision_of
from arena.ratings.voter_audit.audit import FREE, explain
from arena.ratings.voter_audit.influence import FLAT_PRIOR
from arena.records.errors import InputError, RatingError
from tests.ratings.simulated import simulate


def first_of(c: Comparisons) -> str:
    theta = fit_half(c, precision_of(len(c.models), FLAT_PRIOR)).theta
    return c.models[int(np.argmax(theta))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_no_smaller_set_of_votes_unseats_the_first(seed: int) -> None:
    """Found by trying every set, on data small enough for that."""
    c = simulate(3, 16, ties=0.1, seed=seed)
    found = influence(c)
    assert first_of(c) == found.first
    kept = np.setdiff1d(np.arange(len(c)), found.rows)
    assert first_of(c.select(kept)) == found.successor != found.first
    for size in range(1, min(len(found.rows), 4)):
        for rows in combinations(range(len(c)), size):
            rest = c.select(np.setdiff1d(np.arange(len(c)), rows))
            assert first_of(rest) == found.first, rows


def test_voters_are_named_with_most_rows_first() -> None:
    c = Comparisons.from_columns(
        "a" * 7 + "b" * 4,
        "b" * 7 + "a" * 4,
        ["model_a"] * 11,
        voter=["zoe", "ann", "ann", "ann", "bob", "bob", "zoe", "dan", "dan", "dan", "dan"],
    )
    found = influence(c)
    assert found.first == "a"
    assert found.successor == "b"
    assert len(found.rows) == 4
    assert sum(count for _, count in found.voters) == 4
    assert [count for _, count in found.voters] == sorted(
        (count for _, count in found.voters), reverse=True
    )
    assert not {"dan"} & {name for name, _ in found.voters}


def test_a_first_place_that_nothing_shakes_is_said_to_be_so() -> None:
    c = Comparisons.from_columns("aab", "bcc", ["model_a"] * 2 + ["tie"], weight=[1.0, 1.0, 9.0])
    with pytest.raises(RatingError, match="unseats a"):
        influence(c)


def test_influence_takes_comparisons_only() -> None:
    with pytest.raises(InputError, match="takes Comparisons"):
        influence([1, 2])  # type: ignore[arg-type]


def busy(votes: int, others: int = 40) -> Comparisons:
    """One voter with many votes on a and b, and others with five each."""
    rng = np.random.default_rng(0)
    voter = ["busy"] * votes + [f"v{k}" for k in range(others) for _ in range(5)]
    return Comparisons.from_columns(
        ["a"] * len(voter),
        ["b"] * len(voter),
        outcome=np.append(np.ones(votes), rng.integers(0, 2, 5 * others) * 1.0),
        voter=voter,
    )


@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
def test_nobody_has_more_than_the_share_of_a_models_votes(share: float) -> None:
    c = capped(busy(300), share)
    assert c.weight is not None
    assert c.voter is not None
    by_voter = np.bincount(c.voter.codes, c.weight)
    limit = max(FREE, share * c.weight.sum())
    assert (by_voter <= limit * (1 + 1e-6)).all()
    if share == 1.0:
        assert c.weight.tolist() == [1.0] * len(c)


def test_the_first_few_votes_count_in_full() -> None:
    c = capped(busy(5, others=2), 0.01)
    assert c.weight is not None
    assert c.weight.tolist() == [1.0] * len(c)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, float("nan")])
def test_a_cap_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="the cap is"):
        capped(busy(10), share)


def test_shares_of_the_ways_to_be_bad_sum_to_one_and_follow_the_odds() -> None:
    odds = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, -9.0], [-9.0, -9.0]])
    shares = explain(odds)
    assert shares.sum(axis=1) == pytest.approx(np.ones(4))
    assert shares[1].argmax() == 1
    assert shares[3].argmax() == 0
    assert shares[3, 0] > shares[0, 0] > shares[1, 0]


def test_how_many_are_bad_is_learned_from_all_of_them() -> None:
    """The same evidence counts for more where many look so."""
    few, many = np.full((200, 1), -3.0), np.full((200, 1), -3.0)
    few[:2] = many[:80] = 2.0
    assert explain(many)[0, 1] > explain(few)[0, 1]
