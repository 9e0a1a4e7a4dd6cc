"""From stored rows to comparisons by source: what each row becomes, and what is left out."""

import pytest

from arena.leaderboard.evidence.gathering import gather, groups
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.evidence.worth_judging import battles_worth_judging
from arena.leaderboard.ranking import leaderboard
from arena.ratings import Comparisons
from arena.records import Evidence, Outcome, Preference, Prompt, Winner
from arena.records.errors import InputError
from arena.store import Store
from tests.leaderboard.evidence.rows import Filled

Told = list[tuple[str, str, float]]


def told(c: Comparisons | None) -> Told:
    """Rows as the two models by name and the share of the first, whoever stood first."""
    assert c is not None
    rows = []
    for i, j, outcome in zip(c.i, c.j, c.outcome, strict=True):
        a, b, share = c.models[i], c.models[j], float(outcome)
        rows.append((a, b, share) if a < b else (b, a, 1.0 - share))
    return sorted(rows)


def test_an_empty_store_has_nothing_to_say(store: Store) -> None:
    found = gather(store)
    assert found.human is None
    assert (found.judges, found.objective, found.reports, found.notes) == ({}, {}, {}, ())


def test_votes_become_comparisons_in_their_order(filled: Filled) -> None:
    filled.vote("one", "short", "long", Winner.MODEL_B, voter="bob")
    filled.vote("two", "long", "middle", Winner.TIE)
    filled.vote("three", "middle", "short", Winner.BOTH_BAD)
    c = gather(filled.store).human
    assert c is not None
    assert [c.models[k] for k in c.i] == ["short", "long", "middle"]
    assert c.outcome.tolist() == [0.0, 0.5, 0.5]
    assert c.group("voter").labels.tolist() == ["bob", "ann"]
    assert len(c.group("prompt").labels) == 3


@pytest.mark.parametrize(
    ("propensities", "weighted"), [((0.5, 0.1), True), ((0.5, None), False), ((None, None), False)]
)
def test_propensities_count_where_all_are_known(
    filled: Filled, propensities: tuple[float | None, ...], weighted: bool
) -> None:
    """One that is not known could stand for any weight, so then all weigh the same."""
    for prompt, propensity in zip(("one", "two"), propensities, strict=True):
        filled.vote(prompt, "long", "short", propensity=propensity)
    c = gather(filled.store).human
    assert c is not None
    assert (c.propensity is not None) == weighted


def test_both_orders_of_a_verdict_are_one_row(filled: Filled) -> None:
    card = filled.card("kai")
    filled.both_orders(card, "one", "long", "short")
    filled.verdict(card, "two", "long", "short", Preference.A)
    filled.verdict(card, "two", "short", "long", Preference.A)  # follows the order
    filled.verdict(card, "three", "long", "short", Preference.B)  # one order only
    found = gather(filled.store)
    assert told(found.judges["kai"]) == [
        ("long", "short", 0.0),
        ("long", "short", 0.5),
        ("long", "short", 1.0),
    ]
    report = found.reports["kai"]
    assert (report.pairs, report.one_order) == (3, 1)
    assert report.flips.value == 0.5


def test_an_unparsed_reading_counts_for_nobody(filled: Filled) -> None:
    card = filled.card("kai")
    filled.verdict(card, "one", "long", "short", Preference.UNPARSED)
    filled.verdict(card, "one", "short", "long", Preference.UNPARSED)
    filled.both_orders(card, "two", "short", "middle")
    found = gather(filled.store)
    assert told(found.judges["kai"]) == [("middle", "short", 0.0)]
    assert found.reports["kai"].unparsed.value == 0.5


def test_a_ranking_says_how_many_pairs_could_not_be_read(filled: Filled) -> None:
    card = filled.card("kai")
    filled.verdict(card, "one", "long", "short", Preference.A)
    filled.verdict(card, "one", "short", "long", Preference.UNPARSED)
    filled.both_orders(card, "two", "short", "long")
    said = (
        "Left out: 1 pair that kai judged, as no verdict could be read in one of the orders or in "
        "both."
    )
    board = leaderboard(filled.store, evidence=Evidence.JUDGE)
    assert board.counts == {"kai": 1}
    assert said in map(str, board.notes)
    filled.vote("two", "long", "short")
    assert said not in map(str, leaderboard(filled.store, evidence=Evidence.HUMAN).notes)


