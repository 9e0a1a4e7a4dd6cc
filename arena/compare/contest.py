"""All that a store says of two models, by kind of evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from arena.benchmarks.scores import item_values
from arena.compare.differences.advantage import ACCURACY
from arena.compare.differences.paired import Paired, between
from arena.leaderboard.board import Policy
from arena.leaderboard.evidence.counted_judges import chosen_judges, counted_judges
from arena.leaderboard.evidence.gathering import Gathered, gather
from arena.ratings import Comparisons, concat
from arena.records import Evidence, Note
from arena.records.errors import InputError, UnknownNameError
from arena.store import Store

Items = Mapping[tuple[str, str], float]


@dataclass(frozen=True, eq=False, slots=True)
class Contest:
    """One kind of evidence about two models.

    whole: all its comparisons, of other models too; None where benchmarks found no difference.
    direct: those of the two with each other, a tie included; None where they never met.
    sources: whose comparisons `direct` holds, by name, with how many.
    """

    kind: Evidence
    whole: Comparisons | None
    direct: Paired | None
    sources: Mapping[str, int]


@dataclass(frozen=True, eq=False, slots=True)
class Contests:
    """All kinds of evidence about two models: the old one, a, and the new one, b.

    a, b: the names under which they are in the comparisons. groups: by the key of a prompt, its
    category and language, and by an item's its benchmark; each as (kind, value). weak: whether a
    judge was let in that the gate objects to.
    """

    a: str
    b: str
    kinds: Mapping[Evidence, Contest]
    groups: Mapping[str, tuple[tuple[str, str], ...]]
    notes: tuple[Note, ...]
    weak: bool = False


def contests(
    store: Store, a: str, b: str, policy: Policy, against: Store | None = None
) -> Contests:
    """The evidence about model b of a store against model a of the same, or of `against`.

    policy: which votes and judges count; judges that the gate objects to are left out.
    against: the store that holds a; its models other than a count where the first store has the
    same model with the same settings.

    Raises UnknownNameError for a model that is not there, InputError for a model against itself,
    and GateError where only judges are there that are too weak.
    """
    if against is None:
        if a == b:
            raise InputError(f"{a!r} is compared with itself; name two models, or --against")
        for name in (a, b):
            require_model(store, name)
        gathered, notes = _fit_to_count(store, policy)
        kinds = _kinds(gathered, _item_table(store, gathered))
        found = _contests(kinds, a, b)
        return Contests(a, b, found, _groups(store), notes, _has_weak(gathered))
    require_model(against, a)
    require_model(store, b)
    return _of_two_stores(store, against, a, b, policy)


def require_model(store: Store, name: str) -> None:
    """Raise UnknownNameError where a store has no model of this name."""
    names = {model.name for model in store.models()}
    if name not in names:
        raise UnknownNameError(f"model in {store.path}", name, names)


@dataclass(frozen=True, eq=False, slots=True)
class _Said:
    """Comparisons by kind and source, and benchmarks' values by model and item."""

    sources: Mapping[Evidence, Mapping[str, Comparisons]]
    items: Mapping[str, Items]


def _fit_to_count(store: Store, policy: Policy) -> tuple[Gathered, tuple[Note, ...]]:
    """The evidence that the policy lets count, and what was left out."""
    gathered = chosen_judges(gather(store, None, (), policy.rules, policy.ways), policy.judges)
    judges, notes = counted_judges(store, gathered, replace(policy, evidence=Evidence.COMBINED))
    return replace(gathered, judges=judges), (*notes, *gathered.notes)


def _has_weak(gathered: Gathered) -> bool:
    """Whether a judge counts that the gate objects to."""
    counted = (gathered.reports[name] for name in gathered.judges if name in gathered.reports)
    return any(report.objection is not None for report in counted)


def _item_table(store: Store, gathered: Gathered) -> dict[str, Items]:
    """By model, the value of each item in the way of asking that stands for its benchmark."""
    primary = {(s.benchmark, s.variant) for s in gathered.benchmarks if s.primary}
    table: dict[str, dict[tuple[str, str], float]] = {}
    for one in item_values(store.evidence.outcomes()):
        if (one.benchmark, one.variant) in primary:
            table.setdefault(one.model, {})[one.benchmark, one.item] = one.value
    return dict(table)


