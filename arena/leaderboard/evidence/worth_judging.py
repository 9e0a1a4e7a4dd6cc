"""Which battles a judge should be asked about next: those that would make the ranking surer."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from random import Random

from arena.leaderboard.evidence.gathering import gather
from arena.ratings import Comparisons, concat, next_pairs
from arena.records import Prompt
from arena.records.errors import InputError
from arena.store import Store
from arena.store.columns import VerdictColumns

Battle = tuple[str, str, str]


def battles_worth_judging(
    store: Store,
    prompts: Sequence[Prompt],
    models: Sequence[str],
    n: int,
    judges: Sequence[str] = (),
    *,
    both_orders: bool = True,
) -> frozenset[Battle]:
    """Up to n battles that are not judged, of the pairs that would tell most about the ranking.

    Those come first that were begun: in one order of both, or by some of the judges, so that a
    run that was killed is taken up. models, judges: all there are, if none are named. Each
    battle is a prompt's key and two models in sorted order, as `judging.Wanted` takes them.
    """
    names = sorted(models or {model.name for model in store.models()})
    known = gather(store).comparisons
    verdicts = store.evidence.verdicts()
    wanted = [prompt.key for prompt in prompts]
    judged, begun = _seen(verdicts, judges, both_orders=both_orders)
    here = [(p, a, b) for p, a, b in begun if p in set(wanted) and {a, b} <= set(names)]
    battles, seen, left = set(here[:n]), judged | set(begun), n - len(here)
    for a, b in _pairs_to_compare(known, names, left, len(verdicts.judge)) if left > 0 else ():
        shared = {prompt for prompt, _, _ in store.evidence.shared_prompts(a, b)}
        free = [(p, a, b) for p in wanted if p in shared and (p, a, b) not in seen | battles]
        battles |= set(free[:1])
    return frozenset(battles)


def _seen(
    verdicts: VerdictColumns, judges: Sequence[str], *, both_orders: bool
) -> tuple[set[Battle], list[Battle]]:
    """The battles that all of `judges` have judged whole, and those that are only begun."""
    by: defaultdict[Battle, set[str]] = defaultdict(set)
    halves: set[Battle] = set()
    for i, judge in enumerate(verdicts.judge):
        if not judges or judge in judges:
            low, high = sorted((verdicts.model_a[i], verdicts.model_b[i]))
            battle = verdicts.prompt[i], low, high
            by[battle].add(judge)
            if both_orders and verdicts.backward[i] is None:
                halves.add(battle)
    judged = {b for b, seen in by.items() if b not in halves and seen >= set(judges)}
    return judged, [battle for battle in by if battle not in judged]


def _pairs_to_compare(
    known: Sequence[Comparisons], models: Sequence[str], n: int, seed: int
) -> list[tuple[str, str]]:
    """n pairs in sorted order: the most telling ones, or any where nothing is known yet."""
    if len(models) < 2:
        return []
    try:
        drawn = next_pairs(concat(known).among(models), n, seed=seed)
        return [(min(p.model_a, p.model_b), max(p.model_a, p.model_b)) for p in drawn]
    except InputError:
        return Random(seed).choices(list(combinations(models, 2)), k=n)
