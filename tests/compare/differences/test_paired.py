"""The mean over prompts: against textbook figures, and what must not change it."""

import numpy as np
import pytest
from scipy.stats import norm, t, ttest_1samp

from arena.compare.differences.advantage import BoardAdvantage, elo_of, expected_share
from arena.compare.differences.board_fit import through_board
from arena.compare.differences.corrected import corrected
from arena.compare.differences.multiplicity import Adjustment, adjusted
from arena.compare.differences.paired import Paired, advantage, between, effective
from arena.compare.question import Aim, Decision, Question
from arena.ratings import Comparisons, wilson
from arena.records.errors import InputError


def paired(means: np.ndarray, times: int = 1, voter: np.ndarray | None = None) -> Paired:
    prompt = np.repeat(np.arange(len(means)), times)
    names = tuple(f"p{k:04d}" for k in range(len(means)))
    return Paired(names, prompt, np.repeat(means, times), np.ones(len(prompt)), voter)


def test_yes_and_no_give_wilsons_interval_with_students_quantile() -> None:
    found = advantage(paired(np.repeat([1.0, 0.0], [60, 40])))
    z = t.ppf(0.975, 99)
    level = 2 * norm.cdf(z) - 1  # Wilson's interval at the level that has this quantile
    # The sample variance has n - 1 below it, Wilson's has n.
    low, high = found.interval(0.95)
    reference = wilson(60, 100, level)
    assert found.share == pytest.approx(0.6)
    assert (low, high) == pytest.approx((reference.ci_low, reference.ci_high), abs=6e-4)


def test_ties_make_it_surer_as_a_t_test_has_it() -> None:
    values = np.random.default_rng(1).choice([0.0, 0.5, 0.5, 1.0], 400)
    found = advantage(paired(values))
    reference = ttest_1samp(values, 0.5)
    assert found.p_value == pytest.approx(reference.pvalue, rel=0.02)
    assert found.interval(0.95) == pytest.approx(
        tuple(reference.confidence_interval(0.95)), abs=1e-3
    )


def test_certainty_and_interval_say_the_same() -> None:
    found = advantage(paired(np.random.default_rng(2).random(60)))
    low, high = found.interval(0.9)
    assert found.certainty(low) == pytest.approx(0.95)
    assert found.certainty(high) == pytest.approx(0.05)
    assert found.certainty(0.0) == 1.0
    assert found.certainty(1.0) == 0.0


def test_repeats_of_a_prompt_tell_nothing_more() -> None:
    means = np.random.default_rng(3).choice([0.0, 1.0], 50)
    once, often = advantage(paired(means)), advantage(paired(means, times=7))
    assert once.interval(0.95) == pytest.approx(often.interval(0.95))
    assert (once.comparisons, often.comparisons) == (50, 350)


def test_the_other_side_is_the_mirror() -> None:
    values = np.random.default_rng(4).random(30)
    found, mirror = advantage(paired(values)), advantage(paired(1 - values))
    low, high = found.interval(0.95)
    assert mirror.interval(0.95) == pytest.approx((1 - high, 1 - low))
    assert mirror.p_value == pytest.approx(found.p_value)


def test_what_never_varied_is_not_taken_for_certain() -> None:
    """All ties, and all wins: a zero variance is the rule of three at most."""
    ties, wins = advantage(paired(np.full(100, 0.5))), advantage(paired(np.ones(100)))
    low, high = ties.interval(0.95)
    assert 0.01 < 0.5 - low == pytest.approx(high - 0.5)
    assert wins.interval(0.95)[0] == pytest.approx(wilson(100, 100).ci_low, abs=2e-3)
    assert effective(0.5, 0.0, 100) == pytest.approx(100**2 / 3)


def test_few_voters_who_lean_widen_the_interval_where_there_are_enough_of_them() -> None:
    rng = np.random.default_rng(5)
    lean = rng.random(12)
    voter = np.repeat(np.arange(12), 25)
    votes = (rng.random(300) < lean[voter]).astype(float)
    names = tuple(map(str, range(300)))
    plain = Paired(names, np.arange(300), votes, np.ones(300))
    named = Paired(names, np.arange(300), votes, np.ones(300), voter)
    width = [high - low for low, high in (advantage(p).interval(0.95) for p in (plain, named))]
    assert width[1] > 1.5 * width[0]
    three = Paired(names, np.arange(300), votes, np.ones(300), voter % 3)
    assert advantage(three).interval(0.95) == advantage(plain).interval(0.95)


def test_one_prompt_says_nothing_of_others() -> None:
    with pytest.raises(InputError, match="one prompt only"):
        advantage(paired(np.array([1.0]), times=9))


