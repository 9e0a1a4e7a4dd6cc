"""Style control: ratings at equal length and markup, and the features it needs.

Covariates are differences between the two answers, scaled by their root mean square and
never centred: a centred difference is a hidden preference for one side.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter

import numpy as np

from arena.ratings.arrays import Floats, Ints, totals
from arena.ratings.comparisons import Comparisons, relative_difference
from arena.ratings.fitting.fitted import Fitted, fit_half
from arena.ratings.fitting.likelihood import with_prior
from arena.ratings.fitting.newton import LocalModel, minimise
from arena.records.errors import ConvergenceError, InputError

FENCE = re.compile(
    r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
HEADER = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+\S", re.MULTILINE)
ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
BOLD = re.compile(r"\*\*(?=\S)[^*\n]+?(?<=\S)\*\*|__(?=\S)[^_\n]+?(?<=\S)__")
STYLE_BLOCK = 32_768
FACTORS = 512
CODE_SPAN = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True, slots=True)
class Style:
    """What can be counted in an answer: characters, headers, list items, bold and code parts."""

    length: int
    headers: int
    lists: int
    bold: int
    code: int


STYLE_NAMES = tuple(column.name for column in fields(Style))
_counts = attrgetter(*STYLE_NAMES)


def style_of(text: str) -> Style:
    """Counts of one answer; markup inside fenced code is code, not markup."""
    prose, fences = FENCE.subn("", text)
    return Style(
        length=len(text),
        headers=len(HEADER.findall(prose)),
        lists=len(ITEM.findall(prose)),
        bold=len(BOLD.findall(prose)),
        code=fences + len(CODE_SPAN.findall(prose)),
    )


def style_differences(answers_a: Iterable[str], answers_b: Iterable[str]) -> dict[str, Floats]:
    """Covariates by name, (n,) each in [-1, 1]: (a - b) / (|a| + |b|), 0 where both are 0."""
    sides = list(answers_a), list(answers_b)
    # One answer may be in many battles.
    counts = {text: _counts(style_of(text)) for text in {*sides[0], *sides[1]}}
    a, b = (np.array([counts[text] for text in texts], dtype=np.float64).T for texts in sides)
    return {name: relative_difference(x, y) for name, x, y in zip(STYLE_NAMES, a, b, strict=True)}


@dataclass(frozen=True, eq=False)
class StyleFit(Fitted):
    """Bradley–Terry with covariates; extras are log-odds for one root mean square.

    scaled: (q, n) covariates over their root mean square.
    without: (m,) log-strengths of the same rows without the covariates.
    """

    scaled: Floats = field(default_factory=lambda: np.empty((0, 0)))
    without: Floats = field(default_factory=lambda: np.empty(0))

    def row_scores(self) -> tuple[Floats, Floats]:
        """See `Fitted`."""
        residual = np.empty(len(self.c))
        for rows, _, _, gap in _blocks(self.c, self.scaled, self.parameters):
            residual[rows] = self.c.outcome[rows] - _chance(gap)
        if self.c.row_weight is not None:
            residual *= self.c.row_weight
        return residual, (residual * self.scaled).T

    def independent_meat(self) -> Floats:
        """See `Fitted`; a row of weight w is w rows."""
        c, meat = self.c, _Squares(len(self.c.models), len(self.scaled))
        for rows, cell, block, gap in _blocks(c, self.scaled, self.parameters):
            square = (_chance(gap) - c.outcome[rows]) ** 2
            if c.weight is not None:
                square *= c.weight[rows]
            if c.importance is not None:
                square *= c.importance[rows] ** 2
            meat.add(cell, square, block)
        return meat.matrix()


def fit_style(c: Comparisons, names: Sequence[str], precision: Floats | None) -> StyleFit:
    """The most likely ratings and style effects, half a win for a tie."""
    scaled = _scaled(c, names)
    models = len(c.models)
    plain = fit_half(c, precision)

    def evaluate(x: Floats) -> LocalModel:
        return with_prior(style_local_model(c, scaled, x), x[:models], precision)

    played = c.pair_counts.played.sum(axis=1)
    size = np.append(played, np.full(len(names), played.sum() / 2.0))
    start = np.append(plain.theta, np.zeros(len(names)))
    try:
        x, local = minimise(evaluate, start, size, models)
    except ConvergenceError as error:
        raise ConvergenceError(
            f"{len(c)} comparisons do not tell the ratings apart from the effect of style "
            f"({', '.join(names)}): outcomes follow it nearly without exception. Compare more, or "
            "use fewer style columns."
        ) from error
    return StyleFit(c, x, local.hessian, precision, tuple(names), scaled, plain.theta)


def _scaled(c: Comparisons, names: Sequence[str]) -> Floats:
    """(q, n) covariates over their root mean square."""
    scaled = np.empty((len(names), len(c)))
    for row, name in zip(scaled, names, strict=True):
        column = c.covariate(name)
        size = np.sqrt(_mean_square(column, c.weight))
        if size == 0.0:
            raise InputError(f"style column {name!r} is zero in every row; leave it out.")
        np.divide(column, size, out=row)
    return scaled


def _mean_square(column: Floats, weight: Floats | None) -> float:
    if weight is None:
        return float(column @ column) / len(column)
    return float((column * weight) @ column / weight.sum())


def style_local_model(c: Comparisons, scaled: Floats, x: Floats) -> LocalModel:
    """Minus the log-likelihood at ratings and effects x (m + q,), with derivatives."""
    models, q = len(c.models), len(scaled)
    hessian, pushed, by_effect = _Squares(models, q), np.zeros(models * models), np.zeros(q)
    value = 0.0
    for rows, cell, block, gap in _blocks(c, scaled, x):
        outcome, p = c.outcome[rows], _chance(gap)
        residual, curve = p - outcome, p * (1.0 - p)
        weight = None if c.row_weight is None else c.row_weight[rows]
        if weight is not None:
            residual, curve = residual * weight, curve * weight
        value += _loss(gap, outcome, p, weight)
        by_effect += block @ residual
        pushed += totals(cell, residual, len(pushed))
        hessian.add(cell, curve, block)
    net = pushed.reshape(models, models)
    by_model = net.sum(axis=1) - net.sum(axis=0)
    return LocalModel(value, np.append(by_model, by_effect), hessian.matrix())


def _chance(gap: Floats) -> Floats:
    """Probability that the first side wins."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * gap))


