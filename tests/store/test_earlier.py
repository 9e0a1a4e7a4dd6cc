"""A database that an earlier version made opens, and is ranked the same to the last digit.

`earlier/schema-12.db.gz` was made by commit a735f04: five fakes, one renamed and one archived
since, 70 votes, a judge's verdicts in both orders, its scores, and an exam asked in two ways.
`earlier/schema-12.json` is what `arena rank` of that commit made of it, by its options: model,
rating, both ends of the interval, comparisons, and the probability to be the best.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.config import Config
from arena.leaderboard.board import Fit, policy_of
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import ranking
from arena.records import Evidence
from arena.store import Store

EARLIER = Path(__file__).with_name("earlier")
KNOWN = json.loads((EARLIER / "schema-12.json").read_text(encoding="utf-8"))
HUMAN = {"evidence": Evidence.HUMAN}
ASKED: dict[str, tuple[dict[str, Any], Fit, Group | None]] = {
    "default": ({}, Fit(), None),
    "--evidence human": (HUMAN, Fit(), None),
    "--evidence judge --allow-weak-judges": (
        {"evidence": Evidence.JUDGE, "allow_weak_judges": True},
        Fit(),
        None,
    ),
    "--evidence combined --method joint": ({}, Fit(method="joint"), None),
    "--evidence human --ties davidson": (HUMAN, Fit(ties="davidson"), None),
    "--evidence human --style length": (HUMAN, Fit(style=("length",)), None),
    "--keep-leaked": ({}, Fit(rules=VoteRules(keep_leaked=True)), None),
    **{
        f"--by category --evidence human {name}": (HUMAN, Fit(), Group("category", name))
        for name in ("maths", "reasoning", "writing")
    },
}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("earlier") / "arena.db"
    path.write_bytes(gzip.decompress((EARLIER / "schema-12.db.gz").read_bytes()))
    store = Store(path)
    yield store
    store.close()


def test_every_known_ranking_is_asked_for() -> None:
    assert set(ASKED) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_database_made_before_ranks_the_same(earlier: Store, name: str) -> None:
    how, fit, group = ASKED[name]
    policy = replace(policy_of(earlier, Config()), fit=fit, **how)
    rows = ranking(earlier, policy, group).rows
    found = [[r.model, r.rating, r.ci_low, r.ci_high, r.comparisons, r.p_best] for r in rows]
    assert found == KNOWN[name]


def test_what_was_stored_is_there(earlier: Store) -> None:
    counts = earlier.counts()
    stored = {name: counts[name] for name in ("answers", "votes", "verdicts", "scores", "outcomes")}
    assert stored == {"answers": 40, "votes": 70, "verdicts": 96, "scores": 20, "outcomes": 150}
    assert [*earlier.votes.broken()] == []
    assert {model.name for model in earlier.models()} >= {"long", "middle", "short", "tardy"}
