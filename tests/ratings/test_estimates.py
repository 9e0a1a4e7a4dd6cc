import numpy as np
import pytest

from arena.errors import InputError
from arena.ratings import share, wilson
from arena.ratings.intervals.estimates import mean, resampled


def test_wilson_published_case() -> None:
    # Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662.
    found = wilson(81, 263)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 10).ci_low == 0.0
    with pytest.raises(InputError, match="11 of 10"):
        wilson(11, 10)


def test_a_share_of_independent_cases_is_wilsons() -> None:
    hits = [True] * 81 + [False] * 182
    expected = wilson(81, 263)
    for groups in (None, np.arange(263), np.arange(263)[::-1]):
        found = share(hits, groups)
        assert (found.value, found.items) == (expected.value, 263)
        assert (found.ci_low, found.ci_high) == pytest.approx((expected.ci_low, expected.ci_high))


def test_copies_of_cases_tell_no_more() -> None:
    hits = np.arange(100) % 3 == 0
    once = share(hits)
    copied = share(np.repeat(hits, 7), np.repeat(np.arange(100), 7))
    assert copied.value == once.value
    assert (copied.ci_low, copied.ci_high) == pytest.approx((once.ci_low, once.ci_high), abs=0.002)


def test_where_all_cases_are_alike_their_groups_count() -> None:
    found = share([True] * 30, np.repeat(np.arange(3), 10))
    assert (found.value, found.ci_low) == (1.0, wilson(3, 3).ci_low)


@pytest.mark.parametrize(("prompts", "rate"), [(13, 0.1), (13, 0.5), (50, 0.1), (50, 0.5)])
def test_a_share_clustered_by_prompt_covers(prompts: int, rate: float) -> None:
    """Twenty cases a prompt with an intra-class correlation of 0.2, where Wilson's own fails."""
    rng = np.random.default_rng(prompts)
    groups = np.repeat(np.arange(prompts), 20)
    covered = np.zeros((400, 2))
    for row in covered:
        # A beta distribution of rates with a + b = 4 has the correlation 1 / (a + b + 1).
        rates = rng.beta(4 * rate, 4 * (1 - rate), prompts)
        hits = rng.random(len(groups)) < rates[groups]
        for k, codes in enumerate((groups, None)):
            found = share(hits, codes)
            row[k] = found.ci_low <= rate <= found.ci_high
    clustered, plain = covered.mean(0)
    assert 0.92 < clustered < 0.99
    assert plain < 0.75


def test_a_mean_has_students_interval() -> None:
    found = mean([1.0, 2.0, 3.0])
    assert (found.value, found.items) == (2.0, 3)
    assert found.ci_high == pytest.approx(2 + 4.302653 / 3**0.5)
    copied = mean(np.repeat([1.0, 2.0, 3.0], 5), np.repeat([0, 1, 2], 5))
    assert copied.ci_high == pytest.approx(found.ci_high)


def test_what_never_varies_has_no_interval() -> None:
    assert np.isnan(mean([4.0]).ci_low)
    assert np.isnan(mean([4.0, 4.0]).ci_low)
    found = resampled(lambda rows: float(rows @ np.ones(4) / rows.sum()), np.arange(4))
    assert found.value == 1.0
    assert np.isnan(found.ci_low)
    assert np.isnan(found.ci_high)


def test_of_nothing_there_is_no_share() -> None:
    with pytest.raises(InputError, match="at least one case"):
        share([])
    with pytest.raises(InputError, match="at least one value"):
        mean([])
