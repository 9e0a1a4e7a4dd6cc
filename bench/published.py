"""Published numbers of other projects, out of their own files by our own readers.

    python -m bench.published alpacaeval FOLDER
    python -m bench.published mt-bench FOLDER

alpacaeval: FOLDER is a clone of tatsu-lab/alpaca_eval, or some of its results/MODEL with its
leaderboard. Length-controlled win rates need df_gamed.csv of its data set in FOLDER as well, which
has the difficulty of each instruction. mt-bench: FOLDER has the two files of
lmsys/mt_bench_human_judgments. The exit code is 1 where a number is further off than allowed.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from arena.interchange.exchange.entries import Compared
from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.formats import alpacaeval, chatbot_arena
from arena.leaderboard.evidence.gathering import gather
from arena.records import Winner
from arena.store import Store

ANNOTATOR = "weighted_alpaca_eval_gpt4_turbo"
BASELINE = "gpt4_1106_preview"
LEADERBOARD = f"src/alpaca_eval/leaderboards/data_AlpacaEval_2/{ANNOTATOR}_leaderboard.csv"
GAMED = "df_gamed.csv"
WIN_RATE, LENGTH_CONTROLLED, AGREEMENT = 0.1, 0.5, 1.0
GAMED_WEIGHT = 0.2 / 2  # of each of the two models that play for length
# Zheng and others (2023), table 5: of GPT-4's pairs with people, and of people with each other, by
# turn, with ties and without; in per cent.
PAPER = {
    ("GPT-4 and people", 1, True): 66.0,
    ("GPT-4 and people", 1, False): 85.0,
    ("people", 1, True): 63.0,
    ("people", 1, False): 81.0,
    ("GPT-4 and people", 2, True): 66.0,
    ("GPT-4 and people", 2, False): 85.0,
    ("people", 2, True): 67.0,
    ("people", 2, False): 82.0,
}
SHARES = {Winner.MODEL_A: 0.0, Winner.TIE: 0.5, Winner.BOTH_BAD: 0.5, Winner.MODEL_B: 1.0}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Published:
    """A number as it was published, and ours; both in per cent. n: cases of ours."""

    what: str
    published: float
    ours: float
    allowed: float
    n: int

    @property
    def is_off(self) -> bool:
        """Whether it is further off than allowed; what is not there is."""
        return not abs(self.ours - self.published) <= self.allowed


def alpacaeval_figures(folder: Path) -> Iterator[Published]:
    """The win rate of each model with annotations; length-controlled where `GAMED` is there."""
    with (folder / LEADERBOARD).open(encoding="utf-8", newline="") as stream:
        board = {row[""]: row for row in csv.DictReader(stream)}
    gamed = read_gamed(folder / GAMED) if (folder / GAMED).is_file() else None
    for file in sorted(folder.glob(f"results/*/{ANNOTATOR}/annotations.json")):
        model = file.parent.parent.name
        if model not in board or model == BASELINE:  # which cannot meet itself
            continue
        rate, n = win_rate(file)
        published = float(board[model]["win_rate"])
        yield Published(f"{model}: win rate", published, rate, WIN_RATE, n)
        if gamed is not None:
            published = float(board[model]["length_controlled_winrate"])
            found = length_controlled(*annotations(file), gamed)
            yield Published(f"{model}: length-controlled", published, found, LENGTH_CONTROLLED, n)


def win_rate(file: Path) -> tuple[float, int]:
    """The share of the second model's wins, as our ranking counts them, and of how many rows."""
    with TemporaryDirectory() as place:
        store = Store(Path(place) / "arena.db")
        take_in(store, alpacaeval.read(file, Hints()))
        ((_, found),) = gather(store).judges.items()
        store.close()
    second = next(entry.second.model for entry in _rows(file))
    k = found.models.index(second)
    points, played = found.pair_counts.points[k, 1 - k], found.pair_counts.played[k, 1 - k]
    return 100.0 * float(points / played), round(float(played))


def annotations(file: Path) -> tuple[Floats, Floats]:
    """(n,) the second output's share of each win, NaN where it is not known, and how many
    characters the first one is longer."""
    shares, longer = [], []
    for entry in _rows(file):
        won = np.nan if entry.winner is None else SHARES[entry.winner]
        shares.append(entry.odds[1] if entry.odds else won)
        longer.append(len(entry.first.turns[0]) - len(entry.second.turns[0]))  # type: ignore[index]
    return np.array(shares), np.array(longer, dtype=np.float64)


def _rows(file: Path) -> Iterator[Compared]:
    for _, entry in alpacaeval.read(file, Hints()):
        if isinstance(entry, Compared):
            yield entry


@dataclass(frozen=True, slots=True)
class Gamed:
    """What AlpacaEval holds fixed. difficulty: (m,) of each instruction, by its place in the set.

    shares, longer, index: (g,) annotations of models that play for length, as in its file: the
    share of the win, the standardised difference of lengths, and the instruction.
    """

    difficulty: Floats
    shares: Floats
    longer: Floats
    index: NDArray[np.int64]


