"""Each category against the whole: what is planted is found, what is not there is not."""

import numpy as np
import pytest

from arena.leaderboard.board import Policy
from arena.leaderboard.by_category import ByCategory, by_category
from arena.leaderboard.snapshot import Sheet, Slice, compute
from arena.ratings import Comparisons, concat
from arena.store import Store
from arena.web.views.plots import APART, draw
from arena.web.views.words import WORDS

MODELS, CATEGORIES, PROMPTS, VOTES = 8, 5, 8, 40
CATEGORY_OF = {f"{c}-{p}": f"c{c}" for c in range(CATEGORIES) for p in range(PROMPTS)}


def battles(seed: int, effect: float = 0.0) -> Comparisons:
    """Votes on every prompt; effect: log-odds by which m0 is better in category c0."""
    dice = np.random.default_rng(seed)
    strength = np.linspace(-1, 1, MODELS)
    rows = []
    for prompt, category in CATEGORY_OF.items():
        here = strength.copy()
        here[0] += effect * (category == "c0")
        for _ in range(VOTES):
            a, b = dice.choice(MODELS, 2, replace=False)
            won = float(dice.random() < 1 / (1 + np.exp(here[b] - here[a])))
            rows.append((f"m{a}", f"m{b}", won, prompt))
    a, b, outcome, prompts = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, prompt=prompts)


def apart(comparisons: Comparisons) -> ByCategory:
    found = by_category(comparisons, CATEGORY_OF, Policy())
    assert found is not None
    return found


@pytest.mark.slow
def test_without_any_difference_one_interval_in_twenty_excludes_nothing() -> None:
    share = np.mean([apart(battles(seed)).told.mean() for seed in range(20)])
    assert 0.025 < share < 0.08


@pytest.mark.slow
def test_a_planted_difference_is_found_with_its_size() -> None:
    found = [apart(battles(seed, effect=1.5)) for seed in range(10)]
    place = [(f.models.index("m0"), f.categories.index("c0")) for f in found]
    points = [f.difference[at] for f, at in zip(found, place, strict=True)]
    assert all(f.told[at] for f, at in zip(found, place, strict=True))
    # 1.5 in log-odds is 261 points, of which a fifth is in the whole and an eighth in the mean.
    assert np.mean(points) == pytest.approx(261 * 0.8 * 7 / 8, rel=0.15)


def test_differences_are_of_the_models_of_a_category() -> None:
    whole = battles(3)
    assert whole.prompt is not None
    in_c1 = np.array([CATEGORY_OF[key] == "c1" for key in whole.prompt.labels])[whole.prompt.codes]
    with_m7 = (whole.i == 7) | (whole.j == 7)
    found = apart(whole.select(~(in_c1 & with_m7)))
    row, column = found.models.index("m7"), found.categories.index("c1")
    missing = np.isnan(found.difference)
    assert missing[row, column]
    assert missing.sum() == 1
    assert not found.told[row, column]
    assert np.nanmean(found.difference, axis=0) == pytest.approx(np.zeros(CATEGORIES), abs=1e-6)


def test_where_there_are_no_categories_there_is_nothing_to_tell() -> None:
    whole = battles(1)
    assert by_category(whole, {}, Policy()) is None
    assert by_category(whole, dict.fromkeys(CATEGORY_OF, "one"), Policy()) is None
    bare = Comparisons.from_columns(["a", "b"], ["b", "c"], outcome=[1.0, 0.5])
    assert by_category(bare, CATEGORY_OF, Policy()) is None


def test_models_that_the_whole_does_not_rate_are_in_no_category() -> None:
    whole = battles(4)
    pair = Comparisons.from_columns(
        ["x"] * 9, ["y"] * 9, outcome=[1.0, 0.0, 0.5] * 3, prompt=["0-0"] * 9
    )
    found = apart(concat([whole, pair]))
    assert found.models == apart(whole).models
    assert by_category(pair, CATEGORY_OF, Policy()) is None
    few = pair.select([0, 1])
    assert by_category(few, CATEGORY_OF, Policy()) is None


def test_it_is_computed_when_asked_for_alone(answered: Store) -> None:
    assert compute(answered, Slice()).apart is None
    for view in ("combined", "judge:nobody", "graded"):
        sheet = compute(answered, Slice(apart=view))
        assert sheet.apart is None
        assert sheet.boards == {}


def test_the_chart_marks_what_is_told() -> None:
    found = apart(battles(2, effect=1.5))
    sheet = Sheet(Slice(apart="human"), apart=found)
    figure = draw(APART, sheet, "human", WORDS["zh"])
    (heat,) = figure.data
    assert np.array_equal(np.array(heat.text) == "●", found.told)
    assert list(heat.y) == list(found.models)
