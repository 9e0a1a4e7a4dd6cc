"""Votes worth counting: who was flagged, and the ranking with and without them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.evidence.counted_votes import counted_votes, vote_comparisons
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import rank_comparisons
from arena.ratings import CAP, Comparisons, Influence, Integrity, capped, influence, integrity
from arena.ratings.arrays import Floats
from arena.ratings.voter_audit.audit import LEVEL
from arena.records import Flag, content_key
from arena.records.errors import InputError, RatingError
from arena.store import Store

# What an audit compares are rankings with and without some votes, however few there are.
_EVERYBODY = Policy(min_comparisons=1)


@dataclass(frozen=True, slots=True)
class Move:
    """A model's place and rating (Elo points) with all votes, and without the flagged voters.

    After is None where no votes on the model are left.
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
    ranking by all that are. without: the one without flagged voters and with nobody above the
    cap; None where no votes are left. influence: how few votes hold up the first place, None
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
        return tuple(
            Move(
                row.model,
                row.rank,
                row.rating,
                after[row.model].rank if row.model in after else None,
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
    store: Store,
    *,
    level: float = LEVEL,
    cap: float | None = CAP,
    keep_leaked: bool = False,
) -> VoteReport:
    """On the votes of a store. Raises InputError where there is none that counts."""
    votes, _ = counted_votes(store, VoteRules(keep_leaked))
    if not len(votes):
        raise InputError(f"{store.path} has no votes to audit; people cast them in the app")
    c, seconds = vote_comparisons(votes), votes.seconds
    found = report_on(c, seconds=seconds, level=level, cap=cap)
    return replace(found, leaked=store.votes.count() - len(c))


def report_on(
    c: Comparisons,
    *,
    seconds: Sequence[float | None] | Floats | None = None,
    level: float = LEVEL,
    cap: float | None = CAP,
) -> VoteReport:
    """On votes from anywhere, with a voter column; rows in the order of voting.

    cap: in the ranking without the flagged, the largest share of any model's votes that one
    voter may have; None is no cap.
    """
    found = integrity(c, seconds=seconds, level=level)
    flagged, voter = {v.voter for v in found.flagged}, c.group("voter")
    kept = np.array([str(name) not in flagged for name in voter.labels])[voter.codes]
    without = None
    if kept.any():
        rest = c.select(kept).observed()
        without = rank_comparisons(rest if cap is None else capped(rest, cap), _EVERYBODY)
    return VoteReport(found, rank_comparisons(c, _EVERYBODY), without, _influence(c))


def record_flags(store: Store, report: VoteReport) -> int:
    """Add a row for each flagged voter, once an audit of the same votes; return how many."""
    audit = content_key(
        "audit", store.votes.count(), report.integrity.level, sorted(report.flagged)
    )
    return store.flags.add(
        Flag(audit, v.voter, v.votes, tuple(map(str, v.kinds)), v.honest, v.q)
        for v in report.integrity.flagged
    )


def without_flagged(report: VoteReport, policy: Policy, cap: float | None = CAP) -> Policy:
    """How to rank as `policy` does, without the flagged voters and with nobody above the cap."""
    return replace(policy, rules=replace(policy.rules, without=report.flagged, cap=cap))


def _influence(c: Comparisons) -> Influence | None:
    try:
        return influence(c)
    except RatingError:
        return None
