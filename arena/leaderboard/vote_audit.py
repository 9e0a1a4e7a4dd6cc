"""Votes worth counting: who was flagged, and the ranking with and without them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.evidence.counted_votes import counted_votes, vote_comparisons
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import rank_votes
from arena.ratings import Comparisons, Influence, Integrity, capped, influence, integrity
from arena.ratings import without as votes_between_rated
from arena.ratings.arrays import Floats
from arena.ratings.voter_audit.audit import LEVEL
from arena.records import Flag, Note, content_key
from arena.records.errors import NoEvidenceError, RatingError, TooFewError
from arena.store import Store

_USUAL = Policy()


@dataclass(frozen=True, slots=True)
class Move:
    """A model's rank and rating (Elo points) with all votes, and without the flagged voters.

    Rank is as the ranking shows it. After is None where the votes that are left do not rate it.
    """

    model: str
    rank: int
    rating: float
    rank_after: int | None
    rating_after: float | None


@dataclass(frozen=True, slots=True)
class VoteReport:
    """What the votes are worth.

    leaked: votes that are not counted because an answer said who wrote it. everything: the
    ranking by all that are. without: the one without flagged voters; None where the votes that are
    left rate nobody. influence: how few votes hold up the first place, None
    where no removal unseats it.
    """

    integrity: Integrity
    everything: Leaderboard
    without: Leaderboard | None
    influence: Influence | None
    leaked: int = 0

    @property
    def flagged(self) -> frozenset[str]:
        """Names of the flagged voters, as `rules.VoteRules` takes them."""
        return frozenset(voter.voter for voter in self.integrity.flagged)

    def moves(self) -> tuple[Move, ...]:
        """Every model in both rankings, in the order of the first."""
        after = {row.model: row for row in self.without.rows} if self.without else {}
        places, later = self.everything.places, self.without.places if self.without else {}
        return tuple(
            Move(
                row.model,
                places[row.model],
                row.rating,
                later.get(row.model),
                after[row.model].rating if row.model in after else None,
            )
            for row in self.everything.rows
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON has it."""
        found = self.influence
        return {
            "votes": self.integrity.votes,
            "voters": len(self.integrity.voters),
            "flagged": len(self.flagged),
            "level": self.integrity.level,
            "identity_leaked": self.leaked,
            "reports": [asdict(v) | {"flagged": v.flagged} for v in self.integrity.voters],
            "ranking": [asdict(move) for move in self.moves()],
            "first_place": found
            and {
                "model": found.first,
                "successor": found.successor,
                "votes": len(found.rows),
                "voters": dict(found.voters),
            },
        }


def vote_report(
    store: Store, policy: Policy = _USUAL, *, level: float = LEVEL, cap: float | None = None
) -> VoteReport:
    """On the votes of a store. Raises InputError where there is none that counts.

    policy: how the store is ranked, and whether leaked votes count. cap: as `report_on` takes it;
    None is the policy's own.
    """
    rules = policy.rules
    votes, notes = counted_votes(store, VoteRules(rules.keep_leaked))
    if not len(votes):
        raise NoEvidenceError(Note.of("evidence.none.human", path=str(store.path)))
    c, seconds = vote_comparisons(votes), votes.seconds
    policy = replace(policy, in_use=store.in_use())
    found = report_on(c, policy, seconds=seconds, level=level, cap=cap or rules.cap)
    leaked = sum(dict(note.values)["count"] for note in notes if note.code == "votes.leaked")
    return replace(found, leaked=leaked)


def report_on(
    c: Comparisons,
    policy: Policy = _USUAL,
    *,
    seconds: Sequence[float | None] | Floats | None = None,
    level: float = LEVEL,
    cap: float | None = None,
) -> VoteReport:
    """On votes from anywhere, with a voter column; rows in the order of voting.

    policy: how both rankings are made. cap: in the ranking without the flagged, the largest share
    of any model's votes that one voter may have; None is no cap.
    """
    found = integrity(c, seconds=seconds, level=level)
    flagged, voter = {v.voter for v in found.flagged}, c.group("voter")
    kept = np.array([str(name) not in flagged for name in voter.labels])[voter.codes]
    without = None
    if kept.any():
        rest = c.select(kept).observed()
        with suppress(TooFewError):
            without = rank_votes(_within(rest, cap), policy)
    everything = rank_votes(_within(c, policy.rules.cap), policy)
    rated = votes_between_rated(c, everything.unrated)
    return VoteReport(found, everything, without, _influence(rated) if rated else None)


def _within(c: Comparisons, cap: float | None) -> Comparisons:
    return c if cap is None else capped(c, cap)


def record_flags(store: Store, report: VoteReport) -> int:
    """Add a row for each flagged voter, once an audit of the same votes; return how many."""
    audit = content_key(
        "audit", store.votes.count(), report.integrity.level, sorted(report.flagged)
    )
    return store.flags.add(
        Flag(audit, v.voter, v.votes, tuple(map(str, v.kinds)), v.honest, v.q)
        for v in report.integrity.flagged
    )


def _influence(c: Comparisons) -> Influence | None:
    try:
        return influence(c)
    except RatingError:
        return None
