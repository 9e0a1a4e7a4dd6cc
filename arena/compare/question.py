"""What is asked of two models, and what the evidence decides."""

from dataclasses import dataclass
from enum import StrEnum

from arena.compare.differences.advantage import EVEN, Advantage
from arena.records.errors import InputError

MARGIN = 2.0  # points; see `Question`


class Aim(StrEnum):
    """What must be shown of the new model: that it is not worse, that it is better, or either."""

    NOT_WORSE = "not-worse"
    SUPERIOR = "superior"
    TWO_SIDED = "two-sided"


class Decision(StrEnum):
    """What follows for a release."""

    SHIP = "ship"
    DO_NOT = "do-not-ship"
    CANNOT_TELL = "cannot-tell"

    @property
    def exit_code(self) -> int:
        """What the command ends with: 0, 1 or 3. Mistakes of the user end with 2."""
        return {Decision.SHIP: 0, Decision.DO_NOT: 1, Decision.CANNOT_TELL: 3}[self]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    margin: points, 0 to 50. `NOT_WORSE` allows the new model so many points less than even, and
    `SUPERIOR` asks for so many points more. `TWO_SIDED` takes none.
    confidence: in (0.5, 1). One minus it bounds the chance of a wrong "ship", and apart from that
    the chance of a wrong "do not ship".

    Raises InputError for what is outside of these.
    """

    aim: Aim = Aim.NOT_WORSE
    margin: float = MARGIN
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 0.0 <= self.margin < 50.0:
            raise InputError(f"--margin {self.margin:g}; allowed is 0 to 50 points")
        if not 0.5 < self.confidence < 1.0:
            raise InputError(f"--confidence {self.confidence:g}; allowed is between 0.5 and 1")

    @property
    def threshold(self) -> float:
        """The difference in points that the new model must be above."""
        return {Aim.NOT_WORSE: -self.margin, Aim.SUPERIOR: self.margin, Aim.TWO_SIDED: 0.0}[
            self.aim
        ]

    @property
    def error(self) -> float:
        """The chance that is allowed of a wrong answer on one side."""
        both = self.aim is Aim.TWO_SIDED
        return (1.0 - self.confidence) / (2.0 if both else 1.0)

    def limit(self, scale: float) -> float:
        """The threshold as a share of the win; scale: points of a whole win, as `Advantage` has."""
        return EVEN + self.threshold / (2.0 * scale)

    def decide(self, found: Advantage) -> Decision:
        """The decision that an advantage allows at this confidence."""
        certainty = found.certainty(self.limit(found.scale))
        if certainty >= 1.0 - self.error:
            return Decision.SHIP
        return Decision.DO_NOT if certainty <= self.error else Decision.CANNOT_TELL
