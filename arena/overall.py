"""The overall column: what each kind of evidence makes of the models, and their stated mean."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from arena.ratings import Comparisons, RatingResult, combine, concat, overall

WEIGHTS = {"human": 0.5, "judge": 0.25, "objective": 0.25}
_NAMES = {"human": "human", "judge": "judges", "objective": "objective"}
Kinds = Mapping[str, Mapping[str, Comparisons]]


@dataclass(frozen=True, slots=True)
class Overall:
    """weights: by kind of evidence, summing to 1. parts: the ratings by each kind alone.

    whole: their mean over the models that all kinds rate.
    """

    weights: dict[str, float]
    parts: dict[str, RatingResult]
    whole: RatingResult


def overall_ratings(
    kinds: Kinds, weights: Mapping[str, float], confidence: float
) -> Overall | None:
    """Benchmarks together with votes and judges; None where either side is not there.

    kinds: comparisons by source, by kind, of those in `WEIGHTS`. weights: taken as shares of
    their sum over the kinds that are there.
    """
    there = {kind: part for kind, part in kinds.items() if part and weights.get(kind, 0.0) > 0}
    if "objective" not in there or len(there) < 2:
        return None
    sum_of = sum(weights[kind] for kind in there)
    shares = {kind: weights[kind] / sum_of for kind in there}
    parts = {kind: _alone(kind, sources, confidence) for kind, sources in there.items()}
    whole = overall([(shares[kind], part) for kind, part in parts.items()], "overall")
    return None if whole is None else Overall(shares, parts, whole)


def _alone(kind: str, sources: Mapping[str, Comparisons], confidence: float) -> RatingResult:
    if kind == "human":
        return combine(concat(list(sources.values())), confidence=confidence)
    return combine(**{_NAMES[kind]: sources}, confidence=confidence)  # type: ignore[arg-type]


def pooled(objective: Mapping[str, Comparisons]) -> dict[str, Comparisons]:
    """All benchmarks as one source, every item counting the same: few items rate no model."""
    if len(objective) < 2:
        return dict(objective)
    parts = [replace(part, source=None) for part in objective.values()]
    return {f"{len(parts)} benchmarks": concat(parts)}
