"""Results of other evaluation tools as outcomes, by item, of models that came from files."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from arena.benchmarks.items.dimensions import dimension_of
from arena.files.tabular import json_rows, listed
from arena.records import NOBODY, RULE, BackendKind, Model, Outcome, content_key, counted
from arena.records.errors import InputError, UnknownNameError, said
from arena.store import Store

AGREES = 5e-4
_WRITTEN = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What a model got for one item, None where the tool itself has no result for it.

    item: the same for all models that were asked the same. why: why the text held no answer,
    empty where it did. request: digest of what was asked and of the answer that was wanted.
    ours: our own mark of a text that the tool has marked, None where no rule of ours fits.
    """

    item: str
    value: float | None
    text: str = ""
    why: str = ""
    request: str = ""
    ours: float | None = None


@dataclass(frozen=True, slots=True)
class ResultSet:
    """One model's results on one benchmark by one metric.

    marked: by whom and how, in a few words. reported: the tool's own figure and its name.
    Other fields as in `Outcome`.
    """

    model: str
    benchmark: str
    version: str
    metric: str
    items: tuple[ItemResult, ...]
    variant: str = ""
    marked: str = ""
    reported: tuple[str, float] | None = None

    @property
    def about(self) -> tuple[str, str, str, str]:
        """What models are compared on."""
        return self.benchmark, self.version, self.variant, self.metric

    @property
    def mean(self) -> float:
        """Of the values that are there, in [0, 1]."""
        values = [item.value for item in self.items if item.value is not None]
        return sum(values) / len(values)

    @property
    def ours(self) -> float | None:
        """The mean of our own marks, in [0, 1]; None where there are none beside the tool's."""
        marks = [item.ours for item in self.items if item.ours is not None]
        return sum(marks) / len(marks) if marks else None

    @property
    def differing(self) -> int:
        """How many items our own rule marks otherwise than the tool."""
        return sum(item.ours not in (None, item.value) for item in self.items)

    @property
    def agrees(self) -> bool:
        """Whether the tool's own figure, a share or a percentage, is this mean."""
        if self.reported is None:
            return True
        figure = self.reported[1]
        return min(abs(figure - self.mean), abs(figure / 100 - self.mean)) < AGREES


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in the files that became no outcome, and why, as the end of a sentence."""

    what: str
    why: str

    def __post_init__(self) -> None:
        # Names come from files, which may have anything in them; a sentence is one line.
        for name in ("what", "why"):
            object.__setattr__(self, name, " ".join(getattr(self, name).split()))


@dataclass(frozen=True, slots=True)
class ToolResults:
    """What the files of one tool hold, earlier runs first. notes: sentences for the user."""

    sets: tuple[ResultSet, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedResults:
    """What was stored. new, changed and same: outcomes; models: how many are new."""

    sets: tuple[ResultSet, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    models: int
    new: int
    changed: int
    same: int


def import_results(
    store: Store, reading: ToolResults, rename: Mapping[str, str] | None = None
) -> ImportedResults:
    """Store an outcome for each item; what was imported before changes nothing.

    A model that the store has by that name gets the results; `rename` (old name to new) gives
    them to another. Raises InputError where nothing has a result by item, because a ranking
    compares models on the items that they share.
    """
    found = _renamed(reading.sets, rename or {})
    sets, left_out = _usable(found)
    left_out = [*reading.left_out, *left_out]
    if not sets:
        whys = "; ".join(f"{len(list(g))} × {why}" for why, g in _by_why(left_out))
        raise InputError(f"no results by item, which a ranking needs: {whys or 'nothing is there'}")
    kept = list({(one.model, *one.about): one for one in sets}.values())
    known = {model.name: model for model in store.models(archived=True)}
    models = {one.model: _model(one.model, known) for one in kept}
    outcomes = {o.key: o for one in kept for o in _outcomes(one, models[one.model])}
    for name in models.keys() - known.keys():
        store.put_model(models[name])
    stored = store.outcomes.get(outcomes)
    differing = [o for key, o in outcomes.items() if stored.get(key) != o]
    store.outcomes.put(differing)
    changed = sum(o.key in stored for o in differing)
    notes = [*reading.notes, *_notes(sets, kept, [known[n] for n in models if n in known])]
    return ImportedResults(
        tuple(kept),
        tuple(left_out),
        tuple(notes),
        len(models.keys() - known.keys()),
        len(differing) - changed,
        changed,
        len(outcomes) - len(differing),
    )


def item_name(index: object, wanted: object) -> str:
    """An item's name from its place and the answer that is wanted.

    Prompts differ between models by their chat templates, and places are not the same items
    where only a part of a set was asked; so what is compared agrees in place and answer.
    """
    return f"{index}-{content_key(wanted)[:8]}"


def sentences(left_out: Iterable[LeftOut], most: int = 3) -> Iterator[str]:
    """What was left out, the same reasons together."""
    for why, group in _by_why(left_out):
        names = [one.what for one in group]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        yield f"Left out: {', '.join(names[:most])}{more}: {why}."


def read_json(path: Path) -> dict[str, Any]:
    """A file that holds one JSON object."""
    found = list(json_rows(path))
    if len(found) != 1:
        raise InputError(f"{path}: {len(found)} JSON objects, and it must hold one")
    return found[0][1]


def read_json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file, one a line, each with its place for messages."""
    for line, row in json_rows(path):
        yield f"{path}:{line}", row


def field_of(place: object, row: Mapping[str, Any], name: str, kind: type) -> Any:
    """A field that must be there, of a kind; else an InputError that names it."""
    if not isinstance(row, Mapping):
        raise InputError(f"{place}: {said(row)} is not an object; it must have {name!r}")
    if name not in row:
        raise InputError(f"{place}: it has no {name!r}; it has {listed(row)}")
    if not isinstance(row[name], kind):
        raise InputError(f"{place}: {name}: {said(row[name])}; it must be of type {kind.__name__}")
    return row[name]


