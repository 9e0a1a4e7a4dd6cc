"""What there is to show of a store that has no ranking yet: scores, report cards, and why."""

from arena.errors import ArenaError, GateError, InputError, RatingError
from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.ranking import chosen_judges, is_fit, ranking
from arena.ratings import Settings
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
    fit = policy.fit
    gathered = chosen_judges(gather(store, rules=fit.rules, ways=fit.ways), fit.judges)
    return Leaderboard(
        evidence=policy.evidence,
        label=LABEL,
        settings=Settings("none", confidence=fit.confidence),
        rows=(),
        counts={},
        notes=(why.note, *gathered.notes),
        benchmarks=gathered.benchmarks,
        dimensions=gathered.dimensions,
        reports=tuple(gathered.reports.values()),
        judges=tuple(
            name for name in gathered.judges if is_fit(gathered, name, policy.allow_weak_judges)
        ),
    )
