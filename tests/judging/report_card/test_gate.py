"""Which judges make a ranking: told by enough pairs and votes, and by nothing less."""

import pytest

from arena.judging.report_card.measures import Measure, share_of
from arena.judging.report_card.orders import JudgeReport

NONE = Measure()


def report(*, agrees: Measure = NONE, flips: Measure = NONE) -> JudgeReport:
    return JudgeReport("j", 10, 0, flips, NONE, NONE, agrees)


def share(hits: float, n: int) -> Measure:
    return share_of([k < round(hits * n) for k in range(n)])


@pytest.mark.parametrize(
    ("agrees", "n", "objects", "doubts"),
    [
        (0.67, 3, False, True),
        (0.33, 3, False, True),
        (0.5, 30, False, True),
        (0.7, 30, False, False),
        (0.2, 30, True, False),  # worse than chance
        (0.5, 300, True, False),
        (0.55, 300, False, True),
        (0.6, 300, False, False),
        (0.57, 5000, False, False),
        (0.5, 5000, True, False),
        (0.0, 300, True, False),
    ],
)
def test_agreement_with_people(agrees: float, n: int, objects: bool, doubts: bool) -> None:
    found = report(agrees=share(agrees, n))
    assert (found.objection is not None) == objects
    assert (found.doubt is not None) == doubts


@pytest.mark.parametrize(
    ("flips", "n", "objects", "doubts"),
    [
        (1.0, 1, False, True),
        (0.5, 2, False, True),
        (1.0, 20, True, False),
        (0.4, 20, False, True),
        (0.4, 2000, True, False),
        (0.3, 20, False, False),
        (0.0, 300, False, False),
    ],
)
def test_the_order_of_the_answers(flips: float, n: int, objects: bool, doubts: bool) -> None:
    found = report(flips=share(flips, n))
    assert (found.objection is not None) == objects
    assert (found.doubt is not None) == doubts


def test_without_votes_nothing_is_said_of_agreement() -> None:
    assert (report().objection, report().doubt) == (None, None)


def test_many_verdicts_on_one_prompt_are_few() -> None:
    """300 pairs on three prompts, all of one kind within each, say as much as three."""
    agrees = share_of([k < 100 for k in range(300)], [k // 100 for k in range(300)])
    assert report(agrees=agrees).objection is None
    assert report(agrees=agrees).doubt is not None
