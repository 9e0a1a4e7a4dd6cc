"""A database that an earlier version made opens, and is ranked the same to the last digit.

`earlier/schema-12.db.gz` was made by commit a735f04: five fakes, one renamed and one archived
since, 70 votes, a judge's verdicts in both orders, its scores, and an exam asked in two ways.
`earlier/schema-14.db.gz` was made by commit 5db8447: `tests.store.world.make_world` with seed 14,
and 1,050 votes imported from a file; one model renamed and one archived since.
`earlier/schema-*.json` is what `arena rank` of that commit made of it, by its options: model,
rating, both ends of the interval, comparisons, and the probability to be the best. Numbers are
held to 12 digits, because processors round the last ones differently. In that of schema 12 the
probability was read anew when its draws were made the same on every machine.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.config import Config
from arena.leaderboard.board import USUAL_FIT, Policy, policy_of
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import ranking
from arena.records import Evidence
from arena.store import Store

EARLIER = Path(__file__).with_name("earlier")
KNOWN = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in EARLIER.glob("*.json")}
WEAK = {"schema-12": {}, "schema-14": {"allow_weak_judges": True}}
STORED = {
    "schema-12": {"answers": 40, "votes": 70, "verdicts": 96, "scores": 20, "outcomes": 150},
    "schema-14": {"answers": 317, "votes": 1082, "verdicts": 80, "scores": 40, "outcomes": 51},
}
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
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Store]]:
    """Opens a copy of the database of a schema, once."""
    home, opened = tmp_path_factory.mktemp("earlier"), dict[str, Store]()

    def store(schema: str) -> Store:
        if schema not in opened:
            path = home / f"{schema}.db"
            path.write_bytes(gzip.decompress((EARLIER / f"{schema}.db.gz").read_bytes()))
            opened[schema] = Store(path)
        return opened[schema]

    yield store
    for one in opened.values():
        one.close()


def test_every_known_ranking_is_asked_for() -> None:
    assert KNOWN.keys() == STORED.keys()
    assert all(set(ASKED) == set(known) for known in KNOWN.values())


@pytest.mark.parametrize("schema", STORED)
@pytest.mark.parametrize("name", ASKED)
def test_a_database_made_before_ranks_the_same(
    earlier: Callable[[str], Store], schema: str, name: str
) -> None:
    how, asked, group = ASKED[name]
    kept = policy_of(earlier(schema), Config())
    usual = {"evidence": kept.evidence, "allow_weak_judges": kept.allow_weak_judges}
    policy = replace(asked, **usual | WEAK[schema] | how)
    rows = ranking(earlier(schema), policy, group).rows
    found = [[r.model, r.rating, r.ci_low, r.ci_high, r.comparisons, r.p_best] for r in rows]
    known = KNOWN[schema][name]
    assert [row[0] for row in found] == [row[0] for row in known]
    for row, was in zip(found, known, strict=True):
        assert row[1:5] == pytest.approx(was[1:5], rel=1e-12), row[0]
        assert row[5] == pytest.approx(was[5], abs=ONE_DRAW), row[0]


@pytest.mark.parametrize("schema", STORED)
def test_what_was_stored_is_there(earlier: Callable[[str], Store], schema: str) -> None:
    counts = earlier(schema).counts()
    assert {name: counts[name] for name in STORED[schema]} == STORED[schema]
    assert [*earlier(schema).votes.broken()] == []


def test_models_of_every_kind_are_there(earlier: Callable[[str], Store]) -> None:
    names = {model.name for model in earlier("schema-12").models()}
    assert names >= {"long", "middle", "short", "tardy"}
