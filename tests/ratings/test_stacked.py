"""Many judges as one, learned from the votes on the same battles."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from arena.ratings import CombinedResult, Comparisons, Method, combine
from arena.ratings.combined.battles import match, one_per_battle
from arena.ratings.combined.prediction import SIZE, battles_of, fitted, without_own
from arena.ratings.factors import Factor
from arena.ratings.scale import POINTS_PER_LOG
from arena.records.errors import InputError

MODELS, BATTLES = 10, 900
THETA = np.linspace(-1.0, 1.0, MODELS)


class World:
    """Battles with luck of their own that people and good judges both see."""

    def __init__(self, seed: int = 0, luck: float = 1.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.i = self.rng.integers(MODELS, size=BATTLES)
        self.j = (self.i + self.rng.integers(1, MODELS, BATTLES)) % MODELS
        self.luck = self.rng.normal(0.0, luck, BATTLES)
        self.length = np.tanh(self.rng.normal(0.0, 1.0, BATTLES) + THETA[self.j] - THETA[self.i])

    def judge(
        self, keen: float = 1.5, own: float = 0.1, length: float = 0.0, slot: float = 0.0
    ) -> Comparisons:
        """keen: scale of its log-odds; own: its error of each model; length, slot: its biases."""
        theta = THETA + self.rng.normal(0.0, own, MODELS)
        odds = keen * (theta[self.i] - theta[self.j] + self.luck) + length * self.length + slot
        return self.said(odds)

    def said(self, odds: np.ndarray) -> Comparisons:
        won = (self.rng.random(BATTLES) < expit(odds)).astype(float)
        prompt = Factor(
            (np.arange(BATTLES) // 3).astype(np.int32), np.arange(BATTLES // 3).astype(object)
        )
        names = tuple(f"m{k}" for k in range(MODELS))
        sides = (side.astype(np.int32) for side in (self.i, self.j))
        return Comparisons(names, *sides, won, prompt=prompt, style={"length": self.length})

    def votes(self, rows: int) -> Comparisons:
        everything = self.said(THETA[self.i] - THETA[self.j] + self.luck)
        picked = self.rng.choice(BATTLES, rows, replace=False)
        return plain(everything).select(np.sort(picked))


def plain(c: Comparisons) -> Comparisons:
    """Without the style columns."""
    return replace(c, style={})


def stacked(human: Comparisons, judges: dict[str, Comparisons]) -> CombinedResult:
    return combine(human, judges, method="stacked")


WORLD = World()
GOOD, FAIR, SILENT = (plain(WORLD.judge(keen, 0.2)) for keen in (2.0, 0.7, 0.0))
HUMAN = WORLD.votes(200)
JUDGES = {"good": GOOD, "fair": FAIR, "silent": SILENT}
WHOLE = stacked(HUMAN, JUDGES)


def same(one: CombinedResult, other: CombinedResult) -> None:
    assert one.ratings == pytest.approx(other.ratings, abs=1e-5)
    assert one.ci_low == pytest.approx(other.ci_low, abs=1e-4)


def parameters(r: CombinedResult) -> dict[str, float]:
    return dict(r.parameters)


def test_names_order_and_sides_change_nothing() -> None:
    names = {f"m{k}": f"z{(k * 7) % 10}" for k in range(MODELS)}
    order = np.random.default_rng(0).permutation(len(HUMAN))
    renamed = stacked(
        HUMAN.relabel(names).select(order),
        {name: c.relabel(names) for name, c in reversed(JUDGES.items())},
    )
    place = [renamed.models.index(names[name]) for name in WHOLE.models]
    assert renamed.ratings[place] == pytest.approx(WHOLE.ratings, abs=1e-5)
    assert renamed.ci_low[place] == pytest.approx(WHOLE.ci_low, abs=1e-4)
    same(stacked(HUMAN.swapped(), {name: c.swapped() for name, c in JUDGES.items()}), WHOLE)


def test_copies_of_a_judge_change_nothing() -> None:
    same(stacked(HUMAN, JUDGES | {"again": GOOD, "and again": GOOD}), WHOLE)


def test_a_judge_who_says_the_opposite_of_another_changes_nothing() -> None:
    same(stacked(HUMAN, JUDGES | {"against": replace(GOOD, outcome=1.0 - GOOD.outcome)}), WHOLE)


def test_rows_both_orders_and_another_scale_of_a_judge_change_nothing() -> None:
    both = [GOOD, GOOD.swapped(), GOOD]
    joined = Comparisons(
        GOOD.models,
        np.concatenate([c.i for c in both]),
        np.concatenate([c.j for c in both]),
        np.concatenate([c.outcome for c in both]),
        prompt=Factor(np.concatenate([c.group("prompt").codes for c in both]), GOOD.prompt.labels),
    )
    same(stacked(HUMAN, JUDGES | {"good": joined}), WHOLE)
    odds = np.random.default_rng(0).normal(size=BATTLES) + 2.0 * GOOD.outcome - 1.0
    once, doubled = (
        stacked(HUMAN, JUDGES | {"good": replace(GOOD, outcome=expit(scale * odds))})
        for scale in (1.0, 2.0)
    )
    same(once, doubled)


def test_weights_of_votes_are_copies() -> None:
    heavy = replace(HUMAN, weight=np.full(len(HUMAN), 3.0))
    tripled = HUMAN.select(np.tile(np.arange(len(HUMAN)), 3))
    same(stacked(heavy, JUDGES), stacked(tripled, JUDGES))


def test_a_judge_in_two_halves_is_nearly_the_same() -> None:
    first = np.random.default_rng(0).random(BATTLES) < 0.5
    halves = {"good 1": GOOD.select(first), "good 2": GOOD.select(~first)}
    split = stacked(HUMAN, halves | {"fair": FAIR, "silent": SILENT})
    errors = np.sqrt(np.diagonal(WHOLE.covariance))
    assert (np.abs(split.ratings - WHOLE.ratings) / errors).max() < 0.4
    assert np.sqrt(np.diagonal(split.covariance)) == pytest.approx(errors, rel=0.15)


def test_judges_that_say_nothing_cost_next_to_nothing_and_get_no_weight() -> None:
    alone, many, heard = [], [], []
    for seed in range(4):
        world = World(seed)
        human, good = world.votes(200), plain(world.judge(2.0, 0.2))
        crowd = {f"silent{k}": plain(world.judge(0.0)) for k in range(5)}
        truth = 1000.0 + POINTS_PER_LOG * THETA
        for errors, judges in ((alone, {"good": good}), (many, {"good": good} | crowd)):
            r = stacked(human, judges)
            errors.append(np.abs(r.ratings - truth).mean())
        weights = {source.name: source.weight for source in r.sources}
        heard.append(np.mean([abs(weights[name]) for name in crowd]) / weights["good"])
    assert np.mean(heard) < 0.3
    assert np.mean(many) < 1.05 * np.mean(alone)


def test_the_best_judge_is_found_among_poor_ones() -> None:
    alone, many = [], []
    for seed in range(4):
        world = World(seed)
        human, best = world.votes(200), {"best": plain(world.judge(2.0, 0.1))}
        poor = {f"poor{k}": plain(world.judge(0.5, 0.8)) for k in range(4)}
        target = 1000.0 + POINTS_PER_LOG * THETA
        for errors, judges in ((alone, best), (many, best | poor)):
            errors.append(np.abs(stacked(human, judges).ratings - target).mean())
    assert np.mean(many) < 1.1 * np.mean(alone)


def test_a_bias_that_all_judges_share_is_removed_by_style() -> None:
    errors = {True: [], False: []}
    for seed in range(4):
        world = World(seed)
        human = world.votes(300)
        judges = {f"j{k}": world.judge(1.5, 0.05, length=2.5) for k in range(2)}
        for styled, found in errors.items():
            r = stacked(human, {name: c if styled else plain(c) for name, c in judges.items()})
            found.append(np.abs(r.ratings - 1000.0 - POINTS_PER_LOG * THETA).mean())
        # Judges like length and people do not care, so that it counts against what judges say.
        assert parameters(stacked(human, judges))["style length"] < 0.0
    assert np.mean(errors[True]) < 0.9 * np.mean(errors[False])


def test_luck_that_judges_see_narrows_intervals() -> None:
    world = World(3, luck=3.0)
    human = world.votes(300)
    seen = stacked(human, {"sharp": plain(world.judge(3.0, 0.1))})
    assert parameters(seen)["power"] > 0.5
    blind = plain(world.said(3.0 * (THETA[world.i] - THETA[world.j])))
    unseen = stacked(human, {"blind": blind})
    assert parameters(seen)["design effect"] < parameters(unseen)["design effect"]


def test_a_vote_is_predicted_from_other_prompts_alone() -> None:
    human, judges = _matched(HUMAN)
    battles = battles_of(human, judges)
    predictor = fitted(battles, 1.0)
    parts = without_own(battles, predictor, 1.0)
    held, there = parts[0]
    turned = replace(HUMAN, outcome=1.0 - HUMAN.outcome)
    mixed = np.isin(HUMAN.group("prompt").codes, battles.group[held])
    other = replace(HUMAN, outcome=np.where(mixed, turned.outcome, HUMAN.outcome))
    human, judges = _matched(other)
    again = without_own(battles_of(human, judges), predictor, 1.0)[0][1]
    assert again.weights == pytest.approx(there.weights, abs=1e-9)
    voted = np.concatenate([rows for rows, _ in parts])
    assert sorted(voted) == np.flatnonzero(battles.votes > 0.0).tolist()


def _matched(human: Comparisons):
    first, *judges = match([human, *map(one_per_battle, JUDGES.values())], by_prompt=True)
    return first, judges


def test_the_predictor_knows_what_a_judge_is_worth() -> None:
    """With a vote on every battle the weights are those of a plain logistic regression."""
    world = World(5)
    everybody = plain(world.said(THETA[world.i] - THETA[world.j] + world.luck))
    sources = [plain(world.judge(2.0)), plain(world.judge(0.0))]
    rows = match([everybody, *map(one_per_battle, sources)], by_prompt=True)
    battles = battles_of(rows[0], rows[1:])
    # Some pairs meet twice on a prompt, where the judge's mean may be a tie.
    assert battles.size == pytest.approx([1.0, 1.0], abs=0.01)
    assert np.sqrt((battles.columns**2).mean(axis=0)) == pytest.approx([SIZE, SIZE])
    predictor = fitted(battles, 1.0)
    expected = predictor.shares(battles.columns)
    gradient = battles.columns.T @ (battles.votes * (battles.share - expected))
    assert gradient == pytest.approx(predictor.precision * predictor.weights, abs=1e-6)
    assert predictor.weights[0] > 5 * abs(predictor.weights[1])


def test_battles_that_no_judge_compared_count_as_they_are() -> None:
    judged = {"good": GOOD.select(GOOD.group("prompt").codes < 150)}
    r = stacked(HUMAN, judged)
    assert r.models == HUMAN.models
    nothing = HUMAN.select(HUMAN.group("prompt").codes >= 150)
    assert parameters(stacked(nothing, judged))["power"] == 0.0


def test_what_it_stands_on_is_said() -> None:
    assert (WHOLE.settings.method, WHOLE.label) == (Method.STACKED, "human-anchored")
    many = stacked(World().votes(700), JUDGES)
    weights = {source.name: source.weight for source in many.sources if source.kind == "judge"}
    assert weights["good"] > weights["fair"] > abs(weights["silent"])
    assert set(parameters(WHOLE)) == {"tau", "design effect", "power"}
    exam = combine(HUMAN, JUDGES, {"exam": FAIR}, method="stacked")
    assert [source.name for source in exam.sources][-1] == "exam"
    assert exam.sources[-1].weight is not None


def test_without_judges_or_votes() -> None:
    alone, plainly = (combine(HUMAN, method=name) for name in ("stacked", "human"))
    assert alone.ratings == pytest.approx(plainly.ratings)
    with pytest.raises(InputError, match="needs votes"):
        combine(judges=JUDGES, method="stacked")
    with pytest.raises(InputError, match="prompt column"):
        stacked(replace(HUMAN, prompt=None), JUDGES)


def test_few_models_few_prompts_and_judges_who_only_tie() -> None:
    two = HUMAN.among(["m0", "m9"])
    judges = {"good": GOOD.among(["m0", "m9"])}
    assert np.isfinite(stacked(two, judges).covariance).all()
    tie = replace(GOOD, outcome=np.full(len(GOOD), 0.5))
    same(stacked(HUMAN, JUDGES | {"tie": tie}), WHOLE)
    assert np.isfinite(stacked(HUMAN, {"tie": tie}).ratings).all()
    one = Factor(np.zeros(len(HUMAN), dtype=np.int32), np.array(["only"], dtype=object))
    whole = Factor(np.zeros(len(GOOD), dtype=np.int32), one.labels)
    r = stacked(replace(HUMAN, prompt=one), {"good": replace(GOOD, prompt=whole)})
    assert np.isfinite(r.ratings).all()
