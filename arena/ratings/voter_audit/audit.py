"""Whose votes do not look like an honest person's, and why; and a cap on anybody's influence.

Every voter is held beside all others, by several kinds of evidence. Bayes' rule turns them
into the probability that a voter is honest; those least likely to be are flagged, as many as
keep the expected share of honest people among them within the level (the local
false-discovery rate of Efron, summed up). A flag is a reason to look at somebody, and never
deletes a vote.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from arena.ratings.arrays import Floats, totals
from arena.ratings.comparisons import Comparisons, require_comparisons
from arena.ratings.threads import on_one_thread
from arena.ratings.voter_audit.crowd import Ballots, ballots, crowd
from arena.ratings.voter_audit.suspicion import Suspicion, SuspicionKind, suspicions
from arena.records.errors import InputError

LEVEL = 0.1
# Voters that one expects before any vote, honest and bad: the prior of the shares of each.
HONEST, BAD = 9.0, 1.0
LEARNING = 200  # steps of the shares towards their fixed point
CAP = 0.05
FREE = 5.0  # votes on a model that count in full whatever their share


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of evidence about one voter.

    value: what `MEANINGS` says, None where there was nothing to measure. p: probability that
    an honest voter looks so bad, by this kind alone. share: probability that the voter is bad
    in this way, given all kinds. about: the model or the other voter concerned.
    """

    kind: SuspicionKind
    value: float | None
    p: float
    share: float
    about: str = ""


@dataclass(frozen=True, slots=True)
class VoterReport:
    """One voter.

    again: votes on battles that the voter had voted on before. honest: probability that the
    voter is. p: that an honest one looks so bad by any kind of evidence (Bonferroni). q: the
    expected share of honest voters among this one and all who look worse. kinds: why flagged.
    """

    voter: str
    votes: int
    again: int
    honest: float
    p: float
    q: float
    findings: tuple[Finding, ...]
    kinds: tuple[SuspicionKind, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether somebody should look at this voter."""
        return bool(self.kinds)

    def finding(self, kind: SuspicionKind) -> Finding | None:
        """What one kind of evidence says; None where that was not tested."""
        return next((f for f in self.findings if f.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Integrity:
    """All voters, the least honest first. level: share of honest ones among the flagged."""

    voters: tuple[VoterReport, ...]
    votes: int
    level: float

    @property
    def flagged(self) -> tuple[VoterReport, ...]:
        """Those that were flagged."""
        return tuple(voter for voter in self.voters if voter.flagged)


@on_one_thread
def integrity(
    c: Comparisons, *, seconds: Sequence[float | None] | Floats | None = None, level: float = LEVEL
) -> Integrity:
    """Every voter's report; rows are in the order of voting, with model i on the left.

    seconds: (n,) from showing to vote, None where not known. level: expected share of honest
    voters among the flagged, in (0, 1). Raises InputError without a voter column.
    """
    require_comparisons(c, "integrity")
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level}; allowed is between 0 and 1.")
    if seconds is not None and len(seconds) != len(c):
        raise InputError(f"seconds has {len(seconds)} rows, the votes have {len(c)}.")
    votes, taken = ballots(c), _known(seconds)
    trust = _look(votes, None, taken)[1][:, 0]
    # Once more, with less heed to those who look bad.
    return _report(votes, *_look(votes, trust, taken), level)


def _look(
    b: Ballots, trust: Floats | None, seconds: Floats | None
) -> tuple[list[Suspicion], Floats]:
    """All evidence, and what `explain` makes of it; trust: as `crowd` takes it."""
    found = suspicions(crowd(b, trust), seconds)
    return found, explain(np.stack([s.odds for s in found], axis=1))


def _known(seconds: Sequence[float | None] | Floats | None) -> Floats | None:
    """(n,) NaN where not known; None where none is."""
    if seconds is None:
        return None
    taken = np.array(seconds, dtype=float)
    return taken if np.isfinite(taken).any() else None


def explain(odds: Floats) -> Floats:
    """(voters, 1 + kinds) probability that each voter is honest, and bad in each way.

    odds: (voters, kinds) logarithms. How many voters are bad in each way is learned from
    them (EM), beginning with one in ten.
    """
    voters, kinds = odds.shape
    whole = np.concatenate([np.zeros((voters, 1)), odds], axis=1)
    prior = np.array([HONEST, *[BAD / kinds] * kinds])
    mix = prior / prior.sum()
    for _ in range(LEARNING):
        likely = whole + np.log(mix)
        shares = np.exp(likely - logsumexp(likely, axis=1, keepdims=True))
        mix = (shares.sum(axis=0) + prior) / (voters + prior.sum())
    return np.asarray(shares)


def capped(c: Comparisons, share: float = CAP) -> Comparisons:
    """The same votes, weighted so that no voter has more than this share of any model's votes.

    The first few votes on a model count in full. A vote has the lower weight of its two
    models'. What one voter can do to a rating is bounded by it, whatever the votes are.
    """
    if not 0.0 < share <= 1.0:
        raise InputError(f"the cap is {share}; allowed is a share, above 0 and up to 1.")
    voter, models = c.group("voter").compact().codes, len(c.models)
    weight = np.ones(len(c)) if c.weight is None else c.weight
    sides = [voter * np.int64(models) + side for side in (c.i, c.j)]
    cells, codes = np.unique(np.concatenate(sides), return_inverse=True)
    votes = totals(codes, np.tile(weight, 2), len(cells))
    model, limit = cells % models, np.full(models, np.inf)
    for _ in range(LEARNING):
        limit = np.maximum(FREE, share * totals(model, np.minimum(votes, limit[model]), models))
    kept = np.minimum(1.0, limit[model] / votes)[codes]
    return replace(c, weight=weight * np.minimum(*np.split(kept, 2)))


def _report(b: Ballots, found: Sequence[Suspicion], shares: Floats, level: float) -> Integrity:
    honest = shares[:, 0]
    order = np.argsort(honest, kind="stable")
    q = np.empty(b.voters)
    q[order] = np.cumsum(honest[order]) / np.arange(1, b.voters + 1)
    p = np.minimum(1.0, len(found) * np.min([s.p for s in found], axis=0))
    again = b.votes - totals(b.voter[b.first], None, b.voters)
    reports = [
        VoterReport(
            voter=str(b.names[v]),
            votes=int(b.votes[v]),
            again=int(again[v]),
            honest=float(honest[v]),
            p=float(p[v]),
            q=float(q[v]),
            findings=tuple(_finding(s, shares[v, k], v) for k, s in enumerate(found, 1)),
            kinds=_kinds(found, shares[v]) if q[v] <= level else (),
        )
        for v in order
    ]
    return Integrity(tuple(reports), len(b.c), level)


def _kinds(found: Sequence[Suspicion], shares: Floats) -> tuple[SuspicionKind, ...]:
    """The kinds that alone outweigh that the voter is honest, and the strongest in any case."""
    honest, bad = shares[0], shares[1:]
    order = np.argsort(-bad, kind="stable")
    return tuple(found[k].kind for k in order if bad[k] > honest or k == order[0])


def _finding(of: Suspicion, share: float, v: int) -> Finding:
    value = float(of.value[v])
    known = None if np.isnan(value) else value
    return Finding(of.kind, known, float(of.p[v]), float(share), of.about[v])
