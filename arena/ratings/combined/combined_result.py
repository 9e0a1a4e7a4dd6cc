"""What a combined ranking says about itself: its method, its label and its sources."""

from dataclasses import dataclass
from enum import StrEnum

from arena.ratings.arrays import Floats
from arena.ratings.result import RatingResult


class Label(StrEnum):
    """What a ranking stands on, as every page says beside it."""

    HUMAN_ANCHORED = "human-anchored"
    JUDGE_ONLY = "judge-only"
    OBJECTIVE_ONLY = "objective-only"


@dataclass(frozen=True)
class Source:
    """One source of evidence, and what the fit made of it.

    kind: "human", "judge" or "objective". weight: the scale β of its ratings (hierarchical), its
    part in the prediction of votes (ppi; stacked, in log-odds), its discrimination (joint); None
    where it took no part. bias: preference for the first slot in log-odds (joint).
    """

    name: str
    kind: str
    comparisons: int
    weight: float | None = None
    bias: float | None = None


@dataclass(frozen=True, eq=False)
class CombinedResult(RatingResult):
    """Ratings with the evidence that they stand on.

    label: see `Label`. sources: all that was given. parameters: what else was fitted, by
    name ("tau" in Elo points, "design effect", "power"; "style NAME" in log-odds of one of the
    covariate, stacked). predicted: (m,) Elo points, what
    judges alone would say on people's scale (hierarchical, stacked).
    """

    label: Label = Label.HUMAN_ANCHORED
    sources: tuple[Source, ...] = ()
    parameters: tuple[tuple[str, float], ...] = ()
    predicted: Floats | None = None
