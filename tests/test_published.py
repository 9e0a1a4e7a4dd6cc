"""`bench.published` on small excerpts in the shape of the projects' files, written by us."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from bench.published import (
    ANNOTATOR,
    GAMED,
    LEADERBOARD,
    PAPER,
    Published,
    alpacaeval_figures,
    length_controlled,
    main,
    mt_bench_figures,
    read_gamed,
    win_rate,
)

# A tie is 0 or 1.5; what is not known counts in no mean.
PREFERENCES = (1.0, 2.0, 1.25, 1.9, 1.5, 0, None, 1.0)


def annotation(number: int, preference: float | None, longer: int = 0) -> dict[str, object]:
    return {
        "instruction": f"Question {number}?", "output_1": f"one {number}" + "x" * longer,
        "generator_1": "gpt4_1106_preview", "dataset": "helpful_base", "output_2": f"two {number}",
        "generator_2": "mine", "datasplit": "eval", "annotator": ANNOTATOR,
        "preference": preference, "raw_completion": {"finish_reason": "length"},
    }  # fmt: skip


def alpaca(folder: Path, rows: list[dict[str, object]], **published: float) -> Path:
    """A clone with one model."""
    file = folder / "results" / "mine" / ANNOTATOR / "annotations.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(rows))
    board = folder / LEADERBOARD
    board.parent.mkdir(parents=True)
    numbers = {"win_rate": 0.0, "length_controlled_winrate": 0.0} | published
    with board.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["", *numbers, "avg_length"])
        writer.writerow(["mine", *numbers.values(), 100])
    return file


def test_a_win_rate_is_the_mean_of_what_is_known(tmp_path: Path) -> None:
    file = alpaca(tmp_path, [annotation(k, p) for k, p in enumerate(PREFERENCES)])
    expected = 100 * (0 + 1 + 0.25 + 0.9 + 0.5 + 0.5 + 0) / 7
    rate, n = win_rate(file)
    assert (rate, n) == (pytest.approx(expected), 7)


@pytest.mark.parametrize(("off", "code"), [(0.05, 0), (0.2, 1)])
def test_a_number_that_is_off_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], off: float, code: int
) -> None:
    expected = 100 * 3.15 / 7
    rows = [annotation(k, p) for k, p in enumerate(PREFERENCES)]
    alpaca(tmp_path, rows, win_rate=expected + off)
    assert main(["alpacaeval", str(tmp_path)]) == code
    assert ("OFF" in capsys.readouterr().out) is (code == 1)


def gamed_file(folder: Path, difficulty: np.ndarray) -> Path:
    """Two models that play for length; one row an instruction of each."""
    path = folder / GAMED
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        names = ["model", "preference", "index", "std_delta_len", "instruction_difficulty"]
        writer.writerow([*names, "not_gamed_baseline"])
        for k, value in enumerate(difficulty):
            for name, longer in (("verbose", -1.0), ("concise", 1.0)):
                won = expit(-1.5 * np.tanh(longer) + 0.3 * value)
                writer.writerow([name, won, k, longer, value, "False"])
    return path


def test_length_is_taken_out(tmp_path: Path) -> None:
    """Wins that follow the model exactly: what comes out is its mean at equal length."""
    random = np.random.default_rng(1)
    difficulty, longer = random.normal(size=300), np.round(random.normal(-400, 500, 300))
    gamed = read_gamed(gamed_file(tmp_path, difficulty))
    effect = -1.5 * np.tanh(longer / longer.std(ddof=1))
    shares = expit(effect + 0.3 * difficulty - 0.7)
    equal = 100 * expit(0.3 * difficulty - 0.7).mean()
    assert length_controlled(shares, longer, gamed) == pytest.approx(equal, abs=1e-6)
    assert 100 * shares.mean() > equal + 5
    shares[:50] = np.nan
    assert length_controlled(shares, longer, gamed) == pytest.approx(equal, abs=1e-6)


def test_length_is_told_where_the_difficulties_are_there(tmp_path: Path) -> None:
    rows = [annotation(k, 1.0 + (k % 7) / 7, 40 * (k % 5)) for k in range(40)]
    alpaca(tmp_path, rows)
    assert [one.what for one in alpacaeval_figures(tmp_path)] == ["mine: win rate"]
    gamed_file(tmp_path, np.linspace(-1, 1, 40))
    found = [one.what for one in alpacaeval_figures(tmp_path)]
    assert found == ["mine: win rate", "mine: length-controlled"]


def judgment(judge: object, winner: str, turn: int, *, swapped: bool = False) -> dict[str, object]:
    models = ["alpaca-13b", "vicuna-13b-v1.2"]
    talks = [
        [
            {"role": role, "content": f"{name if role == 'assistant' else ''} {part}"}
            for part in (1, 2)
            for role in ("user", "assistant")
        ]
        for name in models
    ]
    if swapped:
        models, talks = models[::-1], talks[::-1]
        winner = {"model_a": "model_b", "model_b": "model_a"}.get(winner, winner)
    return {
        "question_id": 81, "model_a": models[0], "model_b": models[1], "winner": winner,
        "judge": judge, "conversation_a": talks[0], "conversation_b": talks[1], "turn": turn,
    }  # fmt: skip


def test_agreement_is_counted_as_in_the_paper(tmp_path: Path) -> None:
    people = [
        judgment("expert_1", "model_b", 1),
        judgment("expert_2", "model_b", 1, swapped=True),
        judgment("expert_3", "tie", 1),
        judgment("author_1", "model_a", 1),
        judgment("expert_1", "model_a", 2),
    ]
    gpt = [
        judgment(["gpt-4", "pair-v2"], "model_b", 1),
        judgment(["gpt-4", "pair-v2"], "tie (inconsistent)", 2),
    ]
    for name, rows in (("human.jsonl", people), ("gpt4_pair.jsonl", gpt)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    found = {one.what: (one.ours, one.n) for one in mt_bench_figures(tmp_path)}
    assert found["GPT-4 and people, turn 1, with ties"] == (pytest.approx(200 / 3), 3)
    assert found["GPT-4 and people, turn 1, without ties"] == (100.0, 2)
    assert found["people, turn 1, with ties"] == (pytest.approx(100 / 3), 3)
    assert found["people, turn 1, without ties"] == (100.0, 1)
    assert found["GPT-4 and people, turn 2, with ties"] == (0.0, 1)
    assert found["people, turn 2, with ties"][1] == 0
    assert len(found) == len(PAPER)


def test_a_number_that_is_not_there_is_off() -> None:
    assert Published("x", 50.0, float("nan"), 1.0, 0).is_off
    assert not Published("x", 50.0, 51.0, 1.0, 0).is_off
