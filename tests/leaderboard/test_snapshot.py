"""All that the leaderboard page shows, made at once, against its parts made one by one."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arena.config import Config, RankSettings
from arena.leaderboard.board import (
    Origin,
    Policy,
)
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.overall import waiting
from arena.leaderboard.ranking import leaderboard, rank_comparisons
from arena.leaderboard.snapshot import GRADED, JUDGE, PANEL, Slice, comparisons_of, compute
from arena.leaderboard.unranked import ranked_or_not
from arena.ratings import Comparisons
from arena.records import Evidence, Winner
from arena.records.errors import NoEvidenceError
from arena.store import Store
from tests.compare.stores import answered_store, vote
from tests.store.world import World, make_world

CONFIG = Config(rank=RankSettings(min_comparisons=1, allow_weak_judges=True))
POLICY = Policy.configured(CONFIG)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(Store(tmp_path_factory.mktemp("world") / "arena.db"), 1)


def test_every_view_is_the_ranking_by_that_kind(world: World) -> None:
    sheet = compute(world.store, Slice(), CONFIG)
    assert sheet.policy == POLICY
    for kind in Evidence:
        expected = leaderboard(world.store, POLICY, evidence=kind)
        assert sheet.boards[kind].rows == expected.rows
        assert sheet.boards[kind].notes == expected.notes
    panel = leaderboard(world.store, replace(POLICY, panel="majority"), evidence=Evidence.JUDGE)
    assert sheet.boards[PANEL].rows == panel.rows
    judges = {view.removeprefix(JUDGE) for view in sheet.boards if view.startswith(JUDGE)}
    assert judges == set(sheet.judges) == {"j", "k"}
    for judge in judges:
        alone = leaderboard(world.store, replace(POLICY, judges=(judge,)), evidence=Evidence.JUDGE)
        assert sheet.boards[JUDGE + judge].rows == alone.rows


@pytest.mark.parametrize("evidence", list(Evidence))
def test_where_votes_are_alone_all_evidence_is_theirs(tmp_path: Path, evidence: Evidence) -> None:
    store = answered_store(tmp_path / "arena.db", 12, ("a", "b", "c"))
    for sides in (("a", "b"), ("b", "c"), ("c", "a")):
        vote(store, lambda k: [Winner.MODEL_A, Winner.TIE, Winner.MODEL_B][: 1 + k % 3], sides)
    sheet = compute(store, Slice())
    assert list(sheet.boards) == [Evidence.COMBINED, Evidence.HUMAN]
    if evidence in sheet.boards:
        assert sheet.boards[evidence] == leaderboard(store, evidence=evidence)


def test_a_slice_is_the_ranking_of_its_group(world: World) -> None:
    for category in sorted({prompt.category for prompt in world.prompts.values()}):
        sheet = compute(world.store, Slice("category", category), CONFIG)
        expected = leaderboard(
            world.store, POLICY, evidence=Evidence.HUMAN, group=Group("category", category)
        )
        assert sheet.boards[Evidence.HUMAN].rows == expected.rows
        assert sheet.boards[Evidence.HUMAN].group == category
        assert Evidence.OBJECTIVE not in sheet.boards
        assert sheet.history is None


def test_win_rates_are_those_counted_and_those_of_the_ratings(world: World) -> None:
    sheet = compute(world.store, Slice(), CONFIG)
    wins = sheet.wins[Evidence.HUMAN]
    votes = world.store.evidence.votes()
    points: Counter[tuple[str, str]] = Counter()
    games: Counter[tuple[str, str]] = Counter()
    share = {"model_a": 1.0, "model_b": 0.0}
    for a, b, winner in zip(votes.model_a, votes.model_b, votes.winner, strict=True):
        points[a, b] += share.get(winner, 0.5)
        points[b, a] += 1 - share.get(winner, 0.5)
        games[a, b] += 1
        games[b, a] += 1
    human = gather(world.store).human
    assert human is not None
    weighted = human.propensity is not None
    ratings = {row.model: row.rating for row in sheet.boards[Evidence.HUMAN].rows}
    for i, one in enumerate(wins.models):
        for j, other in enumerate(wins.models):
            if i == j or not games[one, other]:
                assert i == j or np.isnan(wins.observed[i, j])
                continue
            if not weighted:
                assert wins.observed[i, j] == pytest.approx(points[one, other] / games[one, other])
            gap = ratings[other] - ratings[one]
            assert wins.predicted[i, j] == pytest.approx(1 / (1 + 10 ** (gap / 400)))
    both = wins.observed + wins.observed.T
    assert both[~np.isnan(both)] == pytest.approx(1.0)
    assert list(wins.models) == [row.model for row in sheet.boards[Evidence.HUMAN].rows]


def test_grades_and_lengths_are_means(world: World) -> None:
    sheet = compute(world.store, Slice(), CONFIG)
    grades = world.store.evidence.grades()
    for model in set(grades.model):
        own = [v for m, v in zip(grades.model, grades.value, strict=True) if m == model]
        assert sheet.grades[model] == (pytest.approx(sum(own) / len(own)), len(own))
    answers = world.store.evidence.answers()
    assert sheet.lengths == dict(zip(answers.model, answers.mean_length, strict=True))
    assert set(sheet.about) == {model.name for model in world.store.models()}


def test_grades_of_one_person_on_one_prompt_make_comparisons(world: World) -> None:
    sheet = compute(world.store, Slice(), CONFIG)
    latest = {(g.voter, g.answer): g for g in world.grades if g.key not in world.withdrawn}
    pairs = 0
    for (voter, answer), grade in latest.items():
        for other_voter, other in latest:
            same_prompt = grade.prompt_key == world.answers[other].prompt_key
            pairs += voter == other_voter and answer < other and same_prompt
    assert sum(sheet.boards[GRADED].counts.values()) == pairs > 0


def test_the_history_ends_where_the_ratings_are(world: World) -> None:
    sheet = compute(world.store, Slice(), CONFIG)
    assert sheet.history is not None
    assert list(sheet.history.votes) == sorted(sheet.history.votes)
    assert sheet.history.votes[-1] == len(world.store.evidence.votes().voter)
    assert len(sheet.history.times) == len(sheet.history.votes) == 12
    plain = Policy(min_comparisons=1)
    tallies = world.store.evidence.tallies()
    c = Comparisons.from_columns(
        tallies.model_a, tallies.model_b, tallies.winner, weight=tallies.votes
    )
    for row in rank_comparisons(c, plain).rows:
        assert sheet.history.ratings[row.model][-1] == pytest.approx(row.rating)


def test_a_store_with_nothing_has_a_sheet_without_boards(store: Store) -> None:
    sheet = compute(store, Slice())
    assert (dict(sheet.boards), dict(sheet.errors), sheet.history) == ({}, {}, None)
    assert sheet.policy.origin is Origin.DEFAULT
    board, why = ranked_or_not(store, Policy())
    assert isinstance(why, NoEvidenceError)
    assert (board.rows, board.label) == ((), "no ranking")
    assert str(board.notes[0]) == str(why)


def test_a_board_without_a_ranking_has_the_scores_and_report_cards(world: World) -> None:
    policy = replace(POLICY, min_comparisons=10_000)
    board, why = ranked_or_not(world.store, policy)
    assert why is not None
    assert board.rows == ()
    whole = leaderboard(world.store, POLICY)
    assert board.benchmarks == whole.benchmarks
    assert [report.judge for report in board.reports] == [r.judge for r in whole.reports]


def test_win_rates_are_of_the_evidence_that_the_ranking_stands_on(world: World) -> None:
    config = Config(rank=RankSettings(min_comparisons=500, allow_weak_judges=True))
    found = gather(world.store)
    votes, judged = found.human, found.judges
    assert votes is not None
    policy = Policy.configured(config)
    assert waiting(
        {Evidence.HUMAN: {"votes": votes}, Evidence.JUDGE: judged, Evidence.OBJECTIVE: {}},
        policy,
        500,
    )
    by_judges = comparisons_of(found, replace(policy, evidence=Evidence.JUDGE))
    combined = comparisons_of(found, policy)
    assert by_judges is not None
    assert combined is not None
    assert len(combined) == len(by_judges) != len(votes)
    few = comparisons_of(found, replace(policy, min_comparisons=1))
    assert few is not None
    assert len(few) == len(votes)
