"""The figures at the top: what counts, and what is stored beside it."""

from itertools import count

import pytest

from arena.leaderboard.board import Leaderboard
from arena.publish.stats import Figure, figures
from arena.records import Judge, Preference, Score, Verdict
from arena.store import Store

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
    assert figure(filled, board, "verdicts") == Figure("verdicts", 3, beside=6)


def test_scores_are_shown_where_there_are_some(filled: Store, board: Leaderboard) -> None:
    assert "scores" not in {one.kind for one in figures(filled, board)}
    filled.judges.add([Judge("card", "marker", "{}")])
    answers = list(filled.answers.where(model="hot"))[:3]
    filled.scores.add(
        Score(f"s{i}", "marker", "card", answer.prompt_key, answer.key, value)
        for i, (answer, value) in enumerate(zip(answers, (4.0, None, 2.0), strict=True))
    )
    assert figure(filled, board, "scores") == Figure("scores", 2, beside=1)


@pytest.mark.parametrize(
    ("kind", "number"), [("models", 4), ("prompts", 8), ("answers", 32), ("votes", 0)]
)
def test_all_else_counts(filled: Store, board: Leaderboard, kind: str, number: int) -> None:
    assert figure(filled, board, kind) == Figure(kind, number)


def test_votes_that_do_not_count_stand_beside(voted: Store, board: Leaderboard) -> None:
    board.counts["votes"] = 10
    assert figure(voted, board, "votes") == Figure("votes", 10, beside=2)
