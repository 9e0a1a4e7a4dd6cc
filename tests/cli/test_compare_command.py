"""`arena compare` as it is typed: what it prints, writes and ends with."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.records import Answer, BackendKind, Decoding, Model, Winner
from tests.compare.stores import answered_store, answers_of, prompts_of, vote


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "arena.db"
    store = answered_store(path, 60)
    vote(store, lambda k: [Winner.MODEL_B if k % 4 else Winner.MODEL_A])
    store.close()
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_the_exit_code_is_the_decision(db: Path) -> None:
    assert run("compare", "old", "new", "--db", db).exit_code == 0
    assert run("compare", "new", "old", "--db", db).exit_code == 1
    unsure = run("compare", "old", "new", "--superior", "--margin", "24", "--db", db)
    assert unsure.exit_code == 3
    assert "cannot be told yet" in unsure.stdout
    two_sided = run("compare", "new", "old", "--two-sided", "--db", db)
    assert two_sided.exit_code == 1
    assert "If they were alike" in two_sided.stdout


def test_models_that_nothing_compares_cannot_be_told_apart_yet(tmp_path: Path) -> None:
    path = tmp_path / "apart.db"
    store = answered_store(path, 20, ("old", "new", "oak", "elm"))
    for sides in (("old", "new"), ("oak", "elm")):
        vote(store, lambda k: [Winner.MODEL_A if k % 3 else Winner.MODEL_B], sides)
    store.close()
    unknown = run("compare", "old", "oak", "--db", path)
    assert unknown.exit_code == 3
    assert "not even through other models; this cannot be told yet" in unknown.stderr
    assert run("compare", "old", "oak", "--evidence", "human", "--db", path).exit_code == 2


def test_a_model_against_itself_in_a_copy_is_not_worse(db: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert run("backup", copy, "--db", db).exit_code == 0
    same = run("compare", "old", "old", "--against", copy, "--db", db)
    assert same.exit_code == 0, same.output
    assert "50.0%" in same.stdout


def test_a_name_is_the_version_that_the_file_has_now(tmp_path: Path) -> None:
    path, config = tmp_path / "arena.db", tmp_path / "arena.yaml"
    store = answered_store(path, 20, ("old",))
    changed = Model("old@2", BackendKind.FAKE, "echo", decoding=Decoding(max_tokens=7))
    store.put_model(changed)
    keys = answers_of(store, "old")
    store.answers.add(
        Answer("old@2", changed.key, prompt, ("Better.",), ("stop",)) for prompt in keys
    )
    vote(store, lambda k: [Winner.MODEL_B if k % 4 else Winner.MODEL_A], ("old", "old@2"))
    store.close()
    config.write_text("models: {old: {use: 'fake:echo', max_tokens: 7}}\n")
    words = ("--db", path, "--config", config)
    done = run("compare", "old@1", "old", *words)
    assert done.exit_code == 0, done.output
    assert "old@2 wins 75.0%" in done.stdout
    assert "old is old@2 here, as arena.yaml has it now; old@1 is its first version" in done.stderr
    assert run("compare", "old@1", "old@2", *words).stdout == done.stdout


def test_the_table_holds_the_sentence_and_every_part(db: Path) -> None:
    done = run("compare", "old", "new", "--db", db)
    for part in ("new wins 75.0%", "votes (decides)", "category maths", "up", "Cost, speed"):
        assert part in done.stdout


def test_files_for_a_build_server_and_a_pull_request(db: Path, tmp_path: Path) -> None:
    junit, comment = tmp_path / "junit.xml", tmp_path / "comment.md"
    done = run(
        "compare", "new", "old", "--db", db, "--format", "json", "--junit", junit, "--md", comment
    )
    assert json.loads(done.stdout)["exit_code"] == done.exit_code == 1
    assert Xml.parse(junit).getroot().get("failures") == "1"
    assert comment.read_text().startswith("### ❌ old against new")
    for form, start in (("md", "### ❌"), ("junit", "<?xml")):
        assert run("compare", "new", "old", "--db", db, "--format", form).stdout.startswith(start)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--superior", "--two-sided"], "do not go together"),
        (["--two-sided", "--margin", "3"], "does not go with --two-sided"),
        (["--margin", "60"], "allowed is 0 to 50"),
        (["--confidence", "0.2"], "allowed is between"),
        (["--control", "bonferroni"], "allowed are holm, bh"),
        (["--evidence", "judge"], "no judge that counts"),
        (["--power", "--sequential"], "do not go together"),
        (["--difference", "3"], "goes with --power only"),
        (["--judge", "j"], "goes with --sequential only"),
        (["--power", "--md", "x.md"], "--md does not go with --power"),
        (["--sequential", "--evidence", "judge"], "--evidence does not go with --sequential"),
        (["--junit", "/dev/null/all.xml"], "cannot be written"),
    ],
)
def test_a_mistake_is_one_sentence(db: Path, options: list[str], said: str) -> None:
    done = run("compare", "old", "new", "--db", db, *options)
    assert done.exit_code == 2
    assert said in done.stderr


def test_power_decides_nothing_and_counts_prompts(db: Path) -> None:
    done = run("compare", "old", "new", "--power", "--margin", "5", "--db", db)
    assert done.exit_code == 0
    assert "by people's votes: " in done.stdout
    assert "that chance needs a true difference of" in done.stdout
    (plan,) = json.loads(
        run("compare", "old", "new", "--power", "--format", "json", "--db", db).stdout
    )
    assert plan["needed"][0]["prompts"] > 1000
    refused = run("compare", "old", "new", "--power", "--superior", "--db", db)
    assert (refused.exit_code, "needs --difference" in refused.stderr) == (2, True)


def test_sequential_judging_ends_with_the_decision(
    db: Path, tmp_path: Path, write_card: Callable[..., str]
) -> None:
    prompts = tmp_path / "set.jsonl"
    rows = [{"id": p.name, "turns": list(p.turns)} for p in prompts_of(60)]
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_card("j", "fake:longer")
    args = ["compare", "old", "new", "--sequential", "--prompts", prompts, "--db", db]
    done = run(*args, "--judge", "j")
    # All answers are as long: the judge says nothing but ties, which is not worse by 2 points.
    assert "of 60; " in done.stdout
    assert done.exit_code in (0, 3)
    assert "--sequential needs --judge" in run(*args).stderr
