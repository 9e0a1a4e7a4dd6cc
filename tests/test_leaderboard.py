"""From stored evidence to a ranking, its label and its notes."""

from collections.abc import Callable
from itertools import count

import pytest

from arena.errors import GateError, InputError
from arena.evidence import Group, gather
from arena.judging import judge, load_card
from arena.leaderboard import Fit, leaderboard, leaderboards, views
from arena.records import Evidence, Outcome, Prompt, Vote, Winner
from arena.store import Store

Write = Callable[..., str]
_BATTLE = count()


def answer_of(store: Store, model: str, prompt: Prompt) -> str:
    return next(a.key for a in store.answers.where(model=model, prompt_key=prompt.key))


def vote(store: Store, prompt: Prompt, first: str, second: str, winner: Winner) -> None:
    store.votes.cast(
        Vote(
            f"b{next(_BATTLE)}",
            prompt.key,
            answer_of(store, first, prompt),
            answer_of(store, second, prompt),
            winner,
            "someone",
        )
    )


def test_votes_alone_rank_as_people_said(answered: Store, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        for _ in range(3):
            vote(answered, prompt, "short", "middle", Winner.MODEL_A)
            vote(answered, prompt, "long", "middle", Winner.MODEL_B)
        vote(answered, prompt, "middle", "short", Winner.MODEL_A)
        vote(answered, prompt, "long", "middle", Winner.MODEL_A)
        vote(answered, prompt, "long", "short", Winner.BOTH_BAD)
    board = leaderboard(answered, evidence=Evidence.HUMAN)
    assert [row.model for row in board.rows] == ["short", "middle", "long"]
    assert (board.label, board.counts, board.notes) == ("human-anchored", {"votes": 27}, ())
    assert sum(row.rating for row in board.rows) == pytest.approx(3000)
    for row in board.rows:
        assert row.ci_low < row.rating < row.ci_high
        assert row.rank_low <= row.rank <= row.rank_high
    assert leaderboard(answered).label == "human-anchored"


def test_a_model_that_never_lost_is_named_and_the_prior_is_stated(
    answered: Store, prompts: list[Prompt]
) -> None:
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    vote(answered, prompts[0], "long", "middle", Winner.TIE)
    board = leaderboard(answered, evidence=Evidence.HUMAN)
    assert any("normal prior" in note and "short" in note for note in board.notes)
    assert "normal prior with a standard deviation of 400 points" in board.method


def test_votes_carry_their_propensities(answered: Store, prompts: list[Prompt]) -> None:
    for winner in (Winner.MODEL_A, Winner.MODEL_B):
        answered.votes.cast(
            Vote(
                f"b{next(_BATTLE)}",
                prompts[0].key,
                answer_of(answered, "long", prompts[0]),
                answer_of(answered, "short", prompts[0]),
                winner,
                "v",
                propensity=0.25,
            )
        )
    human = gather(answered).human
    assert human is not None
    assert human.propensity is not None
    assert list(human.propensity) == [0.25, 0.25]


def test_a_weak_judge_is_refused_or_let_in_with_the_sentence(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("weak", "fake:first"), answered.home), prompts)
    for evidence in (Evidence.JUDGE, Evidence.COMBINED):
        with pytest.raises(GateError, match=r"100\.0%.*--allow-weak-judges"):
            leaderboard(answered, evidence=evidence)
        board = leaderboard(answered, evidence=evidence, allow_weak_judges=True)
        assert board.label == "judge-only"
        assert "let in on request" in board.notes[0]


