"""The figures at the top: what counts, and what is stored beside it."""

from dataclasses import replace
from itertools import count, islice

import pytest

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.evidence.counted_judgements import NotCounted
from arena.leaderboard.unranked import ranked_or_not
from arena.publish.page import render
from arena.publish.stats import Figure, figures
from arena.ratings.fitting.connectivity import Unrated
from arena.records import Evidence, Judge, Preference, Score, Verdict
from arena.store import Store
from arena.store.archive import Archivable

serial = count()


def judged(store: Store, card: str, *said: Preference) -> None:
    """One pair a verdict, by that card of the judge `smollm2`."""
    store.judges.add([Judge(card, "smollm2", "{}")])
    pairs = zip(store.answers.where(model="hot"), store.answers.where(model="warm"), strict=True)
    store.verdicts.add(
        Verdict(f"v{next(serial)}", "smollm2", card, a.prompt_key, a.key, b.key, verdict)
        for verdict, (a, b) in zip(said, pairs, strict=False)
    )


def figure(store: Store, board: Leaderboard, kind: str) -> Figure:
    return next(one for one in figures(store, board) if one.kind == kind)


def test_verdicts_of_an_older_card_and_unread_ones_stand_beside(
    filled: Store, board: Leaderboard
) -> None:
    judged(filled, "old", *[Preference.UNPARSED] * 4, Preference.A)
    judged(filled, "new", Preference.A, Preference.B, Preference.TIE, Preference.UNPARSED)
    assert figure(filled, board, "verdicts") == Figure(
        "verdicts", 3, 6, {NotCounted.OLDER_CARD: 5, NotCounted.UNREAD: 1}
    )


def test_a_verdict_whose_other_order_could_not_be_read_stands_beside(
    filled: Store, board: Leaderboard
) -> None:
    """The ranking leaves out the pair."""
    judged(filled, "card", Preference.A, Preference.B)
    first, second = islice(
        zip(filled.answers.where(model="warm"), filled.answers.where(model="hot"), strict=True), 2
    )
    filled.verdicts.add(
        Verdict(f"back {k}", "smollm2", "card", a.prompt_key, a.key, b.key, said)
        for k, ((a, b), said) in enumerate(((first, Preference.UNPARSED), (second, Preference.A)))
    )
    reasons = {NotCounted.UNREAD: 1, NotCounted.HALF: 1}
    assert figure(filled, board, "verdicts") == Figure("verdicts", 2, 2, reasons)
    assert "of pairs whose other order was unreadable" in render(filled, board, title="Arena")


def test_verdicts_of_a_judge_that_the_ranking_leaves_out_stand_beside(
    filled: Store, board: Leaderboard
) -> None:
    judged(filled, "card", Preference.A, Preference.B, Preference.UNPARSED)
    nobody = replace(board, judges=())
    assert figure(filled, nobody, "verdicts") == Figure("verdicts", 0, 3, {NotCounted.LEFT_OUT: 3})
    page = render(filled, nobody, title="Arena")
    assert "3 more not counted: " in page
    assert "来自未计入榜单的裁判" in page


def test_what_was_asked_again_or_archived_stands_beside(filled: Store, board: Leaderboard) -> None:
    judged(filled, "card", Preference.A, Preference.B)
    judged(filled, "card", Preference.B)  # the first pair once more
    assert figure(filled, board, "verdicts") == Figure("verdicts", 2, 1, {NotCounted.REPLACED: 1})
    filled.archive.put(Archivable.JUDGE, "smollm2")
    assert figure(filled, board, "verdicts") == Figure("verdicts", 0, 3, {NotCounted.REPLACED: 3})


@pytest.mark.parametrize("allow", [True, False])
def test_a_ranking_names_the_judges_that_the_gate_lets_in(filled: Store, allow: bool) -> None:
    judged(filled, "card", *[Preference.A] * 8)
    back = zip(filled.answers.where(model="warm"), filled.answers.where(model="hot"), strict=True)
    filled.verdicts.add(  # the first one wins in both orders of all pairs
        Verdict(f"b{k}", "smollm2", "card", a.prompt_key, a.key, b.key, Preference.A)
        for k, (a, b) in enumerate(back)
    )
    found, _ = ranked_or_not(filled, Policy(allow_weak_judges=allow))
    assert found.judges == (("smollm2",) if allow else ())
    assert figure(filled, found, "verdicts").number == (16 if allow else 0)


def test_scores_are_shown_where_there_are_some(filled: Store, board: Leaderboard) -> None:
    assert "scores" not in {one.kind for one in figures(filled, board)}
    filled.judges.add([Judge("card", "marker", "{}")])
    answers = list(filled.answers.where(model="hot"))[:3]
    filled.scores.add(
        Score(f"s{i}", "marker", "card", answer.prompt_key, answer.key, value)
        for i, (answer, value) in enumerate(zip(answers, (4.0, None, 2.0), strict=True))
    )
    assert figure(filled, replace(board, judges=("marker",)), "scores") == Figure(
        "scores", 2, 1, {NotCounted.UNREAD: 1}
    )


@pytest.mark.parametrize(
    ("kind", "number"), [("models", 4), ("prompts", 8), ("answers", 32), ("votes", 0)]
)
def test_all_else_counts(filled: Store, board: Leaderboard, kind: str, number: int) -> None:
    assert figure(filled, board, kind) == Figure(kind, number)


def test_votes_that_do_not_count_stand_beside(voted: Store, board: Leaderboard) -> None:
    board.counts["votes"] = 10
    assert figure(voted, board, "votes") == Figure("votes", 10, beside=2)


def test_votes_that_wait_count_for_nobody_yet(voted: Store, board: Leaderboard) -> None:
    """Judges or benchmarks make the combined ranking without them."""
    whole = replace(board, counts={}, evidence=Evidence.COMBINED)
    assert figure(voted, whole, "votes") == Figure("votes", 0, beside=12)
    assert figure(voted, replace(whole, evidence=Evidence.JUDGE), "votes") == Figure("votes", 12)


def test_a_model_that_is_not_rated_stands_beside(filled: Store, board: Leaderboard) -> None:
    """It stands in other tables of the page, such as that of the benchmarks."""
    *rated, last = board.rows
    fewer = replace(board, rows=tuple(rated), unrated=(Unrated(last.model, 1, 4, apart=False),))
    assert figure(filled, fewer, "models") == Figure("models", 3, beside=1)
    assert "1 more not rated" in render(filled, fewer, title="Arena")
    filled.archive.put(Archivable.MODEL, last.model)
    assert figure(filled, replace(fewer, unrated=()), "models") == Figure("models", 3)
