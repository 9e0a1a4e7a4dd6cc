"""What is published of a database: its rankings, and the report cards of its judges."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from arena.judging import JudgeCard, load_card
from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.judge_audit import JudgeAudit, audit_judge, judges_with_verdicts
from arena.leaderboard.ranking import grouped_rankings, views
from arena.records.errors import ArenaError, GateError, InputError
from arena.store import Store


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication shows.

    others: further rankings of the same models, shown beside `board`. groups: rankings of parts of
    the prompts, by category or language. audits: of the judges of `board`. policy: how all
    rankings were made, and what they are called.
    """

    board: Leaderboard
    policy: Policy
    others: Sequence[Leaderboard] = ()
    groups: Sequence[Leaderboard] = ()
    audits: Sequence[JudgeAudit] = ()

    @property
    def rankings(self) -> tuple[Leaderboard, ...]:
        """All of them, the main one first."""
        return (self.board, *self.others, *self.groups)


def published(store: Store, board: Leaderboard, policy: Policy) -> Published:
    """A ranking that was made as the policy says, with all that stands beside it.

    Beside one without rows stands no other ranking.
    """
    audits = report_cards(store, board)
    if not board.rows:
        return Published(board, policy, audits=audits)
    groups: list[Leaderboard] = []
    for by in ("category", "language"):
        with suppress(InputError, GateError):
            found = grouped_rankings(store, by, policy).boards
            groups += found if len(found) > 1 else []
    return Published(board, policy, views(store, board, policy), groups, audits)


def report_cards(store: Store, board: Leaderboard) -> list[JudgeAudit]:
    """What is known of the judges of a ranking that have compared pairs.

    How a judge's canaries went is known where its card is there, and is as it was.
    """
    known = judges_with_verdicts(store)
    names = [report.judge for report in board.reports if report.judge in known]
    return [audit_judge(store, name, _card(store, name)) for name in names]


def _card(store: Store, name: str) -> JudgeCard | None:
    with suppress(ArenaError):
        return load_card(name, store.home)
    return None
