import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from pyarrow.parquet import read_table

from arena.interchange.battles import read_battles
from arena.leaderboard.board import Policy
from arena.leaderboard.ranking import ranking
from arena.publish.data.published import Published, published
from arena.publish.outlets.huggingface import CARD, write_dataset, write_space
from arena.records import Answer
from arena.records.errors import InputError
from arena.store import Store

POLICY = Policy(title="My: arena", min_comparisons=1, license="CC-BY-4.0")


@pytest.fixture
def shown(voted: Store) -> Published:
    return published(voted, ranking(voted, POLICY), POLICY)


def front_of(folder: Path) -> dict[str, object]:
    _, front, _ = (folder / CARD).read_text("utf-8").split("---\n", 2)
    found: dict[str, object] = yaml.safe_load(front)
    return found


def test_the_card_loads_every_part(voted: Store, shown: Published, tmp_path: Path) -> None:
    write_dataset(voted, shown, tmp_path / "set")
    front = front_of(tmp_path / "set")
    assert front["license"] == "cc-by-4.0"
    assert front["language"] == ["en", "zh"]
    assert front["size_categories"] == ["n<1K"]
    parts = {one["config_name"]: one["data_files"] for one in front["configs"]}  # type: ignore[attr-defined]
    assert set(parts) == {"battles", "answers", "rankings", "models", "pairs"}
    for path in parts.values():
        assert len(read_table(tmp_path / "set" / path))
    assert "`battles` (12 rows)" in (tmp_path / "set" / CARD).read_text()


def test_the_battles_make_the_same_ranking(voted: Store, shown: Published, tmp_path: Path) -> None:
    write_dataset(voted, shown, tmp_path / "set")
    counts = read_battles(tmp_path / "set" / "data" / "battles.parquet", ()).pair_counts
    assert counts.played[0, 1] == 12
    assert counts.points[0, 1] == 8


def test_no_voter_is_named_and_texts_can_be_masked(
    voted: Store, shown: Published, tmp_path: Path
) -> None:
    prompt = next(iter(voted.prompts.where()))
    secret = Answer("a", "k", prompt.key, ("Write to me@example.org",), ("stop",), sample=1)
    voted.answers.add([secret])
    for redact in (False, True):
        write_dataset(voted, shown, tmp_path / "set", redact=redact)
        whole = b"".join(p.read_bytes() for p in sorted((tmp_path / "set").rglob("*.parquet")))
        assert (b"me@example.org" in whole) is not redact
        assert not re.search(rb"\bv[0-5]\b", whole)


def test_what_is_withheld_stays_here(voted: Store, shown: Published, tmp_path: Path) -> None:
    hidden = next(prompt for prompt in voted.prompts.where() if prompt.name == "p")
    voted.withhold("prompt", hidden.key, True)
    write_dataset(voted, shown, tmp_path / "set")
    data = tmp_path / "set" / "data"
    for name, rows in (("battles", 6), ("answers", 2)):
        found = read_table(data / f"{name}.parquet").to_pylist()
        assert len(found) == rows
        assert {row["prompt"] for row in found} == {"q"}
    voted.withhold("model", "a", True)
    write_dataset(voted, shown, tmp_path / "set")
    assert read_table(data / "battles.parquet").num_rows == 0
    assert {r["model"] for r in read_table(data / "answers.parquet").to_pylist()} == {"b"}


def test_it_is_written_anew_and_over_nothing_else(
    voted: Store, shown: Published, tmp_path: Path
) -> None:
    write_dataset(voted, shown, tmp_path / "set")
    before = {path: path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file()}
    write_dataset(voted, shown, tmp_path / "set")
    assert {path: path.read_bytes() for path in before} == before
    for name in (CARD, "data/battles.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("my own")
        with pytest.raises(InputError, match="is no file that arena wrote"):
            write_dataset(voted, shown, tmp_path)
        assert (tmp_path / name).read_text() == "my own"
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("license_", "told"),
    [
        ("", {}),
        ("MIT", {"license": "mit"}),
        ("for us alone", {"license": "other", "license_name": "for us alone"}),
    ],
)
def test_a_space(shown: Published, tmp_path: Path, license_: str, told: dict[str, str]) -> None:
    write_space(tmp_path, shown.board, replace(POLICY, license=license_))
    front = front_of(tmp_path)
    assert (front["title"], front["sdk"], front["app_file"]) == (
        "My: arena",
        "static",
        "index.html",
    )
    assert {k: v for k, v in front.items() if k.startswith("license")} == told
