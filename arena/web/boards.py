"""Sheets of the leaderboard, computed beside the app."""

from collections.abc import Mapping

from arena.board import Row
from arena.records import Evidence
from arena.store import Store
from arena.web.beside import Beside, rests
from arena.web.sheets import Sheet, Slice, compute


class Boards(Beside[Slice, Sheet]):
    """Threads may share it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, compute, Slice())

    def known_rows(self, view: str = Evidence.COMBINED) -> Mapping[str, Row]:
        """The ranking as last computed, by model; nobody waits for a newer one."""
        sheet = self.last(Slice())
        if sheet is None or not rests(sheet):
            sheet = self.get(Slice(), 0.0)
        board = sheet.boards.get(view) if sheet else None
        return {row.model: row for row in board.rows} if board else {}
