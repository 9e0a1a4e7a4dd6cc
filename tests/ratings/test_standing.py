"""Which models comparisons can place."""

import pytest

from arena.ratings import Comparisons, Unrated, unrated, without
from arena.records.errors import TooFewError

Pairs = dict[str, float]


def of(pairs: Pairs) -> Comparisons:
    """Comparisons "ab": how many, as one row with that weight."""
    return Comparisons.from_columns(
        [pair[0] for pair in pairs],
        [pair[1] for pair in pairs],
        outcome=[0.5] * len(pairs),
        weight=list(pairs.values()),
    )


@pytest.mark.parametrize(
    ("pairs", "left_out"),
    [
        pytest.param({"ab": 5, "bc": 5, "ca": 5}, [], id="all are linked"),
        pytest.param(
            {"ab": 5, "bc": 5, "xy": 1},
            [Unrated("x", 1, 4, True), Unrated("y", 1, 4, True)],
            id="a pair that never met the others",
        ),
        pytest.param(
            {"ab": 5, "bc": 5, "xy": 40},
            [Unrated("x", 40, 1, True), Unrated("y", 40, 1, True)],
            id="a well compared part lacks one link",
        ),
        pytest.param({"ab": 4, "xy": 9}, [Unrated("a", 4, 1, True), Unrated("b", 4, 1, True)],
                     id="of parts of one size the most compared is the main one"),
        pytest.param({"ab": 5, "bx": 2}, [Unrated("x", 2, 3, False)], id="too few"),
        pytest.param(
            {"ab": 5, "bx": 2, "xy": 4},
            [Unrated("x", 6, 3, False), Unrated("y", 4, 5, False)],
            id="comparisons with models that are not rated do not help",
        ),
        pytest.param(
            {"ab": 9, "bx": 1, "xy": 9, "yz": 9, "zx": 9},
            [],
            id="one comparison links two parts",
        ),
        pytest.param({"ab": 5, "bx": 4.5}, [Unrated("x", 4.5, 1, False)], id="weights count"),
    ],
)  # fmt: skip
def test_models_that_are_not_placed_are_named_with_what_they_lack(
    pairs: Pairs, left_out: list[Unrated]
) -> None:
    c = of(pairs)
    found = unrated([c], 5)
    assert list(found) == left_out
    placed = without(c, found)
    assert placed is not None
    assert unrated([placed], 5) == ()
    assert (placed is c) == (not left_out)
    turned = of({pair[::-1]: n for pair, n in reversed(pairs.items())})
    assert unrated([turned], 5) == found


def test_sources_are_looked_at_together() -> None:
    votes, verdicts = of({"ab": 3, "xy": 1}), of({"ab": 2, "bx": 5, "yb": 5})
    assert [one.model for one in unrated([votes], 3)] == ["x", "y"]
    assert unrated([votes, verdicts], 5) == ()
    assert unrated([verdicts], 2, ["q"]) == (Unrated("q", 0, 2, True),)


def test_where_nobody_can_be_placed_the_numbers_are_said() -> None:
    with pytest.raises(TooFewError, match=r"each needs 5 comparisons .*are a \(2\), b \(2\)"):
        unrated([of({"ab": 2})], 5)
    with pytest.raises(TooFewError):
        unrated([], 1, ["a"])


def test_of_two_parts_that_never_met_the_one_of_later_versions_is_rated() -> None:
    c = Comparisons.from_columns(
        ["a", "b"] * 3 + ["a2"] * 2, ["b", "a"] * 3 + ["b2"] * 2, outcome=[1.0] * 8
    )
    assert [one.model for one in unrated([c], 1)] == ["a2", "b2"]
    assert [one.model for one in unrated([c], 1, replaced={"a", "b"})] == ["a", "b"]
