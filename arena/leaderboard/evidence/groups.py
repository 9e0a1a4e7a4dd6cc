"""Parts of the evidence that can be ranked by themselves, and the style of its answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arena.benchmarks.items.dimensions import dimension_of
from arena.benchmarks.scores import DEFAULT_WAY
from arena.ratings import style_differences
from arena.records import GroupBy, Note, name_of
from arena.store.columns import (
    CodedVotes,
    GradeColumns,
    RankingColumns,
    ScoreColumns,
    VerdictColumns,
)

GROUPINGS = tuple(map(str, GroupBy))


@dataclass(frozen=True, slots=True)
class Group:
    """Prompts of one category or language, one benchmark, or what shows one capability.

    way: how the benchmark was asked, where it was asked in several ways and each is ranked apart.
    """

    by: str
    value: str
    way: str | None = None

    @property
    def title(self) -> str:
        """The name with the way of asking, as `BenchmarkScore.title` has it."""
        return self.value if self.way is None else f"{self.value} ({self.way or DEFAULT_WAY})"

    @property
    def note(self) -> Note:
        """What it is, as in `Category maths`."""
        name = self.title if self.way is not None else name_of(self.by, self.value)
        return Note.of(f"group.{self.by}", name=name)

    def has_prompt(self, category: str, language: str) -> bool:
        """Whether it holds the prompts of that category and language."""
        known = {"category": category, "language": language, "dimension": dimension_of(category)}
        return known.get(self.by) == self.value

    def has_benchmark(self, name: str, dimension: str) -> bool:
        """Whether it holds that benchmark."""
        return {"benchmark": name, "dimension": dimension}.get(self.by) == self.value


def rows_in(
    columns: VerdictColumns | RankingColumns | ScoreColumns | GradeColumns, group: Group | None
) -> list[int]:
    """Positions of the rows on prompts of a group; all where there is none."""
    if group is None:
        return list(range(len(columns.prompt)))
    places = list(zip(columns.category, columns.language, strict=True))
    held = {place for place in set(places) if group.has_prompt(*place)}
    return [i for i, place in enumerate(places) if place in held]


def votes_in(votes: CodedVotes, group: Group | None) -> CodedVotes:
    """The votes on prompts of a group; all where there is none."""
    if group is None:
        return votes
    category, language = votes.category, votes.language
    held = np.array(
        [[group.has_prompt(c, one) for one in language.labels] for c in category.labels], bool
    ).reshape(len(category.labels), len(language.labels))
    return votes.take(held[category.codes, language.codes])


@dataclass(frozen=True, slots=True)
class Styles:
    """The named style counts of answers; texts: by answer key, empty where none is asked for."""

    texts: Mapping[str, str]
    names: tuple[str, ...]

    def differences(self, a: Sequence[str], b: Sequence[str]) -> dict[str, Iterable[float]]:
        """Covariates by name, one entry for each pair of answer keys."""
        if not self.names:
            return {}
        columns = style_differences(map(self.texts.__getitem__, a), map(self.texts.__getitem__, b))
        return {name: columns[name] for name in self.names}


NO_STYLE = Styles({}, ())
