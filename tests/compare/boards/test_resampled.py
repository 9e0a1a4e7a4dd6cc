"""The error of a change where both boards stand on the same prompts in part."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from arena.compare.boards.diff import diff_boards, read_board
from arena.compare.boards.resampled import CountedEvidence, change_errors
from arena.leaderboard.board import Policy
from arena.ratings import Comparisons
from arena.records import Evidence, Preference, Winner
from tests.compare.stores import answered_store, verdicts, vote

NAMES = ("a", "b", "c", "d")
THETA = np.array([0.5, 0.2, -0.2, -0.5])


def drawn(prompts: Sequence[int], rng: np.random.Generator) -> Comparisons:
    """Three votes on each prompt, which leans to one of the models."""
    rows = []
    for prompt in prompts:
        lean = rng.normal(0.0, 0.7, 4)
        for _ in range(3):
            i, j = rng.choice(4, 2, replace=False)
            gap = THETA[i] - THETA[j] + lean[i] - lean[j]
            won = float(rng.random() < 1 / (1 + np.exp(-gap)))
            rows.append((NAMES[i], NAMES[j], won, f"p{prompt}"))
    a, b, outcome, prompt_of = zip(*rows, strict=True)
    return Comparisons.from_columns(a, b, outcome=outcome, prompt=prompt_of)


def board(c: Comparisons, judged: Comparisons | None = None) -> CountedEvidence:
    judges = {} if judged is None else {"j": judged}
    kinds = {Evidence.HUMAN: {"votes": c}, Evidence.JUDGE: judges, Evidence.OBJECTIVE: {}}
    return CountedEvidence(kinds, Policy(min_comparisons=1))


def test_the_same_board_has_no_error() -> None:
    c = drawn(range(60), np.random.default_rng(1))
    assert change_errors(board(c), board(c), NAMES, 20) == pytest.approx(dict.fromkeys(NAMES, 0.0))


@pytest.mark.slow
def test_the_error_is_that_of_repeated_data() -> None:
    """The new board has the old one's 120 prompts and 60 more."""
    from arena.ratings import bradley_terry, concat

    changes, told = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        old = drawn(range(120), rng)
        new = concat([old, drawn(range(120, 180), rng)])
        before, after = (bradley_terry(c, interval=None).ratings for c in (old, new))
        changes.append(after - before)
        if seed < 40:
            told.append(list(change_errors(board(old), board(new), NAMES, 60).values()))
    spread = np.std(changes, axis=0)
    assert np.mean(told, axis=0) == pytest.approx(spread, rel=0.2)


def test_boards_without_a_prompt_in_common_are_independent() -> None:
    rng = np.random.default_rng(5)
    old, new = drawn(range(100), rng), drawn(range(100, 200), rng)
    apart = change_errors(board(old), board(new), NAMES, 200)
    alone = [change_errors(board(c), board(_even()), NAMES, 200) for c in (old, new)]
    for name in NAMES:
        assert apart[name] == pytest.approx(np.hypot(*(one[name] for one in alone)), rel=0.3)


def _even() -> Comparisons:
    """A board that hardly varies: each pair is even on many prompts."""
    rows = [(a, b) for a in NAMES for b in NAMES if a < b] * 200
    a, b = zip(*rows, strict=True)
    prompts = [f"e{k}" for k in range(len(rows))]
    return Comparisons.from_columns(a, b, ["tie"] * len(rows), prompt=prompts)


def test_judges_beside_votes_are_drawn_with_them(tmp_path: Path) -> None:
    """Two databases, the new one with more votes: narrower than if they were independent."""
    paths = []
    for number, count in enumerate((1, 2)):
        store = answered_store(tmp_path / f"{number}.db", 60, ("old", "new", "third"))
        for other in ("old", "third"):
            sides = ("new", other)
            vote(store, lambda k, n=count: [_winner(k)] * n, sides, voters=5)
        verdicts(store, lambda k: Preference.A if k % 3 else Preference.B)
        store.close()
        paths.append(tmp_path / f"{number}.db")
    boards = [read_board(path) for path in paths]
    found = diff_boards(*boards)
    assert found.is_paired
    width = {one.model: one.high - one.low for one in found.changes}
    for name, (_, low, high) in boards[0].ratings.items():
        assert width[name] < 0.6 * (high - low)


def _winner(k: int) -> Winner:
    return Winner.MODEL_A if k % 5 < 3 else Winner.MODEL_B
