"""Quality against what it takes, and the models that nobody beats in both."""

from dataclasses import replace

import pytest

from arena.leaderboard.board import Leaderboard, ModelFacts, Row
from arena.leaderboard.tradeoffs import COST, SECONDS, Tradeoff, tradeoff
from tests.boards import make_board


def board(known: dict[str, tuple[float, float | None]]) -> Leaderboard:
    """A ranking by name: a rating, and what 1,000 answers cost."""
    rows = [
        Row(name, rating, rating - 5, rating + 5, 1, 1, 9, 50, 0.2)
        for name, (rating, _) in known.items()
    ]
    facts = {name: ModelFacts(cost_per_1000=cost) for name, (_, cost) in known.items()}
    return replace(make_board(*rows), facts=facts)


def costs(known: dict[str, tuple[float, float | None]]) -> Tradeoff:
    found = tradeoff(board(known), COST)
    assert found is not None
    return found


def names(found: Tradeoff) -> list[str]:
    return [point.row.model for point in found.front]


def test_the_front_has_whom_nobody_beats_in_both() -> None:
    found = costs(
        {
            "cheap": (900, 0.1),
            "dear and best": (1200, 9.0),
            "middle": (1100, 1.0),
            "worse than middle": (1050, 2.0),
            "as good as middle, dearer": (1100, 1.5),
            "unknown cost": (1300, None),
        }
    )
    assert names(found) == ["cheap", "middle", "dear and best"]
    assert [point.takes for point in found.points] == [0.1, 1.0, 1.5, 2.0, 9.0]
    assert found.by_factors


def test_equals_are_on_the_front_together() -> None:
    assert names(costs({"a": (1000, 1.0), "b": (1000, 1.0), "c": (999, 1.0)})) == ["a", "b"]


def test_what_is_free_has_no_logarithm() -> None:
    assert not costs({"free": (900, 0.0), "paid": (1000, 50.0)}).by_factors
    assert not costs({"a": (900, 1.0), "b": (1000, 5.0)}).by_factors


@pytest.mark.parametrize("what", [COST, SECONDS])
def test_one_model_is_no_tradeoff(what: str) -> None:
    assert tradeoff(board({"a": (1000, 1.0), "b": (1000, None)}), what) is None
