"""How far each model's rating in each category of prompts is from its rating on all of them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from arena.leaderboard.board import Leaderboard, Policy, Row
from arena.leaderboard.formats import ranked
from arena.leaderboard.ranking import rank_comparisons
from arena.ratings import Comparisons, without
from arena.ratings.arrays import Floats
from arena.records.errors import ArenaError


@dataclass(frozen=True, slots=True, eq=False)
class ByCategory:
    """Ratings of each category against those of all, the best model first.

    difference: (n_models, n_categories) Elo points, NaN where a model has no comparison in a
    category; the mean over the models of a category is 0. half: of the 95 % intervals.
    """

    models: tuple[str, ...]
    categories: tuple[str, ...]
    difference: Floats
    half: Floats

    @property
    def told(self) -> np.ndarray:
        """(n_models, n_categories) whether an interval excludes 0."""
        found: np.ndarray = np.abs(self.difference) > self.half
        return found


def by_category(
    comparisons: Comparisons, category_of: Mapping[str, str], policy: Policy
) -> ByCategory | None:
    """A fit for each category; None where there are not two of them, or nothing can be rated.

    category_of: by the key of a prompt. A category is a part of the whole, so that the variance
    of the difference is the category's times the share of the model's comparisons that lie
    outside it: exact where a comparison tells as much inside as outside.
    """
    if comparisons.prompt is None:
        return None
    try:
        whole = rank_comparisons(comparisons, policy)
    except ArenaError:
        return None
    placed = without(comparisons, whole.unrated)
    if placed is None or placed.prompt is None:
        return None
    comparisons, prompt = placed, placed.prompt
    of_prompt = np.array([category_of.get(key, "") for key in prompt.labels])
    of_row = of_prompt[prompt.codes]
    categories = sorted(set(of_row.tolist()) - {""})
    if len(categories) < 2:
        return None
    parts: dict[str, Leaderboard] = {}
    for category in categories:
        with suppress(ArenaError):  # a part that cannot be rated is left out
            part = comparisons.select(of_row == category).observed()
            parts[category] = rank_comparisons(part, policy)
    if not parts:
        return None
    models = tuple(row.model for row in ranked(whole))
    rows = {row.model: row for row in whole.rows}
    columns = [_column(models, rows, part) for part in parts.values()]
    return ByCategory(
        models,
        tuple(parts),
        np.column_stack([difference for difference, _ in columns]),
        np.column_stack([half for _, half in columns]),
    )


def _column(
    models: tuple[str, ...], whole: Mapping[str, Row], part: Leaderboard
) -> tuple[Floats, Floats]:
    """Differences of one category and the halves of their intervals, (n_models,) each."""
    difference, half = np.full(len(models), np.nan), np.full(len(models), np.nan)
    for row in part.rows:
        k, all_of_it = models.index(row.model), whole[row.model]
        outside = max(0.0, 1 - row.comparisons / all_of_it.comparisons)
        difference[k] = row.rating - all_of_it.rating
        half[k] = (row.ci_high - row.ci_low) / 2 * outside**0.5
    return difference - np.nanmean(difference), half