def test_a_weak_judge_is_left_out_beside_a_good_one(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for name, persona in (("weak", "first"), ("good", "longer")):
        judge(answered, load_card(write_card(name, f"fake:{persona}"), answered.home), prompts)
    board = leaderboard(answered, evidence=Evidence.JUDGE)
    assert list(board.counts) == ["good"]
    assert any("weak" in note and "left out" in note for note in board.notes)
    assert board.rows[0].model == "long"


def test_agreement_with_people_that_chance_explains_is_an_objection(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    vote(answered, prompts[2], "short", "long", Winner.MODEL_A)
    report = gather(answered).reports["j"]
    assert (report.agreement.count, report.agreement.n) == (1, 2)
    assert "chance would explain" in (report.objection or "")


def test_a_shorter_slot_first_is_read_from_the_other_side(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """People saw the pair in the other order than the judge's row: the sides must match up."""
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    for first, second, winner in (
        ("long", "short", Winner.MODEL_A),
        ("short", "long", Winner.MODEL_B),
        ("middle", "short", Winner.MODEL_A),
        ("middle", "long", Winner.MODEL_B),
    ):
        vote(answered, prompts[0], first, second, winner)
    assert gather(answered).reports["j"].agreement.value == 1.0


def test_benchmarks_rank_and_show_beside(answered: Store) -> None:
    keys = {model.name: model.key for model in answered.models()}
    for item in range(12):
        right = {"long": item < 9, "middle": item < 6 or item == 11, "short": item % 3 == 0}
        answered.outcomes.add(
            Outcome(name, keys[name], "task", "1", str(item), "acc", float(value))
            for name, value in right.items()
        )
    board = leaderboard(answered, evidence=Evidence.OBJECTIVE)
    assert board.label == "objective-only"
    assert [row.model for row in board.rows] == ["long", "middle", "short"]
    assert {s.model: s.mean for s in board.benchmarks} == pytest.approx(
        {"long": 9 / 12, "middle": 7 / 12, "short": 4 / 12}
    )


def test_groups_have_rankings_of_their_own(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    boards = leaderboards(
        answered,
        "language",
        lambda group: leaderboard(answered, evidence=Evidence.JUDGE, group=group),
    )
    assert [board.group for board in boards] == ["en", "zh"]
    assert [board.counts["j"] for board in boards] == [6, 3]
    with pytest.raises(InputError, match="--by 'colour'; allowed are category, language"):
        leaderboards(answered, "colour", lambda group: leaderboard(answered, group=group))


def test_nothing_to_rank_says_what_to_do(store: Store) -> None:
    for evidence, said in (
        (Evidence.HUMAN, "arena app"),
        (Evidence.JUDGE, "arena judge"),
        (Evidence.OBJECTIVE, "arena bench"),
        (Evidence.COMBINED, "no votes, verdicts or outcomes"),
    ):
        with pytest.raises(InputError, match=said):
            leaderboard(store, evidence=evidence)
    with pytest.raises(InputError, match="category x"):
        leaderboard(store, evidence=Evidence.HUMAN, group=Group("category", "x"))


def test_views_are_the_other_kinds_of_evidence(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    board = leaderboard(answered, allow_weak_judges=True)
    assert board.label == "human-anchored"
    assert [view.label for view in views(answered, board, True)] == ["judge-only"]


def test_style_is_counted_in_the_stored_answers(answered: Store, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        for _ in range(4):
            vote(answered, prompt, "long", "short", Winner.MODEL_A)
            vote(answered, prompt, "short", "middle", Winner.MODEL_A)
            vote(answered, prompt, "middle", "long", Winner.MODEL_A)
        vote(answered, prompt, "middle", "short", Winner.MODEL_A)
        vote(answered, prompt, "short", "long", Winner.MODEL_A)
        vote(answered, prompt, "long", "middle", Winner.MODEL_A)
    board = leaderboard(answered, evidence=Evidence.HUMAN, fit=Fit(style=("length",)))
    assert [effect.name for effect in board.effects] == ["length"]
    assert "style held equal: length" in board.method
    with pytest.raises(InputError, match="'size'; allowed are length"):
        leaderboard(answered, evidence=Evidence.HUMAN, fit=Fit(style=("size",)))


@pytest.mark.parametrize(
    "fit", [Fit(ties="davidson"), Fit(interval="bootstrap"), Fit(style=("length",))]
)
def test_the_combined_ranking_says_which_options_it_has_not(
    fit: Fit, answered: Store, prompts: list[Prompt]
) -> None:
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    with pytest.raises(InputError, match="--evidence human"):
        leaderboard(answered, fit=fit)
