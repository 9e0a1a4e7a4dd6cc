"""A public copy of a database has what everybody may see, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from arena.leaderboard.board import Policy
from arena.leaderboard.ranking import ranking
from arena.publish.data.public import copy_public
from arena.records import (
    LIVE,
    BackendKind,
    Grade,
    Judge,
    Model,
    Preference,
    Prompt,
    Verdict,
)
from arena.records.votes import Withdrawal
from arena.store import Store

SECRET = "somebody"


@pytest.fixture
def full(voted: Store) -> Store:
    """With one of everything that must not go out."""
    adapter = f"./{SECRET}/adapter"
    voted.put_model(Model("own", BackendKind.LOCAL, f"/home/{SECRET}/weights", adapter=adapter))
    card = {
        "model": {"use": "openai:x", "base_url": f"http://{SECRET}.internal/v1"},
        "weights": f"/home/{SECRET}/judge",
    }
    voted.judges.add([Judge("j" * 32, "j", json.dumps(card))])
    first, second = (next(voted.answers.where(model=name)) for name in ("a", "b"))
    voted.verdicts.add(
        [Verdict("v", "j", "j" * 32, first.prompt_key, first.key, second.key, Preference.A)]
    )
    voted.grades.add([Grade(f"g{k}", first.prompt_key, first.key, SECRET, 4) for k in range(2)])
    for subject, voter in (("p0", "v0"), ("g1", SECRET)):
        assert voted.withdrawals.take_back(Withdrawal(subject, voter), 1000)
    return voted


def copied(store: Store, path: Path) -> Store:
    copy_public(store, path)
    return Store(path, create=False)


def test_it_ranks_as_the_original_does(full: Store, tmp_path: Path) -> None:
    policy = Policy(title="T", min_comparisons=1)
    copy = copied(full, tmp_path / "copy.db")
    ours, theirs = ranking(full, policy), ranking(copy, policy)
    assert theirs.rows == ours.rows
    assert theirs.counts == ours.counts
    assert next(copy.votes.broken(), None) is None


def test_nobody_is_named_and_what_was_taken_back_is_gone(full: Store, tmp_path: Path) -> None:
    copy = copied(full, tmp_path / "copy.db")
    assert copy.votes.count() == full.votes.count() == 11
    assert {vote.voter for vote in copy.votes.where()} == {f"voter-{k}" for k in range(1, 7)}
    assert [grade.key for grade in copy.grades.where()] == ["g0"]
    assert [model.weights for model in copy.models() if model.name == "own"] == ["weights"]
    copy.close()
    for file in tmp_path.glob("copy.db*"):
        assert SECRET.encode() not in file.read_bytes()


def test_what_is_withheld_or_live_takes_all_with_it(full: Store, tmp_path: Path) -> None:
    hidden = next(prompt for prompt in full.prompts.where() if prompt.name == "p")
    full.put_prompts([replace(Prompt("l", ("Live?",)), source=LIVE)])
    full.withhold("prompt", hidden.key, True)
    copy = copied(full, tmp_path / "one.db")
    assert [prompt.name for prompt in copy.prompts.where()] == ["q"]
    assert (copy.votes.count(), copy.verdicts.count(), copy.answers.count()) == (6, 0, 2)
    full.withhold("model", "a", True)
    copy = copied(full, tmp_path / "two.db")
    assert {model.name for model in copy.models()} == {"b", "own"}
    assert (copy.votes.count(), copy.answers.count()) == (0, 1)
