"""Work that is done elsewhere, or was not done."""

from dataclasses import dataclass

from arena.records.kinds import Mode


@dataclass(frozen=True, slots=True)
class Batch:
    """Work that a server was given to do in its own time; gone once it is collected.

    key: the server's name for it. owner: of the leases on its rows. tasks: JSON, enough to
    make the rows.
    """

    key: str
    judge: str
    mode: Mode
    owner: str
    tasks: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that was tried and not done; the next run tries it again."""

    stage: str
    subject: str
    kind: str
    message: str
