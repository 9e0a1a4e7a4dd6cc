import numpy as np
import pytest

from arena.ratings import (
    Comparisons,
    Online,
    bradley_terry,
    concat,
    goodness_of_fit,
    influence,
    next_pairs,
    style_differences,
    style_of,
    win_matrix,
)
from arena.ratings.fitting.style import style_local_model
from arena.ratings.fitting.ties import tie_local_model
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import InputError, RatingError
from tests.ratings.simulated import simulate


@pytest.mark.parametrize("model", ["davidson", "rao-kupper"])
def test_tie_derivatives(model: str) -> None:
    counts = simulate(4, 200).pair_counts
    x, h = np.array([0.3, -0.2, 0.4, -0.5, 0.7]), 1e-5
    here = tie_local_model(counts, x, model)
    for k, step in enumerate(np.eye(5) * h):
        up, down = (tie_local_model(counts, x + sign * step, model) for sign in (1, -1))
        assert here.gradient[k] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-5)
        assert here.hessian[k] == pytest.approx((up.gradient - down.gradient) / (2 * h), abs=1e-5)


@pytest.mark.parametrize(
    ("ties", "expected"),
    [("davidson", 2 * 20 / np.sqrt(60 * 20)), ("rao-kupper", None)],
)
def test_two_models_with_ties_closed_form(ties: str, expected: float | None) -> None:
    c = Comparisons.from_columns(
        ["a"] * 100, ["b"] * 100, outcome=[1.0] * 60 + [0.5] * 20 + [0.0] * 20
    )
    r = bradley_terry(c, ties=ties)
    gap, tie = (r.ratings[0] - r.ratings[1]) / POINTS_PER_LOG, r.coefficients[0].value
    if ties == "davidson":
        # Win : tie : loss = e^(d/2) : ν : e^(-d/2), so d = log 3 and ν = 20 / √(60 · 20).
        assert gap == pytest.approx(np.log(3), abs=1e-10)
        assert np.exp(tie) == pytest.approx(expected / 2, abs=1e-10)
    else:
        # P(win) = 0.6 and P(loss) = 0.2 give d - κ = logit 0.6 and -d - κ = logit 0.2.
        assert gap - tie == pytest.approx(np.log(0.6 / 0.4), abs=1e-10)
        assert -gap - tie == pytest.approx(np.log(0.2 / 0.8), abs=1e-10)


def test_tie_models_refuse_what_they_cannot_fit() -> None:
    with pytest.raises(RatingError, match="no ties"):
        bradley_terry(simulate(ties=0.0), ties="davidson")
    soft = Comparisons.from_columns("ab", "ba", outcome=[0.3, 0.5])
    with pytest.raises(InputError, match="needs outcomes of 0, one half and 1"):
        bradley_terry(soft, ties="rao-kupper")


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_a_tie_model_with_infinite_ratings_is_an_error(ties: str) -> None:
    # Finite with half wins. With a tie model, the more a leads the better ties explain the rest.
    c = Comparisons.from_columns("a" * 10, "b" * 10, ["model_a"] * 5 + ["tie"] * 5)
    assert np.isfinite(bradley_terry(c).ratings).all()
    with pytest.raises(RatingError, match=r"do not determine every parameter.*prior=400"):
        bradley_terry(c, ties=ties)
    assert np.isfinite(bradley_terry(c, ties=ties, prior=400.0).ratings).all()


def test_style_that_tells_every_outcome_is_an_error() -> None:
    c = Comparisons.from_columns(
        "a" * 4, "b" * 4, ["model_a", "model_b"] * 2, style={"x": [1, -2] * 2}
    )
    with pytest.raises(RatingError, match="fewer style columns"):
        bradley_terry(c, style="x")


def styled(effect: float, rows: int = 4000, seed: int = 0) -> Comparisons:
    rng = np.random.default_rng(seed)
    base = simulate(5, rows, ties=0.0, seed=seed)
    x = rng.normal(0.3, 2.0, rows)
    theta = np.linspace(-1, 1, 5)
    p = 1 / (1 + np.exp(theta[base.j] - theta[base.i] - effect * x))
    won = (rng.random(rows) < p).astype(float)
    return Comparisons(base.models, base.i, base.j, won, style={"x": x})


def test_style_derivatives() -> None:
    c = styled(0.5, rows=150)
    scaled, point, h = c.covariate("x")[None], np.array([0.3, -0.2, 0.4, -0.5, 0.1, 0.2]), 1e-5
    here = style_local_model(c, scaled, point)
    for k, step in enumerate(np.eye(6) * h):
        up, down = (style_local_model(c, scaled, point + sign * step) for sign in (1, -1))
        assert here.gradient[k] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-5)
        assert here.hessian[k] == pytest.approx((up.gradient - down.gradient) / (2 * h), abs=1e-5)