def _kinds(gathered: Gathered, items: Mapping[str, Items]) -> _Said:
    human = {"votes": gathered.human} if gathered.human is not None else {}
    sources = {
        Evidence.HUMAN: human,
        Evidence.JUDGE: gathered.judges,
        Evidence.OBJECTIVE: gathered.objective,
    }
    return _Said(sources, items)


def _contests(said: _Said, a: str, b: str) -> dict[Evidence, Contest]:
    found = {}
    for kind, sources in said.sources.items():
        parts = {name: part for name, part in sources.items() if len(part)}
        whole = concat(list(parts.values())) if parts else None
        if kind is Evidence.OBJECTIVE:
            direct, counts = _by_item(said.items, a, b)
        else:
            direct = between(whole, a, b) if whole is not None else None
            met = {name: between(part, a, b) for name, part in parts.items()}
            counts = {name: len(pair) for name, pair in met.items() if pair is not None}
        if whole is not None or direct is not None:
            found[kind] = Contest(kind, whole, direct, counts)
    return found


def _by_item(items: Mapping[str, Items], a: str, b: str) -> tuple[Paired | None, dict[str, int]]:
    """Both models' values of each item that both were asked; equal values are even."""
    first, second = items.get(a, {}), items.get(b, {})
    shared = sorted(set(first) & set(second))
    if not shared:
        return None, {}
    share = np.array([0.5 + (second[item] - first[item]) / 2.0 for item in shared])
    names = tuple(item_name(*item) for item in shared)
    counts: dict[str, int] = {}
    for benchmark, _ in shared:
        counts[benchmark] = counts.get(benchmark, 0) + 1
    paired = Paired(names, np.arange(len(shared)), share, np.ones(len(shared)), scale=ACCURACY)
    return paired, counts


def item_name(benchmark: str, item: str) -> str:
    """What an item is called among prompts."""
    return f"{benchmark}/{item}"


def _groups(*stores: Store) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for store in stores:
        for prompt in store.prompts.where():
            places = ("category", prompt.category), ("language", prompt.language)
            found[prompt.key] = tuple(place for place in places if place[1])
        for one in item_values(store.evidence.outcomes()):
            found[item_name(one.benchmark, one.item)] = (("benchmark", one.benchmark),)
    return found


def _of_two_stores(store: Store, against: Store, a: str, b: str, policy: Policy) -> Contests:
    """Rows that b took part in, and those among others, of one store; those with a of the other."""
    (old, left_out), (new, notes) = (_fit_to_count(s, policy) for s in (against, store))
    name = f"{a} ({against.path.name})" if against.path.name != store.path.name else f"{a} (old)"
    alike = _same_models(store, against) - {a, b}
    before, after = (
        _kinds(gathered, _item_table(s, gathered)) for s, gathered in ((against, old), (store, new))
    )
    sources: dict[Evidence, dict[str, Comparisons]] = {}
    for kind in before.sources:
        here: dict[str, Comparisons] = {}
        for title, part in before.sources[kind].items():
            if (kept := _with(part, a, alike)) is not None:
                here[f"{title} ({against.path.name})"] = kept.relabel({a: name})
        for title, part in after.sources[kind].items():
            others = set(part.models) - {a, b}
            if (kept := _kept(part, others | {b})) is not None:
                here[title] = kept
        sources[kind] = here
    items = {name: before.items.get(a, {}), b: after.items.get(b, {})}
    found = _contests(_Said(sources, items), name, b)
    said = tuple(dict.fromkeys((*notes, *left_out)))
    weak = _has_weak(old) or _has_weak(new)
    return Contests(name, b, found, _groups(against, store), said, weak)


def _same_models(store: Store, against: Store) -> set[str]:
    """Names that stand for the same model with the same settings in both stores."""
    keys = {model.name: model.key for model in store.models()}
    return {model.name for model in against.models() if keys.get(model.name) == model.key}


def _with(c: Comparisons, model: str, others: set[str]) -> Comparisons | None:
    """The rows of one model against those others."""
    if model not in c.models:
        return None
    own = c.models.index(model)
    kept = _kept(c, others | {model})
    if kept is None or model not in kept.models:
        return None
    own = kept.models.index(model)
    rows = (kept.i == own) | (kept.j == own)
    return kept.select(rows).observed() if rows.any() else None


def _kept(c: Comparisons, models: set[str]) -> Comparisons | None:
    """The rows between these models."""
    is_in = np.array([name in models for name in c.models])
    rows = is_in[c.i] & is_in[c.j]
    return c.select(rows).observed() if rows.any() else None
