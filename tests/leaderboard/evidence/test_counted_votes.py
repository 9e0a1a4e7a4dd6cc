"""Which votes count, why others do not, and what grades say of pairs."""

from dataclasses import replace

import pytest

from arena.leaderboard.evidence.counted_votes import (
    VoteRules,
    counted_votes,
    graded,
    leaked_answers,
)
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.groups import Group
from arena.records import Answer, Vote, Winner, Withdrawal
from tests.leaderboard.evidence.rows import Filled


def says_who_it_is(filled: Filled) -> Answer:
    """Another answer of `long` to the prompt `one`, which names its model."""
    known = filled.answer("long", "one")
    told = replace(known, turns=("I am ChatGPT.",), finish=("stop",), sample=1)
    filled.store.answers.add([told])
    return told


def test_all_votes_count_where_nothing_speaks_against_them(filled: Filled) -> None:
    filled.vote("one", "long", "short")
    filled.vote("one", "short", "long", Winner.BOTH_BAD, voter="bob")
    votes, notes = counted_votes(filled.store)
    assert len(votes.voter) == 2
    assert notes == []


def test_voters_who_are_left_out_are_counted_in_a_note(filled: Filled) -> None:
    for voter in ("ann", "bob", "bob"):
        filled.vote("one", "long", "short", voter=voter)
    votes, notes = counted_votes(filled.store, VoteRules(without=frozenset({"bob", "nobody"})))
    assert list(votes.voter) == ["ann"]
    assert [note.code for note in notes] == ["votes.flagged"]
    assert "2" in notes[0].text("en")
    _, none = counted_votes(filled.store, VoteRules(without=frozenset({"nobody"})))
    assert none == []


def test_a_cap_is_said_with_its_share(filled: Filled) -> None:
    filled.vote("one", "long", "short")
    _, notes = counted_votes(filled.store, VoteRules(cap=0.25))
    assert [note.code for note in notes] == ["votes.cap"]
    for language in ("en", "zh"):
        assert "25" in notes[0].text(language)


def test_a_cap_weighs_the_votes_of_who_votes_most(filled: Filled) -> None:
    for _ in range(30):
        filled.vote("one", "long", "short", voter="busy")
    filled.vote("two", "long", "short", voter="ann")
    c = gather(filled.store, rules=VoteRules(cap=0.1)).human
    assert c is not None
    assert c.weight is not None
    assert c.weight[0] < 0.5
    assert c.weight[-1] == 1.0


@pytest.mark.parametrize(("rows", "by_pair"), [([("long", 5), ("short", 2)], 1.0)])
def test_of_two_grades_by_one_person_the_higher_wins(
    filled: Filled, rows: list[tuple[str, int]], by_pair: float
) -> None:
    for model, value in rows:
        filled.grade("one", model, value)
    c = graded(filled.store)
    assert c is not None
    share = c.outcome[0] if c.models[c.i[0]] == "long" else 1 - c.outcome[0]
    assert share == by_pair
    assert c.group("source").labels.tolist() == ["grades"]


def test_grades_of_two_people_or_on_two_prompts_are_not_compared(filled: Filled) -> None:
    filled.grade("one", "long", 5, voter="ann")
    filled.grade("one", "short", 2, voter="bob")
    filled.grade("two", "short", 1, voter="ann")
    assert graded(filled.store) is None
    filled.grade("two", "middle", 1, voter="ann")
    c = graded(filled.store)
    assert c is not None
    assert c.outcome.tolist() == [0.5]
    assert c.models == ("middle", "short")


def test_grades_of_a_group_are_those_on_its_prompts(filled: Filled) -> None:
    for prompt in ("one", "three"):
        filled.grade(prompt, "long", 5)
        filled.grade(prompt, "short", 4)
    c = graded(filled.store, Group("category", "maths"))
    assert c is not None
    assert len(c) == 1
    assert graded(filled.store, Group("language", "zh")) is None


def test_an_answer_that_says_who_wrote_it_is_found_once_it_is_voted_on(filled: Filled) -> None:
    told = says_who_it_is(filled)
    assert leaked_answers(filled.store) == []  # nobody has seen it yet
    other = filled.answer("short", "one")
    key = filled.prompt["one"].key
    filled.store.votes.cast(Vote("leaked", key, told.key, other.key, Winner.MODEL_A, "ann"))
    assert len(leaked_answers(filled.store)) == 1
    votes, notes = counted_votes(filled.store)
    assert list(votes.voter) == []
    assert [note.code for note in notes] == ["votes.leaked"]
    kept, none = counted_votes(filled.store, VoteRules(keep_leaked=True))
    assert (len(kept.voter), none) == (1, [])


def test_a_vote_that_was_taken_back_does_not_count(filled: Filled) -> None:
    filled.vote("one", "long", "short")
    filled.vote("two", "long", "short")
    first = next(iter(filled.store.votes.where()))
    assert filled.store.withdrawals.take_back(Withdrawal(first.battle, first.voter), 60)
    votes, _ = counted_votes(filled.store)
    assert len(votes.voter) == 1
