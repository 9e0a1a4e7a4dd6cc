"""The change log: what each publication changed against the last one in the same folder."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from arena.compare.boards.diff import (
    PUBLISHED,
    BoardDiff,
    PublishedBoard,
    RatingChange,
    diff_boards,
    read_board,
)
from arena.compare.boards.settings import setting_note
from arena.files.strict import Strict
from arena.records import Note
from arena.records.errors import InputError

FILE = "changes.json"
# A feed is read from its top; older publications are in whoever keeps the old folders.
MOST = 200


class PublishedMove(Strict):
    """How far a model moved beside the mean of the models of both rankings, in Elo points."""

    model: str
    change: float
    low: Annotated[float, Field(description="lower end of the interval of the difference")]
    high: Annotated[float, Field(description="upper end of the interval of the difference")]
    told: Annotated[bool, Field(description="whether chance does not explain the change")]
    old_rank: int
    new_rank: int

    @property
    def note(self) -> Note:
        """It in words."""
        code = "changes.up" if self.change > 0 else "changes.down"
        return Note.of(
            code,
            model=self.model,
            points=abs(self.change),
            low=self.low,
            high=self.high,
            old=self.old_rank,
            new=self.new_rank,
        )


class PublishedChange(Strict):
    """What one publication changed. settings: (what, before, now)."""

    id: Annotated[str, Field(description="digest of the ranking, and of the change before")]
    ranking: Annotated[str, Field(description="digest of the ranking that it led to")]
    updated: Annotated[str | None, Field(description="time of the newest row of evidence, UTC")]
    came: list[str]
    left: list[str]
    moves: Annotated[list[PublishedMove], Field(description="the largest first")]
    settings: list[tuple[str, str, str]]

    @property
    def told(self) -> list[PublishedMove]:
        """The moves that chance does not explain."""
        return [move for move in self.moves if move.told]

    @property
    def notes(self) -> list[Note]:
        """It in sentences."""
        found = [move.note for move in self.told]
        if self.moves and not found:
            found.append(Note.of("changes.nobody"))
        for code, names in (("changes.came", self.came), ("changes.left", self.left)):
            if names:
                found.append(Note.of(code, names=tuple(names)))
        return found + [setting_note(*one) for one in self.settings]


class ChangeLog(Strict):
    """All of them, the latest first."""

    changes: Annotated[list[PublishedChange], Field(min_length=1)]


def change_log(folder: Path, now: PublishedBoard, updated: str | None) -> ChangeLog:
    """The change log with what is new beside the ranking that is published in the folder.

    A ranking that the log tells of already adds nothing, so publishing again changes no file.
    """
    log = _read(folder)
    last = log.changes if log else []
    ranking = _digest(now.ratings, now.ranks, now.about)
    if log and last[0].ranking == ranking:
        return log
    new = _change(_before(folder), now, updated, ranking, last[0].id if last else "")
    return ChangeLog(changes=[new, *last][:MOST])


def _before(folder: Path) -> PublishedBoard | None:
    try:
        return read_board(folder) if (folder / PUBLISHED).is_file() else None
    except InputError:  # a page of an early version, which says less
        return None


def _read(folder: Path) -> ChangeLog | None:
    """What stands there; None where that is nothing, or not ours."""
    try:
        return ChangeLog.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _change(
    before: PublishedBoard | None, now: PublishedBoard, updated: str | None, ranking: str, last: str
) -> PublishedChange:
    found = _diff(before, now)
    return PublishedChange(
        id=_digest(ranking, last),
        ranking=ranking,
        updated=updated,
        came=list(found.came),
        left=list(found.left),
        moves=[_move(one) for one in found.changes],
        settings=list(found.settings) if before else [],
    )


def _move(one: RatingChange) -> PublishedMove:
    return PublishedMove(
        model=one.model,
        change=one.change,
        low=one.low,
        high=one.high,
        told=one.is_told,
        old_rank=one.old_rank,
        new_rank=one.new_rank,
    )


def _digest(*content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _diff(before: PublishedBoard | None, now: PublishedBoard) -> BoardDiff:
    """The difference; where no model is in both, all of the old ones left and the new ones came."""
    old = before.ratings if before else {}
    if before is None or not set(old) & set(now.ratings):
        return BoardDiff((), tuple(sorted(now.ratings)), tuple(sorted(old)), ())
    return diff_boards(before, now)
