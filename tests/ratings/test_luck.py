"""Own luck: known variances come back from simulated outcomes, and intervals cover them."""

import numpy as np
import pytest

from arena.ratings.luck import own_luck

OWN = np.array([0.0, 0.1, 0.2, 0.3])  # standard deviations of the models' luck
PROMPT, NOISE = 0.25, 0.2


def outcomes(
    dice: np.random.Generator, prompts: int, samples: int, own: np.ndarray = OWN
) -> list[np.ndarray]:
    """Outcomes of all pairs: what the prompt gives, what the samples give, a judge's noise."""
    m = len(own)
    fit = dice.normal(0, PROMPT, (prompts, m))
    luck = dice.normal(0, 1, (prompts, samples, m)) * own
    strength = fit[:, None, :] + luck + np.arange(m) / 20
    rows = [
        (i, j, p, k, 0.5 + strength[p, k, i] - strength[p, k, j] + dice.normal(0, NOISE))
        for p in range(prompts)
        for k in range(samples)
        for i in range(m)
        for j in range(i + 1, m)
    ]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    order = dice.permutation(len(rows))
    return [column[order] for column in columns]


def true_shares() -> np.ndarray:
    """Own variance over that of an outcome, as a mean over the opponents."""
    m = len(OWN)
    whole = [
        np.mean([2 * PROMPT**2 + OWN[a] ** 2 + OWN[b] ** 2 + NOISE**2 for b in range(m) if b != a])
        for a in range(m)
    ]
    return OWN**2 / np.array(whole)


@pytest.mark.slow
def test_known_shares_come_back_and_intervals_cover_them() -> None:
    dice, truth, runs = np.random.default_rng(5), true_shares(), 200
    found = [own_luck(*outcomes(dice, prompts=60, samples=3)) for _ in range(runs)]
    shares = np.array([[one[a].share for a in range(len(OWN))] for one in found])
    error = shares.std(axis=0) / np.sqrt(runs)
    assert (np.abs(shares.mean(axis=0) - truth) < 4 * error + 0.003).all()
    covered = np.array(
        [[one[a].low <= truth[a] <= one[a].high for a in range(len(OWN))] for one in found]
    )
    assert (covered.mean(axis=0) > 0.90).all()


def test_a_noisy_judge_on_equal_samples_is_not_luck() -> None:
    dice = np.random.default_rng(6)
    shares = [
        luck.share
        for _ in range(50)
        for luck in own_luck(*outcomes(dice, 40, 3, own=np.zeros(3))).values()
    ]
    assert np.mean(shares) == pytest.approx(0, abs=4 * np.std(shares) / np.sqrt(len(shares)))


def test_only_luck_is_all_luck() -> None:
    """One model varies, by its samples alone, and is judged without noise."""
    dice = np.random.default_rng(7)
    drawn = dice.normal(0, 0.1, (80, 4))
    rows = [(0, j, p, k, 0.5 + drawn[p, k]) for p in range(80) for k in range(4) for j in (1, 2)]
    found = own_luck(*(np.array(column) for column in zip(*rows, strict=True)))
    assert found[0].share == pytest.approx(1, abs=0.1)


def test_names_and_order_change_nothing() -> None:
    columns = outcomes(np.random.default_rng(8), 20, 2)
    i, j, prompt, sample, outcome = columns
    turned = own_luck(j[::-1], i[::-1], prompt[::-1], sample[::-1], 1 - outcome[::-1])
    for model, luck in own_luck(*columns).items():
        assert turned[model].share == pytest.approx(luck.share)
        assert turned[model].low == pytest.approx(luck.low)


@pytest.mark.parametrize(
    ("models", "samples", "prompts"), [(2, 3, 20), (4, 1, 20), (4, 3, 1), (4, 3, 0)]
)
def test_what_cannot_be_told_apart_is_left_out(models: int, samples: int, prompts: int) -> None:
    dice = np.random.default_rng(9)
    columns = outcomes(dice, max(prompts, 1), samples, own=np.full(models, 0.1))
    columns = [column if prompts else column[:0] for column in columns]
    assert own_luck(*columns) == {}
