"""What there is to show of a store that has no ranking yet: scores, report cards, and why."""

from arena.board import Fit, Leaderboard
from arena.config import RankSettings
from arena.errors import ArenaError
from arena.evidence import gather
from arena.ratings import Settings
from arena.store import Store

LABEL = "no ranking"


def unranked(store: Store, rank: RankSettings, why: ArenaError) -> Leaderboard:
    """A leaderboard without rows. why: what was raised where a ranking was asked for."""
    fit = Fit.configured(rank)
    gathered = gather(store, rules=fit.rules)
    return Leaderboard(
        evidence=rank.evidence,
        label=LABEL,
        settings=Settings("none", confidence=fit.confidence),
        rows=(),
        counts={},
        notes=(f"{why}", *gathered.notes),
        benchmarks=gathered.benchmarks,
        dimensions=gathered.dimensions,
        reports=tuple(gathered.reports.values()),
    )
