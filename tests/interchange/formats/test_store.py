"""A whole database written as a folder, and read back."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from arena.interchange.exchange.intake import take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.exchange.source import Outgoing
from arena.interchange.formats import named, recognised
from arena.interchange.formats.store import fill
from arena.records import (
    BackendKind,
    Complaint,
    Grade,
    Model,
    Remark,
    Report,
    Vote,
    Winner,
    Withdrawal,
)
from arena.records.errors import ArenaError, InputError, ModelConflictError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.whole.tables import CARRIED
from tests.exchange_files import EXAMPLES


@pytest.fixture
def full(answered: Store, tmp_path: Path) -> Store:
    """A store with rows of every kind that people and judges make."""
    for example in ("fastchat", "chatbot-arena"):
        name, make = EXAMPLES[example]
        read = named(name).read
        assert read is not None
        take_in(answered, read(make(tmp_path / "files" / name), Hints()))
    one, two = list(answered.answers.where())[:2]
    vote = Vote("b" * 32, one.prompt_key, one.key, two.key, Winner.TIE, "f00d" * 8, seconds=2.5)
    answered.votes.cast(vote)
    answered.remarks.add([Remark(vote.battle, ("clear",), "I know who wrote this.")])
    grade = Grade("c" * 32, one.prompt_key, one.key, "f00d" * 8, 4)
    answered.grades.add([grade])
    answered.withdrawals.take_back(Withdrawal(grade.key, grade.voter), 60)
    report = Report(one.prompt_key, one.key, "f00d" * 8, Complaint.BROKEN, "My comment.")
    answered.reports.add([report])
    answered.archive.put(Archivable.MODEL, "short")
    answered.withhold("model", "long", on=True)
    answered.keep_policy('{"evidence": "human"}')
    return answered


def tables(store: Store) -> dict[str, list[Any]]:
    return {name: list(store.whole.rows(name)) for name in CARRIED}


@pytest.mark.parametrize("parquet", [False, True])
def test_a_store_comes_back_as_it_was(full: Store, tmp_path: Path, parquet: bool) -> None:
    out = Outgoing(full, voters=True, comments=True, parquet=parquet)
    named("store").write(out, tmp_path / "out")
    assert recognised(tmp_path / "out")[0].name == "store"
    other = Store(tmp_path / "other.db")
    counts = fill(other, tmp_path / "out")
    assert tables(other) == tables(full)
    assert counts["votes"].new == full.votes.count()
    assert not [*other.votes.broken(), *other.withdrawals.broken()]
    assert other.counts() == full.counts()
    again = fill(other, tmp_path / "out")
    assert {count.new for count in again.values()} == {0}
    assert tables(other) == tables(full)


def test_votes_follow_those_that_are_there(full: Store, tmp_path: Path, store: Store) -> None:
    """The chain of another database goes on with the rows that come in."""
    named("store").write(Outgoing(full), tmp_path / "out")
    other = Store(tmp_path / "other.db")
    read = named("table").read
    assert read is not None
    take_in(other, read(EXAMPLES["table"][1](tmp_path / "t"), Hints()))
    fill(other, tmp_path / "out")
    assert other.votes.count() == 2 + full.votes.count()
    assert not list(other.votes.broken())


def test_hashes_and_comments_stay_unless_asked_for(full: Store, tmp_path: Path) -> None:
    named("store").write(Outgoing(full), tmp_path / "out")
    text = "".join(file.read_text("utf-8") for file in (tmp_path / "out").iterdir())
    assert "f00d" * 8 not in text
    assert "My comment" not in text
    assert "who wrote this" not in text
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["voters"], manifest["comments"]) == ("numbers", False)
    other = Store(tmp_path / "other.db")
    fill(other, tmp_path / "out")
    voters = [[v.voter for v in store.votes.where()] for store in (full, other)]
    assert len(set(zip(*voters, strict=True))) == len(set(voters[0]))  # one number a voter
    (report,) = other.reports.where()
    assert (report.comment, report.voter) == ("", voters[1][-1])
    assert next(other.whole.rows("reports"))["key"] == report.key


def test_two_exports_are_the_same_bytes(full: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        named("store").write(Outgoing(full), tmp_path / name)
    files = [
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


Manifest = dict[str, Any]


def _table(manifest: Manifest, name: str) -> Manifest:
    return next(one for one in manifest["files"] if one["table"] == name)


def edit(table: str, **values: Any) -> Callable[[Path, Manifest], None]:
    """Change the last row of a table, and its digest with it."""

    def change(folder: Path, manifest: Manifest) -> None:
        file = folder / f"{table}.jsonl"
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        rows[-1] |= values
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        _table(manifest, table)["sha256"] = sha256(file.read_bytes()).hexdigest()

    return change


def cut(table: str) -> Callable[[Path, Manifest], None]:
    def change(folder: Path, manifest: Manifest) -> None:
        file = folder / f"{table}.jsonl"
        file.write_bytes(file.read_bytes()[:-9])

    return change


DAMAGE: dict[str, tuple[Callable[[Path, Manifest], object], str]] = {
    "a changed file": (cut("votes"), r"votes.jsonl: its digest is not the one in manifest.json"),
    "a lost file": (lambda f, m: (f / "answers.jsonl").unlink(), "and it is not there"),
    "no manifest": (lambda f, m: m.clear(), "it has no 'format'"),
    "another format": (lambda f, m: m.update(format="x"), "format: 'x'; it must be arena-store"),
    "another version": (lambda f, m: m.update(version=9), "this package reads version 1"),
    "a newer schema": (lambda f, m: m.update(schema="m999_x"), "upgrade this one"),
    "a strange table": (lambda f, m: _table(m, "votes").update(table="x"), "table: 'x'; allowed"),
    "a file elsewhere": (lambda f, m: _table(m, "votes").update(file="../v"), "in this folder"),
    "a table twice": (lambda f, m: m["files"].append(m["files"][0]), "prompts is there twice"),
    "rows that are not there": (lambda f, m: _table(m, "votes").update(rows=1), "says 1"),
    "an edited prompt": (edit("prompts", turns='["x"]'), "prompts.jsonl:.*its key is not the dig"),
    "an edited answer": (edit("answers", sample=7), "answers.jsonl:.*its key is not the digest"),
    "a new column": (edit("scores", colour="red"), "'colour' is no column of scores"),
    "a wrong type": (edit("scores", value="high"), "value: 'high'; it must be of type float"),
    "a winner that is none": (edit("votes", winner="ann"), "the votes table refuses it"),
    "an answer that is not there": (edit("verdicts", first="x"), "the verdicts table refuses it"),
    "no key": (edit("verdicts", key=None), "verdicts.jsonl:.*it has no 'key'"),
    "turns that are no list": (edit("prompts", turns="7"), "prompts.jsonl:.*it is no prompt"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_folder_is_refused_whole(name: str, full: Store, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    named("store").write(Outgoing(full), folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    change, reason = DAMAGE[name]
    change(folder, manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    other = Store(tmp_path / "other.db")
    with pytest.raises(ArenaError, match=reason) as caught:
        fill(other, folder)
    assert "\n" not in str(caught.value)
    assert other.is_empty()


def test_a_model_of_other_settings_is_refused(full: Store, tmp_path: Path) -> None:
    named("store").write(Outgoing(full), tmp_path / "out")
    other = Store(tmp_path / "other.db")
    other.put_model(Model("middle", BackendKind.FAKE, "another"))
    with pytest.raises(ModelConflictError, match="'middle' is already stored with other settings"):
        fill(other, tmp_path / "out")
    assert not list(other.prompts.where())


def test_redacting_does_not_go_with_keys(full: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--redact does not go with store"):
        named("store").write(Outgoing(full, redact=True), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(full: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="there is something already; name a new folder"):
        named("store").write(Outgoing(full), tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]
