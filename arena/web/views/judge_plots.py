"""Charts of judges' report cards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.judging.report_card.orders import FLIP_LIMIT
from arena.leaderboard.judge_audit import JudgeAudit
from arena.web.views.figures import (
    ACCENT,
    COLOURS,
    INK,
    MOST_LINES,
    WARNING,
    figure_of,
    in_lines,
    labels,
    whiskers,
)
from arena.web.views.words import Words

MOST_PAIRS = 20
PAIR = 34  # pixels: the two names stand beneath each other


def measures(cards: Sequence[JudgeAudit], measures: Sequence[str], words: Words) -> Any:
    """One measure a row, one judge a colour, with intervals; None where there is none of them."""
    known = {name for card in cards for name, found in card.measures() if found.value is not None}
    if not known & set(measures):
        return None
    figure = figure_of(height=120 + len(measures) * max(46, 18 * len(cards)))
    names = [in_lines(words[f"m_{measure}"]) for measure in measures]
    for k, card in enumerate(cards[:MOST_LINES]):
        found = dict(card.measures())
        shown = [(n, found[m]) for n, m in zip(names, measures, strict=True) if m in found]
        kept = [
            (n, m.value, m.value if m.low is None else m.low, m.value if m.high is None else m.high)
            for n, m in shown
            if m.value is not None
        ]
        figure.add_scatter(
            x=[value for _, value, _, _ in kept],
            y=[n for n, *_ in kept],
            name=in_lines(card.judge),
            mode="markers",
            marker={"color": COLOURS[k], "size": 9, "symbol": k},
            error_x=whiskers([(low, value, high) for _, value, low, high in kept], COLOURS[k]),
            hovertemplate="%{y}: %{x:.1%}",
        )
    figure.update_layout(
        showlegend=True, scattermode="group", legend={"orientation": "h", "y": -0.12}
    )
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
    return figure


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A pair of models: a figure with its interval, of n pairs of answers."""

    models: tuple[str, str]
    value: float
    low: float
    high: float
    n: int


def flips_by_pair(card: JudgeAudit, words: Words) -> Any:
    """The pairs of models whose verdicts change most often with the order of the answers.

    In the order of the lower ends of their intervals, so that a few cases do not stand for many.
    """
    rows = [
        PlotLine(bias.models, found.value, found.low, found.high, found.n)
        for bias in card.by_models
        for found in [bias.flips]
        if found.value is not None and found.low is not None and found.high is not None
    ]
    rows = sorted(rows, key=lambda row: -row.low)[:MOST_PAIRS]
    if not rows:
        return None
    figure = _pairs(rows, words["m_flip_rate"], lambda row: row.low > FLIP_LIMIT)
    figure.add_vline(x=FLIP_LIMIT, line={"color": INK, "dash": "dot", "width": 1})
    return figure.update_xaxes(range=[-0.02, 1.02])


def length_by_pair(card: JudgeAudit, words: Words) -> Any:
    """The pairs of models in which the preferred answer is longer, or shorter, by most.

    In the order of how far their intervals are from no difference.
    """
    rows = [
        PlotLine(bias.models, found.value, found.low, found.high, found.n)
        for bias in card.by_models
        for found in [bias.longer]
        if found.value is not None and found.low is not None and found.high is not None
    ]
    rows = sorted(rows, key=lambda row: -max(row.low, -row.high))[:MOST_PAIRS]
    if not rows:
        return None
    figure = _pairs(rows, words["longer_by"], lambda row: row.low > 0 or row.high < 0)
    return figure.add_vline(x=0, line={"color": INK, "dash": "dot", "width": 1})


BY_PAIR: Mapping[str, Callable[[JudgeAudit, Words], Any]] = {
    "flips_by_pair": flips_by_pair,
    "length_by_pair": length_by_pair,
}


def _pairs(rows: Sequence[PlotLine], title: str, marked: Callable[[PlotLine], bool]) -> Any:
    """One pair of models a row, the worst on top; those that are marked in a warning colour."""
    figure = figure_of(title, height=90 + PAIR * max(3, len(rows)))
    known = labels(name for row in rows for name in row.models)
    for colour, is_marked in ((ACCENT, False), (WARNING, True)):
        here = [row for row in rows if marked(row) is is_marked]
        figure.add_scatter(
            x=[row.value for row in here],
            y=[_names(row, known) for row in here],
            customdata=[(row.low, row.high, row.n) for row in here],
            mode="markers",
            marker={"color": colour, "size": 9},
            error_x=whiskers([(row.low, row.value, row.high) for row in here], colour),
            hovertemplate="%{x:.0%} (%{customdata[0]:.0%} – %{customdata[1]:.0%}, "
            "n = %{customdata[2]})<extra></extra>",
        )
    figure.update_xaxes(tickformat=".0%")
    order = [_names(row, known) for row in rows]
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=order)
    return figure


def _names(row: PlotLine, known: Mapping[str, str]) -> str:
    return "<br>".join(known[name] for name in row.models)
