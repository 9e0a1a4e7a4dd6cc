"""Whose votes do not look like an honest person's, and why.

Every voter is held beside all others, by several kinds of evidence. Each kind has a model of
honest people, who are not all alike, and one of the people it is after, both fitted to the
votes at hand. Bayes' rule turns them into the probability that a voter is honest; those
least likely to be are flagged, as many as keep the expected share of honest people among
them within the level (the local false-discovery rate of Efron, summed up).

A flag is a reason to look at somebody, and never deletes a vote.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import expit, logsumexp

from arena.errors import InputError
from arena.ratings.arrays import Bools, Floats, Ints, totals
from arena.ratings.comparisons import Comparisons
from arena.ratings.copies import shared
from arena.ratings.crowd import Crowd, crowd
from arena.ratings.following import following
from arena.ratings.nulls import Counts, even, fit_null, mostly

LEVEL = 0.1
ROUNDS = 2
# Honest voters that one expects before any vote, and bad ones of all kinds together.
HONEST, BAD = 9.0, 1.0
TARGETED = 4  # votes on a model that took a side, for a voter to be tested on it
HASTE = 0.05  # the quickest of all votes
EVEN_CHANCE = 0.5
OWN_TIES = 10.0
HINT = np.log(30.0)
ENOUGH = 20_000


class Kind(StrEnum):
    """What may be wrong with a voter."""

    CARELESS = "careless"
    SIDE = "side"
    TARGET = "target"
    COPY = "copy"
    REPETITION = "repetition"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of evidence about one voter.

    value: the figure; its meaning is in `MEANINGS`. p: probability that an honest voter
    looks so bad or worse, by this kind alone. about: the model or the other voter concerned.
    share: probability that the voter is bad in this way, given everything.
    """

    kind: Kind
    value: float
    p: float
    share: float
    about: str = ""


MEANINGS: Mapping[Kind, str] = {
    Kind.CARELESS: "how far the votes go along with the others': 1 as all do, 0 not at all",
    Kind.SIDE: "share of the left answer where a side was taken",
    Kind.TARGET: "share of this model's battles that were given to it",
    Kind.COPY: "share of the same votes as this voter, who came first",
    Kind.REPETITION: "share of votes that repeat the one before",
    Kind.SPEED: "share of votes among the quickest of all",
}


