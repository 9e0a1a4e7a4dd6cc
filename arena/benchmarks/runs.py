"""One entry of `benchmarks:` on some models: found, asked, judged where unread, and checked."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from arena.backends import Limits, Machines, open_backend
from arena.benchmarks.code.code_eval import check_allowed
from arena.benchmarks.contamination import Signs, contamination
from arena.benchmarks.harness.evaluation import Measured, bench, check_installed
from arena.benchmarks.items.asking import Asking, ItemMode, read_template, variants
from arena.benchmarks.items.reading import Item, read_items
from arena.benchmarks.items.tasks import Benchmark, builtin_tasks, find_benchmarks, own_data
from arena.benchmarks.judged import judge_unread, marking_card
from arena.benchmarks.needle import NAME as NEEDLE
from arena.benchmarks.needle import Haystack, needle_benchmark, parse_lengths
from arena.benchmarks.replies.scoring import JUDGED
from arena.benchmarks.scores import ItemValue, primary_metric
from arena.config import BenchmarkRun, NeedleSettings
from arena.files.encodings import read_text
from arena.files.tabular import FORMATS
from arena.generation.batch import Control, Progress, unwatched
from arena.generation.shards import Shard
from arena.judging import JudgeCard
from arena.records import NO_JUDGE, NOBODY, Decoding, Model, Outcome
from arena.records.errors import InputError, NoLikelihoodError
from arena.store import Store

Tracker = Callable[[str], Control]


@dataclass(frozen=True, slots=True)
class Result:
    """A benchmark on a model, done. outcomes: one an item, of its primary metric."""

    measured: Measured
    model: Model
    outcomes: tuple[Outcome, ...]
    steps: tuple[Progress, ...]
    signs: Signs | None = None

    @property
    def values(self) -> list[ItemValue]:
        """What it made of each item."""
        return [ItemValue(o.benchmark, o.variant, o.model, o.item, o.value) for o in self.outcomes]

    @property
    def unread(self) -> int:
        """Replies in which nobody found an answer."""
        return sum(outcome.marker == NOBODY for outcome in self.outcomes)

    @property
    def reasons(self) -> Counter[str]:
        """Why nobody found an answer, the commonest first, with how often."""
        return Counter(o.reason for o in self.outcomes if o.marker == NOBODY)

    @property
    def judged(self) -> int:
        """Replies that a judge marked."""
        return sum(outcome.marker not in NO_JUDGE for outcome in self.outcomes)


def run_benchmark(
    store: Store,
    models: Sequence[Model],
    wanted: BenchmarkRun,
    tracker: Tracker,
    shard: Shard | None = None,
    machines: Machines | None = None,
) -> Iterator[Result]:
    """Run an entry on each model in turn, as the results are taken.

    shard: the part of the items that is asked; None for all. machines: those of the tracker's
    limits, for what is asked of a model before its run. What is wrong with the entry is raised by
    the call itself, before any model is asked.
    """
    check_installed()
    if wanted.metric == JUDGED and not wanted.judge:
        raise InputError("--metric judged leaves every reply to a judge; name one with --judge")
    if shard and wanted.contamination:
        raise InputError("--contamination looks at all items at once; it does not go with --shard")
    if wanted.circular and wanted.judge:
        raise InputError("a judge marks one reply, and --circular asks for several an item")
    card = marking_card(wanted.judge, store.home) if wanted.judge else None
    if wanted.task == NEEDLE:
        _check_needle(wanted)
        haystack = _haystack(wanted.needle)
        return _run_needle(store, models, wanted, card, tracker, haystack, shard, machines)
    fresh = read_items(Path(wanted.fresh)) if wanted.fresh else []
    found = [b for asking in _askings(wanted) for b in _find(store, wanted, asking)]
    for benchmark in found:
        check_allowed(benchmark.name, benchmark.task, wanted.allow_code)
    return _run_tasks(store, models, wanted, card, tracker, found, fresh, shard)


def check_entries(store: Store, entries: Sequence[BenchmarkRun]) -> None:
    """Raise what is wrong with an entry, if anything; no model is asked."""
    for one in entries:
        run_benchmark(store, [], one, unwatched)


def runs_by_model(
    store: Store,
    models: Sequence[Model],
    entries: Sequence[BenchmarkRun],
    tracker: Tracker,
    shard: Shard | None = None,
    machines: Machines | None = None,
) -> list[Iterator[Result]]:
    """All entries on one model after the other, so that each model is loaded once.

    What is wrong with an entry is raised by the call itself, before any model is asked.
    """
    by_model = [
        [run_benchmark(store, [model], one, tracker, shard, machines) for one in entries]
        for model in models
    ]
    return [chain.from_iterable(runs) for runs in by_model]


@dataclass(frozen=True)
class Benching:
    """What models are to do, for a process that opens the database itself; see `runs_by_model`."""

    database: Path
    entries: Sequence[BenchmarkRun]
    shard: Shard | None = None

    def ask(self, model: Model, control: Control) -> Iterator[Result]:
        """All entries on one model; the results are without the tasks, which go nowhere."""
        store = Store(self.database)
        try:
            for runs in runs_by_model(store, [model], self.entries, lambda _: control, self.shard):
                for result in runs:
                    told = replace(result.measured.benchmark, task=None)
                    yield replace(result, measured=replace(result.measured, benchmark=told))
        finally:
            store.close()


def said_alike(results: Iterable[Result]) -> Iterator[str]:
    """A sentence on models of the same weights with the same replies, and what they differ in."""
    same: defaultdict[tuple[object, ...], list[Model]] = defaultdict(list)
    for result in results:
        replies = tuple((outcome.item, outcome.text) for outcome in result.outcomes)
        name, variant = result.measured.benchmark.name, result.measured.benchmark.asking.variant
        shown = f"{name} ({variant})" if variant else name
        same[shown, result.model.weights, replies].append(result.model)
    together: defaultdict[tuple[Model, ...], list[str]] = defaultdict(list)
    for (place, *_), models in same.items():
        if len(models) > 1:
            together[tuple(models)].append(str(place))
    for alike, benchmarks in together.items():
        names, places = ", ".join(model.name for model in alike), ", ".join(benchmarks)
        said = f"{names} gave the same replies in {places}, so there they are one model."
        yield said + _why(alike)


def _why(alike: Sequence[Model]) -> str:
    """What the models differ in, and where it is known, when that has no effect."""
    first, *others = (asdict(model.decoding) for model in alike)
    differing = [key for key in first if any(other[key] != first[key] for other in others)]
    known = "".join(f" {_NO_EFFECT[key]}" for key in differing if key in _NO_EFFECT)
    said = f" They differ in {', '.join(differing)}, which changed nothing." if differing else ""
    return said + known


_NO_EFFECT = {
    "temperature": "A temperature has no effect on likelihoods and on greedy replies.",
    "system": "A system text is put only to items that are asked as a conversation.",
    "max_tokens": "A bound on tokens has none on likelihoods and on replies that are shorter.",
}


def _run_tasks(
    store: Store,
    models: Sequence[Model],
    wanted: BenchmarkRun,
    card: JudgeCard | None,
    tracker: Tracker,
    found: Sequence[Benchmark],
    fresh: Sequence[Item],
    shard: Shard | None,
) -> Iterator[Result]:
    for model in models:
        for benchmark in found:
            result = _one(store, model, benchmark, wanted, card, tracker, shard)
            result = _noted(result, _on_room(model, benchmark))
            if wanted.contamination and benchmark.asking == found[0].asking:
                others = fresh or _own_fresh(store, benchmark)
                result = _checked(store, result, wanted.limit, others, tracker)
            yield result


def _on_room(model: Model, benchmark: Benchmark) -> list[str]:
    """A sentence where a benchmark gives replies more room than the model's own max_tokens."""
    own, config = model.decoding.max_tokens, benchmark.task.config
    room = (config.generation_kwargs or {}).get("max_gen_toks", 0)
    if config.output_type != "generate_until" or own == Decoding().max_tokens or own >= room:
        return []
    return [
        f"{benchmark.name} gives every model {room} tokens to reply, and more to one that thinks "
        f"first, so that all are measured alike; max_tokens: {own} of {model.name} holds for "
        "answers to prompts."
    ]


