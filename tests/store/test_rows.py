"""Every kind of record goes into the database and comes back as it was."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from arena import records
from arena.records import (
    BackendKind,
    Complaint,
    Completion,
    Failure,
    Judge,
    Likelihood,
    Mode,
    Model,
    NoAnswer,
    Outcome,
    Preference,
    Prompt,
    Usage,
    Vote,
    Winner,
)
from arena.store import Store
from arena.store.rows import Rows, chunks, decode, encode

TABLES = ("prompts", "answers", "judges", "verdicts", "scores", "probes", "rankings",
                 "completions", "likelihoods", "markings", "checks", "outcomes", "batches",
                 "battles", "votes", "flags", "leaks", "remarks", "showings", "grades",
                 "unanswered", "withdrawals", "reports", "talks")  # fmt: skip


def tables(store: Store) -> dict[str, Rows[Any]]:
    """By name, all tables of records."""
    return {name: rows for name, rows in vars(store).items() if isinstance(rows, Rows)}


def value_of(hint: Any, name: str) -> Any:
    """A value of a field's type that is not its default."""
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        if get_origin(inner) is tuple:
            return tuple(tuple(value_of(part, name) for part in get_args(inner)) for _ in range(2))
        return (value_of(inner, name), value_of(inner, name))
    if type(None) in get_args(hint):
        return value_of(next(part for part in get_args(hint) if part is not type(None)), name)
    known = {
        str: f"{name} – “ünï”\n行", int: 3, float: 0.125, bool: True, Usage: Usage(1, 2, 0.5),
        Winner: Winner.BOTH_BAD, Preference: Preference.TIE, Complaint: Complaint.HARMFUL,
        BackendKind: BackendKind.FAKE, Mode: Mode.RANK, NoAnswer: NoAnswer.EMPTY,
    }  # fmt: skip
    return known[hint]


def full(record: type) -> Any:
    """A record with a value of its own in every field."""
    hints = get_type_hints(record)
    return record(**{f.name: value_of(hints[f.name], f.name) for f in fields(record)})


def test_every_table_of_records_is_tried(store: Store) -> None:
    assert set(tables(store)) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_record_is_a_row_and_a_row_the_record(name: str, store: Store) -> None:
    record = full(tables(store)[name]._record)
    row = encode(record)
    assert decode(type(record), row) == record
    assert decode(type(record), row | {"a_later_column": 1}) == record
    columns = {column.name for column in store._connections.db[name].columns}
    assert set(row) <= columns


@pytest.mark.parametrize("name", ["completions", "likelihoods", "judges", "probes", "markings"])
def test_rows_that_refer_to_nothing_go_through_the_database(name: str, store: Store) -> None:
    table = tables(store)[name]
    record = full(table._record)
    if name in ("completions", "likelihoods"):
        store.put_model(Model(record.model, BackendKind.FAKE, "echo"))
    if name in ("probes", "markings"):
        store.judges.add([Judge(record.judge_key, record.judge, "{}")])
    assert table.add([record]) == 1
    assert table.add([record]) == 0
    assert table.get([record.key]) == {record.key: record}
    assert [*table.where()] == [record]
    assert table.present([record.key, "another"]) == {record.key}


def test_the_names_of_records_are_all_offered() -> None:
    for name in records.__all__:
        assert hasattr(records, name)


def completion(key: str, **more: Any) -> Completion:
    return replace(Completion(key, "m", "mk", "text", "stop", Usage()), **more)


@pytest.fixture
def filled(store: Store) -> Store:
    store.put_model(Model("m", BackendKind.FAKE, "echo"))
    return store


def test_a_row_put_again_takes_the_place_of_the_old_one_and_is_the_latest(filled: Store) -> None:
    first, second = (Outcome("m", "mk", "exam", "1", item, "acc", 0.0) for item in "ab")
    filled.outcomes.put([first, second])
    filled.outcomes.put([replace(first, value=1.0)])
    assert [row.item for row in filled.outcomes.where()] == ["b", "a"]
    assert filled.outcomes.get([first.key])[first.key].value == 1.0
    filled.outcomes.remove([second.key, "unknown"])
    assert filled.outcomes.count() == 1


def test_nothing_to_store_is_no_transaction(filled: Store) -> None:
    version = filled.version()
    assert filled.completions.add([]) == 0
    filled.completions.put([])
    assert filled.version() == version


def test_the_mean_of_what_rows_took_leaves_out_those_that_were_free(filled: Store) -> None:
    assert filled.completions.mean_usage() is None
    filled.completions.add(
        completion(str(k), usage=usage)
        for k, usage in enumerate([Usage(10, 4, 1.0), Usage(20, 8, 3.0), Usage()])
    )
    assert filled.completions.mean_usage() == Usage(15, 6, 2.0)
    assert len(filled.completions.usages()) == 2
    assert filled.completions.mean_usage(model="nobody") is None


def test_likelihoods_keep_their_numbers_to_the_last_digit(filled: Store) -> None:
    value = -0.1 - 2**-50
    row = Likelihood("k", "m", "mk", value, True, 7, False, Usage(1, 0, 0.1))
    filled.likelihoods.add([row])
    assert filled.likelihoods.get(["k"])["k"].logprob == value


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1234])
def test_keys_come_in_parts_that_one_statement_takes(count: int) -> None:
    keys = [str(k) for k in range(count)]
    parts: Iterator[list[str]] = chunks(keys)
    found = list(parts)
    assert [key for part in found for key in part] == keys
    assert all(0 < len(part) <= 500 for part in found)


def test_failures_are_grouped_and_those_made_up_for_are_not_counted(store: Store) -> None:
    store.add_failures(
        [Failure("answer", "a", "timeout", "first"), Failure("answer", "a", "timeout", "second"),
         Failure("answer", "b", "rejected", "no")]
    )  # fmt: skip
    assert [(f.kind, f.count, f.message) for f in store.failure_counts()] == [
        ("timeout", 2, "second"),
        ("rejected", 1, "no"),
    ]
    assert store.failed("answer") == {"a", "b"}
    assert store.still_failing() == {"answer": 2}
    store.put_model(Model("m", BackendKind.FAKE, "echo"))
    store.completions.add([completion("a")])
    assert store.still_failing() == {"answer": 1}


def test_prompts_are_described_anew_and_stay_the_same_row(store: Store) -> None:
    first = Prompt("one", ("Q?",), "writing", "en", (), "core")
    store.put_prompts([first])
    store.put_prompts([replace(first, name="uno", category="maths", references=("A",))])
    (found,) = store.prompts.where()
    assert (found.key, found.name, found.category, found.references) == (
        *(first.key, "uno", "maths"),
        ("A",),
    )


def test_a_vote_on_nothing_is_refused_by_the_database(store: Store) -> None:
    with pytest.raises(Exception, match="one of its answers is not stored"):
        store.votes.cast(Vote("b", "p", "x", "y", Winner.TIE, "v"))
    assert store.counts()["votes"] == 0
