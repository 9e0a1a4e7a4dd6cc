import numpy as np
import pytest

from arena.ratings import share, wilson
from arena.ratings.intervals.estimates import marks, mean, paired_difference, resampled
from arena.records.errors import InputError


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


def paired(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of right and wrong with these counts of the four kinds of pairs."""
    counts = [both, first, second, neither]
    return np.repeat([1.0, 1.0, 0.0, 0.0], counts), np.repeat([1.0, 0.0, 1.0, 0.0], counts)


def test_a_paired_difference_published_case() -> None:
    """Fagerland, Lydersen and Laake 2014: 1, 1, 7 and 12 children, by Newcombe's method."""
    found = paired_difference(*paired(1, 1, 7, 12))
    assert found.value == pytest.approx(-6 / 21)
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.507, -0.026), abs=5e-4)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_a_paired_difference_never_leaves_what_is_possible(n: int) -> None:
    """Every table of that size; Student's interval of the differences reaches beyond 1."""
    beyond = 0
    for code in range(4**n):
        kinds = [code // 4**k % 4 for k in range(n)] if n < 4 else None
        if kinds is None:
            kinds = np.random.default_rng(code).integers(4, size=n).tolist()
        if code > 300:
            break
        counts = [kinds.count(k) for k in range(4)]
        a, b = paired(*counts)
        found = paired_difference(a, b)
        assert -1 <= found.ci_low <= found.value <= found.ci_high <= 1
        swapped = paired_difference(b, a)
        ends = -swapped.ci_high, -swapped.ci_low
        assert (found.ci_low, found.ci_high) == pytest.approx(ends)
        beyond += mean(a - b).ci_high > 1
    assert beyond or n == 1


@pytest.mark.parametrize("n", [8, 20, 60])
@pytest.mark.parametrize(("p", "q", "r"), [(0.5, 0.5, 0.5), (0.3, 0.6, 0.3), (0.5, 0.9, -0.3)])
def test_a_paired_difference_covers(n: int, p: float, q: float, r: float) -> None:
    both = p * q + r * (p * (1 - p) * q * (1 - q)) ** 0.5
    shares = [both, p - both, q - both, 1 - p - q + both]
    rng, covered = np.random.default_rng(n), 0
    for _ in range(500):
        found = paired_difference(*paired(*rng.multinomial(n, shares)))
        covered += found.ci_low <= p - q <= found.ci_high
    assert 0.92 < covered / 500 <= 1


def test_a_paired_difference_of_marks_between_right_and_wrong() -> None:
    """Many items: it is Student's there, and the order of the items is of no account."""
    rng = np.random.default_rng(3)
    base = rng.uniform(0.2, 0.6, 400)
    values = np.clip(base + rng.normal(0.1, 0.1, 400), 0, 1)
    found, plain = paired_difference(values, base), mean(values - base)
    assert found.value == pytest.approx(plain.value)
    assert found.ci_high - found.ci_low == pytest.approx(plain.ci_high - plain.ci_low, rel=0.05)
    order = rng.permutation(400)
    again = paired_difference(values[order], base[order])
    assert (again.ci_low, again.ci_high) == pytest.approx((found.ci_low, found.ci_high))


def test_a_paired_difference_is_unknown_where_a_mean_has_no_interval() -> None:
    found = paired_difference([0.5], [0.7])
    assert found.ends == (None, None)
    assert found.value == pytest.approx(-0.2)
    with pytest.raises(InputError, match="2 values do not pair with 3"):
        paired_difference([0.0, 1.0], [0.0, 1.0, 1.0])


def test_marks_have_an_interval_of_their_kind_that_stays_within_0_and_1() -> None:
    assert marks([1.0, 0.0, 1.0]) == share([True, False, True])
    found, plain = marks([0.9, 1.0, 0.2]), mean([0.9, 1.0, 0.2])
    assert plain.ci_high > 1
    assert (found.ci_low, found.ci_high) == (max(0.0, plain.ci_low), 1.0)
    assert marks([0.5, 0.5]).ends == (None, None)


def test_of_nothing_there_is_no_share() -> None:
    with pytest.raises(InputError, match="at least one case"):
        share([])
    with pytest.raises(InputError, match="at least one value"):
        mean([])
