"""The audit of a store's votes: flags as rows, both rankings, votes that are not blind."""

from random import Random

import pytest

from arena.config import parse_model
from arena.generation.answering import generate
from arena.leaderboard.board import Policy
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.rules import VoteRules
from arena.leaderboard.ranking import leaderboard
from arena.leaderboard.vote_audit import record_flags, report_on, vote_report
from arena.ratings import Comparisons, SuspicionKind
from arena.records import Answer, Evidence, Model, Prompt, Vote, Winner, answer_key
from arena.records.errors import InputError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.connection import sqlite3

SKILL = {"long": 1.2, "middle": 0.0, "short": -1.2}


@pytest.fixture
def voted(answered: Store, prompts: list[Prompt]) -> Store:
    """30 honest voters with 30 votes each, and one who always takes the left."""
    dice, answers = Random(4), {(a.model, a.prompt_key): a.key for a in answered.answers.where()}
    votes = []
    for voter in range(31):
        for n in range(30):
            a, b = dice.sample(sorted(SKILL), 2)
            prompt = dice.choice(prompts).key
            left = dice.random() < 1 / (1 + 2.718 ** (SKILL[b] - SKILL[a]))
            won = Winner.MODEL_A if left or voter == 30 else Winner.MODEL_B
            first, second = answers[a, prompt], answers[b, prompt]
            name = "bad" if voter == 30 else f"v{voter}"
            votes.append(Vote(f"{voter} {n}", prompt, first, second, won, name, seconds=5.0))
    answered.votes.cast_all(votes)
    return answered


def test_flags_are_rows_and_both_rankings_are_there(voted: Store) -> None:
    report = vote_report(voted)
    assert report.flagged == {"bad"}
    assert SuspicionKind.SIDE in report.integrity.flagged[0].kinds
    assert report.without is not None
    assert (report.everything.counts, report.without.counts) == ({"votes": 930}, {"votes": 900})
    assert [move.model for move in report.moves()] == ["long", "middle", "short"]
    assert all(move.rank_after == move.rank for move in report.moves())
    whole = report.as_dict()
    assert (whole["votes"], whole["voters"], whole["flagged"]) == (930, 31, 1)
    assert whole["first_place"]["model"] == "long"
    assert record_flags(voted, report) == 1
    assert record_flags(voted, report) == 0  # the same audit of the same votes
    assert [(flag.voter, flag.votes) for flag in voted.flags.where()] == [("bad", 30)]
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        voted.flags.remove([next(voted.flags.where()).key])
    assert voted.votes.count() == 930


def test_the_ranking_without_the_flagged_says_so(voted: Store) -> None:
    policy = Policy(rules=VoteRules(without=vote_report(voted).flagged, cap=0.2))
    board = leaderboard(voted, policy, evidence=Evidence.HUMAN)
    assert board.counts == {"votes": 900}
    assert "30 votes of voters who were flagged are left out." in map(str, board.notes)
    assert "No voter counts for more than 20% of a model's votes." in map(str, board.notes)
    assert leaderboard(voted, evidence=Evidence.HUMAN).counts == {"votes": 930}


def test_votes_on_answers_that_say_who_they_are_do_not_count(
    voted: Store, prompts: list[Prompt]
) -> None:
    model: Model = parse_model("loud=fake:echo")
    generate(voted, model, prompts[:1])
    key = prompts[0].key
    telling = Answer("loud", model.key, key, ("I am ChatGPT.",), ("stop",), sample=1)
    voted.answers.add([telling])
    other = next(a.key for a in voted.answers.where(model="long", prompt_key=key))
    quiet = answer_key("loud", model.key, key)
    for n, answer in enumerate((telling.key, telling.key, quiet)):
        voted.votes.cast(Vote(f"leak {n}", key, answer, other, Winner.MODEL_A, "v0"))
    blind, every = gather(voted), gather(voted, rules=VoteRules(keep_leaked=True))
    assert blind.human is not None
    assert every.human is not None
    assert (len(blind.human), len(every.human)) == (931, 933)
    assert str(blind.notes[0]).startswith("2 votes are left out because an answer says")
    assert every.notes == ()
    assert [leak.words for leak in voted.leaks.where() if leak.words] == ["I am ChatGPT"]
    assert vote_report(voted).leaked == 2
    voted.archive.put(Archivable.MODEL, "short")
    assert vote_report(voted).leaked == 2  # and no vote on a model that is archived is one


def test_no_votes_are_a_sentence(answered: Store) -> None:
    with pytest.raises(InputError, match="no votes yet"):
        vote_report(answered)


def test_the_first_place_is_held_among_the_models_that_are_rated() -> None:
    """x and y never met a, b and c, and x never lost."""
    first, second, winners = [], [], []
    for pair in ("ab", "ac", "bc"):
        first += [pair[0]] * 8
        second += [pair[1]] * 8
        winners += [1.0] * 6 + [0.0] * 2
    voters = [f"v{k % 6}" for k in range(len(first) + 4)]
    c = Comparisons.from_columns(
        [*first, *"xxxx"], [*second, *"yyyy"], outcome=[*winners, 1, 1, 1, 1], voter=voters
    )
    report = report_on(c)
    assert {one.model for one in report.everything.unrated} == {"x", "y"}
    assert report.influence is not None
    assert (report.influence.first, report.influence.successor) == ("a", "b")
