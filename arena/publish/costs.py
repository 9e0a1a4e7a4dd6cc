"""Quality beside cost and speed: the charts, and the table of what each model takes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from arena.leaderboard.board import Leaderboard, ModelFacts, Row
from arena.leaderboard.contrasts import Point
from arena.leaderboard.facts import facts_of
from arena.leaderboard.formats import ranked
from arena.leaderboard.tradeoffs import COST, SECONDS, Tradeoff, tradeoff
from arena.publish.chart import Axis, axis_over
from arena.publish.scatter import MOST_NAMES, Name, placed
from arena.records import Model

_MARGIN = 0.06
_TICKS = 6
_MOST_LEADS = 2.0  # powers of ten that an axis may span and still have ticks at 2 and 5


@dataclass(frozen=True, slots=True)
class Amounts:
    """An axis of amounts: ticks as per cent from its beginning, each with its label."""

    axis: Axis
    by_factors: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, amount: float) -> float:
        """Per cent from the beginning."""
        return self.axis.place(math.log10(amount) if self.by_factors else amount)


@dataclass(frozen=True, slots=True)
class Chart:
    """One trade-off. front: where the line through the efficient models goes, as SVG points."""

    found: Tradeoff
    x: Amounts
    y: Axis
    names: tuple[Name, ...]

    @property
    def front(self) -> list[tuple[float, float]]:
        """The efficient models' places, in per cent from the left and the top."""
        return [
            (self.x.place(point.takes), 100 - self.y.place(point.row.rating))
            for point in self.found.front
        ]


@dataclass(frozen=True, slots=True)
class FactColumn:
    """One column of the table: its heading in both languages, and the text of each model."""

    english: str
    chinese: str
    cells: dict[str, str]
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Costs:
    """What is known of the models beside their ratings; empty columns are left out."""

    charts: tuple[Chart, ...]
    models: tuple[str, ...]
    columns: tuple[FactColumn, ...]


def costs(board: Leaderboard, models: Sequence[Model] = ()) -> Costs:
    """The charts and the table of a ranking. models: as stored, for what the ranking has not."""
    facts = {model.name: facts_of(model) for model in models} | dict(board.facts)
    charts = (chart_of(found) for what in (COST, SECONDS) if (found := tradeoff(board, what)))
    names = tuple(row.model for row in ranked(board))
    known = {name: facts[name] for name in names if name in facts}
    columns = (_column(known, *said) for said in _COLUMNS)
    return Costs(tuple(charts), names, tuple(column for column in columns if column.cells))


def chart_of(found: Tradeoff) -> Chart:
    """Where everything of a trade-off stands."""
    x = amounts([point.takes for point in found.points], found.by_factors)
    rows = [point.row for point in found.points]
    y = axis_over([end for row in rows for end in (row.ci_low, row.rating, row.ci_high)])
    few = len(found.points) <= MOST_NAMES
    named = [
        _at(point.row, math.log10(point.takes) if x.by_factors else point.takes)
        for point in found.points
        if few or point.efficient
    ]
    return Chart(found, x, y, placed(named, x.axis, y))


def _at(row: Row, x: float) -> Point:
    return Point(row.model, x, row.rating, 0.0, 0.0, 0.0, off=False)


def amounts(values: Sequence[float], by_factors: bool) -> Amounts:
    """An axis that holds these amounts, from 0 or by factors, with round ticks."""
    most = max(values)
    if not by_factors:
        high = (most or 1.0) * (1 + _MARGIN)
        step = _step(high)
        marks = [step * k for k in range(math.floor(high / step) + 1)]
        return _axis(0.0, high, [(mark, mark) for mark in marks], by_factors)
    low, high = math.log10(min(values)), math.log10(most)
    low, high = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    leads = (1, 2, 5) if high - low < _MOST_LEADS else (1,)
    marks = [lead * 10.0**p for p in range(math.floor(low), math.ceil(high) + 1) for lead in leads]
    return _axis(low, high, [(math.log10(mark), mark) for mark in marks], by_factors)


def _axis(
    low: float, high: float, marks: Sequence[tuple[float, float]], by_factors: bool
) -> Amounts:
    axis = Axis(low, high, ())
    ticks = [(axis.place(at), f"{mark:g}") for at, mark in marks if low <= at <= high]
    return Amounts(axis, by_factors, tuple(ticks))


def _step(width: float) -> float:
    """The least of …, 0.1, 0.2, 0.5, 1, … that makes no more than _TICKS steps."""
    start = math.floor(math.log10(width)) - 1
    steps = (lead * 10.0**power for power in count(start) for lead in (1, 2, 5))
    return next(step for step in steps if step * _TICKS >= width)


def _column(
    known: Mapping[str, ModelFacts],
    english: str,
    chinese: str,
    show: Callable[[ModelFacts], str | None],
    is_number: bool = True,
) -> FactColumn:
    shown = {model: text for model, facts in known.items() if (text := show(facts))}
    return FactColumn(english, chinese, shown, is_number)


def _price(facts: ModelFacts) -> str | None:
    if facts.input_price is None or facts.output_price is None:
        return None
    return f"${facts.input_price:g} / ${facts.output_price:g}"


def _rounded(name: str, form: str) -> Callable[[ModelFacts], str | None]:
    """What one field shows, rounded for reading."""

    def show(facts: ModelFacts) -> str | None:
        value = getattr(facts, name)
        return None if value is None else form.format(value)

    return show


_COLUMNS: tuple[tuple[str, str, Callable[[ModelFacts], str | None], bool], ...] = (
    ("$ per million tokens", "每百万词元价格", _price, True),
    ("$ per 1,000 answers", "每千个回答", _rounded("cost_per_1000", "${:.3g}"), True),
    ("First token", "首个词元", _rounded("first_token", "{:.3g} s"), True),
    ("Whole answer", "整个回答", _rounded("seconds", "{:.3g} s"), True),
    ("Tokens a second", "每秒词元", _rounded("tokens_per_second", "{:,.3g}"), True),
    ("Thinking tokens", "思考词元", _rounded("thinking_tokens", "{:,.0f}"), True),
    ("Answer tokens", "回答词元", _rounded("answer_tokens", "{:,.0f}"), True),
    ("No answer", "未作答", _rounded("no_answer", "{:.1%}"), True),
    ("Context", "上下文", _rounded("context_length", "{:,}"), True),
    ("Organisation", "机构", _rounded("organization", "{}"), False),
    ("Licence", "许可证", _rounded("license", "{}"), False),
    ("Released", "发布日期", _rounded("released", "{}"), False),
)
