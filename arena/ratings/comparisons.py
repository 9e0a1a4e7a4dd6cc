"""Comparisons as columns: who met whom, and who won.

This is the one shape that votes, verdicts, score pairs and outcome pairs take before they
are rated. Names are factorised once; everything after works on integer codes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, Self, TypedDict, TypeVar, Unpack

import numpy as np

from arena.ratings.arrays import Bools, Floats, Ints
from arena.ratings.factors import Factor, factorise, named, numbers, union
from arena.ratings.pairs import PairCounts, count_pairs
from arena.records import Winner
from arena.records.errors import InputError

# "tie (bothbad)" is how public battle files spell both_bad; both count as a tie.
OUTCOMES: Mapping[str, float] = MappingProxyType(
    {
        Winner.MODEL_A: 1.0,
        Winner.MODEL_B: 0.0,
        Winner.TIE: 0.5,
        Winner.BOTH_BAD: 0.5,
        "tie (bothbad)": 0.5,
    }
)
T = TypeVar("T")
GroupName = Literal["prompt", "voter", "source"]
GROUPS: tuple[GroupName, ...] = ("prompt", "voter", "source")
TINY, HUGE = np.finfo(float).tiny, np.finfo(float).max
COLUMNS = ("model_a", "model_b", "winner", "outcome", "weight", "propensity", *GROUPS)


class MoreColumns(TypedDict, total=False):
    """What is known of comparisons beside who met; see `Comparisons` for what each means."""

    outcome: Iterable[float] | None
    weight: Iterable[float] | None
    propensity: Iterable[float] | None
    prompt: Iterable[Any] | None
    voter: Iterable[Any] | None
    source: Iterable[Any] | None
    style: Mapping[str, Iterable[float]] | None


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Rows of comparisons between two models, one array per column.

    models: names, sorted; every code below is an index into them.
    i, j: (n,) codes of the two sides, never equal in a row.
    outcome: (n,) share of the win that went to i, in [0, 1]; 0.5 is a tie.
    weight: (n,) how many comparisons the row stands for, > 0; None is 1 each.
    propensity: (n,) probability with which the pair was drawn, in (0, 1]; the rows are
        then weighted by its inverse, scaled to mean 1.
    prompt, voter, source: groups of rows.
    style: covariates by name, (n,) each, i's minus j's.
    """

    models: tuple[str, ...]
    i: Ints
    j: Ints
    outcome: Floats
    weight: Floats | None = None
    propensity: Floats | None = None
    prompt: Factor | None = None
    voter: Factor | None = None
    source: Factor | None = None
    style: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        style = {f"style column {name!r}": column for name, column in self.style.items()}
        for name, column in {**self._columns(), **style}.items():
            if len(column) != len(self.i):
                raise InputError(f"{name} has {len(column)} rows, model_a has {len(self.i)}.")
        if not len(self.i):
            raise InputError("there are no comparisons.")
        itself = np.flatnonzero(self.i == self.j)
        if itself.size:
            name = self.models[self.i[itself[0]]]
            raise InputError(f"row {itself[0] + 1}: {name!r} is compared with itself.")
        _refuse_outside("outcome", self.outcome, 0.0, 1.0)
        if self.weight is not None:
            _refuse_outside("weight", self.weight, TINY, HUGE)
        if self.propensity is not None:
            _refuse_outside("propensity", self.propensity, TINY, 1.0)

    @classmethod
    def from_columns(
        cls,
        model_a: Iterable[str],
        model_b: Iterable[str],
        winner: Iterable[str] | None = None,
        **columns: Unpack[MoreColumns],
    ) -> Self:
        """Comparisons of columns of equal length; either `winner` labels or `outcome` in [0, 1].

        columns: as in `MoreColumns`, with `style=` a mapping of names to columns.
        """
        if unknown := set(columns) - set(MoreColumns.__annotations__):
            allowed = ", ".join(MoreColumns.__annotations__)
            raise TypeError(f"no column is called {min(unknown)!r}; there are {allowed}")
        outcome = columns.get("outcome")
        results = winner if outcome is None else outcome
        if results is None or (winner is not None and outcome is not None):
            raise InputError("give either winner (labels) or outcome (numbers in [0, 1]).")
        with ThreadPoolExecutor(3) as pool:
            sides = [
                pool.submit(factorise, "model_a", model_a),
                pool.submit(factorise, "model_b", model_b),
            ]
            shares = pool.submit(_shares, results, labelled=outcome is None)
            models, (i, j) = union([named(side.result()) for side in sides])
        return cls(
            models=tuple(models),
            i=i,
            j=j,
            outcome=shares.result(),
            weight=_if_there(numbers, "weight", columns.get("weight")),
            propensity=_if_there(numbers, "propensity", columns.get("propensity")),
            prompt=_if_there(factorise, "prompt", columns.get("prompt")),
            voter=_if_there(factorise, "voter", columns.get("voter")),
            source=_if_there(factorise, "source", columns.get("source")),
            style={n: numbers(n, values) for n, values in (columns.get("style") or {}).items()},
        )

    @classmethod
    def from_frame(cls, frame: Any) -> Self:
        """Comparisons of a DataFrame, or of any mapping of columns.

        Needed: model_a, model_b and winner (or outcome). Taken where there: weight,
        propensity, prompt, voter, source. Every other numeric column is kept as a style
        covariate (a's minus b's); a pair of columns x_a and x_b becomes the covariate x,
        their relative difference (a - b) / (|a| + |b|), 0 where both are 0.
        """
        names = [str(name) for name in (frame.columns if hasattr(frame, "columns") else frame)]
        twice = [name for k, name in enumerate(names) if name in names[:k]]
        if twice:
            raise InputError(f"column {twice[0]!r} is there twice.")
        given = {name: frame[name] for name in COLUMNS if name in names}
        missing = [name for name in ("model_a", "model_b") if name not in given]
        if "winner" not in given and "outcome" not in given:
            missing.append("winner")
        if missing:
            raise InputError(
                f"column {missing[0]!r} is missing; found {', '.join(names)}; "
                "needed are model_a, model_b and winner."
            )
        if "winner" in given:
            given.pop("outcome", None)
        return cls.from_columns(**given, style=_style_columns(frame, names))

    def __repr__(self) -> str:
        columns = [name for name in self._columns() if name not in ("i", "j", "outcome")]
        more = ", ".join([*columns, *(f"style {name!r}" for name in self.style)])
        with_ = f", with {more}" if more else ""
        return f"<{len(self):,} comparisons of {len(self.models)} models{with_}>"

    def __len__(self) -> int:
        return len(self.i)

    @cached_property
    def importance(self) -> Floats | None:
        """(n,) inverse propensities scaled to mean 1 over rows; None where all are 1."""
        if self.propensity is None:
            return None
        inverse = 1.0 / self.propensity
        return inverse / np.average(inverse, weights=self.weight)

    @cached_property
    def row_weight(self) -> Floats | None:
        """(n,) weight times importance; None where all are 1."""
        if self.importance is None or self.weight is None:
            return self.weight if self.importance is None else self.importance
        return self.weight * self.importance

    @cached_property
    def pair_counts(self) -> PairCounts:
        """Wins and ties of every pair, counted once."""
        return count_pairs(
            len(self.models), self.i, self.j, self.outcome, self.weight, self.importance
        )

    def group(self, name: str) -> Factor:
        """The prompt, voter or source column; an error where it was not given."""
        if name not in GROUPS:
            raise InputError(f"{name!r} is not a group column; there are {', '.join(GROUPS)}.")
        column: Factor | None = getattr(self, name)
        if column is None:
            raise InputError(f"these comparisons have no {name!r} column.")
        return column

    def covariate(self, name: str) -> Floats:
        """(n,) a style column, i's minus j's, as given."""
        if name not in self.style:
            known = ", ".join(sorted(self.style)) or "none"
            raise InputError(f"no style column named {name!r}; there is {known}.")
        _refuse_outside(name, self.style[name], -HUGE, HUGE)
        return self.style[name]

    def select(self, rows: Bools | Ints) -> Self:
        """The rows of a mask or of indices, in that order; models stay as they are."""
        chosen = np.asarray(rows)
        style = {name: column[chosen] for name, column in self.style.items()}
        return replace(
            self, style=style, **{name: column[chosen] for name, column in self._columns().items()}
        )

    def observed(self) -> Self:
        """The same rows without the models that no row mentions."""
        seen = np.zeros(len(self.models), dtype=bool)
        seen[self.i] = seen[self.j] = True
        return self._recoded(
            tuple(name for name, is_in in zip(self.models, seen, strict=True) if is_in)
        )

    def among(self, models: Sequence[str]) -> Self:
        """The rows between these models, coded against them; raises where there is none."""
        inside = np.isin(np.array(self.models, dtype=object), list(models))
        kept = self.select(inside[self.i] & inside[self.j]).observed()
        return kept.aligned(models)

    def aligned(self, models: Sequence[str]) -> Self:
        """The same rows coded against these models, which must include all of its own."""
        missing = sorted(set(self.models) - set(models))
        if missing:
            raise InputError(f"model {missing[0]!r} is not among the {len(models)} to align with.")
        return self._recoded(tuple(models))

    def relabel(self, names: Mapping[str, str]) -> Self:
        """The same rows with models renamed; models that are not mentioned keep their names."""
        unknown = sorted(set(names) - set(self.models))
        if unknown:
            raise InputError(f"no model named {unknown[0]!r} to rename.")
        renamed = [names.get(name, name) for name in self.models]
        if len(set(renamed)) < len(renamed):
            raise InputError("two models would get the same name.")
        order = np.argsort(np.array(renamed, dtype=object))
        code = np.empty(len(order), dtype=np.int32)
        code[order] = np.arange(len(order), dtype=np.int32)
        models = tuple(renamed[k] for k in order)
        return replace(self, models=models, i=code[self.i], j=code[self.j])

    def swapped(self) -> Self:
        """The same comparisons seen from the other side."""
        return replace(
            self,
            i=self.j,
            j=self.i,
            outcome=1.0 - self.outcome,
            style={name: -column for name, column in self.style.items()},
        )

    def balanced(self, by: GroupName) -> Self:
        """Every group (a voter, say) weighs the same, however many rows it has."""
        codes = self.group(by).codes
        share = np.bincount(codes, self.weight) / (
            len(codes) if self.weight is None else self.weight.sum()
        )
        before = 1.0 if self.propensity is None else self.propensity
        return replace(self, propensity=before * share[codes])

    def _columns(self) -> dict[str, Any]:
        names = ("i", "j", "outcome", "weight", "propensity", *GROUPS)
        columns = {name: getattr(self, name) for name in names}
        return {name: column for name, column in columns.items() if column is not None}

    def _recoded(self, models: tuple[str, ...]) -> Self:
        place = {name: k for k, name in enumerate(models)}
        # A model that is dropped has no rows, so its code is never looked up.
        code = np.array([place.get(name, 0) for name in self.models], dtype=np.int32)
        return replace(self, models=models, i=code[self.i], j=code[self.j])