def read_gamed(file: Path) -> Gamed:
    """The file of AlpacaEval's data set."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    index = np.array([int(float(row["index"])) for row in rows])
    of = dict(
        zip(index.tolist(), (float(row["instruction_difficulty"]) for row in rows), strict=True)
    )
    return Gamed(
        np.array([of[k] for k in range(len(of))]),
        np.array([float(row["preference"]) for row in rows]),
        np.array([float(row["std_delta_len"]) for row in rows]),
        index,
    )


def length_controlled(shares: Floats, longer: Floats, gamed: Gamed) -> float:
    """AlpacaEval's length-controlled win rate of the second output, in per cent.

    A logistic regression of the win on the difference of lengths, the instruction's difficulty and
    the model, with the models that play for length as a weak prior on the first; then what it
    predicts at equal length. Dubois and others (2024), https://arxiv.org/abs/2404.04475. There it
    is fitted with an L1 penalty that is chosen by cross-validation and close to none; here with
    none. shares, longer: (n,), see `annotations`, in the order of the instructions.
    """
    difficulty = gamed.difficulty[: len(shares)]
    own = np.column_stack([np.tanh(longer / longer.std(ddof=1)), difficulty, np.ones(len(shares))])
    there = gamed.difficulty[gamed.index]
    others = np.column_stack([np.tanh(gamed.longer), there, np.zeros(len(there))])
    known = ~np.isnan(shares)
    x = np.vstack([own[known], others])
    y = np.concatenate([shares[known], gamed.shares])
    weight = np.concatenate([np.ones(known.sum()), np.full(len(there), GAMED_WEIGHT)])
    w = fitted(x, y, weight)
    return 100.0 * float(expit(difficulty * w[1] + w[2]).mean())


def fitted(x: Floats, y: Floats, weight: Floats) -> Floats:
    """(k,) coefficients of a weighted logistic regression. x: (n, k); y: (n,) in [0, 1]."""
    w = np.zeros(x.shape[1])
    for _ in range(100):
        p = expit(x @ w)
        slope = x.T @ (weight * (y - p))
        step = np.linalg.solve((x.T * (weight * p * (1 - p))) @ x + 1e-9 * np.eye(len(w)), slope)
        w += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    return w


@dataclass(slots=True)
class Said:
    """What was said of one pair of answers up to one turn."""

    people: list[str] = field(default_factory=list)
    judge: list[str] = field(default_factory=list)


def mt_bench_figures(folder: Path) -> Iterator[Published]:
    """Agreement of GPT-4 with people, and of people with each other, as the paper counts it.

    Each statement of a person is one case, and each pair of persons is one. Without ties, cases
    with a tie on either side are left out. The authors' own votes are, too.
    """
    said: defaultdict[tuple[object, ...], Said] = defaultdict(Said)
    for _, entry in chatbot_arena.read(folder, Hints()):
        _collect(said, entry)
    for (who, turn, ties), published in PAPER.items():
        cases = []
        for (turns, *_), one in said.items():
            if turns == turn:
                cases += one_cases(one, people_only=who == "people")
        kept = [a == b for a, b in cases if ties or "tie" not in (a, b)]
        ours = 100.0 * sum(kept) / len(kept) if kept else float("nan")
        what = f"{who}, turn {turn}, {'with' if ties else 'without'} ties"
        yield Published(what, published, ours, AGREEMENT, len(kept))


def one_cases(one: Said, *, people_only: bool) -> Iterable[tuple[str, str]]:
    """The pairs of statements that may agree."""
    if people_only:
        return combinations(one.people, 2)
    return [(judge, person) for judge in one.judge for person in one.people]


def _collect(said: defaultdict[tuple[object, ...], Said], entry: object) -> None:
    if not isinstance(entry, Compared) or entry.winner is None:
        return
    if entry.is_vote and not entry.by.startswith("expert"):
        return
    models = (entry.first.model, entry.second.model)
    wins = {Winner.MODEL_A: models[0], Winner.MODEL_B: models[1]}
    key = (len(entry.prompt.turns), entry.prompt.turns, *sorted(models))
    one = said[key]
    (one.people if entry.is_vote else one.judge).append(wins.get(entry.winner, "tie"))


FIGURES = {"alpacaeval": alpacaeval_figures, "mt-bench": mt_bench_figures}


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", choices=FIGURES)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(words)
    found = list(FIGURES[given.project](given.folder))
    for one in found:
        mark = "  OFF" if one.is_off else ""
        print(f"{one.what:60} {one.published:8.2f} {one.ours:8.2f}   n = {one.n}{mark}")
    off = sum(one.is_off for one in found)
    furthest = max((abs(one.ours - one.published) for one in found), default=float("nan"))
    print(f"{len(found)} numbers, {off} further off than allowed; the furthest by {furthest:.3f}")
    return 1 if off or not found else 0


if __name__ == "__main__":
    sys.exit(main())
