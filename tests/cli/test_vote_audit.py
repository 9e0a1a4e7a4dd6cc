"""`arena audit votes` beside `arena audit --judge`."""

import csv
import io
import json
import random
from pathlib import Path

import pytest

from tests.cli.test_cli import arena

pytestmark = pytest.mark.slow


@pytest.fixture
def battles(tmp_path: Path) -> Path:
    """20 honest voters, and one who always takes the left."""
    dice, rows = random.Random(2), ["model_a,model_b,winner,prompt,voter"]
    for voter in range(21):
        for _ in range(30):
            a, b = dice.sample("wxyz", 2)
            left = dice.random() < 1 / (1 + 2.718 ** (ord(a) - ord(b)))
            winner = "model_a" if left or voter == 20 else "model_b"
            rows.append(f"{a},{b},{winner},p{dice.randrange(10)},v{voter}")
    path = tmp_path / "battles.csv"
    path.write_text("\n".join(rows))
    return path


def test_a_file_and_a_database_say_the_same(tmp_path: Path, battles: Path) -> None:
    done = arena("audit", "votes", "battles.csv", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert (whole["votes"], whole["voters"], whole["flagged"]) == (630, 21, 1)
    assert whole["reports"][0]["voter"] == "v20"
    assert [row["model"] for row in whole["ranking"]] == ["w", "x", "y", "z"]
    assert whole["first_place"]["model"] == "w"
    arena("import", "battles", "battles.csv", "--as-votes", cwd=tmp_path)
    done = arena("audit", "votes", "--format", "csv", cwd=tmp_path)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["voter"], row["flagged for"].split(", ")[0]) for row in rows] == [("v20", "side")]
    done = arena("rank", "--without-flagged", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["counts"] == {"votes": 600}


def test_the_table_says_what_flags_are_and_who_holds_up_the_first(
    tmp_path: Path, battles: Path
) -> None:
    done = arena("audit", "votes", "battles.csv", cwd=tmp_path)
    assert "630 votes of 21 voters; flagged: 1" in done.stdout
    assert "The rankings by votes alone" in done.stdout
    assert "A flag deletes nothing" in done.stderr
    assert "x would be first, not w." in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("audit votes plain.csv", "missing column 'voter'"),
        ("audit --judge j votes battles.csv", "come after its name"),
        ("audit votes", "no such database"),
        ("audit", "no such database"),
        ("rank battles.csv --without-flagged", "go with the database, not a file"),
    ],
)
def test_what_cannot_be_audited_is_a_sentence(
    tmp_path: Path, battles: Path, words: str, sentence: str
) -> None:
    (tmp_path / "plain.csv").write_text("model_a,model_b,winner\nx,y,tie\n")
    done = arena(*words.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_audit_has_the_numbers_of_the_ranking(tmp_path: Path, battles: Path) -> None:
    arena("import", "battles", "battles.csv", "--as-votes", cwd=tmp_path)
    (tmp_path / "arena.yaml").write_text("rank: {min_comparisons: 3}\n")
    whole = json.loads(arena("audit", "votes", "--format", "json", cwd=tmp_path).stdout)
    for options, rank, rating in (((), "rank", "rating"), (FLAGGED, "rank_after", "rating_after")):
        printed = arena("rank", "--evidence", "human", *options, "--format", "json", cwd=tmp_path)
        models = {row["model"]: row for row in json.loads(printed.stdout)["models"]}
        for row in whole["ranking"]:
            assert row[rating] == models[row["model"]]["rating"]
            assert row[rank] == models[row["model"]]["rank_by_upper_end"]


FLAGGED = ("--without-flagged",)


def test_a_hash_is_shown_by_its_beginning_to_people_alone(tmp_path: Path, battles: Path) -> None:
    voter = "0123456789abcdef" * 2
    battles.write_text(battles.read_text().replace("v20", voter))
    printed = arena("audit", "votes", "battles.csv", cwd=tmp_path)
    assert voter not in printed.stdout + printed.stderr
    assert "01234567…" in printed.stdout
    assert voter in arena("audit", "votes", "battles.csv", "--format", "csv", cwd=tmp_path).stdout


def test_nobody_flagged_leaves_no_empty_table(tmp_path: Path, battles: Path) -> None:
    lines = [line for line in battles.read_text().splitlines() if not line.endswith("v20")]
    battles.write_text("\n".join(lines))
    done = arena("audit", "votes", "battles.csv", cwd=tmp_path)
    assert done.stdout == "600 votes of 20 voters; flagged: 0\n"