def test_style_effect_is_found_unshrunk_and_sides_do_not_matter() -> None:
    c = styled(0.25)
    r = bradley_terry(c, style=["x"])
    per_unit = r.coefficients[0].value / np.sqrt(np.mean(c.style["x"] ** 2))
    assert per_unit == pytest.approx(0.25, abs=0.04)
    flipped = bradley_terry(c.swapped(), style=["x"])
    assert flipped.ratings == pytest.approx(r.ratings, abs=1e-7)
    assert flipped.covariance == pytest.approx(r.covariance, rel=1e-7)
    assert r.without_style == pytest.approx(bradley_terry(c).ratings)
    doubled = Comparisons(c.models, c.i, c.j, c.outcome, style={"x": 2 * c.style["x"]})
    assert bradley_terry(doubled, style=["x"]).coefficients[0].value == pytest.approx(
        r.coefficients[0].value
    )
    rows = Comparisons(c.models, c.i, c.j, c.outcome, style=c.style, weight=np.full(len(c), 2.0))
    twice = bradley_terry(concat([c, c]), style=["x"])
    assert bradley_terry(rows, style=["x"]).covariance == pytest.approx(twice.covariance)


def test_style_features_of_text() -> None:
    text = "# Title\n\n- one **bold**\n- two `code`\n1. three\n\n```python\n# none\n- no\n```\n"
    s = style_of(text)
    assert (s.headers, s.lists, s.bold, s.code, s.length) == (1, 3, 1, 2, len(text))
    difference = style_differences(["aaa", "# h"], ["a", "x"])
    assert difference["length"].tolist() == [0.5, 0.5]
    assert difference["headers"].tolist() == [0.0, 1.0]


def test_win_matrix_and_goodness_of_fit() -> None:
    c = simulate(6, 5000)
    r = bradley_terry(c)
    matrix = win_matrix(c, r)
    off = ~np.eye(6, dtype=bool)
    assert np.allclose((matrix.observed + matrix.observed.T)[off], 1.0)
    assert np.allclose(matrix.predicted + matrix.predicted.T, 1.0)
    assert goodness_of_fit(c, r).p_value > 0.01
    circle = Comparisons.from_columns("aabbcc" * 50, "bbccaa" * 50, outcome=[1, 1, 1, 1, 1, 0] * 50)
    test = goodness_of_fit(circle, bradley_terry(circle))
    assert test.degrees == 1
    assert test.p_value < 1e-6


def test_goodness_of_fit_is_uniform_where_the_model_is_right() -> None:
    p = [
        goodness_of_fit(c, bradley_terry(c, interval=None)).p_value
        for c in (simulate(6, 2000, ties=0.3, seed=seed) for seed in range(200))
    ]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.07)
    assert np.mean(p) == pytest.approx(0.5, abs=0.08)


def test_next_pairs_seek_out_the_newcomer_and_know_their_odds() -> None:
    old = simulate(5, 2000)
    c = concat([old, Comparisons.from_columns(["new"], ["m00"], winner=["model_a"])])
    pairs = next_pairs(c, 200, seed=1)
    share = np.mean(["new" in (pair.model_a, pair.model_b) for pair in pairs[:20]])
    assert share > 0.8
    assert min(pair.propensity for pair in pairs) >= 0.1 / 15 - 1e-12
    first = [next_pairs(c, 1, exploration=1.0, seed=seed)[0].propensity for seed in range(3)]
    assert first == pytest.approx([1 / 15] * 3)
    with pytest.raises(InputError, match="exploration is 0"):
        next_pairs(c, 1, exploration=0.0)


def test_influence_counts_the_votes_that_decide() -> None:
    # a leads b by 53 to 47; each vote of a's that goes takes one from the lead.
    votes = [1.0] * 53 + [0.0] * 47
    c = Comparisons.from_columns(
        ["a"] * 100, ["b"] * 100, outcome=votes, voter=["fan"] * 53 + ["other"] * 47
    )
    found = influence(c)
    assert (found.first, found.successor, len(found.rows)) == ("a", "b", 7)
    assert found.voters == (("fan", 7),)


def test_llmfao_first_place_hangs_on_sixteen_votes(dataset) -> None:
    columns = dataset("llmfao_votes.csv")
    c = Comparisons.from_frame(
        {name: columns[name] for name in ("model_a", "model_b", "winner", "voter")}
    )
    found = influence(c)
    assert len(found.rows) <= 16
    assert sum(count for _, count in found.voters) == len(found.rows)


def test_online_follows_the_exact_fit() -> None:
    c = simulate(20, 4000, seed=3)
    state, rng = Online.of(c), np.random.default_rng(0)
    extra = []
    for _ in range(150):
        i, j = rng.choice(20, 2, replace=False)
        outcome = float(rng.choice([0.0, 0.5, 1.0]))
        state = state.after(int(i), int(j), outcome)
        extra.append((i, j, outcome))
        i_all, j_all, y_all = (np.array(column) for column in zip(*extra, strict=True))
        if len(extra) in (1, 63, 64, 150):
            more = Comparisons(c.models, i_all.astype(np.int32), j_all.astype(np.int32), y_all)
            exact = bradley_terry(concat([c, more]))
            assert (
                np.abs(
                    state.theta
                    - exact.ratings / POINTS_PER_LOG
                    + exact.ratings.mean() / POINTS_PER_LOG
                ).max()
                < 1e-6
            )
            assert np.diagonal(state.covariance) == pytest.approx(
                np.diagonal(exact.covariance), rel=2e-2
            )