def test_odds_make_a_soft_preference_and_a_hard_decision(filled: Filled) -> None:
    """z₁ = log(0.6 / 0.2) and z₂ = log(0.3 / 0.6): half the difference is the preference."""
    card = filled.card("kai")
    filled.verdict(card, "one", "long", "short", Preference.A, (0.6, 0.2))
    filled.verdict(card, "one", "short", "long", Preference.B, (0.3, 0.6))
    found = gather(filled.store)
    odds = (3.0 / 0.5) ** 0.5
    assert told(found.judges["kai"]) == [("long", "short", pytest.approx(odds / (1 + odds)))]
    assert told(found.decisions["kai"]) == [("long", "short", 1.0)]


def test_of_a_judge_the_latest_card_counts_and_the_others_are_noted(filled: Filled) -> None:
    old, new = filled.card("kai", "old"), filled.card("kai", "new")
    filled.both_orders(old, "one", "short", "long")
    filled.both_orders(old, "two", "short", "long")
    filled.both_orders(new, "one", "long", "short")
    found = gather(filled.store)
    assert told(found.judges["kai"]) == [("long", "short", 1.0)]
    assert [note.code for note in found.notes] == ["judge.older_card"]


def test_a_ranking_is_a_verdict_on_each_of_its_pairs(filled: Filled) -> None:
    card = filled.card("kai")
    filled.order(card, "one", ["long", "middle", "short"], (1, 2, 2))
    filled.order(card, "one", ["short", "middle", "long"], (1, 2, 3))
    filled.order(card, "two", ["long", "middle", "short"], ())
    found = gather(filled.store)
    assert told(found.judges["kai"]) == [
        ("long", "middle", 0.5),  # first in one reading, last in the other
        ("long", "short", 0.5),
        ("middle", "short", pytest.approx(0.25)),  # a tie and a loss
    ]
    # On the second prompt nothing could be read of three pairs in one order.
    assert found.reports["kai"].unparsed.n == 9
    assert found.reports["kai"].unparsed.value == pytest.approx(3 / 9)


def test_of_two_scores_the_higher_wins_and_unread_ones_are_left_out(filled: Filled) -> None:
    card = filled.card("kai", '{"file": {"score": {"tie": 0}}}')
    filled.score(card, "one", "long", 7)
    filled.score(card, "one", "middle", 7)
    filled.score(card, "one", "short", 3)
    filled.score(card, "two", "long", 9)
    filled.score(card, "two", "short", None)
    found = gather(filled.store)
    assert told(found.judges["kai"]) == [
        ("long", "middle", 0.5),
        ("long", "short", 1.0),
        ("middle", "short", 1.0),
    ]
    report = found.reports["kai"]
    assert (report.pairs, report.alone, report.first_slot.n) == (4, True, 0)


def test_a_pair_that_was_compared_is_not_scored_once_more(filled: Filled) -> None:
    """Verdicts come first, then rankings, then scores, each for pairs that have none yet."""
    card = filled.card("kai")
    filled.both_orders(card, "one", "short", "long")
    filled.order(card, "one", ["long", "middle"], (1, 2))
    filled.order(card, "one", ["long", "short"], (1, 2))
    for model, value in (("long", 9.0), ("middle", 8.0), ("short", 1.0)):
        filled.score(card, "one", model, value)
    assert told(gather(filled.store).judges["kai"]) == [
        ("long", "middle", 1.0),  # by the ranking
        ("long", "short", 0.0),  # by the verdict, against the ranking and the scores
        ("middle", "short", 1.0),  # by the scores
    ]


def test_groups_leave_out_prompts_of_others(filled: Filled) -> None:
    card = filled.card("kai")
    for prompt in ("one", "two", "three"):
        filled.vote(prompt, "long", "short")
        filled.both_orders(card, prompt, "short", "long")
    for group, rows in (
        (Group("category", "maths"), 1),
        (Group("language", "en"), 2),
        (Group("language", "zh"), 1),
        (Group("dimension", "knowledge"), 1),
        (Group("category", "nothing"), 0),
    ):
        found = gather(filled.store, group)
        assert len(found.human or ()) == rows, group
        assert len(found.judges.get("kai", ())) == rows, group


def test_a_judge_that_is_too_weak_on_all_prompts_is_so_on_each_part(filled: Filled) -> None:
    """Few verdicts of a part tell little by themselves."""
    card = filled.card("kai")
    for prompt in ("one", "two", "three"):
        for pair in (("long", "short"), ("long", "middle"), ("middle", "short")):
            filled.verdict(card, prompt, *pair, Preference.A)
            filled.verdict(card, prompt, *pair[::-1], Preference.A)
    whole = gather(filled.store).reports["kai"]
    part = gather(filled.store, Group("category", "maths")).reports["kai"]
    assert (whole.objection is None) == (part.objection is None)
    assert part.pairs == (whole.pairs if whole.objection else 3)


