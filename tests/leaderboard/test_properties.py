"""What must not change a ranking: names, sides, the order of rows, and the same said once more."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from arena.leaderboard.board import USUAL_FIT, Leaderboard, Policy
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.ranking import leaderboard
from arena.ratings import bradley_terry, concat
from arena.records import Evidence, Vote, Winner, Withdrawal
from arena.records.errors import TooFewError
from arena.store import Store
from arena.store.archive import Archivable
from tests.store.world import World, make_world

ANY = Policy(min_comparisons=1, allow_weak_judges=True)
MIRRORED = {Winner.MODEL_A: Winner.MODEL_B, Winner.MODEL_B: Winner.MODEL_A}
KINDS = (Evidence.HUMAN, Evidence.JUDGE, Evidence.OBJECTIVE, Evidence.COMBINED)


@pytest.fixture(params=range(3))
def world(request: pytest.FixtureRequest, store: Store) -> World:
    return make_world(store, request.param)


def numbers(board: Leaderboard) -> dict[str, tuple[float, ...]]:
    """What a ranking says of each model, but for what is drawn by chance."""
    return {row.model: (row.rating, row.ci_low, row.ci_high, row.comparisons) for row in board.rows}


def same(found: dict[str, tuple[float, ...]], expected: dict[str, tuple[float, ...]]) -> None:
    assert set(found) == set(expected)
    assert found
    for model, values in expected.items():
        assert found[model] == pytest.approx(values, rel=1e-7)


def other_store(world: World, tmp_path: Path, change: Callable[[int, Vote], Vote]) -> Store:
    """The same answers with other votes."""
    other = Store(tmp_path / "other.db")
    other.put_prompts(world.prompts.values())
    for model in world.store.models():
        other.put_model(model)
    other.answers.add(world.answers.values())
    for k, vote in enumerate(world.votes):
        if vote.battle not in world.withdrawn:
            other.votes.cast(change(k, vote))
    return other


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_name_changes_no_number(kind: Evidence, world: World) -> None:
    before = leaderboard(world.store, ANY, evidence=kind)
    world.store.archive.rename("ada", "zed")
    after = leaderboard(world.store, ANY, evidence=kind)
    renamed = {"zed" if name == "ada" else name: v for name, v in numbers(before).items()}
    same(numbers(after), renamed)


def test_the_side_on_which_an_answer_stood_is_of_no_account(world: World, tmp_path: Path) -> None:
    def turned(k: int, vote: Vote) -> Vote:
        winner = MIRRORED.get(vote.winner, vote.winner)
        return replace(vote, first=vote.second, second=vote.first, winner=winner)

    mirrored = other_store(world, tmp_path, turned)
    same(
        numbers(leaderboard(mirrored, ANY, evidence=Evidence.HUMAN)),
        numbers(leaderboard(world.store, ANY, evidence=Evidence.HUMAN)),
    )


def test_votes_cast_twice_leave_ratings_and_hardly_narrow_clustered_intervals(
    world: World, tmp_path: Path
) -> None:
    """The same people on the same prompts tell nothing new.

    Of five prompts the engine allows that outcomes vary more than they did, so that intervals are
    not the same to the last digit.
    """
    twice = other_store(world, tmp_path, lambda k, vote: vote)
    for vote in world.votes:
        if vote.battle not in world.withdrawn:
            twice.votes.cast(replace(vote, battle=f"{vote.battle} again"))
    for cluster, low, high in (("prompt", 0.9, 1.0 + 1e-9), (None, 0.6, 0.8)):
        policy = replace(ANY, fit=replace(USUAL_FIT, cluster=cluster))
        once, board = (
            leaderboard(s, policy, evidence=Evidence.HUMAN) for s in (world.store, twice)
        )
        assert once.settings.prior is board.settings.prior is None  # which would be there once
        for row in board.rows:
            (there,) = (r for r in once.rows if r.model == row.model)
            assert row.rating == pytest.approx(there.rating, abs=1e-6)
            assert row.comparisons == 2 * there.comparisons
            ratio = (row.ci_high - row.ci_low) / (there.ci_high - there.ci_low)
            assert low <= ratio <= high


def test_a_vote_that_was_taken_back_was_never_cast(world: World, tmp_path: Path) -> None:
    fresh = other_store(world, tmp_path, lambda k, vote: vote)
    same(
        numbers(leaderboard(world.store, ANY, evidence=Evidence.HUMAN)),
        numbers(leaderboard(fresh, ANY, evidence=Evidence.HUMAN)),
    )
    vote = next(v for v in world.votes if v.battle not in world.withdrawn)
    before = leaderboard(fresh, ANY, evidence=Evidence.HUMAN).counts["votes"]
    assert fresh.withdrawals.take_back(Withdrawal(vote.battle, vote.voter), 60)
    assert leaderboard(fresh, ANY, evidence=Evidence.HUMAN).counts["votes"] == before - 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_archived_and_restored_is_as_it_was(kind: Evidence, world: World) -> None:
    before = numbers(leaderboard(world.store, ANY, evidence=kind))
    world.store.archive.put(Archivable.MODEL, "bob")
    assert "bob" not in numbers(leaderboard(world.store, ANY, evidence=kind))
    world.store.archive.restore(Archivable.MODEL, "bob")
    same(numbers(leaderboard(world.store, ANY, evidence=kind)), before)


def test_categories_share_out_the_votes_and_the_verdicts(world: World) -> None:
    whole = gather(world.store)
    categories = sorted({prompt.category for prompt in world.prompts.values()})
    parts = [gather(world.store, Group("category", name)) for name in categories]
    assert whole.human is not None
    assert sum(len(part.human) for part in parts if part.human) == len(whole.human)
    for judge, comparisons in whole.judges.items():
        assert sum(len(p.judges.get(judge, ())) for p in parts) <= len(comparisons)
    together = concat([part.human for part in parts if part.human])
    assert bradley_terry(together, prior=400.0).ratings == pytest.approx(
        bradley_terry(whole.human, prior=400.0).ratings
    )
    assert all(part.objective == {} for part in parts)  # benchmarks have no category of prompts


def test_the_one_ranking_is_the_engine_on_what_was_gathered(world: World) -> None:
    human = gather(world.store).human
    assert human is not None
    expected = bradley_terry(human, prior="auto")
    board = leaderboard(world.store, ANY, evidence=Evidence.HUMAN)
    assert [row.model for row in board.rows] == [row.model for row in expected.as_rows()]
    for row, there in zip(board.rows, expected.as_rows(), strict=True):
        assert (row.rating, row.ci_low, row.ci_high) == pytest.approx(
            (there.rating, there.ci_low, there.ci_high)
        )


def test_the_notes_of_a_ranking_are_said_in_both_languages(world: World) -> None:
    world.store.archive.put(Archivable.MODEL, "dan")
    for kind in KINDS:
        board = leaderboard(world.store, ANY, evidence=kind)
        for note in (*board.notes, board.method, *(mark.note for mark in board.marks)):
            assert note.text("zh") != note.text("en")


def test_a_model_needs_as_many_comparisons_as_the_policy_says(world: World) -> None:
    everybody = {row.model for row in leaderboard(world.store, ANY, evidence=Evidence.HUMAN).rows}
    rated: list[int] = []
    refused = ""
    for least in range(1, 40):
        policy = replace(ANY, min_comparisons=least)
        try:
            board = leaderboard(world.store, policy, evidence=Evidence.HUMAN)
        except TooFewError as error:
            refused = str(error)
            break
        rated.append(len(board.rows))
        assert all(row.comparisons >= least for row in board.rows)
        left = {one.model for one in board.unrated}
        assert {row.model for row in board.rows} | left == everybody
        assert all(one.lacks >= 1 for one in board.unrated)
    assert f"each needs {len(rated) + 1} comparisons" in refused
    assert rated == sorted(rated, reverse=True)
    assert rated[0] == len(everybody)
    assert len(rated) < 39
