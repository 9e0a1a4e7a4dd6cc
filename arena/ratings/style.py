"""Style control: ratings at equal length and markup, and the features it needs.

Covariates are differences between the two answers, scaled by their root mean square and
never centred: a centred difference is a hidden preference for one side.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, fields

import numpy as np

from arena.errors import InputError
from arena.ratings import sandwich
from arena.ratings.arrays import Floats, totals
from arena.ratings.comparisons import Comparisons, relative_difference
from arena.ratings.fitted import Fitted, fit_half
from arena.ratings.likelihood import with_prior
from arena.ratings.newton import LocalModel, minimise

FENCE = re.compile(
    r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
HEADER = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+\S", re.MULTILINE)
ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
BOLD = re.compile(r"\*\*(?=\S)[^*\n]+?(?<=\S)\*\*|__(?=\S)[^_\n]+?(?<=\S)__")
STYLE_BLOCK = 32_768
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
    a, b = (
        np.array([astuple(style_of(text)) for text in texts], dtype=np.float64).T
        for texts in (answers_a, answers_b)
    )
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
        models = len(self.c.models)
        beta = self.parameters[models:]
        cell = self.c.i * np.int32(models) + self.c.j
        gap = np.subtract.outer(self.theta, self.theta).ravel().take(cell) + beta @ self.scaled
        residual = self.c.outcome - _expected(gap)[0]
        if self.c.row_weight is not None:
            residual *= self.c.row_weight
        return residual, (residual * self.scaled).T

    def independent_meat(self) -> Floats:
        """See `Fitted`; a row of weight w is w rows."""
        residual, extra = self.row_scores()
        if self.c.weight is not None:
            root = np.sqrt(self.c.weight)
            residual, extra = residual / root, extra / root[:, None]
        return sandwich.row_meat(self.c.i, self.c.j, residual, len(self.c.models), extra)


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
    x, local = minimise(evaluate, start, size, models)
    return StyleFit(c, x, local.hessian, precision, tuple(names), scaled, plain.theta)


def _scaled(c: Comparisons, names: Sequence[str]) -> Floats:
    """(q, n) covariates over their root mean square."""
    scaled = np.empty((len(names), len(c)))
    for row, name in zip(scaled, names, strict=True):
        column = c.covariate(name)
        size = np.sqrt(np.average(column**2, weights=c.weight))
        if size == 0.0:
            raise InputError(f"style column {name!r} is zero in every row; leave it out.")
        np.divide(column, size, out=row)
    return scaled


def style_local_model(c: Comparisons, scaled: Floats, x: Floats) -> LocalModel:
    """Minus the log-likelihood at ratings and effects x (m + q,), with derivatives."""
    models, q = len(c.models), len(scaled)
    sums = np.zeros((2 + q, models * models))
    value, by_effect, effects = 0.0, np.zeros(q), np.zeros((q, q))
    apart = np.subtract.outer(x[:models], x[:models]).ravel()
    for start in range(0, len(c), STYLE_BLOCK):
        rows = slice(start, start + STYLE_BLOCK)
        cell = c.i[rows] * np.int32(models) + c.j[rows]
        block, outcome = scaled[:, rows], c.outcome[rows]
        gap = apart.take(cell) + x[models:] @ block
        p, loss = _expected(gap)
        residual, curve = p - outcome, p * (1.0 - p)
        loss -= outcome * gap
        if c.row_weight is not None:
            weight = c.row_weight[rows]
            residual, curve, loss = residual * weight, curve * weight, loss * weight
        value += float(loss.sum())
        by_effect += block @ residual
        effects += (block * curve) @ block.T
        for k, column in enumerate((residual, curve, *(block * curve))):
            sums[k] += totals(cell, column, models * models)
    return _assembled(value, sums.reshape(-1, models, models), by_effect, effects)


def _expected(gap: Floats) -> tuple[Floats, Floats]:
    """1 / (1 + e^-gap) and log(1 + e^gap), in the form that is fast and never overflows."""
    likelier = 1.0 / (1.0 + np.exp(-np.abs(gap)))
    loss = np.maximum(gap, 0.0) - np.log(likelier)
    return 0.5 + np.copysign(likelier - 0.5, gap), loss


def _assembled(value: float, sums: Floats, by_effect: Floats, effects: Floats) -> LocalModel:
    """sums: (2 + q, m, m) by ordered pair: residuals, curvatures, curvatures by covariate."""
    net = sums.sum(axis=2) - sums.sum(axis=1)
    curve = sums[1] + sums[1].T
    ratings = np.diag(curve.sum(axis=1)) - curve
    return LocalModel(
        value,
        np.append(net[0], by_effect),
        np.block([[ratings, net[2:].T], [net[2:], effects]]),
    )