def test_benchmarks_have_groups_of_their_own(filled: Filled) -> None:
    key = filled.answer("long", "one").model_key
    for name, dimension in (("mmlu", "knowledge"), ("gsm8k", "maths")):
        for model, value in (("long", 1.0), ("short", 0.0)):
            row = Outcome(model, key, name, "1", "item", "acc", value, dimension=dimension)
            filled.store.outcomes.add([row])
    assert set(gather(filled.store).objective) == {"mmlu", "gsm8k"}
    of_maths = gather(filled.store, Group("dimension", "maths"))
    assert set(of_maths.objective) == {"gsm8k"}
    assert {score.benchmark for score in of_maths.benchmarks} == {"gsm8k"}
    assert set(gather(filled.store, Group("category", "maths")).objective) == set()
    assert [g.value for g in groups(filled.store, "benchmark")] == ["gsm8k", "mmlu"]


@pytest.mark.parametrize(
    ("by", "values"),
    [
        ("category", ["knowledge", "maths", "writing"]),
        ("language", ["en", "zh"]),
        ("dimension", ["knowledge", "language", "maths"]),
        ("benchmark", []),
    ],
)
def test_what_there_is_to_group_by(filled: Filled, by: str, values: list[str]) -> None:
    assert [group.value for group in groups(filled.store, by)] == values


def test_what_nothing_is_grouped_by_is_named_with_what_is_allowed(filled: Filled) -> None:
    with pytest.raises(InputError, match="'colour'; allowed are category, language, dimension"):
        groups(filled.store, "colour")
    with pytest.raises(InputError, match="'colour'; allowed are length, headers"):
        gather(filled.store, style=["length", "colour"])


def test_comparisons_carry_the_styles_that_are_asked_for(filled: Filled) -> None:
    filled.vote("one", "long", "short")
    assert gather(filled.store).human.style == {}  # type: ignore[union-attr]
    c = gather(filled.store, style=["length"]).human
    assert c is not None
    long, short = (len("\n".join(filled.answer(m, "one").turns)) for m in ("long", "short"))
    assert c.style["length"].tolist() == [pytest.approx((long - short) / (long + short))]


# What is worth judging next.


def keys(filled: Filled, *battles: tuple[str, str, str]) -> set[tuple[str, str, str]]:
    return {(filled.prompt[prompt].key, *sorted(pair)) for prompt, *pair in battles}


def test_what_was_judged_is_not_proposed_again(filled: Filled, prompts: list[Prompt]) -> None:
    card = filled.card("kai")
    every = battles_worth_judging(filled.store, prompts, [], 100, ["kai"])
    assert len(every) == 9
    filled.both_orders(card, "one", "long", "short")
    left = battles_worth_judging(filled.store, prompts, [], 100, ["kai"])
    assert every - left == keys(filled, ("one", "long", "short"))


def test_what_was_begun_comes_first(filled: Filled, prompts: list[Prompt]) -> None:
    card = filled.card("kai")
    filled.verdict(card, "two", "middle", "short", Preference.A)
    found = battles_worth_judging(filled.store, prompts, [], 1, ["kai"])
    assert found == keys(filled, ("two", "middle", "short"))
    # Where one order is all that is wanted, it is whole.
    one_order = battles_worth_judging(filled.store, prompts, [], 100, ["kai"], both_orders=False)
    assert not one_order & keys(filled, ("two", "middle", "short"))


def test_a_battle_of_several_judges_is_begun_until_all_have_judged_it(
    filled: Filled, prompts: list[Prompt]
) -> None:
    filled.both_orders(filled.card("kai"), "one", "long", "short")
    filled.card("lea")
    both = battles_worth_judging(filled.store, prompts, [], 1, ["kai", "lea"])
    assert both == keys(filled, ("one", "long", "short"))


def test_only_the_named_models_and_prompts_are_proposed(
    filled: Filled, prompts: list[Prompt]
) -> None:
    found = battles_worth_judging(filled.store, prompts[:1], ["long", "short"], 10)
    assert found == keys(filled, ("one", "long", "short"))
    assert battles_worth_judging(filled.store, prompts, ["long"], 10) == frozenset()
