"""A judge's leanings by pair of models, as charts."""

import pytest

from arena.judging.report_card.audit import AuditPair, audit
from arena.judging.report_card.measures import Measure, share_of
from arena.judging.report_card.pair_bias import PairBias
from arena.leaderboard.judge_audit import JudgeAudit
from arena.records import Preference
from arena.web.pages.judges import CHARTS
from arena.web.views.figures import ACCENT, WARNING, in_lines
from arena.web.views.judge_plots import BY_PAIR, MOST_PAIRS, measures
from arena.web.views.words import WORDS


def card(*biases: PairBias) -> JudgeAudit:
    return JudgeAudit("j", 9, audit([]), by_models=biases)


def rate(hits: int, cases: int) -> Measure:
    return share_of([True] * hits + [False] * (cases - hits))


def bias(name: str, flips: Measure, longer: Measure | None = None) -> PairBias:
    return PairBias((name, "z"), flips, longer or Measure())


def rows(figure: object, colour: str) -> list[str]:
    return [
        name
        for trace in figure.data  # type: ignore[attr-defined]
        if trace.marker.color == colour
        for name in trace.y
    ]


def test_pairs_that_surely_flip_too_often_come_first_and_are_marked() -> None:
    figure = BY_PAIR["flips_by_pair"](
        card(
            bias("a", rate(1, 1)),  # one case tells little
            bias("b", rate(45, 50)),
            bias("c", rate(0, 50)),
            bias("d", Measure()),
        ),
        WORDS["en"],
    )
    assert list(figure.layout.yaxis.categoryarray) == ["b<br>z", "a<br>z", "c<br>z"]
    assert rows(figure, WARNING) == ["b<br>z"]
    assert rows(figure, ACCENT) == ["a<br>z", "c<br>z"]


def test_pairs_with_a_sure_difference_in_length_come_first_whichever_way() -> None:
    flips = rate(0, 9)
    figure = BY_PAIR["length_by_pair"](
        card(
            bias("a", flips, Measure(0.9, -0.2, 3.0, 9)),
            bias("b", flips, Measure(-0.4, -0.5, -0.3, 9)),
            bias("c", flips, Measure(0.2, 0.1, 0.3, 9)),
            bias("d", flips, Measure(0.2, None, None, 1)),
        ),
        WORDS["zh"],
    )
    assert list(figure.layout.yaxis.categoryarray) == ["b<br>z", "c<br>z", "a<br>z"]
    assert rows(figure, WARNING) == ["b<br>z", "c<br>z"]


@pytest.mark.parametrize("name", list(BY_PAIR))
def test_of_many_models_the_worst_pairs_are_shown(name: str) -> None:
    models = [f"model {k:02}" for k in range(60)]
    many = [
        PairBias((a, b), rate((i + k) % 9, 9), Measure(0.1, (i - k) / 99, 0.9, 8))
        for i, a in enumerate(models)
        for k, b in enumerate(models[:i])
    ]
    figure = BY_PAIR[name](card(*many), WORDS["en"])
    assert len(figure.layout.yaxis.categoryarray) == MOST_PAIRS
    assert figure.layout.height < 900
    assert BY_PAIR[name](card(), WORDS["en"]) is None


def test_a_chart_of_nothing_is_none() -> None:
    """A judge without people's votes agrees with nobody, but may have a first slot."""
    judged = [AuditPair(item, Preference.A, Preference.A) for item in "pqr"]
    cards = [JudgeAudit("j", 3, audit(judged))]
    assert measures(cards, CHARTS["agreement"], WORDS["en"]) is None
    figure = measures(cards, CHARTS["position"], WORDS["en"])
    assert in_lines(WORDS["en"]["m_flip_rate"]) in figure.data[0].y
