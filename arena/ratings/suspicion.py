"""Kinds of evidence against voters, each on all of them at once.

Every kind has a model of honest people, who are not all alike, and one of the people that it
is after; both are fitted to the votes at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import expit

from arena.ratings.arrays import Floats, Ints, Objects, totals
from arena.ratings.copies import shared
from arena.ratings.crowd import Crowd
from arena.ratings.following import following
from arena.ratings.nulls import ENOUGH, Counts, even, fit_null, mostly

TARGETED = 4  # votes on a model, for a voter to be tested on it
TIES = 10.0  # of everybody, that a voter's rate of ties on other models is drawn towards
HASTE = 0.05  # of all votes are the quick ones
# The most that a preference for one model's battles may add to the odds.
HINT = float(np.log(1000.0))


class Kind(StrEnum):
    """What may be wrong with a voter."""

    CARELESS = "careless"
    SIDE = "side"
    TARGET = "target"
    COPY = "copy"
    REPETITION = "repetition"
    SPEED = "speed"


MEANINGS = {
    Kind.CARELESS: "how far the votes go along with the others': 1 as they do, 0 not at all",
    Kind.SIDE: "share of the left answer where a side was taken",
    Kind.TARGET: "share of this model's battles that the voter let it win",
    Kind.COPY: "share of the same votes as this voter's, which came first",
    Kind.REPETITION: "share of votes that repeat the one before",
    Kind.SPEED: "share of votes among the quickest of all",
}


@dataclass(frozen=True, eq=False)
class Suspicion:
    """One kind of evidence on all voters; every array is (voters,).

    value: see `MEANINGS`; NaN where there was nothing to measure. p: probability that an
    honest voter looks so bad. odds: logarithm of how much likelier the votes are from a voter
    who is bad in this way than from an honest one. about: the model or voter concerned.
    """

    kind: Kind
    value: Floats
    p: Floats
    odds: Floats
    about: tuple[str, ...]


def suspicions(crowd: Crowd, seconds: Sequence[float | None] | None) -> list[Suspicion]:
    """All kinds of evidence. seconds: (n,) from showing to vote, None where not known."""
    found = [careless(crowd), side(crowd), target(crowd), copy(crowd), repetition(crowd)]
    if seconds is None or all(s is None for s in seconds):
        return found
    return [*found, speed(crowd, seconds)]


def careless(crowd: Crowd) -> Suspicion:
    """Votes that have nothing to do with the answers, or are turned around."""
    found = following(crowd)
    return Suspicion(Kind.CARELESS, found.slope, found.p, found.odds, ("",) * crowd.voters)


def side(crowd: Crowd) -> Suspicion:
    """More votes for one side than the same battles got from others."""
    decided = crowd.decided.astype(float)
    n = crowd.by_voter(decided)
    expected = crowd.by_voter(decided * expit(crowd.odds))
    p = np.divide(expected, n, out=np.full(len(n), 0.5), where=n > 0.0)
    return _two_sided(Kind.SIDE, Counts(crowd.by_voter((crowd.said > 0).astype(float)), n, p))


def repetition(crowd: Crowd) -> Suspicion:
    """The same vote, from the left, as the one before: more often or less than by chance."""
    order = np.argsort(crowd.voter, kind="stable")
    voter, said = crowd.voter[order], crowd.said[order]
    follows = np.append(False, voter[1:] == voter[:-1])
    same = np.append(False, said[1:] == said[:-1]) & follows
    n, k = (totals(voter, x.astype(float), crowd.voters) for x in (follows, same))
    votes = totals(crowd.voter, None, crowd.voters)
    tallies = [crowd.by_voter((crowd.said == label).astype(float)) for label in (-1, 0, 1)]
    alike = sum(tally * (tally - 1.0) for tally in tallies) / np.maximum(votes * (votes - 1.0), 1.0)
    return _two_sided(Kind.REPETITION, Counts(k, n, alike))


def speed(crowd: Crowd, seconds: Sequence[float | None]) -> Suspicion:
    """More of the quickest votes of all than others have."""
    taken = np.array([np.nan if s is None else s for s in seconds], dtype=float)
    known = np.isfinite(taken)
    limit = np.quantile(taken[known], HASTE) if known.any() else 0.0
    quick = known & (taken <= limit)
    n, k = (crowd.by_voter(x.astype(float)) for x in (known, quick))
    x = Counts(k, n, np.full(crowd.voters, quick.sum() / max(int(known.sum()), 1)))
    null = fit_null(x, mostly)
    odds = mostly(x) - null.log_probability(x)
    return Suspicion(Kind.SPEED, x.ratio, null.above(x), odds, ("",) * crowd.voters)


def _two_sided(kind: Kind, x: Counts) -> Suspicion:
    null = fit_null(x, even)
    odds = even(x) - null.log_probability(x)
    return Suspicion(kind, x.ratio, null.apart(x), odds, ("",) * len(x.n))


def target(crowd: Crowd) -> Suspicion:
    """One model that wins, or does not, more often with this voter than with others.

    That the voter's battles are mostly this model's is a hint too, of a limited weight: the
    app may have dealt them so.
    """
    models = len(crowd.c.models)
    cells, x = _wins(crowd)
    voter, model = cells // models, cells % models
    null = fit_null(x, even, may_shift=False)
    sought = np.minimum(_sought(crowd, voter, model, x.n), HINT)
    odds = even(x) - null.log_probability(x) + np.logaddexp(0.0, sought) - np.log(2.0)
    p = np.where(x.n >= TARGETED, null.apart(x), 1.0)
    names: Objects = np.array(crowd.c.models, dtype=object)[model]
    return _worst(Kind.TARGET, crowd, voter, names, x, p, odds, among=float(models))


def _wins(crowd: Crowd) -> tuple[Ints, Counts]:
    """Every voter with every model met: codes (voter times models plus model), and its wins.

    Ties are no wins. They are expected as often as on the voter's other votes.
    """
    models = len(crowd.c.models)
    cell = np.concatenate([crowd.voter * np.int64(models) + m for m in (crowd.c.i, crowd.c.j)])
    tied = np.tile(crowd.said == 0, 2).astype(float)
    won = np.concatenate([crowd.said > 0, crowd.said < 0]).astype(float)
    chance = np.concatenate([expit(crowd.odds), expit(-crowd.odds)])
    cells, codes = np.unique(cell, return_inverse=True)
    n, ties, k, p = (totals(codes, v, len(cells)) for v in (None, tied, won, chance))
    own, all_ties = cells // models, crowd.by_voter((crowd.said == 0).astype(float))
    votes = totals(crowd.voter, None, crowd.voters)
    drawn = TIES * all_ties.sum() / votes.sum()
    rate = (all_ties[own] - ties + drawn) / (votes[own] - n + TIES)
    return cells, Counts(k, n, p / n * (1.0 - rate))


def _sought(crowd: Crowd, voter: Ints, model: Ints, met: Floats) -> Floats:
    """(cells,) log-odds that the voter picks this model's battles; met: (cells,) votes on it."""
    models = len(crowd.c.models)
    votes = totals(crowd.voter, None, crowd.voters)
    both = np.concatenate([crowd.c.i, crowd.c.j])
    exposure = totals(both, None, models) / len(crowd.said)
    some = np.arange(0, crowd.voters, 1 + crowd.voters * models // ENOUGH)
    place = np.full(crowd.voters, -1)
    place[some] = np.arange(len(some))
    table = np.zeros((len(some), models))
    inside = place[voter] >= 0
    table[place[voter[inside]], model[inside]] = met[inside]
    n, p = np.repeat(votes[some], models), np.tile(exposure, len(some))
    null = fit_null(Counts(table.ravel(), n, p), even, may_shift=False)
    x = Counts(met, votes[voter], exposure[model])
    return even(x) - null.log_probability(x)


def copy(crowd: Crowd) -> Suspicion:
    """The same votes as another voter who came before."""
    pairs = shared(crowd)
    null = fit_null(pairs.counts, mostly)
    odds = mostly(pairs.counts) - null.log_probability(pairs.counts)
    names = crowd.names[pairs.earlier]
    return _worst(
        Kind.COPY, crowd, pairs.later, names, pairs.counts, null.above(pairs.counts), odds
    )


def _worst(
    kind: Kind,
    crowd: Crowd,
    voter: Ints,
    about: Objects,
    x: Counts,
    p: Floats,
    odds: Floats,
    among: float | None = None,
) -> Suspicion:
    """Of a voter's several tests the one that tells most; voter, about, p, odds: (tests,).

    If the voter is bad then in one of them, any as likely as another: so odds are averaged,
    and p is multiplied by their number. among: how many there might have been, where some
    were not made; those speak for neither.
    """
    made = totals(voter, None, crowd.voters)
    tests = made if among is None else np.full(crowd.voters, among)
    least, top = np.ones(crowd.voters), np.zeros(crowd.voters)
    np.minimum.at(least, voter, np.minimum(1.0, p * made[voter]))
    np.maximum.at(top, voter, odds)
    sums = totals(voter, np.exp(odds - top[voter]), crowd.voters)
    mean = (sums + (tests - made) * np.exp(-top)) / np.maximum(tests, 1.0)
    whole = np.where(tests > 0.0, top + np.log(np.maximum(mean, 1e-300)), 0.0)
    order = np.lexsort((odds, voter))
    worst = order[np.append(voter[order][1:] != voter[order][:-1], True)] if len(order) else order
    value, names = np.full(crowd.voters, np.nan), np.full(crowd.voters, "", dtype=object)
    value[voter[worst]], names[voter[worst]] = x[worst].ratio, about[worst]
    return Suspicion(kind, value, least, whole, tuple(map(str, names)))