def _run_needle(
    store: Store,
    models: Sequence[Model],
    wanted: BenchmarkRun,
    card: JudgeCard | None,
    tracker: Tracker,
    haystack: Haystack,
    shard: Shard | None,
    machines: Machines | None,
) -> Iterator[Result]:
    for model in models:
        benchmark, notes = _needle(model, haystack, wanted.metric or "recall", machines)
        yield _noted(_one(store, model, benchmark, wanted, card, tracker, shard), notes)


def _check_needle(wanted: BenchmarkRun) -> None:
    """Raise InputError where something is wanted that the needle test does not know."""
    others = ("mode", "few_shot", "chat", "multiturn", "circular", "template", "variants")
    for name in (*others, "contamination"):
        if getattr(wanted, name) not in (None, False, []):
            option = "chat-template" if name == "chat" else name.replace("_", "-")
            raise InputError(f"needle is asked in one way only; leave out --{option}")


def _find(store: Store, wanted: BenchmarkRun, asking: Asking) -> list[Benchmark]:
    if wanted.data:
        return [own_data(Path(wanted.data), asking)]
    return find_benchmarks(wanted.what, store.home, asking)


def _askings(wanted: BenchmarkRun) -> list[Asking]:
    base = Asking(
        way=ItemMode(wanted.mode) if wanted.mode else None,
        few_shot=wanted.few_shot,
        chat=wanted.chat,
        circular=wanted.circular,
        template=read_template(Path(wanted.template)) if wanted.template else None,
        metric=wanted.metric,
        multiturn=wanted.multiturn,
    )
    if wanted.variants and wanted.template:
        raise InputError("--template goes with one way of asking; name the file in --variants")
    return variants(wanted.variants, base) if wanted.variants else [base.checked()]


