"""A database that an earlier version made opens, and is ranked the same to the last digit.

`earlier/schema-12.db.gz` was made by commit a735f04: five fakes, one renamed and one archived
since, 70 votes, a judge's verdicts in both orders, its scores, and an exam asked in two ways.
`earlier/schema-12.json` is what `arena rank` of that commit made of it, by its options: model,
rating, both ends of the interval, comparisons, and the probability to be the best. Numbers are
held to 12 digits, because processors round the last ones differently. The probability was read
anew when its draws were made the same on every machine.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.files.config import Config
from arena.leaderboard.board import USUAL_FIT, Policy, policy_of
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import ranking
from arena.records import Evidence
from arena.store import Store

EARLIER = Path(__file__).with_name("earlier")
KNOWN = json.loads((EARLIER / "schema-12.json").read_text(encoding="utf-8"))
ONE_DRAW = 1.5 / 2000  # a draw between two models that are as good may go either way
HUMAN = {"evidence": Evidence.HUMAN}
ASKED: dict[str, tuple[dict[str, Any], Policy, Group | None]] = {
    "default": ({}, Policy(), None),
    "--evidence human": (HUMAN, Policy(), None),
    "--evidence judge --allow-weak-judges": (
        {"evidence": Evidence.JUDGE, "allow_weak_judges": True},
        Policy(),
        None,
    ),
    "--evidence combined --method joint": ({}, Policy(method="joint"), None),
    "--evidence human --ties davidson": (
        HUMAN,
        Policy(fit=replace(USUAL_FIT, ties="davidson")),
        None,
    ),
    "--evidence human --style length": (
        HUMAN,
        Policy(fit=replace(USUAL_FIT, style=("length",))),
        None,
    ),
    "--keep-leaked": ({}, Policy(rules=VoteRules(keep_leaked=True)), None),
    **{
        f"--by category --evidence human {name}": (HUMAN, Policy(), Group("category", name))
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
    how, asked, group = ASKED[name]
    kept = policy_of(earlier, Config())
    usual = {"evidence": kept.evidence, "allow_weak_judges": kept.allow_weak_judges}
    policy = replace(asked, **usual | how)
    rows = ranking(earlier, policy, group).rows
    found = [[r.model, r.rating, r.ci_low, r.ci_high, r.comparisons, r.p_best] for r in rows]
    assert [row[0] for row in found] == [row[0] for row in KNOWN[name]]
    for row, known in zip(found, KNOWN[name], strict=True):
        assert row[1:5] == pytest.approx(known[1:5], rel=1e-12), row[0]
        assert row[5] == pytest.approx(known[5], abs=ONE_DRAW), row[0]


def test_what_was_stored_is_there(earlier: Store) -> None:
    counts = earlier.counts()
    stored = {name: counts[name] for name in ("answers", "votes", "verdicts", "scores", "outcomes")}
    assert stored == {"answers": 40, "votes": 70, "verdicts": 96, "scores": 20, "outcomes": 150}
    assert [*earlier.votes.broken()] == []
    assert {model.name for model in earlier.models()} >= {"long", "middle", "short", "tardy"}
