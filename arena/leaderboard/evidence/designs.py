"""What it costs to compare every model with one baseline alone (`arena judge --baseline`)."""

from collections.abc import Mapping, Sequence

import numpy as np

from arena.leaderboard.evidence.gathering import gather
from arena.ratings import Comparisons, StarDesign, baseline_of, believed, concat, star
from arena.records import Evidence, Note
from arena.store import Store


def star_notes(
    kinds: Mapping[Evidence, Mapping[str, Comparisons]], evidence: Evidence
) -> tuple[Note, ...]:
    """Who compared every model with one alone, what that costs, and which one would do better.

    kinds: comparisons by source, by kind. evidence: the kind that is looked at, or all.
    """
    both = Evidence.HUMAN, Evidence.JUDGE
    wanted = [kind for kind in both if evidence in (kind, Evidence.COMBINED)]
    found = [_star_note(kind, name, c) for kind in wanted for name, c in kinds[kind].items()]
    return tuple(filter(None, found))


def baseline_note(store: Store, models: Sequence[str], baseline: str) -> Note | None:
    """What it will cost to compare these models with one baseline, by all that is stored so far.

    models: all of the store, if none are named. None for fewer than three, of which there is but
    one design.
    """
    names = sorted({*(models or (model.name for model in store.models())), baseline})
    if len(names) < 3:
        return None
    strengths: dict[str, float] = {}
    if known := gather(store).comparisons:
        whole = concat(known)
        strengths = dict(zip(whole.models, believed(whole)[0].tolist(), strict=True))
    theta = np.array([strengths.get(name, 0.0) for name in names])
    return _cost(star(names, theta, baseline))


def _star_note(kind: Evidence, source: str, c: Comparisons) -> Note | None:
    if (baseline := baseline_of(c)) is None:
        return None
    said = _cost(star(c.models, believed(c)[0], baseline))
    return Note.of(f"design.star.{kind}", source=source, baseline=baseline, said=said)


def _cost(design: StarDesign) -> Note:
    wider = Note.of("design.wider", wider=design.wider)
    if design.best == design.baseline or not design.is_lopsided:
        return wider
    return Note.of(
        "design.lopsided",
        said=wider,
        baseline=design.baseline,
        silent=design.silent,
        others=design.others,
        best=design.best,
        wider=design.best_wider,
    )