def _loss(gap: Floats, outcome: Floats, p: Floats, weight: Floats | None) -> float:
    """Minus the log-likelihood of rows, in a form that never overflows."""
    likelier, unlikely = np.maximum(p, 1.0 - p), np.maximum(gap, 0.0) - outcome * gap
    if weight is not None:
        return float(weight @ (unlikely - np.log(likelier)))
    # One logarithm for many factors, each at least one half.
    whole = len(p) // FACTORS * FACTORS
    products = np.multiply.reduce(likelier[:whole].reshape(FACTORS, -1), axis=0)
    return float(unlikely.sum() - np.log(products).sum() - np.log(likelier[whole:]).sum())


def _blocks(
    c: Comparisons, scaled: Floats, x: Floats
) -> Iterator[tuple[slice, Ints, Floats, Floats]]:
    """Rows, their ordered pair, their covariates (q, rows) and log-odds at x (m + q,).

    Few enough at once to stay in the processor's cache.
    """
    models = len(c.models)
    apart = np.subtract.outer(x[:models], x[:models]).ravel()
    for start in range(0, len(c), STYLE_BLOCK):
        rows = slice(start, start + STYLE_BLOCK)
        cell = np.multiply(c.i[rows], models, dtype=np.intp)
        cell += c.j[rows]
        block = scaled[:, rows]
        yield rows, cell, block, apart.take(cell) + x[models:] @ block


class _Squares:
    """The sum of v z zᵀ over rows, where z is 1 for one model, -1 for the other, and covariates."""

    def __init__(self, models: int, q: int) -> None:
        self._models = models
        self._pairs = np.zeros((1 + q, models * models))
        self._effects = np.zeros((q, q))

    def add(self, cell: Ints, v: Floats, covariates: Floats) -> None:
        """Add rows of these ordered pairs; v: (n,), covariates: (q, n)."""
        weighted = v * covariates
        for k, column in enumerate(weighted):
            self._effects[k] += covariates @ column
        for total, column in zip(self._pairs, (v, *weighted), strict=True):
            total += totals(cell, column, len(total))

    def matrix(self) -> Floats:
        """(m + q, m + q)."""
        sums = self._pairs.reshape(-1, self._models, self._models)
        both = sums[0] + sums[0].T
        border = sums[1:].sum(axis=2) - sums[1:].sum(axis=1)
        ratings = np.diag(both.sum(axis=1)) - both
        return np.block([[ratings, border.T], [border, self._effects]])