def _if_there(read: Callable[[str, Any], T], name: str, values: Any) -> T | None:
    return None if values is None else read(name, values)


def require_comparisons(c: Any, what: str = "this") -> None:
    """Raise InputError for anything else, a data frame for example."""
    if not isinstance(c, Comparisons):
        raise InputError(
            f"{what} takes Comparisons, not {type(c).__name__}; "
            "Comparisons.from_frame(frame) makes them of a data frame."
        )


def concat(parts: Sequence[Comparisons]) -> Comparisons:
    """All rows of several comparisons, over all their models.

    A group or style column is kept where every part has it.
    """
    if not parts:
        raise InputError("there are no comparisons to put together.")
    if len(parts) == 1:
        return parts[0]
    models = tuple(sorted({name for part in parts for name in part.models}))
    aligned = [part.aligned(models) for part in parts]
    style = set.intersection(*(set(part.style) for part in parts))
    return Comparisons(
        models=models,
        i=np.concatenate([part.i for part in aligned]),
        j=np.concatenate([part.j for part in aligned]),
        outcome=np.concatenate([part.outcome for part in parts]),
        weight=_joined([part.weight for part in parts], parts),
        propensity=_joined([part.propensity for part in parts], parts),
        prompt=_joined_groups([part.prompt for part in parts]),
        voter=_joined_groups([part.voter for part in parts]),
        source=_joined_groups([part.source for part in parts]),
        style={name: np.concatenate([part.style[name] for part in parts]) for name in style},
    )


