"""Sheets of the leaderboard, computed beside the app."""

from collections.abc import Mapping
from functools import partial

from arena.config import Config
from arena.leaderboard.board import Policy, Row, policy_of
from arena.leaderboard.snapshot import Sheet, Slice, compute
from arena.store import Store
from arena.web.background.cache import Cache


class Boards(Cache[Slice, Sheet]):
    """Threads may share it. config: says how to rank; see `board.policy_of`."""

    def __init__(self, store: Store, config: Config | None = None) -> None:
        self._config = config or Config()
        super().__init__(store, partial(compute, config=self._config), Slice())

    def policy(self) -> Policy:
        """How this database is ranked now."""
        return policy_of(self._store, self._config)

    def known_rows(self) -> Mapping[str, Row]:
        """The ranking as last computed, by model; nobody waits for a newer one."""
        found = self.last(Slice())
        if found is None or not found.rests:
            found = self.made(Slice(), 0.0)
        board = found.value.boards.get(found.value.policy.evidence) if found else None
        return {row.model: row for row in board.rows} if board else {}
