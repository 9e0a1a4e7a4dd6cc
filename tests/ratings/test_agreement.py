import numpy as np
import pandas as pd
import pytest

from arena.ratings import (
    Comparisons,
    agreement,
    cohen_kappa,
    flip_rate,
    krippendorff_alpha,
    position_bias,
    rank_correlation,
)
from arena.records.errors import InputError
from tests.ratings.simulated import simulate


def test_kappa_by_hand() -> None:
    # 20 + 15 of 50 agree, chance is 0.5: (0.7 - 0.5) / 0.5.
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    kappa = cohen_kappa(a, b)
    assert kappa.value == pytest.approx(0.4)
    assert kappa.ci_low < 0.4 < kappa.ci_high
    assert np.isnan(cohen_kappa(["yes"] * 3, ["yes"] * 3).value)
    with pytest.raises(InputError, match="3 and 2 labels"):
        cohen_kappa("aab", "ab")


def test_kappa_and_alpha_do_not_depend_on_which_side_is_called_which() -> None:
    dice = np.random.default_rng(0)
    people = dice.choice(["A", "B", "tie"], 200, p=[0.5, 0.3, 0.2])
    judge = np.where(dice.random(200) < 0.6, people, dice.choice(["A", "B", "tie"], 200))
    mirror = {"A": "B", "B": "A"}

    def measures(swapped: np.ndarray) -> list[float]:
        x, y = (
            [
                mirror.get(label, label) if swap else label
                for label, swap in zip(labels, swapped, strict=True)
            ]
            for labels in (judge.tolist(), people.tolist())
        )
        items = [*range(200), *range(200)]
        kappa = cohen_kappa(x, y, mirror=mirror, rounds=200)
        alpha = krippendorff_alpha(items, [*x, *y], mirror=mirror, rounds=200)
        return [kappa.value, kappa.ci_low, kappa.ci_high, alpha.value, alpha.ci_low]

    as_shown = measures(np.zeros(200, dtype=bool))
    for swapped in (dice.random(200) < 0.5, people == "B", judge == "A"):
        assert measures(swapped) == pytest.approx(as_shown, abs=1e-12)
    plain = cohen_kappa(judge.tolist(), people.tolist(), rounds=2).value
    assert as_shown[0] == pytest.approx(plain, abs=0.02)


def test_kappa_of_a_file_that_names_the_better_answer_first() -> None:
    """People always say A here; a judge that agrees in 8 of 10 has κ 0.6, not 0."""
    people, judge = ["A"] * 10, ["A"] * 8 + ["B"] * 2
    assert cohen_kappa(judge, people).value == pytest.approx(0.0)
    assert cohen_kappa(judge, people, mirror={"A": "B", "B": "A"}).value == pytest.approx(0.6)


def test_kappa_interval_respects_groups() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(2, size=(2, 100))
    groups = np.repeat(np.arange(100), 4)
    alone = cohen_kappa(a, b)
    repeated = cohen_kappa(np.repeat(a, 4), np.repeat(b, 4), groups)
    assert repeated.value == pytest.approx(alone.value)
    assert repeated.ci_high - repeated.ci_low == pytest.approx(
        alone.ci_high - alone.ci_low, rel=0.1
    )


def test_krippendorff_published_case() -> None:
    # Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: 0.743.
    raters = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    items, labels = [], []
    for rater in raters:
        for item, label in enumerate(rater):
            if label != ".":
                items.append(item)
                labels.append(label)
    assert krippendorff_alpha(items, labels).value == pytest.approx(0.743, abs=0.0005)


def test_position_bias_and_flips() -> None:
    c = Comparisons.from_columns(
        "ababab", "bababa", outcome=[1, 1, 1, 0, 0.5, 0.5], prompt=[1, 1, 2, 2, 3, 3]
    )
    assert position_bias(c).value == pytest.approx(3 / 4)
    # Prompt 1 names the first slot twice; prompt 2 names a twice; prompt 3 ties twice.
    assert flip_rate(c).value == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="both orders"):
        flip_rate(c.select(np.array([0, 2])))


def test_sources_that_copy_each_other_agree() -> None:
    c = simulate(6, 400, prompts=100)
    same = agreement(c, c.swapped(), rounds=200)
    assert (same.share.value, same.kappa.value, same.decided.value) == (
        1.0,
        pytest.approx(1.0),
        1.0,
    )
    ranks = rank_correlation(c, c.swapped(), rounds=50)
    assert ranks.value == pytest.approx(1.0)
    assert np.isnan(ranks.ci_low)  # it never varies


def test_pandalm_figures(dataset) -> None:
    rows = pd.DataFrame(dataset("pandalm.csv"))
    by_source = {
        name: Comparisons.from_frame(part[["model_a", "model_b", "winner", "prompt"]])
        for name, part in rows[rows["winner"] != "unparsed"].groupby("source")
    }
    people = [by_source[f"human{k}"] for k in (1, 2, 3)]
    pairs = [
        agreement(people[a], people[b], rounds=50).share.value for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert min(pairs) == pytest.approx(0.91, abs=0.01)
    assert max(pairs) == pytest.approx(0.93, abs=0.01)
