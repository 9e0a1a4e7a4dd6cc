"""Kinds of evidence against voters, each on all of them at once.

Every kind has a model of honest people, who are not all alike, and one of the people that it
is after; both are fitted to the votes at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial

import numpy as np
from scipy.special import expit

from arena.ratings.arrays import Floats, Ints, Objects, totals
from arena.ratings.voter_audit.agreement_with_crowd import following
from arena.ratings.voter_audit.copies import shared
from arena.ratings.voter_audit.crowd import Ballots, Crowd
from arena.ratings.voter_audit.nulls import ENOUGH, Counts, even, fit_null, mostly

TARGETED = 4  # votes on a model, for a voter to be tested on it
TIES = 10.0  # of everybody, that a voter's rate of ties on other models is drawn towards
HASTE = 0.05  # of all votes are the quick ones
# The most that a preference for one model's battles may add to the odds.
HINT = float(np.log(1000.0))


class SuspicionKind(StrEnum):
    """What may be wrong with a voter."""

    CARELESS = "careless"
    SIDE = "side"
    TARGET = "target"
    COPY = "copy"
    REPETITION = "repetition"
    SPEED = "speed"


MEANINGS = {
    SuspicionKind.CARELESS: "how far the votes go along with the others': from 0 to 1",
    SuspicionKind.SIDE: "share of the left answer where a side was taken",
    SuspicionKind.TARGET: "share of this model's battles that the voter let it win",
    SuspicionKind.COPY: "share of the same votes as this voter's, which came first",
    SuspicionKind.REPETITION: "share of votes that repeat the one before",
    SuspicionKind.SPEED: "share of votes among the quickest of all",
}


@dataclass(frozen=True, eq=False)
class Suspicion:
    """One kind of evidence on all voters; every array is (voters,).

    value: see `MEANINGS`; NaN where there was nothing to measure. odds: logarithm of how much
    likelier the votes are from a voter who is bad in this way than from an honest one. about:
    the model or voter concerned. test: makes p, which takes longer than the rest.
    """

    kind: SuspicionKind
    value: Floats
    odds: Floats
    about: tuple[str, ...]
    test: Callable[[], Floats]

    @cached_property
    def p(self) -> Floats:
        """Probability that an honest voter looks so bad."""
        return self.test()


def suspicions(crowd: Crowd, seconds: Floats | None) -> list[Suspicion]:
    """All kinds of evidence. seconds: (n,) from showing to vote, NaN where not known."""
    found = [careless(crowd), side(crowd), target(crowd), copy(crowd), repetition(crowd.ballots)]
    return found if seconds is None else [*found, speed(crowd.ballots, seconds)]


def careless(crowd: Crowd) -> Suspicion:
    """Votes that have nothing to do with the answers, or are turned around."""
    found = following(crowd)
    nobody = ("",) * len(found.odds)
    return Suspicion(SuspicionKind.CARELESS, found.slope, found.odds, nobody, found.test)


def side(crowd: Crowd) -> Suspicion:
    """More votes for one side than the same battles got from others."""
    b = crowd.ballots
    decided = b.decided.astype(float)
    n = b.by_voter(decided)
    expected = b.by_voter(decided * expit(crowd.odds))
    p = np.divide(expected, n, out=np.full(len(n), 0.5), where=n > 0.0)
    return _two_sided(SuspicionKind.SIDE, Counts(b.by_voter((b.said > 0).astype(float)), n, p))


def repetition(b: Ballots) -> Suspicion:
    """The same vote, from the left, as the one before: more often or less than by chance."""
    order = np.argsort(b.voter, kind="stable")
    voter, said = b.voter[order], b.said[order]
    follows = np.append(False, voter[1:] == voter[:-1])
    same = np.append(False, said[1:] == said[:-1]) & follows
    n, k = (totals(voter, x.astype(float), b.voters) for x in (follows, same))
    tallies = [b.by_voter((b.said == label).astype(float)) for label in (-1, 0, 1)]
    pairs = np.maximum(b.votes * (b.votes - 1.0), 1.0)
    alike = sum(tally * (tally - 1.0) for tally in tallies) / pairs
    return _two_sided(SuspicionKind.REPETITION, Counts(k, n, alike))


def speed(b: Ballots, seconds: Floats) -> Suspicion:
    """More of the quickest votes of all than others have."""
    known = np.isfinite(seconds)
    limit = np.quantile(seconds[known], HASTE) if known.any() else 0.0
    quick = known & (seconds <= limit)
    n, k = (b.by_voter(x.astype(float)) for x in (known, quick))
    x = Counts(k, n, np.full(b.voters, quick.sum() / max(int(known.sum()), 1)))
    null = fit_null(x, mostly)
    odds = mostly(x) - null.log_probability(x)
    return Suspicion(SuspicionKind.SPEED, x.ratio, odds, ("",) * b.voters, partial(null.above, x))


def _two_sided(kind: SuspicionKind, x: Counts) -> Suspicion:
    null = fit_null(x, even)
    odds = even(x) - null.log_probability(x)
    return Suspicion(kind, x.ratio, odds, ("",) * len(x.n), partial(null.apart, x))


def target(crowd: Crowd) -> Suspicion:
    """One model that wins, or does not, more often with this voter than with others.

    That the voter's battles are mostly this model's is a hint too, of a limited weight: the
    app may have dealt them so.
    """
    b, models = crowd.ballots, len(crowd.ballots.c.models)
    voter, model = np.divmod(b.meetings[0], models)
    x = _wins(crowd)
    null = fit_null(x, even, may_shift=False)
    sought = np.minimum(_sought(b, voter, model, x.n), HINT)
    odds = even(x) - null.log_probability(x) + np.logaddexp(0.0, sought) - np.log(2.0)
    names: Objects = np.array(b.c.models, dtype=object)[model]

    def test() -> Floats:
        p, tested = np.ones(len(voter)), x.n >= TARGETED
        p[tested] = null.apart(x[tested])
        return p

    return _worst(SuspicionKind.TARGET, b, voter, names, x, odds, test, among=float(models))


def _wins(crowd: Crowd) -> Counts:
    """How often each model won with each voter who met it, as in `Ballots.meetings`.

    Ties are no wins. They are expected as often as on the voter's other votes.
    """
    b, (cells, codes) = crowd.ballots, crowd.ballots.meetings
    own, tied = cells // len(b.c.models), (b.said == 0).astype(float)
    left, right = np.split(codes, 2)

    def over(by_left: Floats | None, by_right: Floats | None) -> Floats:
        return totals(left, by_left, len(cells)) + totals(right, by_right, len(cells))

    n, ties = over(None, None), over(tied, tied)
    k = over((b.said > 0).astype(float), (b.said < 0).astype(float))
    chance = expit(crowd.odds)
    p = over(chance, 1.0 - chance)
    all_ties = b.by_voter(tied)
    drawn = TIES * all_ties.sum() / b.votes.sum()
    rate = (all_ties[own] - ties + drawn) / (b.votes[own] - n + TIES)
    return Counts(k, n, p / n * (1.0 - rate))


def _sought(b: Ballots, voter: Ints, model: Ints, met: Floats) -> Floats:
    """(cells,) log-odds that the voter picks this model's battles; met: (cells,) votes on it."""
    models = len(b.c.models)
    exposure = (totals(b.c.i, None, models) + totals(b.c.j, None, models)) / len(b.said)
    some = np.arange(0, b.voters, 1 + b.voters * models // ENOUGH)
    place = np.full(b.voters, -1)
    place[some] = np.arange(len(some))
    table = np.zeros((len(some), models))
    inside = place[voter] >= 0
    table[place[voter[inside]], model[inside]] = met[inside]
    n, p = np.repeat(b.votes[some], models), np.tile(exposure, len(some))
    null = fit_null(Counts(table.ravel(), n, p), even, may_shift=False)
    x = Counts(met, b.votes[voter], exposure[model])
    return even(x) - null.log_probability(x)


def copy(crowd: Crowd) -> Suspicion:
    """The same votes as another voter who came before."""
    pairs = shared(crowd)
    null = fit_null(pairs.counts, mostly)
    odds = mostly(pairs.counts) - null.log_probability(pairs.counts)
    names, test = crowd.ballots.names[pairs.earlier], partial(null.above, pairs.counts)
    return _worst(SuspicionKind.COPY, crowd.ballots, pairs.later, names, pairs.counts, odds, test)


def _worst(
    kind: SuspicionKind,
    b: Ballots,
    voter: Ints,
    about: Objects,
    x: Counts,
    odds: Floats,
    test: Callable[[], Floats],
    among: float | None = None,
) -> Suspicion:
    """Of a voter's several tests the one that tells most; voter, about, odds: (tests,).

    If the voter is bad then in one of them, any as likely as another: so odds are averaged,
    and p, which `test` gives for each, is multiplied by their number. among: how many there
    might have been, where some were not made; those speak for neither.
    """
    made = totals(voter, None, b.voters)
    tests = made if among is None else np.full(b.voters, among)
    top = np.zeros(b.voters)
    np.maximum.at(top, voter, odds)
    sums = totals(voter, np.exp(odds - top[voter]), b.voters)
    mean = (sums + (tests - made) * np.exp(-top)) / np.maximum(tests, 1.0)
    whole = np.where(tests > 0.0, top + np.log(np.maximum(mean, 1e-300)), 0.0)
    order = np.lexsort((odds, voter))
    worst = order[np.append(voter[order][1:] != voter[order][:-1], True)] if len(order) else order
    value, names = np.full(b.voters, np.nan), np.full(b.voters, "", dtype=object)
    value[voter[worst]], names[voter[worst]] = x[worst].ratio, about[worst]

    def least() -> Floats:
        p = np.ones(b.voters)
        np.minimum.at(p, voter, np.minimum(1.0, test() * made[voter]))
        return p

    return Suspicion(kind, value, whole, tuple(map(str, names)), least)