def ways_of(entries: Sequence[BenchmarkRun]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """By benchmark or group of them, the variants in which a configuration asks it, in order.

    An entry whose template cannot be read is left out here: running it says why.
    """
    found: dict[str, dict[str, None]] = {}
    for entry in entries:
        is_file = entry.data or entry.what.lower().removesuffix(".gz").endswith(FORMATS)
        name = Path(entry.what).stem if is_file else entry.what
        with suppress(InputError):
            found.setdefault(name, {}).update(dict.fromkeys(a.variant for a in _askings(entry)))
    return tuple((name, tuple(ways)) for name, ways in found.items())


def _one(
    store: Store,
    model: Model,
    benchmark: Benchmark,
    wanted: BenchmarkRun,
    card: JudgeCard | None,
    tracker: Tracker,
    shard: Shard | None,
) -> Result:
    variant = benchmark.asking.variant
    what = f"{model.name} does {benchmark.name}" + (f" ({variant})" if variant else "")
    code, control = wanted.allow_code, tracker(what)
    measured = bench(store, model, benchmark, wanted.limit, control, allow_code=code, shard=shard)
    metrics = list(dict.fromkeys(outcome.metric for outcome in measured.outcomes))
    if not metrics:
        return Result(measured, model, (), (measured.progress,))
    main = primary_metric(metrics)
    outcomes = [outcome for outcome in measured.outcomes if outcome.metric == main]
    steps = [measured.progress]
    if card is not None:
        control = tracker(f"{card.name} reads what {model.name} wrote")
        marked, progress = judge_unread(store, measured.benchmark, outcomes, card, control)
        by_item = {outcome.item: outcome for outcome in marked}
        outcomes = [by_item.get(outcome.item, outcome) for outcome in outcomes]
        steps += [progress] if progress else []
    return Result(measured, model, tuple(outcomes), tuple(steps))


def _checked(
    store: Store, result: Result, limit: int | None, fresh: Sequence[Item], tracker: Tracker
) -> Result:
    benchmark, model = result.measured.benchmark, result.model
    if not benchmark.items:
        return _noted(result, [f"{benchmark.name}: its items are not known, so none are compared."])
    control = tracker(f"{model.name} and what it may have seen of {benchmark.name}")
    try:
        items = benchmark.items[:limit]
        signs = contamination(store, model, benchmark.name, items, fresh, control)
    except NoLikelihoodError as error:
        return _noted(result, [f"{error}; what it may have seen cannot be told."])
    steps = (*result.steps, signs.progress)
    return _noted(
        replace(result, signs=signs, steps=steps), [*map(str, signs.warnings), *signs.skipped]
    )


def _noted(result: Result, notes: Sequence[str]) -> Result:
    measured = replace(result.measured, notes=(*result.measured.notes, *notes))
    return replace(result, measured=measured)


def _own_fresh(store: Store, benchmark: Benchmark) -> list[Item]:
    """Fresh items that lie beside a set: `fresh/NAME.jsonl`."""
    task = builtin_tasks(store.home).get(benchmark.name)
    path = task.parent / "fresh" / f"{benchmark.name}.jsonl" if task else None
    return read_items(path) if path and path.is_file() else []


def _haystack(settings: NeedleSettings) -> Haystack:
    filler = ""
    if settings.filler:
        path = Path(settings.filler)
        filler = read_text(path).strip()
        if not filler:
            raise InputError(f"{path}: no text in it")
    return Haystack(
        parse_lengths([str(length) for length in settings.lengths]),
        tuple(depth / 100 for depth in settings.depths),
        tuple(settings.needles),
        tuple(settings.languages),
        settings.samples,
        filler,
    )


def _needle(
    model: Model, haystack: Haystack, metric: str, machines: Machines | None
) -> tuple[Benchmark, list[str]]:
    with open_backend(model, Limits(machines=machines)) as backend:
        return needle_benchmark(haystack, backend.count_tokens, backend.window(), metric)
