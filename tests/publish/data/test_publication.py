import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from arena.leaderboard.board import Policy
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import ranking
from arena.publish import FILES, publish_ranking
from arena.publish.data.publication import FILE, SCHEMA_FILE, Publication, schema
from arena.records import BackendKind, Model
from arena.store import Store


def published(store: Store, folder: Path, policy: Policy | None = None) -> Publication:
    chosen = policy or Policy(title="T", min_comparisons=1)
    publish_ranking(store, folder, ranking(store, chosen), chosen)
    return Publication.model_validate_json((folder / FILE).read_bytes())


def test_it_says_what_the_ranking_stands_on(voted: Store, tmp_path: Path) -> None:
    policy = Policy(title="T", min_comparisons=1, license="CC-BY-4.0")
    found = published(voted, tmp_path / "site", policy)
    assert (found.title, found.license) == ("T", "CC-BY-4.0")
    assert found.settings["fit"]["seed"] == 0
    assert found.rankings[0].settings["seed"] == 0
    assert [one.name for one in found.models] == ["a", "b"]
    assert found.models[0].decoding["system"] == "Be a."
    assert found.digests["votes"].rows == 12
    groups = {one.group for one in found.rankings}
    assert {"", "maths", "coding", "en", "zh"} <= groups


def test_it_fits_the_schema_that_stands_beside_it(voted: Store, tmp_path: Path) -> None:
    published(voted, tmp_path)
    beside = json.loads((tmp_path / SCHEMA_FILE).read_text())
    assert beside == schema()
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(beside)
    jsonschema.Draft202012Validator.check_schema(beside)
    whole = json.loads((tmp_path / FILE).read_text())
    checker.validate(whole)
    assert not checker.is_valid(whole | {"unknown": 1})
    assert not checker.is_valid({k: v for k, v in whole.items() if k != "rankings"})


def test_it_has_the_digest_of_every_other_file(voted: Store, tmp_path: Path) -> None:
    found = published(voted, tmp_path)
    assert sorted(one.path for one in found.files) == sorted({*FILES, "browse/1.html"} - {FILE})
    for one in found.files:
        content = (tmp_path / one.path).read_bytes()
        assert (one.bytes, one.sha256) == (len(content), sha256(content).hexdigest())


def test_a_digest_differs_where_the_evidence_does(voted: Store, tmp_path: Path) -> None:
    before = published(voted, tmp_path / "one")
    voted.put_prompts([replace(p, category="other") for p in voted.prompts.where()])
    after = published(voted, tmp_path / "two")
    changed = {t for t in before.digests if before.digests[t] != after.digests[t]}
    assert changed == {"prompts"}


def test_no_voter_is_named(voted: Store, tmp_path: Path) -> None:
    policy = Policy(min_comparisons=1, rules=VoteRules(without=frozenset({"v5"})))
    found = published(voted, tmp_path, policy)
    assert found.settings["rules"]["without"] == 1
    for path in tmp_path.rglob("*.json"):
        assert '"v5"' not in path.read_text()


def test_weights_are_without_the_folders_of_whoever_ran_them(voted: Store, tmp_path: Path) -> None:
    voted.put_model(Model("c", BackendKind.LOCAL, "/home/me/secret/model.gguf"))
    found = published(voted, tmp_path)
    assert found.models[2].weights == "model.gguf"
    assert "secret" not in (tmp_path / FILE).read_text()
