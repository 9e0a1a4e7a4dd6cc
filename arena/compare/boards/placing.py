"""A judge's run that places one model: the comparisons that tell most, as many as are needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.compare.boards.place import Placement, next_opponents, place
from arena.compare.contest import require_model
from arena.generation.batch import Progress, Watch, unwatched
from arena.judging import JudgeCard, Wanted, plan
from arena.leaderboard.evidence.gathering import gather
from arena.ratings import Comparisons
from arena.records import Note, Prompt
from arena.records.errors import GateError, InputError
from arena.store import Store

STEP = 10  # pairs of answers between two looks at the interval


@dataclass(frozen=True, slots=True)
class PlacedWhen:
    """When a run may stop.

    budget: at most so many pairs of answers. width: where the whole interval is no wider, in Elo
    points; None is to use the budget up.
    """

    budget: int
    width: float | None = None


@dataclass(frozen=True, slots=True)
class PlacingRun:
    """How a model was placed. asked: pairs that were put to the judge in this run."""

    placement: Placement
    asked: int
    steps: tuple[Progress, ...]


def place_by_judge(
    store: Store,
    card: JudgeCard,
    prompts: Sequence[Prompt],
    model: str,
    *,
    until: PlacedWhen,
    confidence: float = 0.95,
    allow_weak: bool = False,
    watch: Watch = unwatched,
) -> PlacingRun:
    """Let a judge compare a model with others of its board until it is placed.

    The pool is what the judge has said of the other models, and stays as it is.
    until: when to stop. Opponents are drawn by `next_opponents`, and of the
    prompts that both answered those come first that were used least.

    Raises GateError where the judge is too weak, InputError where the judge has compared no other
    models or nothing is left to ask.
    """
    require_model(store, model)
    asked, steps = 0, []
    spent: set[tuple[str, str, str]] = set()
    while True:
        pool, own = _said(store, card.name, model, allow_weak)
        found = None if own is None else place(pool, own, model, confidence)
        narrow = (
            found is not None and until.width is not None and found.high - found.low <= until.width
        )
        battles = set() if narrow else _battles(
            store, pool, own, model, prompts, min(STEP, until.budget - asked), spent
        )  # fmt: skip
        if not battles:
            break
        spent |= battles
        models = sorted({name for _, a, b in battles for name in (a, b)})
        wanted = Wanted(battles=frozenset(battles))
        steps += plan(store, card, prompts, models=models, wanted=wanted).run(watch)
        asked += len(battles)
        if steps[-1].stopped:
            pool, own = _said(store, card.name, model, allow_weak)
            found = None if own is None else place(pool, own, model, confidence)
            break
    if found is None:
        raise InputError(f"{model!r} shares no prompt with a model of the board to be judged on")
    return PlacingRun(found, asked, tuple(steps))


def _said(
    store: Store, judge: str, model: str, allow_weak: bool
) -> tuple[Comparisons, Comparisons | None]:
    """The judge's comparisons of the others, and those of the model, None where there is none."""
    gathered = gather(store)
    report = gathered.reports.get(judge)
    if report is not None and report.objection is not None and not allow_weak:
        raise GateError(Note.of("judge.left_out", why=report.objection), Note.of("judge.override"))
    whole = gathered.judges.get(judge)
    pool, own = (None, None) if whole is None else split_off(whole, model)
    if pool is None:
        raise InputError(
            f"{judge!r} has compared no other models, so there is no board to place on"
        )
    return pool, own


def split_off(c: Comparisons, model: str) -> tuple[Comparisons | None, Comparisons | None]:
    """The comparisons without a model, and those that it took part in; None where none are."""
    if model not in c.models:
        return c, None
    code = c.models.index(model)
    mine = (c.i == code) | (c.j == code)
    rest = None if mine.all() else c.select(~mine).observed()
    return rest, c.select(mine).observed() if mine.any() else None


def _battles(
    store: Store,
    pool: Comparisons,
    own: Comparisons | None,
    model: str,
    prompts: Sequence[Prompt],
    n: int,
    spent: set[tuple[str, str, str]],
) -> set[tuple[str, str, str]]:
    """At most n battles of the model that were not judged, as `Wanted` takes them."""
    if n < 1:
        return set()
    judged = {(store_p, *sorted((model, other))) for other, store_p in _judged(own, model)}
    wanted = [prompt.key for prompt in prompts]
    free: dict[str, list[tuple[str, str, str]]] = {}
    for other in pool.models:
        shared = {key for key, _, _ in store.evidence.shared_prompts(model, other)}
        low, high = sorted((model, other))
        left = [(key, low, high) for key in wanted if key in shared]
        left = [battle for battle in left if battle not in judged and battle not in spent]
        if left:
            free[other] = left
    chosen: set[tuple[str, str, str]] = set()
    used = [key for key, _, _ in spent]
    while free and len(chosen) < n:
        for pair in next_opponents(pool, own, model, n - len(chosen), free, seed=len(spent)):
            other = pair.model_b if pair.model_a == model else pair.model_a
            if other in free:
                battle = min(free[other], key=lambda one: used.count(one[0]))
                used.append(battle[0])
                chosen.add(battle)
                free[other].remove(battle)
                if not free[other]:
                    del free[other]
    return chosen


def _judged(own: Comparisons | None, model: str) -> list[tuple[str, str]]:
    """Opponent and prompt of each comparison of the model."""
    if own is None or own.prompt is None:
        return []
    code = own.models.index(model)
    return [
        (own.models[j if i == code else i], str(own.prompt.labels[p]))
        for i, j, p in zip(own.i, own.j, own.prompt.codes, strict=True)
    ]
