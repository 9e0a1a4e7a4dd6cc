"""What there is to show of a store that has no ranking yet: scores, report cards, and why."""

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.evidence.counted_judges import chosen_judges, fit_judges
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.ranking import ranking
from arena.ratings import Settings
from arena.records.errors import ArenaError, GateError, InputError, RatingError
from arena.store import Store

LABEL = "no ranking"


def ranked_or_not(store: Store, policy: Policy) -> tuple[Leaderboard, ArenaError | None]:
    """The ranking that a policy asks for; or a board without one, and why."""
    try:
        return ranking(store, policy), None
    except (GateError, InputError, RatingError) as error:
        return unranked(store, policy, error), error


def unranked(store: Store, policy: Policy, why: ArenaError) -> Leaderboard:
    """A leaderboard without rows. why: what was raised where a ranking was asked for."""
    gathered = gather(store, rules=policy.rules, ways=policy.ways)
    gathered = chosen_judges(gathered, policy.judges)
    return Leaderboard(
        evidence=policy.evidence,
        label=LABEL,
        settings=Settings("none", confidence=policy.fit.confidence),
        rows=(),
        counts={},
        notes=(why.note, *gathered.notes),
        benchmarks=gathered.benchmarks,
        dimensions=gathered.dimensions,
        reports=tuple(gathered.reports.values()),
        judges=fit_judges(gathered, policy.allow_weak_judges),
    )
