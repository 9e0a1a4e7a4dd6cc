"""Votes that are kept as columns of numbers say what the rows say, whatever happened since."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import permutations
from random import Random

import numpy as np
import pytest

from arena.leaderboard.evidence.counted_votes import counted_votes, leaked_answers
from arena.leaderboard.evidence.groups import Group, votes_in
from arena.leaderboard.evidence.rules import VoteRules
from arena.records import Vote, Winner, Withdrawal
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.columns import CodedVotes
from arena.store.connection import sqlite3 as driver
from arena.store.large import kept


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few votes, so that some tens of them are many."""
    monkeypatch.setattr(kept, "BLOCK", 7)
    monkeypatch.setattr(kept, "WORTH", 5)


def cast(store: Store, n: int, seed: int = 0) -> None:
    """n votes of five people on any pairs of answers."""
    dice = Random(seed)
    by_prompt: dict[str, list[str]] = {}
    for answer in store.answers.where():
        by_prompt.setdefault(answer.prompt_key, []).append(answer.key)
    pairs = [(p, a, b) for p, keys in by_prompt.items() for a, b in permutations(keys, 2)]
    for k in range(n):
        prompt, a, b = dice.choice(pairs)
        known = dice.random() < 0.5
        store.votes.cast(
            Vote(
                f"battle {seed} {k}",
                prompt,
                a,
                b,
                dice.choice([*Winner]),
                f"voter {dice.randrange(5)}",
                propensity=0.5 if known else None,
                seconds=None if known else 2.5,
            )
        )


def same(store: Store) -> None:
    """The columns of numbers hold what the columns of names and keys hold."""
    plain, coded = store.evidence.votes(), store.evidence.coded_votes()
    for name in ("model_a", "model_b", "winner", "prompt", "voter", "category", "language"):
        assert list(getattr(coded, name)) == getattr(plain, name), name
    keys = store.evidence.answer_keys({*coded.answer_a.tolist(), *coded.answer_b.tolist()})
    assert [keys[number] for number in coded.answer_a.tolist()] == plain.answer_a
    assert [keys[number] for number in coded.answer_b.tolist()] == plain.answer_b
    assert numbers(coded.propensity, len(coded)) == plain.propensity
    assert numbers(coded.seconds, len(coded)) == plain.seconds
    counted(store, 0, None)
    counted(store, 4, 11)


def counted(store: Store, after: int, until: int | None) -> None:
    """The counts by pair are those of the rows, in the order of names."""
    with closing(driver.connect(str(store.path))) as conn:
        expected = conn.execute(
            "SELECT a.model, b.model, v.winner, count(*) FROM standing_votes v "
            "JOIN answers a ON a.key = v.first JOIN answers b ON b.key = v.second "
            "WHERE v.id > ?1 AND v.id <= coalesce(?2, v.id) "
            "AND NOT EXISTS (SELECT 1 FROM archived WHERE name IN (a.model, b.model)) "
            "GROUP BY 1, 2, 3",
            [after, until],
        ).fetchall()
    found = store.evidence.tallies(after, until)
    rows = zip(found.model_a, found.model_b, found.winner, found.votes, strict=True)
    assert list(rows) == expected


def numbers(column: np.ndarray | None, n: int) -> list[float | None]:
    if column is None:
        return [None] * n
    return [None if np.isnan(value) else value for value in column.tolist()]


def blocks(store: Store) -> int:
    with closing(driver.connect(str(store.path))) as conn:
        return int(conn.execute("SELECT coalesce(sum(votes), 0) FROM kept_votes").fetchone()[0])


def test_what_has_come_since_is_added(answered: Store) -> None:
    same(answered)
    for k, n in enumerate((3, 1, 20, 4, 1, 9)):
        cast(answered, n, seed=k)
        same(answered)
    assert blocks(answered) == 38
    assert Store(answered.path).evidence.coded_votes().take(np.arange(3)).prompt.codes.size == 3


