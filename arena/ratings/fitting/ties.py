"""Bradley–Terry with a probability of its own for ties, on pair counts.

Davidson (1970): win, tie and loss are proportional to e^(d/2), ν and e^(-d/2), where d is
the difference of the log-strengths; the extra parameter is log ν.
Rao and Kupper (1967): a win needs d to exceed a threshold, P(win) = 1 / (1 + e^(κ - d)); the
extra parameter is κ, the logarithm of their θ.
"""

from dataclasses import dataclass

import numpy as np

from arena.ratings.arrays import Floats
from arena.ratings.comparisons import Comparisons
from arena.ratings.fitting.fitted import Fitted
from arena.ratings.fitting.likelihood import with_prior
from arena.ratings.fitting.newton import LocalModel, minimise
from arena.ratings.pairs import PairCounts
from arena.records import setting
from arena.records.errors import InputError, RatingError


@dataclass(frozen=True, eq=False)
class Terms:
    """Log-probabilities of win, tie and loss for every pair: (3, m, m) each.

    by_gap, by_tie: first derivatives by d and by the tie parameter.
    gap_gap, gap_tie, tie_tie: minus the second derivatives.
    """

    log_p: Floats
    by_gap: Floats
    by_tie: Floats
    gap_gap: Floats
    gap_tie: Floats
    tie_tie: Floats


def davidson_terms(d: Floats, log_nu: float) -> Terms:
    """The terms at differences d (m, m) and tie parameter log ν."""
    logits = np.stack([d / 2.0, np.full_like(d, log_nu), -d / 2.0])
    log_p = logits - np.logaddexp.reduce(logits, axis=0)
    win, tie, loss = np.exp(log_p)
    mean = (win - loss) / 2.0
    ones = np.ones((3, 1, 1))
    return Terms(
        log_p=log_p,
        by_gap=np.array([0.5, 0.0, -0.5])[:, None, None] - mean,
        by_tie=np.array([0.0, 1.0, 0.0])[:, None, None] - tie,
        gap_gap=ones * ((win + loss) / 4.0 - mean**2),
        gap_tie=ones * (-mean * tie),
        tie_tie=ones * (tie * (1.0 - tie)),
    )


def rao_kupper_terms(d: Floats, kappa: float) -> Terms:
    """The terms at differences d (m, m) and threshold κ > 0."""
    log_win, log_loss = -np.logaddexp(0.0, kappa - d), -np.logaddexp(0.0, kappa + d)
    win, loss = np.exp(log_win), np.exp(log_loss)
    curve_win, curve_loss = win * (1.0 - win), loss * (1.0 - loss)
    both = curve_win + curve_loss
    growth = np.expm1(2.0 * kappa)
    return Terms(
        log_p=np.stack([log_win, np.log(growth) + log_win + log_loss, log_loss]),
        by_gap=np.stack([1.0 - win, loss - win, loss - 1.0]),
        by_tie=np.stack([win - 1.0, 2.0 * (growth + 1.0) / growth - 2.0 + win + loss, loss - 1.0]),
        gap_gap=np.stack([curve_win, both, curve_loss]),
        gap_tie=np.stack([-curve_win, curve_loss - curve_win, curve_loss]),
        tie_tie=np.stack([curve_win, both + 4.0 * (growth + 1.0) / growth**2, curve_loss]),
    )


TERMS = {"davidson": davidson_terms, "rao-kupper": rao_kupper_terms}
EXTRA = {"davidson": "log ν", "rao-kupper": "κ"}
HALF = setting("ties", "half")


@dataclass(frozen=True, eq=False)
class TieFit(Fitted):
    """A fitted model with a tie parameter."""

    model: str = "davidson"

    def row_scores(self) -> tuple[Floats, Floats | None]:
        """See `Fitted`."""
        terms = self._terms()
        cell = (2 - np.round(2 * self.c.outcome).astype(np.intp), self.c.i, self.c.j)
        weight = 1.0 if self.c.row_weight is None else self.c.row_weight
        return terms.by_gap[cell] * weight, (terms.by_tie[cell] * weight)[:, None]

    def independent_meat(self) -> Floats:
        """See `Fitted`: from pair counts."""
        counts, terms = self.c.pair_counts, self._terms()
        wins = counts.square_wins - counts.square_ties
        squares = np.stack([wins, 4.0 * counts.square_ties, wins.T])
        return _bordered(
            (squares * terms.by_gap**2).sum(axis=0),
            (squares * terms.by_gap * terms.by_tie).sum(axis=0),
            (squares * terms.by_tie**2).sum(axis=0),
        )

    def _terms(self) -> Terms:
        return TERMS[self.model](self.theta[:, None] - self.theta, float(self.parameters[-1]))


def fit_ties(c: Comparisons, model: str, precision: Floats | None) -> TieFit:
    """The most likely ratings and tie parameter; model: "davidson" or "rao-kupper"."""
    counts, models = c.pair_counts, len(c.models)
    if not counts.is_hard:
        raise InputError(
            setting("ties", model), " needs outcomes of 0, one half and 1; use ", HALF, "."
        )
    if not counts.ties.any():
        raise RatingError(
            "there are no ties for ", setting("ties", model), " to learn from; use ", HALF, "."
        )
    if not counts.wins.any():
        raise RatingError(
            "every comparison is a tie, so the tie parameter is infinite; use ", HALF, "."
        )

    def evaluate(x: Floats) -> LocalModel:
        return with_prior(tie_local_model(counts, x, model), x[:models], precision)

    share = counts.ties.sum() / counts.played.sum()
    # The tie parameter that gives this share between equal models, for either model.
    guess = np.log(2.0 * share / (1.0 - share)) if model == "davidson" else 2.0 * np.arctanh(share)
    size = np.append(counts.played.sum(axis=1), counts.played.sum() / 2.0)
    start = np.append(np.zeros(models), guess)
    x, local = minimise(evaluate, start, size, models)
    return TieFit(c, x, local.hessian, precision, (EXTRA[model],), model)


def tie_local_model(counts: PairCounts, x: Floats, model: str) -> LocalModel:
    """Minus the log-likelihood at ratings and tie parameter x (m + 1,), with derivatives."""
    if model == "rao-kupper" and x[-1] <= 0.0:
        return LocalModel(np.inf, np.full_like(x, np.inf), np.zeros((len(x), len(x))))
    terms = TERMS[model](x[:-1, None] - x[:-1], float(x[-1]))
    seen = np.stack([counts.wins, counts.ties, counts.wins.T])
    # Every comparison is seen from both sides, so sums over all pairs count it twice.
    by_gap = -(seen * terms.by_gap).sum(axis=(0, 2))
    by_tie = -0.5 * float((seen * terms.by_tie).sum())
    return LocalModel(
        value=-0.5 * float((seen * terms.log_p).sum()),
        gradient=np.append(by_gap, by_tie),
        hessian=_bordered(
            (seen * terms.gap_gap).sum(axis=0),
            (seen * terms.gap_tie).sum(axis=0),
            (seen * terms.tie_tie).sum(axis=0),
        ),
    )


def _bordered(gap_gap: Floats, gap_tie: Floats, tie_tie: Floats) -> Floats:
    """(m + 1, m + 1) quadratic form of sums over pairs, (m, m) each, seen from both sides."""
    models = len(gap_gap)
    form = np.zeros((models + 1, models + 1))
    form[:models, :models] = np.diag(gap_gap.sum(axis=1)) - gap_gap
    form[:models, models] = form[models, :models] = gap_tie.sum(axis=1)
    form[models, models] = 0.5 * tie_tie.sum()
    return form
