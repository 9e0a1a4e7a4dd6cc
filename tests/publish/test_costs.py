"""Quality beside cost and speed on the site: the charts, and what each model takes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.leaderboard.board import Leaderboard, ModelFacts
from arena.leaderboard.tradeoffs import COST, tradeoff
from arena.publish import publish
from arena.publish.costs import amounts, chart_of, costs
from arena.store import Store
from tests.boards import make_board, make_row

FACTS = {
    "cheap": ModelFacts(
        cost_per_1000=0.02, seconds=2.0, license="MIT", input_price=0, output_price=1
    ),
    "middle": ModelFacts(cost_per_1000=0.5, seconds=9.0),
    "dear": ModelFacts(cost_per_1000=5.0, seconds=4.0, organization="<b>Lab</b>"),
}


@pytest.fixture
def priced() -> Leaderboard:
    ratings = {"cheap": 900.0, "middle": 1000.0, "dear": 1100.0}
    rows = [make_row(name, 1, rating) for name, rating in ratings.items()]
    return replace(make_board(*rows), facts=FACTS)


def test_only_what_is_known_of_some_model_is_a_column(priced: Leaderboard) -> None:
    found = costs(priced)
    assert found.models == ("dear", "middle", "cheap")
    cells = {column.english: column.cells for column in found.columns}
    assert cells == {
        "$ per million tokens": {"cheap": "$0 / $1"},
        "$ per 1,000 answers": {"dear": "$5", "middle": "$0.5", "cheap": "$0.02"},
        "Whole answer": {"dear": "4 s", "middle": "9 s", "cheap": "2 s"},
        "Organisation": {"dear": "<b>Lab</b>"},
        "Licence": {"cheap": "MIT"},
    }


def test_points_stand_by_their_amounts_and_the_line_goes_through_the_front(
    priced: Leaderboard,
) -> None:
    cost, speed = costs(priced).charts
    assert cost.x.by_factors
    assert [name.model for name in speed.names] == ["dear", "middle", "cheap"]
    assert [x for x, _ in cost.front] == sorted(x for x, _ in cost.front)
    assert len(cost.front) == 3
    assert [point.row.model for point in speed.found.front] == ["cheap", "dear"]
    low, high = (cost.x.place(amount) for amount in (0.02, 5.0))
    assert 0 < low < high < 100


@pytest.mark.parametrize(
    ("values", "by_factors", "labels"),
    [
        ([0.0, 7.0], False, ["0", "2", "4", "6"]),
        ([0.0], False, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([0.02, 0.5], True, ["0.02", "0.05", "0.1", "0.2", "0.5"]),
        ([0.001, 10.0], True, ["0.001", "0.01", "0.1", "1", "10"]),
    ],
)
def test_ticks_are_round_and_few(values: list[float], by_factors: bool, labels: list[str]) -> None:
    found = amounts(values, by_factors)
    assert [label for _, label in found.ticks] == labels
    assert all(0 <= at <= 100 for at, _ in found.ticks)


def test_the_page_has_it_where_it_is_known_and_nothing_where_not(
    filled: Store, priced: Leaderboard, tmp_path: Path
) -> None:
    page = publish(filled, tmp_path / "a", priced, title="t").read_text(encoding="utf-8")
    assert 'href="#costs"' in page
    assert "Quality and cost" in page
    assert "质量与速度" in page
    assert "&lt;b&gt;Lab&lt;/b&gt;" in page
    assert "<b>Lab</b>" not in page
    bare = publish(filled, tmp_path / "b", replace(priced, facts={}), title="t").read_text(
        encoding="utf-8"
    )
    assert 'id="costs"' not in bare
    assert 'href="#costs"' not in bare


def test_equal_amounts_have_a_chart(priced: Leaderboard) -> None:
    same = {name: ModelFacts(cost_per_1000=0.0) for name in FACTS}
    found: Any = tradeoff(replace(priced, facts=same), COST)
    assert chart_of(found).front == [(0.0, pytest.approx(100 - chart_of(found).y.place(1100)))]
