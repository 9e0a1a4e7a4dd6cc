"""Votes and withdrawals are chains: whatever is done to the file behind our back shows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from arena.records import Withdrawal
from arena.store import Store
from arena.store.chain import GENESIS, linked
from arena.store.connection import sqlite3 as driver
from arena.store.schema.packing import WINNERS
from tests.store.world import World, make_world


@pytest.fixture
def world(store: Store) -> World:
    return make_world(store, 2)


def edited(path: Path, *statements: str) -> Store:
    """The database after somebody has opened it by other means."""
    with driver.connect(str(path)) as raw:
        for name in (
            "vote_rows",
            "voters",
            "withdrawals",
        ):  # what keeps us from editing is in the file as well
            for (trigger,) in raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", [name]
            ).fetchall():
                raw.execute(f"DROP TRIGGER [{trigger}]")
        raw.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            raw.execute(statement)
        raw.commit()
    return Store(path)


def test_an_honest_chain_is_whole(world: World) -> None:
    assert [*world.store.votes.broken()] == []
    assert [*world.store.withdrawals.broken()] == []
    (first,) = world.store._connections.db.query("SELECT * FROM votes WHERE id = 1")
    assert first["previous"] == GENESIS


OTHER = "(SELECT id FROM {0}s WHERE id != {0} LIMIT 1)"


@pytest.mark.parametrize(
    ("column", "value", "shows"),
    [
        ("winner", "(winner + 1) % 4", [7]),
        ("voter", OTHER.format("voter"), [7]),
        ("first", "second", [7]),
        ("prompt", OTHER.format("prompt"), [7]),
        ("prompt", "1000", [7]),
        ("propensity", "0.75", [7]),
        ("created_at", "'2001-01-01T00:00:00.000+00:00'", [7]),
        ("created_at", "created_at + 1", [7]),
        ("seconds", "NULL", [7]),
        ("hash", "'0'", [7, 8]),  # the next row follows the hash that was there
    ],
)
def test_a_changed_column_shows_at_its_row(
    column: str, value: str, shows: list[int], world: World
) -> None:
    world.store.close()
    store = edited(world.store.path, f"UPDATE vote_rows SET {column} = {value} WHERE id = 7")
    assert [*store.votes.broken()] == shows


def test_a_voter_with_another_name_shows_at_each_vote(world: World) -> None:
    sql = "SELECT id FROM votes WHERE voter = (SELECT name FROM voters WHERE id = 1) ORDER BY id"
    mine = [number for (number,) in world.store._connections.db.execute(sql)]
    assert mine
    world.store.close()
    store = edited(world.store.path, "UPDATE voters SET name = name || 'x' WHERE id = 1")
    assert [*store.votes.broken()] == mine


@pytest.mark.parametrize(
    ("change", "shows"),
    [
        ("DELETE FROM vote_rows WHERE id = 9", 10),  # the next row follows one that is gone
        ("DELETE FROM vote_rows WHERE id = 1", 2),
        ("UPDATE vote_rows SET id = 99 WHERE id = 5", 6),
    ],
)
def test_a_row_that_is_gone_or_moved_shows_at_the_next(
    change: str, shows: int, world: World
) -> None:
    world.store.close()
    assert shows in [*edited(world.store.path, change).votes.broken()]


def test_two_votes_that_changed_places_show(world: World) -> None:
    world.store.close()
    store = edited(
        world.store.path,
        "UPDATE vote_rows SET id = 1000 WHERE id = 3",
        "UPDATE vote_rows SET id = 3 WHERE id = 4",
        "UPDATE vote_rows SET id = 4 WHERE id = 1000",
    )
    assert {3, 4} <= set(store.votes.broken())


def test_a_vote_put_in_with_a_hash_of_its_own_shows_at_the_one_after_it(world: World) -> None:
    """Whoever knows how the chain is made can add at its end, and nowhere else."""
    (row,) = world.store._connections.db.query("SELECT * FROM votes WHERE id = 20")
    forged = dict(row)
    identifier, _, _ = (forged.pop(name) for name in ("id", "rowid", "hash"))
    forged["winner"] = "model_a" if row["winner"] != "model_a" else "model_b"
    forged = linked({k: v for k, v in forged.items() if k != "previous"}, row["previous"])
    world.store.close()
    winner = WINNERS.index(forged["winner"])
    change = f"UPDATE vote_rows SET winner = {winner}, hash = x'{forged['hash']}' WHERE id = 20"
    assert [*edited(world.store.path, change).votes.broken()] == [identifier + 1]


def test_a_withdrawal_that_is_struck_out_shows(world: World) -> None:
    assert world.store.withdrawals.count() > 2
    world.store.close()
    store = edited(world.store.path, "UPDATE withdrawals SET voter = 'other' WHERE id = 2")
    assert next(iter(store.withdrawals.broken())) == 2
    assert [*store.votes.broken()] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda db: db.execute("UPDATE votes SET winner = 'tie'"),
        lambda db: db.execute("DELETE FROM votes"),
        lambda db: db.execute("UPDATE vote_rows SET winner = 2"),
        lambda db: db.execute("UPDATE voters SET name = 'x'"),
        lambda db: db.execute("UPDATE writers SET model_key = 'x'"),
        lambda db: db.execute("UPDATE withdrawals SET voter = 'x'"),
        lambda db: db.execute("DELETE FROM withdrawals"),
        lambda db: db.execute("DELETE FROM verdicts"),
        lambda db: db.execute("UPDATE answers SET turns = '[]'"),
    ],
)
def test_this_package_cannot_change_what_was_said(
    change: Callable[[object], None], world: World
) -> None:
    counts = world.store.counts()
    with (
        pytest.raises(Exception, match=r"append-only|only their names"),
        world.store._connections.transaction() as db,
    ):
        change(db)
    assert world.store.counts() == counts


def test_what_was_said_long_ago_or_by_another_is_not_taken_back(world: World) -> None:
    vote = next(v for v in world.votes if v.battle not in world.withdrawn)
    for withdrawal, seconds in (
        (Withdrawal(vote.battle, "somebody else"), 60),
        (Withdrawal("no such battle", vote.voter), 60),
        (Withdrawal(vote.battle, vote.voter), -60),  # as if it had been said a minute ago
    ):
        assert not world.store.withdrawals.take_back(withdrawal, seconds)
    assert world.store.withdrawals.take_back(Withdrawal(vote.battle, vote.voter), 60)
    assert not world.store.withdrawals.take_back(Withdrawal(vote.battle, vote.voter), 60)
    assert vote.battle not in {v.battle for v in world.store.votes.where()}