def test_a_reader_of_few_votes_writes_nothing(answered: Store) -> None:
    cast(answered, 4)
    same(answered)
    assert blocks(answered) == 0


def test_what_was_read_is_read_again_only_after_a_change(answered: Store) -> None:
    cast(answered, 10)
    first = answered.evidence.coded_votes()
    assert answered.evidence.coded_votes() is first
    other = Store(answered.path)
    cast(other, 1, seed=1)
    assert len(answered.evidence.coded_votes()) == 11
    describe_otherwise(answered)
    same(answered)


def withdraw(store: Store) -> None:
    for k in (0, 9, 17):
        vote = next(store.votes.where(battle=f"battle 0 {k}"))
        assert store.withdrawals.take_back(Withdrawal(vote.battle, vote.voter), 60)


def describe_otherwise(store: Store) -> None:
    store.put_prompts(replace(p, category="other") for p in store.prompts.where(language="zh"))


CHANGES: dict[str, Callable[[Store], None]] = {
    "withdrawals": withdraw,
    "a model archived": lambda store: store.archive.put(Archivable.MODEL, "middle"),
    "a model with another name": lambda store: store.archive.rename("long", "longer"),
    "prompts described otherwise": describe_otherwise,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_old_rows_is_seen(answered: Store, change: Callable[[Store], None]) -> None:
    cast(answered, 30)
    before = list(answered.evidence.coded_votes().model_a)
    change(answered)
    same(answered)
    cast(answered, 10, seed=1)
    same(answered)
    assert len(before) == 30


def test_an_archived_model_counts_again_once_it_is_restored(answered: Store) -> None:
    cast(answered, 20)
    whole = list(answered.evidence.coded_votes().voter)
    answered.archive.put(Archivable.MODEL, "short")
    assert len(answered.evidence.coded_votes()) < len(whole)
    answered.archive.restore(Archivable.MODEL, "short")
    assert list(answered.evidence.coded_votes().voter) == whole


def test_groups_and_voters_left_out(answered: Store) -> None:
    cast(answered, 40)
    votes, _ = counted_votes(answered)
    chosen = votes_in(votes, Group("language", "zh"))
    assert 0 < len(chosen) < 40
    assert {*chosen.language} == {"zh"}
    assert len(votes_in(votes, Group("category", "no such"))) == 0
    rest, notes = counted_votes(answered, VoteRules(without=frozenset(["voter 1"])))
    assert "voter 1" not in {*rest.voter}
    assert len(rest) == 40 - [*votes.voter].count("voter 1")
    assert [note.code for note in notes] == ["votes.flagged"]


def leaking(store: Store) -> list[str]:
    """The keys of answers that are found to name their writers; two of them do."""
    keys = store.evidence.answer_keys(leaked_answers(store))
    return sorted(keys.values())


@pytest.mark.parametrize("few", [1, 1000])
def test_each_answer_is_searched_once(
    answered: Store, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("arena.store.queries.FEW", few)
    searched: list[str] = []

    def claim(text: str, *_: object) -> str | None:
        searched.append(text)
        return "I am me" if "rainbow" in text else None

    monkeypatch.setattr("arena.leaderboard.evidence.counted_votes.identity_claim", claim)
    assert leaking(answered) == []
    answered.archive.put(Archivable.MODEL, "short")
    cast(answered, 60)
    found = leaking(answered)
    told = {a.key: "\n".join(a.turns) for a in answered.answers.where()}
    assert found == sorted(key for key, text in told.items() if "rainbow" in text)
    assert sorted(searched) == sorted(told.values())
    cast(answered, 10, seed=1)
    assert leaking(answered) == found
    assert len(searched) == len(told)


def test_votes_on_answers_that_name_their_writers_do_not_count(answered: Store) -> None:
    cast(answered, 40)
    votes: CodedVotes = answered.evidence.coded_votes()
    assert len(counted_votes(answered)[0]) == len(votes)