def test_rows_are_read_from_either_side() -> None:
    c = Comparisons.from_columns(
        ["a", "b", "a", "c"], ["b", "a", "b", "a"], outcome=[1.0, 1.0, 0.5, 1.0],
        prompt=["x", "x", "y", "y"],
    )  # fmt: skip
    found = between(c, "a", "b")
    assert found is not None
    assert dict(zip(found.names, found.means, strict=True)) == {"x": 0.5, "y": 0.5}
    assert list(found.share) == [0.0, 1.0, 0.5]
    assert between(c, "b", "c") is None
    assert between(c, "a", "nobody") is None


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert adjusted(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted(p, Adjustment.BH) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert adjusted([]) == []


def test_the_board_agrees_with_the_pair_where_there_is_nothing_else() -> None:
    """Two models, a row a prompt: the ratings' difference is the win rate's."""
    outcome = np.random.default_rng(6).choice([0.0, 0.5, 1.0], 300, p=[0.3, 0.2, 0.5])
    c = Comparisons.from_columns(
        ["b"] * 300, ["a"] * 300, outcome=outcome, prompt=[f"p{k}" for k in range(300)]
    )
    pair = between(c, "a", "b")
    assert pair is not None
    direct, (fitted, note) = advantage(pair), through_board(c, "a", "b")
    assert note is None
    assert fitted.share == pytest.approx(direct.share)
    assert fitted.interval(0.95) == pytest.approx(direct.interval(0.95), abs=3e-3)
    assert fitted.difference == pytest.approx(elo_of(direct.share))
    assert expected_share(fitted.difference) == pytest.approx(direct.share)


def test_through_a_third_model_the_errors_add_up() -> None:
    rng = np.random.default_rng(7)
    won = np.concatenate([rng.random(400) < 0.6, rng.random(400) < 0.5])
    c = Comparisons.from_columns(
        ["b"] * 400 + ["a"] * 400,
        ["c"] * 800,
        outcome=won.astype(float),
        prompt=[f"p{k}" for k in range(800)],
    )
    found, _ = through_board(c, "a", "b")
    shares = [won[:400].mean(), won[400:].mean()]
    error = sum((400 / np.log(10)) ** 2 / (400 * s * (1 - s)) for s in shares) ** 0.5
    assert found.difference == pytest.approx(elo_of(shares[0]) - elo_of(shares[1]))
    assert found.error == pytest.approx(error, rel=0.01)
    apart = Comparisons.from_columns(["a", "b"], ["c", "d"], outcome=[1.0, 0.0])
    with pytest.raises(InputError, match="nothing links"):
        through_board(apart, "a", "b")


def test_votes_put_a_leaning_judge_right() -> None:
    """Two in three prompts only judged, by a judge who leans to b in a tenth of them."""
    covered, widths = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = (rng.random(900) < 0.5).astype(float)
        judge = np.where(rng.random(900) < 0.2, 1.0, truth)
        names = tuple(f"p{k:03d}" for k in range(900))
        people = Paired(names[:300], np.arange(300), truth[:300], np.ones(300))
        judges = Paired(names, np.arange(900), judge, np.ones(900))
        found = corrected(people, judges)
        assert found is not None
        low, high = found.interval(0.95)
        covered.append(low <= 0.5 <= high)
        alone = advantage(people).interval(0.95)
        widths.append((high - low) / (alone[1] - alone[0]))
        assert not advantage(judges).interval(0.95)[0] <= 0.5
    assert sum(covered) >= 52
    assert np.mean(widths) < 0.85


def test_a_judge_who_saw_no_more_adds_nothing() -> None:
    few = paired(np.ones(30))
    assert corrected(few, few) is None
    assert corrected(few.among(set(few.names[:10])), few) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("aim", "margin", "difference", "decision"),
    [
        (Aim.NOT_WORSE, 2.0, 10.0, Decision.SHIP),
        (Aim.NOT_WORSE, 2.0, -1.0, Decision.CANNOT_TELL),
        (Aim.NOT_WORSE, 2.0, -10.0, Decision.DO_NOT),
        (Aim.NOT_WORSE, 10.0, -1.0, Decision.SHIP),
        (Aim.SUPERIOR, 0.0, 1.0, Decision.CANNOT_TELL),
        (Aim.SUPERIOR, 0.0, 10.0, Decision.SHIP),
        (Aim.SUPERIOR, 8.0, 10.0, Decision.CANNOT_TELL),
        (Aim.TWO_SIDED, 0.0, -10.0, Decision.DO_NOT),
        (Aim.TWO_SIDED, 0.0, 3.0, Decision.CANNOT_TELL),
    ],
)
def test_three_answers_to_each_question(
    aim: Aim, margin: float, difference: float, decision: Decision
) -> None:
    share = 0.5 + difference / 100
    points = elo_of(share)
    assert points is not None
    found = BoardAdvantage(
        share=share, prompts=9, comparisons=9, difference=points, error=14.0, freedom=None
    )
    assert Question(aim, margin).decide(found) is decision


def test_a_margin_of_accuracy_is_half_of_one_of_wins() -> None:
    question = Question(margin=4.0)
    assert question.limit(50.0) == pytest.approx(0.46)
    assert question.limit(100.0) == pytest.approx(0.48)
    for wrong in ({"margin": -1.0}, {"margin": 50.0}, {"confidence": 0.4}, {"confidence": 1.0}):
        with pytest.raises(InputError, match="allowed"):
            Question(**wrong)
