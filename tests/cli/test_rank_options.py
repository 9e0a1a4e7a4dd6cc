"""The options of `arena rank`, against the engine that they are for."""

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.ratings import Comparisons, RatingResult, bradley_terry
from tests.cli.test_cli import arena

pytestmark = pytest.mark.slow

MODELS = ("x", "y", "z")


@pytest.fixture
def battles(tmp_path: Path) -> pd.DataFrame:
    """Voters who like length: y is the better model, x writes at greater length."""
    dice = random.Random(7)
    skill, size = {"x": 0.0, "y": 0.6, "z": -0.6}, {"x": 900, "y": 300, "z": 300}
    rows = []
    for k in range(600):
        a, b = dice.sample(MODELS, 2)
        length = [size[m] * dice.uniform(0.5, 1.5) for m in (a, b)]
        odds = skill[a] - skill[b] + (length[0] - length[1]) / 400
        drawn = dice.random() < 0.2
        winner = "tie" if drawn else "model_a" if dice.random() < 1 / (1 + 2.718**-odds) else None
        groups = (f"p{k % 60}", f"v{k % 9}", f"s{k % 11}")
        rows.append((a, b, winner or "model_b", *groups, *length))
    columns = ["model_a", "model_b", "winner", "prompt", "voter", "source", "length_a", "length_b"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.to_csv(tmp_path / "battles.csv", index=False)
    return frame


def ranked(tmp_path: Path, *options: str) -> dict[str, Any]:
    done = arena("rank", "battles.csv", "--format", "json", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole: dict[str, Any] = json.loads(done.stdout)
    return whole


def fitted(frame: pd.DataFrame, **options: Any) -> RatingResult:
    kept = frame if "style" in options else frame.drop(columns=["length_a", "length_b"])
    return bradley_terry(Comparisons.from_frame(kept), **options)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", {}),
        ("--cluster none", {"cluster": None}),
        ("--cluster voter", {"cluster": "voter"}),
        ("--cluster source", {"cluster": "source"}),
        ("--ties davidson", {"ties": "davidson"}),
        ("--ties rao-kupper --confidence 0.9", {"ties": "rao-kupper", "confidence": 0.9}),
        ("--interval bootstrap", {"interval": "bootstrap"}),
        ("--prior 50", {"prior": 50.0}),
        ("--anchor z=1500", {"anchor": ("z", 1500.0)}),
        ("--style length", {"style": ["length"]}),
    ],
)
def test_an_option_is_the_engines_and_is_written_into_the_result(
    words: str, options: dict[str, Any], battles: pd.DataFrame, tmp_path: Path
) -> None:
    printed = ranked(tmp_path, *words.split())
    expected = fitted(battles, **options)
    assert printed["models"][0]["rating"] == pytest.approx(expected.as_rows()[0].rating, abs=0.01)
    for row, want in zip(printed["models"], expected.as_rows(), strict=True):
        assert row["model"] == want.model
        assert row["rating"] == pytest.approx(want.rating, abs=0.01)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(
            (want.ci_low, want.ci_high), abs=0.01
        )
    for name, value in options.items():
        written = printed["settings"][name]
        assert written == (list(value) if isinstance(value, tuple) else value)
    effects = [effect["name"] for effect in printed.get("effects", [])]
    assert effects == [effect.name for effect in expected.coefficients]


def test_style_control_turns_the_order_of_who_only_wrote_more(
    battles: pd.DataFrame, tmp_path: Path
) -> None:
    assert [row["model"] for row in ranked(tmp_path)["models"]] == ["x", "y", "z"]
    held = ranked(tmp_path, "--style", "length")
    assert [row["model"] for row in held["models"]] == ["y", "x", "z"]
    assert held["effects"][0]["value"] > 0
    done = arena("rank", "battles.csv", "--style", "length", cwd=tmp_path)
    assert "style held equal: length" in done.stdout
    assert "length: +" in done.stderr


