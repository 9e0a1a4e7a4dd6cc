"""Newton's method for likelihoods that do not change when all ratings move together."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from arena.ratings.arrays import Floats
from arena.ratings.threads import on_one_thread
from arena.records import setting
from arena.records.errors import ConvergenceError

ITERATIONS = 100
HALVINGS = 40
# Gradients are compared with the weight of the evidence behind each parameter. The first is
# what an exact fit reaches; the second is accepted where rounding allows no further descent.
EXACT = 1e-12
ROUNDED = 1e-9
# Log-strength: the next step is at most this. Where a parameter is infinite gradients vanish as
# well, but steps do not.
SETTLED = 1e-6
UNDETERMINED = (
    "the comparisons do not determine every parameter. Ask for a prior, such as ",
    setting("prior", 400),
    ", for fewer style columns, or for ",
    setting("ties", "half"),
    ".",
)


@dataclass(frozen=True, eq=False)
class LocalModel:
    """A convex loss at a point: value, gradient (p,), hessian (p, p).

    The first m parameters are ratings: the loss is the same when all of them move together.
    """

    value: float
    gradient: Floats
    hessian: Floats


@on_one_thread
def minimise(
    evaluate: Callable[[Floats], LocalModel], start: Floats, size: Floats, models: int
) -> tuple[Floats, LocalModel]:
    """The optimum (p,), ratings with mean 0, and the loss there.

    size: (p,) weight of the evidence behind each parameter, for the convergence test.
    """
    x, here = start, evaluate(start)
    for _ in range(ITERATIONS):
        worst = float(np.max(np.abs(here.gradient) / size))
        step = -_solve(here.hessian, here.gradient, models)
        settled = float(np.abs(step).max()) <= SETTLED
        if settled and worst <= EXACT:
            return x, here
        following = _descend(evaluate, x, here, step, models)
        if following is None:
            if settled and worst <= ROUNDED:
                return x, here
            break
        x, here = following
    raise ConvergenceError(
        f"Newton's method did not settle (relative gradient {worst:.1e}): ", *UNDETERMINED
    )


@on_one_thread
def bread(hessian: Floats, models: int) -> Floats:
    """(p, p) inverse of the Hessian among ratings with mean 0.

    One model is held fixed while the rest is inverted, which stays exact where counts span
    many orders of magnitude and a pseudo-inverse does not; then ratings are centred.
    """
    return centred(_solve(hessian, np.eye(len(hessian)), models), models)


def centred(matrix: Floats, models: int) -> Floats:
    """A symmetric (p, p) matrix with the mean over models taken out of rows and columns."""
    result = matrix.copy()
    result[:models] -= result[:models].mean(axis=0)
    result[:, :models] -= result[:, :models].mean(axis=1, keepdims=True)
    return result


def _solve(hessian: Floats, right: Floats, models: int) -> Floats:
    """hessian⁻¹ right with one model's rating held at 0."""
    ground = int(np.argmax(np.diagonal(hessian)[:models]))
    free = np.delete(np.arange(len(hessian)), ground)
    kept = np.asfortranarray(hessian[free][:, free])
    try:
        factor = cho_factor(kept, lower=True, overwrite_a=True)
    except LinAlgError:
        raise ConvergenceError("The Hessian is singular: ", *UNDETERMINED) from None
    solution = np.zeros_like(right)
    solution[free] = cho_solve(factor, right[free])
    return solution


def _descend(
    evaluate: Callable[[Floats], LocalModel],
    x: Floats,
    here: LocalModel,
    step: Floats,
    models: int,
) -> tuple[Floats, LocalModel] | None:
    """The first of the halved steps that lowers the loss, or that only rounding hides."""
    slack = 1e-14 * abs(here.value)
    for _ in range(HALVINGS):
        candidate = x + step
        candidate[:models] -= candidate[:models].mean()
        there = evaluate(candidate)
        gained = np.abs(there.gradient).max() < np.abs(here.gradient).max()
        if there.value < here.value - slack or (there.value <= here.value + slack and gained):
            return candidate, there
        step = 0.5 * step
    return None
