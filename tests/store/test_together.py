"""Several steps as one transaction, and whole tables out and in."""

from pathlib import Path

import pytest

from arena.records import BackendKind, Model, Prompt
from arena.records.errors import InputError, StoreError
from arena.store import Store
from arena.store.whole.tables import CARRIED, with_voter


def test_all_steps_are_stored_or_none(store: Store, tmp_path: Path) -> None:
    other = Store(store.path)

    def half() -> None:
        with store.together():
            store.put_prompts([Prompt("a", ("x",))])
            store.put_model(Model("m", BackendKind.IMPORTED, "m"))
            assert store.prompts.count() == 1
            assert other.prompts.count() == 0
            raise StoreError("half way")

    with pytest.raises(StoreError, match="half way"):
        half()
    assert store.is_empty()
    with store.together(), store.together():
        store.put_prompts([Prompt("a", ("x",))])
    assert other.prompts.count() == 1


def test_after_a_failure_the_next_step_stands_alone(store: Store) -> None:
    with pytest.raises(InputError), store.together():
        raise InputError("no")
    store.put_prompts([Prompt("a", ("x",))])
    assert Store(store.path).prompts.count() == 1


def test_every_table_is_carried_or_stays_behind_on_purpose(store: Store) -> None:
    behind = {"battles", "showings", "talks", "leases", "batches", "failures", "flags", "leaks"}
    behind |= {"kept_votes", "kept_until"}  # made of the votes anew
    by_number = {"answer_rows", "vote_rows", "writers", "voters"}  # carried as answers and votes
    db = store.whole.connections.db
    tables = {name for name in db.table_names() if "sqlite" not in name}
    assert tables - by_number == {*CARRIED, *behind} - {"answers", "votes"}


def test_a_columns_type_is_checked(store: Store) -> None:
    row = {"kind": "model", "name": 5}
    with pytest.raises(InputError, match=r"f:1: name: 5; it must be of type str"):
        store.whole.add("archived", [("f:1", row)])
    assert store.whole.add("archived", [("f:1", {"kind": "model", "name": "m"})] * 2) == (1, 1)


def test_a_reports_key_follows_its_voter() -> None:
    row = {"key": "old", "answer": "a", "voter": "hash", "comment": ""}
    one, two = (with_voter("reports", row, lambda voter, k=k: f"voter-{k}") for k in (1, 2))
    assert one["voter"] == "voter-1"
    assert len({"old", one["key"], two["key"]}) == 3
    assert with_voter("votes", {"voter": "x"}, str.upper) == {"voter": "X"}
