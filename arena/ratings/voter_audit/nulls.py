"""How honest people's counts vary, learned from all of them.

A test that takes people for copies of each other flags a fifth of the honest ones. So k of
n, where p was expected, is compared with a beta-binomial distribution whose spread, and
shift from the expected, are fitted to everybody at once. Bad actors would widen it; the fit
therefore gives each count a small chance to be one of theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, expit, gammaln, log_expit, logit

from arena.ratings.arrays import Bools, Floats, Ints, totals

# Priors of the fit, which matter in small crowds: the spread and how far it may be off, in
# log-odds; how far the shift may be off 0; one bad count in so many.
SPREAD, SPREAD_SD, SHIFT_SD, BAD = 0.02, 1.0, 0.5, 20.0
ENOUGH = 5_000  # counts; more do not make the fit better
TERMS = 1 << 18  # of tails, that are held at once
Likelihood = Callable[["Counts"], Floats]


@dataclass(frozen=True, eq=False)
class Counts:
    """k of n where a share p was expected; all (m,)."""

    k: Floats
    n: Floats
    p: Floats

    @property
    def ratio(self) -> Floats:
        """(m,) k of n, NaN where n is 0."""
        nothing = np.full(len(self.n), np.nan)
        return np.asarray(np.divide(self.k, self.n, out=nothing, where=self.n > 0.0))

    def __getitem__(self, rows: Bools | Ints | slice) -> "Counts":
        return Counts(self.k[rows], self.n[rows], self.p[rows])


@dataclass(frozen=True, slots=True)
class Null:
    """How honest counts vary.

    shift: of their log-odds from what was expected. spread: correlation of two votes of one
    person, in (0, 1).
    """

    shift: float
    spread: float

    def shape(self, p: Floats) -> tuple[Floats, Floats]:
        """(m,) and (m,) parameters of the beta distribution around each p."""
        mean = expit(logit(np.clip(p, 1e-6, 1.0 - 1e-6)) + self.shift)
        size = (1.0 - self.spread) / self.spread
        return mean * size, (1.0 - mean) * size

    def log_probability(self, x: Counts) -> Floats:
        """(m,) of k."""
        a, b = self.shape(x.p)
        ways = gammaln(x.n + 1.0) - gammaln(x.k + 1.0) - gammaln(x.n - x.k + 1.0)
        return np.asarray(ways + betaln(x.k + a, x.n - x.k + b) - betaln(a, b))

    def above(self, x: Counts) -> Floats:
        """(m,) probability of k or more."""
        return self._tails(x)[1]

    def apart(self, x: Counts) -> Floats:
        """(m,) probability of a k as far out, on either side."""
        return np.asarray(np.minimum(1.0, 2.0 * np.minimum(*self._tails(x))))

    def _tails(self, x: Counts) -> tuple[Floats, Floats]:
        """(m,) and (m,) probability of k or less, and of k or more.

        The tail on k's side of the mean is summed up; the other is what it leaves.
        """
        a, b = self.shape(x.p)
        low = x.k * (a + b) <= x.n * a
        first, terms = np.where(low, 0.0, x.k), np.where(low, x.k, x.n - x.k).astype(int) + 1
        near, ends = np.empty(len(terms)), np.cumsum(terms)
        for rows in np.split(np.arange(len(terms)), np.flatnonzero(np.diff(ends // TERMS)) + 1):
            near[rows] = self._sums(x[rows], first[rows], terms[rows])
        near = np.minimum(near, 1.0)
        far = np.clip(1.0 - near + np.exp(self.log_probability(x)), 0.0, 1.0)
        return np.where(low, near, far), np.where(low, far, near)

    def _sums(self, x: Counts, first: Floats, terms: Ints) -> Floats:
        """(m,) probability of so many (terms) k, from the first on."""
        row, start = np.repeat(np.arange(len(terms)), terms), np.cumsum(terms) - terms
        k = first[row] + (np.arange(len(row)) - start[row])
        every = np.exp(self.log_probability(Counts(k, x.n[row], x.p[row])))
        return totals(row, every, len(terms))


def fit_null(x: Counts, bad: Likelihood, *, may_shift: bool = True) -> Null:
    """The honest distribution. bad: log-probability of k where one is not honest."""
    x = x[:: 1 + len(x.k) // ENOUGH]
    wrong = bad(x)

    def loss(q: Floats) -> float:
        shift, odds, mix = q if may_shift else (0.0, *q)
        honest = Null(shift, float(expit(odds))).log_probability(x)
        likely = np.logaddexp(honest + log_expit(-mix), wrong + log_expit(mix))
        off = (shift / SHIFT_SD) ** 2 + ((odds - logit(SPREAD)) / SPREAD_SD) ** 2
        return float(-likely.sum() + off / 2.0 - (BAD - 1.0) * log_expit(-mix))

    from scipy.optimize import minimize

    start = [0.0, float(logit(SPREAD)), -float(np.log(BAD))][0 if may_shift else 1 :]
    found = minimize(loss, np.array(start), method="Nelder-Mead").x
    return Null(float(found[0]) if may_shift else 0.0, float(expit(found[-2])))


def even(x: Counts) -> Floats:
    """(m,) log-probability of k where every k is as likely."""
    return np.asarray(-np.log(x.n + 1.0))


def mostly(x: Counts) -> Floats:
    """(m,) log-probability of k where nearly all of n are expected: Beta(9, 1) around it."""
    return Null(0.0, 1.0 / 11.0).log_probability(Counts(x.k, x.n, np.full(len(x.n), 0.9)))