def _joined(columns: Sequence[Floats | None], parts: Sequence[Comparisons]) -> Floats | None:
    """A weight or propensity is 1 where a part has none."""
    if all(column is None for column in columns):
        return None
    return np.concatenate(
        [
            np.ones(len(part)) if column is None else column
            for column, part in zip(columns, parts, strict=True)
        ]
    )


def _joined_groups(columns: Sequence[Factor | None]) -> Factor | None:
    present = [column for column in columns if column is not None]
    if len(present) < len(columns):
        return None
    labels, codes = union(present)
    return Factor(np.concatenate(codes), labels)


def _shares(results: Iterable[Any], *, labelled: bool) -> Floats:
    """(n,) outcomes of winner labels, or of numbers."""
    if not labelled:
        return numbers("outcome", results)
    labels = factorise("winner", results)
    for code, label in enumerate(labels.labels):
        if label not in OUTCOMES:
            row = int(np.argmax(labels.codes == code)) + 1
            allowed = ", ".join(str(name) for name in OUTCOMES)
            raise InputError(f"row {row}: winner is {label!r}; allowed are {allowed}.")
    return np.array([OUTCOMES[label] for label in labels.labels])[labels.codes]


def _style_columns(frame: Any, names: Sequence[str]) -> dict[str, Floats]:
    columns: dict[str, Floats] = {}
    for name in names:
        if name in COLUMNS or np.asarray(frame[name][:1]).dtype.kind not in "iuf":
            continue
        stem = name.removesuffix("_a")
        if name.endswith("_b") and name.removesuffix("_b") in columns:
            continue
        if stem != name and f"{stem}_b" in names:
            a, b = numbers(name, frame[name]), numbers(f"{stem}_b", frame[f"{stem}_b"])
            columns[stem] = relative_difference(a, b)
        else:
            columns[name] = numbers(name, frame[name])
    return columns


def relative_difference(a: Floats, b: Floats) -> Floats:
    """(a - b) / (|a| + |b|): in [-1, 1], 0 where both are 0."""
    difference, total = a - b, np.abs(a)
    total += np.abs(b)
    return np.divide(difference, total, out=difference, where=total != 0)


def _refuse_outside(name: str, values: Floats, low: float, high: float) -> None:
    # Written so that NaN is outside as well.
    if not (values.min() >= low and values.max() <= high):
        row = int(np.argmin((values >= low) & (values <= high)))
        raise InputError(f"row {row + 1}: {name} is {values[row]}; allowed is {low:g} to {high:g}.")
