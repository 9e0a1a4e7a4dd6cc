"""Charts of a sheet: whose names they have, and what a search leaves of them."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from arena.benchmarks.needle import NeedleMap
from arena.benchmarks.scores import BenchmarkScore
from arena.leaderboard.board import ModelFacts, Row
from arena.leaderboard.by_category import ByCategory
from arena.leaderboard.snapshot import History, Sheet, Slice, Wins
from arena.web.views.contrast_plots import WEIGHED
from arena.web.views.figures import BREAK, MOST_LETTERS, WIDE, height_of, in_lines, labels
from arena.web.views.plots import CHARTS, CONTRASTS, NAMES, draw, offered
from arena.web.views.words import WORDS
from tests.boards import make_board

MODELS = (
    "meta-llama/Meta-Llama-3.1-8B-Instruct",
    "meta-llama/Meta-Llama-3.1-70B-Instruct",
    "Airoboros L2 70B",
    "greedy@2",
    "Qwen/Qwen2.5-Coder-32B-Instruct-GPTQ-Int4",
)


@pytest.fixture
def sheet() -> Sheet:
    """Something for every chart."""
    rows = tuple(
        Row(name, 1000 - 30 * k, 980 - 30 * k, 1020 - 30 * k, k + 1, k + 1, k + 1, 9, 0.2)
        for k, name in enumerate(MODELS)
    )
    size = len(MODELS)
    scores = [
        BenchmarkScore("b", "acc", name, 0.1 * k, 0.1, 9, dimension=capability)
        for k, name in enumerate(MODELS)
        for capability in ("maths", "code", "safety")
    ]
    facts = {
        name: ModelFacts(cost_per_1000=0.1 * 4**k, seconds=9.0 - k) for k, name in enumerate(MODELS)
    }
    board = replace(make_board(*rows), dimensions=tuple(scores), facts=facts)
    half = np.full((size, size), 0.5)
    return Sheet(
        Slice(),
        boards={"human": board, "judge": board, "objective": board},
        wins={"human": Wins(MODELS, half, half, half, half[0])},
        history=History(
            ("2026-01-01", "2026-01-02"), (5, 9), dict.fromkeys(MODELS, (1000.0, 1001.0))
        ),
        needles=tuple(NeedleMap(name, (1024,), (0.5,), ((0.5,),)) for name in MODELS),
        apart=ByCategory(MODELS, ("a", "b"), np.ones((size, 2)), np.ones((size, 2))),
    )


def texts(figure: Any) -> set[str]:
    """All that stands in a chart, without the breaks of lines."""
    said = [note.text for note in figure.layout.annotations]
    for trace in figure.data:
        said += [trace.name, *(trace.text or ()), *tuple(getattr(trace, "y", None) or ())]
    return {one.replace(BREAK, "") for one in said if isinstance(one, str)}


@pytest.mark.parametrize("chart", NAMES)
def test_every_chart_has_the_whole_names(sheet: Sheet, chart: str) -> None:
    assert set(MODELS) <= texts(draw(chart, sheet, "human", WORDS["en"]))


@pytest.mark.parametrize("chart", NAMES)
def test_a_search_leaves_the_models_that_the_table_shows(sheet: Sheet, chart: str) -> None:
    shown = texts(draw(chart, sheet, "human", WORDS["en"], " LLAMA")) & set(MODELS)
    assert shown == set(MODELS[:2])
    assert draw(chart, sheet, "human", WORDS["en"], "nobody") is None


def test_the_line_through_all_models_stays_where_some_are_searched_for(sheet: Sheet) -> None:
    whole, few = (draw("judges", sheet, "human", WORDS["en"], text) for text in ("", "greedy"))
    assert few.layout.title.text == whole.layout.title.text
    assert few.data[0].y == whole.data[0].y
    assert [mark == 1 for mark in few.data[-1].marker.opacity] == [
        name == "greedy@2" for name in MODELS
    ]


def test_each_chart_is_of_one_kind() -> None:
    assert sorted([*CHARTS, *CONTRASTS, *WEIGHED]) == sorted(NAMES)


def test_the_front_is_by_all_models_and_so_are_the_pale_points(sheet: Sheet) -> None:
    """The first model is the best and the cheapest; the last is the worst and the fastest."""
    cost, speed = (draw(chart, sheet, "human", WORDS["en"]) for chart in ("cost", "speed"))
    assert (list(cost.data[0].x), list(cost.data[0].y)) == ([0.1], [1000])
    assert list(speed.data[0].y) == [880, 910, 940, 970, 1000]
    assert (cost.layout.xaxis.type, speed.layout.xaxis.type) == ("log", None)
    found = draw("cost", sheet, "human", WORDS["zh"], "greedy")
    assert list(found.data[0].x) == [0.1]
    assert [mark == 1 for mark in found.data[1].marker.opacity] == [
        name == "greedy@2" for name in MODELS
    ]


def test_what_nobody_knows_has_no_chart(sheet: Sheet) -> None:
    board = replace(sheet.boards["human"], facts={MODELS[0]: ModelFacts(seconds=1.0)})
    there = offered(replace(sheet, boards={"human": board}), "human")
    assert not {"cost", "speed"} & set(there)
    assert {"cost", "speed"} <= set(offered(sheet, "human"))


def test_a_name_is_whole_and_in_lines_that_leave_room() -> None:
    dice = random.Random(7)
    for _ in range(300):
        name = "".join(dice.choices("abcXYZ019-_/.: 语", k=dice.randint(1, MOST_LETTERS)))
        shown = in_lines(name)
        assert shown.replace(BREAK, "") == name
        assert max(map(len, shown.split(BREAK))) <= WIDE + 1
    assert in_lines("GPT-4") == "GPT-4"
    assert in_lines("<b>&") == "‹b›＆"


def test_names_too_long_for_any_chart_are_cut_unless_they_would_look_the_same() -> None:
    long = "m" * 90 + "{}" + "n" * 90
    alone = labels([long.format(1), "short"])
    assert len(alone[long.format(1)].replace(BREAK, "")) == MOST_LETTERS
    two = labels([long.format(1), long.format(2)])
    assert len(set(two.values())) == 2
    assert height_of(3, two.values()) > height_of(3, ["short"])
