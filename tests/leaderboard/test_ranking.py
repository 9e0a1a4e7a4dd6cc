"""From stored evidence to a ranking, its label and its notes."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest

from arena.config import parse_model
from arena.generation.answering import generate
from arena.judging import Wanted, judge, load_card
from arena.leaderboard.board import USUAL_FIT, Leaderboard, Policy
from arena.leaderboard.evidence.gathering import gather, groups
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.formats import lacking, not_rated
from arena.leaderboard.ranking import (
    grouped_rankings,
    leaderboard,
    rank_comparisons,
    views,
)
from arena.ratings import Comparisons, Unrated
from arena.records import (
    COMMAND_LINE,
    Decoding,
    Evidence,
    Mode,
    Outcome,
    Prompt,
    Vote,
    Winner,
    Withdrawal,
)
from arena.records.errors import GateError, InputError, TooFewError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.versions import settle

Write = Callable[..., str]
_BATTLE = count()
ANY = Policy(min_comparisons=1)


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
    for _ in range(5):
        vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
        vote(answered, prompts[0], "long", "middle", Winner.TIE)
    board = leaderboard(answered, evidence=Evidence.HUMAN)
    assert any("normal prior" in note and "short" in note for note in map(str, board.notes))
    assert "normal prior with a standard deviation of 400 points" in str(board.method)


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
        with pytest.raises(GateError, match=r"100\.0%.*allow_weak_judges"):
            leaderboard(answered, evidence=evidence)
        board = leaderboard(answered, evidence=evidence, allow_weak_judges=True)
        assert board.label == "judge-only"
        assert "let in on request" in str(board.notes[0])


def test_a_weak_judge_is_left_out_beside_a_good_one(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for name, persona in (("weak", "first"), ("good", "longer")):
        judge(answered, load_card(write_card(name, f"fake:{persona}"), answered.home), prompts)
    board = leaderboard(answered, evidence=Evidence.JUDGE)
    assert list(board.counts) == ["good"]
    assert any("weak" in note and "left out" in note for note in map(str, board.notes))
    assert board.rows[0].model == "long"


def test_few_votes_are_a_doubt_about_a_judge_and_no_objection(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    vote(answered, prompts[2], "short", "long", Winner.MODEL_A)
    report = gather(answered).reports["j"]
    assert (report.agreement.value, report.agreement.n) == (0.5, 2)
    assert report.objection is None
    assert "not known yet" in str(report.doubt)
    board = leaderboard(answered, evidence=Evidence.JUDGE)
    assert any("not known yet" in note for note in map(str, board.notes))


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
    boards = grouped_rankings(answered, "language", replace(ANY, evidence=Evidence.JUDGE)).boards
    assert [board.group for board in boards] == ["en", "zh"]
    assert [board.counts["j"] for board in boards] == [6, 3]
    with pytest.raises(InputError, match="--by 'colour'; allowed are category, language"):
        grouped_rankings(answered, "colour", ANY)


def test_nothing_to_rank_says_what_to_do(store: Store) -> None:
    for evidence, said in (
        (Evidence.HUMAN, "arena app"),
        (Evidence.JUDGE, "arena judge"),
        (Evidence.OBJECTIVE, "arena bench"),
        (Evidence.COMBINED, "no votes, verdicts or outcomes"),
    ):
        with pytest.raises(InputError) as error:
            leaderboard(store, evidence=evidence)
        assert said in error.value.text(place=COMMAND_LINE)
        assert str(store.path) in error.value.text(place=COMMAND_LINE)
    with pytest.raises(InputError) as error:
        leaderboard(store, evidence=Evidence.HUMAN, group=Group("category", "x"))
    assert str(error.value) == "Category x: there are no votes yet"
    assert error.value.text("zh") == "类别 x：还没有投票"


def test_views_are_the_other_kinds_of_evidence(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    vote(answered, prompts[0], "short", "middle", Winner.MODEL_A)
    weak = replace(ANY, allow_weak_judges=True)
    board = leaderboard(answered, weak)
    assert board.label == "human-anchored"
    others = [view.label for view in views(answered, board, weak)]
    assert others == ["human-anchored", "judge-only"]
    judged = leaderboard(answered, weak, evidence=Evidence.JUDGE)
    assert [view.label for view in views(answered, judged, weak)] == ["human-anchored"]


def round_of_votes(store: Store, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        vote(store, prompt, "long", "short", Winner.MODEL_A)
        vote(store, prompt, "short", "middle", Winner.MODEL_A)
        vote(store, prompt, "middle", "long", Winner.MODEL_A)


def test_votes_that_are_too_few_wait_beside_judges(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    weak = Policy(allow_weak_judges=True)
    before = leaderboard(answered, weak)
    vote(answered, prompts[0], "long", "short", Winner.TIE)
    board = leaderboard(answered, weak)
    assert (board.rows, board.label, board.counts) == (before.rows, "judge-only", before.counts)
    said = (
        "People have cast 1 vote, too few to change this ranking yet. It takes 8 votes, and 2 "
        "models with 5 or more between them; so far 0 models have as many."
    )
    assert said in map(str, board.notes)
    assert leaderboard(answered, weak, evidence=Evidence.HUMAN).label == "human-anchored"

    round_of_votes(answered, prompts)
    anchored = leaderboard(answered, weak)
    named = leaderboard(answered, replace(weak, method="ppi"))
    assert (anchored.label, anchored.settings.method) == ("human-anchored", "ppi")
    assert (board.counted, anchored.counted) == ("comparisons", "votes")
    assert (board.placed_by, anchored.placed_by) == ("comparisons", "votes")
    assert "once it has 5 votes or more" in not_rated(anchored)
    lacks = lacking(anchored, Unrated("new", 1, 4, apart=False))
    assert lacks == "1 vote so far; it lacks 4 votes with rated models"
    assert anchored.rows == named.rows
    assert min(row.comparisons for row in anchored.rows) >= 5
    assert not any("too few to change" in note for note in map(str, anchored.notes))


def test_a_model_without_votes_of_its_own_is_not_rated_by_them(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    for winner in (Winner.MODEL_A, Winner.MODEL_B, Winner.TIE) * 3:
        vote(answered, prompts[0], "long", "short", winner)
    board = leaderboard(answered, Policy(allow_weak_judges=True))
    assert {row.model: row.comparisons for row in board.rows} == {"long": 9, "short": 9}
    assert [(one.model, one.comparisons, one.lacks) for one in board.unrated] == [("middle", 0, 5)]


def test_style_is_counted_in_the_stored_answers(answered: Store, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        for _ in range(4):
            vote(answered, prompt, "long", "short", Winner.MODEL_A)
            vote(answered, prompt, "short", "middle", Winner.MODEL_A)
            vote(answered, prompt, "middle", "long", Winner.MODEL_A)
        vote(answered, prompt, "middle", "short", Winner.MODEL_A)
        vote(answered, prompt, "short", "long", Winner.MODEL_A)
        vote(answered, prompt, "long", "middle", Winner.MODEL_A)
    board = leaderboard(
        answered, evidence=Evidence.HUMAN, policy=Policy(fit=replace(USUAL_FIT, style=("length",)))
    )
    assert [effect.name for effect in board.effects] == ["length"]
    assert "style held equal: length" in str(board.method)
    with pytest.raises(InputError, match="'size'; allowed are length"):
        leaderboard(
            answered,
            evidence=Evidence.HUMAN,
            policy=Policy(fit=replace(USUAL_FIT, style=("size",))),
        )


@pytest.mark.parametrize(
    "policy",
    [
        Policy(fit=replace(USUAL_FIT, ties="davidson")),
        Policy(fit=replace(USUAL_FIT, interval="bootstrap")),
        Policy(fit=replace(USUAL_FIT, style=("length",))),
    ],
)
def test_the_combined_ranking_says_which_options_it_has_not(
    policy: Policy, answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    vote(answered, prompts[0], "short", "middle", Winner.MODEL_A)
    with pytest.raises(InputError, match="--evidence human"):
        leaderboard(answered, replace(policy, min_comparisons=1))


LONGER_BUT_ONE = {size: size if size != 10 else 2 for size in range(2, 11)}
ANY_LENGTH = dict(zip(range(2, 11), (5, 2, 8, 3, 9, 6, 2, 7, 4), strict=True))


def crowd(
    store: Store,
    prompts: list[Prompt],
    write_card: Write,
    liked: dict[int, int] = LONGER_BUT_ONE,
) -> None:
    """Nine models, a judge for whom longer is better, and people who agree but for one model.

    liked: how much people like each model, by its length.
    """
    base = parse_model("fake:echo")
    for size in range(2, 11):
        decoding = Decoding(max_tokens=size)
        generate(store, replace(base, name=f"m{size:02d}", decoding=decoding), prompts)
    judge(store, load_card(write_card("j", "fake:longer"), store.home), prompts)
    dice = Random(5)
    for prompt in prompts:
        for _ in range(120):
            a, b = dice.sample(range(2, 11), 2)
            gap = liked[a] - liked[b]
            better = dice.random() < 1 / (1 + 10 ** (-gap / 6))
            vote(
                store, prompt, f"m{a:02d}", f"m{b:02d}", Winner("model_a" if better else "model_b")
            )


def long_prompts() -> list[Prompt]:
    text = " ".join(f"word{k}" for k in range(14))
    return [Prompt(f"p{k}", (f"{text} {k}",), "writing", "en") for k in range(6)]


@pytest.mark.slow
def test_a_judge_that_tells_nothing_makes_no_model_odd(store: Store, write_card: Write) -> None:
    crowd(store, long_prompts(), write_card, ANY_LENGTH)
    board = leaderboard(store, allow_weak_judges=True)
    assert board.settings.method == "hierarchical"
    missed = [r for r in board.rows if r.predicted and not r.ci_low < r.predicted < r.ci_high]
    assert len(missed) > 4
    assert not [note for note in map(str, board.notes) if "judges predict:" in note]


@pytest.mark.slow
def test_people_and_judges_beside_each_other(store: Store, write_card: Write) -> None:
    crowd(store, long_prompts(), write_card)
    board = leaderboard(store, allow_weak_judges=True)
    assert board.settings.method == "hierarchical"
    assert [(s.name, s.kind) for s in board.sources] == [("human", "human"), ("j", "judge")]
    judged = next(source for source in board.sources if source.kind == "judge")
    assert judged.weight is not None
    assert judged.weight > 0
    odd = next(row for row in board.rows if row.model == "m10")
    assert odd.predicted is not None
    assert odd.predicted > odd.ci_high
    said = list(map(str, board.notes))
    assert any("judges predict: m10 (" in note and "below)" in note for note in said)
    assert any("on average over models" in note for note in map(str, board.notes))
    (mark,) = map(str, board.marks_of("m10"))
    assert mark.endswith("points below what judges predict.")
    assert not any("judges predict:" in note for note in map(str, board.general))
    assert sum(row.p_best for row in board.rows) == pytest.approx(1)
    methods = [view.settings.method for view in views(store, board, Policy(allow_weak_judges=True))]
    assert methods == ["ppi", "bradley-terry", "bradley-terry"]
    anchored = leaderboard(
        store, policy=Policy(fit=replace(USUAL_FIT, anchor=("m02", 500.0))), allow_weak_judges=True
    )
    shift = {row.model: row for row in anchored.rows}
    assert shift["m02"].rating == pytest.approx(500)
    for row in board.rows:
        moved = shift[row.model]
        assert row.predicted is not None
        assert moved.predicted is not None
        assert moved.predicted - row.predicted == pytest.approx(moved.rating - row.rating)


@pytest.mark.slow
def test_many_judges_as_one_are_shown_as_a_ranking_that_holds_on_average(
    store: Store, write_card: Write
) -> None:
    crowd(store, long_prompts(), write_card)
    stacked = Policy(method="stacked", allow_weak_judges=True)
    board = leaderboard(store, policy=stacked)
    assert board.settings.method == "stacked"
    assert any("on average over models" in note for note in map(str, board.notes))
    assert views(store, board, stacked)[0].settings.method == "ppi"


@pytest.mark.slow
def test_a_method_goes_with_all_the_evidence(store: Store, write_card: Write) -> None:
    crowd(store, long_prompts(), write_card)
    board = leaderboard(store, policy=Policy(method="human"), allow_weak_judges=True)
    assert board.counts == {"votes": 720}
    with pytest.raises(InputError, match="--method goes with --evidence combined"):
        leaderboard(store, evidence=Evidence.HUMAN, policy=Policy(method="ppi"))
    with pytest.raises(InputError, match=r"'pip'; allowed are .*'ppi'"):
        leaderboard(store, policy=Policy(method="pip"))


def test_a_panel_counts_as_one_judge_and_says_how_far_it_is_apart(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for name, persona in (("j", "longer"), ("k", "longer@0.0001"), ("l", "first")):
        judge(answered, load_card(write_card(name, f"fake:{persona}"), answered.home), prompts)
    board = leaderboard(
        answered, policy=Policy(panel="majority", min_valid=2), allow_weak_judges=True
    )
    assert board.counts == {"panel of 3": 9}
    assert any(note.startswith("Panel of 3: 9 battles") for note in map(str, board.notes))
    assert [row.model for row in board.rows] == ["long", "middle", "short"]


def test_a_judge_that_follows_the_order_decides_nothing_in_a_majority(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """However uneven the odds of its two verdicts are."""
    judge(answered, load_card(write_card("j", "fake:first", "logit"), answered.home), prompts)
    found = gather(answered)
    uneven = {name: replace(c, outcome=c.outcome + 0.01) for name, c in found.judges.items()}
    board = leaderboard(
        answered,
        evidence=Evidence.JUDGE,
        policy=Policy(panel="majority"),
        allow_weak_judges=True,
        gathered=replace(found, judges=uneven),
    )
    assert [row.rating for row in board.rows] == pytest.approx([1000.0] * 3, abs=1e-9)


def test_a_judge_of_whom_nothing_could_be_read_is_not_said_to_have_said_nothing(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("mute", "fake:echo"), answered.home), prompts)
    for evidence in (Evidence.JUDGE, Evidence.COMBINED):
        with pytest.raises(InputError, match="nothing could be read of the 18 verdicts of mute"):
            leaderboard(answered, evidence=evidence)
    with pytest.raises(InputError, match="no votes yet"):
        leaderboard(answered, evidence=Evidence.HUMAN)
    assert answered.unparsed_counts()["verdicts"] == 18
    with pytest.raises(InputError) as grouped:
        leaderboard(answered, evidence=Evidence.JUDGE, group=Group("category", "maths"))
    assert str(grouped.value).startswith(
        "Category maths: nothing compares its models; of 3 pairs that mute judged no verdict"
    )
    judge(answered, load_card(write_card("mute", "fake:longer"), answered.home), prompts)
    assert answered.unparsed_counts()["verdicts"] == 0


def test_where_benchmarks_are_too_few_the_judge_that_was_left_out_is_named(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:first"), answered.home), prompts)
    outcomes(answered, "gen", {"long": "1", "short": "0"})
    with pytest.raises(TooFewError) as refused:
        leaderboard(answered, Policy(min_comparisons=5))
    told = str(refused.value)
    assert "no model is compared often enough" in told
    assert "it was left out" in told
    assert "allow_weak_judges" in told


def test_a_pair_is_decided_by_its_verdicts_and_preferred_by_their_odds(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer", "logit"), answered.home), prompts)
    found = gather(answered)
    decided, preferred = found.decisions["j"].outcome, found.judges["j"].outcome
    assert {0.0, 1.0} <= {*decided.tolist()} <= {0.0, 0.5, 1.0}
    assert not {0.0, 1.0} & {*preferred.tolist()}
    assert ((preferred > 0.5) == (decided == 1.0)).all()


def test_a_neutral_ranking_leaves_a_judge_out_of_its_own_familys_pairs(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    base = parse_model("fake:echo")
    for name, family, most in (("a", "F", 8), ("b", "G", 4), ("c", "G", 2)):
        decoding = Decoding(max_tokens=most)
        generate(store, replace(base, name=name, family=family, decoding=decoding), prompts)
    write_card("j", "{use: fake:longer, family: F}")
    judge(store, load_card("j", store.home), prompts)
    assert leaderboard(store).counts == {"j": 9}
    board = leaderboard(store, policy=Policy(neutral=True, min_comparisons=3))
    assert board.counts == {"j": 3}
    assert [row.model for row in board.rows] == ["b", "c"]


def test_a_judge_in_one_order_is_marked_where_it_stands(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("j", "fake:longer"), answered.home)
    judge(answered, card, prompts, wanted=Wanted(both_orders=False))
    board = leaderboard(answered, evidence=Evidence.JUDGE)
    said = "9 pairs were judged by j in one order only."
    assert [*map(str, board.marks_of("j"))] == [said]
    assert said in map(str, board.notes)
    assert said not in board.general


def test_names_that_differ_only_in_case_are_named() -> None:
    c = Comparisons.from_columns(["GPT", "gpt", "x"], ["gpt", "x", "GPT"], outcome=[1, 1, 1])
    said = [*map(str, rank_comparisons(c, ANY).notes)]
    assert [one for one in said if "gpt" in one] == [
        "'GPT' and 'gpt' are taken for 2 models: their names differ in case or spaces alone."
    ]


def test_only_the_chosen_judges_count(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for name, persona in (("kept", "longer"), ("abandoned", "longer@0.0001")):
        judge(answered, load_card(write_card(name, f"fake:{persona}"), answered.home), prompts)
    every = leaderboard(answered, evidence=Evidence.JUDGE)
    assert list(every.counts) == ["abandoned", "kept"]
    board = leaderboard(answered, evidence=Evidence.JUDGE, policy=Policy(judges=("kept", "new")))
    assert list(board.counts) == ["kept"]
    assert [report.judge for report in board.reports] == ["kept"]
    assert (
        "The judgements of abandoned are left out: the judges that count here are kept, new."
        in map(str, board.notes)
    )
    outcomes(answered, "", {"long": "1", "short": "1"})
    for evidence in (Evidence.JUDGE, Evidence.COMBINED):
        with pytest.raises(InputError, match=r"abandoned, kept, but .* are new: is a name under"):
            leaderboard(answered, evidence=evidence, policy=Policy(judges=("new",)))


@pytest.mark.parametrize("evidence", [Evidence.COMBINED, Evidence.HUMAN])
def test_models_that_never_met_the_others_stand_below(
    evidence: Evidence, answered: Store, prompts: list[Prompt]
) -> None:
    """One vote between two new models leaves the others where they were."""
    before = voted(answered, prompts)
    base = parse_model("fake:echo")
    for name, most in (("new", 3), ("newer", 5)):
        model = replace(base, name=name, decoding=Decoding(max_tokens=most))
        generate(answered, model, prompts)
    vote(answered, prompts[0], "new", "newer", Winner.MODEL_A)
    board = leaderboard(answered, evidence=evidence)
    assert board.rows == before.rows
    assert board.counts == before.counts
    assert [(one.model, one.lacks, one.apart) for one in board.unrated] == [
        ("new", 4, True),
        ("newer", 4, True),
    ]
    for _ in range(4):
        vote(answered, prompts[0], "new", "long", Winner.TIE)
    assert [one.model for one in leaderboard(answered, evidence=evidence).unrated] == [
        "new",
        "newer",
    ]
    vote(answered, prompts[0], "new", "long", Winner.TIE)
    (one,) = leaderboard(answered, evidence=evidence).unrated
    assert (one.model, one.comparisons, one.lacks, one.apart) == ("newer", 1, 4, False)


def voted(store: Store, prompts: list[Prompt]) -> Leaderboard:
    for prompt in prompts:
        for _ in range(3):
            vote(store, prompt, "short", "middle", Winner.MODEL_A)
            vote(store, prompt, "long", "middle", Winner.MODEL_B)
        vote(store, prompt, "middle", "short", Winner.MODEL_A)
        vote(store, prompt, "long", "middle", Winner.MODEL_A)
    return leaderboard(store, evidence=Evidence.HUMAN)


def test_where_votes_are_too_few_the_next_kind_ranks_and_says_so(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    board = leaderboard(answered, policy=Policy(method="human"))
    assert board.label == "judge-only"
    assert board.counts == {"j": 9}
    said = "Comparisons by people's votes that are too few to rate any model, and do not count: 1."
    assert said in map(str, board.notes)
    alone = leaderboard(answered, evidence=Evidence.HUMAN)
    assert [row.model for row in alone.rows] == ["long", "short"]
    assert any("No model has the 5 comparisons" in note for note in map(str, alone.notes))
    with pytest.raises(TooFewError, match="most compared are long"):
        leaderboard(answered, evidence=Evidence.HUMAN, policy=Policy(min_comparisons=5))
    few = Policy(min_comparisons=50)
    with pytest.raises(TooFewError):
        leaderboard(answered, policy=few)


def outcomes(store: Store, variant: str, right: dict[str, str], benchmark: str = "exam") -> None:
    """What models got right, an item a letter: `1` is right."""
    keys = {model.name: model.key for model in store.models()}
    store.outcomes.add(
        Outcome(name, keys[name], benchmark, "1", str(k), "acc", float(mark), variant=variant)
        for name, marks in right.items()
        for k, mark in enumerate(marks)
    )


def test_each_way_of_asking_a_benchmark_is_ranked_where_it_compares_models(
    answered: Store,
) -> None:
    """By `gen` all tie; the ranking by `ppl` is shown all the same, and `gen` is named."""
    outcomes(answered, "gen", {"long": "1100", "middle": "1100", "short": "1100"})
    outcomes(answered, "ppl", {"long": "1110", "middle": "0110", "short": "0001"})
    outcomes(answered, "", {"long": "01", "middle": "10", "short": "11"}, "other")
    policy = replace(ANY, ways=(("exam", ("gen",)),))
    found = grouped_rankings(answered, "benchmark", policy)
    assert [board.group for board in found.boards] == ["exam (ppl)", "other"]
    first = found.boards[0]
    assert [row.model for row in first.rows] == ["long", "middle", "short"]
    assert {score.variant for score in first.benchmarks} == {"ppl"}
    assert [*map(str, found.left_out)] == [
        "Benchmark exam (gen) is not ranked: there are benchmark outcomes of long, middle, short, "
        "which got the same items right: nothing compares models yet."
    ]


def test_the_way_that_stands_for_a_benchmark_is_ranked_first(answered: Store) -> None:
    for variant in ("gen", ""):
        outcomes(answered, variant, {"long": "1110", "middle": "0110", "short": "0001"})
    for way, titles in (
        ("gen", ["exam (gen)", "exam (default)"]),
        ("", ["exam (default)", "exam (gen)"]),
    ):
        assert [g.title for g in groups(answered, "benchmark", (("exam", (way,)),))] == titles


def test_where_no_group_is_ranked_each_reason_is_said(answered: Store) -> None:
    outcomes(answered, "", {"long": "11", "middle": "11"})
    with pytest.raises(InputError) as error:
        grouped_rankings(answered, "benchmark", ANY)
    assert "nothing that compares models by benchmark. Benchmark exam is not ranked" in str(
        error.value
    )
    with pytest.raises(InputError) as error:
        grouped_rankings(answered, "category", ANY)
    assert "they are not ranked: knowledge, maths, writing." in str(error.value)


def test_groups_without_evidence_are_named(answered: Store, prompts: list[Prompt]) -> None:
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    found = grouped_rankings(answered, "category", ANY)
    assert [board.group for board in found.boards] == ["knowledge"]
    assert [*map(str, found.left_out)] == [
        "Nothing compares models on these, so they are not ranked: maths, writing."
    ]


def test_judgements_of_an_earlier_card_are_counted_as_they_are_stored(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """Both orders of a pair are two verdicts, and a score is one."""
    for persona in ("first", "longer"):
        card = load_card(write_card("j", f"fake:{persona}"), answered.home)
        judge(answered, card, prompts)
    assert answered.verdicts.count() == 36
    said = [str(note) for note in gather(answered).notes]
    assert said == [
        "Left out: 18 judgements of an earlier card of j. A changed card or template is another "
        "judge."
    ]
    for persona in ("first", "longer"):
        card = load_card(write_card("j", f"fake:{persona}"), answered.home)
        judge(answered, card, prompts, Mode.SCORE)
    assert "27 judgements of an earlier card of j" in str(gather(answered).notes[0])


def objective_and_votes(store: Store, prompts: list[Prompt]) -> None:
    for prompt in prompts:
        for first, second in (("long", "short"), ("middle", "short"), ("long", "middle")):
            for winner in (Winner.MODEL_A, Winner.MODEL_A, Winner.MODEL_B):
                vote(store, prompt, first, second, winner)
    outcomes(store, "", {"long": "1" * 8 + "0" * 4, "middle": "0" * 8 + "1" * 4})


def overall_notes(board: Leaderboard) -> list[str]:
    return [text for note in board.notes if (text := str(note)).startswith("There is no overall")]


def test_where_the_overall_column_is_gone_it_is_said_why(
    answered: Store, prompts: list[Prompt]
) -> None:
    objective_and_votes(answered, prompts)
    board = leaderboard(answered)
    assert [row.model for row in board.overall] == ["long", "middle"]
    assert overall_notes(board) == []
    answered.archive.put(Archivable.MODEL, "middle")
    board = leaderboard(answered)
    assert board.overall == ()
    assert overall_notes(board) == [
        "There is no overall column: the benchmarks compare no two of the models that count."
    ]
    assert overall_notes(leaderboard(answered, evidence=Evidence.HUMAN)) == []


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(weights=(("human", 0.0), ("judge", 0.0), ("objective", 1.0))), "have a weight"),
        (
            Policy(min_comparisons=10),
            "the comparisons by people's votes are too few to rate any model.",
        ),
    ],
)
def test_other_reasons_for_no_overall_column(
    policy: Policy, said: str, answered: Store, prompts: list[Prompt]
) -> None:
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    outcomes(answered, "", {"long": "1" * 8 + "0" * 4, "middle": "0" * 8 + "1" * 4})
    (found,) = overall_notes(leaderboard(answered, policy))
    assert said in found


def test_no_overall_column_of_kinds_that_rate_no_model_in_common(
    answered: Store, prompts: list[Prompt]
) -> None:
    base = parse_model("fake:echo")
    generate(answered, replace(base, name="other", decoding=Decoding(max_tokens=3)), prompts)
    for winner in (Winner.MODEL_A, Winner.MODEL_B, Winner.MODEL_A):
        vote(answered, prompts[0], "long", "short", winner)
    outcomes(answered, "", {"other": "1" * 8 + "0" * 4, "middle": "0" * 8 + "1" * 4})
    (found,) = overall_notes(leaderboard(answered, ANY))
    assert found.endswith("no model is rated by people's votes and by benchmarks alike.")


def test_benchmarks_that_are_left_alone_say_so(answered: Store, prompts: list[Prompt]) -> None:
    outcomes(answered, "", {"long": "1" * 8 + "0" * 4, "middle": "0" * 8 + "1" * 4})
    assert overall_notes(leaderboard(answered)) == []  # nobody ever voted or judged
    vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
    answered.archive.put(Archivable.MODEL, "short")
    (found,) = overall_notes(leaderboard(answered))
    assert found.endswith("so that benchmarks stand alone.")


def test_whoever_has_answers_and_no_comparisons_is_not_rated_yet(
    answered: Store, prompts: list[Prompt]
) -> None:
    """Whether a vote was withdrawn or never cast; models without an answer are nowhere."""
    for _ in range(5):
        vote(answered, prompts[0], "long", "short", Winner.MODEL_A)
        vote(answered, prompts[0], "short", "long", Winner.MODEL_A)

    def waiting(group: Group | None = None) -> list[tuple[str, float, int]]:
        board = leaderboard(answered, evidence=Evidence.HUMAN, group=group)
        assert [row.model for row in board.rows] == ["long", "short"] or group
        return [(one.model, one.comparisons, one.lacks) for one in board.unrated]

    assert waiting() == [("middle", 0, 5)]
    vote(answered, prompts[0], "middle", "long", Winner.MODEL_A)
    assert waiting() == [("middle", 1, 4)]
    last = list(answered.votes.where())[-1]
    assert answered.withdrawals.take_back(Withdrawal(last.battle, last.voter), 60)
    assert waiting() == [("middle", 0, 5)]
    answered.put_model(replace(parse_model("fake:echo"), name="silent"))
    assert waiting(Group("category", prompts[0].category)) == [("middle", 0, 5)]
    answered.archive.put(Archivable.MODEL, "middle")
    assert waiting() == []


def test_what_is_measured_and_not_compared_is_not_rated_yet(answered: Store) -> None:
    outcomes(answered, "", {"long": "1110", "short": "0001"})
    outcomes(answered, "", {"middle": "10"}, "other")
    (one,) = leaderboard(answered, ANY, evidence=Evidence.OBJECTIVE).unrated
    assert (one.model, one.comparisons, one.apart) == ("middle", 0, True)


def test_rankings_of_groups_make_a_report_on_all_prompts_once(
    answered: Store,
    prompts: list[Prompt],
    write_card: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from arena.leaderboard.evidence import judged

    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    asked = []
    make = judged.report

    def counting(name: str, verdicts: Any, rows: list[int], *rest: Any) -> Any:
        asked.append(len(rows))
        return make(name, verdicts, rows, *rest)

    monkeypatch.setattr(judged, "report", counting)
    boards = grouped_rankings(answered, "category", ANY).boards
    assert len(boards) == 3
    assert asked == [9, 3, 3, 3]


def test_the_version_in_use_decides_which_part_is_ranked(answered: Store) -> None:
    """Of two parts that never met, the one that holds the versions of now."""
    store = answered
    base = parse_model("fake:echo")
    for name, tokens in (("m", 3), ("m@2", 5), ("n", 6), ("o", 7)):
        model = replace(base, name=name, decoding=Decoding(max_tokens=tokens))
        generate(store, model, list(store.prompts.where()))
    prompt = next(store.prompts.where())
    for a, b in (("m", "n"), ("m@2", "o")):
        for winner in (Winner.MODEL_A, Winner.MODEL_B) * 3:
            vote(store, prompt, a, b, winner)
    assert {row.model for row in leaderboard(store).rows} == {"m@2", "o"}
    settle(store, [replace(base, name="m", decoding=Decoding(max_tokens=3))])
    board = leaderboard(store)
    assert {row.model for row in board.rows} == {"m", "n"}
    assert board.replaced == {"m@2": "m"}