def test_a_column_of_differences_is_taken_as_it_is(battles: pd.DataFrame, tmp_path: Path) -> None:
    battles["size"] = battles.length_a - battles.length_b
    kept = battles.drop(columns=["length_a", "length_b"])
    kept.to_csv(tmp_path / "battles.csv", index=False)
    for row, want in zip(
        ranked(tmp_path, "--style", "size")["models"],
        bradley_terry(Comparisons.from_frame(kept), style=["size"]).as_rows(),
        strict=True,
    ):
        assert row["rating"] == pytest.approx(want.rating, abs=0.01)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--style size", ["battles.csv:1", "'size'", "size_a", "length_a"]),
        ("--style winner", ["battles.csv:2", "winner", "number"]),
        ("--style length --ties davidson", ["--ties half, not 'davidson'"]),
        ("--anchor z", ["'z'", "MODEL=POINTS"]),
        ("--anchor z=nan", ["'z=nan'", "MODEL=POINTS"]),
        ("--anchor w=1000", ["'w'"]),
    ],
)
def test_an_option_that_makes_no_sense_is_one_sentence(
    words: str, said: list[str], battles: pd.DataFrame, tmp_path: Path
) -> None:
    done = arena("rank", "battles.csv", *words.split(), cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    for part in said:
        assert part in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--interval wald", ["'wald'", "'sandwich'", "'bootstrap'"]),
        ("--ties drop", ["'drop'", "'half'", "'davidson'", "'rao-kupper'"]),
        ("--cluster judge", ["'judge'", "'prompt'", "'voter'", "'none'"]),
        ("--method best", ["'best'", "'hierarchical'", "'ppi'", "'joint'"]),
        ("--panel median", ["'median'", "'majority'", "'mean'"]),
        ("--by colour", ["'colour'", "'category'", "'language'", "'benchmark'"]),
    ],
)
def test_a_word_that_is_not_among_the_allowed_ones_is_refused_with_them(
    words: str, said: list[str]
) -> None:
    done = CliRunner().invoke(app, ["rank", *words.split()], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    for part in said:
        assert part in done.output


@pytest.mark.parametrize(
    "words",
    ["--evidence human", "--by category", "--method ppi", "--panel mean", "--cap 0.1",
     "--judges j", "--keep-leaked", "--without-flagged"],
)  # fmt: skip
def test_what_is_about_a_database_is_refused_beside_a_file(
    words: str, battles: pd.DataFrame, tmp_path: Path
) -> None:
    path = str(tmp_path / "battles.csv")
    done = CliRunner().invoke(app, ["rank", path, *words.split()])
    assert done.exit_code == 2
    assert "go with the database, not a file" in done.output


def told(tmp_path: Path, rows: list[str], *options: str) -> str:
    """What is said of battles that cannot be rated."""
    (tmp_path / "few.csv").write_text("\n".join(rows) + "\n")
    done = arena("rank", "few.csv", "--min-comparisons", "1", *options, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_would_help_is_said_as_options_of_the_command(tmp_path: Path) -> None:
    won = ["model_a,model_b,winner", "a,b,model_a", "b,c,model_a"]
    (tmp_path / "few.csv").write_text("\n".join(won) + "\n")
    done = arena("rank", "few.csv", "--min-comparisons", "1", cwd=tmp_path)
    assert done.returncode == 0
    assert "finite only through a normal prior" in done.stderr
    assert "a never lost and c never won" in done.stderr
    assert "--ties davidson to learn from; use --ties half." in told(
        tmp_path, won, "--prior", "400", "--ties", "davidson"
    )


def test_outcomes_that_follow_style_without_exception_are_said_to(tmp_path: Path) -> None:
    longer = ["model_a,model_b,winner,length_a,length_b"]
    for a, b, who in (("a", "b", "a"), ("b", "c", "b"), ("c", "a", "a"), ("a", "b", "b")):
        lengths = "9,3" if who == "a" else "3,9"
        longer.append(f"{a},{b},model_{who},{lengths}")
    said = told(tmp_path, longer, "--style", "length", "--prior", "400")
    assert "effect of style (length)" in said
    assert "prior" not in said


def test_without_texts_there_is_no_style_to_hold_equal(tmp_path: Path) -> None:
    votes = "prompt,model_a,model_b,winner,voter\np,a,b,model_a,v\nq,b,a,model_a,v\n"
    (tmp_path / "votes.csv").write_text(votes)
    assert arena("import", "battles", "votes.csv", cwd=tmp_path).returncode == 0
    done = arena("rank", "--evidence", "human", "--style", "length,lists", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "arena: no answer here has a text, so no style of it can be held equal\n"
