"""A figure with its interval: shares, means, and whatever can be resampled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from arena.ratings.arrays import Floats, Ints, totals
from arena.records.errors import InputError

ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, and how many items it is made of.

    The ends are NaN where the items do not tell how far the number varies: one item, one group
    of them, or a value that is the same in all.
    """

    value: float
    ci_low: float
    ci_high: float
    items: int

    @property
    def ends(self) -> tuple[float, float] | tuple[None, None]:
        """Both ends of the interval; None where they are not known."""
        return (None, None) if np.isnan(self.ci_low) else (float(self.ci_low), float(self.ci_high))


def score_interval(value: float, count: float, z: float) -> tuple[float, float]:
    """Wilson's interval (1927) of a share.

    value: the share, in [0, 1]. count: of the independent cases that it is of, > 0. z: half-width
    in standard errors.
    """
    middle = (value + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (value * (1 - value) / count + (z / (2 * count)) ** 2) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """A share of independent trials with Wilson's score interval (1927)."""
    if not 0 <= successes <= trials or trials < 1:
        raise InputError(f"{successes} of {trials} is not a share.")
    value = successes / trials
    return Estimate(value, *score_interval(value, trials, _normal(confidence)), trials)


def share(
    hits: Sequence[bool] | Floats, groups: Ints | None = None, *, confidence: float = 0.95
) -> Estimate:
    """How many of (n,) cases are hits, with Wilson's interval at their effective number.

    groups: (n,) codes from 0 of cases that go together, such as those of one prompt; None is
    each its own. The effective number is n over the design effect, with the allowance for few
    groups of Korn and Graubard (1998); where all cases are alike it is the number of groups.
    With each case its own group this is Wilson's interval itself.
    """
    cases = np.asarray(hits, dtype=np.float64)
    if not len(cases):
        raise InputError("a share needs at least one case.")
    value = float(cases.mean())
    count = _effective(cases - value, groups, confidence)
    return Estimate(value, *score_interval(value, count, _normal(confidence)), len(cases))


def mean(
    values: Sequence[float] | Floats, groups: Ints | None = None, *, confidence: float = 0.95
) -> Estimate:
    """The mean of (n,) values with Student's interval, clustered by group; see `share`."""
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        raise InputError("a mean needs at least one value.")
    value, n = float(values.mean()), len(values)
    residual = values - value
    sums, count = (residual, n) if groups is None else _by_group(residual, groups)
    spread = float(np.sqrt(sums @ sums)) / n
    if count < 2 or spread == 0.0:
        return Estimate(value, np.nan, np.nan, n)
    half = float(stdtrit(count - 1, 0.5 + confidence / 2)) * spread * (count / (count - 1)) ** 0.5
    return Estimate(value, value - half, value + half, n)


def marks(values: Sequence[float] | Floats, *, confidence: float = 0.95) -> Estimate:
    """The mean of (n,) values in [0, 1], with an interval that stays in there.

    It is Wilson's where each value is 0 or 1, and else Student's, cut at 0 and 1.
    """
    values = np.asarray(values, dtype=np.float64)
    if _are_right_or_wrong(values):
        return share(values == 1.0, confidence=confidence)
    found = mean(values, confidence=confidence)
    low, high = max(0.0, found.ci_low), min(1.0, found.ci_high)  # NaN, where not known, stays
    return Estimate(found.value, low, high, found.items) if found.ends[0] is not None else found


def paired_difference(
    values: Sequence[float] | Floats,
    base: Sequence[float] | Floats,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """The mean of `values` minus that of `base`, both (n,) in [0, 1] and of the same items.

    The interval is Newcombe's for paired shares (1998, Statistics in Medicine 17:2635, method 10):
    both means have an interval of their own, as `marks` gives it, and these are put together by
    the correlation of the items. It lies within -1 and 1, which Student's of the differences does
    not, and it is there where all items differ alike. Values between 0 and 1 are taken the same
    way, with their plain correlation (Zou and Donner 2008). It is not known where one of the two
    means has none.
    """
    a, b = np.asarray(values, dtype=np.float64), np.asarray(base, dtype=np.float64)
    if len(a) != len(b):
        raise InputError(f"{len(a)} values do not pair with {len(b)}.")
    first, second = marks(a, confidence=confidence), marks(b, confidence=confidence)
    value, n = first.value - second.value, len(a)
    if first.ends[0] is None or second.ends[0] is None:
        return Estimate(value, np.nan, np.nan, n)
    together = _correlation(a, b)
    below = _apart(first.value - first.ci_low, second.ci_high - second.value, together)
    above = _apart(first.ci_high - first.value, second.value - second.ci_low, together)
    return Estimate(value, max(-1.0, value - below), min(1.0, value + above), n)


def _correlation(a: Floats, b: Floats) -> float:
    """Of pairs; 0 where one side is constant.

    For values of 0 and 1 the cross product is n11 n00 - n10 n01, which Newcombe corrects towards
    0 where it is positive, as few items make it seem larger than it is.
    """
    n = len(a)
    cross = n * float(a @ b) - float(a.sum()) * float(b.sum())
    spread = [n * float(x @ x) - float(x.sum()) ** 2 for x in (a, b)]
    scale = float(max(0.0, spread[0] * spread[1]) ** 0.5)
    if scale == 0.0:
        return 0.0
    if cross > 0 and _are_right_or_wrong(a) and _are_right_or_wrong(b):
        cross = max(0.0, cross - n / 2)
    return max(-1.0, float(cross / scale))


def _are_right_or_wrong(values: Floats) -> bool:
    return bool(((values == 0.0) | (values == 1.0)).all())


def _apart(a: float, b: float, correlation: float) -> float:
    return float(max(0.0, a**2 - 2 * correlation * a * b + b**2) ** 0.5)


def resampled(
    statistic: Callable[[Floats], float],
    groups: Ints,
    confidence: float = 0.95,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """The statistic of all items, and percentiles of it over resampled groups.

    statistic: of the items' weights (n,); NaN where it is undefined. groups: (n,) codes.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    size = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(rounds):
        weight = totals(rng.integers(size, size=size), None, size)[codes]
        draws.append(statistic(weight) if weight.any() else float("nan"))
    tail = 0.5 - confidence / 2.0
    # A resample in which a statistic is undefined says nothing about its spread.
    defined = np.array(draws)[~np.isnan(draws)]
    low = high = np.nan
    if defined.size and not np.allclose(defined, defined[0], rtol=1e-12, atol=1e-12):
        low, high = np.quantile(defined, [tail, 1 - tail], method="weibull")
    return Estimate(statistic(np.ones(len(groups))), float(low), float(high), len(groups))


def _normal(confidence: float) -> float:
    return float(ndtri(0.5 + confidence / 2.0))


def _effective(residual: Floats, groups: Ints | None, confidence: float) -> float:
    """How many independent cases tell as much about a share; residual: (n,) hits minus it."""
    n = len(residual)
    if groups is None:
        return n
    sums, count = _by_group(residual, groups)
    total = float(residual @ residual)
    if count == n or count == 1 or total == 0.0:
        return count
    effect = float(sums @ sums) / total * (count / (count - 1)) * ((n - 1) / n)
    tail = 0.5 + confidence / 2.0
    few = float(stdtrit(n - 1, tail) / stdtrit(count - 1, tail)) ** 2
    return n / max(1.0, effect) * few


def _by_group(values: Floats, groups: Ints) -> tuple[Floats, int]:
    """Sums by group (groups,), and how many groups there are."""
    return totals(groups, values, int(groups.max()) + 1), int(np.count_nonzero(np.bincount(groups)))
