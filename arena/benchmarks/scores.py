"""Benchmarks' outcomes as scores, as comparisons of models, and by capability."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from arena.ratings import Comparisons
from arena.ratings.intervals.estimates import marks
from arena.records import NO_JUDGE, NOBODY, UNSAFE, Note
from arena.store.columns import OutcomeColumns

PRIMARY = ("acc_norm", "acc")
# What a way of asking is called that is as the benchmark has it, beside others.
DEFAULT_WAY = "default"


@dataclass(frozen=True, slots=True)
class BenchmarkScore:
    """A model's mean over a benchmark's items, in [0, 1].

    stderr: its standard error, as lm-eval has it. low, high: its 95 % interval. All three are
    None where the items do not tell.
    variant: how the items were asked; empty is as the benchmark has it. primary: whether this
    metric and variant stand for the benchmark in a ranking. leading: whether this metric stands
    for this variant. several: whether the benchmark was asked in other ways, too. unread: replies
    in which no answer was found, counted as wrong; judged: those that a judge marked.
    """

    benchmark: str
    metric: str
    model: str
    mean: float
    stderr: float | None
    items: int
    variant: str = ""
    dimension: str = ""
    primary: bool = True
    unread: int = 0
    judged: int = 0
    low: float | None = None
    high: float | None = None
    leading: bool = True
    several: bool = False

    @property
    def title(self) -> str:
        """The benchmark, and how it was asked: said where there are several ways, or an own one."""
        way = self.variant or (DEFAULT_WAY if self.several else "")
        return f"{self.benchmark} ({way})" if way else self.benchmark


@dataclass(frozen=True, slots=True)
class ItemValue:
    """One model's result on one item, in [0, 1], by the metric that stands for the benchmark."""

    benchmark: str
    variant: str
    model: str
    item: str
    value: float


@dataclass(frozen=True, slots=True)
class Objective:
    """All that benchmarks say. comparisons: by benchmark, of its primary metric and variant.

    dimensions: means over the benchmarks of a capability, each benchmark weighing the same.
    """

    scores: tuple[BenchmarkScore, ...]
    comparisons: dict[str, Comparisons]
    dimensions: tuple[BenchmarkScore, ...]
    notes: tuple[Note, ...]


Ways = Sequence[tuple[str, Sequence[str]]]


def objective(outcomes: OutcomeColumns, ways: Ways = ()) -> Objective:
    """Read the outcomes. Where models were asked in several ways, one way is compared.

    ways: by benchmark, or group of benchmarks, the variants that stand for it, the first that
    there is. What no benchmark is called is taken for a group, of which any may be a part.
    """
    names = _names(outcomes)
    chosen, notes = _chosen(outcomes, names, ways)
    rows = [
        i
        for i, name in enumerate(names)
        if chosen[name] == (outcomes.variant[i], outcomes.metric[i])
    ]
    scores = tuple(_scores(outcomes, names, chosen))
    notes += _unsafe(names[i] for i in rows if outcomes.marker[i] == UNSAFE)
    return Objective(
        scores, _comparisons(outcomes, names, rows), tuple(_dimensions(scores)), tuple(notes)
    )


def item_values(outcomes: OutcomeColumns) -> list[ItemValue]:
    """What each model made of each item, however it was asked."""
    names = _names(outcomes)
    metrics: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for name, variant, metric in zip(names, outcomes.variant, outcomes.metric, strict=True):
        metrics[name, variant][metric] = None
    primary = {place: primary_metric(list(found)) for place, found in metrics.items()}
    return [
        ItemValue(name, outcomes.variant[i], outcomes.model[i], outcomes.item[i], outcomes.value[i])
        for i, name in enumerate(names)
        if outcomes.metric[i] == primary[name, outcomes.variant[i]]
    ]


def primary_metric(metrics: Sequence[str]) -> str:
    """The metric that stands for a benchmark: by length where there is one, else its first."""
    return next((name for name in PRIMARY if name in metrics), metrics[0])


@dataclass(frozen=True, slots=True)
class MeanScore:
    """The mean of some items, its standard error and its 95 % interval; see `BenchmarkScore`."""

    mean: float
    stderr: float | None
    low: float | None
    high: float | None


def mark(values: Sequence[float]) -> MeanScore:
    """The mean of items that are marked in [0, 1].

    Its interval is Wilson's where each is right or wrong, and else Student's within [0, 1].
    """
    n, found = len(values), marks(values)
    low, high = found.ends
    variance = sum((value - found.value) ** 2 for value in values) / (n - 1) if n > 1 else None
    stderr = None if variance is None else (variance / n) ** 0.5
    return MeanScore(found.value, stderr, low, high)


