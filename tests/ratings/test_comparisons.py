import numpy as np
import pandas as pd
import pytest

from arena.ratings import Comparisons, concat
from arena.records.errors import InputError
from tests.ratings.simulated import simulate

FRAME = pd.DataFrame(
    {
        "model_a": ["x", "y", "z", "x"],
        "model_b": ["y", "z", "x", "z"],
        "winner": ["model_a", "tie", "tie (bothbad)", "model_b"],
        "length_a": [100, 50, 0, 300],
        "length_b": [300, 50, 0, 100],
        "prompt": [1, 1, 2, 3],
        "note": ["p", "q", "r", "s"],
    }
)


def test_frame_becomes_columns() -> None:
    c = Comparisons.from_frame(FRAME)
    assert c.models == ("x", "y", "z")
    assert c.outcome.tolist() == [1.0, 0.5, 0.5, 0.0]
    assert c.style["length"].tolist() == [-0.5, 0.0, 0.0, 0.5]
    assert set(c.style) == {"length"}
    assert c.group("prompt").labels.tolist() == [1, 2, 3]


def test_frame_and_mapping_of_lists_agree() -> None:
    from_lists = Comparisons.from_frame({name: FRAME[name].tolist() for name in FRAME})
    from_frame = Comparisons.from_frame(FRAME)
    assert from_lists.models == from_frame.models
    assert (from_lists.pair_counts.points == from_frame.pair_counts.points).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"winner": ["model_a", "draw", "tie", "tie"]}, "row 2: winner is 'draw'; allowed are"),
        ({"winner": ["model_a", None, "tie", "tie"]}, "row 2: winner is empty"),
        ({"model_a": ["y", "y", "z", "x"]}, "row 1: 'y' is compared with itself"),
        ({"weight": [1.0, 1.0, 0.0, 1.0]}, "row 3: weight is 0"),
        ({"weight": [1.0, float("nan"), 1.0, 1.0]}, "row 2: weight is nan"),
        ({"weight": ["1", "many", "1", "1"]}, "row 2: weight is 'many', which is not a number"),
        ({"propensity": [1.0, 1.0, 1.0, 2.0]}, "row 4: propensity is 2"),
        ({"model_a": [["x"], "y", "z", "x"]}, "model_a holds values that are neither text nor"),
    ],
)
def test_bad_rows_are_named(change: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Comparisons.from_frame(FRAME.assign(**change))


def test_names_are_text_whatever_they_came_as() -> None:
    c = Comparisons.from_columns([10, 9, "9"], ["9", 10, 10], ["model_a"] * 3)
    assert c.models == ("10", "9")
    assert c.pair_counts.wins.tolist() == [[0, 1], [2, 0]]
    with pytest.raises(InputError, match="row 1: '9' is compared with itself"):
        Comparisons.from_columns([9], ["9"], ["tie"])
    grouped = Comparisons.from_columns("ab", "ba", ["tie"] * 2, prompt=[("p", 1), ("p", 2)])
    assert grouped.group("prompt").labels.tolist() == [("p", 1), ("p", 2)]


def test_relative_differences_stay_within_one() -> None:
    frame = FRAME.assign(size_a=[3.0, -3.0, 2.0, 0.0], size_b=[-3.0, 1.0, -1.0, 0.0])
    assert Comparisons.from_frame(frame).style["size"].tolist() == [1.0, -1.0, 1.0, 0.0]


def test_missing_column_and_no_rows_are_errors() -> None:
    doubled = pd.concat([FRAME, FRAME[["winner"]]], axis=1)
    with pytest.raises(InputError, match="column 'winner' is there twice"):
        Comparisons.from_frame(doubled)
    with pytest.raises(InputError, match="column 'model_b' is missing; found model_a, winner"):
        Comparisons.from_frame(FRAME[["model_a", "winner"]])
    with pytest.raises(InputError, match="no comparisons"):
        Comparisons.from_frame(FRAME[:0])
    with pytest.raises(InputError, match="no style column named 'bold'; there is length"):
        Comparisons.from_frame(FRAME).covariate("bold")


def test_pair_counts_by_hand() -> None:
    counts = Comparisons.from_frame(FRAME).pair_counts
    assert counts.wins.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert counts.ties.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    assert counts.battles.tolist() == [3, 2, 3]


def test_weight_counts_as_rows() -> None:
    c = simulate(rows=200)
    twice = concat([c, c]).pair_counts
    weighted = Comparisons(c.models, c.i, c.j, c.outcome, weight=np.full(len(c), 2.0)).pair_counts
    for name in ("wins", "ties", "square_wins", "square_ties", "battles"):
        assert np.allclose(getattr(twice, name), getattr(weighted, name))


def test_soft_and_hard_counting_agree() -> None:
    c = simulate(rows=300)
    rng = np.random.default_rng(1)
    propensity = rng.uniform(0.1, 1.0, len(c))
    hard = Comparisons(c.models, c.i, c.j, c.outcome, propensity=propensity)
    # One soft row more, of negligible importance, sends all rows the general way.
    soft = concat(
        [hard, Comparisons(c.models, c.i[:1], c.j[:1], np.array([0.3]), weight=np.array([1e-12]))]
    )
    scale = soft.importance[:-1] / hard.importance
    assert not soft.pair_counts.is_hard
    assert np.allclose(soft.pair_counts.wins, hard.pair_counts.wins * scale[0], atol=1e-9)
    assert np.allclose(
        soft.pair_counts.square_wins, hard.pair_counts.square_wins * scale[0] ** 2, atol=1e-9
    )


def test_select_observed_relabel_swap_and_concat() -> None:
    c = Comparisons.from_frame(FRAME)
    part = c.select(np.array([True, False, False, False]))
    assert (len(part), part.models, part.observed().models) == (1, c.models, ("x", "y"))
    renamed = c.relabel({"x": "zz"})
    assert renamed.models == ("y", "z", "zz")
    assert renamed.pair_counts.points[2, 0] == c.pair_counts.points[0, 1]
    assert (c.swapped().pair_counts.points == c.pair_counts.points).all()
    assert (concat([c, c.swapped()]).pair_counts.points == 2 * c.pair_counts.points).all()
    with pytest.raises(InputError, match="same name"):
        c.relabel({"x": "y"})


def test_balanced_gives_every_voter_the_same_weight() -> None:
    c = Comparisons.from_columns("aab", "bbc", outcome=[1, 0, 1], voter=["u", "u", "v"])
    weight = c.balanced("voter").row_weight
    assert weight is not None
    assert np.isclose(weight[:2].sum(), weight[2])
