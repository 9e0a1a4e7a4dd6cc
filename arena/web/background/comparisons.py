"""Two models compared, computed beside the app."""

from dataclasses import dataclass, field
from functools import partial

from arena.compare.question import Question
from arena.compare.report import CompareReport, compare
from arena.config import Config
from arena.leaderboard.board import policy_of
from arena.records import Note
from arena.records.errors import ArenaError
from arena.store import Store
from arena.web.background.cache import Cache


@dataclass(frozen=True, slots=True)
class Pairing:
    """What somebody wants to know: whether model b is better than a, or as `question` asks."""

    a: str
    b: str
    question: Question = field(default_factory=Question)


class PairReports(Cache[Pairing, CompareReport | Note]):
    """Threads may share it. config: says which votes and judges count."""

    def __init__(self, store: Store, config: Config | None = None) -> None:
        super().__init__(store, partial(compared, config=config), Pairing("", ""))


def compared(store: Store, wanted: Pairing, config: Config | None = None) -> CompareReport | Note:
    """The comparison, or why there is none."""
    policy = policy_of(store, config or Config())
    try:
        return compare(store, wanted.a, wanted.b, wanted.question, policy=policy)
    except ArenaError as error:
        return error.note