@dataclass(frozen=True, slots=True)
class VoterReport:
    """One voter: how many votes, and how honest they look.

    again: votes on battles that the voter had voted on before. honest: probability. p: that
    an honest voter looks so bad by any kind of evidence (Bonferroni). q: the expected share
    of honest voters among this one and all that look worse. kinds: why flagged, if so.
    """

    voter: str
    votes: int
    again: int
    honest: float
    p: float
    q: float
    findings: tuple[Finding, ...]
    kinds: tuple[Kind, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether somebody should look at this voter."""
        return bool(self.kinds)


@dataclass(frozen=True, slots=True)
class Integrity:
    """All voters, the least honest first. level: the share of honest ones among the flagged."""

    voters: tuple[VoterReport, ...]
    votes: int
    level: float

    @property
    def flagged(self) -> tuple[VoterReport, ...]:
        """Those that were flagged."""
        return tuple(voter for voter in self.voters if voter.flagged)


@dataclass(frozen=True, eq=False)
class Evidence:
    """One kind of evidence on all voters; every array is (voters,).

    odds: logarithm of how much likelier the votes are from a voter who is bad in this way
    than from an honest one. about: index of the model or voter concerned, -1 for none.
    """

    kind: Kind
    value: Floats
    p: Floats
    odds: Floats
    about: Ints


def integrity(
    c: Comparisons, *, seconds: Sequence[float | None] | None = None, level: float = LEVEL
) -> Integrity:
    """Every voter's report. Rows are in the order of voting, model i on the left.

    seconds: (n,) from showing to vote, None where not known. level: expected share of honest
    voters among the flagged, in (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level}; allowed is between 0 and 1.")
    if seconds is not None and len(seconds) != len(c):
        raise InputError(f"seconds has {len(seconds)} rows, the votes have {len(c)}.")
    trust = None
    for _ in range(ROUNDS):
        seen = crowd(c, trust)
        evidence = _evidence(seen, seconds)
        shares = bad_shares(np.stack([e.odds for e in evidence], axis=1))
        trust = 1.0 - shares.sum(axis=1)
    return _report(seen, evidence, shares, level)


def _evidence(seen: Crowd, seconds: Sequence[float | None] | None) -> list[Evidence]:
    found = [_careless(seen), _side(seen), _target(seen), _copy(seen), _repetition(seen)]
    return found if seconds is None else [*found, _speed(seen, seconds)]


def bad_shares(odds: Floats) -> Floats:
    """(voters, kinds) probability that each voter is bad in each way.

    odds: (voters, kinds) logarithms. The shares of the kinds among all voters are learned
    from them (EM), beginning with one voter in ten.
    """
    voters, kinds = odds.shape
    whole = np.concatenate([np.zeros((voters, 1)), odds], axis=1)
    before = np.array([HONEST, *[BAD / kinds] * kinds])
    mix = before / before.sum()
    for _ in range(200):
        likely = whole + np.log(mix)
        shares = np.exp(likely - logsumexp(likely, axis=1, keepdims=True))
        mix = (shares.sum(axis=0) + before) / (voters + before.sum())
    return np.asarray(shares[:, 1:])


def _careless(seen: Crowd) -> Evidence:
    found = following(seen)
    return Evidence(Kind.CARELESS, found.slope, found.p, found.odds, _nobody(seen))


def _side(seen: Crowd) -> Evidence:
    x = _counts(seen, seen.said > 0, expit(seen.odds))
    null = fit_null(x, even)
    odds = even(x) - null.log_probability(x)
    return Evidence(Kind.SIDE, _ratio(x), null.apart(x), odds, _nobody(seen))


def _repetition(seen: Crowd) -> Evidence:
    """How often a vote is the same, from the left, as the voter's vote before."""
    order = np.lexsort((np.arange(len(seen.voter)), seen.voter))
    voter, said = seen.voter[order], seen.said[order]
    follows = np.append(False, voter[1:] == voter[:-1])
    same = np.append(False, said[1:] == said[:-1]) & follows
    n = totals(voter, follows.astype(float), seen.voters)
    k = totals(voter, same.astype(float), seen.voters)
    x = Counts(k, n, _chance_of_same(seen))
    null = fit_null(x, even)
    odds = even(x) - null.log_probability(x)
    return Evidence(Kind.REPETITION, _ratio(x), null.apart(x), odds, _nobody(seen))


def _chance_of_same(seen: Crowd) -> Floats:
    """(voters,) that two of a voter's own votes, drawn at random, are the same."""
    votes = totals(seen.voter, None, seen.voters)
    pairs = sum(
        n * (n - 1.0)
        for label in (-1, 0, 1)
        for n in [totals(seen.voter, (seen.said == label).astype(float), seen.voters)]
    )
    return np.asarray(pairs / np.maximum(votes * (votes - 1.0), 1.0))


def _speed(seen: Crowd, seconds: Sequence[float | None]) -> Evidence:
    """How many votes are among the quickest of all."""
    taken = np.array([np.nan if s is None else s for s in seconds], dtype=float)
    known = np.isfinite(taken)
    quick = known & (taken <= (np.quantile(taken[known], HASTE) if known.any() else 0.0))
    n = totals(seen.voter, known.astype(float), seen.voters)
    k = totals(seen.voter, quick.astype(float), seen.voters)
    x = Counts(k, n, np.full(seen.voters, quick.sum() / max(known.sum(), 1)))
    null = fit_null(x, mostly)
    odds = mostly(x) - null.log_probability(x)
    return Evidence(Kind.SPEED, _ratio(x), null.above(x), odds, _nobody(seen))


def _target(seen: Crowd) -> Evidence:
    """How often each voter let one model win, beside what was to be expected of them.

    That a voter's battles are mostly this model's is a hint as well, of a limited weight:
    the app may have dealt them so.
    """
    cells, x, met = _cells(seen)
    null = fit_null(x, even, may_shift=False)
    odds = even(x) - null.log_probability(x)
    models = len(seen.c.models)
    voter, model = cells // models, cells % models
    chosen = fit_null(met, even, may_shift=False)
    seek = Counts(x.n, totals(seen.voter, None, seen.voters)[voter], _exposure(seen)[model])
    sought = np.minimum(even(seek) - chosen.log_probability(seek), HINT)
    odds += np.logaddexp(0.0, sought) - np.log(2.0)
    tested = x.n >= TARGETED
    return _worst(
        Kind.TARGET, seen, voter[tested], model[tested], x[tested], null.apart(x)[tested], odds[tested]
    )


def _exposure(seen: Crowd) -> Floats:
    """(models,) share of all votes that each model took part in."""
    both = sum(totals(side, None, len(seen.c.models)) for side in seen.sides)
    return np.asarray(both / len(seen.said))


def _cells(seen: Crowd) -> tuple[Ints, Counts, Counts]:
    """Every voter with every model met: wins of votes, ties included; and the votes of all.

    The codes are voter times models plus model. The last has the models that were not met,
    too.
    """
    models = len(seen.c.models)
    cell = np.concatenate([seen.voter * np.int64(models) + side for side in seen.sides])
    tied = np.tile(seen.said == 0, 2).astype(float)
    won = np.concatenate([seen.said > 0, seen.said < 0]).astype(float)
    chance = np.concatenate([expit(seen.odds), expit(-seen.odds)])
    cells, codes = np.unique(cell, return_inverse=True)
    n, ties, k, p = (totals(codes, v, len(cells)) for v in (None, tied, won, chance))
    votes, own = totals(seen.voter, None, seen.voters), totals(seen.voter, (seen.said == 0).astype(float), seen.voters)
    mean = own.sum() / votes.sum()
    at = cells // models
    tie = (own[at] - ties + OWN_TIES * mean) / (votes[at] - n + OWN_TIES)
    some = np.arange(0, seen.voters, 1 + seen.voters * models // ENOUGH)
    table = np.zeros((seen.voters, models))
    table[at, cells % models] = n
    met = Counts(
        table[some].ravel(),
        np.repeat(votes[some], models),
        np.tile(_exposure(seen), len(some)),
    )
    return cells, Counts(k, n, p / n * (1.0 - tie)), met


def _copy(seen: Crowd) -> Evidence:
    """Each voter's votes beside those of every voter who came before."""
    pairs = shared(seen)
    null = fit_null(pairs.counts, mostly)
    odds = mostly(pairs.counts) - null.log_probability(pairs.counts)
    p = null.above(pairs.counts)
    return _worst(Kind.COPY, seen, pairs.later, pairs.earlier, pairs.counts, p, odds)


def _worst(
    kind: Kind, seen: Crowd, voter: Ints, about: Ints, x: Counts, p: Floats, odds: Floats
) -> Evidence:
    """Of a voter's several tests the one that tells most.

    One of them is bad if the voter is, any of them as likely as another: the odds are their
    mean, and p is multiplied by their number.
    """
    tests = totals(voter, None, seen.voters)
    order = np.lexsort((-odds, voter))
    first = order[np.unique(voter[order], return_index=True)[1]]
    value, least = np.full(seen.voters, np.nan), np.ones(seen.voters)
    whole, whom = np.zeros(seen.voters), _nobody(seen)
    at = voter[first]
    value[at], whom[at] = _ratio(x[first]), about[first]
    np.minimum.at(least, voter, np.minimum(1.0, p * tests[voter]))
    top = odds[first]
    peak = np.zeros(seen.voters)
    peak[at] = top
    whole[at] = top + np.log(totals(voter, np.exp(odds - peak[voter]), seen.voters)[at] / tests[at])
    return Evidence(kind, value, least, whole, whom)


def _counts(seen: Crowd, hits: Bools, chance: Floats) -> Counts:
    n = seen.by_voter(seen.decided.astype(float))
    whole = seen.by_voter(np.where(seen.decided, chance, 0.0))
    p = np.where(n > 0.0, whole / np.maximum(n, 1.0), EVEN_CHANCE)
    return Counts(seen.by_voter(hits.astype(float)), n, p)


def _ratio(x: Counts) -> Floats:
    return np.divide(x.k, x.n, out=np.full(len(x.n), np.nan), where=x.n > 0.0)


def _nobody(seen: Crowd) -> Ints:
    return np.full(seen.voters, -1)


def _report(seen: Crowd, evidence: Sequence[Evidence], shares: Floats, level: float) -> Integrity:
    honest = 1.0 - shares.sum(axis=1)
    order = np.argsort(honest, kind="stable")
    q = np.empty(seen.voters)
    q[order] = np.cumsum(honest[order]) / np.arange(1, seen.voters + 1)
    p = np.minimum(1.0, len(evidence) * np.min([e.p for e in evidence], axis=0))
    names = seen.c.group("voter").compact().labels
    votes = totals(seen.voter, None, seen.voters)
    own = np.bincount(np.unique(seen.battle.astype(np.int64) * seen.voters + seen.voter) % seen.voters)
    reports = tuple(
        VoterReport(
            voter=str(names[v]),
            votes=int(votes[v]),
            again=int(votes[v] - own[v]),
            honest=float(honest[v]),
            p=float(p[v]),
            q=float(q[v]),
            findings=tuple(_finding(seen, e, float(shares[v, k]), v, names) for k, e in enumerate(evidence)),
            kinds=tuple(
                e.kind
                for k, e in enumerate(evidence)
                if q[v] <= level and shares[v, k] >= min(honest[v], shares[v].max())
            ),
        )
        for v in order
    )
    return Integrity(reports, len(seen.c), level)


def _finding(seen: Crowd, e: Evidence, share: float, v: int, names) -> Finding:
    about = ""
    if e.about[v] >= 0:
        about = seen.c.models[e.about[v]] if e.kind is Kind.TARGET else str(names[e.about[v]])
    return Finding(e.kind, float(e.value[v]), float(e.p[v]), share, about)
