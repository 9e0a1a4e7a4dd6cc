from pathlib import Path

import pytest

from arena.config import load_config
from arena.interchange.sample import dump_sample, load_sample
from arena.leaderboard.evidence.gathering import gather
from arena.records.errors import InputError
from arena.store import Store

DATA = Path(__file__).resolve().parents[2] / "data"


def test_the_sample_is_what_its_readme_says(store: Store) -> None:
    load_sample(store)
    counts = store.counts()
    assert counts["prompts"] >= 40
    assert counts["answers"] == 4 * counts["prompts"]
    assert counts["verdicts"] == 12 * counts["prompts"]
    assert counts["votes"] == 0
    demo = load_config(DATA / "demo.yaml").candidates()
    assert {m.name: m.key for m in store.models()} == {n: m.key for n, m in demo.items()}


def test_the_samples_judge_is_as_weak_as_its_readme_says(store: Store) -> None:
    load_sample(store)
    report = gather(store).reports["smollm2"]
    assert report.objection is not None
    flips, first = report.flips.value, report.first_slot.value
    assert flips is not None
    assert first is not None
    assert flips > 0.9
    assert first > 0.9


def test_loading_again_changes_nothing_and_dumping_gives_the_same_files(
    store: Store, tmp_path: Path
) -> None:
    load_sample(store)
    before = store.counts()
    load_sample(store)
    assert store.counts() == before
    dump_sample(store, tmp_path / "again")
    for path in (DATA / "sample").glob("*.jsonl"):
        assert (tmp_path / "again" / path.name).read_text("utf-8") == path.read_text("utf-8")


def test_a_damaged_sample_is_named_and_stores_nothing(store: Store, tmp_path: Path) -> None:
    load_sample(store)
    dump_sample(store, tmp_path / "bad")
    path = tmp_path / "bad" / "answers.jsonl"
    lines = path.read_text("utf-8").split("\n")
    lines[2] = '{"model": "x"}'
    path.write_text("\n".join(lines), encoding="utf-8")
    empty = Store(tmp_path / "empty.db")
    with pytest.raises(InputError, match=r"answers\.jsonl:3: model_key: is missing"):
        load_sample(empty, tmp_path / "bad")
    assert not any(empty.counts().values())