def field_or(place: object, row: Mapping[str, Any], name: str, default: Any) -> Any:
    """A field of the kind of `default`, which stands where it is absent or null."""
    is_there = not isinstance(row, Mapping) or row.get(name) is not None
    return field_of(place, row, name, type(default)) if is_there else default


def list_of(place: object, row: Mapping[str, Any], name: str, kind: type) -> list[Any]:
    """A list of values of one kind; empty where it is absent or null."""
    held: list[Any] = field_or(place, row, name, [])
    for one in held:
        field_of(place, {name: one}, name, kind)
    return held


def number(value: object) -> float | None:
    """A value as a number, NaN where it is none; None stays None.

    Tools write numbers of numpy's as texts: "1.0", "True".
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = _WRITTEN.get(value.strip().casefold(), value)
    try:
        if isinstance(value, str):
            return float(value) if value.isascii() and "_" not in value else math.nan
        return float(value) if isinstance(value, int | float) else math.nan
    except (ValueError, OverflowError):  # JSON has whole numbers of any length
        return math.nan


def figure(name: str, value: object) -> tuple[str, float] | None:
    """A tool's own figure and its name, where it is a number."""
    found = None if isinstance(value, str) else number(value)
    return None if found is None or math.isnan(found) else (name, found)


def part(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of an object that may be missing; empty where it is no object either."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _by_why(left_out: Iterable[LeftOut]) -> Iterator[tuple[str, Iterator[LeftOut]]]:
    why: Callable[[LeftOut], str] = lambda one: one.why  # noqa: E731
    return groupby(sorted(left_out, key=why), key=why)


def _renamed(sets: Sequence[ResultSet], rename: Mapping[str, str]) -> list[ResultSet]:
    names = {one.model for one in sets}
    for name in rename:
        if name not in names:
            raise UnknownNameError("model", name, names, "--rename takes OLD=NEW.")
    new = {name: rename.get(name, name) for name in names}
    for name in names:
        if twins := sorted(other for other in names if new[other] == new[name] and other != name):
            raise InputError(
                f"--rename makes {name} and {twins[0]} one model ({new[name]}); "
                "give each a name of its own"
            )
    return [replace(one, model=new[one.model]) for one in sets]


def _usable(sets: Iterable[ResultSet]) -> tuple[list[ResultSet], list[LeftOut]]:
    """Sets whose every value is a share, without the items that have none."""
    usable, left_out = [], []
    for one in sets:
        here = tuple(item for item in one.items if item.value is not None)
        odd = next((i for i in here if not 0.0 <= (i.value or 0.0) <= 1.0), None)
        name = f"{one.benchmark} ({one.metric}) of {one.model}"
        if odd is not None:
            why = "its values are not all between 0 and 1"
            left_out.append(LeftOut(f"{name}, {odd.value:g} at item {odd.item}", why))
        elif not here:
            left_out.append(LeftOut(name, "no item of it has a result"))
        else:
            if missing := len(one.items) - len(here):
                left_out.append(
                    LeftOut(f"{counted(missing, 'item')} of {name}", "without a result")
                )
            usable.append(replace(one, items=here))
    return usable, left_out


def _model(name: str, known: Mapping[str, Model]) -> Model:
    return known.get(name) or Model(name, BackendKind.IMPORTED, name)


def _outcomes(one: ResultSet, model: Model) -> Iterator[Outcome]:
    dimension = dimension_of(one.benchmark)
    for item in one.items:
        assert item.value is not None
        yield Outcome(
            model.name,
            model.key,
            one.benchmark,
            one.version,
            item.item,
            one.metric,
            float(item.value),
            item.text,
            one.variant,
            dimension,
            NOBODY if item.why else RULE,
            item.request,
            item.why,
            item.ours,
        )


def _notes(
    sets: Sequence[ResultSet], kept: Sequence[ResultSet], known: Sequence[Model]
) -> Iterator[str]:
    if earlier := len(sets) - len(kept):
        yield f"{counted(earlier, 'result is', 'results are')} of earlier runs; the latest stand."
    for model in known:
        if model.backend is not BackendKind.IMPORTED:
            yield (
                f"{model.name} is in the store as {model.backend}:{model.weights}, and these count "
                f"as its results; --rename {model.name}=NAME keeps them apart."
            )
    if differ := [one for one in kept if not one.agrees]:
        names = ", ".join(f"{one.benchmark} of {one.model}" for one in differ[:3])
        means = counted(len(differ), "mean is", "means are")
        yield f"{means} not as in the file ({names}): both are shown."
    if others := [one for one in kept if one.differing]:
        names = "; ".join(
            f"{one.benchmark} ({one.metric}) of {one.model}: {one.differing} of {len(one.items)}"
            for one in others[:3]
        )
        marks = counted(sum(one.differing for one in others), "mark is", "marks are")
        yield (
            f"{marks} not as by our own rules ({names}): the files' marks count, and ours are "
            "stored beside them."
        )
    yield from _partly_shared(kept)


def _partly_shared(kept: Sequence[ResultSet]) -> Iterator[str]:
    """Benchmarks of which models have different items, as after different limits."""
    together: defaultdict[tuple[str, ...], list[set[str]]] = defaultdict(list)
    for one in kept:
        together[one.about].append({item.item for item in one.items})
    for about, items in together.items():
        shared, most = len(set.intersection(*items)), max(map(len, items))
        if shared < most:
            yield (
                f"{about[0]}: {counted(shared, 'item is', 'items are')} the same for all "
                f"{len(items)} models, and one has {most}; models are compared on the items that "
                "both have."
            )
