"""Every refusal of the engine is a sentence: what is wrong, which value, what is allowed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from arena.ratings import (
    Comparisons,
    Online,
    agreement,
    bradley_terry,
    cohen_kappa,
    combine,
    concat,
    elo,
    flip_rate,
    influence,
    krippendorff_alpha,
    next_pairs,
    panel,
    position_bias,
    rank_correlation,
    share,
)
from arena.ratings.fitting.newton import LocalModel, minimise
from arena.ratings.intervals.estimates import mean, wilson
from arena.records.errors import ArenaError, ConvergenceError, InputError, RatingError
from tests.ratings.simulated import simulate


def of(*rows: tuple[str, str, float], **columns: Any) -> Comparisons:
    a, b, outcome = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, **columns)


TWO = of(("a", "b", 1.0), ("b", "a", 1.0))
ASKED = of(("a", "b", 1.0), ("b", "a", 1.0), prompt=["p", "q"])
OTHER = of(("a", "b", 0.0), ("b", "a", 0.0), prompt=["r", "s"])
TIED = of(("a", "b", 0.5), prompt=["p"])
CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: bradley_terry([1]), "bradley_terry takes Comparisons, not list"),
    (lambda: bradley_terry(TWO, confidence=1.0), "confidence is 1.0; allowed is between 0 and 1."),
    (lambda: bradley_terry(TWO, anchor=("c", 1.0)), "the anchor 'c' is not among the models"),
    (lambda: bradley_terry(TWO, anchor="a"), "anchor is 'a'; it is a pair: a model and its rating"),
    (lambda: bradley_terry(TWO, anchor=("a", np.inf)), "the anchor's rating is inf; it must be"),
    (lambda: bradley_terry(TWO, cluster="judge"), "cluster is 'judge'; allowed are auto, prompt"),
    (lambda: bradley_terry(TWO, cluster="voter"), "these comparisons have no 'voter' column."),
    (lambda: bradley_terry(TIED, cluster="prompt"), "all rows have the same prompt; use cluster="),
    (
        lambda: bradley_terry(TWO, interval="bootstrap", rounds=1),
        "rounds is 1; a bootstrap needs at least 2.",
    ),
    (
        lambda: bradley_terry(simulate(), interval="bootstrap", ties="davidson"),
        "interval='bootstrap' goes with ties='half' and no style control.",
    ),
    (lambda: bradley_terry(TWO, style="length"), "no style column named 'length'; there is none."),
    (lambda: bradley_terry(TWO, prior=0.0), "prior is 0.0; it is a standard deviation in Elo"),
    (lambda: bradley_terry(TWO, prior=-1.0), "prior is -1.0; it is a standard deviation in Elo"),
    (lambda: elo(TWO, k=0.0), "k is 0.0; it is a number of Elo points above 0."),
    (lambda: elo(TWO, permutations=0), "permutations is 0; allowed is 1 or more."),
    (lambda: next_pairs(TWO, 0), "n is 0; allowed is 1 or more."),
    (lambda: next_pairs(TWO, 1, exploration=0.0), "exploration is 0.0; allowed is above 0, up to"),
    (lambda: next_pairs(TWO, 1, allowed=[("a", "z")]), "none of the allowed pairs is between the"),
    (lambda: combine(), "there is no evidence: give votes, judges or objective results."),
    (lambda: combine(TWO, [TWO]), "judges is list; it maps names to Comparisons."),
    (lambda: combine(None, {"j": TWO}, method="ppi"), "method='ppi' needs votes; without them"),
    (lambda: combine(TWO, method="judge-only"), "method='judge-only' needs a judge's verdicts."),
    (lambda: combine(TWO, method="best"), "method is 'best'; allowed are 'auto', 'hierarchical'"),
    (
        lambda: combine(TWO, {"j": ASKED}, method="ppi"),
        "the comparisons need a prompt column to be matched by battle.",
    ),
    (lambda: panel({"j": ASKED}, by="vote"), "panel by 'vote'; allowed are 'majority', 'mean'."),
    (lambda: panel({"j": ASKED}, min_valid=2), "min_valid is 2; allowed is 1 to 1, the judges."),
    (
        lambda: panel({"j": ASKED, "k": OTHER}, min_valid=2),
        "no battle was compared by 2 judges.",
    ),
    (lambda: agreement(ASKED, OTHER), "the two sources have no battle in common."),
    (lambda: agreement(TIED, TIED), "the two sources decided no battle in common."),
    (lambda: cohen_kappa(["a"], ["a", "b"]), "two raters gave 1 and 2 labels; they must pair up."),
    (lambda: krippendorff_alpha(["p", "q"], ["a", "b"]), "no item has two ratings, so there is no"),
    (lambda: rank_correlation(TWO, TWO, method="pearson"), "method is 'pearson'; allowed are"),
    (lambda: rank_correlation(ASKED, ASKED), "a rank correlation needs at least 3 models in"),
    (lambda: position_bias(TIED), "every comparison is a tie, so there is no preference to"),
    (lambda: flip_rate(TIED), "no battle was judged in both orders."),
    (lambda: concat([]), "there are no comparisons to put together."),
    (lambda: TWO.group("judge"), "'judge' is not a group column; there are prompt, voter, source."),
    (lambda: TWO.aligned(["a"]), "model 'b' is not among the 1 to align with."),
    (lambda: TWO.among(["a", "z"]), "there are no comparisons."),
    (lambda: TWO.relabel({"z": "y"}), "no model named 'z' to rename."),
    (lambda: TWO.relabel({"a": "b"}), "two models would get the same name."),
    (lambda: share([]), "a share needs at least one case."),
    (lambda: mean([]), "a mean needs at least one value."),
    (lambda: wilson(3, 2), "3 of 2 is not a share."),
    (lambda: Online.of(TWO).after(0, 0, 1.0), "models 0 and 0 with outcome 1.0 are no comparison."),
    (lambda: Online.of(TWO).after(0, 1, 1.5), "models 0 and 1 with outcome 1.5 are no comparison."),
    (lambda: Comparisons.from_columns(["a"], ["b"]), "give either winner (labels) or outcome"),
    (
        lambda: Comparisons.from_columns(["a"], ["b"], ["tie"], outcome=[0.5]),
        "give either winner (labels) or outcome",
    ),
    (lambda: of(("a", "a", 1.0)), "row 1: 'a' is compared with itself."),
    (lambda: of(("a", "b", 1.5)), "row 1: outcome is 1.5; allowed is 0 to 1."),
    (lambda: of(("a", "b", np.nan)), "row 1: outcome is nan; allowed is 0 to 1."),
    (lambda: of(("a", "b", 1.0), weight=[0.0]), "row 1: weight is 0.0; allowed is"),
    (lambda: of(("a", "b", 1.0), propensity=[2.0]), "row 1: propensity is 2.0; allowed is"),
    (lambda: of(("a", "b", 1.0), prompt=["p", "q"]), "prompt has 2 rows, model_a has 1."),
    (lambda: of(("a", "b", 1.0), prompt=[None]), "row 1: prompt is empty."),
    (lambda: of(("a", "b", 1.0), weight=["much"]), "row 1: weight is 'much', which is not a"),
    (lambda: of(("a", "b", 1.0), voter=[["v"]]), "voter holds values that are neither text nor"),
    (
        lambda: Comparisons.from_columns(["a"], ["b"], ["left"]),
        "row 1: winner is 'left'; allowed are model_a, model_b, tie, both_bad, tie (bothbad).",
    ),
    (
        lambda: Comparisons.from_frame({"model_a": ["a"], "winner": ["tie"]}),
        "column 'model_b' is missing; found model_a, winner; needed are model_a, model_b and",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), CALLS, ids=[said[:50] for _, said in CALLS])
def test_a_refusal_is_a_sentence(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    message = str(error.value)
    assert message.startswith(said)
    assert message.endswith(".")
    assert "\n" not in message


def test_ratings_that_do_not_exist_name_the_models_and_a_way_out() -> None:
    won = of(("a", "b", 1.0), ("b", "c", 1.0))
    apart = of(("a", "b", 1.0), ("b", "a", 1.0), ("x", "y", 1.0), ("y", "x", 1.0))
    for c, said in (
        (won, "a never lost and c never won. Compare more, or prior=400"),
        (apart, "the models fall into 2 parts that never met: a, b; x, y. Compare models across"),
    ):
        with pytest.raises(RatingError) as error:
            bradley_terry(c)
        assert str(error.value).startswith(said)


def test_more_models_than_five_are_counted_and_not_all_named() -> None:
    names = [f"m{k}" for k in range(8)]
    c = of(*((a, "z", 1.0) for a in names), *((a, b, 0.5) for a in names for b in names if a < b))
    with pytest.raises(RatingError, match=r"z never won"):
        bradley_terry(c)
    every = of(*(("z", a, 0.0) for a in names))
    with pytest.raises(RatingError, match=r"m0, m1, m2, m3, m4 and 3 more never lost"):
        bradley_terry(every)


def test_a_resample_without_finite_ratings_says_what_helps() -> None:
    c = of(("a", "b", 1.0), ("b", "a", 1.0))
    with pytest.raises(RatingError) as error:
        bradley_terry(c, interval="bootstrap", rounds=50)
    assert "use interval='sandwich', or ask for a prior, such as prior=400" in str(error.value)


def test_a_first_place_that_nothing_unseats_is_said() -> None:
    won = of(*(("a", "b", 1.0) for _ in range(3)))
    with pytest.raises(RatingError, match="no removal of votes was found that unseats a"):
        influence(won)


def test_a_loss_without_an_optimum_says_so() -> None:
    """exp(-x) falls for ever: the gradient vanishes and the steps do not."""

    def endless(x: np.ndarray) -> LocalModel:
        e = float(np.exp(-(x[0] - x[1])))
        gradient = np.array([-e, e])
        return LocalModel(e, gradient, e * np.array([[1.0, -1.0], [-1.0, 1.0]]))

    with pytest.raises(ConvergenceError) as error:
        minimise(endless, np.zeros(2), np.ones(2), 2)
    assert "the comparisons do not determine every parameter" in str(error.value)


@pytest.mark.parametrize("method", ["hierarchical", "ppi", "joint", "human"])
def test_one_vote_and_one_verdict_are_no_error_of_numpys(method: str) -> None:
    vote = of(("a", "b", 1.0), prompt=["p"])
    said, ratings = "", np.zeros(2)
    try:
        ratings = combine(vote, {"j": of(("a", "b", 0.5), prompt=["p"])}, method=method).ratings
    except ArenaError as error:
        said = str(error)
    assert np.isfinite(ratings).all()
    assert not said or said.endswith(".")


def test_what_can_be_rated_is_not_refused() -> None:
    assert np.isfinite(bradley_terry(simulate()).ratings).all()
