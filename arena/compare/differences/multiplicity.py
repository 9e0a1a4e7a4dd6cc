"""Many tests at once: p-values that may be read as if there were one."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from scipy.stats import false_discovery_control


class Adjustment(StrEnum):
    """What is bounded over all groups: any false claim, or the share of claims that are false."""

    HOLM = "holm"
    BH = "bh"


def adjusted(p_values: Sequence[float], control: Adjustment = Adjustment.HOLM) -> list[float]:
    """Adjusted p-values, in the same order; one at or below α is a claim at level α.

    HOLM: step-down Bonferroni (Holm 1979), which bounds the chance of any false claim. BH:
    Benjamini and Hochberg (1995), which bounds the expected share of false claims.
    """
    if not p_values:
        return []
    p = np.asarray(p_values, dtype=float)
    if control is Adjustment.BH:
        return [float(value) for value in false_discovery_control(p, method="bh")]
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(1.0, steps)
    return [float(value) for value in found]