def _names(outcomes: OutcomeColumns) -> list[str]:
    """Benchmarks by name; another version of a task is another benchmark."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for name, version in zip(outcomes.benchmark, outcomes.version, strict=True):
        versions[name].add(version)
    return [
        f"{name} ({version})" if len(versions[name]) > 1 else name
        for name, version in zip(outcomes.benchmark, outcomes.version, strict=True)
    ]


def _chosen(
    outcomes: OutcomeColumns, names: Sequence[str], ways: Ways
) -> tuple[dict[str, tuple[str, str]], list[Note]]:
    """For each benchmark its variant and metric: as `ways` has it, else as most models have it."""
    models: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    metrics: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for name, variant, metric, model in zip(
        names, outcomes.variant, outcomes.metric, outcomes.model, strict=True
    ):
        models[name][variant].add(model)
        metrics[name, variant][metric] = None
    chosen, notes = {}, []
    plain = dict(zip(names, outcomes.benchmark, strict=True))
    for name, by_variant in models.items():
        told = _told(plain[name], ways, set(plain.values()))
        commonest = max(by_variant, key=lambda v: (len(by_variant[v]), v == ""))
        variant = next((v for v in told if v in by_variant), commonest)
        chosen[name] = (variant, primary_metric(list(metrics[name, variant])))
        left = sorted(set().union(*by_variant.values()) - by_variant[variant])
        if left:
            code = "benchmark.configured_way" if variant in told else "benchmark.common_way"
            way = variant or Note.of("benchmark.plain_way")
            notes.append(Note.of(code, benchmark=name, way=way, models=tuple(left)))
    return chosen, notes


def _told(benchmark: str, ways: Ways, known: set[str]) -> list[str]:
    """The variants that stand for a benchmark: its own, and else those of groups."""
    own = [v for name, variants in ways if name == benchmark for v in variants]
    groups = [v for name, variants in ways if name not in known for v in variants]
    return own or groups


def _unsafe(names: Iterable[str]) -> list[Note]:
    """What is said of code that ran without a container, by benchmark."""
    return [
        Note.of("benchmark.no_container", benchmark=name, replies=n)
        for name, n in Counter(names).items()
    ]


def _scores(
    outcomes: OutcomeColumns, names: Sequence[str], chosen: dict[str, tuple[str, str]]
) -> Iterable[BenchmarkScore]:
    rows: defaultdict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        rows[name, outcomes.variant[i], outcomes.metric[i], outcomes.model[i]].append(i)
    metrics: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for i, name in enumerate(names):
        metrics[name, outcomes.variant[i]][outcomes.metric[i]] = None
    leading = {way: primary_metric(list(found)) for way, found in metrics.items()}
    for (name, variant, metric, model), here in sorted(rows.items()):
        found = mark([outcomes.value[i] for i in here])
        yield BenchmarkScore(
            name,
            metric,
            model,
            found.mean,
            found.stderr,
            len(here),
            variant,
            outcomes.dimension[here[-1]],
            chosen[name] == (variant, metric),
            sum(outcomes.marker[i] == NOBODY for i in here),
            sum(outcomes.marker[i] not in NO_JUDGE for i in here),
            found.low,
            found.high,
            metric == leading[name, variant],
            sum(other == name for other, _ in leading) > 1,
        )


def _comparisons(
    outcomes: OutcomeColumns, names: Sequence[str], rows: Sequence[int]
) -> dict[str, Comparisons]:
    """Items that one model got better than another, clustered by item.

    Where both did alike, nothing is said: what is left is the conditional likelihood of the
    Rasch model, in which the difficulty of an item cancels (Rasch 1960; Zwinderman 1995).
    """
    by_benchmark: defaultdict[str, list[int]] = defaultdict(list)
    for i in rows:
        by_benchmark[names[i]].append(i)
    found = {}
    for name, here in by_benchmark.items():
        models = sorted({outcomes.model[i] for i in here})
        items = list(dict.fromkeys(outcomes.item[i] for i in here))
        table = np.full((len(models), len(items)), np.nan)
        row_of, column_of = ({x: k for k, x in enumerate(xs)} for xs in (models, items))
        for i in here:
            table[row_of[outcomes.model[i]], column_of[outcomes.item[i]]] = outcomes.value[i]
        a: list[str] = []
        b: list[str] = []
        won: list[float] = []
        item: list[str] = []
        for j, k in combinations(range(len(models)), 2):
            difference = table[j] - table[k]
            told = np.flatnonzero(~np.isnan(difference) & (difference != 0))
            a += [models[j]] * len(told)
            b += [models[k]] * len(told)
            won += (difference[told] > 0).astype(float).tolist()
            item += [f"{name}/{items[t]}" for t in told]
        if a:
            source = [name] * len(a)
            found[name] = Comparisons.from_columns(a, b, outcome=won, prompt=item, source=source)
    return found


def _dimensions(scores: Sequence[BenchmarkScore]) -> Iterable[BenchmarkScore]:
    parts: defaultdict[tuple[str, str], list[BenchmarkScore]] = defaultdict(list)
    for score in scores:
        if score.primary and score.dimension:
            parts[score.dimension, score.model].append(score)
    for (dimension, model), here in sorted(parts.items()):
        middle = sum(score.mean for score in here) / len(here)
        # Sides of intervals add up as errors do (Zou and Donner 2008).
        below = _together([_apart(score.mean, score.low) for score in here])
        above = _together([_apart(score.mean, score.high) for score in here])
        yield BenchmarkScore(
            dimension,
            "mean",
            model,
            middle,
            _together([score.stderr for score in here]),
            sum(score.items for score in here),
            dimension=dimension,
            unread=sum(score.unread for score in here),
            judged=sum(score.judged for score in here),
            low=None if below is None else middle - below,
            high=None if above is None else middle + above,
        )


def _apart(value: float, end: float | None) -> float | None:
    return None if end is None else abs(end - value)


def _together(errors: Sequence[float | None]) -> float | None:
    """The error of the mean of independent parts, of theirs; None where one is not known."""
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return None
    return float(sum(error**2 for error in known) ** 0.5 / len(known))
